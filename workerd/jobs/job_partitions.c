/* The days of the log and the feed are made a month ahead, so that a stop of weeks does no harm. */
#include "workerd/jobs/job.h"

#include "common/base/log.h"

static const struct db_stmt ENSURE = {
	.name = "job_ensure_partitions",
	.sql = "SELECT ensure_partitions()",
};

enum err_code
job_partitions(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result made = DB_RESULT_NONE;
	enum err_code rc = db_exec(r->conn, &ENSURE, NULL, &made, e);

	if (rc == ERR_OK && db_i64(&made, 0, 0) > 0)
		log_info("partitions.made", "partitions=%d", (int)db_i64(&made, 0, 0));
	return rc;
}
