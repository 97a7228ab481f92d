#include "ingestd/ingestd.h"

#include "common/base/log.h"
#include "ingestd/webhook.h"

#include <string.h>

enum { REQUEST_MS = 4000, READY_MS = 200, STATEMENT_MS = 3000 };

static bool
is_ready(void *self, struct json_out *j)
{
	struct ingestd *in = self;

	jo_kv_bool(j, "hooks", in->master_key.n > 0);
	jo_kv_bool(j, "bare_route", in->bare_secret.n > 0);
	(void)db_ready_check(in->ready, j);
	return true;
}

/* Routes are made at start, because the limit of a body is configured. */
static struct http_route *
make_routes(size_t max_body, bool with_metrics, int *n)
{
	static struct http_route routes[] = {
		{ "POST", "/webhooks/dialpad/{app_id}/{hook}", HTTP_AUTH_NONE, 0, webhook_hook },
		{ "POST", "/webhooks/dialpad", HTTP_AUTH_NONE, 0, webhook_bare },
		{ "GET", "/healthz", HTTP_AUTH_NONE, 0, http_ops_healthz },
		{ "GET", "/readyz", HTTP_AUTH_NONE, 0, http_ops_readyz },
		{ "POST", "/webhooks/**", HTTP_AUTH_NONE, 0, webhook_misdirected },
		{ "GET", "/metrics", HTTP_AUTH_NONE, 0, http_ops_metrics },
	};

	*n = (int)(sizeof routes / sizeof routes[0]) - (with_metrics ? 0 : 1);
	for (int i = 0; i < *n; i++)
		if (strcmp(routes[i].method, "POST") == 0)
			routes[i].max_body = max_body;
	return routes;
}

static enum err_code
start_http(struct ingestd *in, const struct conf *c, struct err *e)
{
	struct http_ops_opts ops = {
		.daemon = "ingestd",
		.address = c->listen_address,
		.port = conf_ops_port(c),
		.self = in,
		.ready = is_ready,
	};
	struct http_server_opts server = {
		.address = c->listen_address,
		.port = conf_port(c, CONF_INGESTD),
		.threads = (int)c->http_threads,
		.self = in,
		.error = webhook_error,
		.request_ms = REQUEST_MS,
	};
	enum err_code rc = http_ops_start(&ops, &in->ops, e);

	server.routes = make_routes((size_t)c->ingest_max_body, c->metrics_public, &server.nroutes);
	return rc != ERR_OK ? rc : http_server_start(&server, &in->server, e);
}

enum err_code
ingestd_start(void *self, const struct conf *c, struct err *e)
{
	struct ingestd *in = self;
	struct db_opts db;
	enum err_code rc;

	buf_init(&in->conninfo, 8192);
	in->master_key = str_of(c->master_key);
	in->bare_secret = str_of(c->webhook_secret);
	rc = db_conninfo(c, &in->conninfo, e);
	if (rc != ERR_OK)
		return rc;
	db = (struct db_opts){
		.url = buf_c(&in->conninfo),
		.role = c->db_role,
		.app_name = "ingestd",
		.unnamed = strcmp(c->db_prepare, "unnamed") == 0,
		.timeout_ms = STATEMENT_MS,
		.size = (int)c->db_pool,
	};
	if (in->bare_secret.n == 0)
		log_warn("ingestd.no_bare_route",
		    "DIALPAD_WEBHOOK_SECRET is not set: POST"
		    " /webhooks/dialpad answers 503");
	/* A probe waits for a second or less; a silent database must not use that up. */
	in->ready = db_ready_new(&(struct db_ready_opts){ .db = db, .deadline_ms = READY_MS });
	rc = db_pool_new(&db, &in->pool, e);
	if (rc == ERR_OK)
		rc = start_http(in, c, e);
	if (rc != ERR_OK)
		ingestd_stop(in, 0);
	return rc;
}

void
ingestd_unready(void *self)
{
	struct ingestd *in = self;

	http_ops_set_draining(in->ops);
}

void
ingestd_stop(void *self, int64_t timeout_ms)
{
	struct ingestd *in = self;

	if (in->server != NULL)
		http_server_drain(in->server, timeout_ms);
	http_server_stop(in->server);
	http_ops_stop(in->ops);
	db_pool_free(in->pool);
	db_ready_free(in->ready);
	buf_release(&in->conninfo);
}
