#include "common/http/http_late.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/http_account.h"
#include "common/http/http_answer.h"
#include "common/http/http_conn.h"
#include "common/http/http_server.h"
#include "common/http/wire.h"

#include <stdlib.h>

enum { MAX_HEADER_BYTES = 64 * 1024 };

struct http_late {
	const struct http_late_calls *calls;
	void *arg;
	struct wires *wires;
	struct wire *wire;
	int64_t due_ms; /* monotonic */
	/* Of the request: */
	struct http_account account;
	struct http_res res; /* the headers alone; the body stands in a separate piece */
	const char *hsts;
	char request_id[HTTP_REQUEST_ID_BYTES];
	bool without_body;
};

/* ---- the wire's calls ---- */

static void
on_begun(void *arg)
{
	struct http_late *l = arg;

	l->calls->open(l->arg, l);
}

/* A second request before the first is answered: nobody will read it. */
static void
on_read(void *arg, struct str bytes)
{
	(void)arg;
	(void)bytes;
}

/* Nothing was ever queued but the last words. */
static void
on_full(void *arg)
{
	(void)arg;
}

static int64_t
on_due(void *arg, int64_t now_ms)
{
	struct http_late *l = arg;

	(void)now_ms;
	l->calls->due(l->arg);
	return WIRE_NEVER;
}

static void
on_ended(void *arg)
{
	struct http_late *l = arg;

	l->calls->gone(l->arg);
	buf_release(&l->res.headers);
	free(l);
}

/* ---- */

void
http_late_answer(struct http_late *l, struct str json)
{
	AUTO_RELEASE(buf_release) struct buf head = BUF(MAX_HEADER_BYTES);
	const struct http_answer_opts o = {
		.without_body = true, /* it follows apart */
		.hsts = l->hsts,
		.request_id = l->request_id,
	};
	struct http_res res = l->res;

	res.body.n = json.n; /* for its length */
	http_answer_build(&res, &o, &head);
	log_context_set(l->request_id, "");
	http_account_answer(&l->account, res.status, head.n + (l->without_body ? 0 : json.n));
	log_context_clear();
	wire_end(l->wire, wire_bytes_new(buf_str(&head), l->without_body ? STR_NONE : json), false);
}

static void
take_over(void *arg, int fd)
{
	static const struct wire_calls calls = { .begun = on_begun,
		.read = on_read,
		.full = on_full,
		.due = on_due,
		.ended = on_ended };
	struct http_late *l = arg;
	const struct wire_opts o = { .calls = &calls, .arg = l, .due_ms = l->due_ms };

	if (fd < 0)
		on_ended(l);
	else
		wires_adopt(l->wires, fd, &o, &l->wire);
}

void
http_late_leave(struct http_req *req, struct http_res *res, const struct http_late_calls *calls,
    void *arg, int64_t wait_ms)
{
	const struct http_conn *c = req->priv;
	struct http_late *l = calloc(1, sizeof *l);

	if (l == NULL)
		abort();
	l->calls = calls;
	l->arg = arg;
	l->wires = c->wires;
	l->due_ms = clock_mono_ms() + wait_ms;
	l->hsts = c->server->hsts;
	l->without_body = str_eq(req->method, STR("HEAD"));
	l->account = (struct http_account){
		.route = req->route,
		.method = l->without_body ? STR("HEAD") : STR("GET"),
		.begun_us = clock_mono_us(),
		.is_logged = c->server->log_requests,
	};
	memcpy(l->request_id, req->request_id, sizeof l->request_id);
	l->res.status = res->status;
	buf_init(&l->res.headers, MAX_HEADER_BYTES);
	buf_add_str(&l->res.headers, buf_str(&res->headers));
	res->handover = (struct http_handover){ take_over, l, .unanswered = true };
}
