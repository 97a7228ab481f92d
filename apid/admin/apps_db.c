#include "apid/admin/apps_db.h"

#include "apid/admin/audit_db.h"
#include "apid/apid.h"

/* The nil id is the reserved app of events that belong to nobody. */
#define IS_KNOWN "deleted_at IS NULL AND app_id <> '00000000-0000-0000-0000-000000000000'"
enum {
	COL_APP_ID,
	COL_NAME,
	COL_IS_ACTIVE,
	COL_BARE,
	COL_RETURN_URLS,
	COL_ORIGINS,
	COL_CREATED,
	COL_UPDATED
};

static const struct db_stmt APPS_LIST = {
	.name = "apps_list",
	.sql =
	    "SELECT " APPS_DB_COLUMNS " FROM apps WHERE " IS_KNOWN " ORDER BY created_at, app_id",
};

static const struct db_stmt APP_GET = {
	.name = "app_get",
	.sql = "SELECT " APPS_DB_COLUMNS " FROM apps WHERE app_id = $1 AND " IS_KNOWN,
};

static const struct db_stmt APP_LOCK = {
	.name = "app_lock",
	.sql = "SELECT " APPS_DB_COLUMNS " FROM apps WHERE app_id = $1 AND " IS_KNOWN " FOR UPDATE",
};

static const struct db_stmt APP_INSERT = {
	.name = "app_insert",
	.sql = "INSERT INTO apps (name, allowed_return_urls, allowed_origins) VALUES ($1, $2, $3)"
	       " RETURNING " APPS_DB_COLUMNS,
};

static const struct db_stmt HEAD_INSERT = {
	.name = "head_insert",
	.sql = "INSERT INTO tenant_heads (app_id) VALUES ($1)",
};

static const struct db_stmt FIRST_HOOK_INSERT = {
	.name = "first_hook_insert",
	.sql = "INSERT INTO dialpad_webhooks (app_id, hook, key_fingerprint) VALUES ($1, 1, $2)",
};

static enum err_code
refuse_unknown(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no app with this id");
}

void
apps_db_read(const struct db_result *r, int row, struct app_row *out)
{
	*out = (struct app_row){
		.app_id = db_uuid(r, row, COL_APP_ID),
		.name = db_str(r, row, COL_NAME),
		.is_active = db_bool(r, row, COL_IS_ACTIVE),
		.accepts_bare = db_bool(r, row, COL_BARE),
		.allowed_return_urls = db_str(r, row, COL_RETURN_URLS),
		.allowed_origins = db_str(r, row, COL_ORIGINS),
		.created_at = db_time(r, row, COL_CREATED),
		.updated_at = db_time(r, row, COL_UPDATED),
	};
}

/* ---- reading ---- */

struct read {
	const struct db_stmt *stmt;
	const struct db_params *params;
	struct db_result *out;
};

static enum err_code
run_read(struct db_conn *c, void *arg, struct err *e)
{
	struct read *w = arg;

	db_result_clear(w->out);
	return db_exec(c, w->stmt, w->params, w->out, e);
}

static enum err_code
read_one(const struct http_req *req, const struct db_stmt *s, struct uuid app_id,
    struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct read w = { s, &p, out };
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = apid_admin_tx(req, run_read, &w, e);
	if (rc == ERR_OK && db_rows(out) == 0)
		return refuse_unknown(e);
	return rc;
}

enum err_code
apps_db_list(const struct http_req *req, struct db_result *out, struct err *e)
{
	struct read w = { &APPS_LIST, NULL, out };

	return apid_admin_tx(req, run_read, &w, e);
}

enum err_code
apps_db_get(const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	return read_one(req, &APP_GET, app_id, out, e);
}

static enum err_code
find(struct db_conn *c, const struct db_stmt *s, struct uuid app_id, struct db_result *out,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, s, &p, &r, e);
	if (rc == ERR_OK && db_rows(&r) == 0)
		return refuse_unknown(e);
	if (rc == ERR_OK && out != NULL) {
		db_result_clear(out);
		*out = r;
		r = DB_RESULT_NONE;
	}
	return rc;
}

enum err_code
apps_db_check(struct db_conn *c, struct uuid app_id, struct err *e)
{
	return find(c, &APP_GET, app_id, NULL, e);
}

enum err_code
apps_db_lock(struct db_conn *c, struct uuid app_id, struct db_result *out, struct err *e)
{
	return find(c, &APP_LOCK, app_id, out, e);
}

struct telling {
	struct uuid app_id;
	const struct db_stmt *stmt;
	struct db_result *out;
};

static enum err_code
tell(struct db_conn *c, void *arg, struct err *e)
{
	const struct telling *w = arg;
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc = apps_db_check(c, w->app_id, e);

	if (rc != ERR_OK)
		return rc;
	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	db_result_clear(w->out);
	return db_exec(c, w->stmt, &p, w->out, e);
}

enum err_code
apps_db_tell(const struct http_req *req, struct uuid app_id, const struct db_stmt *stmt,
    struct db_result *out, struct err *e)
{
	struct telling w = { app_id, stmt, out };

	return apid_admin_tx(req, tell, &w, e);
}

/* ---- creating ---- */

struct creation {
	const struct http_req *req;
	const struct new_app *app;
	struct db_result *out;
};

static enum err_code
insert_app(struct db_conn *c, const struct new_app *app, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_text(&p, app->name);
	db_p_array(&p, app->return_urls);
	db_p_array(&p, app->origins);
	db_result_clear(out);
	return db_exec(c, &APP_INSERT, &p, out, e);
}

static enum err_code
insert_head(struct db_conn *c, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	return db_exec(c, &HEAD_INSERT, &p, NULL, e);
}

static enum err_code
insert_first_hook(struct db_conn *c, struct uuid app_id, struct str fingerprint, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_text(&p, fingerprint);
	return db_exec(c, &FIRST_HOOK_INSERT, &p, NULL, e);
}

static enum err_code
create(struct db_conn *c, void *arg, struct err *e)
{
	struct creation *w = arg;
	struct audit_line line = { .action = "app.created", .target = w->app->name };
	enum err_code rc = insert_app(c, w->app, w->out, e);

	if (rc != ERR_OK)
		return rc;
	line.app_id = db_uuid(w->out, 0, COL_APP_ID);
	rc = insert_head(c, line.app_id, e);
	if (rc == ERR_OK && w->app->key_fingerprint.p != NULL)
		rc = insert_first_hook(c, line.app_id, w->app->key_fingerprint, e);
	if (rc == ERR_OK)
		rc = audit_write(c, w->req, &line, e);
	return rc;
}

enum err_code
apps_db_create(
    const struct http_req *req, const struct new_app *app, struct db_result *out, struct err *e)
{
	struct creation w = { req, app, out };

	return apid_admin_tx(req, create, &w, e);
}
