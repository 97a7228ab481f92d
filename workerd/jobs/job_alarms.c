/*
 * What needs a person. An alarm that is raised is a row in `jobs` of the kind "alert", sent once to
 * ALERT_WEBHOOK_URL; when its cause is gone the row goes, and the alarm can be raised again.
 *
 * The raised ones are found by app and job_key, so each statement raises at most one row for an app.
 */
#include "workerd/jobs/job.h"

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/conf/conf.h"

static struct metric raised_total =
    METRIC_COUNTER("cti_alarms_total", "Alarms raised, by kind.", "kind");

#define RAISE(key, type, data)                                                                  \
	"INSERT INTO jobs (kind, app_id, job_key, params) SELECT 'alert', a.app_id, '" key "'," \
	" json_build_object('id', 'msg_' || gen_random_uuid(), 'type', '" type "',"             \
	" 'timestamp', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')," \
	" 'data', json_build_object('app_id', a.app_id, 'app', a.name, " data "))"              \
	" FROM apps a LEFT JOIN dialpad_connections c USING (app_id)"

/* A hook that was set up by hand has no connection. */
#define AND_LIVES " AND a.deleted_at IS NULL AND coalesce(c.environment, $1) = $1"

/* Silent against its habit: there was no event for two hours, in which at least two of the last four
 * weeks had ten or more. */
#define EVENTS_SINCE(at)                                                                      \
	"EXISTS (SELECT 1 FROM event_log e WHERE e.app_id = a.app_id AND e.received_at > " at \
	" AND e.source = 'webhook')"
#define HABIT                                                                              \
	"(SELECT count(*) FROM generate_series(1, 4) AS week WHERE (SELECT count(*) FROM"  \
	"   (SELECT 1 FROM event_log e WHERE e.app_id = a.app_id AND e.source = 'webhook'" \
	"    AND e.received_at > now() - week * interval '7 days' - interval '2 hours'"    \
	"    AND e.received_at <= now() - week * interval '7 days' LIMIT 10) ten) = 10) >= 2"
#define LAST_EVENT                                                              \
	"(SELECT max(e.received_at) FROM event_log e WHERE e.app_id = a.app_id" \
	" AND e.source = 'webhook' AND e.received_at > now() - interval '29 days')"

/* What may have been missed is asked for: of a silence when it is noticed and when it ends, of wrong
 * signatures when a right one comes. */
#define REPAIR(from, key, reason)                                                              \
	"INSERT INTO jobs (kind, app_id, job_key, params) SELECT 'repair', app_id, '" key "-'" \
	" || floor(extract(epoch FROM now())), json_build_object('from', " from ","            \
	" 'to', floor(extract(epoch FROM now()) * 1000)::bigint, 'reason', '" reason "',"      \
	" 'passes', 2)"

static const struct alarm {
	const char *key;
	struct db_stmt raise, clear;
} ALARMS[] = {
	{
	    "needs_reconnect",
	    { "alarm_reconnect",
		RAISE("needs_reconnect", "connection.needs_reconnect",
		    "'company', c.company_name, 'reason', c.last_error") " WHERE c.state = 'needs_reconnect'" AND_LIVES
									 " ON CONFLICT DO NOTHING" },
	    { "alarm_reconnected",
		"DELETE FROM jobs j WHERE kind = 'alert' AND job_key = 'needs_reconnect'"
		" AND NOT EXISTS (SELECT 1 FROM dialpad_connections c WHERE c.app_id = j.app_id"
		"   AND c.state = 'needs_reconnect' AND c.environment = $1)" },
	},
	{
	    "bad_signatures",
	    { "alarm_signatures",
		RAISE("bad_signatures", "webhook.bad_signatures",
		    "'hook', f.hook, 'failures', f.failures, 'since', f.first_at") " JOIN hook_failures f ON f.app_id = a.app_id"
										   " JOIN dialpad_webhooks w ON w.app_id = f.app_id AND w.hook = f.hook"
										   "   AND w.state = 'current'"
										   " WHERE f.failures >= 5" AND_LIVES
										   " ON CONFLICT DO NOTHING" },
	    { "alarm_signatures_end",
		"WITH over AS (DELETE FROM hook_failures f WHERE $1 = coalesce("
		"     (SELECT environment FROM dialpad_connections c WHERE c.app_id = f.app_id), $1)"
		"   AND (last_at < now() - interval '1 day' OR EXISTS (SELECT 1 FROM event_log e"
		"     WHERE e.app_id = f.app_id AND e.received_at > f.first_at AND e.hook = f.hook"
		"     AND e.source = 'webhook')) RETURNING app_id, failures, first_at),"
		" gone AS (DELETE FROM jobs WHERE kind = 'alert' AND job_key = 'bad_signatures'"
		"   AND app_id IN (SELECT app_id FROM over)) " REPAIR(
		    "floor(extract(epoch FROM min(first_at) - interval '10 min') * 1000)::bigint",
		    "signatures",
		    "wrong signatures") " FROM over JOIN dialpad_connections c USING (app_id)"
					" WHERE failures >= 5 AND c.state = 'connected' GROUP BY app_id" },
	},
	{
	    "silent",
	    { "alarm_silent",
		"WITH raised AS (" RAISE("silent", "webhook.silent",
		    "'last_event_at', " LAST_EVENT
		    ", 'since_ms', floor(extract(epoch FROM " LAST_EVENT
		    ") * 1000)::bigint") " WHERE c.state = 'connected' AND NOT " EVENTS_SINCE("now() - interval '2 hours'") " AND " HABIT
		    AND_LIVES " ON CONFLICT DO NOTHING RETURNING app_id, params), missed AS (" REPAIR(
			"(params->'data'->>'since_ms')::bigint", "silent",
			"silent hook") " FROM raised)"
				       " SELECT app_id FROM raised" },
	    { "alarm_heard",
		"WITH over AS (DELETE FROM jobs j WHERE kind = 'alert' AND job_key = 'silent'"
		"   AND (NOT EXISTS (SELECT 1 FROM dialpad_connections c WHERE c.app_id = j.app_id"
		"       AND c.state = 'connected' AND c.environment = $1)"
		"     OR EXISTS (SELECT 1 FROM event_log e WHERE e.app_id = j.app_id"
		"       AND e.received_at > j.created_at AND e.source = 'webhook'))"
		"   RETURNING app_id, params) " REPAIR(
		    "(params->'data'->>'since_ms')::bigint", "heard", "silent hook") " FROM over" },
	},
};

static enum err_code
run(struct job_run *r, const struct db_stmt *s, int64_t *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_text(&p, str_of(r->opts->conf->dialpad_env));
	rc = db_exec(r->conn, s, &p, &done, e);
	*n = rc == ERR_OK ? db_affected(&done) : 0;
	return rc;
}

enum err_code
job_alarms(struct job_run *r, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < sizeof ALARMS / sizeof ALARMS[0] && rc == ERR_OK; i++) {
		int64_t n;

		metric_declare(&raised_total, ALARMS[i].key);
		rc = run(r, &ALARMS[i].clear, &n, e);
		if (rc == ERR_OK)
			rc = run(r, &ALARMS[i].raise, &n, e);
		metric_add(&raised_total, ALARMS[i].key, n);
		if (n > 0) {
			log_error("alarm.raised", "kind=%s apps=%d", ALARMS[i].key, (int)n);
			job_hint_requests(r);
		}
	}
	return rc;
}
