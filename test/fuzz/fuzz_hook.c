/*
 * A webhook from its URL to its event: common/dialpad/hook, ingestd/secrets, ingestd/event.
 * The first byte says what follows the path (two segments and a line feed):
 *   0  a body as it stands
 *   1  claims, signed here with the current master key's secret of that hook
 *   2  the same with the previous master key
 *   3  claims, signed with the secret of another hook: never accepted
 */
#include "test/fuzz/fuzz.h"

#include "common/dialpad/event.h"
#include "ingestd/event.h"
#include "ingestd/secrets.h"

#include <sodium.h>

enum { AS_IT_STANDS, CURRENT, PREVIOUS, ANOTHER, KINDS };

static const struct secrets secrets = {
	.master = { { "a master key of the fuzzer's own", 32 },
	    { "the one that it had before that.", 32 } },
	.bare = { { "a bare secret", 13 }, { NULL, 0 } },
};

static void
make_body(unsigned kind, struct hook hook, struct str in, struct buf *body)
{
	char secret[HOOK_SECRET_BYTES];

	if (kind == AS_IT_STANDS) {
		buf_add_str(body, in);
		return;
	}
	if (kind == ANOTHER)
		hook.number = hook.number == 1 ? 2 : 1;
	hook_secret(secrets.master[kind == PREVIOUS], hook, secret);
	fuzz_token(STR("{\"alg\":\"HS256\"}"), in, str_of(secret), body);
}

/* What goes into the log's columns must be text and instants that PostgreSQL can hold. */
static void
check_event(const struct event *ev, struct hook hook, struct str claims)
{
	FUZZ_CHECK(uuid_eq(ev->app_id, hook.app_id) && ev->hook == hook.number);
	FUZZ_CHECK(str_eq(ev->claims, claims));
	FUZZ_CHECK(ev->event_at >= 0 && ev->event_at < INT64_C(253402300800000));
	FUZZ_CHECK(ev->type.n <= 64 && ev->dialpad_id.n <= 64);
	FUZZ_CHECK(ev->is_json || (ev->type.p == NULL && ev->dialpad_id.p == NULL));
	FUZZ_CHECK(ev->type.p == NULL || memchr(ev->type.p, '\0', ev->type.n) == NULL);
	FUZZ_CHECK(
	    ev->dialpad_id.p == NULL || memchr(ev->dialpad_id.p, '\0', ev->dialpad_id.n) == NULL);
}

static void
serve(unsigned kind, struct hook hook, struct str in)
{
	AUTO_RELEASE(buf_release) struct buf body = BUF(FUZZ_TOKEN_ROOM);
	AUTO_RELEASE(buf_release) struct buf claims = BUF(FUZZ_TOKEN_ROOM);
	AUTO_RELEASE(arena_release) struct arena a;
	struct event ev;
	struct err e;

	arena_init(&a);
	make_body(kind, hook, in, &body);
	if (secrets_verify(&secrets, &hook, str_trim(buf_str(&body)), &claims, &e) != ERR_OK) {
		FUZZ_CHECK(kind == AS_IT_STANDS || kind == ANOTHER);
		return;
	}
	FUZZ_CHECK(kind != ANOTHER);
	event_make(hook.app_id, hook.number, buf_str(&claims), &a, &ev);
	check_event(&ev, hook, buf_str(&claims));
	FUZZ_CHECK(kind == AS_IT_STANDS || str_eq(ev.claims, in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_RELEASE(buf_release) struct buf path = BUF(200);
	AUTO(str) char *exact = fuzz_exact((struct str){ (const char *)data, n });
	struct str number, app_id, in = { exact, n };
	unsigned kind = fuzz_byte(&in) % KINDS;
	struct hook hook;

	FUZZ_CHECK(sodium_init() >= 0);
	app_id = str_cut(fuzz_line(&in), '/', &number);
	if (!hook_parse(app_id, number, &hook))
		return 0;
	hook_path(hook, &path);
	FUZZ_CHECK(str_starts(buf_str(&path), STR("/webhooks/dialpad/")));
	/* A hook has one spelling. */
	FUZZ_CHECK(path.n == strlen("/webhooks/dialpad/") + app_id.n + 1 + number.n);
	serve(kind, hook, in);
	return 0;
}
