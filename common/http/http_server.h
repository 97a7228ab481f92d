/*
 * http_server - one listening port: civetweb behind a route table.
 *
 * Use:      http_server_start(), serve, http_server_drain(), http_server_stop().
 * Owns:     its civetweb context and threads until stop.
 * Threads:  start, drain and stop from one thread; handlers run on the server's own.
 * Errors:   UNAVAILABLE when the port cannot be bound; the message names it.
 * Not for:  TLS (ends at the proxy).
 *
 * Every request takes the same way: request id, gate, route, room (else 503 at once), authentication,
 * body (limit, total deadline, length compared), handler, one answer in one write, one log line.
 * Nothing else is served. Each connection carries one request. A target in absolute form and
 * "OPTIONS *" never come this far: the library closes such connections without an answer.
 */
#ifndef CTI_HTTP_SERVER_H
#define CTI_HTTP_SERVER_H

#include "common/http/http.h"

struct http_server;

/* For every route but those of HTTP_AUTH_NONE: OK, or UNAUTHORIZED, FORBIDDEN, RATE_LIMITED, … . Sets
 * req->app_id or req->actor; may add headers, which the answer keeps whatever becomes of it. */
typedef enum err_code (*http_auth_fn)(
    struct http_req *req, struct http_res *res, enum http_auth auth, struct err *e);

/* Sees each request that could be parsed before its route is looked for, paths without a route
 * included. It may add headers, as above; refuse the request; or answer it alone, by *answered. */
typedef enum err_code (*http_gate_fn)(
    const struct http_req *req, struct http_res *res, bool *answered, struct err *e);

/* Writes the body of an error answer; res->status is set, req->route is NULL when none was found.
 * Headers that the handler has added are still there. NULL: http_problem(). */
typedef void (*http_error_fn)(
    const struct http_req *req, const struct err *e, struct http_res *res);

/* The problem+json body, for an http_error_fn that only adds headers or handles some errors. */
void http_problem(const struct http_req *req, const struct err *e, struct http_res *res);

struct http_server_opts {
	const char *address; /* "127.0.0.1" */
	int port;
	int threads;     /* requests served at once */
	int64_t wait_ms; /* how long a further one waits for its turn before it is answered 503 */
	const struct http_route *routes; /* first match wins; static */
	int nroutes;
	void *self;
	http_gate_fn gate;   /* may be NULL */
	http_auth_fn auth;   /* may be NULL when every route is HTTP_AUTH_NONE */
	http_error_fn error; /* may be NULL */
	bool reuse;          /* connections may live on after a 200 to a POST with a length */
	int64_t request_ms;  /* total deadline for reading a request, body included */
	bool log_requests;   /* one info line per request (ops ports: false) */
	const char *hsts;    /* value of Strict-Transport-Security, or NULL */
	int socket_threads;  /* that serve WebSockets and late answers; 0: there are none */
};

CTI_MUST_CHECK enum err_code http_server_start(
    const struct http_server_opts *o, struct http_server **out, struct err *e);

/* Serve on, but let each connection end with its answer: the next one finds another instance. */
void http_server_end_reuse(struct http_server *s);

/* Answer new requests with 503, probes excepted, and wait, at most timeout_ms, until none is in
 * flight, a WebSocket or a late answer included: to end those is up to who has them. What handlers
 * use must live until http_server_stop() has returned. */
void http_server_drain(struct http_server *s, int64_t timeout_ms);
void http_server_stop(struct http_server *s); /* drain first; NULL is allowed */

/* The port that it listens on: the one asked for, or the one found for port 0. */
int http_server_port(const struct http_server *s);

#endif
