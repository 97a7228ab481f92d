#include "workerd/rebuild/rebuild_db.h"

#include "common/dialpad/event.h"
#include "workerd/batch/queue_db.h"

static const struct db_stmt HAS_TENANT = {
	.name = "rebuild_has_tenant",
	.sql = "SELECT EXISTS (SELECT 1 FROM tenant_heads WHERE app_id = $1)",
};

/* Each with a limit of its own, so that the index of each day is read in order and no further than
 * a page needs. */
#define IDS_FROM(log)                                                        \
	"(SELECT DISTINCT dialpad_event_id FROM " log                        \
	" WHERE app_id = $1 AND dialpad_event_id > $2"                       \
	" AND received_at >= $3 AND received_at < $4"                        \
	" AND ($6::text IS NULL OR " DIALPAD_KIND_SQL("event_type") " = $6)" \
								    " ORDER BY 1 LIMIT $5)"

static const struct db_stmt IDS = {
	.name = "rebuild_ids",
	.sql =
	    "SELECT DISTINCT dialpad_event_id FROM (" IDS_FROM("event_log") " UNION ALL " IDS_FROM(
		"event_log_archive") ") AS events ORDER BY 1 LIMIT $5",
};

/* Of a few events, found by their own ids. */
#define IDS_OF_EVENTS_FROM(log)             \
	"SELECT dialpad_event_id FROM " log \
	" WHERE app_id = $1 AND event_id = ANY ($3) AND dialpad_event_id > $2"

static const struct db_stmt IDS_OF_EVENTS = {
	.name = "rebuild_ids_of_events",
	.sql = "SELECT DISTINCT dialpad_event_id FROM (" IDS_OF_EVENTS_FROM(
	    "event_log") " UNION ALL " IDS_OF_EVENTS_FROM("event_log_archive") ") AS events"
									       " ORDER BY 1 LIMIT $4",
};

#define SIZES_FROM(log)                                                           \
	"SELECT dialpad_event_id AS id, " QUEUE_PAYLOAD_SQL " AS bytes FROM " log \
	" WHERE app_id = $1 AND dialpad_event_id = ANY ($2)"

#define SIZES SIZES_FROM("event_log") " UNION ALL " SIZES_FROM("event_log_archive")

static const struct db_stmt FIT = {
	.name = "rebuild_fit",
	.sql = "SELECT count(*) FROM (SELECT sum(sum(bytes)) OVER (ORDER BY id"
	       "   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before"
	       " FROM (" SIZES ") AS events GROUP BY id) AS ids"
	       " WHERE before IS NULL OR before < $3",
};

/* OFFSET 0: one probe by key for each event, however large the planner believes the tables. */
#define EVENTS_FROM(log, outcomes)                                                         \
	"SELECT l.event_id, l.received_at, l.source, l.payload FROM " log " l"             \
	" WHERE l.app_id = $1 AND l.dialpad_event_id = ANY ($2) AND l.payload IS NOT NULL" \
	" AND NOT EXISTS (SELECT 1 FROM event_queue q"                                     \
	"   WHERE q.app_id = $1 AND q.event_id = l.event_id OFFSET 0)"                     \
	" AND NOT EXISTS (SELECT 1 FROM " outcomes " o WHERE o.app_id = $1"                \
	"   AND o.received_at = l.received_at AND o.event_id = l.event_id OFFSET 0)"

static const struct db_stmt EVENTS = {
	.name = "rebuild_events",
	.sql = EVENTS_FROM("event_log", "event_outcomes") " UNION ALL " EVENTS_FROM(
	    "event_log_archive", "event_outcomes_archive"),
};

enum err_code
rebuild_has_tenant(struct db_conn *c, struct uuid app_id, bool *has, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	rc = db_exec(c, &HAS_TENANT, &p, &r, e);
	if (rc == ERR_OK)
		*has = db_bool(&r, 0, 0);
	return rc;
}

enum err_code
rebuild_ids(struct db_conn *c, const struct rebuild_opts *o, struct str after, struct arena *a,
    struct str ids[REBUILD_MAX_IDS], int *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, o->app_id);
	db_p_text(&p, after);
	if (o->events != NULL) {
		db_p_array(&p, o->events);
		db_p_i64(&p, REBUILD_MAX_IDS);
	} else {
		db_p_time(&p, o->from);
		db_p_time(&p, o->to);
		db_p_i64(&p, REBUILD_MAX_IDS);
		db_p_text(&p, o->kind);
	}
	rc = db_exec(c, o->events != NULL ? &IDS_OF_EVENTS : &IDS, &p, &r, e);
	if (rc != ERR_OK)
		return rc;
	*n = db_rows(&r);
	for (int i = 0; i < *n; i++)
		ids[i] = arena_dup(a, db_str(&r, i, 0));
	return ERR_OK;
}

static void
add_ids(struct db_params *p, const struct str *ids, int n)
{
	AUTO_RELEASE(db_array_release) struct db_array array;

	db_array_init(&array, DB_TEXT);
	for (int i = 0; i < n; i++)
		db_array_bytes(&array, ids[i]);
	db_p_array(p, &array);
}

enum err_code
rebuild_fit(
    struct db_conn *c, const struct rebuild_opts *o, const struct str *ids, int *n, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	AUTO_RELEASE(db_result_clear) struct db_result r = DB_RESULT_NONE;
	enum err_code rc;

	db_params_init(&p);
	db_p_uuid(&p, o->app_id);
	add_ids(&p, ids, *n);
	db_p_i64(&p, o->bytes);
	rc = db_exec(c, &FIT, &p, &r, e);
	if (rc == ERR_OK && db_i64(&r, 0, 0) < *n)
		*n = db_i64(&r, 0, 0) > 0 ? (int)db_i64(&r, 0, 0) : 1;
	return rc;
}

enum err_code
rebuild_events(struct db_conn *c, struct uuid app_id, const struct str *ids, int n,
    struct db_result *r, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;

	db_params_init(&p);
	db_p_uuid(&p, app_id);
	add_ids(&p, ids, n);
	return db_exec(c, &EVENTS, &p, r, e);
}

void
rebuild_event_read(const struct db_result *r, int row, struct rebuild_event *out)
{
	out->id = db_uuid(r, row, 0);
	out->received_at = db_time(r, row, 1);
	out->origin = fold_origin_of(db_str(r, row, 2));
	out->payload = db_str(r, row, 3);
}
