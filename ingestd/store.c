#include "ingestd/store.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/dialpad/event.h"

enum { POOL_WAIT_MS = 2000 };

/* One statement is one transaction: both rows or none, durable when the answer has come. */
static const struct db_stmt INSERT = {
	.name = "event_insert",
	.sql =
	    "WITH logged AS (INSERT INTO event_log (app_id, event_id, arrived_at, hook, event_type,"
	    "   dialpad_event_id, event_at, payload, payload_raw)"
	    "  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))"
	    " INSERT INTO event_queue (app_id, event_id) VALUES ($1, $2)",
};

static const struct db_stmt PARTITIONS = {
	.name = "ensure_partitions",
	.sql = "SELECT ensure_partitions()",
};

void
store_describe(struct store_event *ev, struct arena *a)
{
	AUTO(json) struct json *claims = NULL;
	struct dialpad_event seen;
	struct err ignored;

	if (json_parse(ev->claims, &claims, &ignored) != ERR_OK || !json_is_obj(claims))
		return;
	dialpad_event_read(claims, a, &seen);
	ev->is_object = true;
	ev->type = seen.type;
	ev->dialpad_id = seen.id_text;
	ev->event_at = seen.event_at;
}

static enum err_code
insert(struct db_conn *c, const struct store_event *ev, struct uuid id, bool as_json, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, ev->app_id);
	db_p_uuid(&p, id);
	db_p_time(&p, clock_wall_ms());
	ev->hook > 0 ? db_p_i32(&p, ev->hook) : db_p_null(&p, DB_I32);
	db_p_text(&p, ev->type);
	db_p_text(&p, ev->dialpad_id);
	ev->event_at > 0 ? db_p_time(&p, ev->event_at) : db_p_null(&p, DB_TIME);
	db_p_json(&p, as_json ? ev->claims : STR_NONE);
	db_p_bytea(&p, as_json ? STR_NONE : ev->claims);
	return db_exec(c, &INSERT, &p, NULL, e);
}

/* What PostgreSQL will not take as JSON (or its description as text) is kept as bytes alone. */
static enum err_code
insert_as_bytes(struct db_conn *c, const struct store_event *ev, struct uuid id, struct err *e)
{
	struct store_event bytes = *ev;

	bytes.type = STR_NONE;
	bytes.dialpad_id = STR_NONE;
	log_warn(
	    "webhook.kept_as_bytes", "the claims are no JSON object that PostgreSQL can store");
	return insert(c, &bytes, id, false, e);
}

static enum err_code
insert_somehow(struct db_conn *c, const struct store_event *ev, struct err *e)
{
	struct uuid id = uuid_v7();
	enum err_code rc =
	    ev->is_object ? insert(c, ev, id, true, e) : insert_as_bytes(c, ev, id, e);

	/* No partition for today: the job that makes them was not running. */
	if (rc == ERR_INVALID && strcmp(e->sqlstate, "23514") == 0) {
		rc = db_exec(c, &PARTITIONS, NULL, NULL, e);
		if (rc == ERR_OK)
			rc = insert(c, ev, id, ev->is_object, e);
	}
	if (rc == ERR_INVALID && ev->is_object)
		rc = insert_as_bytes(c, ev, id, e);
	return rc;
}

enum err_code
store_event(struct db_pool *pool, const struct store_event *ev, struct err *e)
{
	struct db_conn *c = NULL;
	struct err hint;
	enum err_code rc = db_pool_get(pool, POOL_WAIT_MS, &c, e);

	if (rc != ERR_OK)
		return rc;
	rc = insert_somehow(c, ev, e);
	/* After the commit, never inside it: a NOTIFY in a transaction serialises all commits. It is a
	 * hint only; workers poll. */
	if (rc == ERR_OK && db_command(c, "NOTIFY cti_events", &hint) != ERR_OK)
		log_err(LOG_DEBUG, "webhook.notify_failed", &hint);
	db_pool_put(pool, c);
	return rc;
}
