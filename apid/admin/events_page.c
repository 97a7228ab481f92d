#include "apid/admin/events_page.h"

#include "apid/apid.h"
#include "apid/client/filter.h"

#define LAST_US INT64_C(253402300799999999) /* of the year 9999 */

enum { DEFAULT_LIMIT = 50 };

static const struct uuid UUID_GREATEST = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static const char *const VERDICTS[] = { "processed", "pending", "retrying", "dead", "quarantined",
	"retired_hook", "unknown_app", NULL };
static const char *const KINDS[] = { "call", "message", "other", NULL };

/* In the order of the parameters of events_db_list; the two times come after the others. */
static const struct filter FILTERS[] = {
	{ "verdict", FILTER_CHOICE, VERDICTS },
	{ "kind", FILTER_CHOICE, KINDS },
	{ "dialpad_id", FILTER_ID, NULL },
	{ "from", FILTER_SINCE, NULL },
	{ "to", FILTER_UNTIL, NULL },
};
enum { NFILTERS = sizeof FILTERS / sizeof FILTERS[0] };

static enum events_form
form_of(struct str verdict)
{
	if (verdict.p == NULL || str_eq(verdict, STR("all")))
		return EVENTS_ALL;
	if (str_eq(verdict, STR("processed")))
		return EVENTS_PROCESSED;
	if (str_eq(verdict, STR("pending")) || str_eq(verdict, STR("retrying")))
		return EVENTS_WAITING;
	return EVENTS_SET_ASIDE;
}

static enum err_code
check_parameters(const struct http_req *req, bool unclaimed, struct err *e)
{
	static const char *const ALL[] = { "limit", "cursor", "verdict", "kind", "dialpad_id",
		"from", "to", NULL };
	static const char *const PAGING[] = { "limit", "cursor", NULL };

	return http_query_allow(req, unclaimed ? PAGING : ALL, e);
}

static void
bind_place(struct events_page *out, struct uuid app_id)
{
	const struct page *pg = &out->page;

	db_p_uuid(&out->p, app_id);
	db_p_i64(&out->p, pg->has_after ? pg->after.sort_at : LAST_US);
	db_p_uuid(&out->p, pg->has_after ? pg->after.id : UUID_GREATEST);
	db_p_i64(&out->p, pg->limit + 1);
}

static enum err_code
bind_filters(struct http_req *req, struct db_params *p, struct err *e)
{
	struct filter_use used;
	enum err_code rc = filters_use(req, FILTERS, NFILTERS, &used, e);

	if (rc == ERR_OK)
		rc = filters_bind(req, FILTERS, NFILTERS, p, e);
	if (rc != ERR_OK)
		return rc;
	db_p_time(p, used.since);
	db_p_time(p, used.until);
	return ERR_OK;
}

static void
bind_unclaimed(struct events_page *out)
{
	db_p_text(&out->p, STR("unclaimed"));
	db_p_null(&out->p, DB_TEXT);
	db_p_null(&out->p, DB_I64);
	db_p_time(&out->p, FILTER_FIRST_MS);
	db_p_time(&out->p, FILTER_LAST_MS);
	out->form = EVENTS_UNCLAIMED;
}

enum err_code
events_page_read(struct http_req *req, struct uuid app_id, bool unclaimed, struct events_page *out,
    struct err *e)
{
	const struct apid *api = req->self;
	const struct page_rules rules = {
		.cursor_keys = &api->cursor_keys,
		.list = unclaimed ? "unclaimed" : "events",
		.app_id = app_id,
		.default_limit = DEFAULT_LIMIT,
		.in_parts = true,
	};
	enum err_code rc = check_parameters(req, unclaimed, e);

	out->list = rules.list;
	db_params_init(&out->p);
	if (rc == ERR_OK)
		rc = page_read(req, &rules, &out->page, e);
	if (rc != ERR_OK)
		return rc;
	bind_place(out, app_id);
	if (unclaimed) {
		bind_unclaimed(out);
		return ERR_OK;
	}
	out->form = form_of(http_query(req, "verdict"));
	return bind_filters(req, &out->p, e);
}

void
events_page_release(struct events_page *p)
{
	db_params_release(&p->p);
}

int
events_page_shown(const struct events_page *p, const struct db_result *rows)
{
	return db_rows(rows) > p->page.limit ? (int)p->page.limit : db_rows(rows);
}

void
events_page_end(const struct http_req *req, const struct events_page *p, struct uuid app_id,
    const struct db_result *rows, struct json_out *j)
{
	const struct apid *api = req->self;
	const struct page_scope scope = { &api->cursor_keys, p->list, app_id, false };
	AUTO_RELEASE(buf_release) struct buf cursor = BUF(PAGE_CURSOR_CHARS + 1);
	int n = events_page_shown(p, rows);
	bool has_more = db_rows(rows) > n;

	if (has_more)
		page_cursor_format(&scope,
		    (struct page_place){
			db_i64(rows, n - 1, EVENTS_PLACE), db_uuid(rows, n - 1, EVENTS_ID) },
		    &cursor);
	jo_kv_i64(j, "limit", p->page.limit);
	jo_kv_bool(j, "has_more", has_more);
	jo_kv_str(j, "next_cursor", has_more ? buf_str(&cursor) : STR_NONE);
}
