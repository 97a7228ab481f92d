#include "ingestd/webhook.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/http/http_server.h"
#include "ingestd/ingestd.h"

#include <inttypes.h>
#include <stdio.h>

static struct metric webhooks_total =
    METRIC_COUNTER("cti_ingest_webhooks_total", "Webhooks, by what became of them.", "result");
static struct metric bad_signatures_total = METRIC_COUNTER(
    "cti_ingest_bad_signatures_total", "Webhooks whose signature did not match, by hook.", "hook");
static struct metric last_event = METRIC_GAUGE(
    "cti_ingest_last_event_timestamp", "When the last genuine event came, Unix s.", NULL);

/* Dialpad waits for 5 s. */
enum { ANSWER_MS = 4000, MAX_LOGGED_PATH = 120 };

void
webhook_declare_metrics(void)
{
	static const char *const RESULTS[] = { "stored", "unavailable", "bad_signature",
		"no_secret", "too_large", "misdirected", "refused" };

	/* From zero on, so that the first one of each counts as an increase. */
	for (size_t i = 0; i < sizeof RESULTS / sizeof *RESULTS; i++)
		metric_declare(&webhooks_total, RESULTS[i]);
	metric_declare(&last_event, NULL);
}

/* "bare", or "<app id>/<hook>": a label's values are bounded by the metric. */
static const char *
hook_name(const struct hook *hook, struct arena *a)
{
	char id[UUID_TEXT_BYTES], name[UUID_TEXT_BYTES + 12];

	if (hook == NULL)
		return "bare";
	(void)snprintf(
	    name, sizeof name, "%s/%" PRId32, uuid_format(hook->app_id, id), hook->number);
	return arena_cstr(a, str_of(name));
}

static enum err_code
refuse(struct http_req *req, const struct hook *hook, enum err_code rc, const struct err *e)
{
	const char *name = hook_name(hook, &req->arena);

	if (rc == ERR_UNAUTHORIZED) {
		metric_add(&bad_signatures_total, name, 1);
		metric_add(&webhooks_total, "bad_signature", 1);
		pulse_note_forged(((const struct ingestd *)req->self)->pulse, hook);
		log_warn("webhook.bad_signature", "hook=%s: %s", name, e->msg);
	} else {
		metric_add(&webhooks_total, "no_secret", 1);
		log_warn("webhook.no_secret", "hook=%s: %s", name, e->msg);
	}
	return rc;
}

static enum err_code
accept(struct http_req *req, struct http_res *res, const struct hook *hook, struct str claims,
    struct err *e)
{
	struct ingestd *in = req->self;
	struct event ev;
	enum err_code rc;

	event_make(hook == NULL ? UUID_NIL : hook->app_id, hook == NULL ? 0 : hook->number, claims,
	    &req->arena, &ev);
	rc = writer_store(in->writer, &ev, req->begun_ms + ANSWER_MS, e);
	if (rc != ERR_OK) {
		metric_add(&webhooks_total, "unavailable", 1);
		pulse_note_unstored(in->pulse);
		return rc;
	}
	metric_add(&webhooks_total, "stored", 1);
	metric_set(&last_event, NULL, clock_wall_ms() / 1000);
	if (in->log_events)
		log_info("webhook.received", "Webhook received: hook=%s type=%.*s id=%.*s",
		    hook_name(hook, &req->arena), STR_ARG(ev.type), STR_ARG(ev.dialpad_id));
	buf_add_c(&res->body, "{\"received\":true}");
	return ERR_OK;
}

static enum err_code
verify_and_accept(
    struct http_req *req, struct http_res *res, const struct hook *hook, struct err *e)
{
	const struct ingestd *in = req->self;
	AUTO_RELEASE(buf_release) struct buf claims = BUF(req->body.n);
	enum err_code rc = secrets_verify(&in->secrets, hook, str_trim(req->body), &claims, e);

	if (rc != ERR_OK)
		return refuse(req, hook, rc, e);
	return accept(req, res, hook, buf_str(&claims), e);
}

enum err_code
webhook_hook(struct http_req *req, struct http_res *res, struct err *e)
{
	struct hook hook;

	if (!hook_parse(req->segments[0], req->segments[1], &hook))
		return webhook_misdirected(req, res, e);
	return verify_and_accept(req, res, &hook, e);
}

enum err_code
webhook_bare(struct http_req *req, struct http_res *res, struct err *e)
{
	return verify_and_accept(req, res, NULL, e);
}

enum err_code
webhook_misdirected(struct http_req *req, struct http_res *res, struct err *e)
{
	struct str path = req->path;

	(void)res;
	if (path.n > MAX_LOGGED_PATH)
		path.n = MAX_LOGGED_PATH;
	metric_add(&webhooks_total, "misdirected", 1);
	log_error(
	    "webhook.misdirected", "a webhook was sent to %.*s, which is no hook", STR_ARG(path));
	return err_set(e, ERR_UNAVAILABLE, "this URL is no webhook of ours");
}

/* What is answered before a handler sees it may have been an event: it must not vanish unseen. */
static void
note_refusal(const struct http_req *req, const struct err *e, int answered)
{
	if (err_http_status(e->code) >= 500 || !str_eq(req->method, STR("POST")))
		return;
	metric_add(&webhooks_total, e->code == ERR_TOO_LARGE ? "too_large" : "refused", 1);
	log_error("webhook.refused", "status=%d: %s", answered, e->msg);
}

void
webhook_error(const struct http_req *req, const struct err *e, struct http_res *res)
{
	struct err told = *e;

	/* Dialpad never repeats a 4xx, and a slow body may be a genuine event's. */
	if (e->code == ERR_REQUEST_TIMEOUT)
		told.code = ERR_UNAVAILABLE;
	if (e->code != ERR_UNAUTHORIZED) {
		res->status = err_http_status(told.code);
		note_refusal(req, e, res->status);
		http_problem(req, &told, res);
		return;
	}
	res->content_type = "application/json";
	buf_add_c(&res->body, "{\"error\":\"Invalid signature\"}");
}
