#include "workerd/repair/repair_db.h"

/* The live states are those of the index calls_live_idx. A call that the sweeper ended may well have
 * a real end in the list; and one that went to voicemail is over before its end is told. */
static const struct db_stmt APPEND = {
	.name = "repair_append",
	.sql =
	    "WITH listed AS (SELECT * FROM unnest($2, $3, $4, $5, $6)"
	    "     AS u (event_id, call_id, event_at, recorded, payload)),"
	    " missing AS (SELECT * FROM listed l WHERE NOT EXISTS ("
	    "     SELECT 1 FROM calls c WHERE c.app_id = $1 AND c.call_id = l.call_id"
	    "     AND c.status NOT IN ('queued', 'ringing', 'connected', 'on_hold', 'parked')"
	    "     AND c.ended_reason IS DISTINCT FROM 'no_final_event' AND c.ended_at IS NOT NULL"
	    "     AND (NOT l.recorded OR c.recordings IS NOT NULL))"
	    "   AND NOT EXISTS (SELECT 1 FROM event_log e JOIN event_queue q USING (app_id, event_id)"
	    "     WHERE e.app_id = $1 AND e.dialpad_event_id = l.call_id::text"
	    "     AND e.source = 'repair')),"
	    " logged AS (INSERT INTO event_log (app_id, event_id, arrived_at, source, event_type,"
	    "     dialpad_event_id, event_at, payload) SELECT $1, event_id, clock_timestamp(),"
	    "     'repair', 'hangup', call_id::text, event_at, payload FROM missing),"
	    " queued AS (INSERT INTO event_queue (app_id, event_id) SELECT $1, event_id FROM missing)"
	    " SELECT count(*) FROM missing",
};

static const struct db_stmt PROGRESS = {
	.name = "repair_progress",
	.sql = "UPDATE jobs SET params = $3 WHERE kind = 'repair' AND app_id = $1 AND job_key = $2",
};

enum { COLUMNS = 5 };

enum err_code
repair_db_append(struct db_conn *c, struct uuid app_id, const struct repair_call *calls, int n,
    int64_t *added, struct err *e)
{
	static const enum db_type TYPES[COLUMNS] = { DB_UUID, DB_I64, DB_TIME, DB_BOOL, DB_JSON };
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	struct db_array columns[COLUMNS];
	enum err_code rc;

	for (int i = 0; i < COLUMNS; i++)
		db_array_init(&columns[i], TYPES[i]);
	for (int i = 0; i < n; i++) {
		db_array_uuid(&columns[0], uuid_v7());
		db_array_i64(&columns[1], calls[i].call_id);
		if (calls[i].event_at > 0)
			db_array_time(&columns[2], calls[i].event_at);
		else
			db_array_null(&columns[2]);
		db_array_bool(&columns[3], calls[i].has_recordings);
		db_array_bytes(&columns[4], calls[i].payload);
	}
	db_params_init(&p);
	db_p_uuid(&p, app_id);
	for (int i = 0; i < COLUMNS; i++) {
		db_p_array(&p, &columns[i]);
		db_array_release(&columns[i]);
	}
	rc = db_exec(c, &APPEND, &p, &r, e);
	if (rc == ERR_OK)
		*added = db_i64(&r, 0, 0);
	return rc;
}

enum err_code
repair_db_progress(
    struct db_conn *c, struct uuid app_id, struct str key, struct str params, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_text(&p, key);
	db_p_json(&p, params);
	return db_exec(c, &PROGRESS, &p, NULL, e);
}
