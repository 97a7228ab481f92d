#include "apid/handlers.h"

#include "apid/admin/app_fields.h"
#include "apid/admin/apps_db.h"
#include "apid/admin/detach.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/columns.h"
#include "apid/edge/request.h"
#include "common/dialpad/hook.h"
#include "common/json/json_copy.h"

/* A whole body with everything escaped. */
enum { MAX_DETAIL = 128 * 1024 };

static void
render_app(const struct app_row *a, struct json_out *j)
{
	jo_obj(j);
	jo_key(j, "app_id");
	jo_uuid(j, a->app_id);
	jo_kv_str(j, "name", a->name);
	jo_kv_bool(j, "is_active", a->is_active);
	jo_kv_bool(j, "accepts_bare", a->accepts_bare);
	jo_key(j, "allowed_return_urls");
	jo_raw(j, a->allowed_return_urls);
	jo_key(j, "allowed_origins");
	jo_raw(j, a->allowed_origins);
	jo_kv_time(j, "created_at", a->created_at);
	jo_kv_time(j, "updated_at", a->updated_at);
	jo_end_obj(j);
}

static void
answer_app(const struct db_result *r, struct http_res *res)
{
	struct app_row a;
	struct json_out j;

	apps_db_read(r, 0, &a);
	jo_init(&j, &res->body);
	render_app(&a, &j);
}

static enum err_code
read_new(struct http_req *req, struct json **body, struct app_fields *f, struct err *e)
{
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = body_parse(req, APP_FIELDS_NEW, body, e);
	if (rc == ERR_OK)
		rc = app_fields_read(*body, f, e);
	if (rc == ERR_OK && f->name.p == NULL)
		return err_set(e, ERR_INVALID, "field \"name\" is required");
	return rc;
}

enum err_code
apps_create(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(app_fields_release) struct app_fields f;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct str master_key = str_of(((const struct apid *)req->self)->conf->master_key);
	char fingerprint[HOOK_FINGERPRINT_BYTES];
	struct new_app app = { .return_urls = &f.return_urls, .origins = &f.origins };
	enum err_code rc;

	app_fields_init(&f);
	rc = read_new(req, &body, &f, e);
	if (rc != ERR_OK)
		return rc;
	app.name = f.name;
	if (master_key.n > 0) {
		hook_fingerprint(master_key, fingerprint);
		app.key_fingerprint = str_of(fingerprint);
	}
	rc = apps_db_create(req, &app, &r, e);
	if (rc != ERR_OK)
		return rc;
	res->status = 201;
	answer_app(&r, res);
	return ERR_OK;
}

static void
render_row(const struct db_result *r, int row, struct json_out *j)
{
	struct app_row a;

	apps_db_read(r, row, &a);
	render_app(&a, j);
}

enum err_code
apps_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = apps_db_list(req, &r, e);
	if (rc != ERR_OK)
		return rc;
	columns_list(&res->body, "apps", &r, render_row);
	return ERR_OK;
}

enum err_code
apps_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = apps_db_get(req, app_id, &r, e);
	if (rc == ERR_OK)
		answer_app(&r, res);
	return rc;
}

/* ---- changing ---- */

static bool
changes_nothing(const struct app_fields *f)
{
	return f->name.p == NULL && !f->has_active && !f->has_bare && !f->has_return_urls
	    && !f->has_origins;
}

static enum err_code
read_changes(struct http_req *req, struct json **body, struct app_fields *f, struct err *e)
{
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = body_parse(req, APP_FIELDS, body, e);
	if (rc == ERR_OK)
		rc = app_fields_read(*body, f, e);
	if (rc == ERR_OK && changes_nothing(f))
		return err_set(e, ERR_INVALID,
		    "nothing to change: send name, is_active, accepts_bare, allowed_return_urls or "
		    "allowed_origins");
	return rc;
}

static enum err_code
change(const struct http_req *req, struct uuid app_id, const struct json *body,
    const struct app_fields *f, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf detail = BUF(MAX_DETAIL);
	struct json_out j;

	jo_init(&j, &detail);
	json_copy(body, &j);
	return apps_db_change(req, app_id,
	    &(struct app_changes){
		.name = f->name,
		.has_active = f->has_active,
		.is_active = f->is_active,
		.has_bare = f->has_bare,
		.accepts_bare = f->accepts_bare,
		.has_return_urls = f->has_return_urls,
		.has_origins = f->has_origins,
		.return_urls = &f->return_urls,
		.origins = &f->origins,
		.detail = buf_str(&detail),
	    },
	    out, e);
}

enum err_code
apps_change(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(app_fields_release) struct app_fields f;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	enum err_code rc;

	app_fields_init(&f);
	rc = request_app_id(req, &app_id, e);
	if (rc == ERR_OK)
		rc = read_changes(req, &body, &f, e);
	if (rc == ERR_OK)
		rc = change(req, app_id, body, &f, &r, e);
	if (rc == ERR_OK)
		answer_app(&r, res);
	return rc;
}

/* ---- deleting ---- */

/* `d` NULL: there was no connection to end. */
static void
answer_deleted(struct uuid app_id, struct str name, const struct detached *d, struct http_res *res)
{
	struct json_out j;

	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_key(&j, "app_id");
	jo_uuid(&j, app_id);
	jo_kv_str(&j, "name", name);
	jo_kv_bool(&j, "deleted", true);
	jo_key(&j, "dialpad");
	if (d == NULL) {
		jo_null(&j);
	} else {
		jo_obj(&j);
		detach_tell(d, &j);
		jo_end_obj(&j);
	}
	jo_end_obj(&j);
}

/* Dialpad would call for ever, and count the subscriptions against its limit. */
static enum err_code
detach_and_delete(const struct http_req *req, struct uuid app_id, struct str name,
    struct http_res *res, struct err *e)
{
	struct detached d;
	bool was_connected;
	enum err_code rc = apps_db_confirm(req, app_id, name, e);

	if (rc != ERR_OK)
		return rc;
	rc = detach(req, app_id, false, &d, e);
	was_connected = rc == ERR_OK;
	if (rc == ERR_OK || rc == ERR_NOT_FOUND)
		rc = apps_db_delete(req, app_id, name, e);
	if (rc == ERR_OK)
		answer_deleted(app_id, name, was_connected ? &d : NULL, res);
	return rc;
}

enum err_code
apps_delete(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const PARAMS[] = { "confirm", NULL };
	struct str name = http_query(req, "confirm");
	struct uuid app_id;
	enum err_code rc = http_query_allow(req, PARAMS, e);

	if (rc == ERR_OK)
		rc = request_app_id(req, &app_id, e);
	if (rc == ERR_OK && name.p == NULL)
		return err_set(e, ERR_INVALID,
		    "query parameter \"confirm\" must be the name of the app: all its data is "
		    "deleted with it");
	return rc == ERR_OK ? detach_and_delete(req, app_id, name, res, e) : rc;
}
