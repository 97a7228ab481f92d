#include "apid/admin/keys_db.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/apid.h"

static const struct db_stmt KEY_OWNER = {
	.name = "key_owner",
	.sql = "SELECT k.app_id, k.api_key_hash, k.revoked_at IS NULL AND a.deleted_at IS NULL"
	       " AND (k.expires_at IS NULL OR k.expires_at > now()), a.is_active"
	       " FROM api_keys AS k JOIN apps AS a USING (app_id) WHERE k.key_id = $1",
};
enum { OWNER_APP_ID, OWNER_HASH, OWNER_IS_LIVE, OWNER_IS_ACTIVE };

static const struct db_stmt KEYS_LIVE = {
	.name = "keys_live",
	.sql = "SELECT key_id FROM api_keys WHERE app_id = $1 AND revoked_at IS NULL"
	       " AND (expires_at IS NULL OR expires_at > now()) ORDER BY created_at, key_id",
};

/* Without a number of days make_interval is NULL, and so is the sum. */
static const struct db_stmt KEY_INSERT = {
	.name = "key_insert",
	.sql = "INSERT INTO api_keys (key_id, app_id, api_key_hash, name, hint, expires_at)"
	       " VALUES ($1, $2, $3, $4, $5, now() + make_interval(days => $6))"
	       " RETURNING created_at, expires_at",
};
enum { INSERTED_CREATED_AT, INSERTED_EXPIRES_AT };

enum err_code
keys_db_find_owner(const struct http_req *req, struct str key_id, struct key_owner *out,
    bool *found, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct str hash;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, key_id);
	rc = apid_read(req, &KEY_OWNER, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*found = db_rows(&r) > 0;
	if (!*found)
		return ERR_OK;
	hash = db_str(&r, 0, OWNER_HASH);
	if (hash.n != HMAC_BYTES)
		return err_set(e, ERR_INTERNAL, "key %.*s: the stored hash has %zu bytes",
		    STR_ARG(key_id), hash.n);
	memcpy(out->hash, hash.p, HMAC_BYTES);
	out->app_id = db_uuid(&r, 0, OWNER_APP_ID);
	out->is_live = db_bool(&r, 0, OWNER_IS_LIVE);
	out->is_active = db_bool(&r, 0, OWNER_IS_ACTIVE);
	return ERR_OK;
}

static enum err_code
check_room(struct db_conn *c, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, &KEYS_LIVE, &p, &r, e);
	if (rc != ERR_OK || db_rows(&r) < KEYS_MAX_LIVE)
		return rc;
	return err_set(e, ERR_CONFLICT, "this app has %d live keys already: %.*s and %.*s",
	    db_rows(&r), STR_ARG(db_str(&r, 0, 0)), STR_ARG(db_str(&r, 1, 0)));
}

static enum err_code
insert_key(struct db_conn *c, struct new_key *key, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, key->key_id);
	db_p_uuid(&p, key->app_id);
	db_p_bytea(&p, (struct str){ (const char *)key->hash, HMAC_BYTES });
	db_p_text(&p, key->name);
	db_p_text(&p, key->hint);
	if (key->expires_in_days > 0)
		db_p_i32(&p, (int32_t)key->expires_in_days);
	else
		db_p_null(&p, DB_I32);
	rc = db_exec(c, &KEY_INSERT, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	key->created_at = db_time(&r, 0, INSERTED_CREATED_AT);
	key->expires_at = db_time(&r, 0, INSERTED_EXPIRES_AT);
	return ERR_OK;
}

struct creation {
	const struct http_req *req;
	struct new_key *key;
};

/* The lock on the app makes two admins who ask at once count one after the other. */
static enum err_code
create(struct db_conn *c, void *arg, struct err *e)
{
	struct creation *w = arg;
	const struct audit_line line = {
		.app_id = w->key->app_id,
		.action = "key.created",
		.target = w->key->key_id,
	};
	enum err_code rc = apps_db_lock(c, w->key->app_id, e);

	if (rc == ERR_OK)
		rc = check_room(c, w->key->app_id, e);
	if (rc == ERR_OK)
		rc = insert_key(c, w->key, e);
	if (rc == ERR_OK)
		rc = audit_write(c, w->req, &line, e);
	return rc;
}

enum err_code
keys_db_create(const struct http_req *req, struct new_key *key, struct err *e)
{
	struct creation w = { req, key };

	return apid_admin_tx(req, create, &w, e);
}
