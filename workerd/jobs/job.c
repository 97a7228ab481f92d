#include "workerd/jobs/job.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "workerd/batch/tenant_db.h"

enum { BUSY_PAUSE_MS = 50, BUSY_TRIES = 20 };

bool
job_is_stopping(const struct job_run *r)
{
	return r->wake != NULL && !wake_pause(r->wake, 0);
}

bool
job_may_go_on(struct job_run *r)
{
	if (!job_is_stopping(r) && clock_mono_ms() < r->until_ms)
		return true;
	r->more = true;
	return false;
}

static const struct db_stmt TENANTS = {
	.name = "job_tenants",
	.sql = "SELECT app_id FROM tenant_heads ORDER BY app_id",
};

enum err_code
job_tenants(struct job_run *r, struct db_result *out, struct err *e)
{
	return db_exec(r->conn, &TENANTS, NULL, out, e);
}

static enum err_code
step_if_free(
    struct job_run *r, struct uuid app_id, job_step step, void *arg, bool *busy, struct err *e)
{
	bool locked = false;
	enum err_code rc = db_begin(r->conn, e);

	if (rc == ERR_OK)
		rc = tenant_lock(r->conn, app_id, &locked, e);
	if (rc == ERR_OK && locked)
		rc = step(r, arg, e);
	if (rc == ERR_OK)
		rc = db_commit(r->conn, e);
	if (rc != ERR_OK)
		db_rollback(r->conn);
	*busy = !locked;
	return rc;
}

enum err_code
job_in_turn(
    struct job_run *r, struct uuid app_id, job_step step, void *arg, bool *busy, struct err *e)
{
	for (int tries = 1;; tries++) {
		enum err_code rc = step_if_free(r, app_id, step, arg, busy, e);

		if (rc != ERR_OK || !*busy)
			return rc;
		if (tries == BUSY_TRIES || job_is_stopping(r))
			break;
		clock_sleep_ms(BUSY_PAUSE_MS);
	}
	r->more = true;
	return ERR_OK;
}

enum err_code
job_join_by_key(struct job_run *r, struct err *e)
{
	enum err_code rc = db_command(r->conn, "SET LOCAL enable_hashjoin = off", e);

	return rc == ERR_OK ? db_command(r->conn, "SET LOCAL enable_mergejoin = off", e) : rc;
}

static void
notify(struct job_run *r, const char *channel)
{
	struct err e;

	if (db_notify(r->conn, channel, &e) != ERR_OK)
		log_err(LOG_DEBUG, "job.notify_failed", &e);
}

void
job_hint_workers(struct job_run *r)
{
	notify(r, "cti_events");
}

void
job_hint_clients(struct job_run *r)
{
	notify(r, "cti_feed");
}

void
job_hint_requests(struct job_run *r)
{
	notify(r, "cti_jobs");
}
