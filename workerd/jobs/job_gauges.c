/* How much waits, and for how long. Only what the database alone knows is asked for here. */
#include "workerd/jobs/job.h"

#include "common/base/metric.h"

static struct metric queue_events =
    METRIC_GAUGE("cti_queue_events", "Events in the queue, by state.", "state");
static struct metric queue_age = METRIC_GAUGE(
    "cti_queue_oldest_age_seconds", "Age of the oldest event that nobody has tried yet.", NULL);

static const struct db_stmt QUEUE = {
	.name = "job_queue_depth",
	.sql = "SELECT count(*) FILTER (WHERE attempts = 0), count(*) FILTER (WHERE attempts > 0),"
	       " COALESCE(extract(epoch FROM now() - min(received_at) FILTER (WHERE attempts = 0)),"
	       "   0)::bigint FROM event_queue",
};

static void
set(int64_t pending, int64_t retrying, int64_t age_s)
{
	metric_set(&queue_events, "pending", pending);
	metric_set(&queue_events, "retrying", retrying);
	metric_set(&queue_age, NULL, age_s);
}

void
job_gauges_clear(void)
{
	set(0, 0, 0);
}

enum err_code
job_gauges(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result q = DB_RESULT_NONE;
	enum err_code rc = db_exec(r->conn, &QUEUE, NULL, &q, e);

	if (rc == ERR_OK)
		set(db_i64(&q, 0, 0), db_i64(&q, 0, 1), db_i64(&q, 0, 2));
	return rc;
}
