#include "common/http/http_ops.h"

#include "common/base/metric.h"
#include "common/base/version.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Who asks for metrics while probes hold both threads waits. */
enum { OPS_THREADS = 2, OPS_REQUEST_MS = 5000, OPS_TURN_MS = 2000 };

enum phase { STARTING, SERVING, DRAINING };

struct http_ops {
	struct http_ops *ops; /* itself: what the handlers look for at the start of `self` */
	struct http_ops_opts o;
	atomic_int phase; /* enum phase */
	struct http_server *server;
};

static struct http_ops *
ops_of(const struct http_req *req)
{
	return *(struct http_ops *const *)req->self;
}

enum err_code
http_ops_healthz(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	buf_add_c(&res->body, "{\"status\":\"ok\"}");
	return ERR_OK;
}

enum err_code
http_ops_readyz(struct http_req *req, struct http_res *res, struct err *e)
{
	struct http_ops *ops = ops_of(req);
	const char *status = "ready";
	struct json_out j;

	(void)e;
	jo_init(&j, &res->body);
	jo_obj(&j);
	if (ops->o.ready != NULL && !ops->o.ready(ops->o.self, &j))
		status = "not_ready";
	if (atomic_load(&ops->phase) != SERVING)
		status = atomic_load(&ops->phase) == STARTING ? "starting" : "draining";
	jo_kv_str(&j, "status", str_of(status));
	jo_end_obj(&j);
	res->status = strcmp(status, "ready") == 0 ? 200 : 503;
	return ERR_OK;
}

enum err_code
http_ops_metrics(struct http_req *req, struct http_res *res, struct err *e)
{
	(void)req;
	(void)e;
	res->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metric_render(&res->body);
	return ERR_OK;
}

static enum err_code
version(struct http_req *req, struct http_res *res, struct err *e)
{
	struct json_out j;

	(void)e;
	jo_init(&j, &res->body);
	jo_obj(&j);
	jo_kv_str(&j, "name", str_of(ops_of(req)->o.daemon));
	jo_kv_str(&j, "version", str_of(version_text()));
	jo_end_obj(&j);
	return ERR_OK;
}

static const struct http_route routes[] = {
	{ "GET", "/healthz", HTTP_AUTH_NONE, 0, http_ops_healthz },
	{ "GET", "/readyz", HTTP_AUTH_NONE, 0, http_ops_readyz },
	{ "GET", "/metrics", HTTP_AUTH_NONE, 0, http_ops_metrics },
	{ "GET", "/version", HTTP_AUTH_NONE, 0, version },
};

enum err_code
http_ops_start(const struct http_ops_opts *o, struct http_ops **out, struct err *e)
{
	struct http_ops *ops = calloc(1, sizeof *ops);
	enum err_code rc;

	if (ops == NULL)
		abort();
	ops->ops = ops;
	ops->o = *o;
	rc = http_server_start(
	    &(struct http_server_opts){
		.address = o->address,
		.port = o->port,
		.threads = OPS_THREADS,
		.routes = routes,
		.nroutes = sizeof routes / sizeof routes[0],
		.self = ops,
		.request_ms = OPS_REQUEST_MS,
		.wait_ms = OPS_TURN_MS,
	    },
	    &ops->server, e);
	if (rc != ERR_OK) {
		free(ops);
		return rc;
	}
	*out = ops;
	return ERR_OK;
}

int
http_ops_port(const struct http_ops *o)
{
	return http_server_port(o->server);
}

void
http_ops_set_serving(struct http_ops *o)
{
	atomic_store(&o->phase, SERVING);
}

void
http_ops_set_draining(struct http_ops *o)
{
	atomic_store(&o->phase, DRAINING);
}

void
http_ops_stop(struct http_ops *o)
{
	if (o == NULL)
		return;
	http_server_stop(o->server);
	free(o);
}
