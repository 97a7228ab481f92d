/*
 * A call that is live although nothing was heard of it for CALL_STUCK_HOURS has lost its last event.
 * It gets one from us, in the log like any other, so that a rebuild sees it too; the fold then ends
 * it as abandoned. The hours count from the receipt of the call's last event, by the database's
 * clock: Dialpad's instants may be wrong, and late events must have time to be worked on.
 */
#include "workerd/jobs/job.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/dialpad/call_state.h"

static struct metric swept_total =
    METRIC_COUNTER("cti_swept_calls_total", "Calls ended because their end never came.", NULL);

enum { PAYLOAD_BYTES = 200 };

/* The states are spelled out as in the index calls_live_idx. While the tenant's events wait to be
 * worked on, the end may be among them. */
static const struct db_stmt STUCK = {
	.name = "job_stuck_calls",
	.sql = "SELECT call_id FROM calls c WHERE app_id = $1"
	       " AND status IN ('queued', 'ringing', 'connected', 'on_hold', 'parked')"
	       " AND updated_at < now() - $2 * interval '1 hour'"
	       " AND NOT EXISTS (SELECT 1 FROM event_log l WHERE l.app_id = $1"
	       "   AND l.dialpad_event_id = c.call_id::text AND l.source = 'sweeper'"
	       "   AND l.received_at > c.updated_at)"
	       " AND NOT EXISTS (SELECT 1 FROM event_queue q WHERE q.app_id = $1 AND q.attempts = 0"
	       "   AND q.received_at < now() - interval '1 minute')"
	       " ORDER BY sort_at LIMIT $3",
};

static const struct db_stmt APPEND = {
	.name = "job_sweep",
	.sql = "WITH logged AS (INSERT INTO event_log (app_id, event_id, arrived_at, source, "
	       "event_type,"
	       "   dialpad_event_id, event_at, payload) SELECT $1, u.event_id, $5, 'sweeper', $6,"
	       "   u.call_id::text, $5, u.payload FROM unnest($2, $3, $4) AS u (event_id, call_id, "
	       "payload))"
	       " INSERT INTO event_queue (app_id, event_id) SELECT $1, unnest($2)",
};

static void
add_payload(struct db_array *payloads, int64_t call_id, int64_t now_ms)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(PAYLOAD_BYTES);

	buf_add_fmt(&b,
	    "{\"call_id\":%lld,\"state\":\"" CALL_STATE_SWEPT "\",\"event_timestamp\":%lld,"
	    "\"date_ended\":null}",
	    (long long)call_id, (long long)now_ms);
	db_array_bytes(payloads, buf_str(&b));
}

static enum err_code
append(struct job_run *r, struct uuid app_id, const struct db_result *stuck, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array ids, calls, payloads;
	int64_t now_ms = clock_wall_ms();

	db_array_init(&ids, DB_UUID);
	db_array_init(&calls, DB_I64);
	db_array_init(&payloads, DB_JSON);
	for (int i = 0; i < db_rows(stuck); i++) {
		db_array_uuid(&ids, uuid_v7());
		db_array_i64(&calls, db_i64(stuck, i, 0));
		add_payload(&payloads, db_i64(stuck, i, 0), now_ms);
	}
	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_array(&p, &ids);
	db_p_array(&p, &calls);
	db_p_array(&p, &payloads);
	db_p_time(&p, now_ms);
	db_p_text(&p, STR(CALL_STATE_SWEPT));
	return db_exec(r->conn, &APPEND, &p, NULL, e);
}

/* One chunk; *swept tells how many. */
static enum err_code
sweep(struct job_run *r, struct uuid app_id, int *swept, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result stuck = DB_RESULT_NONE;
	char id[UUID_TEXT_BYTES];
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i32(&p, r->opts->stuck_hours);
	db_p_i64(&p, JOB_CHUNK);
	rc = db_exec(r->conn, &STUCK, &p, &stuck, e);
	*swept = db_rows(&stuck);
	if (rc != ERR_OK || *swept == 0)
		return rc;
	rc = append(r, app_id, &stuck, e);
	if (rc == ERR_OK) {
		metric_add(&swept_total, NULL, *swept);
		log_warn("sweeper.ended", "app=%s calls=%d: no event for %d hours",
		    uuid_format(app_id, id), *swept, r->opts->stuck_hours);
		job_hint_workers(r);
	}
	return rc;
}

enum err_code
job_sweeper(struct job_run *r, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result tenants = DB_RESULT_NONE;
	enum err_code rc = job_tenants(r, &tenants, e);

	metric_declare(&swept_total, NULL);
	for (int i = 0; rc == ERR_OK && i < db_rows(&tenants); i++) {
		int swept = JOB_CHUNK;

		while (rc == ERR_OK && swept == JOB_CHUNK && job_may_go_on(r))
			rc = sweep(r, db_uuid(&tenants, i, 0), &swept, e);
	}
	return rc;
}
