#include "apid/handlers.h"

#include "apid/admin/hooks_db.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/columns.h"
#include "apid/edge/problem.h"
#include "apid/edge/request.h"
#include "common/dialpad/hook.h"
#include "common/dialpad/hook_set.h"
#include "common/json/json_copy.h"

#include <sodium.h>

enum { MAX_HOOK_URL = 2200 };

static const char OTHER_KEY[] =
    "the hook was made with another WEBHOOK_MASTER_KEY: workerd makes the next one, and until Dialpad "
    "has it the key before has to be WEBHOOK_MASTER_KEY_PREVIOUS of ingestd";

/* ---- what is shown ---- */

static void
put_url(const struct conf *conf, struct hook h, struct json_out *j)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(MAX_HOOK_URL);
	const struct hook_owner owner = { .app_id = h.app_id,
		.base_url = str_of(conf->public_ingest_url) };
	char secret[HOOK_SECRET_BYTES];

	hook_set_prefix(&owner, &url);
	buf_add_i64(&url, h.number);
	hook_secret(str_of(conf->master_key), h, secret);
	jo_kv_str(j, "hook_url", buf_str(&url));
	jo_kv_str(j, "secret", str_of(secret));
	jo_kv_i64(j, "hook", h.number);
	sodium_memzero(secret, sizeof secret);
}

/* Made with another master key than the present one: then ingestd would refuse what Dialpad signs
 * with the old secret, and a new hook is needed. */
static bool
has_other_key(const struct conf *conf, struct str fingerprint)
{
	char present[HOOK_FINGERPRINT_BYTES];

	hook_fingerprint(str_of(conf->master_key), present);
	return fingerprint.p != NULL && !str_eq(fingerprint, str_of(present));
}

/* What the last check found different, and put right; and what is still to be done. */
static void
put_drift(const struct conf *conf, const struct db_result *r, struct json_out *j)
{
	AUTO(json) struct json *found = NULL;
	struct err ignored;

	jo_key(j, "drift");
	jo_arr(j);
	if (has_other_key(conf, db_str(r, 0, HOOK_FINGERPRINT)))
		jo_str(j, str_of(OTHER_KEY));
	if (!db_null(r, 0, HOOK_DRIFT)
	    && json_parse(db_str(r, 0, HOOK_DRIFT), &found, &ignored) == ERR_OK)
		for (const struct json *i = json_first(found); i != NULL; i = json_next(i))
			json_copy(i, j);
	jo_end_arr(j);
}

static void
put_dialpads(const struct conf *conf, const struct db_result *r, struct json_out *j)
{
	bool failed = !db_null(r, 0, HOOK_LAST_ERROR);
	bool there = !db_null(r, 0, HOOK_WEBHOOK_ID) && !db_null(r, 0, HOOK_CHECKED_AT);

	jo_kv_str(j, "connection",
	    db_null(r, 0, HOOK_CONNECTION) ? STR("never_connected")
					   : db_str(r, 0, HOOK_CONNECTION));
	jo_kv_str(j, "state", failed ? STR("failing") : there ? STR("active") : STR("pending"));
	jo_key(j, "webhook_id");
	if (db_null(r, 0, HOOK_WEBHOOK_ID))
		jo_null(j);
	else
		jo_i64(j, db_i64(r, 0, HOOK_WEBHOOK_ID));
	column_json(j, "subscriptions", r, 0, HOOK_SUBSCRIPTIONS, STR("[]"));
	put_drift(conf, r, j);
	jo_kv_time(j, "last_checked_at", db_time(r, 0, HOOK_CHECKED_AT));
	jo_kv_time(j, "next_check_at", db_time(r, 0, HOOK_NEXT_CHECK));
	jo_kv_str(j, "last_error",
	    failed ? db_str(r, 0, HOOK_LAST_ERROR) : db_str(r, 0, HOOK_CHECK_ERROR));
}

static void
put_hooks(const struct db_result *r, struct json_out *j)
{
	jo_key(j, "hooks");
	jo_arr(j);
	for (int i = 0; i < db_rows(r) && !db_null(r, i, HOOK_NUMBER); i++) {
		jo_obj(j);
		jo_kv_i64(j, "hook", db_i64(r, i, HOOK_NUMBER));
		jo_kv_str(j, "state", db_str(r, i, HOOK_STATE));
		jo_kv_time(j, "created_at", db_time(r, i, HOOK_CREATED_AT));
		jo_kv_time(j, "retired_at", db_time(r, i, HOOK_RETIRED_AT));
		jo_end_obj(j);
	}
	jo_end_arr(j);
}

static enum err_code
show(struct http_req *req, struct http_res *res, struct uuid app_id, struct err *e)
{
	const struct conf *conf = ((const struct apid *)req->self)->conf;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct hook h = { .app_id = app_id, .number = 1 };
	struct json_out j;
	enum err_code rc = hooks_db_list(req, app_id, &r, e);

	if (rc != ERR_OK)
		return rc;
	if (!db_null(&r, 0, HOOK_NUMBER))
		h.number = (int32_t)db_i64(&r, 0, HOOK_NUMBER);
	jo_init(&j, &res->body);
	jo_obj(&j);
	put_url(conf, h, &j);
	put_dialpads(conf, &r, &j);
	put_hooks(&r, &j);
	jo_end_obj(&j);
	return ERR_OK;
}

/* ---- the routes ---- */

static bool
has_key(struct http_req *req, struct http_res *res)
{
	if (((const struct apid *)req->self)->conf->master_key[0] != '\0')
		return true;
	problem_unavailable(req, res,
	    "WEBHOOK_MASTER_KEY is not set: set it to 32 bytes or more, for apid, ingestd and workerd "
	    "alike (apid --generate-secrets prints one)");
	return false;
}

enum err_code
hooks_get(struct http_req *req, struct http_res *res, struct err *e)
{
	struct uuid app_id;
	enum err_code rc = request_only_app(req, &app_id, e);

	if (rc != ERR_OK || !has_key(req, res))
		return rc;
	return show(req, res, app_id, e);
}

/* These take no fields. */
static enum err_code
read_order(struct http_req *req, struct uuid *app_id, struct err *e)
{
	static const char *const NO_FIELDS[] = { NULL };
	AUTO(json) struct json *body = NULL;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = body_parse(req, NO_FIELDS, &body, e);
	return rc == ERR_OK ? request_app_id(req, app_id, e) : rc;
}

static enum err_code
show_accepted(struct http_req *req, struct http_res *res, struct uuid app_id, struct err *e)
{
	enum err_code rc = show(req, res, app_id, e);

	if (rc == ERR_OK)
		res->status = 202;
	return rc;
}

enum err_code
hooks_provision(struct http_req *req, struct http_res *res, struct err *e)
{
	struct uuid app_id;
	enum err_code rc = read_order(req, &app_id, e);

	if (rc != ERR_OK || !has_key(req, res))
		return rc;
	rc = hooks_db_provision(req, app_id, e);
	return rc == ERR_OK ? show_accepted(req, res, app_id, e) : rc;
}

enum err_code
hooks_rotate(struct http_req *req, struct http_res *res, struct err *e)
{
	const struct conf *conf = ((const struct apid *)req->self)->conf;
	char fingerprint[HOOK_FINGERPRINT_BYTES];
	struct uuid app_id;
	enum err_code rc = read_order(req, &app_id, e);

	if (rc != ERR_OK || !has_key(req, res))
		return rc;
	hook_fingerprint(str_of(conf->master_key), fingerprint);
	rc = hooks_db_rotate(req, app_id, str_of(fingerprint), e);
	return rc == ERR_OK ? show_accepted(req, res, app_id, e) : rc;
}
