#include "ingestd/webhook.h"

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/crypto/jws.h"
#include "common/dialpad/hook.h"
#include "common/http/http_server.h"
#include "ingestd/ingestd.h"
#include "ingestd/store.h"

#include <inttypes.h>
#include <sodium.h>

static struct metric webhooks_total =
    METRIC_COUNTER("cti_ingest_webhooks_total", "Webhooks by what became of them.", "result");
static struct metric bad_signatures_total = METRIC_COUNTER("cti_ingest_bad_signatures_total",
    "Webhooks whose signature did not match, by route.", "route");

/* Where an event came in, for the log's columns. */
struct origin {
	struct uuid app_id; /* nil: the bare route */
	int32_t hook;       /* 0: the bare route */
};

static const char *
route_name(const struct origin *o)
{
	return o->hook == 0 ? "bare" : "hook";
}

static enum err_code
refuse(const struct origin *o, enum err_code rc, const struct err *e)
{
	if (rc == ERR_UNAUTHORIZED) {
		metric_add(&bad_signatures_total, route_name(o), 1);
		metric_add(&webhooks_total, "bad_signature", 1);
		log_warn("webhook.bad_signature", "route=%s hook=%" PRId32 ": %s", route_name(o),
		    o->hook, e->msg);
	} else {
		metric_add(&webhooks_total, "too_large", 1);
	}
	return rc;
}

static enum err_code
accept(struct http_req *req, struct http_res *res, const struct origin *o, struct str claims,
    struct err *e)
{
	struct ingestd *in = req->self;
	struct store_event ev = { .app_id = o->app_id, .hook = o->hook, .claims = claims };
	enum err_code rc;

	store_describe(&ev, &req->arena);
	rc = store_event(in->pool, &ev, e);
	if (rc != ERR_OK) {
		metric_add(&webhooks_total, "unavailable", 1);
		log_err(LOG_ERROR, "webhook.not_stored", e);
		return err_set(e, ERR_UNAVAILABLE, "The event could not be stored; send it again.");
	}
	metric_add(&webhooks_total, "stored", 1);
	log_info("webhook.received",
	    "Webhook received: route=%s hook=%" PRId32 " type=%.*s id=%.*s", route_name(o), o->hook,
	    STR_ARG(ev.type), STR_ARG(ev.dialpad_id));
	buf_add_c(&res->body, "{\"received\":true}");
	return ERR_OK;
}

static enum err_code
verify_and_accept(struct http_req *req, struct http_res *res, const struct origin *o,
    struct str secret, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf claims = BUF(req->body.n);
	int which;
	enum err_code rc = jws_verify(str_trim(req->body), &secret, 1, &which, &claims, e);

	if (rc != ERR_OK)
		return refuse(o, rc, e);
	return accept(req, res, o, buf_str(&claims), e);
}

enum err_code
webhook_hook(struct http_req *req, struct http_res *res, struct err *e)
{
	struct ingestd *in = req->self;
	char secret[HOOK_SECRET_BYTES];
	struct hook hook;
	enum err_code rc;

	if (!hook_parse(req->segments[0], req->segments[1], &hook))
		return webhook_misdirected(req, res, e);
	if (in->master_key.n == 0) {
		metric_add(&webhooks_total, "no_secret", 1);
		return err_set(e, ERR_UNAVAILABLE, "WEBHOOK_MASTER_KEY is not set");
	}
	hook_secret(in->master_key, hook, secret);
	rc = verify_and_accept(req, res,
	    &(struct origin){ .app_id = hook.app_id, .hook = hook.number }, str_of(secret), e);
	sodium_memzero(secret, sizeof secret);
	return rc;
}

enum err_code
webhook_bare(struct http_req *req, struct http_res *res, struct err *e)
{
	struct ingestd *in = req->self;

	if (in->bare_secret.n == 0) {
		metric_add(&webhooks_total, "no_secret", 1);
		log_warn("webhook.no_secret", "DIALPAD_WEBHOOK_SECRET is not set");
		return err_set(e, ERR_UNAVAILABLE, "DIALPAD_WEBHOOK_SECRET is not set");
	}
	return verify_and_accept(
	    req, res, &(struct origin){ .app_id = UUID_NIL }, in->bare_secret, e);
}

enum err_code
webhook_misdirected(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)res;
	metric_add(&webhooks_total, "misdirected", 1);
	log_error("webhook.misdirected", "a webhook was sent to a URL that is no hook");
	return err_set(e, ERR_UNAVAILABLE, "this URL is no webhook of ours");
}

void
webhook_error(const struct http_req *req, const struct err *e, struct http_res *res)
{
	if (e->code != ERR_UNAUTHORIZED) {
		http_problem(req, e, res);
		return;
	}
	res->content_type = "application/json";
	buf_add_c(&res->body, "{\"error\":\"Invalid signature\"}");
}
