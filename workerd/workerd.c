#include "workerd/workerd.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <stdatomic.h>
#include <string.h>

static const struct http_route routes[] = {
	{ "GET", "/healthz", HTTP_AUTH_NONE, 0, http_ops_healthz },
	{ "GET", "/readyz", HTTP_AUTH_NONE, 0, http_ops_readyz },
	{ "GET", "/metrics", HTTP_AUTH_NONE, 0, http_ops_metrics }, /* last: METRICS_PUBLIC only */
};

enum {
	HEALTH_THREADS = 1,
	REQUEST_MS = 5000,
	STATEMENT_MS = 30000,
	CONNECT_MS = 4000,
	READY_MS = 800,
	CONNINFO_BYTES = 8192
};

static bool
is_ready(void *self, struct json_out *j)
{
	struct workerd *w = self;

	jo_kv_bool(j, "listening", w->listen != NULL && db_listen_connected(w->listen));
	return db_ready_check(w->ready, j);
}

static void
on_hint(void *arg)
{
	wake_hint(arg);
}

static enum err_code
start_http(struct workerd *w, const struct conf *c, struct err *e)
{
	struct http_ops_opts ops = {
		.daemon = "workerd",
		.address = c->listen_address,
		.port = conf_ops_port(c),
		.self = w,
		.ready = is_ready,
	};
	struct http_server_opts server = {
		.address = c->listen_address,
		.port = conf_port(c, CONF_WORKERD),
		.threads = HEALTH_THREADS,
		.routes = routes,
		.nroutes = (int)(sizeof routes / sizeof routes[0]) - (c->metrics_public ? 0 : 1),
		.self = w,
		.request_ms = REQUEST_MS,
	};
	enum err_code rc = http_ops_start(&ops, &w->ops, e);

	return rc != ERR_OK ? rc : http_server_start(&server, &w->server, e);
}

static enum err_code
start_listener(struct workerd *w, const struct conf *c, struct err *e)
{
	struct db_listen_opts o = {
		.db = w->worker_opts.db,
		.channels = { { "cti_events", on_hint, &w->wake },
		    { "cti_jobs", on_hint, &w->jobs_wake } },
	};

	if (c->database_listen_url[0] != '\0')
		o.db.url = c->database_listen_url;
	return db_listen_start(&o, &w->listen, e);
}

static enum err_code
start_workers(struct workerd *w, int n, struct err *e)
{
	enum err_code rc = ERR_OK;

	while (w->nworkers < n && rc == ERR_OK) {
		rc = worker_start(&w->workers[w->nworkers], &w->worker_opts, &w->wake, e);
		if (rc == ERR_OK)
			w->nworkers++;
	}
	return rc;
}

static void
set_options(struct workerd *w, const struct conf *c)
{
	w->worker_opts = (struct worker_opts){
		.db = {
			.url = buf_c(&w->conninfo),
			.role = c->db_role,
			.app_name = "workerd",
			.unnamed = strcmp(c->db_prepare, "unnamed") == 0,
			.timeout_ms = STATEMENT_MS,
			.connect_ms = CONNECT_MS,
			.give_up = &w->give_up,
		},
		.batch = {
			.limit = (int)c->worker_batch,
			.bytes = c->worker_batch_bytes,
			.max_attempts = (int)c->worker_max_attempts,
			.single_tenant = strcmp(c->single_tenant, "auto") == 0,
		},
		.poll_ms = c->worker_poll_ms,
	};
}

static void
set_job_options(struct workerd *w, const struct conf *c)
{
	w->jobs_opts = (struct jobs_opts){
		.db = w->worker_opts.db,
		.job = {
			.event_days = (int)c->event_retention_days,
			.feed_days = (int)c->feed_retention_days,
			.archive = strcmp(c->event_archive, "keep") == 0,
			.record_days = (int)c->records_retention_days,
			.stuck_hours = (int)c->call_stuck_hours,
			.dialpad = &w->dialpad,
			.alerts = &w->alerts,
			.conf = c,
		},
	};
	if (c->database_listen_url[0] != '\0')
		w->jobs_opts.db.url = c->database_listen_url;
}

/* All that comes from the configuration alone. */
static enum err_code
prepare(struct workerd *w, const struct conf *c, struct err *e)
{
	enum err_code rc = db_conninfo(c, &w->conninfo, e);

	if (rc != ERR_OK)
		return rc;
	set_options(w, c);
	set_job_options(w, c);
	rc = dialpad_start(&w->dialpad, c, &w->jobs_opts.db, e);
	return rc == ERR_OK ? alerts_start(&w->alerts, c, e) : rc;
}

enum err_code
workerd_start(void *self, const struct conf *c, struct err *e)
{
	struct workerd *w = self;
	enum err_code rc;

	buf_init(&w->conninfo, CONNINFO_BYTES);
	wake_init(&w->wake);
	wake_init(&w->jobs_wake);
	rc = prepare(w, c, e);
	if (rc == ERR_OK) {
		w->ready = db_ready_new(&(struct db_ready_opts){
		    .db = w->worker_opts.db,
		    .deadline_ms = READY_MS,
		    .production = c->production,
		    .may_bypass = true,
		});
		rc = start_listener(w, c, e); /* first: /readyz reports on it */
	}
	if (rc == ERR_OK)
		rc = start_http(w, c, e);
	if (rc == ERR_OK)
		rc = start_workers(w, (int)c->worker_threads, e);
	if (rc == ERR_OK)
		rc = jobs_start(&w->jobs, &w->jobs_opts, &w->jobs_wake, e);
	if (rc == ERR_OK)
		http_ops_set_serving(w->ops);
	else
		workerd_stop(w, 0);
	return rc;
}

void
workerd_unready(void *self)
{
	struct workerd *w = self;

	http_ops_set_draining(w->ops);
}

/* A batch in flight ends in time, or is rolled back and done by another worker. /readyz looks at the
 * listener and the database until the servers are gone, so those go last. */
void
workerd_stop(void *self, int64_t timeout_ms)
{
	struct workerd *w = self;

	atomic_store(&w->give_up, clock_mono_ms() + timeout_ms);
	wake_stop(&w->wake);
	wake_stop(&w->jobs_wake);
	dialpad_abort(&w->dialpad);
	alerts_abort(&w->alerts);
	for (int i = 0; i < w->nworkers; i++)
		worker_join(&w->workers[i]);
	jobs_join(&w->jobs);
	if (w->server != NULL)
		http_server_drain(w->server, timeout_ms);
	http_server_stop(w->server);
	http_ops_stop(w->ops);
	db_listen_stop(w->listen);
	db_ready_free(w->ready);
	dialpad_stop(&w->dialpad);
	alerts_stop(&w->alerts);
	wake_release(&w->wake);
	wake_release(&w->jobs_wake);
	buf_release(&w->conninfo);
}

/* ---- one job ---- */

static const char *job_name;

static enum err_code
parse_job(void *self, int argc, char **argv, struct err *e)
{
	const char **name = self;

	if (argc != 1 || !jobs_is_job(argv[0]))
		return err_set(e, ERR_INVALID, "the name of one job is wanted");
	*name = argv[0];
	return ERR_OK;
}

static int
run_job(void *self, const struct conf *c)
{
	struct workerd w = { .nworkers = 0 };
	const char *name = *(const char **)self;
	struct err e;
	enum err_code rc;

	buf_init(&w.conninfo, CONNINFO_BYTES);
	rc = prepare(&w, c, &e);
	if (rc == ERR_OK)
		rc = jobs_run_now(&w.jobs_opts, name, &e);
	dialpad_stop(&w.dialpad);
	alerts_stop(&w.alerts);
	buf_release(&w.conninfo);
	if (rc == ERR_OK)
		log_info("job.done", "%s", name);
	else
		log_err(LOG_ERROR, "job.failed", &e);
	return rc == ERR_OK ? 0 : 1;
}

const struct daemon_command workerd_run_job = {
	.name = "--run-job",
	.help = JOBS_HELP,
	.self = &job_name,
	.parse = parse_job,
	.run = run_job,
};
