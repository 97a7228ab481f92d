/*
 * What nobody asked for, but is due: repairs after an outage; the webhook of an app that lacks its
 * check, whose hook was made with another master key, or where signatures fail in a row.
 */
#include "workerd/jobs/job.h"

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/conf/conf.h"
#include "common/dialpad/hook.h"

static struct metric gaps_total = METRIC_COUNTER("cti_ingest_gaps_total",
    "Outages after which missed calls are asked for, one for each app.", NULL);

/* A time of refusals may still go on; it is closed once ten seconds have passed without one. A call
 * that began before the outage, and ended during it, is still live here: the range reaches back to it.
 * An app that has to be connected again gets its repair then. */
static const struct db_stmt GAPS = {
	.name = "watch_gaps",
	.sql = "WITH gap AS (UPDATE ingest_gaps SET handled_at = now() WHERE gap_id IN ("
	       "     SELECT gap_id FROM ingest_gaps WHERE handled_at IS NULL"
	       "     AND (reason = 'silence' OR ended_at < now() - interval '10 s')"
	       "     ORDER BY ended_at LIMIT 100) RETURNING *)"
	       " INSERT INTO jobs (kind, app_id, job_key, params)"
	       " SELECT 'repair', c.app_id, 'gap-' || gap.gap_id, json_build_object("
	       "   'from', floor(extract(epoch FROM least(gap.began_at - interval '10 min',"
	       "     (SELECT min(sort_at) FROM calls WHERE calls.app_id = c.app_id"
	       "      AND status IN ('queued', 'ringing', 'connected', 'on_hold', 'parked')"
	       "      AND sort_at > now() - interval '29 days'))) * 1000)::bigint,"
	       "   'to', ceil(extract(epoch FROM gap.ended_at) * 1000)::bigint,"
	       "   'reason', 'outage: ' || gap.reason, 'passes', 2)"
	       " FROM gap, dialpad_connections c JOIN apps a USING (app_id)"
	       " WHERE c.state IN ('connected', 'needs_reconnect') AND c.environment = $1"
	       " AND a.deleted_at IS NULL ON CONFLICT DO NOTHING",
};

static const struct db_stmt UNCHECKED = {
	.name = "watch_unchecked",
	.sql = "INSERT INTO jobs (kind, app_id) SELECT 'provision', c.app_id"
	       " FROM dialpad_connections c JOIN apps a USING (app_id)"
	       " WHERE c.state = 'connected' AND c.environment = $1 AND a.deleted_at IS NULL"
	       " AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'provision'"
	       "   AND j.app_id = c.app_id AND j.job_key = '' AND j.run_at IS NOT NULL)"
	       " ON CONFLICT (kind, app_id, job_key) DO UPDATE SET run_at = now(), attempts = 0",
};

/* One that fails waits for its next attempt. */
static const struct db_stmt OTHER_KEY = {
	.name = "watch_other_key",
	.sql =
	    "UPDATE jobs j SET run_at = now() FROM dialpad_connections c"
	    " WHERE c.app_id = j.app_id AND c.state = 'connected' AND c.environment = $1"
	    " AND j.kind = 'provision' AND j.job_key = '' AND j.attempts = 0 AND j.run_at > now()"
	    " AND $2 <> (SELECT key_fingerprint FROM dialpad_webhooks w WHERE w.app_id = j.app_id"
	    "   AND w.state = 'current' ORDER BY hook DESC LIMIT 1)",
};

/* Signatures that fail may mean that somebody changed the secret at Dialpad. */
static const struct db_stmt BAD_SIGNATURES = {
	.name = "watch_bad_signatures",
	.sql = "UPDATE jobs j SET run_at = now() FROM dialpad_connections c"
	       " WHERE c.app_id = j.app_id AND c.state = 'connected' AND c.environment = $1"
	       " AND j.kind = 'provision' AND j.job_key = '' AND j.attempts = 0"
	       " AND j.run_at > now() AND j.finished_at < now() - interval '5 min'"
	       " AND EXISTS (SELECT 1 FROM hook_failures f WHERE f.app_id = j.app_id"
	       "   AND f.failures >= 5 AND f.last_at > j.finished_at)",
};

static enum err_code
find(struct job_run *r, const struct db_stmt *s, const char *fingerprint, int64_t *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(r->opts->conf->dialpad_env));
	if (fingerprint != NULL)
		db_p_text(&p, str_of(fingerprint));
	rc = db_exec(r->conn, s, &p, &done, e);
	*n = rc == ERR_OK ? db_affected(&done) : 0;
	if (*n > 0)
		job_hint_requests(r);
	return rc;
}

static enum err_code
find_gaps(struct job_run *r, struct err *e)
{
	int64_t n;
	enum err_code rc = find(r, &GAPS, NULL, &n, e);

	metric_add(&gaps_total, NULL, n);
	if (n > 0)
		log_warn("ingest.gap", "repairs=%d: events may have been missed", (int)n);
	return rc;
}

static enum err_code
find_other_keys(struct job_run *r, struct err *e)
{
	char fingerprint[HOOK_FINGERPRINT_BYTES];
	int64_t n;

	if (r->opts->conf->master_key[0] == '\0')
		return ERR_OK;
	hook_fingerprint(str_of(r->opts->conf->master_key), fingerprint);
	return find(r, &OTHER_KEY, fingerprint, &n, e);
}

enum err_code
job_watch(struct job_run *r, struct err *e)
{
	int64_t n;
	enum err_code rc;

	metric_declare(&gaps_total, NULL);
	rc = find_gaps(r, e);
	if (rc == ERR_OK)
		rc = find(r, &UNCHECKED, NULL, &n, e);
	if (rc == ERR_OK)
		rc = find(r, &BAD_SIGNATURES, NULL, &n, e);
	return rc == ERR_OK ? find_other_keys(r, e) : rc;
}
