#include "apid/handlers.h"

#include "apid/admin/keys_db.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/request.h"
#include "common/crypto/api_key.h"

#include <sodium.h>

enum { MAX_NAME_CHARS = 200, MAX_EXPIRES_DAYS = 3650 };

/* The one answer that shows the key. */
static void
render_key(const struct new_key *k, const char *text, struct json_out *j)
{
	jo_obj(j);
	jo_kv_str(j, "api_key", str_of(text));
	jo_kv_str(j, "key_id", k->key_id);
	jo_kv_str(j, "name", k->name);
	jo_kv_str(j, "hint", k->hint);
	jo_key(j, "created_at");
	jo_time(j, k->created_at);
	jo_key(j, "expires_at");
	if (k->expires_at != 0)
		jo_time(j, k->expires_at);
	else
		jo_null(j);
	jo_end_obj(j);
}

static enum err_code
create(struct http_req *req, struct http_res *res, struct new_key *key, struct err *e)
{
	const struct conf *conf = ((const struct apid *)req->self)->conf;
	char text[API_KEY_BYTES];
	struct json_out j;
	enum err_code rc = ERR_OK;

	api_key_make(conf->production, text);
	if (!api_key_parse(str_of(text), &key->key_id))
		rc = err_set(e, ERR_INTERNAL, "made a key that is none");
	key->hint = api_key_hint(str_of(text));
	api_key_hash(str_of(conf->api_key_pepper), str_of(text), key->hash);
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

enum err_code
keys_create(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { "name", "expires_in_days", NULL };
	AUTO(json) struct json *body = NULL;
	struct new_key key = { .expires_in_days = 0 };
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = request_app_id(req, &key.app_id, e);
	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = body_text(body, "name", MAX_NAME_CHARS, &key.name, e);
	if (rc == ERR_OK)
		rc = body_i64(
		    body, "expires_in_days", 1, MAX_EXPIRES_DAYS, 0, &key.expires_in_days, e);
	return rc == ERR_OK ? create(req, res, &key, e) : rc;
}
