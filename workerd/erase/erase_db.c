#include "workerd/erase/erase_db.h"

#include "workerd/claim/claim_db.h"

/* ---- looking ---- */

/* $1 tenant, $2 after which row, $3 rows in a page, $4 the number, $5 the number as a JSON string in
 * either spelling of "+", $6 the same as bytes. The rows of a page are chosen before they are read. */
#define PAGE(key, columns, table, after, hit)                                                        \
	"SELECT k::text, hit, event_id, kind, dialpad_id FROM ("                                     \
	"SELECT k, hit, event_id, kind, dialpad_id, lead(true) OVER (ORDER BY k) IS NULL AS is_last" \
	" FROM (SELECT " key " AS k, COALESCE(" hit ", false) AS hit, " columns                      \
	" FROM (SELECT * FROM " table " WHERE app_id = $1 AND " key " > " after " ORDER BY " key     \
	" LIMIT $3) AS page) AS seen"                                                                \
	") AS marked WHERE hit OR is_last ORDER BY k"

#define EVENTS(log)                                                                                             \
	PAGE("event_id",                                                                                        \
	    "event_id, " DIALPAD_KIND_SQL(                                                                      \
		"event_type") " AS kind,"                                                                       \
			      " CASE WHEN dialpad_event_id ~ '^[0-9]{1,18}$' THEN dialpad_event_id::bigint END" \
			      " AS dialpad_id",                                                                 \
	    log, "$2::uuid", "payload::text ~ $5 OR position($6 in payload_raw) > 0")

#define RECORDS(key, kind, table, hit)                                                        \
	PAGE(key, "NULL::uuid AS event_id, '" kind "' AS kind, " key " AS dialpad_id", table, \
	    "$2::bigint", hit)

#define IN_COLUMNS(more) "$4 IN (\"from\", \"to\", contact_phone, target_phone" more ")"

static const struct place {
	struct db_stmt page;
	const char *first;
} PLACES[ERASE_PLACES] = {
	{ { "erase_look_log", EVENTS("event_log") }, "00000000-0000-0000-0000-000000000000" },
	{ { "erase_look_archive", EVENTS("event_log_archive") },
	    "00000000-0000-0000-0000-000000000000" },
	{ { "erase_look_calls",
	      RECORDS(
		  "call_id", "call", "calls", IN_COLUMNS(", external_number, internal_number")) },
	    "-1" },
	{ { "erase_look_messages",
	      RECORDS("message_id", "message", "messages",
		  IN_COLUMNS("") " OR to_numbers::text ~ $5") },
	    "-1" },
	{ { "erase_look_voicemails", RECORDS("call_id", "call", "voicemails", IN_COLUMNS("")) },
	    "-1" },
};
enum { COL_ROW, COL_HIT, COL_EVENT, COL_KIND, COL_DIALPAD_ID };

const char *
erase_first(int place)
{
	return PLACES[place].first;
}

enum err_code
erase_look(struct db_conn *c, const struct erase_wanted *w, int place, struct str after,
    struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(buf_release) struct buf pattern = BUF(100), bytes = BUF(100);

	buf_add_fmt(&pattern, "\"(\\+|\\\\u002[bB])%.*s\"", (int)w->number.n - 1, w->number.p + 1);
	buf_add_fmt(&bytes, "\"%.*s\"", STR_ARG(w->number));
	db_params_init(&p);
	db_p_uuid(&p, w->app_id);
	db_p_text(&p, after);
	db_p_i64(&p, ERASE_PAGE);
	db_p_text(&p, w->number);
	db_p_text(&p, buf_str(&pattern));
	db_p_bytea(&p, buf_str(&bytes));
	return db_exec(c, &PLACES[place].page, &p, out, e);
}

void
erase_hit_read(const struct db_result *r, int row, struct erase_hit *out)
{
	struct str kind = db_str(r, row, COL_KIND);

	out->row = db_str(r, row, COL_ROW);
	out->has_number = db_bool(r, row, COL_HIT);
	out->event_id = db_uuid(r, row, COL_EVENT);
	out->dialpad_id = db_i64(r, row, COL_DIALPAD_ID);
	out->kind = str_eq(kind, STR("call")) ? DIALPAD_CALL
	    : str_eq(kind, STR("message"))    ? DIALPAD_MESSAGE
					      : DIALPAD_OTHER;
}

/* ---- removing ---- */

/* $1 tenant, $2 calls, $3 messages, $4 events. */
#define OWN_FROM(log)                                                                      \
	"DELETE FROM " log " WHERE app_id = $1 AND (event_id = ANY ($4)"                   \
	" OR dialpad_event_id = ANY ($2::text[]) AND " DIALPAD_KIND_SQL(                   \
	    "event_type") " = 'call'"                                                      \
			  " OR dialpad_event_id = ANY ($3::text[]) AND " DIALPAD_KIND_SQL( \
			      "event_type") "   = 'message') RETURNING received_at, event_id, origin_event_id"
#define OUTCOMES_FROM(outcomes)                                       \
	"DELETE FROM " outcomes " o USING gone g WHERE o.app_id = $1" \
	" AND o.received_at = g.received_at AND o.event_id = g.event_id"

/* An event of the bare route is there twice: as the tenant's, and as the original that it was copied
 * from. */
static const struct db_stmt EVENTS_GO = {
	.name = "erase_events",
	.sql = "WITH logged AS (" OWN_FROM(
	    "event_log") "),"
			 " archived AS (" OWN_FROM(
			     "event_log_archive") "),"
						  " gone AS (SELECT * FROM logged UNION ALL SELECT * FROM archived),"
						  " queued AS (DELETE FROM event_queue q USING gone g"
						  "   WHERE q.app_id = $1 AND q.event_id = g.event_id),"
						  " judged AS (" OUTCOMES_FROM(
						      "event_outcomes") "),"
									" judged_archive AS (" OUTCOMES_FROM("event_outcomes_archive") "), " CLAIM_ORIGINALS_GO(
									    "gone") " SELECT count(*) FROM gone",
};

static const struct db_stmt RECORDS_GO = {
	.name = "erase_records",
	.sql =
	    "WITH c AS (DELETE FROM calls WHERE app_id = $1 AND call_id = ANY ($2) RETURNING 1),"
	    " m AS (DELETE FROM messages WHERE app_id = $1 AND message_id = ANY ($3) RETURNING 1),"
	    " v AS (DELETE FROM voicemails WHERE app_id = $1 AND call_id = ANY ($2) RETURNING 1)"
	    " SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM m), (SELECT count(*) FROM v)",
};

/* The feed is short, and has no index on the object. */
static const struct db_stmt CHANGES_GO = {
	.name = "erase_changes",
	.sql = "DELETE FROM change_feed WHERE app_id = $1 AND object_id = ANY ($2)",
};

static enum err_code
remove_changes(struct db_conn *c, struct uuid app_id, const struct db_array *objects,
    struct erase_counts *counts, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result done = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_array(&p, objects);
	rc = db_exec(c, &CHANGES_GO, &p, &done, e);
	if (rc == ERR_OK)
		counts->changes += db_affected(&done);
	return rc;
}

enum err_code
erase_remove(struct db_conn *c, struct uuid app_id, const struct db_array *calls,
    const struct db_array *messages, const struct db_array *events, const struct db_array *objects,
    struct erase_counts *counts, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params records, all;
	AUTO_RELEASE(db_result_clear) struct db_result gone = DB_RESULT_NONE, of = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&records);
	db_p_uuid(&records, app_id);
	db_p_array(&records, calls);
	db_p_array(&records, messages);
	db_params_init(&all);
	db_p_uuid(&all, app_id);
	db_p_array(&all, calls);
	db_p_array(&all, messages);
	db_p_array(&all, events);
	rc = db_exec(c, &EVENTS_GO, &all, &gone, e);
	if (rc == ERR_OK)
		rc = db_exec(c, &RECORDS_GO, &records, &of, e);
	if (rc != ERR_OK)
		return rc;
	counts->events += db_i64(&gone, 0, 0);
	counts->calls += db_i64(&of, 0, 0);
	counts->messages += db_i64(&of, 0, 1);
	counts->voicemails += db_i64(&of, 0, 2);
	return remove_changes(c, app_id, objects, counts, e);
}
