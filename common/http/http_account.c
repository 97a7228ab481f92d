#include "common/http/http_account.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"

#include <inttypes.h>
#include <stdio.h>

enum { LABEL_BYTES = 160 };

static struct metric requests_total = METRIC_COUNTER("cti_http_requests_total",
    "Requests answered, by route and class of the status.", "route,status");
static struct metric request_seconds = METRIC_SECONDS("cti_http_request_seconds",
    "Time from the headers of a request to the end of its answer, by route.", "route");

/* Labels are made of the route table, never of what the peer sent. */
void
http_account_answer(const struct http_account *a, int status, size_t sent)
{
	const struct http_route *r = a->route;
	int64_t took_us = clock_mono_us() - a->begun_us;
	char route[LABEL_BYTES], class[LABEL_BYTES + 16];

	if (r == NULL)
		(void)snprintf(route, sizeof route, "%s", a->unrouted);
	else
		(void)snprintf(route, sizeof route, "%s %s", r->method, r->path);
	(void)snprintf(class, sizeof class, "%s|%dxx", route, status / 100);
	metric_add(&requests_total, class, 1);
	if (!a->is_shed)
		metric_observe_us(&request_seconds, route, took_us);
	if (a->is_logged)
		log_info("http.request",
		    "method=%.*s route=%s status=%d dur_ms=%" PRId64 " bytes=%zu",
		    STR_ARG(a->method), r == NULL ? route : r->path, status, took_us / 1000, sent);
}
