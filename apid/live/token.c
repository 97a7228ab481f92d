/* /internal/apps/{id}/live-token(s): tokens for pages whose socket address is fixed when they are built. */
#include "apid/handlers.h"

#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/columns.h"
#include "apid/edge/request.h"
#include "apid/live/live_url.h"
#include "apid/live/signed_pass.h"
#include "apid/live/token_db.h"
#include "common/base/origin.h"

enum { MAX_DAYS = 3650, DEFAULT_DAYS = 365, MAX_ORIGINS = 50, MAX_TOKEN_BYTES = 1024 };

/* ---- making one ---- */

static enum err_code
read_origins(const struct json *body, struct db_array *out, struct err *e)
{
	const struct json *list;
	enum err_code rc = body_array(body, "origins", &list, e);

	if (rc != ERR_OK)
		return rc;
	for (const struct json *v = list == NULL ? NULL : json_first(list); v != NULL;
	     v = json_next(v)) {
		struct str origin;

		if (!json_is_str(v) || !json_to_str(v, &origin) || !origin_is_valid(origin))
			return err_set(e, ERR_INVALID,
			    "field \"origins\" holds something else than an origin such as "
			    "https://app.example.com");
		db_array_bytes(out, origin);
	}
	if (out->n < 1 || out->n > MAX_ORIGINS)
		return err_set(e, ERR_INVALID,
		    "field \"origins\" must name 1 to %d origins: the token is bound to them",
		    MAX_ORIGINS);
	return ERR_OK;
}

/* The one answer that shows the token. */
static enum err_code
render_new(const struct http_req *req, const struct new_token *t, const struct json *origins,
    struct http_res *res, struct err *e)
{
	const struct apid *api = req->self;
	AUTO_RELEASE(buf_release) struct buf text = BUF(MAX_TOKEN_BYTES);
	struct signed_pass p = { .app_id = t->app_id, .expires_s = t->expires_at / 1000 };
	struct json_out j;
	enum err_code rc;

	memcpy(p.id, t->id, sizeof p.id);
	rc = signed_pass_make(&api->pepper, SIGNED_LIVE_TOKEN, &p, &text, e);
	if (rc != ERR_OK)
		return rc;
	res->status = 201;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "token", buf_str(&text));
	jo_kv_str(&j, "token_id", str_of(t->id));
	live_url_render(api->conf->public_api_url, "token", buf_str(&text), &j);
	jo_key(&j, "origins");
	jo_arr(&j);
	for (const struct json *v = json_first(origins); v != NULL; v = json_next(v)) {
		struct str origin = STR_NONE;

		(void)json_to_str(v, &origin);
		jo_str(&j, origin);
	}
	jo_end_arr(&j);
	jo_kv_time(&j, "created_at", t->created_at);
	jo_kv_time(&j, "expires_at", t->expires_at);
	jo_end_obj(&j);
	return ERR_OK;
}

enum err_code
token_create(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "origins", "expires_in_days", NULL };
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(db_array_release) struct db_array origins;
	struct new_token t = { .origins = &origins };
	enum err_code rc = request_no_query(req, e);

	db_array_init(&origins, DB_TEXT);
	if (rc == ERR_OK)
		rc = request_app_id(req, &t.app_id, e);
	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = read_origins(body, &origins, e);
	if (rc == ERR_OK)
		rc = body_i64(
		    body, "expires_in_days", 1, MAX_DAYS, DEFAULT_DAYS, &t.expires_in_days, e);
	(void)uuid_format(uuid_v7(), t.id);
	if (rc == ERR_OK)
		rc = token_db_create(req, &t, e);
	return rc == ERR_OK ? render_new(req, &t, json_get(body, "origins"), res, e) : rc;
}

/* ---- the others ---- */

static void
render_row(const struct db_result *r, int i, struct json_out *j)
{
	jo_obj(j);
	jo_kv_str(j, "token_id", db_str(r, i, TOKEN_ID));
	jo_key(j, "origins");
	jo_raw(j, db_str(r, i, TOKEN_ORIGINS));
	jo_kv_time(j, "created_at", db_time(r, i, TOKEN_CREATED_AT));
	jo_kv_time(j, "expires_at", db_time(r, i, TOKEN_EXPIRES_AT));
	jo_kv_time(j, "revoked_at", db_time(r, i, TOKEN_REVOKED_AT));
	jo_kv_time(j, "last_used_at", db_time(r, i, TOKEN_LAST_USED_AT));
	jo_end_obj(j);
}

enum err_code
token_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = token_db_list(req, app_id, &r, e);
	if (rc != ERR_OK)
		return rc;
	columns_list(&res->body, "live_tokens", &r, render_row);
	return ERR_OK;
}

enum err_code
token_revoke(struct http_req *req, struct http_res *res, struct err *e)
{
	char text[UUID_TEXT_BYTES];
	struct uuid app_id, token_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK && !uuid_parse(req->segments[1], &token_id))
		return err_set(e, ERR_NOT_FOUND, "this app has no such live token in use");
	if (rc == ERR_OK)
		rc = token_db_revoke(req, app_id, str_of(uuid_format(token_id, text)), e);
	if (rc == ERR_OK)
		res->status = 204;
	return rc;
}
