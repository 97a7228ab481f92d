#include "apid/client/calls_db.h"

#include "common/records/record_render.h"

static const char *const DIRECTIONS[] = { "inbound", "outbound", NULL };

/* clang-format off */
/*        query parameter    type    choices      condition */
#define CALLS_CHOICES(X) \
	X("direction",       CHOICE, DIRECTIONS,  "($7::text IS NULL OR direction = $7)")
#define CALLS_TIMES(X) \
	X("started_after",   SINCE,  NULL,        "sort_at >= $8") \
	X("started_before",  UNTIL,  NULL,        "sort_at < $9") \
	X("updated_after",   SINCE,  NULL,        "updated_at >= $10")
/* clang-format on */

static const struct list_filter FILTERS[] = { CALLS_CHOICES(LIST_FILTER) CALLS_TIMES(LIST_FILTER) };

#define RECENT LIST_RECENT CALLS_CHOICES(LIST_CONDITION)
#define TIMED CALLS_CHOICES(LIST_CONDITION) CALLS_TIMES(LIST_CONDITION)
/* Spelled as in the condition of calls_live_idx, or the planner does not recognise it. */
#define LIVE TIMED " AND status IN ('queued', 'ringing', 'connected', 'on_hold', 'parked')"

static const struct db_stmt BY_ID = {
	.name = "call_by_id",
	.sql = ITEM_BY("id", "call_id", CALL_COLUMNS, "calls"),
};
static const struct db_stmt BY_DIALPAD_ID = {
	.name = "call_by_dialpad_id",
	.sql = ITEM_BY("call_id", "call_id", CALL_COLUMNS, "calls"),
};

/* The verdict is the one of the view webhook_events, which does not show the event's own time. */
#define TIMELINE(dialpad_id)                                                         \
	"SELECT log.event_id, log.event_type, log.event_at, log.received_at,"        \
	" CASE WHEN outcome.verdict IS NOT NULL THEN outcome.verdict"                \
	" WHEN queue.event_id IS NULL THEN 'processed'"                              \
	" WHEN queue.attempts = 0 THEN 'pending' ELSE 'retrying' END"                \
	" FROM event_log AS log"                                                     \
	" LEFT JOIN event_queue AS queue USING (app_id, received_at, event_id)"      \
	" LEFT JOIN event_outcomes AS outcome USING (app_id, received_at, event_id)" \
	" WHERE app_id = $1 AND log.dialpad_event_id = " dialpad_id                  \
	" ORDER BY log.event_at, log.received_at, log.event_id LIMIT 500"

static const struct db_stmt TIMELINE_BY_ID = {
	.name = "call_timeline_by_id",
	.sql = TIMELINE("(SELECT call_id::text FROM calls WHERE app_id = $1 AND id = $2)"),
};
static const struct db_stmt TIMELINE_BY_DIALPAD_ID = {
	.name = "call_timeline_by_dialpad_id",
	.sql = TIMELINE("$2::bigint::text"),
};

const struct list CALLS_LIST = {
	.name = "calls",
	.kind = &RECORD_CALL,
	.sort_field = CALL_sort_at,
	.render = render_call,
	.filters = FILTERS,
	.nfilters = sizeof FILTERS / sizeof FILTERS[0],
	.recent = LIST_STATEMENTS("calls_recent", "call_id", CALL_COLUMNS, "calls", RECENT),
	.timed = LIST_STATEMENTS("calls", "call_id", CALL_COLUMNS, "calls", TIMED),
};

const struct list CALLS_LIVE = {
	.name = "calls",
	.kind = &RECORD_CALL,
	.sort_field = CALL_sort_at,
	.render = render_call,
	.filters = FILTERS,
	.nfilters = sizeof FILTERS / sizeof FILTERS[0],
	.whole = true,
	.timed = LIST_STATEMENTS("calls_live", "call_id", CALL_COLUMNS, "calls", LIVE),
};

const struct item_kind CALLS_ITEM = {
	.record = &RECORD_CALL,
	.row = { &BY_ID, &BY_DIALPAD_ID },
	.more = { &TIMELINE_BY_ID, &TIMELINE_BY_DIALPAD_ID },
};
