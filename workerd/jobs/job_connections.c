/*
 * Clients are told when the state of their app's connection to Dialpad has changed: by a row of the
 * feed, numbered under the tenant's lock as every other. What changes to and fro between two runs is
 * told once, or not at all.
 */
#include "workerd/jobs/job.h"

static const struct db_stmt UNTOLD = {
	.name = "job_connections_untold",
	.sql = "SELECT app_id FROM dialpad_connections WHERE state <> told_state"
	       " ORDER BY app_id LIMIT $1",
};

/* An app that is about to get its head is told in a later run. */
static const struct db_stmt TELL = {
	.name = "job_connections_tell",
	.sql = "WITH changed AS (UPDATE dialpad_connections SET told_state = state"
	       "   WHERE app_id = $1 AND state <> told_state RETURNING *),"
	       " head AS (UPDATE tenant_heads SET last_seq = last_seq + 1"
	       "   WHERE app_id = $1 AND EXISTS (SELECT FROM changed) RETURNING last_seq)"
	       " INSERT INTO change_feed (app_id, seq, type, data)"
	       " SELECT app_id, last_seq, 'connection.updated', json_build_object("
	       "   'connected', state = 'connected', 'state', state,"
	       "   'reason', CASE WHEN state <> 'connected' THEN last_error END,"
	       "   'environment', environment, 'dialpad_org_id', dialpad_org_id,"
	       "   'company', company_name)"
	       " FROM changed, head",
};

static enum err_code
tell(struct job_run *r, void *app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, *(const struct uuid *)app_id);
	return db_exec(r->conn, &TELL, &p, NULL, e);
}

enum err_code
job_connections(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result untold = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_i64(&p, JOB_CHUNK);
	rc = db_exec(r->conn, &UNTOLD, &p, &untold, e);
	for (int i = 0; rc == ERR_OK && i < db_rows(&untold) && job_may_go_on(r); i++) {
		struct uuid app_id = db_uuid(&untold, i, 0);
		bool busy;

		rc = job_in_turn(r, app_id, tell, &app_id, &busy, e);
	}
	if (db_rows(&untold) > 0)
		job_hint_clients(r);
	return rc;
}
