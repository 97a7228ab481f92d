#include "apid/client/calls_db.h"

#include "apid/apid.h"
#include "common/records/record_render.h"

static const char *const DIRECTIONS[] = { "inbound", "outbound", NULL };
static const char *const STATUSES[] = { "active", "ended", "queued", "ringing", "connected",
	"on_hold", "parked", "completed", "missed", "abandoned", "voicemail", "blocked", NULL };
static const char *const LEGS[] = { "entry", NULL };

/* Spelled as in the condition of calls_live_idx, or the planner does not recognise it. */
#define LIVE "status IN ('queued', 'ringing', 'connected', 'on_hold', 'parked')"

/* clang-format off */
/*        query parameter    type         choices      condition */
#define CALLS_NARROW(X) \
	X("direction",       CHOICE,      DIRECTIONS,  "($11::text IS NULL OR direction = $11)") \
	X("status",          CHOICE,      STATUSES,    "($12::text IS NULL OR CASE $12" \
	    " WHEN 'active' THEN " LIVE " WHEN 'ended' THEN NOT (" LIVE ") ELSE status = $12 END)") \
	X("from",            NUMBER,      NULL,        "($13::text IS NULL OR \"from\" = $13)") \
	X("to",              NUMBER,      NULL,        "($14::text IS NULL OR \"to\" = $14)") \
	X("number",          NUMBER,      NULL,        "($15::text IS NULL OR \"from\" = $15 OR \"to\" = $15)") \
	X("target_id",       ID,          NULL,        "($16::bigint IS NULL OR target_id = $16)") \
	X("legs",            CHOICE,      LEGS,        "($17::text IS NULL OR entry_point_call_id IS NULL)")
#define CALLS_TIMES(X) \
	X("started_after",   SINCE,       NULL,        "") \
	X("started_before",  UNTIL,       NULL,        "")
#define CALLS_OTHER_TIMES(X) \
	X("updated_after",   OTHER_SINCE, NULL,        "updated_at >= $18")
/* clang-format on */

static const struct filter FILTERS[] = { CALLS_NARROW(FILTER_ROW) CALLS_TIMES(FILTER_ROW)
	    CALLS_OTHER_TIMES(FILTER_ROW) };

#define CALLS "call_id", CALL_COLUMNS, "calls"
#define NARROW CALLS_NARROW(FILTER_CONDITION)
#define CHANGED CALLS_OTHER_TIMES(FILTER_CONDITION)

static const struct list_statements BY_FORM[LIST_FORMS] = {
	[LIST_RECENT] = LIST_STATEMENTS(
	    "calls_recent", DB_PLAN_ONCE, LIST_IN_WINDOW, CALLS, "", LIST_CREATED_ORDERED),
	[LIST_RECENT_NARROW] = LIST_STATEMENTS("calls_recent_narrow", DB_PLAN_EACH_TIME,
	    LIST_IN_WINDOW, CALLS, NARROW, NARROW LIST_CREATED),
	[LIST_TIMED] = LIST_STATEMENTS(
	    "calls_timed", DB_PLAN_ONCE, LIST_IN_ORDER, CALLS, "", LIST_BETWEEN_ORDERED),
	[LIST_TIMED_NARROW] = LIST_STATEMENTS("calls_timed_narrow", DB_PLAN_EACH_TIME,
	    LIST_IN_ORDER, CALLS, NARROW, NARROW LIST_BETWEEN),
	[LIST_OTHER_TIME] = LIST_STATEMENTS("calls_changed", DB_PLAN_EACH_TIME, LIST_SCATTERED,
	    CALLS, NARROW CHANGED, NARROW CHANGED LIST_BETWEEN),
};

/* There are few of them, so one plan does for all filters. */
static const struct list_statements OF_LIVE =
    LIST_STATEMENTS("calls_live", DB_PLAN_ONCE, LIST_IN_ORDER, CALLS, NARROW CHANGED " AND " LIVE,
	NARROW CHANGED " AND " LIVE LIST_BETWEEN_ORDERED);

static const struct db_stmt BY_ID = {
	.name = "call_by_id",
	.sql = ITEM_BY("id", "call_id", CALL_COLUMNS, "calls"),
};
static const struct db_stmt BY_DIALPAD_ID = {
	.name = "call_by_dialpad_id",
	.sql = ITEM_BY("call_id", "call_id", CALL_COLUMNS, "calls"),
};

const struct list CALLS_LIST = {
	.name = "calls",
	.kind = &RECORD_CALL,
	.sort_field = CALL_sort_at,
	.render = render_call,
	.filters = FILTERS,
	.nfilters = sizeof FILTERS / sizeof FILTERS[0],
	.forms = BY_FORM,
};

const struct list CALLS_LIVE = {
	.name = "calls",
	.kind = &RECORD_CALL,
	.sort_field = CALL_sort_at,
	.render = render_call,
	.filters = FILTERS,
	.nfilters = sizeof FILTERS / sizeof FILTERS[0],
	.forms = &OF_LIVE,
	.whole = true,
};

const struct item_kind CALLS_ITEM = {
	.record = &RECORD_CALL,
	.by_id = &BY_ID,
	.by_dialpad_id = &BY_DIALPAD_ID,
};

/* ---- the events of one call ---- */

enum { DAY_MS = 24 * 60 * 60 * 1000, DAYS_BEFORE = 1, DAYS_AFTER = 7 };

/* clang-format off */
#define SAME_EVENT(other)                                \
	other ".app_id = log.app_id"                     \
	" AND " other ".received_at = log.received_at"   \
	" AND " other ".event_id = log.event_id"
/* $3 and $4 say on which days to look. An outcome lies on the day of its event. */
#define BETWEEN(table) table ".received_at >= $3 AND " table ".received_at < $4"
#define EVENTS_FROM(log, outcomes, more, verdict)                                     \
	"SELECT log.event_id, log.event_type, log.event_at, log.received_at, " verdict \
	" FROM " log " AS log LEFT JOIN " outcomes " AS outcome"                      \
	" ON " SAME_EVENT("outcome") " AND " BETWEEN("outcome") more                  \
	" WHERE log.app_id = $1 AND log.dialpad_event_id = $2::bigint::text"          \
	" AND " BETWEEN("log")

/* The verdict is the one of the view webhook_events, which does not show the event's own time. */
static const struct db_stmt TIMELINE = {
	.name = "call_timeline",
	.sql = EVENTS_FROM("event_log", "event_outcomes",
		" LEFT JOIN event_queue AS queue ON " SAME_EVENT("queue"),
		"CASE WHEN outcome.verdict IS NOT NULL THEN outcome.verdict"
		" WHEN queue.event_id IS NULL THEN 'processed'"
		" WHEN queue.attempts = 0 THEN 'pending' ELSE 'retrying' END")
	    " UNION ALL "
	    EVENTS_FROM("event_log_archive", "event_outcomes_archive",
		"", "COALESCE(outcome.verdict, 'processed')")
	    " ORDER BY event_at, received_at, event_id LIMIT 500",
};
/* clang-format on */

/*
 * A call was made by its first event and last changed by its last. Around that it is looked for those
 * that did not change it: still to be processed, or never to be. Planned for these days, the
 * statement opens no others, however many the log and its archive have.
 */
enum err_code
calls_timeline(
    const struct http_req *req, const struct record *call, struct db_result *out, struct err *e)
{
	AUTO_RELEASE(db_params_release) struct db_params p;
	const struct db_query query = { &TIMELINE, &p, DB_PLAN_EACH_TIME };

	db_params_init(&p);
	db_p_uuid(&p, req->app_id);
	db_p_i64(&p, call->dialpad_id);
	db_p_time(&p, call->v[CALL_created_at].i - DAYS_BEFORE * (int64_t)DAY_MS);
	db_p_time(&p, call->v[CALL_updated_at].i + DAYS_AFTER * (int64_t)DAY_MS);
	return apid_tenant_read(req, &query, 1, out, e);
}
