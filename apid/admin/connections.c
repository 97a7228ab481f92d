#include "apid/handlers.h"

#include "apid/admin/connections_db.h"
#include "apid/admin/detach.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/request.h"
#include "apid/oauth/link.h"
#include "common/base/clock.h"

enum { MAX_URL_BYTES = 8192, MAX_LINK_HOURS = 24 * 365, DEFAULT_LINK_HOURS = 168 };

/* ---- GET /internal/apps/{id}/connection ---- */

static void
put_company(struct json_out *j, const struct db_result *r)
{
	jo_key(j, "dialpad_org_id");
	if (db_null(r, 0, CONNECTION_ORG_ID))
		jo_null(j);
	else
		jo_i64(j, db_i64(r, 0, CONNECTION_ORG_ID));
	jo_kv_str(j, "company", db_str(r, 0, CONNECTION_COMPANY));
	jo_kv_time(j, "connected_at", db_time(r, 0, CONNECTION_CONNECTED_AT));
	jo_kv_str(j, "connected_by", db_str(r, 0, CONNECTION_CONNECTED_BY));
	jo_kv_bool(j, "connected_by_admin", db_bool(r, 0, CONNECTION_BY_ADMIN));
	jo_key(j, "scopes");
	jo_raw(j, db_null(r, 0, CONNECTION_SCOPES) ? STR("[]") : db_str(r, 0, CONNECTION_SCOPES));
}

static void
render(const struct apid *api, const struct db_result *r, struct json_out *j)
{
	bool never = db_null(r, 0, CONNECTION_STATE);

	jo_obj(j);
	jo_kv_str(j, "state", never ? STR("never_connected") : db_str(r, 0, CONNECTION_STATE));
	jo_kv_str(j, "environment",
	    never ? str_of(api->conf->dialpad_env) : db_str(r, 0, CONNECTION_ENVIRONMENT));
	put_company(j, r);
	jo_kv_time(j, "token_expires_at", db_time(r, 0, CONNECTION_EXPIRES_AT));
	jo_kv_bool(j, "has_refresh_token", db_bool(r, 0, CONNECTION_HAS_REFRESH_TOKEN));
	jo_kv_time(j, "last_refresh_at", db_time(r, 0, CONNECTION_LAST_REFRESH_AT));
	jo_kv_i64(j, "refresh_failures", db_i64(r, 0, CONNECTION_REFRESH_FAILURES));
	jo_kv_str(j, "last_error", db_str(r, 0, CONNECTION_LAST_ERROR));
	jo_kv_time(j, "invited_at", db_time(r, 0, CONNECTION_INVITED_AT));
	jo_end_obj(j);
}

enum err_code
connections_get(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	struct json_out j;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = connections_db_get(req, app_id, &r, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	render(req->self, &r, &j);
	return ERR_OK;
}

/* ---- POST /internal/apps/{id}/disconnect ---- */

enum err_code
connections_disconnect(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "forget_company", NULL };
	AUTO(json) struct json *body = NULL;
	struct detached done;
	struct uuid app_id;
	struct json_out j;
	bool given = false, forget = false;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = body_bool(body, "forget_company", &given, &forget, e);
	if (rc == ERR_OK)
		rc = detach(req, app_id, forget, &done, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "state", STR("disconnected"));
	detach_tell(&done, &j);
	jo_kv_bool(&j, "company_forgotten", forget);
	jo_end_obj(&j);
	return ERR_OK;
}

/* ---- POST /internal/apps/{id}/connect-link ---- */

static enum err_code
answer_link(struct http_req *req, struct http_res *res, struct uuid app_id, int64_t expires_s,
    struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(MAX_URL_BYTES);
	const struct apid *api = req->self;
	struct str base = str_of(api->conf->public_api_url);
	char app[UUID_TEXT_BYTES];
	struct json_out j;
	enum err_code rc;

	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	buf_add_fmt(&url, "%.*s/auth/dialpad/connect?app_id=%s&link=", STR_ARG(base),
	    uuid_format(app_id, app));
	rc = link_make(&api->pepper, app_id, expires_s, &url, e);
	if (rc != ERR_OK)
		return rc;
	res->status = 201;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "url", buf_str(&url));
	jo_kv_time(&j, "expires_at", expires_s * 1000);
	jo_end_obj(&j);
	return ERR_OK;
}

enum err_code
connections_invite(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "expires_in_hours", NULL };
	AUTO(json) struct json *body = NULL;
	struct uuid app_id;
	int64_t hours;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = body_i64(
		    body, "expires_in_hours", 1, MAX_LINK_HOURS, DEFAULT_LINK_HOURS, &hours, e);
	if (rc == ERR_OK)
		rc = connections_db_invite(req, app_id, e);
	if (rc != ERR_OK)
		return rc;
	return answer_link(req, res, app_id, clock_wall_ms() / 1000 + hours * 3600, e);
}
