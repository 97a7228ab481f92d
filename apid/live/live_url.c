#include "apid/live/live_url.h"

#include <assert.h>

enum { MAX_URL_BYTES = 4096 };

void
live_url_render(const char *public_url, const char *parameter, struct str value, struct json_out *j)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(MAX_URL_BYTES);
	const struct str http = STR("http");
	struct str base = str_of(public_url);

	assert(public_url != NULL);
	/* "http" becomes "ws", and so "https" becomes "wss". */
	if (str_starts_nocase(base, http)) {
		base.p += http.n;
		base.n -= http.n;
	}
	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	buf_add_fmt(&url, "ws%.*s/ws?%s=%.*s", STR_ARG(base), parameter, STR_ARG(value));
	jo_kv_str(j, "url", buf_str(&url));
}
