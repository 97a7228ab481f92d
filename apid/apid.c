#include "apid/apid.h"

#include "apid/access/auth.h"
#include "apid/client/page.h"
#include "apid/edge/problem.h"
#include "apid/live/hub.h"
#include "apid/routes.h"

#include <sodium.h>

enum {
	READY_MS = 800,
	REQUEST_MS = 10000,
	/* Above the role's statement_timeout, so that the server gives up first. */
	STATEMENT_MS = 12000,
	CHECKOUT_MS = 2000,
	SOCKET_THREADS = 2,
	MAX_CONNINFO_BYTES = 8192,
};

static bool
report_ready(void *self, struct json_out *j)
{
	struct apid *api = self;

	jo_kv_bool(j, "listening", api->live != NULL && live_hub_is_listening(api->live));
	return db_ready_check(api->ready, j);
}

/* conf has checked the URLs that were given; this is about the default, which is plain http. */
static enum err_code
check_public_url(const struct conf *c, const char *name, const char *url, struct err *e)
{
	if (!c->production || str_starts_nocase(str_of(url), STR("https://")))
		return ERR_OK;
	return err_set(e, ERR_INVALID,
	    "%s is missing: production needs an https URL under which "
	    "apid is reached from outside",
	    name);
}

static enum err_code
start_database(struct apid *api, struct err *e)
{
	const struct conf *c = api->conf;
	enum err_code rc;

	buf_init(&api->conninfo, MAX_CONNINFO_BYTES);
	rc = db_conninfo(c, &api->conninfo, e);
	if (rc != ERR_OK)
		return rc;
	api->db = (struct db_opts){
		.url = buf_c(&api->conninfo),
		.role = c->db_role,
		.app_name = "apid",
		.unnamed = strcmp(c->db_prepare, "unnamed") == 0,
		.timeout_ms = STATEMENT_MS,
		.size = (int)c->db_pool,
	};
	api->ready = db_ready_new(&(struct db_ready_opts){
	    .db = api->db,
	    .deadline_ms = READY_MS,
	    .production = c->production,
	});
	return db_pool_new(&api->db, &api->pool, e);
}

static enum err_code
start_live(struct apid *api, struct err *e)
{
	const struct conf *c = api->conf;
	struct live_hub_opts o = {
		.db = api->db,
		.listen_url = api->db.url,
		.cursor_key = api->cursor_key,
		.pepper = str_of(c->api_key_pepper),
		.max = (int)c->live_max_sockets,
		.max_per_app = (int)c->live_max_sockets_per_app,
	};

	if (c->database_listen_url[0] != '\0')
		o.listen_url = c->database_listen_url;
	return live_hub_start(&o, &api->live, e);
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
start_server(struct apid *api, struct err *e)
{
	return http_server_start(
	    &(struct http_server_opts){
		.address = api->conf->listen_address,
		.port = conf_port(api->conf, CONF_APID),
		.threads = (int)api->conf->http_threads,
		.routes = apid_routes,
		.nroutes = apid_nroutes,
		.self = api,
		.auth = apid_authenticate,
		.error = problem_of_error,
		.request_ms = REQUEST_MS,
		.log_requests = true,
		.socket_threads = SOCKET_THREADS,
		.hsts = api->conf->production ? "max-age=31536000; includeSubDomains" : NULL,
	    },
	    &api->server, e);
}

/* Also of a daemon that came up only in part. */
static void
release(struct apid *api)
{
	http_server_stop(api->server);
	live_hub_stop(api->live);
	http_ops_stop(api->ops);
	db_ready_free(api->ready);
	db_pool_free(api->pool);
	buf_wipe(&api->conninfo);
	buf_release(&api->conninfo);
	sodium_memzero(api->cursor_key, sizeof api->cursor_key);
}

enum err_code
apid_start(void *self, const struct conf *c, struct err *e)
{
	struct apid *api = self;
	enum err_code rc;

	*api = (struct apid){ .conf = c };
	rc = check_public_url(c, "PUBLIC_API_URL", c->public_api_url, e);
	if (rc == ERR_OK)
		rc = check_public_url(c, "PUBLIC_INGEST_URL", c->public_ingest_url, e);
	if (rc != ERR_OK)
		return rc;
	page_cursor_key(str_of(c->api_key_pepper), api->cursor_key);
	rc = start_database(api, e);
	if (rc == ERR_OK)
		rc = start_ops(api, e);
	if (rc == ERR_OK)
		rc = start_live(api, e);
	if (rc == ERR_OK)
		rc = start_server(api, e);
	if (rc != ERR_OK)
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
	release(api);
}

/* ---- the database, on behalf of one request ---- */

enum err_code
apid_tenant_read(const struct http_req *req, const struct db_query *queries, int n,
    struct db_result *results, struct err *e)
{
	const struct apid *api = req->self;
	struct db_conn *c;
	enum err_code rc = db_pool_get(api->pool, CHECKOUT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = db_tenant_read(c, req->app_id, queries, n, results, e);
	db_pool_put(api->pool, c);
	return rc;
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
