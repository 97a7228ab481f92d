#include "apid/apid.h"

#include "apid/access/admins.h"
#include "apid/access/auth.h"
#include "apid/access/keyring.h"
#include "apid/access/limiter.h"
#include "apid/access/limits.h"
#include "apid/edge/gate.h"
#include "apid/edge/misdirected.h"
#include "apid/edge/problem.h"
#include "apid/live/hub.h"
#include "apid/routes.h"
#include "common/base/log.h"

#include <sodium.h>

enum {
	READY_MS = 800,
	REQUEST_MS = 10000,
	TURN_MS = 500, /* for a thread to be free again */
	/* Above the role's statement_timeout, so that the server gives up first. */
	STATEMENT_MS = 12000,
	/* The primary still has time after a replica that does not answer. */
	REPLICA_STATEMENT_MS = 4000,
	CHECKOUT_MS = 2000,
	SOCKET_THREADS = 2,
	MAX_CONNINFO_BYTES = 8192,
};

static bool
report_ready(void *self, struct json_out *j)
{
	struct apid *api = self;

	jo_kv_bool(j, "listening", api->listen != NULL && db_listen_connected(api->listen));
	return db_ready_check(api->ready, j);
}

static enum err_code
start_access(struct apid *api, struct err *e)
{
	AUTO_RELEASE(buf_release) struct buf off = BUF(200);

	api->limiter = limiter_new();
	api->admins = admins_new(api->conf);
	limits_describe(api->conf, &off);
	if (off.n > 0)
		log_warn("limits.off", "no limit, because these are 0: %s", buf_c(&off));
	return keyring_start(api->pool, &api->pepper, &api->keys, e);
}

struct db_opts
apid_direct_db(const struct apid *api, const char *role)
{
	struct db_opts o = api->db;

	if (api->conf->database_listen_url[0] != '\0')
		o.url = api->conf->database_listen_url;
	o.role = role;
	return o;
}

/* Hints only: each subscriber has a time limit of its own for what it believes. */
static enum err_code
start_listener(struct apid *api, struct err *e)
{
	return db_listen_start(
	    &(struct db_listen_opts){
		.db = apid_direct_db(api, api->conf->db_role),
		.channels = { { KEYRING_CHANNEL, keyring_forget, api->keys },
		    { LIVE_CHANNEL, live_hub_hint, api->live } },
	    },
	    &api->listen, e);
}

static struct db_opts
primary_opts(struct apid *api)
{
	const struct conf *c = api->conf;

	return (struct db_opts){
		.url = buf_c(&api->conninfo),
		.role = c->db_role,
		.app_name = "apid",
		.unnamed = strcmp(c->db_prepare, "unnamed") == 0,
		.timeout_ms = STATEMENT_MS,
		.size = (int)c->db_pool,
	};
}

static enum err_code
start_reads(struct apid *api, struct err *e)
{
	const char *url = api->conf->database_read_url;
	struct db_opts o = api->db;
	enum err_code rc;

	if (url[0] == '\0')
		return reads_start(&api->reads, api->pool, NULL, e);
	o.url = url;
	o.timeout_ms = REPLICA_STATEMENT_MS;
	rc = reads_start(&api->reads, api->pool, &o, e);
	return rc == ERR_OK ? rc : err_set(e, rc, "DATABASE_READ_URL is no connection URI");
}

static enum err_code
start_live(struct apid *api, struct db_opts o, struct err *e)
{
	const struct conf *c = api->conf;

	return live_hub_start(
	    &(struct live_hub_opts){
		.db = o,
		.cursor_keys = &api->cursor_keys,
		.house = { &api->pepper, str_of(c->cors_allowed_origins) },
		.max = (int)c->live_max_sockets,
		.max_per_app = (int)c->live_max_sockets_per_app,
	    },
	    &api->live, e);
}

static enum err_code
start_database(struct apid *api, struct err *e)
{
	enum err_code rc;

	buf_init(&api->conninfo, MAX_CONNINFO_BYTES);
	rc = db_conninfo(api->conf, &api->conninfo, e);
	if (rc != ERR_OK)
		return rc;
	api->db = primary_opts(api);
	api->ready = db_ready_new(&(struct db_ready_opts){
	    .db = api->db,
	    .deadline_ms = READY_MS,
	    .production = api->conf->production,
	});
	rc = db_pool_new(&api->db, &api->pool, e);
	if (rc == ERR_OK)
		rc = start_reads(api, e);
	if (rc == ERR_OK)
		rc = start_access(api, e);
	if (rc == ERR_OK)
		rc = start_live(api, api->db, e);
	return rc == ERR_OK ? start_listener(api, e) : rc;
}

static enum err_code
start_ops(struct apid *api, struct err *e)
{
	return http_ops_start(
	    &(struct http_ops_opts){
		.daemon = "apid",
		.address = api->conf->listen_address,
		.port = conf_ops_port(api->conf),
		.self = api,
		.ready = report_ready,
	    },
	    &api->ops, e);
}

static enum err_code
start_server(struct apid *api, int port, enum routes_port which, struct http_route **routes,
    struct http_server **out, struct err *e)
{
	*routes = reallocarray(NULL, (size_t)apid_nroutes, sizeof **routes);
	if (*routes == NULL)
		abort();
	return http_server_start(
	    &(struct http_server_opts){
		.address = api->conf->listen_address,
		.port = port,
		.threads = (int)api->conf->http_threads,
		.wait_ms = TURN_MS,
		.routes = *routes,
		.nroutes = routes_select(which, *routes),
		.self = api,
		.gate = apid_gate,
		.auth = apid_authenticate,
		.error = problem_of_error,
		.request_ms = REQUEST_MS,
		.log_requests = true,
		.socket_threads = SOCKET_THREADS,
		.hsts = api->conf->production ? "max-age=31536000; includeSubDomains" : NULL,
	    },
	    out, e);
}

static enum err_code
start_servers(struct apid *api, struct err *e)
{
	int port = conf_port(api->conf, CONF_APID), internal = (int)api->conf->internal_port;
	enum err_code rc;

	if (internal == 0)
		return start_server(api, port, ROUTES_ALL, &api->routes, &api->server, e);
	rc = start_server(api, internal, ROUTES_INTERNAL, &api->internal_routes, &api->internal, e);
	if (rc == ERR_OK)
		rc = start_server(api, port, ROUTES_PUBLIC, &api->routes, &api->server, e);
	return rc;
}

/* Also of a daemon that came up only in part. */
static void
release(struct apid *api)
{
	http_server_stop(api->server);
	http_server_stop(api->internal);
	dialpad_api_free(api->dialpad);
	seal_keys_wipe(&api->seal_keys);
	http_ops_stop(api->ops);
	db_listen_stop(api->listen);
	live_hub_stop(api->live);
	keyring_stop(api->keys);
	admins_free(api->admins);
	limiter_free(api->limiter);
	free(api->routes);
	free(api->internal_routes);
	db_ready_free(api->ready);
	reads_stop(&api->reads);
	db_pool_free(api->pool);
	buf_wipe(&api->conninfo);
	buf_release(&api->conninfo);
	sodium_memzero(&api->cursor_keys, sizeof api->cursor_keys);
}

enum err_code
apid_start(void *self, const struct conf *c, struct err *e)
{
	struct apid *api = self;
	enum err_code rc;

	*api = (struct apid){ .conf = c };
	misdirected_declare();
	api->pepper = pepper_of(c);
	pepper_derive(&api->pepper, "cursor", &api->cursor_keys);
	seal_keys_init(&api->seal_keys, str_of(c->token_key), str_of(c->token_key_previous));
	rc = dialpad_api_new(c, &api->dialpad, e);
	if (rc == ERR_OK)
		rc = start_database(api, e);
	if (rc == ERR_OK)
		rc = start_ops(api, e);
	if (rc == ERR_OK)
		rc = start_servers(api, e);
	if (rc == ERR_OK)
		http_ops_set_serving(api->ops);
	else
		release(api);
	return rc;
}

void
apid_unready(void *self)
{
	struct apid *api = self;

	http_ops_set_draining(api->ops);
}

void
apid_stop(void *self, int64_t timeout_ms)
{
	struct apid *api = self;

	live_hub_drain(api->live);
	http_server_drain(api->server, timeout_ms);
	if (api->internal != NULL)
		http_server_drain(api->internal, timeout_ms);
	dialpad_api_abort(api->dialpad); /* whoever still waits for Dialpad */
	release(api);
}

/* ---- the database, on behalf of one request ---- */

enum err_code
apid_tenant_read(const struct http_req *req, const struct db_query *queries, int n,
    struct db_result *results, struct err *e)
{
	struct apid *api = req->self;

	return reads_tenant(&api->reads, req->app_id, queries, n, results, e);
}

enum err_code
apid_read(const struct http_req *req, const struct db_stmt *s, const struct db_params *p,
    struct db_result *out, struct err *e)
{
	const struct apid *api = req->self;
	struct db_conn *c;
	enum err_code rc = db_pool_get(api->pool, CHECKOUT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = db_exec(c, s, p, out, e);
	db_pool_put(api->pool, c);
	return rc;
}

enum err_code
apid_tx(const struct http_req *req, db_tx_fn fn, void *arg, struct err *e)
{
	const struct apid *api = req->self;

	return db_tx(api->pool, CHECKOUT_MS, fn, arg, e);
}

struct admin_work {
	db_tx_fn fn;
	void *arg;
};

static enum err_code
as_admin(struct db_conn *c, void *arg, struct err *e)
{
	struct admin_work *w = arg;
	enum err_code rc = db_command(c, "SET LOCAL ROLE cti_admin", e);

	return rc == ERR_OK ? w->fn(c, w->arg, e) : rc;
}

enum err_code
apid_admin_tx(const struct http_req *req, db_tx_fn fn, void *arg, struct err *e)
{
	const struct apid *api = req->self;
	struct admin_work w = { fn, arg };

	return db_tx(api->pool, CHECKOUT_MS, as_admin, &w, e);
}

static enum err_code
as_admin_who_tells(struct db_conn *c, void *arg, struct err *e)
{
	enum err_code rc = as_admin(c, arg, e);

	return rc == ERR_OK ? db_command(c, "NOTIFY " KEYRING_CHANNEL, e) : rc;
}

enum err_code
apid_access_tx(const struct http_req *req, db_tx_fn fn, void *arg, struct err *e)
{
	const struct apid *api = req->self;
	struct admin_work w = { fn, arg };
	enum err_code rc = db_tx(api->pool, CHECKOUT_MS, as_admin_who_tells, &w, e);

	keyring_forget(api->keys);
	return rc;
}
