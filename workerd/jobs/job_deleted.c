/*
 * The data of apps that an admin has deleted. The app's row stays, so that its id is never used
 * again; its head goes last, and until then a run that was cut short is taken up again. Events that
 * come later are set aside by the job `heads`, which leaves a row in `jobs`: so they are found here.
 */
#include "workerd/jobs/job.h"

#include "common/base/log.h"
#include "workerd/batch/tenant_db.h"
#include "workerd/claim/claim_db.h"

static const struct db_stmt DELETED = {
	.name = "job_deleted_apps",
	.sql = "SELECT a.app_id, h.app_id IS NOT NULL FROM apps a"
	       " LEFT JOIN tenant_heads h USING (app_id) WHERE a.deleted_at IS NOT NULL"
	       " AND (h.app_id IS NOT NULL OR EXISTS (SELECT 1 FROM jobs j"
	       "   WHERE j.kind = 'unknown_app' AND j.app_id = a.app_id))"
	       " ORDER BY a.app_id",
};

/* A thousand of the oldest rows, and whatever has the instant of the last of them. */
#define OLDEST(table, at)                                                       \
	"DELETE FROM " table " WHERE app_id = $1 AND " at " <= (SELECT max(" at \
	") FROM (SELECT " at " FROM " table " WHERE app_id = $1 ORDER BY " at   \
	" LIMIT $2) AS chunk)"
#define DELETE_CHUNK(table, at)                         \
	{                                               \
		"job_deleted_" table, OLDEST(table, at) \
	}

/* An event of the bare route is there twice: the original, of no tenant, goes with the tenant's copy. */
#define DELETE_EVENTS(log)                                                                                            \
	{                                                                                                             \
		"job_deleted_" log,                                                                                   \
		    "WITH gone AS (" OLDEST(log,                                                                      \
			"received_at") " RETURNING origin_event_id), " CLAIM_ORIGINALS_GO("gone") " SELECT FROM gone" \
	}

/* The queue first: what is not in it makes no new records. */
static const struct db_stmt CHUNKS[] = {
	DELETE_CHUNK("event_queue", "received_at"),
	DELETE_CHUNK("voicemails", "created_at"),
	DELETE_CHUNK("calls", "created_at"),
	DELETE_CHUNK("messages", "created_at"),
	DELETE_CHUNK("change_feed", "created_at"),
	DELETE_CHUNK("event_outcomes", "received_at"),
	DELETE_CHUNK("event_outcomes_archive", "received_at"),
	DELETE_EVENTS("event_log"),
	DELETE_EVENTS("event_log_archive"),
};

static const struct db_stmt LAST[] = {
	{ "job_deleted_hooks", "DELETE FROM dialpad_webhooks WHERE app_id = $1" },
	{ "job_deleted_connection", "DELETE FROM dialpad_connections WHERE app_id = $1" },
	{ "job_deleted_jobs", "DELETE FROM jobs WHERE app_id = $1" },
	{ "job_deleted_head", "DELETE FROM tenant_heads WHERE app_id = $1" },
};

enum {
	COL_APP_ID,
	COL_HAS_HEAD,
	NCHUNKS = sizeof CHUNKS / sizeof CHUNKS[0],
	NLAST = sizeof LAST / sizeof LAST[0],
};

struct ending {
	struct uuid app_id;
	bool has_head;
	bool busy; /* a worker is serving it just now */
	int64_t rows;
};

/* ---- one transaction each, beside no worker ---- */

static enum err_code
begin(struct job_run *r, struct ending *a, struct err *e)
{
	bool locked = true;
	enum err_code rc = db_begin(r->conn, e);

	if (rc == ERR_OK && a->has_head)
		rc = tenant_lock(r->conn, a->app_id, &locked, e);
	a->busy = !locked;
	return rc;
}

static enum err_code
end(struct job_run *r, enum err_code rc, struct err *e)
{
	if (rc == ERR_OK)
		rc = db_commit(r->conn, e);
	if (rc != ERR_OK)
		db_rollback(r->conn);
	return rc;
}

static enum err_code
delete_chunk(
    struct job_run *r, struct ending *a, const struct db_stmt *s, int64_t *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc = begin(r, a, e);

	db_params_init(&p);
	db_p_uuid(&p, a->app_id);
	db_p_i64(&p, JOB_CHUNK);
	if (rc == ERR_OK && !a->busy)
		rc = job_join_by_key(r, e);
	if (rc == ERR_OK && !a->busy)
		rc = db_exec(r->conn, s, &p, &done, e);
	rc = end(r, rc, e);
	*n = rc == ERR_OK && !a->busy ? db_affected(&done) : 0;
	a->rows += *n;
	return rc;
}

static enum err_code
delete_last(struct job_run *r, struct ending *a, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc = begin(r, a, e);

	db_params_init(&p);
	db_p_uuid(&p, a->app_id);
	for (int i = 0; i < NLAST && rc == ERR_OK && !a->busy; i++)
		rc = db_exec(r->conn, &LAST[i], &p, NULL, e);
	return end(r, rc, e);
}

/* ---- one app ---- */

/* False with ERR_OK: there is more to do, in the next run. */
static enum err_code
delete_rows(struct job_run *r, struct ending *a, bool *all, struct err *e)
{
	int64_t n;

	*all = false;
	for (int i = 0; i < NCHUNKS; i++) {
		do {
			enum err_code rc;

			if (!job_may_go_on(r))
				return ERR_OK;
			rc = delete_chunk(r, a, &CHUNKS[i], &n, e);
			if (rc != ERR_OK || a->busy)
				return rc;
		} while (n > 0);
	}
	*all = true;
	return ERR_OK;
}

static enum err_code
delete_app(struct job_run *r, struct ending *a, struct err *e)
{
	char id[UUID_TEXT_BYTES];
	bool all;
	enum err_code rc = delete_rows(r, a, &all, e);

	if (rc == ERR_OK && all)
		rc = delete_last(r, a, e);
	if (a->busy)
		r->more = true;
	if (rc == ERR_OK)
		log_info("app.data_deleted", "app=%s rows=%lld%s", uuid_format(a->app_id, id),
		    (long long)a->rows, all && !a->busy ? ", and that was all" : "");
	return rc;
}

enum err_code
job_deleted(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result apps = DB_RESULT_NONE;
	enum err_code rc = db_exec(r->conn, &DELETED, NULL, &apps, e);

	for (int i = 0; rc == ERR_OK && i < db_rows(&apps) && job_may_go_on(r); i++) {
		struct ending a = {
			.app_id = db_uuid(&apps, i, COL_APP_ID),
			.has_head = db_bool(&apps, i, COL_HAS_HEAD),
		};

		rc = delete_app(r, &a, e);
	}
	return rc;
}
