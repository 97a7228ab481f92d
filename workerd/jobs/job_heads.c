/*
 * Every app has a head in tenant_heads; without one no worker ever sees its events. An app that lost
 * or never got it is given one here. Events of an id that no app has leave the queue after a grace,
 * because the app may be about to be created; when one with that id appears they come back. The ids
 * that were met so are remembered in `jobs`, as rows that are never due.
 */
#include "workerd/jobs/job.h"

#include "common/base/log.h"

enum { GRACE_MINUTES = 5, MOST_APPS = 100 };

static const struct db_stmt ADD_HEADS = {
	.name = "job_add_heads",
	.sql = "INSERT INTO tenant_heads (app_id) SELECT a.app_id FROM apps a"
	       " WHERE a.deleted_at IS NULL"
	       " AND NOT EXISTS (SELECT 1 FROM tenant_heads h WHERE h.app_id = a.app_id)"
	       " ON CONFLICT DO NOTHING",
};

static const struct db_stmt HEADLESS = {
	.name = "job_headless",
	.sql = "SELECT q.app_id FROM event_queue q"
	       " WHERE q.received_at < now() - $1 * interval '1 minute'"
	       " AND NOT EXISTS (SELECT 1 FROM tenant_heads h WHERE h.app_id = q.app_id)"
	       " GROUP BY q.app_id LIMIT $2",
};

static const struct db_stmt REMEMBER = {
	.name = "job_remember_unknown",
	.sql = "INSERT INTO jobs (kind, app_id, run_at) VALUES ('unknown_app', $1, NULL)"
	       " ON CONFLICT DO NOTHING",
};

static const struct db_stmt SET_ASIDE = {
	.name = "job_set_unknown_aside",
	.sql =
	    "WITH gone AS (DELETE FROM event_queue WHERE app_id = $1 AND event_id = ANY (ARRAY("
	    "   SELECT event_id FROM event_queue WHERE app_id = $1"
	    "   AND received_at < now() - $2 * interval '1 minute' ORDER BY event_id LIMIT $3))"
	    "   AND NOT EXISTS (SELECT 1 FROM tenant_heads WHERE app_id = $1)"
	    "   RETURNING app_id, received_at, event_id, attempts)"
	    " INSERT INTO event_outcomes (app_id, received_at, event_id, verdict, attempts, "
	    "last_error)"
	    " SELECT app_id, received_at, event_id, 'unknown_app', attempts,"
	    "   'Unknown app: no app has the id ' || app_id FROM gone"
	    " ON CONFLICT (app_id, received_at, event_id) DO UPDATE SET verdict = EXCLUDED.verdict,"
	    "   attempts = EXCLUDED.attempts, last_error = EXCLUDED.last_error, at = now()",
};

static const struct db_stmt APPEARED = {
	.name = "job_unknown_appeared",
	.sql = "SELECT j.app_id FROM jobs j JOIN apps a ON a.app_id = j.app_id"
	       " WHERE j.kind = 'unknown_app' AND a.deleted_at IS NULL LIMIT $1",
};

/* All that were received at one instant come back at once. */
static const struct db_stmt GIVE_BACK = {
	.name = "job_give_back",
	.sql =
	    "WITH back AS (DELETE FROM event_outcomes WHERE app_id = $1 AND verdict = 'unknown_app'"
	    "   AND received_at <= (SELECT max(received_at) FROM (SELECT received_at"
	    "     FROM event_outcomes WHERE app_id = $1 AND verdict = 'unknown_app'"
	    "     ORDER BY received_at LIMIT $2) AS chunk)"
	    "   RETURNING app_id, event_id, received_at)"
	    " INSERT INTO event_queue (app_id, event_id, received_at)"
	    " SELECT app_id, event_id, received_at FROM back"
	    " ON CONFLICT (app_id, event_id) DO UPDATE SET next_attempt_at = now()",
};

static const struct db_stmt FORGET = {
	.name = "job_forget_unknown",
	.sql = "DELETE FROM jobs WHERE kind = 'unknown_app' AND app_id = $1",
};

static enum err_code
add_heads(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result added = DB_RESULT_NONE;
	enum err_code rc = db_exec(r->conn, &ADD_HEADS, NULL, &added, e);

	if (rc == ERR_OK && db_affected(&added) > 0) {
		log_warn("heads.added", "apps=%d had none", (int)db_affected(&added));
		job_hint_workers(r);
	}
	return rc;
}

/* ---- ids that no app has ---- */

static enum err_code
set_aside_chunk(struct job_run *r, struct uuid app_id, int64_t *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params app, p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc = db_begin(r->conn, e);

	db_params_init(&app);
	db_params_init(&p);
	db_p_uuid(&app, app_id);
	db_p_uuid(&p, app_id);
	db_p_i32(&p, GRACE_MINUTES);
	db_p_i64(&p, JOB_CHUNK);
	if (rc == ERR_OK)
		rc = db_exec(r->conn, &REMEMBER, &app, NULL, e);
	if (rc == ERR_OK)
		rc = db_exec(r->conn, &SET_ASIDE, &p, &done, e);
	if (rc == ERR_OK)
		rc = db_commit(r->conn, e);
	if (rc != ERR_OK)
		db_rollback(r->conn);
	*n = rc == ERR_OK ? db_affected(&done) : 0;
	return rc;
}

static enum err_code
set_aside(struct job_run *r, struct uuid app_id, struct err *e)
{
	int64_t n = JOB_CHUNK, total = 0;
	char id[UUID_TEXT_BYTES];
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && n == JOB_CHUNK && job_may_go_on(r)) {
		rc = set_aside_chunk(r, app_id, &n, e);
		total += n;
	}
	if (total > 0)
		log_warn(
		    "event.unknown_app", "app=%s events=%d", uuid_format(app_id, id), (int)total);
	return rc;
}

static enum err_code
set_unknown_aside(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result apps = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_i32(&p, GRACE_MINUTES);
	db_p_i64(&p, MOST_APPS);
	rc = db_exec(r->conn, &HEADLESS, &p, &apps, e);
	for (int i = 0; rc == ERR_OK && i < db_rows(&apps) && job_may_go_on(r); i++)
		rc = set_aside(r, db_uuid(&apps, i, 0), e);
	return rc;
}

/* ---- ids that an app has now ---- */

static enum err_code
give_back_chunk(struct job_run *r, struct uuid app_id, int64_t *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i64(&p, JOB_CHUNK);
	rc = db_exec(r->conn, &GIVE_BACK, &p, &done, e);
	*n = rc == ERR_OK ? db_affected(&done) : 0;
	return rc;
}

static enum err_code
give_back(struct job_run *r, struct uuid app_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	int64_t n = 1;
	char id[UUID_TEXT_BYTES];

	db_params_init(&p);
	while (n > 0) {
		enum err_code rc;

		if (!job_may_go_on(r))
			return ERR_OK;
		rc = give_back_chunk(r, app_id, &n, e);
		if (rc != ERR_OK)
			return rc;
		if (n > 0) {
			log_info("event.app_appeared", "app=%s events=%d", uuid_format(app_id, id),
			    (int)n);
			job_hint_workers(r);
		}
	}
	db_p_uuid(&p, app_id);
	return db_exec(r->conn, &FORGET, &p, NULL, e);
}

static enum err_code
give_all_back(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result apps = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_i64(&p, MOST_APPS);
	rc = db_exec(r->conn, &APPEARED, &p, &apps, e);
	for (int i = 0; rc == ERR_OK && i < db_rows(&apps) && job_may_go_on(r); i++)
		rc = give_back(r, db_uuid(&apps, i, 0), e);
	return rc;
}

enum err_code
job_heads(struct job_run *r, struct err *e)
{
	enum err_code rc = add_heads(r, e);

	if (rc == ERR_OK)
		rc = set_unknown_aside(r, e);
	return rc == ERR_OK ? give_all_back(r, e) : rc;
}
