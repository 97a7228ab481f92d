/*
 * A query string to the parameters of a list's statements: common/http/http_uri, apid/client/page
 * and filter. The first byte says of which list, the rest is the query.
 */
#include "test/fuzz/fuzz.h"

#include "apid/client/calls_db.h"
#include "apid/client/messages_db.h"
#include "apid/client/voicemails_db.h"
#include "common/http/http_uri.h"

#include <sodium.h>

static const struct list *const LISTS[] = { &CALLS_LIST, &CALLS_LIVE, &MESSAGES_LIST,
	&VOICEMAILS_LIST };

enum { NLISTS = sizeof LISTS / sizeof LISTS[0] };

static void
encode(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_fmt(out, "%%%02x", (unsigned char)s.p[i]);
}

/* What was read, written with every byte escaped, reads the same. */
static void
check_reads_again(const struct http_req *req)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(FUZZ_TOKEN_ROOM);
	struct http_req again = { .nquery = 0 };
	struct err e;

	arena_init(&again.arena);
	for (int i = 0; i < req->nquery; i++) {
		encode(req->query[i].name, &text);
		buf_add_char(&text, '=');
		encode(req->query[i].value, &text);
		buf_add_char(&text, '&');
	}
	FUZZ_CHECK(http_uri_query(&again, buf_str(&text), &e) == ERR_OK);
	FUZZ_CHECK(again.nquery == req->nquery);
	for (int i = 0; i < req->nquery; i++) {
		FUZZ_CHECK(str_eq(again.query[i].name, req->query[i].name));
		FUZZ_CHECK(str_eq(again.query[i].value, req->query[i].value));
	}
	arena_release(&again.arena);
}

static void
check_page(struct http_req *req, const struct list *l)
{
	static const struct pepper_keys keys = { { { 1 }, { 2 } } };
	const struct page_rules rules = {
		.cursor_keys = &keys,
		.list = l->name,
		.app_id = req->app_id,
		.default_limit = LIST_DEFAULT_LIMIT,
		.in_parts = !l->whole,
	};
	struct page page;
	struct err e;

	if (page_read(req, &rules, &page, &e) != ERR_OK) {
		FUZZ_CHECK(e.code == ERR_INVALID);
		return;
	}
	FUZZ_CHECK(page.limit >= 1 && page.limit <= PAGE_MAX_LIMIT);
	FUZZ_CHECK(page.offset >= 0 && page.offset <= PAGE_MAX_OFFSET);
	FUZZ_CHECK(!page.has_after || page.offset == 0);
}

static int
conditions(const struct list *l)
{
	int n = 0;

	for (int i = 0; i < l->nfilters; i++)
		n += l->filters[i].type != FILTER_SINCE && l->filters[i].type != FILTER_UNTIL;
	return n;
}

/* The parameters of a statement are as many as it has, and no text has what PostgreSQL cannot hold. */
static void
check_filters(struct http_req *req, const struct list *l)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct filter_use used;
	struct err e;

	db_params_init(&p);
	if (filters_use(req, l->filters, l->nfilters, &used, &e) != ERR_OK
	    || filters_bind(req, l->filters, l->nfilters, &p, &e) != ERR_OK) {
		FUZZ_CHECK(e.code == ERR_INVALID);
		return;
	}
	FUZZ_CHECK(p.n == conditions(l) && (used.times || !used.others));
	FUZZ_CHECK(used.since >= FILTER_FIRST_MS && used.until <= FILTER_LAST_MS);
	for (int i = 0; i < p.n; i++) {
		FUZZ_CHECK(p.p[i].len <= 20);
		FUZZ_CHECK(
		    p.p[i].borrowed == NULL || memchr(p.p[i].borrowed, '\0', p.p[i].len) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(str) char *exact = fuzz_exact((struct str){ (const char *)data, n });
	struct str in = { exact, n };
	const struct list *l = LISTS[fuzz_byte(&in) % NLISTS];
	struct http_req req = { .nquery = 0 };
	struct err e;

	in.n = strnlen(in.p, in.n); /* it comes to us as a C string */
	FUZZ_CHECK(sodium_init() >= 0);
	arena_init(&req.arena);
	if (http_uri_query(&req, in, &e) == ERR_OK) {
		check_reads_again(&req);
		check_page(&req, l);
		check_filters(&req, l);
	}
	arena_release(&req.arena);
	return 0;
}
