#include "workerd/claim/claim_again.h"

#include "common/base/log.h"
#include "workerd/claim/claim_db.h"

/* A hash of all that decides whose an event is. */
#define CLAIMS                                                                             \
	"(WITH " CLAIM_TENANTS ", claims AS ("                                             \
	"   SELECT concat_ws(' ', 'app', app_id, c.dialpad_org_id, c.office_ids) AS claim" \
	"   FROM eligible LEFT JOIN dialpad_connections c USING (app_id)"                  \
	"   UNION ALL SELECT concat_ws(' ', 'rule', kind, dialpad_id, app_id)"             \
	"   FROM claim_rules JOIN tenants USING (app_id))"                                 \
	" SELECT encode(sha256(convert_to("                                                \
	"   COALESCE(string_agg(claim, ',' ORDER BY claim), ''), 'UTF8')), 'hex') FROM claims)"
#define WALK "kind = 'unclaimed' AND app_id = " CLAIM_NIL " AND job_key = ''"

/* A walk whose last chunk was full finds out that it is at its end by one more look. */
static const struct db_stmt IS_NEEDED = {
	.name = "claim_again_is_needed",
	.sql = "SELECT CASE WHEN EXISTS (SELECT 1 FROM event_outcomes"
	       "     WHERE app_id = " CLAIM_NIL " AND verdict = 'unclaimed')"
	       "   THEN NOT EXISTS (SELECT 1 FROM jobs WHERE " WALK
	       "     AND finished_at IS NOT NULL AND result ->> 'claims' = " CLAIMS ")"
	       "   ELSE EXISTS (SELECT 1 FROM jobs WHERE " WALK " AND finished_at IS NULL) END",
};

/* It has no run_at: nothing is due at a time. */
static const struct db_stmt BEGIN_WALK = {
	.name = "claim_again_begin",
	.sql = "INSERT INTO jobs AS walk (kind, run_at, started_at, result)"
	       " VALUES ('unclaimed', NULL, clock_timestamp(), json_build_object('claims', " CLAIMS
	       "))"
	       " ON CONFLICT (kind, app_id, job_key) DO UPDATE SET"
	       "   started_at = EXCLUDED.started_at, finished_at = NULL, result = EXCLUDED.result"
	       " WHERE walk.result ->> 'claims' IS DISTINCT FROM EXCLUDED.result ->> 'claims'",
};

/* A chunk is cut by time, so that each partition's index on it finds the rows; what was judged in one
 * transaction has one time and stays together. received_at is copied inside the database: it is the
 * log's key, in microseconds. */
static const struct db_stmt REQUEUE = {
	.name = "claim_again_requeue",
	.sql = "WITH oldest AS (SELECT at FROM event_outcomes"
	       "   WHERE app_id = $1 AND verdict = 'unclaimed'"
	       "   AND at < (SELECT started_at FROM jobs WHERE " WALK ") ORDER BY at LIMIT $2),"
	       " gone AS (DELETE FROM event_outcomes WHERE app_id = $1 AND verdict = 'unclaimed'"
	       "   AND at <= (SELECT max(at) FROM oldest) RETURNING event_id, received_at),"
	       " back AS (INSERT INTO event_queue (app_id, event_id, received_at)"
	       "   SELECT $1, event_id, received_at FROM gone ON CONFLICT DO NOTHING)"
	       " SELECT count(*) FROM gone",
};

static const struct db_stmt END_WALK = {
	.name = "claim_again_end",
	.sql = "UPDATE jobs SET finished_at = clock_timestamp() WHERE " WALK,
};

static enum err_code
is_needed(struct db_conn *c, const struct batch_opts *o, bool *needed, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_bool(&p, o->single_tenant);
	rc = db_exec(c, &IS_NEEDED, &p, &r, e);
	if (rc == ERR_OK)
		*needed = db_bool(&r, 0, 0);
	return rc;
}

static enum err_code
begin_walk(struct db_conn *c, const struct batch_opts *o, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_bool(&p, o->single_tenant);
	return db_exec(c, &BEGIN_WALK, &p, NULL, e);
}

/* A chunk that is not full is the last. */
static enum err_code
requeue(struct db_conn *c, int limit, int *events, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, UUID_NIL);
	db_p_i64(&p, limit);
	rc = db_exec(c, &REQUEUE, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*events = (int)db_i64(&r, 0, 0);
	return *events >= limit ? ERR_OK : db_exec(c, &END_WALK, NULL, NULL, e);
}

static enum err_code
walk_locked(
    struct db_conn *c, const struct batch_opts *o, bool keep_mark, int *events, struct err *e)
{
	bool locked;
	enum err_code rc = tenant_lock(c, UUID_NIL, &locked, e);

	if (rc != ERR_OK || !locked)
		return rc;
	rc = begin_walk(c, o, e);
	if (rc == ERR_OK)
		rc = requeue(c, o->limit, events, e);
	return rc != ERR_OK ? rc : tenant_served(c, UUID_NIL, 0, keep_mark, e);
}

static enum err_code
walk(struct db_conn *c, const struct batch_opts *o, bool keep_mark, int *events, struct err *e)
{
	struct err ignored;
	enum err_code rc = db_begin(c, e);

	if (rc == ERR_OK)
		rc = walk_locked(c, o, keep_mark, events, e);
	if (rc == ERR_OK)
		rc = db_commit(c, e);
	if (rc == ERR_OK)
		return ERR_OK;
	db_rollback(c);
	if (!db_is_broken(c) && !keep_mark && tenant_release(c, UUID_NIL, &ignored) != ERR_OK)
		log_err(LOG_DEBUG, "tenant.not_released", &ignored);
	return rc;
}

enum err_code
claim_again(struct db_conn *c, const struct batch_opts *o, bool *more, struct err *e)
{
	struct tenant nil = { .died = false };
	bool needed, found = false;
	int events = 0;
	enum err_code rc = is_needed(c, o, &needed, e);

	if (rc == ERR_OK && needed)
		rc = tenant_claim_one(c, UUID_NIL, false, &nil, &found, e);
	if (rc == ERR_OK && found)
		rc = walk(c, o, nil.died, &events, e);
	if (rc != ERR_OK)
		return rc;
	if (events > 0)
		log_info("unclaimed.again", "events=%d", events);
	*more = needed && (!found || events >= o->limit);
	return ERR_OK;
}
