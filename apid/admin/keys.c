#include "apid/handlers.h"

#include "apid/admin/keys_db.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/columns.h"
#include "apid/edge/request.h"
#include "common/crypto/api_key.h"

#include <sodium.h>

enum {
	MAX_NAME_CHARS = 200,
	MAX_EXPIRES_DAYS = 3650,
	OVERLAP_HOURS = 24, /* unless told */
	MAX_OVERLAP_HOURS = 720,
};

/* The one answer that shows the key. */
static void
render_key(const struct new_key *k, const char *text, struct json_out *j)
{
	jo_obj(j);
	jo_kv_str(j, "api_key", str_of(text));
	jo_kv_str(j, "key_id", k->key_id);
	jo_kv_str(j, "name", k->name);
	jo_kv_str(j, "hint", k->hint);
	jo_kv_time(j, "created_at", k->created_at);
	jo_kv_time(j, "expires_at", k->expires_at);
	jo_end_obj(j);
}

static enum err_code
create(struct http_req *req, struct http_res *res, struct new_key *key, struct err *e)
{
	const struct apid *api = req->self;
	char text[API_KEY_BYTES];
	struct json_out j;
	enum err_code rc = ERR_OK;

	api_key_make(api->conf->production, text);
	if (!api_key_parse(str_of(text), &key->key_id))
		rc = err_set(e, ERR_INTERNAL, "made a key that is none");
	key->hint = api_key_hint(str_of(text));
	api_key_hash(api->pepper.each[0], str_of(text), key->hash);
	if (rc == ERR_OK)
		rc = keys_db_create(req, key, e);
	if (rc == ERR_OK) {
		res->status = 201;
		jo_init(&j, &res->body);
		render_key(key, text, &j);
	}
	sodium_memzero(text, sizeof text);
	return rc;
}

static enum err_code
read_new_key(const struct json *body, struct new_key *key, struct err *e)
{
	enum err_code rc = body_text(body, "name", MAX_NAME_CHARS, &key->name, e);

	if (rc == ERR_OK)
		rc = body_i64(
		    body, "expires_in_days", 1, MAX_EXPIRES_DAYS, 0, &key->expires_in_days, e);
	if (rc == ERR_OK)
		rc = body_text(body, "replaces", API_KEY_ID_MAX_CHARS, &key->replaces, e);
	if (rc == ERR_OK)
		rc = body_i64(body, "overlap_hours", 0, MAX_OVERLAP_HOURS, OVERLAP_HOURS,
		    &key->overlap_hours, e);
	if (rc == ERR_OK && key->replaces.p == NULL && body_has(body, "overlap_hours"))
		return err_set(
		    e, ERR_INVALID, "field \"overlap_hours\" goes with \"replaces\" only");
	return rc;
}

enum err_code
keys_create(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "name", "expires_in_days", "replaces",
		"overlap_hours", NULL };
	AUTO(json) struct json *body = NULL;
	struct new_key key = { .expires_in_days = 0 };
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = request_app_id(req, &key.app_id, e);
	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = read_new_key(body, &key, e);
	return rc == ERR_OK ? create(req, res, &key, e) : rc;
}

/* ---- listing and revoking ---- */

static void
render_row(const struct db_result *r, int row, struct json_out *j)
{
	struct key_row k;

	keys_db_read(r, row, &k);
	jo_obj(j);
	jo_kv_str(j, "key_id", k.key_id);
	jo_kv_str(j, "name", k.name);
	jo_kv_str(j, "hint", k.hint);
	jo_kv_str(j, "state", k.state);
	jo_kv_time(j, "created_at", k.created_at);
	jo_kv_time(j, "last_used_at", k.last_used_at);
	jo_kv_time(j, "expires_at", k.expires_at);
	jo_kv_time(j, "revoked_at", k.revoked_at);
	jo_end_obj(j);
}

enum err_code
keys_list(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK)
		rc = keys_db_list(req, app_id, &r, e);
	if (rc != ERR_OK)
		return rc;
	columns_list(&res->body, "api_keys", &r, render_row);
	return ERR_OK;
}

enum err_code
keys_revoke(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct uuid app_id;
	struct json_out j;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc == ERR_OK && !api_key_is_id(req->segments[1]))
		return err_set(e, ERR_NOT_FOUND, "this app has no key with this id");
	if (rc == ERR_OK)
		rc = keys_db_revoke(req, app_id, req->segments[1], &r, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	render_row(&r, 0, &j);
	return ERR_OK;
}
