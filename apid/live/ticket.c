/* POST /api/ws-ticket: half a minute's admission of one socket, for a page that must not hold the key. */
#include "apid/handlers.h"

#include "apid/access/auth.h"
#include "apid/apid.h"
#include "apid/edge/body.h"
#include "apid/edge/request.h"
#include "apid/live/live_url.h"
#include "apid/live/signed_pass.h"
#include "common/base/clock.h"
#include "common/crypto/api_key.h"

enum { VALID_S = 30, MAX_TICKET_BYTES = 1024 };

static enum err_code
make(const struct http_req *req, struct buf *out, struct err *e)
{
	const struct apid *api = req->self;
	struct signed_pass p = {
		.app_id = req->app_id,
		.expires_s = clock_wall_ms() / 1000 + VALID_S,
	};
	struct str key_id;

	if (!api_key_parse(apid_given_key(req), &key_id))
		return err_set(e, ERR_INTERNAL, "a request without a key was let in");
	memcpy(p.key_id, key_id.p, key_id.n);
	(void)uuid_format(uuid_v7(), p.id);
	return signed_pass_make(&api->pepper, SIGNED_TICKET, &p, out, e);
}

enum err_code
ticket_create(struct http_req *req, struct http_res *res, struct err *e)
{
	static const char *const FIELDS[] = { NULL };
	const struct apid *api = req->self;
	AUTO_RELEASE(buf_release) struct buf ticket = BUF(MAX_TICKET_BYTES);
	AUTO(json) struct json *body = NULL;
	struct json_out j;
	enum err_code rc = request_no_query(req, e);

	if (rc == ERR_OK)
		rc = body_parse(req, FIELDS, &body, e);
	if (rc == ERR_OK)
		rc = make(req, &ticket, e);
	if (rc != ERR_OK)
		return rc;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "ticket", buf_str(&ticket));
	jo_kv_i64(&j, "expires_in", VALID_S);
	live_url_render(api->conf->public_api_url, "ticket", buf_str(&ticket), &j);
	jo_end_obj(&j);
	return ERR_OK;
}
