#include "workerd/replay/replay_db.h"

#include "common/dialpad/event.h"

/* OFFSET 0: one probe by key for each event, however large the planner believes the log. */
#define CHOSEN(event)                                                                      \
	" AND (cardinality($3) = 0 OR " event ".event_id = ANY ($3))"                      \
	" AND " event ".received_at >= $4 AND " event ".received_at < $5"                  \
	" AND EXISTS (SELECT 1 FROM event_log l WHERE l.app_id = $1"                       \
	"   AND l.received_at = " event ".received_at AND l.event_id = " event ".event_id" \
	"   AND ($6::text IS NULL OR " DIALPAD_KIND_SQL("l.event_type") " = $6) OFFSET 0)"

#define DEAD                                                                \
	" FROM event_outcomes o WHERE o.app_id = $1 AND o.verdict = 'dead'" \
	" AND o.at < (SELECT created_at FROM jobs"                          \
	"   WHERE kind = 'replay' AND app_id = $1 AND job_key = $2)" CHOSEN("o")

#define WAITING " q.app_id = $1 AND q.attempts > 0 AND q.next_attempt_at > now()" CHOSEN("q")

static const struct db_stmt REQUEUE = {
	.name = "replay_requeue",
	.sql = "WITH chosen AS (SELECT o.received_at, o.event_id" DEAD
	       "   ORDER BY o.received_at, o.event_id LIMIT $7),"
	       " gone AS (DELETE FROM event_outcomes o USING chosen c WHERE o.app_id = $1"
	       "   AND o.received_at = c.received_at AND o.event_id = c.event_id"
	       "   RETURNING o.event_id, o.received_at)"
	       " INSERT INTO event_queue (app_id, event_id, received_at)"
	       " SELECT $1, event_id, received_at FROM gone"
	       " ON CONFLICT (app_id, event_id) DO UPDATE SET next_attempt_at = now()",
};

static const struct db_stmt HASTEN = {
	.name = "replay_hasten",
	.sql = "UPDATE event_queue q SET next_attempt_at = now() WHERE" WAITING,
};

static const struct db_stmt COUNT = {
	.name = "replay_count",
	.sql = "SELECT (SELECT count(*)" DEAD "), (SELECT count(*) FROM event_queue q WHERE" WAITING
	       ")",
};

static void
bind(const struct replay_choice *w, struct db_params *p)
{
	db_params_init(p);
	db_p_uuid(p, w->app_id);
	db_p_text(p, w->key);
	db_p_array(p, w->ids);
	db_p_time(p, w->from);
	db_p_time(p, w->to);
	db_p_text(p, w->kind);
}

enum err_code
replay_requeue(
    struct db_conn *c, const struct replay_choice *w, int limit, int64_t *events, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc;

	bind(w, &p);
	db_p_i64(&p, limit);
	rc = db_exec(c, &REQUEUE, &p, &done, e);
	if (rc == ERR_OK)
		*events = db_affected(&done);
	return rc;
}

enum err_code
replay_hasten(struct db_conn *c, const struct replay_choice *w, int64_t *events, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc;

	bind(w, &p);
	rc = db_exec(c, &HASTEN, &p, &done, e);
	if (rc == ERR_OK)
		*events = db_affected(&done);
	return rc;
}

enum err_code
replay_count(struct db_conn *c, const struct replay_choice *w, int64_t *dead, int64_t *waiting,
    struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	bind(w, &p);
	rc = db_exec(c, &COUNT, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*dead = db_i64(&r, 0, 0);
	*waiting = db_i64(&r, 0, 1);
	return ERR_OK;
}
