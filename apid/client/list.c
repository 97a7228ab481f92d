#include "apid/client/list.h"

#include "apid/apid.h"
#include "common/base/clock.h"
#include "common/records/record_db.h"

#define HOUR_MS INT64_C(3600000)

enum { MAX_PARAMETERS = LIST_MAX_FILTERS + 8 };

static const struct uuid UUID_GREATEST = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

/* ---- the query ---- */

static enum err_code
check_parameters(const struct http_req *req, const struct list *l, struct err *e)
{
	const char *const *paging = l->whole ? PAGE_PARAMETERS_WHOLE : PAGE_PARAMETERS;
	const char *allowed[MAX_PARAMETERS] = { NULL };
	int n = 0;

	for (int i = 0; i < l->nfilters; i++)
		allowed[n++] = l->filters[i].name;
	while (*paging != NULL)
		allowed[n++] = *paging++;
	return http_query_allow(req, allowed, e);
}

static enum list_form
form_of(const struct filter_use *used)
{
	if (used->others)
		return LIST_OTHER_TIME;
	if (used->times)
		return used->narrows ? LIST_TIMED_NARROW : LIST_TIMED;
	return used->narrows ? LIST_RECENT_NARROW : LIST_RECENT;
}

static bool
is_before(struct page_place a, struct page_place b)
{
	return a.sort_at != b.sort_at ? a.sort_at < b.sort_at : uuid_cmp(a.id, b.id) < 0;
}

/* The cursor; without one, a place before every row. */
static struct page_place
cursor_of(const struct page *pg)
{
	if (pg->has_after)
		return pg->after;
	return pg->oldest_first ? (struct page_place){ FILTER_FIRST_MS, UUID_NIL }
				: (struct page_place){ FILTER_LAST_MS, UUID_GREATEST };
}

/* Where the page begins: behind the cursor, and within what is asked for. */
static struct page_place
begin_of(const struct page *pg, const struct filter_use *used)
{
	struct page_place cursor = cursor_of(pg);
	struct page_place bound = { pg->oldest_first ? used->since : used->until, UUID_NIL };

	return is_before(cursor, bound) == pg->oldest_first ? bound : cursor;
}

static void
bind_place(struct page_place place, struct db_params *p)
{
	db_p_time(p, place.sort_at);
	db_p_uuid(p, place.id);
}

/* In the order that list_sql.h tells. */
static void
bind_head(const struct http_req *req, const struct page *pg, const struct filter_use *used,
    int64_t window_start, struct db_params *p)
{
	db_p_uuid(p, req->app_id);
	db_p_time(p, window_start);
	bind_place(begin_of(pg, used), p);
	db_p_i64(p, pg->limit + 1); /* one more row than is shown tells whether there are more */
	db_p_i64(p, pg->offset);
	db_p_time(p, used->since);
	db_p_time(p, used->until);
	bind_place(cursor_of(pg), p);
}

static enum err_code
bind_all(struct http_req *req, const struct list *l, const struct page *pg, struct db_params *p,
    const struct list_statements **out, struct err *e)
{
	const struct apid *api = req->self;
	int64_t window_start = clock_wall_ms() - api->conf->api_default_window_hours * HOUR_MS;
	struct filter_use used;
	enum err_code rc = filters_use(req, l->filters, l->nfilters, &used, e);

	if (rc != ERR_OK)
		return rc;
	*out = l->whole ? l->forms : &l->forms[form_of(&used)];
	if (!l->whole && !used.times)
		used.since = window_start - HOUR_MS; /* older ones are late, see LIST_IN_WINDOW */
	bind_head(req, pg, &used, window_start, p);
	return filters_bind(req, l->filters, l->nfilters, p, e);
}

/* ---- the answer ---- */

struct answer {
	const struct http_req *req;
	const struct list *list;
	const struct page *page;
	const struct list_statements *statements;
	struct db_result rows, count; /* count: only when the total is wanted */
};

static void
release(struct answer *a)
{
	db_result_clear(&a->rows);
	db_result_clear(&a->count);
}

static enum err_code
fetch(struct answer *a, const struct db_params *p, struct err *e)
{
	const struct list_statements *s = a->statements;
	const struct db_query queries[] = {
		{ a->page->oldest_first ? &s->oldest_first : &s->newest_first, p, s->plan },
		{ &s->count, p, s->plan },
	};
	int n = a->page->wants_total ? 2 : 1;
	struct db_result results[2] = { DB_RESULT_NONE, DB_RESULT_NONE };
	enum err_code rc = apid_tenant_read(a->req, queries, n, results, e);

	if (rc != ERR_OK)
		return rc;
	a->rows = results[0];
	a->count = results[1];
	return ERR_OK;
}

static int
rows_shown(const struct answer *a)
{
	int64_t limit = a->page->limit;

	return db_rows(&a->rows) > limit ? (int)limit : db_rows(&a->rows);
}

/* *last is the place of the last row, when there is one. */
static void
render_rows(const struct answer *a, struct page_place *last, struct json_out *j)
{
	struct record r;

	jo_key(j, a->list->name);
	jo_arr(j);
	for (int i = 0; i < rows_shown(a); i++) {
		record_read(a->list->kind, &a->rows, i, 0, &r);
		a->list->render(&r, j);
		*last = (struct page_place){ r.v[a->list->sort_field].i, r.id };
	}
	jo_end_arr(j);
}

static void
render_total(const struct answer *a, struct json_out *j)
{
	int64_t total;

	if (!a->page->wants_total)
		return;
	total = db_i64(&a->count, 0, 0);
	jo_kv_i64(j, "total", total > LIST_EXACT_TOTAL ? LIST_EXACT_TOTAL : total);
	if (total > LIST_EXACT_TOTAL)
		jo_kv_bool(j, "total_is_capped", true);
}

static void
render_paging(const struct answer *a, struct page_place last, struct json_out *j)
{
	const struct apid *api = a->req->self;
	const struct page_scope scope = {
		.keys = &api->cursor_keys,
		.list = a->list->name,
		.app_id = a->req->app_id,
		.oldest_first = a->page->oldest_first,
	};
	AUTO_RELEASE(buf_release) struct buf cursor = BUF(PAGE_CURSOR_CHARS + 1);
	bool has_more = db_rows(&a->rows) > a->page->limit;

	jo_kv_i64(j, "limit", a->page->limit);
	jo_kv_i64(j, "offset", a->page->offset);
	jo_kv_bool(j, "has_more", has_more);
	if (has_more)
		page_cursor_format(&scope, last, &cursor);
	jo_kv_str(j, "next_cursor", has_more ? buf_str(&cursor) : STR_NONE);
}

static void
render(const struct answer *a, struct http_res *res)
{
	struct page_place last = { .sort_at = 0 };
	struct json_out j;

	jo_init(&j, &res->body);
	jo_obj(&j);
	render_rows(a, &last, &j);
	render_total(a, &j);
	if (!a->list->whole)
		render_paging(a, last, &j);
	jo_end_obj(&j);
}

enum err_code
list_answer(struct http_req *req, struct http_res *res, const struct list *l, struct err *e)
{
	const struct apid *api = req->self;
	const struct page_rules rules = {
		.cursor_keys = &api->cursor_keys,
		.list = l->name,
		.app_id = req->app_id,
		.default_limit = l->whole ? PAGE_MAX_LIMIT : LIST_DEFAULT_LIMIT,
		.in_parts = !l->whole,
	};
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct page page;
	AUTO_RELEASE(release) struct answer a = { .req = req, .list = l, .page = &page };
	enum err_code rc;

	db_params_init(&p);
	rc = check_parameters(req, l, e);
	if (rc == ERR_OK)
		rc = page_read(req, &rules, &page, e);
	if (rc == ERR_OK)
		rc = bind_all(req, l, &page, &p, &a.statements, e);
	if (rc == ERR_OK)
		rc = fetch(&a, &p, e);
	if (rc == ERR_OK)
		render(&a, res);
	return rc;
}
