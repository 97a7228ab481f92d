/* GET /api/events: the change feed for those who poll. */
#include "apid/handlers.h"

#include "apid/access/auth.h"
#include "apid/apid.h"
#include "apid/live/events_answer.h"
#include "apid/live/poll.h"
#include "apid/live/types.h"

enum {
	CHECKOUT_MS = 2000,
	MAX_LIMIT = 500,
	DEFAULT_LIMIT = 100,
	MAX_WAIT_S = 30,
	MOST_PAGES = 20, /* looked through for the types that are wanted */
};

struct question {
	struct feed_scope scope;
	bool has_after;
	int64_t after, limit, wait_s;
	uint32_t types;
};

static enum err_code
read_question(const struct http_req *req, struct question *q, struct err *e)
{
	static const char *const ALLOWED[] = { "after", "types", "limit", "wait", NULL };
	const struct apid *api = req->self;
	struct str after = http_query(req, "after");
	enum err_code rc = http_query_allow(req, ALLOWED, e);

	q->scope = (struct feed_scope){ &api->cursor_keys, req->app_id };
	q->has_after = after.p != NULL;
	if (rc == ERR_OK)
		rc = http_query_i64(req, "limit", 1, MAX_LIMIT, DEFAULT_LIMIT, &q->limit, e);
	if (rc == ERR_OK)
		rc = http_query_i64(req, "wait", 0, MAX_WAIT_S, 0, &q->wait_s, e);
	if (rc == ERR_OK)
		rc = live_types_parse(http_query(req, "types"), &q->types, e);
	if (rc == ERR_OK && q->has_after && !feed_cursor_parse(&q->scope, after, &q->after))
		return err_set(
		    e, ERR_INVALID, "query parameter \"after\" is no cursor of this app's feed");
	return rc;
}

/* Until something is found that is wanted, or the end. */
static enum err_code
look(struct db_conn *c, const struct question *q, struct events_answer *a, bool *has_gap,
    int64_t *head, struct err *e)
{
	enum err_code rc = ERR_OK;

	*has_gap = false;
	a->has_more = true;
	for (int i = 0; i < MOST_PAGES && rc == ERR_OK && a->n == 0 && a->has_more; i++) {
		AUTO_RELEASE(feed_page_release) struct feed_page page = { .n = 0 };

		rc = feed_read(c, q->scope.app_id, a->pos, q->limit, &page, e);
		if (rc != ERR_OK)
			return rc;
		*head = page.head;
		/* Behind changes that were found the gap waits for the next question. */
		*has_gap = page.has_gap && q->has_after && a->n == 0;
		a->has_more = false;
		if (!page.has_gap)
			events_add(a, &page);
	}
	return rc;
}

static enum err_code
read_feed(const struct http_req *req, const struct question *q, struct events_answer *a,
    bool *has_gap, int64_t *head, struct err *e)
{
	const struct apid *api = req->self;
	struct db_conn *c;
	enum err_code rc = db_pool_get(api->pool, CHECKOUT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = look(c, q, a, has_gap, head, e);
	db_pool_put(api->pool, c);
	return rc;
}

static enum err_code
wait(struct http_req *req, struct http_res *res, const struct question *q, int64_t pos,
    struct err *e)
{
	const struct apid *api = req->self;
	struct live_poll_opts o = {
		.pass = { .app_id = req->app_id, .kind = LIVE_BY_KEY },
		.pos = pos,
		.types = q->types,
		.limit = q->limit,
		.wait_ms = q->wait_s * 1000,
	};
	struct str key_id;

	if (!api_key_parse(apid_given_key(req), &key_id))
		return err_set(e, ERR_INTERNAL, "a request without a key was let in");
	memcpy(o.pass.id, key_id.p, key_id.n);
	return live_poll_wait(req, res, api->live, &o, e);
}

enum err_code
feed_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(events_release) struct events_answer a = { .n = 0 };
	struct question q;
	int64_t head = 0;
	bool has_gap;
	enum err_code rc = read_question(req, &q, e);

	if (rc != ERR_OK)
		return rc;
	/* Who has no cursor yet gets one: behind everything. */
	events_begin(&a, &q.scope, q.types, q.limit, q.has_after ? q.after : INT64_MAX - 1);
	rc = read_feed(req, &q, &a, &has_gap, &head, e);
	if (rc != ERR_OK)
		return rc;
	if (!q.has_after)
		a.pos = head;
	if (!has_gap && q.has_after && a.n == 0 && !a.has_more && q.wait_s > 0)
		return wait(req, res, &q, a.pos, e);
	buf_add_str(&res->body, has_gap ? events_resync(&a, head) : events_end(&a));
	return ERR_OK;
}
