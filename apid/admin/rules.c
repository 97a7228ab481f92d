/* The rules by which events of the bare route find their app; made by unclaimed_assign(). */
#include "apid/handlers.h"

#include "apid/admin/unclaimed_db.h"
#include "apid/edge/columns.h"
#include "apid/edge/request.h"

static void
render_row(const struct db_result *r, int row, struct json_out *j)
{
	jo_obj(j);
	jo_kv_str(j, "kind", db_str(r, row, RULES_KIND));
	column_i64(j, "dialpad_id", r, row, RULES_DIALPAD_ID);
	column_uuid(j, "app_id", r, row, RULES_APP_ID);
	jo_kv_str(j, "created_by", db_str(r, row, RULES_CREATED_BY));
	jo_kv_time(j, "created_at", db_time(r, row, RULES_CREATED_AT));
	jo_end_obj(j);
}

enum err_code
rules_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = rules_db_list(req, &r, e);
	if (rc != ERR_OK)
		return rc;
	columns_list(&res->body, "rules", &r, render_row);
	return ERR_OK;
}

static enum err_code
read_path(const struct http_req *req, struct claim_rule *out, struct err *e)
{
	bool office = str_eq(req->segments[0], STR("office"));

	*out = (struct claim_rule){ .kind = office ? "office" : "target" };
	if ((!office && !str_eq(req->segments[0], STR("target")))
	    || !str_to_i64(req->segments[1], 1, INT64_MAX, &out->dialpad_id))
		return err_set(e, ERR_NOT_FOUND, "there is no rule for this id");
	return ERR_OK;
}

enum err_code
rules_remove(struct http_req *req, struct http_res *res, struct err *e)
{
	struct claim_rule rule;
	struct json_out j;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = read_path(req, &rule, e);
	if (rc == ERR_OK)
		rc = rules_db_remove(req, &rule, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	rules_render(&rule, &j);
	jo_kv_bool(&j, "removed", true);
	jo_end_obj(&j);
	return ERR_OK;
}
