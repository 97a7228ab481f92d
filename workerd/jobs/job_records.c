/* Calls, messages and voicemails older than RECORDS_RETENTION_DAYS are deleted. Clients are not told:
 * they know the rule. */
#include "workerd/jobs/job.h"

#include "common/base/log.h"

#define DELETE_OLD(table, key)                                                                 \
	{                                                                                      \
		"job_old_" table,                                                              \
		    "DELETE FROM " table " WHERE app_id = $1 AND " key " = ANY (ARRAY("        \
		    "SELECT " key " FROM " table " WHERE app_id = $1"                          \
		    " AND sort_at < now() - $2 * interval '1 day' ORDER BY sort_at LIMIT $3))" \
	}

static const struct db_stmt STATEMENTS[] = {
	DELETE_OLD("voicemails", "call_id"),
	DELETE_OLD("calls", "call_id"),
	DELETE_OLD("messages", "message_id"),
};

enum { NSTATEMENTS = sizeof STATEMENTS / sizeof STATEMENTS[0] };

struct chunk {
	struct uuid app_id;
	const struct db_stmt *stmt;
	int64_t deleted;
};

static enum err_code
delete_chunk(struct job_run *r, void *arg, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	struct chunk *c = arg;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, c->app_id);
	db_p_i32(&p, r->opts->record_days);
	db_p_i64(&p, JOB_CHUNK);
	rc = db_exec(r->conn, c->stmt, &p, &done, e);
	if (rc == ERR_OK)
		c->deleted = db_affected(&done);
	return rc;
}

/* All old rows of one table; a tenant that is busy all the time is left to the next run. */
static enum err_code
delete_old(
    struct job_run *r, struct uuid app_id, const struct db_stmt *s, int64_t *total, struct err *e)
{
	struct chunk c = { app_id, s, JOB_CHUNK };
	bool busy = false;

	while (c.deleted >= JOB_CHUNK && !busy && job_may_go_on(r)) {
		enum err_code rc = job_in_turn(r, app_id, delete_chunk, &c, &busy, e);

		if (rc != ERR_OK)
			return rc;
		*total += busy ? 0 : c.deleted;
	}
	return ERR_OK;
}

static enum err_code
clear_tenant(struct job_run *r, struct uuid app_id, struct err *e)
{
	enum err_code rc = ERR_OK;
	char id[UUID_TEXT_BYTES];
	int64_t total = 0;

	for (int i = 0; i < NSTATEMENTS && rc == ERR_OK; i++)
		rc = delete_old(r, app_id, &STATEMENTS[i], &total, e);
	if (total > 0)
		log_info("records.deleted", "app=%s records=%lld older than %d days",
		    uuid_format(app_id, id), (long long)total, r->opts->record_days);
	return rc;
}

enum err_code
job_records(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result tenants = DB_RESULT_NONE;
	enum err_code rc;

	if (r->opts->record_days == 0)
		return ERR_OK;
	rc = job_tenants(r, &tenants, e);
	for (int i = 0; rc == ERR_OK && i < db_rows(&tenants) && job_may_go_on(r); i++)
		rc = clear_tenant(r, db_uuid(&tenants, i, 0), e);
	return rc;
}
