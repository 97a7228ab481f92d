/*
 * An admin's word on whose some unclaimed events are: they are given to that app, whatever their
 * payloads name. All in one transaction under the nil tenant's lock, so that no batch is judging them.
 */
#include "workerd/batch/queue_db.h"
#include "workerd/claim/claim_db.h"
#include "workerd/jobs/request_json.h"

#include "common/base/log.h"

/* An event that a walk has brought back is in the queue already. */
static const struct db_stmt REQUEUE = {
	.name = "assign_requeue",
	.sql =
	    "WITH gone AS (DELETE FROM event_outcomes WHERE app_id = $1 AND verdict = 'unclaimed'"
	    "   AND event_id = ANY ($2) RETURNING event_id, received_at)"
	    " INSERT INTO event_queue (app_id, event_id, received_at)"
	    " SELECT $1, event_id, received_at FROM gone ON CONFLICT DO NOTHING",
};

static const struct db_stmt QUEUED = {
	.name = "assign_queued",
	.sql = "SELECT event_id FROM event_queue WHERE app_id = $1 AND event_id = ANY ($2)"
	       " ORDER BY event_id",
};

struct assignment {
	struct uuid app_id;
	struct arena *arena;
	struct db_array ids;
	int given;
};

static void
release(struct assignment *w)
{
	db_array_release(&w->ids);
}

/* The events become the queue's; the result has their ids. */
static enum err_code
take(struct job_run *r, const struct assignment *w, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, UUID_NIL);
	db_p_array(&p, &w->ids);
	rc = db_exec(r->conn, &REQUEUE, &p, NULL, e);
	return rc == ERR_OK ? db_exec(r->conn, &QUEUED, &p, out, e) : rc;
}

static enum err_code
give(struct job_run *r, void *arg, struct err *e)
{
	AUTO_RELEASE(db_result_clear) struct db_result queued = DB_RESULT_NONE;
	struct assignment *w = arg;
	struct queue_event *events;
	struct queue_verdict *verdicts;
	struct claim_gift *gifts;
	enum err_code rc = take(r, w, &queued, e);
	int n = rc == ERR_OK ? db_rows(&queued) : 0;

	events = arena_new(w->arena, struct queue_event, (size_t)n + 1);
	verdicts = arena_new(w->arena, struct queue_verdict, (size_t)n + 1);
	gifts = arena_new(w->arena, struct claim_gift, (size_t)n + 1);
	for (int i = 0; i < n; i++) {
		events[i].id = db_uuid(&queued, i, 0);
		verdicts[i] = (struct queue_verdict){ .id = events[i].id, .verdict = "assigned" };
		gifts[i] = (struct claim_gift){ events[i].id, w->app_id };
	}
	if (rc == ERR_OK)
		rc = claims_give(r->conn, gifts, n, e);
	if (rc == ERR_OK)
		rc = queue_outcomes(r->conn, UUID_NIL, verdicts, n, e);
	if (rc == ERR_OK)
		rc = queue_remove(r->conn, UUID_NIL, events, n, e);
	w->given = n;
	return rc;
}

static void
report(const struct assignment *w, struct request_end *end)
{
	struct json_out j;

	jo_init(&j, &end->result);
	jo_obj(&j);
	jo_kv_i64(&j, "assigned", w->given);
	jo_kv_i64(&j, "not_unclaimed", w->ids.n - w->given);
	jo_end_obj(&j);
}

enum err_code
request_assign(struct job_run *r, const struct request *q, struct request_end *end, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena a;
	AUTO_RELEASE(release) struct assignment w = { .app_id = q->app_id, .arena = &a };
	const struct json *params;
	bool busy = false;
	enum err_code rc;

	arena_init(&a);
	db_array_init(&w.ids, DB_UUID);
	rc = request_params(q, &a, &params, e);
	if (rc == ERR_OK)
		rc = request_uuids(params, "ids", &w.ids, e);
	if (rc == ERR_OK)
		rc = request_check_app(r, q->app_id, e);
	if (rc == ERR_OK)
		rc = job_in_turn(r, UUID_NIL, give, &w, &busy, e);
	if (rc != ERR_OK)
		return rc;
	if (busy) {
		end->again_ms = 0;
		return ERR_OK;
	}
	log_info("unclaimed.assigned", "events=%d", w.given);
	job_hint_workers(r);
	report(&w, end);
	return ERR_OK;
}
