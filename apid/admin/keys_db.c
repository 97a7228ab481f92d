#include "apid/admin/keys_db.h"

#include "apid/admin/apps_db.h"
#include "apid/admin/audit_db.h"
#include "apid/apid.h"

#define IS_LIVE "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"

static const struct db_stmt KEYS_LIVE = {
	.name = "keys_live",
	.sql = "SELECT key_id FROM api_keys WHERE app_id = $1 AND " IS_LIVE
	       " AND key_id IS DISTINCT FROM $2 ORDER BY created_at, key_id",
};

/* Without a number of days make_interval is NULL, and so is the sum. */
static const struct db_stmt KEY_INSERT = {
	.name = "key_insert",
	.sql = "INSERT INTO api_keys (key_id, app_id, api_key_hash, name, hint, expires_at)"
	       " VALUES ($1, $2, $3, $4, $5, now() + make_interval(days => $6))"
	       " RETURNING created_at, expires_at",
};
enum { INSERTED_CREATED_AT, INSERTED_EXPIRES_AT };

/* Never later than it would have ended anyway: LEAST leaves out a NULL. */
static const struct db_stmt KEY_END = {
	.name = "key_end",
	.sql = "UPDATE api_keys SET"
	       " expires_at = LEAST(expires_at, now() + make_interval(hours => $3)),"
	       " revoked_at = CASE WHEN $3 = 0 THEN now() END"
	       " WHERE app_id = $1 AND key_id = $2 AND " IS_LIVE,
};

#define KEY_COLUMNS                                                                 \
	"key_id, name, hint, created_at, last_used_at, expires_at, revoked_at,"     \
	" CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now()" \
	" THEN 'expired' ELSE 'live' END"
enum {
	COL_KEY_ID,
	COL_NAME,
	COL_HINT,
	COL_CREATED_AT,
	COL_LAST_USED_AT,
	COL_EXPIRES_AT,
	COL_REVOKED_AT,
	COL_STATE
};

static const struct db_stmt KEYS_LIST = {
	.name = "keys_list",
	.sql = "SELECT " KEY_COLUMNS " FROM api_keys WHERE app_id = $1"
	       " ORDER BY created_at DESC, key_id",
};

static const struct db_stmt KEY_GET = {
	.name = "key_get",
	.sql = "SELECT " KEY_COLUMNS " FROM api_keys WHERE app_id = $1 AND key_id = $2",
};

static const struct db_stmt KEY_REVOKE = {
	.name = "key_revoke",
	.sql = "UPDATE api_keys SET revoked_at = now()"
	       " WHERE app_id = $1 AND key_id = $2 AND revoked_at IS NULL",
};

/* ---- making ---- */

static enum err_code
check_room(struct db_conn *c, const struct new_key *key, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, key->app_id);
	db_p_text(&p, key->replaces);
	rc = db_exec(c, &KEYS_LIVE, &p, &r, e);
	if (rc != ERR_OK || db_rows(&r) < KEYS_MAX_LIVE)
		return rc;
	return err_set(e, ERR_CONFLICT,
	    "this app has %d live keys already: %.*s and %.*s; revoke one, or name it as "
	    "\"replaces\"",
	    KEYS_MAX_LIVE, STR_ARG(db_str(&r, 0, 0)), STR_ARG(db_str(&r, 1, 0)));
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

static enum err_code
end_replaced(struct db_conn *c, const struct new_key *key, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	if (key->replaces.p == NULL)
		return ERR_OK;
	db_p_uuid(&p, key->app_id);
	db_p_text(&p, key->replaces);
	db_p_i32(&p, (int32_t)key->overlap_hours);
	rc = db_exec(c, &KEY_END, &p, &r, e);
	if (rc == ERR_OK && db_affected(&r) == 0)
		return err_set(e, ERR_INVALID, "field \"replaces\" names no live key of this app");
	return rc;
}

static enum err_code
audit_creation(
    struct db_conn *c, const struct http_req *req, const struct new_key *key, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf detail = BUF(200);
	struct audit_line line = {
		.app_id = key->app_id,
		.action = "key.created",
		.target = key->key_id,
	};

	/* An id of ours: nothing in it needs escaping. */
	if (key->replaces.p != NULL) {
		buf_add_fmt(&detail, "{\"replaces\":\"%.*s\",\"overlap_hours\":%d}",
		    STR_ARG(key->replaces), (int)key->overlap_hours);
		line.detail = buf_str(&detail);
	}
	return audit_write(c, req, &line, e);
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
	enum err_code rc = apps_db_lock(c, w->key->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = end_replaced(c, w->key, e);
	if (rc == ERR_OK)
		rc = check_room(c, w->key, e);
	if (rc == ERR_OK)
		rc = insert_key(c, w->key, e);
	return rc == ERR_OK ? audit_creation(c, w->req, w->key, e) : rc;
}

enum err_code
keys_db_create(const struct http_req *req, struct new_key *key, struct err *e)
{
	struct creation w = { req, key };

	return apid_access_tx(req, create, &w, e);
}

/* ---- listing and revoking ---- */

void
keys_db_read(const struct db_result *r, int row, struct key_row *out)
{
	*out = (struct key_row){
		.key_id = db_str(r, row, COL_KEY_ID),
		.name = db_str(r, row, COL_NAME),
		.hint = db_str(r, row, COL_HINT),
		.state = db_str(r, row, COL_STATE),
		.created_at = db_time(r, row, COL_CREATED_AT),
		.last_used_at = db_time(r, row, COL_LAST_USED_AT),
		.expires_at = db_time(r, row, COL_EXPIRES_AT),
		.revoked_at = db_time(r, row, COL_REVOKED_AT),
	};
}

struct key_work {
	const struct http_req *req;
	struct uuid app_id;
	struct str key_id;
	struct db_result *out;
};

static enum err_code
exec_on_key(struct db_conn *c, const struct db_stmt *s, const struct key_work *w,
    struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	if (w->key_id.p != NULL)
		db_p_text(&p, w->key_id);
	db_result_clear(out);
	return db_exec(c, s, &p, out, e);
}

static enum err_code
list(struct db_conn *c, void *arg, struct err *e)
{
	struct key_work *w = arg;
	enum err_code rc = apps_db_check(c, w->app_id, e);

	return rc == ERR_OK ? exec_on_key(c, &KEYS_LIST, w, w->out, e) : rc;
}

enum err_code
keys_db_list(const struct http_req *req, struct uuid app_id, struct db_result *out, struct err *e)
{
	struct key_work w = { req, app_id, STR_NONE, out };

	return apid_admin_tx(req, list, &w, e);
}

static enum err_code
end_key(struct db_conn *c, void *arg, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	struct key_work *w = arg;
	const struct audit_line line = {
		.app_id = w->app_id,
		.action = "key.revoked",
		.target = w->key_id,
	};
	enum err_code rc = apps_db_lock(c, w->app_id, NULL, e);

	if (rc == ERR_OK)
		rc = exec_on_key(c, &KEY_REVOKE, w, &done, e);
	if (rc == ERR_OK && db_affected(&done) > 0)
		rc = audit_write(c, w->req, &line, e);
	if (rc == ERR_OK)
		rc = exec_on_key(c, &KEY_GET, w, w->out, e);
	if (rc == ERR_OK && db_rows(w->out) == 0)
		return err_set(e, ERR_NOT_FOUND, "this app has no key with this id");
	return rc;
}

enum err_code
keys_db_revoke(const struct http_req *req, struct uuid app_id, struct str key_id,
    struct db_result *out, struct err *e)
{
	struct key_work w = { req, app_id, key_id, out };

	return apid_access_tx(req, end_key, &w, e);
}
