#include "apid/handlers.h"

#include "apid/admin/connections_db.h"
#include "apid/admin/unhook.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/request.h"
#include "apid/oauth/link.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/dialpad/dialpad_oauth.h"
#include "common/dialpad/dp_token.h"

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

static void
wipe_and_release(struct buf *b)
{
	buf_wipe(b);
	buf_release(b);
}

static enum err_code
deauthorize(const struct apid *api, struct uuid app_id, const char *purpose, struct str sealed,
    struct buf *plain, struct err *e)
{
	enum err_code rc =
	    seal_open(&api->seal_keys, (struct seal_place){ app_id, purpose }, sealed, plain, e);

	return rc == ERR_OK ? dialpad_deauthorize(api->dialpad, buf_str(plain), e) : rc;
}

/* An access token that has ended revokes nothing, so the refresh token is turned into another one. */
static enum err_code
refresh_and_deauthorize(
    const struct apid *api, struct uuid app_id, struct str sealed, struct err *e)
{
	AUTO_RELEASE(wipe_and_release) struct buf refresh = BUF(DIALPAD_MAX_TOKEN_BYTES);
	AUTO_RELEASE(dialpad_tokens_release) struct dialpad_tokens t;
	struct dialpad_refusal why;
	enum err_code rc;

	dialpad_tokens_init(&t);
	rc = seal_open(
	    &api->seal_keys, (struct seal_place){ app_id, DP_REFRESH_TOKEN }, sealed, &refresh, e);
	if (rc == ERR_OK)
		rc = dialpad_refresh(api->dialpad, buf_str(&refresh), &t, &why, e);
	return rc == ERR_OK ? dialpad_deauthorize(api->dialpad, buf_str(&t.access), e) : rc;
}

/* Have Dialpad take its tokens back. NULL: done; else why not, for the admin. Whatever Dialpad does,
 * the app is disconnected here. */
static const char *
revoke_tokens(const struct apid *api, struct uuid app_id, const struct connection_tokens *t)
{
	AUTO_RELEASE(wipe_and_release) struct buf access = BUF(DIALPAD_MAX_TOKEN_BYTES);
	struct err why;
	enum err_code rc;

	if (t->access.p == NULL)
		return "there was no token";
	if (t->is_shared)
		return "another app lives by tokens of the same person, and Dialpad would end those "
		       "too";
	rc = deauthorize(api, app_id, DP_ACCESS_TOKEN, t->access, &access, &why);
	if (rc == ERR_UNAUTHORIZED && t->refresh.p != NULL)
		rc = refresh_and_deauthorize(api, app_id, t->refresh, &why);
	if (rc == ERR_OK)
		return NULL;
	log_err(LOG_WARN, "connection.not_revoked", &why);
	return rc == ERR_UNAUTHORIZED || rc == ERR_INVALID
	    ? "the token was worthless at Dialpad already"
	    : "Dialpad could not be asked; the log says why";
}

/* Dialpad shall call no more. NULL: done; else why not, for the admin. */
static const char *
remove_webhook(const struct http_req *req, struct uuid app_id)
{
	struct err why;
	enum err_code rc = unhook(req, app_id, &why);

	if (rc == ERR_OK)
		return NULL;
	log_err(LOG_WARN, "connection.webhook_not_removed", &why);
	return rc == ERR_CONFLICT
	    ? "there is no token that Dialpad accepts; remove it there by hand"
	    : "Dialpad could not be asked; the log says why";
}

static void
answer_disconnected(
    struct http_res *res, const char *not_removed, const char *not_revoked, bool forgotten)
{
	struct json_out j;

	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "state", STR("disconnected"));
	jo_kv_bool(&j, "webhook_removed", not_removed == NULL);
	jo_kv_str(&j, "webhook_not_removed_because", str_of(not_removed));
	jo_kv_bool(&j, "revoked_at_dialpad", not_revoked == NULL);
	jo_kv_str(&j, "not_revoked_because", str_of(not_revoked));
	jo_kv_bool(&j, "company_forgotten", forgotten);
	jo_end_obj(&j);
}

enum err_code
connections_disconnect(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "forget_company", NULL };
	AUTO(json) struct json *body = NULL;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct connection_tokens tokens;
	const char *not_removed, *not_revoked;
	struct uuid app_id;
	bool given = false, forget = false;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = body_bool(body, "forget_company", &given, &forget, e);
	if (rc == ERR_OK)
		rc = connections_db_tokens(req, app_id, &r, &tokens, e);
	if (rc != ERR_OK)
		return rc;
	not_removed = remove_webhook(req, app_id);
	rc = connections_db_tokens(req, app_id, &r, &tokens, e); /* that may have refreshed them */
	if (rc != ERR_OK)
		return rc;
	not_revoked = revoke_tokens(req->self, app_id, &tokens);
	rc = connections_db_disconnect(req, app_id, forget, e);
	if (rc == ERR_OK)
		answer_disconnected(res, not_removed, not_revoked, forget);
	return rc;
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
	rc = link_make(str_of(api->conf->api_key_pepper), app_id, expires_s, &url, e);
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
