#include "apid/live/token_db.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/apid.h"

static const struct db_stmt INSERT = {
	.name = "token_insert",
	.sql = "INSERT INTO live_tokens (token_id, app_id, origins, created_by, expires_at)"
	       " VALUES ($1, $2, $3, $5, now() + make_interval(days => $4))"
	       " RETURNING created_at, expires_at",
};

static const struct db_stmt LIST = {
	.name = "token_list",
	.sql = "SELECT token_id, to_json(origins), created_at, expires_at, revoked_at, last_used_at"
	       " FROM live_tokens WHERE app_id = $1 ORDER BY created_at DESC, token_id",
};

static const struct db_stmt REVOKE = {
	.name = "token_revoke",
	.sql = "UPDATE live_tokens SET revoked_at = now()"
	       " WHERE token_id = $1 AND app_id = $2 AND revoked_at IS NULL",
};

struct work {
	const struct http_req *req;
	struct uuid app_id;
	struct new_token *made;
	struct str token_id;
	struct db_result *out;
};

static enum err_code
note(
    struct db_conn *c, const struct work *w, const char *action, struct str token_id, struct err *e)
{
	const struct audit_line line = {
		.app_id = w->app_id, .action = action, .target = token_id
	};

	return audit_write(c, w->req, &line, e);
}

static enum err_code
insert(struct db_conn *c, const struct http_req *req, struct new_token *t, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(t->id));
	db_p_uuid(&p, t->app_id);
	db_p_array(&p, t->origins);
	db_p_i32(&p, (int32_t)t->expires_in_days);
	db_p_text(&p, str_of(req->actor));
	rc = db_exec(c, &INSERT, &p, &r, e);
	if (rc == ERR_OK) {
		t->created_at = db_time(&r, 0, 0);
		t->expires_at = db_time(&r, 0, 1);
	}
	return rc;
}

static enum err_code
create(struct db_conn *c, void *arg, struct err *e)
{
	struct work *w = arg;
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = insert(c, w->req, w->made, e);
	return rc == ERR_OK ? note(c, w, "live_token.created", str_of(w->made->id), e) : rc;
}

enum err_code
token_db_create(const struct http_req *req, struct new_token *t, struct err *e)
{
	struct work w = { .req = req, .app_id = t->app_id, .made = t };

	return apid_admin_tx(req, create, &w, e);
}

static enum err_code
list(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct work *w = arg;
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	db_result_clear(w->out);
	return rc == ERR_OK ? db_exec(c, &LIST, &p, w->out, e) : rc;
}

enum err_code
token_db_list(const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	struct work w = { .req = req, .app_id = app_id, .out = out };

	return apid_admin_tx(req, list, &w, e);
}

static enum err_code
set_revoked(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct work *w = arg;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, w->token_id);
	db_p_uuid(&p, w->app_id);
	rc = db_exec(c, &REVOKE, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	if (db_affected(&r) == 0)
		return err_set(e, ERR_NOT_FOUND, "this app has no such live token in use");
	return note(c, w, "live_token.revoked", w->token_id, e);
}

enum err_code
token_db_revoke(const struct http_req *req, struct uuid app_id, struct str token_id, struct err *e)
{
	struct work w = { .req = req, .app_id = app_id, .token_id = token_id };

	return apid_admin_tx(req, set_revoked, &w, e);
}
