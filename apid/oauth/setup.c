#include "apid/oauth/setup.h"

#include "apid/apid.h"
#include "apid/oauth/tell.h"

bool
setup_is_complete(const struct http_req *req, struct http_res *res)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(400);
	const struct apid *api = req->self;
	const struct conf_dialpad *d = &api->conf->dialpad;

	if (d->client_id[0] == '\0')
		buf_add_fmt(&text,
		    "This server cannot connect Dialpad yet: its operator has to set %s, its "
		    "client secret and its redirect URI.",
		    d->client_id_name);
	else if (api->seal_keys.n == 0)
		buf_add_c(&text,
		    "This server cannot connect Dialpad yet: its operator has to set "
		    "TOKEN_ENCRYPTION_KEY (apid --generate-secrets prints one).");
	if (text.n == 0)
		return true;
	tell_failure(req, res, ERR_UNAVAILABLE, "Not set up", buf_str(&text));
	return false;
}
