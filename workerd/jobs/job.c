#include "workerd/jobs/job.h"

#include "common/base/clock.h"
#include "common/base/log.h"

bool
job_may_go_on(struct job_run *r)
{
	bool stopping = r->wake != NULL && !wake_pause(r->wake, 0);

	if (!stopping && clock_mono_ms() < r->until_ms)
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

void
job_hint_workers(struct job_run *r)
{
	struct err e;

	if (db_notify(r->conn, "cti_events", &e) != ERR_OK)
		log_err(LOG_DEBUG, "job.notify_failed", &e);
}
