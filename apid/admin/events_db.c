#include "apid/admin/events_db.h"

#include "apid/admin/apps_db.h"
#include "apid/apid.h"
#include "apid/edge/columns.h"
#include "common/dialpad/event.h"

/* clang-format off */
/* Instants to the microsecond, as the log has them: the place in a page is a key. */
#define PLACE_AT "('epoch'::timestamptz + $2 * interval '1 microsecond')"
#define BEYOND(t) \
	" AND (" t ".received_at, " t ".event_id) < (" PLACE_AT ", $3)" \
	" AND " t ".received_at <= " PLACE_AT \
	" AND " t ".received_at >= $8 AND " t ".received_at < $9"
#define NARROW(t) \
	" AND ($6::text IS NULL OR " DIALPAD_KIND_SQL(t ".event_type") " = $6)" \
	" AND ($7::bigint IS NULL OR " t ".dialpad_event_id = $7::bigint::text)"
#define PAGE_OF(t) \
	" ORDER BY " t ".received_at DESC, " t ".event_id DESC LIMIT $4"
#define KEY(t) t ".received_at, " t ".event_id"
#define SAME(a, b) \
	a ".app_id = " b ".app_id AND " a ".received_at = " b ".received_at" \
	" AND " a ".event_id = " b ".event_id"
#define BOTH(from) "(" from(event_log, event_outcomes) ") UNION ALL (" \
	from(event_log_archive, event_outcomes_archive) ")" PAGE_OF_BOTH
#define PAGE_OF_BOTH " ORDER BY received_at DESC, event_id DESC LIMIT $4"

/* The keys of a page, each of the log and of the archive. */
#define ALL_FROM(log, outcomes) \
	"SELECT " KEY("log") " FROM " #log " AS log WHERE log.app_id = $1" \
	BEYOND("log") NARROW("log") PAGE_OF("log")
/* OFFSET 0: a probe by key for each event, until the page is full. */
#define PROCESSED_FROM(log, outcomes) \
	"SELECT " KEY("log") " FROM " #log " AS log WHERE log.app_id = $1" \
	BEYOND("log") NARROW("log") \
	" AND NOT EXISTS (SELECT FROM event_queue AS q" \
	"   WHERE q.app_id = $1 AND q.event_id = log.event_id OFFSET 0)" \
	" AND NOT EXISTS (SELECT FROM " #outcomes " AS o WHERE " SAME("o", "log") " OFFSET 0)" \
	PAGE_OF("log")
#define SET_ASIDE_FROM(log, outcomes) \
	"SELECT " KEY("o") " FROM " #outcomes " AS o WHERE o.app_id = $1 AND o.verdict = $5" \
	BEYOND("o") \
	" AND EXISTS (SELECT FROM " #log " AS log WHERE " SAME("log", "o") NARROW("log") \
	" OFFSET 0)" PAGE_OF("o")
#define WAITING \
	"SELECT " KEY("q") " FROM event_queue AS q WHERE q.app_id = $1" \
	" AND CASE WHEN q.attempts = 0 THEN 'pending' ELSE 'retrying' END = $5" \
	BEYOND("q") \
	" AND EXISTS (SELECT FROM event_log AS log WHERE " SAME("log", "q") NARROW("log") \
	" OFFSET 0)" PAGE_OF("q")

/* From keys to events. The key is in one of the two only. */
#define EVENT(log, archived) \
	"SELECT *, " archived " AS archived FROM " log \
	" WHERE app_id = $1 AND received_at = k.received_at AND event_id = k.event_id"
#define OUTCOME(outcomes) \
	"SELECT verdict, attempts, last_error FROM " outcomes \
	" WHERE app_id = $1 AND received_at = k.received_at AND event_id = k.event_id"
#define EVENTS(more, keys) \
	"SELECT l.event_id, (extract(epoch FROM l.received_at) * 1000000)::bigint," \
	" l.received_at, l.arrived_at, l.event_at, " DIALPAD_KIND_SQL("l.event_type") "," \
	" l.event_type, l.dialpad_event_id, l.hook, l.source, l.origin_event_id," \
	" CASE WHEN o.verdict IS NOT NULL THEN o.verdict" \
	" WHEN q.event_id IS NULL THEN 'processed'" \
	" WHEN q.attempts = 0 THEN 'pending' ELSE 'retrying' END," \
	" COALESCE(o.attempts, q.attempts, 0), q.next_attempt_at," \
	" COALESCE(o.last_error, q.last_error), l.archived" more \
	" FROM (" keys ") AS k" \
	" CROSS JOIN LATERAL (" EVENT("event_log", "false") \
	"   UNION ALL " EVENT("event_log_archive", "true") " LIMIT 1) AS l" \
	" LEFT JOIN event_queue AS q ON q.app_id = $1 AND q.event_id = k.event_id" \
	" LEFT JOIN LATERAL (" OUTCOME("event_outcomes") \
	"   UNION ALL " OUTCOME("event_outcomes_archive") " LIMIT 1) AS o ON true" \
	" ORDER BY k.received_at DESC, k.event_id DESC"
#define PAYLOAD \
	", l.payload, replace(encode(l.payload_raw, 'base64'), E'\\n', '')"
#define BY_ID(log) \
	"SELECT received_at, event_id FROM " log " WHERE app_id = $1 AND event_id = $2"

static const struct db_stmt LISTS[] = {
	[EVENTS_ALL] = { "events_all", EVENTS("", BOTH(ALL_FROM)) },
	[EVENTS_PROCESSED] = { "events_processed", EVENTS("", BOTH(PROCESSED_FROM)) },
	[EVENTS_WAITING] = { "events_waiting", EVENTS("", WAITING) },
	[EVENTS_SET_ASIDE] = { "events_set_aside", EVENTS("", BOTH(SET_ASIDE_FROM)) },
	[EVENTS_UNCLAIMED] = { "events_unclaimed",
	    EVENTS(PAYLOAD, SET_ASIDE_FROM(event_log, event_outcomes)) },
};
/* clang-format on */

static const struct db_stmt GET = {
	.name = "event_get",
	.sql = EVENTS(PAYLOAD, BY_ID("event_log") " UNION ALL " BY_ID("event_log_archive")),
};

static const struct db_stmt COUNT = {
	.name = "events_count",
	.sql = "SELECT (SELECT count(*) FROM event_log WHERE app_id = $1 AND event_id = ANY ($2))"
	       " + (SELECT count(*) FROM event_log_archive WHERE app_id = $1"
	       "   AND event_id = ANY ($2))",
};

struct read {
	struct uuid app_id;
	const struct db_stmt *stmt;
	const struct db_params *p;
	struct db_result *out;
};

static enum err_code
read_events(struct db_conn *c, void *arg, struct err *e)
{
	const struct read *w = arg;
	bool of_nobody = uuid_eq(w->app_id, UUID_NIL);
	enum err_code rc = of_nobody ? ERR_OK : apps_db_check(c, w->app_id, e);

	if (rc == ERR_OK)
		rc = db_command(c, "SET LOCAL plan_cache_mode = force_custom_plan", e);
	if (rc != ERR_OK)
		return rc;
	db_result_clear(w->out);
	return db_exec(c, w->stmt, w->p, w->out, e);
}

enum err_code
events_db_list(const struct http_req *req, struct uuid app_id, enum events_form form,
    const struct db_params *p, struct db_result *out, struct err *e)
{
	struct read w = { app_id, &LISTS[form], p, out };

	return apid_admin_tx(req, read_events, &w, e);
}

enum err_code
events_db_get(const struct http_req *req, struct uuid app_id, struct uuid event_id,
    struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	struct read w = { app_id, &GET, &p, out };
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_uuid(&p, event_id);
	rc = apid_admin_tx(req, read_events, &w, e);
	if (rc == ERR_OK && db_rows(out) == 0)
		return err_set(e, ERR_NOT_FOUND, "this app has no event with this id");
	return rc;
}

enum err_code
events_db_count(
    struct db_conn *c, struct uuid app_id, const struct db_array *ids, int64_t *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	db_p_array(&p, ids);
	rc = db_exec(c, &COUNT, &p, &r, e);
	if (rc == ERR_OK)
		*n = db_i64(&r, 0, 0);
	return rc;
}

/* ---- showing ---- */

static void
put_dialpad_id(struct str text, struct json_out *j)
{
	int64_t id;

	jo_key(j, "dialpad_id");
	if (str_to_i64(text, 0, INT64_MAX, &id))
		jo_i64(j, id);
	else
		jo_null(j);
}

void
events_render(const struct db_result *r, int row, struct json_out *j)
{
	column_uuid(j, "event_id", r, row, EVENTS_ID);
	jo_kv_time(j, "received_at", db_time(r, row, EVENTS_RECEIVED_AT));
	jo_kv_time(j, "arrived_at", db_time(r, row, EVENTS_ARRIVED_AT));
	jo_kv_time(j, "event_at", db_time(r, row, EVENTS_EVENT_AT));
	jo_kv_str(j, "kind", db_str(r, row, EVENTS_KIND));
	jo_kv_str(j, "event_type", db_str(r, row, EVENTS_TYPE));
	put_dialpad_id(db_str(r, row, EVENTS_DIALPAD_ID), j);
	column_i64(j, "hook", r, row, EVENTS_HOOK);
	jo_kv_str(j, "source", db_str(r, row, EVENTS_SOURCE));
	column_uuid(j, "origin_event_id", r, row, EVENTS_ORIGIN);
	jo_kv_str(j, "verdict", db_str(r, row, EVENTS_VERDICT));
	column_i64(j, "attempts", r, row, EVENTS_ATTEMPTS);
	jo_kv_time(j, "next_attempt_at", db_time(r, row, EVENTS_NEXT_ATTEMPT_AT));
	jo_kv_str(j, "error", db_str(r, row, EVENTS_ERROR));
	jo_kv_bool(j, "archived", db_bool(r, row, EVENTS_ARCHIVED));
}
