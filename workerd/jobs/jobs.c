#include "workerd/jobs/jobs.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "workerd/jobs/request.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

enum {
	STANDBY_MS = 5000, /* how often the others try to become the leader */
	RETRY_MS = 300000, /* after a failure: one of retention makes ingestd wait a second */
	MORE_MS = 1000,    /* until a run goes on that has used up its time */
	SHARE_MS = 10000,  /* the longest run, but for its last statement */
	LOCK_NAME_BYTES = 64,
};

struct job {
	const char *name, *ok, *failed; /* the latter two: values of a metric's labels */
	int64_t every_ms;
	enum err_code (*run)(struct job_run *r, struct err *e);
};

static const struct job JOBS[] = {
#define X(name, every_s) { #name, #name "|ok", #name "|failed", (every_s)*1000, job_##name },
	JOB_TABLE(X)
#undef X
};

#define X(name, every_s) " " #name
const char JOBS_HELP[] = "  --run-job NAME       run one job and end:" JOB_TABLE(X) "\n";
#undef X

static struct metric runs_total =
    METRIC_COUNTER("cti_job_runs_total", "Runs of jobs, by job and result.", "job,result");
static struct metric last_success = METRIC_GAUGE("cti_job_last_success_timestamp_seconds",
    "When a job last succeeded in this process, in seconds since 1970; 0 for never.", "job");
static struct metric job_seconds = METRIC_SECONDS("cti_job_seconds", "Time of one run.", "job");
static struct metric leads =
    METRIC_GAUGE("cti_jobs_leader", "1 in the process that runs the jobs, else 0.", NULL);

/* ---- locks ---- */

static const struct db_stmt TRY_LOCK = {
	.name = "jobs_try_lock",
	.sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))",
};

static const struct db_stmt UNLOCK = {
	.name = "jobs_unlock",
	.sql = "SELECT pg_advisory_unlock(hashtextextended($1, 0))",
};

static enum err_code
ask_lock(struct db_conn *c, const struct db_stmt *s, const char *name, bool *answer, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(name));
	rc = db_exec(c, s, &p, &r, e);
	if (rc == ERR_OK)
		*answer = db_bool(&r, 0, 0);
	return rc;
}

/* ---- one run ---- */

static enum err_code
run_locked(const struct job *job, struct job_run *r, struct err *e)
{
	char lock[LOCK_NAME_BYTES];
	struct err ignored;
	bool mine;
	enum err_code rc;

	(void)snprintf(lock, sizeof lock, "cti.job.%s", job->name);
	rc = ask_lock(r->conn, &TRY_LOCK, lock, &mine, e);
	if (rc == ERR_OK && !mine)
		return err_set(e, ERR_CONFLICT, "another process is running it just now");
	if (rc != ERR_OK)
		return rc;
	rc = job->run(r, e);
	/* A connection that cannot unlock is broken, and has lost the lock. */
	(void)ask_lock(r->conn, &UNLOCK, lock, &mine, &ignored);
	return rc;
}

static enum err_code
run_counted(const struct job *job, struct job_run *r, struct err *e)
{
	int64_t started_us = clock_mono_us();
	enum err_code rc = run_locked(job, r, e);

	metric_add(&runs_total, rc == ERR_OK ? job->ok : job->failed, 1);
	metric_observe_us(&job_seconds, job->name, clock_mono_us() - started_us);
	if (rc == ERR_OK)
		metric_set(&last_success, job->name, clock_wall_ms() / 1000);
	return rc;
}

/* NULL: there is none. */
static const struct job *
find(const char *name)
{
	for (int i = 0; i < JOBS_COUNT; i++)
		if (strcmp(JOBS[i].name, name) == 0)
			return &JOBS[i];
	return NULL;
}

bool
jobs_is_job(const char *name)
{
	return find(name) != NULL;
}

enum err_code
jobs_run_now(const struct jobs_opts *o, const char *name, struct err *e)
{
	AUTO(db_conn) struct db_conn *c = NULL;
	struct job_run r = { .opts = &o->job, .until_ms = INT64_MAX };
	enum err_code rc;

	assert(jobs_is_job(name));
	rc = db_connect(&o->db, &c, e);
	r.conn = c;
	return rc != ERR_OK ? rc : run_locked(find(name), &r, e);
}

/* ---- the schedule ---- */

/* Up to a tenth more, so that processes do not move in step. */
static int64_t
jittered(int64_t ms)
{
	return ms + randombytes_uniform((uint32_t)(ms / 10 + 1));
}

/* One line when a job begins to fail, one when it works again. */
static void
note_result(struct jobs *j, int i, enum err_code rc, const struct err *e)
{
	if (rc == ERR_OK && j->state[i].failing)
		log_info("job.recovered", "%s works again", JOBS[i].name);
	if (rc != ERR_OK) {
		struct err named = *e;

		(void)err_set(&named, e->code, "%s: %s", JOBS[i].name, e->msg);
		memcpy(named.sqlstate, e->sqlstate, sizeof named.sqlstate);
		log_err(j->state[i].failing ? LOG_DEBUG : LOG_WARN, "job.failed", &named);
	}
	j->state[i].failing = rc != ERR_OK;
}

static int64_t
until_next(const struct job *job, enum err_code rc, bool more)
{
	if (rc != ERR_OK)
		return job->every_ms < RETRY_MS ? job->every_ms : RETRY_MS;
	return more ? MORE_MS : job->every_ms;
}

static void
run_one(struct jobs *j, int i)
{
	struct job_run r = {
		.conn = j->conn,
		.opts = &j->opts->job,
		.wake = j->wake,
		.until_ms = clock_mono_ms() + SHARE_MS,
	};
	struct err e;
	enum err_code rc = run_counted(&JOBS[i], &r, &e);

	note_result(j, i, rc, &e);
	j->state[i].due_ms = clock_mono_ms() + jittered(until_next(&JOBS[i], rc, r.more));
}

/* Whatever is due; how long until the next is. */
static int64_t
run_due(struct jobs *j)
{
	int64_t next_ms = INT64_MAX, left_ms;

	for (int i = 0; i < JOBS_COUNT; i++) {
		if (j->state[i].due_ms <= clock_mono_ms() && !db_is_broken(j->conn)
		    && wake_pause(j->wake, 0))
			run_one(j, i);
		if (j->state[i].due_ms < next_ms)
			next_ms = j->state[i].due_ms;
	}
	left_ms = next_ms - clock_mono_ms();
	return left_ms > 0 ? left_ms : 0;
}

/* ---- the leader ---- */

/* The locks are gone with the connection. What this process has told of the queue is out of date. */
static void
step_down(struct jobs *j)
{
	db_close(j->conn);
	j->conn = NULL;
	j->leads = false;
	metric_set(&leads, NULL, 0);
	job_gauges_clear();
}

static void
take_over(struct jobs *j)
{
	log_info("jobs.leader", "this process runs the jobs");
	j->leads = true;
	metric_set(&leads, NULL, 1);
	for (int i = 0; i < JOBS_COUNT; i++)
		j->state[i].due_ms = clock_mono_ms();
}

/* Connect and lead, if nobody else does. */
static enum err_code
stand_by(struct jobs *j, struct err *e)
{
	bool mine;
	enum err_code rc = j->conn == NULL ? db_connect(&j->opts->db, &j->conn, e) : ERR_OK;

	if (rc == ERR_OK)
		rc = ask_lock(j->conn, &TRY_LOCK, "cti.jobs.leader", &mine, e);
	if (rc == ERR_OK && mine)
		take_over(j);
	return rc;
}

static void
note_trouble(struct jobs *j, const struct err *e)
{
	log_err(j->troubled ? LOG_DEBUG : LOG_WARN, "jobs.no_database", e);
	j->troubled = true;
	step_down(j);
}

/* Returns how long to rest, in ms. */
static int64_t
step(struct jobs *j)
{
	int64_t rest_ms = jittered(STANDBY_MS);
	struct err e;

	if (!j->leads && stand_by(j, &e) != ERR_OK) {
		note_trouble(j, &e);
		return rest_ms;
	}
	j->troubled = false;
	if (!j->leads)
		return rest_ms;
	rest_ms = run_due(j);
	if (db_is_broken(j->conn))
		step_down(j);
	return rest_ms;
}

/* Requests have come since `*seen`: they are due, and often one is about a connection. */
static void
heed_hints(struct jobs *j, uint64_t *seen)
{
	uint64_t now = wake_seen(j->wake);

	if (now != *seen) {
		j->state[JOB_NUMBER_requests].due_ms = clock_mono_ms();
		j->state[JOB_NUMBER_connections].due_ms = clock_mono_ms();
	}
	*seen = now;
}

static void *
run(void *arg)
{
	struct jobs *j = arg;
	uint64_t seen = wake_seen(j->wake);
	int64_t rest_ms;

	do {
		heed_hints(j, &seen);
		rest_ms = step(j);
	} while (wake_wait(j->wake, seen, rest_ms));
	step_down(j);
	return NULL;
}

enum err_code
jobs_start(struct jobs *j, const struct jobs_opts *o, struct wake *wake, struct err *e)
{
	*j = (struct jobs){ .opts = o, .wake = wake };
	repair_declare_metrics();
	for (int i = 0; i < JOBS_COUNT; i++) {
		metric_declare(&runs_total, JOBS[i].ok);
		metric_declare(&runs_total, JOBS[i].failed);
		metric_declare(&last_success, JOBS[i].name);
		metric_declare(&job_seconds, JOBS[i].name);
	}
	metric_set(&leads, NULL, 0);
	job_gauges_clear();
	if (pthread_create(&j->thread, NULL, run, j) != 0)
		return err_set(e, ERR_UNAVAILABLE, "cannot start the thread of the jobs");
	j->started = true;
	return ERR_OK;
}

void
jobs_join(struct jobs *j)
{
	if (j->started)
		(void)pthread_join(j->thread, NULL);
	j->started = false;
}
