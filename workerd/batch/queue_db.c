#include "workerd/batch/queue_db.h"

#include <sodium.h>

/* LATERAL with LIMIT: one index probe in one partition of the log per event, whatever the planner
 * believes about the size of either table. */
#define COLUMNS "event_id, received_at, attempts, arrived_at, hook, source, payload, is_raw"
#define LOG(span)                                                                           \
	" q LEFT JOIN LATERAL (SELECT arrived_at, hook, source, payload,"                   \
	"   payload_raw IS NOT NULL AS is_raw FROM event_log"                               \
	" WHERE app_id = $1 AND received_at = q.received_at AND event_id = q.event_id" span \
	" LIMIT 1) l ON true"

/* When the oldest due events came, and the first of them. To open each day's partition of the log takes
 * longer than to read a few events: told the days, PostgreSQL opens only those. Told the first, it need not
 * pass by what was done before and cannot be cleared away while some session holds a snapshot. */
static const struct db_stmt SPAN = {
	.name = "queue_span",
	.sql =
	    "SELECT min(received_at), max(received_at), (array_agg(event_id ORDER BY event_id))[1]"
	    " FROM (SELECT received_at, event_id FROM event_queue"
	    "   WHERE app_id = $1 AND next_attempt_at <= now() ORDER BY event_id LIMIT $2) q",
};

/* Events whose predecessors fill the batch stay: the first never does. What has come since the span was
 * read may lie beyond it, and stays too. */
#define IN_SPAN " AND received_at BETWEEN $4 AND $5"
static const struct db_stmt TAKE = {
	.name = "queue_take",
	.sql = "SELECT " COLUMNS " FROM (SELECT " COLUMNS ", sum(" QUEUE_PAYLOAD_SQL
	       ") OVER (ORDER BY event_id"
	       "   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM"
	       " (SELECT event_id, received_at, attempts FROM event_queue"
	       "   WHERE app_id = $1 AND event_id >= $6 AND next_attempt_at <= now()" IN_SPAN
	       "   ORDER BY event_id LIMIT $2)" LOG(
		   IN_SPAN) ") taken WHERE before IS NULL OR before < $3 ORDER BY event_id",
};

static const struct db_stmt TAKE_ONE = {
	.name = "queue_take_one",
	.sql = "SELECT " COLUMNS " FROM (SELECT event_id, received_at, attempts FROM event_queue"
	       "   WHERE app_id = $1 AND event_id = $2)" LOG(""),
};

static const struct db_stmt REMOVE = {
	.name = "queue_remove",
	.sql = "DELETE FROM event_queue WHERE app_id = $1 AND event_id = ANY ($2)",
};

/* The log's key is in microseconds, so it is taken from the queue, not rebuilt from our ms. An outcome
 * lives as long as its row in the log: without one there may not even be a partition for it. */
static const struct db_stmt OUTCOMES = {
	.name = "queue_outcomes",
	.sql =
	    "INSERT INTO event_outcomes (app_id, received_at, event_id, verdict, attempts, last_error)"
	    " SELECT $1, q.received_at, u.event_id, u.verdict, u.attempts, u.error"
	    " FROM unnest($2, $3, $4, $5) AS u (event_id, verdict, attempts, error)"
	    " CROSS JOIN LATERAL (SELECT received_at FROM event_queue"
	    "   WHERE app_id = $1 AND event_id = u.event_id LIMIT 1) q"
	    " WHERE EXISTS (SELECT 1 FROM event_log l WHERE l.app_id = $1"
	    "   AND l.received_at = q.received_at AND l.event_id = u.event_id OFFSET 0)"
	    " ON CONFLICT (app_id, received_at, event_id) DO UPDATE SET verdict = EXCLUDED.verdict,"
	    " attempts = EXCLUDED.attempts, last_error = EXCLUDED.last_error, at = now()",
};

#define SUSPECT "a worker did not survive the batch of this event"

/* All of them or none: one that was suspected before, or tried before, is among them. */
static const struct db_stmt SUSPECT_ALL = {
	.name = "queue_suspect",
	.sql = "WITH batch AS (SELECT event_id, attempts, last_error FROM event_queue"
	       "   WHERE app_id = $1 AND next_attempt_at <= now() ORDER BY event_id LIMIT $2)"
	       " UPDATE event_queue SET last_error = '" SUSPECT "' WHERE app_id = $1"
	       " AND event_id = ANY (ARRAY(SELECT event_id FROM batch))"
	       " AND NOT EXISTS (SELECT 1 FROM batch"
	       "   WHERE attempts > 0 OR last_error = '" SUSPECT "')",
};

static const struct db_stmt RETRY_LATER = {
	.name = "queue_retry_later",
	.sql = "UPDATE event_queue SET attempts = $3, last_error = $4,"
	       " next_attempt_at = now() + $5 * interval '1 millisecond'"
	       " WHERE app_id = $1 AND event_id = $2",
};

static const struct db_stmt UNCOUNT = {
	.name = "queue_uncount",
	.sql = "UPDATE event_queue SET attempts = attempts - 1, last_error = $3"
	       " WHERE app_id = $1 AND event_id = $2 AND attempts > 0",
};

static const struct db_stmt UNCOUNT_NOW = {
	.name = "queue_uncount_now",
	.sql = "UPDATE event_queue SET attempts = attempts - 1, next_attempt_at = now()"
	       " WHERE app_id = $1 AND event_id = $2",
};

enum { FIRST_PAUSE_MS = 2000, LONGEST_PAUSE_MS = 3600 * 1000 };

static enum err_code
read_span(struct db_conn *c, struct uuid app_id, int limit, struct db_result *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i64(&p, limit);
	return db_exec(c, &SPAN, &p, r, e);
}

enum err_code
queue_take(struct db_conn *c, struct uuid app_id, int limit, int64_t bytes, struct db_result *r,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result span = DB_RESULT_NONE;
	enum err_code rc = read_span(c, app_id, limit, &span, e);

	db_params_init(&p);
	if (rc != ERR_OK || db_null(&span, 0, 0))
		return rc;
	db_p_uuid(&p, app_id);
	db_p_i64(&p, limit);
	db_p_i64(&p, bytes);
	db_p_time(&p, db_time(&span, 0, 0));
	db_p_time(&p, db_time(&span, 0, 1) + 1); /* ours are whole milliseconds */
	db_p_uuid(&p, db_uuid(&span, 0, 2));
	return db_exec(c, &TAKE, &p, r, e);
}

enum err_code
queue_take_one(
    struct db_conn *c, struct uuid app_id, struct uuid event_id, struct db_result *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_uuid(&p, event_id);
	return db_exec(c, &TAKE_ONE, &p, r, e);
}

void
queue_event_read(const struct db_result *r, int row, struct queue_event *out)
{
	out->id = db_uuid(r, row, 0);
	out->received_at = db_time(r, row, 1);
	out->attempts = (int32_t)db_i64(r, row, 2);
	out->arrived_at = db_time(r, row, 3);
	out->hook = (int32_t)db_i64(r, row, 4);
	out->origin = fold_origin_of(db_str(r, row, 5));
	out->payload = db_str(r, row, 6);
	out->is_raw = db_bool(r, row, 7);
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
	return db_exec_later(c, &REMOVE, &p, NULL, e);
}

enum err_code
queue_outcomes(struct db_conn *c, struct uuid app_id, const struct queue_verdict *verdicts, int n,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_array_release) struct db_array ids, words, attempts, errors;

	db_array_init(&ids, DB_UUID);
	db_array_init(&words, DB_TEXT);
	db_array_init(&attempts, DB_I32);
	db_array_init(&errors, DB_TEXT);
	for (int i = 0; i < n; i++) {
		db_array_uuid(&ids, verdicts[i].id);
		db_array_bytes(&words, str_of(verdicts[i].verdict));
		db_array_i32(&attempts, verdicts[i].attempts);
		db_array_bytes(&errors, str_of(verdicts[i].error));
	}
	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_array(&p, &ids);
	db_p_array(&p, &words);
	db_p_array(&p, &attempts);
	db_p_array(&p, &errors);
	return db_exec_later(c, &OUTCOMES, &p, NULL, e);
}

enum err_code
queue_outcome(struct db_conn *c, struct uuid app_id, const struct queue_event *ev,
    const char *verdict, const char *error, struct err *e)
{
	const struct queue_verdict one = { ev->id, ev->attempts, verdict, error };

	return queue_outcomes(c, app_id, &one, 1, e);
}

enum err_code
queue_suspect(struct db_conn *c, struct uuid app_id, int limit, bool *first, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_i64(&p, limit);
	rc = db_exec(c, &SUSPECT_ALL, &p, &r, e);
	if (rc == ERR_OK)
		*first = db_affected(&r) > 0;
	return rc;
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

static enum err_code
retry_later(struct db_conn *c, struct uuid app_id, const struct queue_event *ev, const char *error,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_uuid(&p, ev->id);
	db_p_i32(&p, ev->attempts);
	db_p_text(&p, str_of(error));
	db_p_i64(&p, pause_ms(ev->attempts));
	return db_exec(c, &RETRY_LATER, &p, NULL, e);
}

enum err_code
queue_set_aside(struct db_conn *c, struct uuid app_id, const struct queue_event *ev,
    int max_attempts, const char *error, bool *dead, struct err *e)
{
	enum err_code rc;

	*dead = ev->attempts >= max_attempts;
	if (!*dead)
		return retry_later(c, app_id, ev, error, e);
	rc = queue_outcome(c, app_id, ev, "dead", error, e);
	return rc != ERR_OK ? rc : queue_remove(c, app_id, ev, 1, e);
}

enum err_code
queue_uncount(
    struct db_conn *c, struct uuid app_id, struct uuid event_id, const char *why, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_uuid(&p, event_id);
	db_p_text(&p, str_of(why));
	return db_exec(c, &UNCOUNT, &p, NULL, e);
}

enum err_code
queue_uncount_now(struct db_conn *c, struct uuid app_id, struct uuid event_id, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_uuid(&p, event_id);
	return db_exec(c, &UNCOUNT_NOW, &p, NULL, e);
}
