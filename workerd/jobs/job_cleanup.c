/* What is good for nothing any more is deleted, an hour late: the clock of a daemon that checks an
 * expiry may be behind the database's, and a spent ticket that was forgotten could be used again.
 * What became of an admin's request is shown for a month. */
#include "workerd/jobs/job.h"

/* Through expires_at, the only column that workerd may read of these tables. Of rows that expire at
 * one instant all go at once. */
#define DELETE_EXPIRED(table)                                                                \
	{                                                                                    \
		"job_expired_" table,                                                        \
		    "DELETE FROM " table " WHERE expires_at <= (SELECT max(expires_at) FROM" \
		    " (SELECT expires_at FROM " table                                        \
		    " WHERE expires_at < now() - interval '1 hour'"                          \
		    " ORDER BY expires_at LIMIT $1) AS chunk)"                               \
	}

static const struct db_stmt STATEMENTS[] = {
	DELETE_EXPIRED("oauth_states"),
	DELETE_EXPIRED("used_tickets"),
	DELETE_EXPIRED("idempotency_keys"),
	DELETE_EXPIRED("live_tokens"),
	{ "job_forgotten_requests",
	    "DELETE FROM jobs WHERE (kind, app_id, job_key) IN (SELECT kind, app_id, job_key FROM jobs"
	    " WHERE kind IN ('replay', 'assign', 'erase') AND run_at IS NULL"
	    " AND finished_at < now() - interval '30 days' LIMIT $1)" },
};

static enum err_code
delete_expired(struct job_run *r, const struct db_stmt *s, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc = ERR_OK;
	int64_t deleted = JOB_CHUNK;

	db_params_init(&p);
	db_p_i64(&p, JOB_CHUNK);
	while (rc == ERR_OK && deleted >= JOB_CHUNK && job_may_go_on(r)) {
		AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;

		rc = db_exec(r->conn, s, &p, &done, e);
		deleted = rc == ERR_OK ? db_affected(&done) : 0;
	}
	return rc;
}

/* Repairs are kept for people to look at; one that never succeeds ends here, too. */
static const struct db_stmt OLD_REPAIRS = {
	.name = "job_old_repairs",
	.sql = "DELETE FROM jobs WHERE kind = 'repair' AND created_at < now() - interval '30 days'",
};

static const struct db_stmt OLD_GAPS = {
	.name = "job_old_gaps",
	.sql = "DELETE FROM ingest_gaps WHERE handled_at < now() - interval '30 days'",
};

enum err_code
job_cleanup(struct job_run *r, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < sizeof STATEMENTS / sizeof STATEMENTS[0] && rc == ERR_OK; i++)
		rc = delete_expired(r, &STATEMENTS[i], e);
	if (rc == ERR_OK)
		rc = db_exec(r->conn, &OLD_REPAIRS, NULL, NULL, e);
	return rc == ERR_OK ? db_exec(r->conn, &OLD_GAPS, NULL, NULL, e) : rc;
}
