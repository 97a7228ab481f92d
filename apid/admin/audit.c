#include "apid/handlers.h"

#include "apid/admin/audit_db.h"
#include "apid/edge/request.h"
#include "common/json/json_out.h"

enum { DEFAULT_LINES = 100, MOST_LINES = 500 };

static void
render_line(const struct db_result *r, int row, struct json_out *j)
{
	jo_obj(j);
	jo_kv_i64(j, "audit_id", db_i64(r, row, AUDIT_ID));
	jo_kv_time(j, "at", db_time(r, row, AUDIT_AT));
	jo_kv_str(j, "actor", db_str(r, row, AUDIT_ACTOR));
	jo_kv_str(j, "action", db_str(r, row, AUDIT_ACTION));
	jo_kv_str(j, "target", db_str(r, row, AUDIT_TARGET));
	jo_key(j, "detail");
	jo_raw(j, db_str(r, row, AUDIT_DETAIL));
	jo_kv_str(j, "request_id", db_str(r, row, AUDIT_REQUEST));
	jo_end_obj(j);
}

/* One line more than asked for was read, to see whether there are any. */
static void
render(const struct db_result *r, int limit, struct json_out *j)
{
	int n = db_rows(r) > limit ? limit : db_rows(r);

	jo_obj(j);
	jo_key(j, "audit");
	jo_arr(j);
	for (int i = 0; i < n; i++)
		render_line(r, i, j);
	jo_end_arr(j);
	jo_kv_bool(j, "has_more", db_rows(r) > limit);
	jo_key(j, "next_before");
	if (db_rows(r) > limit)
		jo_i64(j, db_i64(r, n - 1, AUDIT_ID));
	else
		jo_null(j);
	jo_end_obj(j);
}

enum err_code
audit_get(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const PARAMS[] = { "limit", "before", NULL };
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	int64_t limit, before;
	struct uuid app_id;
	struct json_out j;
	enum err_code rc = http_query_allow(req, PARAMS, e);

	if (rc == ERR_OK)
		rc = http_query_i64(req, "limit", 1, MOST_LINES, DEFAULT_LINES, &limit, e);
	if (rc == ERR_OK)
		rc = http_query_i64(req, "before", 1, INT64_MAX, INT64_MAX, &before, e);
	if (rc == ERR_OK)
		rc = request_app_id(req, &app_id, e);
	if (rc == ERR_OK)
		rc = audit_list(req, app_id, before, limit + 1, &r, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	render(&r, (int)limit, &j);
	return ERR_OK;
}
