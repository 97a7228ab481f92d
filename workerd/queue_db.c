#include "workerd/queue_db.h"

#include <sodium.h>

/* OFFSET 0 keeps the planner from joining: it would read the whole queue to find one row each. */
#define DUE                                                             \
	"EXISTS (SELECT 1 FROM event_queue q WHERE q.app_id = h.app_id" \
	" AND q.next_attempt_at <= now() OFFSET 0)"

static const struct db_stmt LOCK_TENANT = {
	.name = "queue_lock_tenant",
	.sql = "SELECT h.app_id FROM tenant_heads h WHERE " DUE
	       " ORDER BY h.served_at NULLS FIRST LIMIT 1 FOR UPDATE OF h SKIP LOCKED",
};

static const struct db_stmt ANY_DUE = {
	.name = "queue_any_due",
	.sql = "SELECT EXISTS (SELECT 1 FROM tenant_heads h WHERE " DUE ")",
};

/* LATERAL with LIMIT: one index probe in one partition of the log per event, whatever the planner
 * believes about the size of either table. */
static const struct db_stmt TAKE = {
	.name = "queue_take",
	.sql = "SELECT q.event_id, q.received_at, q.attempts, l.payload, l.payload_raw"
	       " FROM (SELECT event_id, received_at, attempts FROM event_queue"
	       "       WHERE app_id = $1 AND next_attempt_at <= now() ORDER BY event_id LIMIT $2) q"
	       " LEFT JOIN LATERAL (SELECT payload, payload_raw FROM event_log"
	       "       WHERE app_id = $1 AND received_at = q.received_at AND event_id = q.event_id"
	       "       LIMIT 1) l ON true"
	       " ORDER BY q.event_id",
};

static const struct db_stmt REMOVE = {
	.name = "queue_remove",
	.sql = "DELETE FROM event_queue WHERE app_id = $1 AND event_id = ANY ($2)",
};

/* The log's key is in microseconds, so it is taken from the queue, not rebuilt from our ms. An outcome
 * lives as long as its row in the log: without one there may not even be a partition for it. */
static const struct db_stmt OUTCOME = {
	.name = "queue_outcome",
	.sql =
	    "INSERT INTO event_outcomes (app_id, received_at, event_id, verdict, attempts, "
	    "last_error)"
	    " SELECT q.app_id, q.received_at, q.event_id, $3, $4, $5 FROM event_queue q"
	    " WHERE q.app_id = $1 AND q.event_id = $2 AND EXISTS (SELECT 1 FROM event_log l"
	    "   WHERE l.app_id = $1 AND l.received_at = q.received_at AND l.event_id = q.event_id)"
	    " ON CONFLICT (app_id, received_at, event_id) DO UPDATE SET verdict = EXCLUDED.verdict,"
	    " attempts = EXCLUDED.attempts, last_error = EXCLUDED.last_error, at = now()",
};

static const struct db_stmt RETRY_LATER = {
	.name = "queue_retry_later",
	.sql = "UPDATE event_queue SET attempts = $3, last_error = $4,"
	       " next_attempt_at = now() + $5 * interval '1 millisecond'"
	       " WHERE app_id = $1 AND event_id = $2",
};

static const struct db_stmt SERVED = {
	.name = "queue_served",
	.sql = "UPDATE tenant_heads SET last_seq = last_seq + $2, served_at = clock_timestamp()"
	       " WHERE app_id = $1 RETURNING last_seq - $2",
};

enum { FIRST_PAUSE_MS = 2000, LONGEST_PAUSE_MS = 3600 * 1000 };

enum err_code
queue_lock_tenant(struct db_conn *c, struct uuid *app_id, bool *found, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = db_exec(c, &LOCK_TENANT, NULL, &r, e);

	if (rc != ERR_OK)
		return rc;
	*found = db_rows(&r) > 0;
	if (*found)
		*app_id = db_uuid(&r, 0, 0);
	return ERR_OK;
}

enum err_code
queue_any_due(struct db_conn *c, bool *due, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc = db_exec(c, &ANY_DUE, NULL, &r, e);

	if (rc == ERR_OK)
		*due = db_bool(&r, 0, 0);
	return rc;
}

enum err_code
queue_take(struct db_conn *c, struct uuid app_id, int limit, struct db_result *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i64(&p, limit);
	return db_exec(c, &TAKE, &p, r, e);
}

void
queue_event_read(const struct db_result *r, int row, struct queue_event *out)
{
	out->id = db_uuid(r, row, 0);
	out->received_at = db_time(r, row, 1);
	out->attempts = (int32_t)db_i64(r, row, 2);
	out->payload = db_str(r, row, 3);
	out->payload_raw = db_str(r, row, 4);
}

enum err_code
queue_remove(
    struct db_conn *c, struct uuid app_id, const struct queue_event *events, int n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array ids;

	db_array_init(&ids, DB_UUID);
	for (int i = 0; i < n; i++)
		db_array_uuid(&ids, events[i].id);
	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_array(&p, &ids);
	return db_exec(c, &REMOVE, &p, NULL, e);
}

enum err_code
queue_outcome(struct db_conn *c, struct uuid app_id, const struct queue_event *ev,
    const char *verdict, const char *error, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_uuid(&p, ev->id);
	db_p_text(&p, str_of(verdict));
	db_p_i32(&p, ev->attempts);
	db_p_text(&p, str_of(error));
	return db_exec(c, &OUTCOME, &p, NULL, e);
}

/* 2 s, 4 s, 8 s, … 1 h, each shortened by up to half at random. */
static int64_t
pause_ms(int attempts)
{
	int64_t ms = LONGEST_PAUSE_MS;

	if (attempts < 12 && ((int64_t)FIRST_PAUSE_MS << (attempts - 1)) < ms)
		ms = (int64_t)FIRST_PAUSE_MS << (attempts - 1);
	return ms - randombytes_uniform((uint32_t)(ms / 2));
}

enum err_code
queue_set_aside(struct db_conn *c, struct uuid app_id, const struct queue_event *ev,
    int max_attempts, const char *error, bool *dead, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct queue_event failed = *ev;
	enum err_code rc;

	db_params_init(&p);
	failed.attempts++;
	*dead = failed.attempts >= max_attempts;
	if (*dead) {
		rc = queue_outcome(c, app_id, &failed, "dead", error, e);
		return rc != ERR_OK ? rc : queue_remove(c, app_id, &failed, 1, e);
	}
	db_p_uuid(&p, app_id);
	db_p_uuid(&p, ev->id);
	db_p_i32(&p, failed.attempts);
	db_p_text(&p, str_of(error));
	db_p_i64(&p, pause_ms(failed.attempts));
	return db_exec(c, &RETRY_LATER, &p, NULL, e);
}

enum err_code
queue_served(
    struct db_conn *c, struct uuid app_id, int64_t feed_rows, int64_t *last_seq, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i64(&p, feed_rows);
	rc = db_exec(c, &SERVED, &p, &r, e);
	if (rc == ERR_OK)
		*last_seq = db_i64(&r, 0, 0);
	return rc;
}
