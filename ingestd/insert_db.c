#include "ingestd/insert_db.h"

#include "common/base/log.h"

/* Both tables in one statement, which is one transaction. There is no ON CONFLICT: it would need the
 * right to read, and ingestd's role can only insert. */
static const struct db_stmt INSERT = {
	.name = "event_insert",
	.sql =
	    "WITH event AS (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS e (app_id,"
	    "   event_id, arrived_at, hook, event_type, dialpad_event_id, event_at, payload,"
	    "   payload_raw)),"
	    " logged AS (INSERT INTO event_log (app_id, event_id, arrived_at, hook, event_type,"
	    "   dialpad_event_id, event_at, payload, payload_raw) SELECT * FROM event)"
	    " INSERT INTO event_queue (app_id, event_id) SELECT app_id, event_id FROM event",
};

static const struct db_stmt PARTITIONS = {
	.name = "ensure_partitions",
	.sql = "SELECT ensure_partitions()",
};

enum { COLUMNS = 9 };
static const enum db_type types[COLUMNS] = {
	DB_UUID,
	DB_UUID,
	DB_TIME,
	DB_I32,
	DB_TEXT,
	DB_TEXT,
	DB_TIME,
	DB_JSON,
	DB_BYTEA,
};

static void
add_event(struct db_array column[COLUMNS], const struct event *ev)
{
	db_array_uuid(&column[0], ev->app_id);
	db_array_uuid(&column[1], ev->id);
	db_array_time(&column[2], ev->arrived_at);
	ev->hook > 0 ? db_array_i32(&column[3], ev->hook) : db_array_null(&column[3]);
	db_array_bytes(&column[4], ev->type);
	db_array_bytes(&column[5], ev->dialpad_id);
	ev->event_at > 0 ? db_array_time(&column[6], ev->event_at) : db_array_null(&column[6]);
	db_array_bytes(&column[7], ev->is_json ? ev->claims : STR_NONE);
	db_array_bytes(&column[8], ev->is_json ? STR_NONE : ev->claims);
}

static enum err_code
insert(struct db_conn *c, const struct event *const *events, int n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct db_array column[COLUMNS];
	enum err_code rc;

	db_params_init(&p);
	for (int i = 0; i < COLUMNS; i++)
		db_array_init(&column[i], types[i]);
	for (int i = 0; i < n; i++)
		add_event(column, events[i]);
	for (int i = 0; i < COLUMNS; i++) {
		db_p_array(&p, &column[i]);
		db_array_release(&column[i]);
	}
	rc = db_exec(c, &INSERT, &p, NULL, e);
	/* No partition for today: the job that makes them was not running. */
	if (rc == ERR_INVALID && strcmp(e->sqlstate, "23514") == 0) {
		rc = db_exec(c, &PARTITIONS, NULL, NULL, e);
		if (rc == ERR_OK)
			rc = db_exec(c, &INSERT, &p, NULL, e);
	}
	return rc;
}

/* PostgreSQL refused the claims as JSON, or what we read from them as text. */
static enum err_code
insert_as_bytes(struct db_conn *c, const struct event *ev, struct err *e)
{
	struct event bytes = *ev;
	const struct event *one = &bytes;

	bytes.is_json = false;
	bytes.type = STR_NONE;
	bytes.dialpad_id = STR_NONE;
	log_warn("event.kept_as_bytes", "PostgreSQL refuses the claims: %s", e->msg);
	return insert(c, &one, 1, e);
}

/* CONFLICT: it is in the queue, replayed from the spool a second time after a crash. */
static enum err_code
insert_alone(struct db_conn *c, const struct event *ev, enum err_code failure, struct err *e)
{
	return failure == ERR_CONFLICT ? ERR_OK : insert_as_bytes(c, ev, e);
}

enum err_code
insert_group(struct db_conn *c, const struct event *const *events, int n, struct err *e)
{
	enum err_code rc = insert(c, events, n, e);

	if (rc != ERR_INVALID && rc != ERR_CONFLICT)
		return rc;
	if (n == 1)
		return insert_alone(c, events[0], rc, e);
	/* Halves: a bad event costs a few statements, not one for each of its group. */
	rc = insert_group(c, events, n / 2, e);
	return rc != ERR_OK ? rc : insert_group(c, events + n / 2, n - n / 2, e);
}
