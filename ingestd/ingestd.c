#include "ingestd/ingestd.h"

#include "common/base/log.h"
#include "common/run/daemon.h"
#include "ingestd/webhook.h"

#include <string.h>

/* Dialpad waits 5 s. A request is read within 2 s and answered within 4 s of its beginning (webhook.c). */
enum {
	REQUEST_MS = 2000,
	STORE_MS = 4000,
	TURN_MS = 500,
	SPOOL_AFTER_MS = 1000,
	READY_MS = 200,
	LOCK_WAIT_MS = 60000
};

static void
report_spool(struct ingestd *in, struct json_out *j)
{
	struct spool_state st;

	jo_key(j, "spool");
	if (in->spool == NULL) {
		jo_null(j);
		return;
	}
	spool_state(in->spool, &st);
	jo_obj(j);
	jo_kv_i64(j, "files", st.files);
	jo_kv_i64(j, "bytes", st.bytes);
	jo_kv_i64(j, "damaged_files", st.bad_files);
	jo_end_obj(j);
}

/* The database is reported, and decides nothing. */
static bool
is_ready(void *self, struct json_out *j)
{
	struct ingestd *in = self;

	jo_kv_bool(j, "hooks", in->secrets.master[0].n > 0);
	jo_kv_bool(j, "bare_route", in->secrets.bare[0].n > 0);
	(void)db_ready_check(in->ready, j);
	if (in->serving)
		report_spool(in, j);
	else
		jo_kv_str(j, "spool", STR("held by another process"));
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
start_ops(struct ingestd *in, const struct conf *c, struct err *e)
{
	struct http_ops_opts ops = {
		.daemon = "ingestd",
		.address = c->listen_address,
		.port = conf_ops_port(c),
		.self = in,
		.ready = is_ready,
	};

	return http_ops_start(&ops, &in->ops, e);
}

static enum err_code
start_server(struct ingestd *in, const struct conf *c, struct err *e)
{
	struct http_server_opts server = {
		.address = c->listen_address,
		.port = conf_port(c, CONF_INGESTD),
		.threads = (int)c->http_threads,
		.wait_ms = TURN_MS,
		.self = in,
		.error = webhook_error,
		.reuse = true,
		.request_ms = REQUEST_MS,
	};

	server.routes = make_routes((size_t)c->ingest_max_body, c->metrics_public, &server.nroutes);
	return http_server_start(&server, &in->server, e);
}

static enum err_code
start_spool(struct ingestd *in, const struct conf *c, const struct db_opts *db, struct err *e)
{
	struct spool_opts o = {
		.dir = c->spool_dir,
		.max_bytes = c->spool_max_bytes,
		.max_files = c->spool_max_files,
		.lock_wait_ms = LOCK_WAIT_MS,
		.give_up = daemon_is_asked_to_end,
	};
	enum err_code rc;

	if (c->spool_dir[0] == '\0')
		return ERR_OK;
	rc = spool_open(&o, &in->spool, e);
	return rc != ERR_OK ? rc : replay_start(in->spool, db, &in->replay, e);
}

static enum err_code
start_writer(struct ingestd *in, const struct conf *c, const struct db_opts *db, struct err *e)
{
	struct writer_opts o = {
		.db = *db,
		.threads = (int)c->ingest_writers,
		.group = (int)c->ingest_group,
		.max_waiting = (int)c->ingest_max_waiting,
		.spool_ms = SPOOL_AFTER_MS,
		.spool = in->spool,
	};

	return writer_start(&o, &in->writer, e);
}

/* The ops server first: probes are answered while the spool is waited for. */
static enum err_code
start_all(struct ingestd *in, const struct conf *c, const struct db_opts *db, struct err *e)
{
	enum err_code rc = start_ops(in, c, e);

	if (rc == ERR_OK)
		rc = start_spool(in, c, db, e);
	if (rc == ERR_OK)
		rc = start_writer(in, c, db, e);
	if (rc == ERR_OK)
		rc = pulse_start(db, &in->pulse, e);
	if (rc == ERR_OK)
		rc = start_server(in, c, e);
	if (rc == ERR_OK) {
		in->serving = true;
		http_ops_set_serving(in->ops);
	}
	return rc;
}

enum err_code
ingestd_start(void *self, const struct conf *c, struct err *e)
{
	struct ingestd *in = self;
	struct db_opts db;
	enum err_code rc;

	buf_init(&in->conninfo, 8192);
	rc = db_conninfo(c, &in->conninfo, e);
	if (rc != ERR_OK)
		return rc;
	db = (struct db_opts){
		.url = buf_c(&in->conninfo),
		.role = c->db_role,
		.app_name = "ingestd",
		.unnamed = strcmp(c->db_prepare, "unnamed") == 0,
		.timeout_ms = STORE_MS,
	};
	secrets_init(&in->secrets, c);
	webhook_declare_metrics();
	in->log_events = c->log_events;
	if (in->secrets.bare[0].n == 0)
		log_warn("ingestd.no_bare_route",
		    "DIALPAD_WEBHOOK_SECRET is not set: POST"
		    " /webhooks/dialpad answers 503");
	/* A probe waits for a second or less; a silent database must not use that up. */
	in->ready = db_ready_new(&(struct db_ready_opts){ .db = db, .deadline_ms = READY_MS });
	rc = start_all(in, c, &db, e);
	if (rc != ERR_OK)
		ingestd_stop(in, 0);
	return rc;
}

void
ingestd_unready(void *self)
{
	struct ingestd *in = self;

	http_ops_set_draining(in->ops);
	http_server_end_reuse(in->server);
}

void
ingestd_stop(void *self, int64_t timeout_ms)
{
	struct ingestd *in = self;

	if (in->server != NULL)
		http_server_drain(in->server, timeout_ms);
	http_server_stop(in->server);
	pulse_stop(in->pulse);
	writer_stop(in->writer);
	replay_stop(in->replay);
	http_ops_stop(in->ops); /* until now a probe may ask for the spool's state */
	spool_close(in->spool);
	db_ready_free(in->ready);
	buf_release(&in->conninfo);
}
