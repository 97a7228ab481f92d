/*
 * apid: what strangers and admins send to its edge. The first byte chooses: the JSON body of a request
 * to /internal; a list of forwarded addresses; an origin and a list of them. What is accepted must be
 * within its bounds, and fit for the database and for a header.
 */
#include "test/fuzz/fuzz.h"

#include "apid/admin/app_fields.h"
#include "apid/edge/body.h"
#include "apid/edge/client_addr.h"
#include "common/base/origin.h"
#include "common/base/utf8.h"
#include "common/conf/conf_labelled.h"
#include "common/json/json_copy.h"

enum { DETAIL_ROOM = 1 << 20, MAX_NAME_BYTES = 200 * 4, MAX_ITEMS = 20 };

static bool
is_plain(struct str s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = utf8_length((struct str){ s.p + i, s.n - i });
		if (n == 0 || (unsigned char)s.p[i] < ' ')
			return false;
	}
	return true;
}

/* What the audit keeps of a body must be JSON again. */
static void
check_detail(const struct json *body)
{
	AUTO_RELEASE(buf_release) struct buf detail = BUF(DETAIL_ROOM);
	AUTO(json) struct json *again = NULL;
	struct json_out j;
	struct err e;

	jo_init(&j, &detail);
	json_copy(body, &j);
	FUZZ_CHECK(json_parse(buf_str(&detail), &again, &e) == ERR_OK);
}

static void
try_body(struct str in, const char *const *fields)
{
	struct http_req req = { .body = in };
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(app_fields_release) struct app_fields f;
	struct err e;
	int64_t n = 0;

	app_fields_init(&f);
	if (body_parse(&req, fields, &body, &e) != ERR_OK)
		return;
	check_detail(body);
	if (body_i64(body, "overlap_hours", 0, 720, 24, &n, &e) == ERR_OK)
		FUZZ_CHECK(n >= 0 && n <= 720);
	if (app_fields_read(body, &f, &e) != ERR_OK)
		return;
	FUZZ_CHECK(f.name.p == NULL || (f.name.n > 0 && f.name.n <= MAX_NAME_BYTES));
	FUZZ_CHECK(is_plain(f.name));
	FUZZ_CHECK(f.return_urls.n <= MAX_ITEMS && f.origins.n <= MAX_ITEMS);
}

static void
try_addresses(struct str in)
{
	int64_t hops = fuzz_byte(&in) % 4;
	struct str peer = fuzz_line(&in);
	struct client_addr nearest = client_addr_pick(peer, in, 0);
	struct client_addr alone = client_addr_pick(peer, STR_NONE, hops);

	(void)client_addr_pick(peer, in, hops);
	FUZZ_CHECK(memcmp(nearest.b, alone.b, sizeof alone.b) == 0);
}

static void
try_origins(struct str in)
{
	struct str first = fuzz_line(&in), list = in, item;

	if (origin_is_valid(first)) {
		FUZZ_CHECK(is_plain(first) && first.n <= ORIGIN_MAX_CHARS);
		FUZZ_CHECK(origin_is_listed(first, first));
	}
	for (item = origin_next(&list); item.n > 0; item = origin_next(&list))
		FUZZ_CHECK(origin_is_listed(in, item));
}

static void
try_secrets(struct str in)
{
	struct str list = in, label, secret;
	struct err e;

	if (conf_labelled_check("X", in, &e) != ERR_OK)
		return;
	while (conf_labelled_next(&list, &label, &secret))
		FUZZ_CHECK(label.n <= CONF_MAX_LABEL && secret.n >= CONF_LABELLED_MIN_SECRET);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const key_fields[] = { "name", "expires_in_days", "replaces",
		"overlap_hours", NULL };
	AUTO(str) char *exact = fuzz_exact((struct str){ (const char *)data, n });
	struct str in = { exact, n };

	switch (fuzz_byte(&in) % 6) {
	case 0: try_body(in, APP_FIELDS); break;
	case 1: try_body(in, APP_FIELDS_NEW); break;
	case 2: try_body(in, key_fields); break;
	case 3: try_addresses(in); break;
	case 4: try_origins(in); break;
	default: try_secrets(in); break;
	}
	return 0;
}
