#include "apid/access/keyring_db.h"

static const struct db_stmt KEY_READ = {
	.name = "key_read",
	.sql = "SELECT k.app_id, k.api_key_hash, k.revoked_at IS NULL AND a.deleted_at IS NULL,"
	       " a.is_active, array_to_string(a.allowed_origins, ','),"
	       " ceil(extract(epoch FROM k.expires_at - now()) * 1000)::bigint"
	       " FROM api_keys AS k JOIN apps AS a USING (app_id) WHERE k.key_id = $1",
};
enum { COL_APP_ID, COL_HASH, COL_IS_LIVE, COL_IS_ACTIVE, COL_ORIGINS, COL_LEFT_MS };

/* Locked in one order, so that two processes that write at once do not wait for each other. */
static const struct db_stmt KEYS_STAMP = {
	.name = "keys_stamp",
	.sql = "WITH used AS (SELECT key_id, at FROM unnest($1::text[], $2::timestamptz[])"
	       "   AS u (key_id, at)),"
	       " held AS (SELECT k.key_id, used.at FROM api_keys AS k JOIN used USING (key_id)"
	       "   WHERE k.last_used_at IS NULL OR k.last_used_at < used.at"
	       "   ORDER BY k.key_id FOR UPDATE OF k)"
	       " UPDATE api_keys AS k SET last_used_at = held.at FROM held"
	       " WHERE k.key_id = held.key_id",
};

enum err_code
keyring_db_read(struct db_conn *c, struct str key_id, int64_t asked_ms, struct db_result *r,
    struct key_facts *out, bool *found, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct str hash;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, key_id);
	rc = db_exec(c, &KEY_READ, &p, r, e);
	if (rc != ERR_OK)
		return rc;
	*found = db_rows(r) > 0;
	if (!*found)
		return ERR_OK;
	hash = db_str(r, 0, COL_HASH);
	if (hash.n != HMAC_BYTES)
		return err_set(e, ERR_INTERNAL, "key %.*s: the stored hash has %zu bytes",
		    STR_ARG(key_id), hash.n);
	*out = (struct key_facts){
		.app_id = db_uuid(r, 0, COL_APP_ID),
		.is_live = db_bool(r, 0, COL_IS_LIVE),
		.is_active = db_bool(r, 0, COL_IS_ACTIVE),
		.expires_ms =
		    db_null(r, 0, COL_LEFT_MS) ? INT64_MAX : asked_ms + db_i64(r, 0, COL_LEFT_MS),
		.allowed_origins = db_str(r, 0, COL_ORIGINS),
	};
	memcpy(out->hash, hash.p, HMAC_BYTES);
	return ERR_OK;
}

enum err_code
keyring_db_stamp(struct db_conn *c, const struct key_use *uses, int n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array ids;
	AUTO_RELEASE(db_array_release) struct db_array times;

	db_params_init(&p);
	db_array_init(&ids, DB_TEXT);
	db_array_init(&times, DB_TIME);
	for (int i = 0; i < n; i++) {
		db_array_bytes(&ids, str_of(uses[i].key_id));
		db_array_time(&times, uses[i].at_ms);
	}
	db_p_array(&p, &ids);
	db_p_array(&p, &times);
	return db_exec(c, &KEYS_STAMP, &p, NULL, e);
}
