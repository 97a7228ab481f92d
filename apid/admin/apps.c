#include "apid/handlers.h"

#include "apid/admin/apps_db.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/request.h"
#include "common/dialpad/hook.h"

enum { MAX_NAME_CHARS = 200, MAX_RETURN_URLS = 20, MAX_URL_CHARS = 2000 };

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
	jo_key(j, "created_at");
	jo_time(j, a->created_at);
	jo_key(j, "updated_at");
	jo_time(j, a->updated_at);
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

/* An http or https URL with a host, without spaces or a fragment. */
static bool
is_url(struct str s)
{
	struct str rest = STR_NONE;

	if (s.n > MAX_URL_CHARS || memchr(s.p, '#', s.n) != NULL)
		return false;
	if (str_starts(s, STR("https://")))
		rest = (struct str){ s.p + 8, s.n - 8 };
	else if (str_starts(s, STR("http://")))
		rest = (struct str){ s.p + 7, s.n - 7 };
	if (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '?')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' '
		    || s.p[i] == 0x7f) /* bytes above 0x7f are negative: refused too */
			return false;
	}
	return true;
}

static enum err_code
read_return_urls(const struct json *body, struct db_array *out, struct err *e)
{
	const char *field = "allowed_return_urls";
	const struct json *list;
	enum err_code rc = body_array(body, field, &list, e);

	if (rc != ERR_OK || list == NULL)
		return rc;
	for (const struct json *v = json_first(list); v != NULL; v = json_next(v)) {
		struct str url;

		if (!json_to_str(v, &url) || !is_url(url))
			return err_set(e, ERR_INVALID,
			    "field \"%s\" holds something that is no http or https URL", field);
		if (out->n == MAX_RETURN_URLS)
			return err_set(e, ERR_INVALID, "field \"%s\" has more than %d items", field,
			    MAX_RETURN_URLS);
		db_array_bytes(out, url);
	}
	return ERR_OK;
}

static enum err_code
read_name(const struct json *body, struct str *out, struct err *e)
{
	enum err_code rc = body_text(body, "name", MAX_NAME_CHARS, out, e);

	if (rc == ERR_OK && out->p == NULL)
		return err_set(e, ERR_INVALID, "field \"name\" is required");
	return rc;
}

enum err_code
apps_create(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "name", "allowed_return_urls", NULL };
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(db_array_release) struct db_array urls;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct str master_key = str_of(((const struct apid *)req->self)->conf->master_key);
	char fingerprint[HOOK_FINGERPRINT_BYTES];
	struct new_app app = { .return_urls = &urls };
	enum err_code rc;

	db_array_init(&urls, DB_TEXT);
	rc = request_no_query(req, e);
	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = read_name(body, &app.name, e);
	if (rc == ERR_OK)
		rc = read_return_urls(body, &urls, e);
	if (rc != ERR_OK)
		return rc;
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

enum err_code
apps_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct json_out j;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = apps_db_list(req, &r, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_key(&j, "apps");
	jo_arr(&j);
	for (int i = 0; i < db_rows(&r); i++) {
		struct app_row a;

		apps_db_read(&r, i, &a);
		render_app(&a, &j);
	}
	jo_end_arr(&j);
	jo_end_obj(&j);
	return ERR_OK;
}

enum err_code
apps_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = request_app_id(req, &app_id, e);
	if (rc == ERR_OK)
		rc = apps_db_get(req, app_id, &r, e);
	if (rc == ERR_OK)
		answer_app(&r, res);
	return rc;
}
