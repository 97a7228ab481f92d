#include "apid/access/auth.h"

#include "apid/admin/keys_db.h"
#include "apid/apid.h"
#include "common/crypto/api_key.h"

#include <sodium.h>

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

	return api->conf->internal_secret[0] != '\0';
}

/* Through a keyed hash, so that the time taken tells nothing, not even a common length. */
static bool
is_same_secret(const struct apid *api, struct str a, struct str b)
{
	unsigned char ha[HMAC_BYTES], hb[HMAC_BYTES];
	struct str key = str_of(api->conf->api_key_pepper);

	hmac_sha256(key, a, ha);
	hmac_sha256(key, b, hb);
	return sodium_memcmp(ha, hb, HMAC_BYTES) == 0;
}

static enum err_code
check_admin(const struct http_req *req, struct err *e)
{
	const struct apid *api = req->self;
	struct str given = bearer(req);

	if (!apid_has_admins(req))
		return err_set(e, ERR_UNAVAILABLE,
		    "INTERNAL_API_SECRET is not set: the admin endpoints are closed");
	if (given.p == NULL || !is_same_secret(api, given, str_of(api->conf->internal_secret)))
		return err_set(e, ERR_UNAUTHORIZED,
		    "send Authorization: Bearer with the server's INTERNAL_API_SECRET");
	return ERR_OK;
}

struct str
apid_given_key(const struct http_req *req)
{
	struct str key = http_header(req, "x-app-api-key");

	return key.n > 0 ? key : bearer(req);
}

static bool
is_key_of(const struct apid *api, struct str text, const struct key_owner *owner)
{
	unsigned char hash[HMAC_BYTES];

	api_key_hash(str_of(api->conf->api_key_pepper), text, hash);
	return sodium_memcmp(hash, owner->hash, HMAC_BYTES) == 0;
}

static enum err_code
check_client(struct http_req *req, struct err *e)
{
	struct str key_id, text = apid_given_key(req);
	struct key_owner owner;
	bool found = false;
	enum err_code rc = ERR_OK;

	if (text.n == 0)
		return err_set(e, ERR_UNAUTHORIZED,
		    "send your API key as x-app-api-key, or as Authorization: Bearer");
	if (api_key_parse(text, &key_id))
		rc = keys_db_find_owner(req, key_id, &owner, &found, e);
	if (rc != ERR_OK)
		return rc;
	if (!found || !is_key_of(req->self, text, &owner) || !owner.is_live)
		return err_set(e, ERR_UNAUTHORIZED, "the API key is not valid");
	if (!owner.is_active)
		return err_set(e, ERR_FORBIDDEN, "this app is disabled");
	req->app_id = owner.app_id;
	return ERR_OK;
}

enum err_code
apid_authenticate(struct http_req *req, enum http_auth auth, struct err *e)
{
	switch (auth) {
	case HTTP_AUTH_ADMIN: return check_admin(req, e);
	case HTTP_AUTH_APP: return check_client(req, e);
	case HTTP_AUTH_NONE: break;
	}
	return ERR_OK;
}
