#include "apid/admin/unclaimed_db.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/admin/tasks.h"
#include "apid/apid.h"

#include <string.h>

enum { MAX_DETAIL = 200 };

/* As workerd sees it: an app that was allowed to, or the only one there is. */
static const struct db_stmt MAY_TAKE = {
	.name = "rule_may_take",
	.sql = "SELECT accepts_bare OR ($2 AND (SELECT count(*) FROM apps WHERE deleted_at IS NULL"
	       " AND app_id <> '00000000-0000-0000-0000-000000000000') = 1)"
	       " FROM apps WHERE app_id = $1",
};

static const struct db_stmt PUT = {
	.name = "rule_put",
	.sql =
	    "INSERT INTO claim_rules (kind, dialpad_id, app_id, created_by) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (kind, dialpad_id) DO UPDATE SET app_id = EXCLUDED.app_id,"
	    " created_by = EXCLUDED.created_by, created_at = now()",
};

static const struct db_stmt REMOVE = {
	.name = "rule_remove",
	.sql = "DELETE FROM claim_rules WHERE kind = $1 AND dialpad_id = $2 RETURNING app_id",
};

static const struct db_stmt LIST = {
	.name = "rules_list",
	.sql = "SELECT kind, dialpad_id, app_id, created_by, created_at FROM claim_rules"
	       " ORDER BY created_at DESC, kind, dialpad_id",
};

/* ---- events ---- */

struct assignment {
	const struct http_req *req;
	struct uuid app_id;
	struct str params;
	char key[UUID_TEXT_BYTES];
	struct db_result *out;
};

static enum err_code
assign(struct db_conn *c, void *arg, struct err *e)
{
	const struct assignment *w = arg;
	const struct task task = { "assign", w->app_id, str_of(w->key), w->params };
	const struct audit_line line = {
		.app_id = w->app_id,
		.action = "events.assigned",
		.target = task.key,
		.detail = task.params,
	};
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = tasks_queue(c, &task, w->out, e);
	return rc == ERR_OK ? audit_write(c, w->req, &line, e) : rc;
}

enum err_code
unclaimed_db_assign(const struct http_req *req, struct uuid app_id, struct str params,
    struct db_result *out, struct err *e)
{
	struct assignment w = { .req = req, .app_id = app_id, .params = params, .out = out };

	(void)uuid_format(uuid_v7(), w.key);
	return apid_admin_tx(req, assign, &w, e);
}

/* ---- rules ---- */

void
rules_render(const struct claim_rule *rule, struct json_out *j)
{
	jo_kv_str(j, "kind", str_of(rule->kind));
	jo_kv_i64(j, "dialpad_id", rule->dialpad_id);
	jo_key(j, "app_id");
	jo_uuid(j, rule->app_id);
}

struct ruling {
	const struct http_req *req;
	struct claim_rule *rule;
};

static enum err_code
audit_rule(struct db_conn *c, const struct ruling *w, const char *action, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf detail = BUF(MAX_DETAIL);
	const char *kind = w->rule->kind;
	struct audit_line line = { .app_id = w->rule->app_id, .action = action };
	struct json_out j;

	jo_init(&j, &detail);
	jo_obj(&j);
	jo_kv_str(&j, "kind", str_of(kind));
	jo_kv_i64(&j, "dialpad_id", w->rule->dialpad_id);
	jo_end_obj(&j);
	line.detail = buf_str(&detail);
	return audit_write(c, w->req, &line, e);
}

/* A rule for an app that may take nothing would keep the events from everybody. */
static enum err_code
check_may_take(struct db_conn *c, const struct ruling *w, struct err *e)
{
	const struct apid *api = w->req->self;
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = apps_db_lock(c, w->rule->app_id, NULL, e);

	db_params_init(&p);
	db_p_uuid(&p, w->rule->app_id);
	db_p_bool(&p, strcmp(api->conf->single_tenant, "auto") == 0);
	if (rc == ERR_OK)
		rc = db_exec(c, &MAY_TAKE, &p, &r, e);
	if (rc == ERR_OK && !db_bool(&r, 0, 0))
		return err_set(e, ERR_CONFLICT,
		    "this app takes no events of the bare webhook URL: set its accepts_bare first");
	return rc;
}

static enum err_code
put(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	const struct ruling *w = arg;
	enum err_code rc = check_may_take(c, w, e);

	db_params_init(&p);
	db_p_text(&p, str_of(w->rule->kind));
	db_p_i64(&p, w->rule->dialpad_id);
	db_p_uuid(&p, w->rule->app_id);
	db_p_text(&p, str_of(w->req->actor));
	if (rc == ERR_OK)
		rc = db_exec(c, &PUT, &p, NULL, e);
	return rc == ERR_OK ? audit_rule(c, w, "rule.set", e) : rc;
}

enum err_code
rules_db_put(const struct http_req *req, const struct claim_rule *rule, struct err *e)
{
	struct claim_rule copy = *rule;
	struct ruling w = { req, &copy };

	return apid_admin_tx(req, put, &w, e);
}

static enum err_code
remove_rule(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	const struct ruling *w = arg;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(w->rule->kind));
	db_p_i64(&p, w->rule->dialpad_id);
	rc = db_exec(c, &REMOVE, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	if (db_rows(&r) == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no rule for this id");
	w->rule->app_id = db_uuid(&r, 0, 0);
	return audit_rule(c, w, "rule.removed", e);
}

enum err_code
rules_db_remove(const struct http_req *req, struct claim_rule *rule, struct err *e)
{
	struct ruling w = { req, rule };

	return apid_admin_tx(req, remove_rule, &w, e);
}

static enum err_code
list(struct db_conn *c, void *arg, struct err *e)
{
	struct db_result *out = arg;

	db_result_clear(out);
	return db_exec(c, &LIST, NULL, out, e);
}

enum err_code
rules_db_list(const struct http_req *req, struct db_result *out, struct err *e)
{
	return apid_admin_tx(req, list, out, e);
}
