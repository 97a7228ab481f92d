/* What admins change in an app that exists, and its end. */
#include "apid/admin/apps_db.h"

#include "apid/admin/audit_db.h"
#include "apid/apid.h"

static const struct db_stmt APP_CHANGE = {
	.name = "app_change",
	.sql = "UPDATE apps SET name = coalesce($2, name), is_active = coalesce($3, is_active),"
	       " accepts_bare = coalesce($4, accepts_bare),"
	       " allowed_return_urls = CASE WHEN $5 THEN $6 ELSE allowed_return_urls END,"
	       " allowed_origins = CASE WHEN $7 THEN $8 ELSE allowed_origins END,"
	       " updated_at = now()"
	       " WHERE app_id = $1 RETURNING " APPS_DB_COLUMNS,
};

/* Everything that could still do something in its name. What is left, workerd deletes. */
static const struct db_stmt APP_ENDS[] = {
	{ "app_end", "UPDATE apps SET deleted_at = now(), updated_at = now() WHERE app_id = $1" },
	{ "app_end_keys",
	    "UPDATE api_keys SET revoked_at = now() WHERE app_id = $1 AND revoked_at IS NULL" },
	{ "app_end_live_tokens",
	    "UPDATE live_tokens SET revoked_at = now() WHERE app_id = $1 AND revoked_at IS NULL" },
	{ "app_end_hooks",
	    "UPDATE dialpad_webhooks SET state = 'retired', updated_at = now(),"
	    " retired_at = LEAST(retired_at, now()) WHERE app_id = $1" },
	{ "app_end_claims", "DELETE FROM claim_rules WHERE app_id = $1" },
};

enum { NENDS = sizeof APP_ENDS / sizeof APP_ENDS[0] };

/* ---- changing ---- */

struct change {
	const struct http_req *req;
	struct uuid app_id;
	const struct app_changes *to;
	struct db_result *out;
};

static void
put_bool(struct db_params *p, bool given, bool v)
{
	if (given)
		db_p_bool(p, v);
	else
		db_p_null(p, DB_BOOL);
}

static enum err_code
update(struct db_conn *c, const struct change *w, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	db_p_text(&p, w->to->name);
	put_bool(&p, w->to->has_active, w->to->is_active);
	put_bool(&p, w->to->has_bare, w->to->accepts_bare);
	db_p_bool(&p, w->to->has_return_urls);
	db_p_array(&p, w->to->return_urls);
	db_p_bool(&p, w->to->has_origins);
	db_p_array(&p, w->to->origins);
	db_result_clear(w->out);
	return db_exec(c, &APP_CHANGE, &p, w->out, e);
}

static enum err_code
change(struct db_conn *c, void *arg, struct err *e)
{
	const struct change *w = arg;
	const struct audit_line line = {
		.app_id = w->app_id,
		.action = "app.changed",
		.detail = w->to->detail,
	};
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = update(c, w, e);
	return rc == ERR_OK ? audit_write(c, w->req, &line, e) : rc;
}

enum err_code
apps_db_change(const struct http_req *req, struct uuid app_id, const struct app_changes *changes,
    struct db_result *out, struct err *e)
{
	struct change w = { req, app_id, changes, out };

	return apid_access_tx(req, change, &w, e);
}

/* ---- deleting ---- */

struct deletion {
	const struct http_req *req;
	struct uuid app_id;
	struct str name;
};

static enum err_code
check_name(struct db_conn *c, void *arg, struct err *e)
{
	const struct deletion *w = arg;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct app_row a;
	enum err_code rc = apps_db_lock(c, w->app_id, &r, e);

	if (rc != ERR_OK)
		return rc;
	apps_db_read(&r, 0, &a);
	if (!str_eq(a.name, w->name))
		return err_set(e, ERR_INVALID,
		    "query parameter \"confirm\" is not the name of this app; nothing was deleted");
	return ERR_OK;
}

static enum err_code
end_all(struct db_conn *c, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc = ERR_OK;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	for (int i = 0; i < NENDS && rc == ERR_OK; i++)
		rc = db_exec(c, &APP_ENDS[i], &p, NULL, e);
	return rc;
}

static enum err_code
delete(struct db_conn *c, void *arg, struct err *e)
{
	const struct deletion *w = arg;
	const struct audit_line line = {
		.app_id = w->app_id,
		.action = "app.deleted",
		.target = w->name,
	};
	enum err_code rc = check_name(c, arg, e);

	if (rc == ERR_OK)
		rc = end_all(c, w->app_id, e);
	return rc == ERR_OK ? audit_write(c, w->req, &line, e) : rc;
}

enum err_code
apps_db_confirm(const struct http_req *req, struct uuid app_id, struct str name, struct err *e)
{
	struct deletion w = { req, app_id, name };

	return apid_admin_tx(req, check_name, &w, e);
}

enum err_code
apps_db_delete(const struct http_req *req, struct uuid app_id, struct str name, struct err *e)
{
	struct deletion w = { req, app_id, name };

	return apid_access_tx(req, delete, &w, e);
}
