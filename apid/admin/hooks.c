#include "apid/handlers.h"

#include "apid/admin/apps_db.h"
#include "apid/apid.h"
#include "apid/edge/problem.h"
#include "apid/edge/request.h"
#include "common/dialpad/hook.h"

#include <sodium.h>

enum { MAX_HOOK_URL = 2200 };

static void
hook_url(const struct conf *conf, struct hook h, struct buf *out)
{
	struct str base = str_of(conf->public_ingest_url);

	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	buf_add_str(out, base);
	hook_path(h, out);
}

/* Made with another master key than the present one: then ingestd would refuse what Dialpad signs
 * with the old secret, and a new hook is needed. */
static bool
has_drifted(const struct conf *conf, struct str fingerprint)
{
	char present[HOOK_FINGERPRINT_BYTES];

	hook_fingerprint(str_of(conf->master_key), present);
	return fingerprint.p != NULL && !str_eq(fingerprint, str_of(present));
}

static void
render_hook(const struct conf *conf, struct hook h, bool drifted, struct json_out *j)
{
	AUTO_RELEASE(buf_release) struct buf url = BUF(MAX_HOOK_URL);
	char secret[HOOK_SECRET_BYTES];

	hook_url(conf, h, &url);
	hook_secret(str_of(conf->master_key), h, secret);
	jo_obj(j);
	jo_kv_str(j, "hook_url", buf_str(&url));
	jo_kv_str(j, "secret", str_of(secret));
	jo_kv_i64(j, "hook", h.number);
	if (drifted)
		jo_kv_bool(j, "drift", true);
	jo_end_obj(j);
	sodium_memzero(secret, sizeof secret);
}

enum err_code
hooks_get(struct http_req *req, struct http_res *res, struct err *e)
{
	const struct conf *conf = ((const struct apid *)req->self)->conf;
	struct str fingerprint;
	struct hook h = { .number = 0 };
	struct json_out j;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = request_app_id(req, &h.app_id, e);
	if (rc == ERR_OK)
		rc = apps_db_get_hook(req, h.app_id, &h.number, &fingerprint, e);
	if (rc != ERR_OK)
		return rc;
	if (conf->master_key[0] == '\0') {
		problem_unavailable(req, res,
		    "WEBHOOK_MASTER_KEY is not set: set it to 32 bytes or "
		    "more, for apid, ingestd and workerd alike (apid --generate-secrets prints "
		    "one)");
		return ERR_OK;
	}
	jo_init(&j, &res->body);
	render_hook(conf, h, has_drifted(conf, fingerprint), &j);
	return ERR_OK;
}
