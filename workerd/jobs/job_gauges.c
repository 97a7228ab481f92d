/* What the database alone knows, as metrics: how much waits, and for how long; what is in the way. */
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

static struct metric oldest_transaction = METRIC_GAUGE("cti_oldest_transaction_seconds",
    "Age of the oldest transaction in the database that is still open.", NULL);
static struct metric days_ahead = METRIC_GAUGE("cti_partitions_ahead",
    "Days, today included, for which event_log, event_outcomes and change_feed all have a partition.",
    NULL);

/* Of the session that has kept vacuum waiting for longest. Prepared ones are nobody's session. */
static const struct db_stmt SERVER = {
	.name = "job_server_state",
	.sql = "SELECT COALESCE((SELECT extract(epoch FROM now() - min(xact_start))"
	       "   FROM pg_stat_activity WHERE datname = current_database()"
	       "   AND pid <> pg_backend_pid()), 0)::bigint,"
	       " (SELECT min(days) FROM (SELECT count(c.relname) AS days"
	       "   FROM unnest(ARRAY['event_log', 'event_outcomes', 'change_feed']) AS parent"
	       "   LEFT JOIN pg_inherits AS i ON i.inhparent = parent::regclass"
	       "   LEFT JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relname >= parent || '_'"
	       "     || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')"
	       "   GROUP BY parent) AS parents)::bigint",
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
	metric_set(&oldest_transaction, NULL, 0);
	metric_set(&days_ahead, NULL, 0);
}

static enum err_code
look_at_server(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result q = DB_RESULT_NONE;
	enum err_code rc = db_exec(r->conn, &SERVER, NULL, &q, e);

	if (rc == ERR_OK) {
		metric_set(&oldest_transaction, NULL, db_i64(&q, 0, 0));
		metric_set(&days_ahead, NULL, db_i64(&q, 0, 1));
	}
	return rc;
}

enum err_code
job_gauges(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result q = DB_RESULT_NONE;
	enum err_code rc = db_exec(r->conn, &QUEUE, NULL, &q, e);

	if (rc == ERR_OK)
		set(db_i64(&q, 0, 0), db_i64(&q, 0, 1), db_i64(&q, 0, 2));
	return rc == ERR_OK ? look_at_server(r, e) : rc;
}
