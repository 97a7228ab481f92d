#include "common/http/http_dispatch.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/http_account.h"
#include "common/http/http_answer.h"
#include "common/http/http_body.h"
#include "common/http/http_ops.h"
#include "common/http/http_route.h"
#include "common/http/http_take.h"
#include "common/http/http_uri.h"

enum {
	MAX_ANSWER_BYTES = 64 * 1024 * 1024,
	MAX_ANSWER_HEADER_BYTES = 16 * 1024,
	MAX_REQUEST_ID = HTTP_REQUEST_ID_BYTES - 1,
};

struct exchange {
	const struct http_server_opts *o;
	struct http_conn *conn;
	struct http_req req;
	struct http_res res;
	struct buf body;      /* of the request */
	const char *unrouted; /* names the request in metrics and log while it has no route */
	bool shed;            /* refused for the sake of the others: no fault, not logged as one */
	int64_t begun_us;
};

static bool
is_request_id(struct str s)
{
	if (s.n < 1 || s.n > MAX_REQUEST_ID)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';

		if (!letter && !digit && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

/* The caller's own id, or one of ours. */
static void
identify(struct http_req *req)
{
	struct str given = http_header(req, "X-Request-Id");

	if (is_request_id(given)) {
		memcpy(req->request_id, given.p, given.n);
		req->request_id[given.n] = '\0';
	} else {
		(void)uuid_format(uuid_v7(), req->request_id);
	}
	log_context_set(req->request_id, "");
}

static void
begin(struct exchange *x, const struct http_server_opts *o, struct http_conn *c)
{
	memset(x, 0, sizeof *x);
	x->o = o;
	x->conn = c;
	x->unrouted = "unmatched";
	x->begun_us = clock_mono_us();
	x->req.self = o->self;
	x->req.method = c->method;
	x->req.path = c->path;
	x->req.raw_query = c->query;
	x->req.remote_addr = c->remote_addr;
	x->req.begun_ms = c->begun_ms;
	x->req.priv = c;
	arena_init(&x->req.arena);
	x->res.status = 200;
	buf_init(&x->res.body, MAX_ANSWER_BYTES);
	buf_init(&x->res.headers, MAX_ANSWER_HEADER_BYTES);
}

static enum err_code
find_route(struct exchange *x, struct err *e)
{
	const struct http_server_opts *o = x->o;
	struct http_req *req = &x->req;
	struct http_match m;
	enum err_code rc;

	rc = http_route_find(o->routes, o->nroutes, req->method, req->path, &req->arena, &m, e);
	if (rc == ERR_METHOD_NOT_ALLOWED) {
		AUTO_RELEASE(buf_release) struct buf allow = BUF(200);

		http_route_allow(o->routes, o->nroutes, req->path, &allow);
		http_header_add(&x->res, "Allow", buf_str(&allow));
	}
	if (rc != ERR_OK)
		return rc;
	req->route = m.route;
	req->nsegments = m.nsegments;
	memcpy(req->segments, m.segments, sizeof m.segments);
	return http_uri_query(req, req->raw_query, e);
}

/* Probes are answered by the spare threads too: busy or draining is not dead. */
static bool
is_probe(const struct http_route *r)
{
	return r->fn == http_ops_healthz || r->fn == http_ops_readyz;
}

static enum err_code
check_admission(struct exchange *x, enum http_admission a, struct err *e)
{
	if (a == HTTP_ADMITTED || is_probe(x->req.route))
		return ERR_OK;
	x->shed = true;
	return err_set(e, ERR_UNAVAILABLE, a == HTTP_BUSY ? "busy" : "draining");
}

static enum err_code
authenticate(struct exchange *x, struct err *e)
{
	char app[UUID_TEXT_BYTES];
	enum http_auth auth = x->req.route->auth;
	enum err_code rc;

	if (auth == HTTP_AUTH_NONE)
		return ERR_OK;
	if (x->o->auth == NULL)
		return err_set(
		    e, ERR_INTERNAL, "a route needs authentication, the server has none");
	rc = x->o->auth(&x->req, &x->res, auth, e);
	if (rc == ERR_OK && auth == HTTP_AUTH_APP)
		log_context_set(x->req.request_id, uuid_format(x->req.app_id, app));
	return rc;
}

/* What a handler that fails has begun for the connection ends at once. */
static enum err_code
run_handler(struct exchange *x, struct err *e)
{
	struct http_handover *h = &x->res.handover;
	enum err_code rc = x->req.route->fn(&x->req, &x->res, e);

	if (rc == ERR_OK && (x->res.body.failed || x->res.headers.failed))
		rc = err_set(e, ERR_INTERNAL, "the answer is too large");
	if (rc != ERR_OK && h->take_over != NULL) {
		h->take_over(h->arg, -1);
		*h = (struct http_handover){ .arg = NULL };
	}
	return rc;
}

/* Preflights, redirects and refusals need neither a route nor room. */
static enum err_code
pass_gate(struct exchange *x, bool *answered, struct err *e)
{
	enum err_code rc = ERR_OK;

	*answered = false;
	if (x->o->gate != NULL)
		rc = x->o->gate(&x->req, &x->res, answered, e);
	if (rc != ERR_OK || *answered)
		x->unrouted = "gate";
	return rc;
}

/* The fixed order of steps; each may end the request. */
static enum err_code
serve(struct exchange *x, enum http_admission a, struct err *e)
{
	bool answered;
	enum err_code rc = pass_gate(x, &answered, e);

	if (rc != ERR_OK || answered)
		return rc;
	if (x->conn->nheaders >= HTTP_MAX_HEADERS)
		return err_set(
		    e, ERR_HEADERS_TOO_LARGE, "more than %d header lines", HTTP_MAX_HEADERS - 1);
	rc = find_route(x, e);
	if (rc == ERR_OK)
		rc = check_admission(x, a, e);
	if (rc == ERR_OK)
		rc = authenticate(x, e);
	if (rc != ERR_OK)
		return rc;
	buf_init(&x->body, x->req.route->max_body);
	rc = http_body_read(x->conn, &x->body, e);
	x->shed = rc == ERR_UNAVAILABLE;
	if (rc != ERR_OK)
		return rc;
	x->req.body = buf_str(&x->body);
	return run_handler(x, e);
}

/* Headers that were added before the failure stay: they are about the request, not the body. */
static void
answer_error(struct exchange *x, const struct err *e)
{
	struct http_res *res = &x->res;

	buf_clear(&res->body);
	if (res->headers.failed)
		buf_clear(&res->headers);
	res->status = err_http_status(e->code);
	res->content_type = NULL;
	if (e->code == ERR_UPGRADE_REQUIRED) {
		http_header_add(res, "Upgrade", STR("websocket"));
		http_header_add(res, "Sec-WebSocket-Version", STR("13"));
	}
	if (x->o->error != NULL)
		x->o->error(&x->req, e, res);
	else
		http_problem(&x->req, e, res);
	if (res->status >= 500 && !x->shed)
		log_err(LOG_ERROR, "http.error", e);
}

/* By what civetweb goes by, so that it does not close what we said would live on. */
static bool
wants_to_stay(const struct http_req *req)
{
	struct str wish = http_header(req, "Connection");

	return wish.p == NULL || str_eq_nocase(wish, STR("keep-alive"));
}

/*
 * Only where reuse is harmless: a request that was smuggled behind this one would be read as the
 * next, so this one must have ended exactly where its length said, and have been welcome.
 */
static bool
may_keep(const struct exchange *x)
{
	return x->conn->reusable && x->conn->length_read && !x->conn->headers_cut
	    && x->res.status == 200 && str_eq(x->req.method, STR("POST")) && wants_to_stay(&x->req);
}

/* In one write: a second one could wait for the peer's acknowledgement of the first. Returns how many
 * bytes went out. */
static size_t
send_answer(struct exchange *x, bool *whole)
{
	AUTO_RELEASE(buf_release)
	struct buf out = BUF(MAX_ANSWER_BYTES + 2 * MAX_ANSWER_HEADER_BYTES);
	struct http_answer_opts o = {
		.without_body = str_eq(x->req.method, STR("HEAD")),
		.hsts = x->o->hsts,
		.keep = x->conn->kept = may_keep(x),
		.request_id = x->req.request_id,
	};
	size_t sent;

	http_answer_build(&x->res, &o, &out);
	sent = http_conn_write(x->conn, buf_str(&out));
	*whole = sent == out.n;
	return sent;
}

static void
account(const struct exchange *x, size_t sent)
{
	const struct http_account a = {
		.route = x->req.route,
		.unrouted = x->unrouted,
		.method = x->req.method,
		.begun_us = x->begun_us,
		.is_shed = x->shed,
		.is_logged = x->o->log_requests,
	};

	http_account_answer(&a, x->res.status, sent);
}

/* An answer that went out only in part leaves a connection that nobody can use. */
static void
hand_over(struct exchange *x, bool is_intact)
{
	const struct http_handover *h = &x->res.handover;

	h->take_over(h->arg, is_intact ? http_take(x->conn) : -1);
}

static void
answer(struct exchange *x)
{
	bool whole;

	if (x->res.handover.unanswered) {
		hand_over(x, true);
		return;
	}
	account(x, send_answer(x, &whole));
	if (x->res.handover.take_over != NULL)
		hand_over(x, whole);
}

static int
end(struct exchange *x)
{
	answer(x);
	log_context_clear();
	buf_release(&x->body);
	buf_release(&x->res.body);
	buf_release(&x->res.headers);
	arena_release(&x->req.arena);
	return x->res.status;
}

int
http_dispatch(const struct http_server_opts *o, enum http_admission admission, struct http_conn *c)
{
	struct exchange x;
	struct err e;
	enum err_code rc;

	begin(&x, o, c);
	identify(&x.req);
	rc = serve(&x, admission, &e);
	if (rc != ERR_OK)
		answer_error(&x, &e);
	return end(&x);
}

int
http_dispatch_unparsed(const struct http_server_opts *o, struct http_conn *c, const struct err *why)
{
	struct exchange x;

	begin(&x, o, c);
	x.unrouted = "unparsed";
	x.shed = why->code == ERR_UNAVAILABLE;
	identify(&x.req);
	answer_error(&x, why);
	return end(&x);
}
