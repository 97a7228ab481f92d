#include "apid/access/auth.h"

#include "apid/access/admins.h"
#include "apid/access/keyring.h"
#include "apid/access/limits.h"
#include "apid/apid.h"
#include "apid/edge/cors.h"

/* The credentials of "Authorization: Bearer …"; STR_NONE when absent or of another kind. */
static struct str
bearer(const struct http_req *req)
{
	struct str rest, scheme = str_cut(http_header(req, "Authorization"), ' ', &rest);

	if (rest.p == NULL || !str_eq_nocase(scheme, STR("Bearer")))
		return STR_NONE;
	return str_trim(rest);
}

bool
apid_has_admins(const struct http_req *req)
{
	const struct apid *api = req->self;

	return admins_exist(api->admins);
}

/* Who sends credentials is told when they were wrong, until that was too often. */
static enum err_code
refuse_wrong(struct http_req *req, struct http_res *res, const char *text, struct err *e)
{
	enum err_code rc = limits_note_failure(req, res, e);

	return rc == ERR_OK ? err_set(e, ERR_UNAUTHORIZED, "%s", text) : rc;
}

static enum err_code
check_admin(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char hint[] =
	    "send Authorization: Bearer with the server's INTERNAL_API_SECRET";
	const struct apid *api = req->self;
	struct str given = bearer(req);

	if (!apid_has_admins(req))
		return err_set(e, ERR_UNAVAILABLE,
		    "INTERNAL_API_SECRET is not set: the admin endpoints are closed");
	if (given.n == 0)
		return err_set(e, ERR_UNAUTHORIZED, hint);
	req->actor = admins_name(api->admins, given);
	return req->actor == NULL ? refuse_wrong(req, res, hint, e) : ERR_OK;
}

struct str
apid_given_key(const struct http_req *req)
{
	struct str key = http_header(req, "x-app-api-key");

	return key.n > 0 ? key : bearer(req);
}

/* A key that was right here before is let through whatever others at its address do; about the rest
 * the database is only asked while they have not failed too often. */
static enum err_code
find_holder(struct http_req *req, struct http_res *res, struct str text, struct key_holder *out,
    enum key_verdict *verdict, struct err *e)
{
	const struct apid *api = req->self;
	enum err_code rc = keyring_find(api->keys, text, false, &req->arena, out, verdict, e);

	if (rc != ERR_OK || *verdict != KEY_UNASKED)
		return rc;
	rc = limits_check_failures(req, res, e);
	if (rc != ERR_OK)
		return rc;
	return keyring_find(api->keys, text, true, &req->arena, out, verdict, e);
}

enum err_code
apid_check_key(struct http_req *req, struct http_res *res, struct str text, struct err *e)
{
	struct key_holder holder;
	enum key_verdict verdict;
	enum err_code rc = find_holder(req, res, text, &holder, &verdict, e);

	if (rc != ERR_OK)
		return rc;
	if (verdict == KEY_DISABLED)
		return err_set(e, ERR_FORBIDDEN, "this app is disabled");
	if (verdict != KEY_GOOD)
		return refuse_wrong(req, res, "the API key is not valid", e);
	req->app_id = holder.app_id;
	rc = cors_check_app(req, holder.allowed_origins, e);
	return rc == ERR_OK ? limits_take(req, res, LIMIT_API, holder.key_id, e) : rc;
}

static enum err_code
check_client(struct http_req *req, struct http_res *res, struct err *e)
{
	struct str text = apid_given_key(req);

	if (text.n == 0)
		return err_set(e, ERR_UNAUTHORIZED,
		    "send your API key as x-app-api-key, or as Authorization: Bearer");
	return apid_check_key(req, res, text, e);
}

enum err_code
apid_authenticate(struct http_req *req, struct http_res *res, enum http_auth auth, struct err *e)
{
	switch (auth) {
	case HTTP_AUTH_ADMIN: return check_admin(req, res, e);
	case HTTP_AUTH_APP: return check_client(req, res, e);
	case HTTP_AUTH_VISITOR: return limits_take(req, res, LIMIT_AUTH, STR_NONE, e);
	case HTTP_AUTH_NONE: break;
	}
	return ERR_OK;
}
