/*
 * Webhooks that reach apid because a URL was set up with the wrong host. A 404 would lose the event
 * for ever: a 503 makes Dialpad try again, and tells the operator what to change.
 */
#include "apid/edge/misdirected.h"

#include "apid/apid.h"
#include "apid/edge/problem.h"
#include "apid/handlers.h"
#include "common/base/log.h"
#include "common/base/metric.h"

static struct metric MISDIRECTED = METRIC_COUNTER(
    "cti_misdirected_webhooks_total", "Webhooks sent to apid instead of ingestd.", NULL);

void
misdirected_declare(void)
{
	metric_declare(&MISDIRECTED, NULL);
}

enum err_code
misdirected_webhook(struct http_req *req, struct http_res *res, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf text = BUF(1000);
	const struct apid *api = req->self;

	(void)e;
	metric_add(&MISDIRECTED, NULL, 1);
	log_warn("webhook.misdirected",
	    "apid takes no webhooks: they belong to "
	    "PUBLIC_INGEST_URL, %s",
	    api->conf->public_ingest_url);
	buf_add_fmt(&text, "Webhooks are received at PUBLIC_INGEST_URL (%s), not here",
	    api->conf->public_ingest_url);
	problem_unavailable(req, res, buf_c(&text));
	return ERR_OK;
}
