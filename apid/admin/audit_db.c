#include "apid/admin/audit_db.h"

#include "apid/apid.h"

static const struct db_stmt AUDIT_INSERT = {
	.name = "audit_insert",
	.sql = "INSERT INTO admin_audit (actor, app_id, action, target, detail, request_id)"
	       " VALUES ($1, $2, $3, $4, $5, $6)",
};

static const struct db_stmt APP_EXISTED = {
	.name = "app_existed",
	.sql = "SELECT FROM apps WHERE app_id = $1"
	       " AND app_id <> '00000000-0000-0000-0000-000000000000'",
};

static const struct db_stmt AUDIT_LIST = {
	.name = "audit_list",
	.sql = "SELECT audit_id, at, actor, action, target, detail, request_id FROM admin_audit"
	       " WHERE app_id = $1 AND audit_id < $2 ORDER BY audit_id DESC LIMIT $3",
};

enum err_code
audit_write(
    struct db_conn *c, const struct http_req *req, const struct audit_line *line, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_text(&p, str_of(req->actor));
	db_p_uuid(&p, line->app_id);
	db_p_text(&p, str_of(line->action));
	db_p_text(&p, line->target);
	db_p_json(&p, line->detail);
	db_p_text(&p, str_of(req->request_id));
	return db_exec(c, &AUDIT_INSERT, &p, NULL, e);
}

struct audit_page {
	struct uuid app_id;
	int64_t before, limit;
	struct db_result *out;
};

static enum err_code
check_app(struct db_conn *c, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, &APP_EXISTED, &p, &r, e);
	if (rc == ERR_OK && db_rows(&r) == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no app with this id");
	return rc;
}

static enum err_code
list(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct audit_page *w = arg;
	enum err_code rc;

	db_params_init(&p);
	rc = check_app(c, w->app_id, e);
	if (rc != ERR_OK)
		return rc;
	db_p_uuid(&p, w->app_id);
	db_p_i64(&p, w->before);
	db_p_i64(&p, w->limit);
	db_result_clear(w->out);
	return db_exec(c, &AUDIT_LIST, &p, w->out, e);
}

enum err_code
audit_list(const struct http_req *req, struct uuid app_id, int64_t before, int64_t limit,
    struct db_result *out, struct err *e)
{
	struct audit_page w = { app_id, before, limit, out };

	return apid_admin_tx(req, list, &w, e);
}
