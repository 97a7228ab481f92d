/*
 * http_ops - the operations port: /healthz, /readyz, /metrics, /version.
 *
 * Use:      http_ops_start() first thing in a daemon, http_ops_set_serving() when its own port
 *           listens; from then on the option `ready` decides /readyz.
 * Owns:     a second HTTP server, so that it answers while all request threads are busy.
 * Threads:  `ready` is called on the ops server's threads.
 * Errors:   as http_server_start.
 * Not for:  anything a client calls.
 */
#ifndef CTI_HTTP_OPS_H
#define CTI_HTTP_OPS_H

#include "common/conf/conf.h"
#include "common/http/http_server.h"
#include "common/json/json_out.h"

struct http_ops;

struct http_ops_opts {
	const char *daemon;
	const char *address;
	int port;
	void *self;
	/* Adds members to the open JSON object of /readyz; true when ready. Quick: at most 1 s. */
	bool (*ready)(void *self, struct json_out *j);
};

CTI_MUST_CHECK enum err_code http_ops_start(
    const struct http_ops_opts *o, struct http_ops **out, struct err *e);
/* Until the first /readyz answers 503 "starting", from the second on 503 "draining". */
void http_ops_set_serving(struct http_ops *o);
void http_ops_set_draining(struct http_ops *o);
void http_ops_stop(struct http_ops *o);      /* NULL is allowed */
int http_ops_port(const struct http_ops *o); /* that it listens on */

/* /healthz and /readyz for the daemon's own port too; `req->self` must begin with a struct
 * http_ops pointer (struct { struct http_ops *ops; … }). */
enum err_code http_ops_healthz(struct http_req *req, struct http_res *res, struct err *e);
enum err_code http_ops_readyz(struct http_req *req, struct http_res *res, struct err *e);
enum err_code http_ops_metrics(struct http_req *req, struct http_res *res, struct err *e);

#endif
