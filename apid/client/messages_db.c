#include "apid/client/messages_db.h"

#include "common/records/record_render.h"

static const char *const DIRECTIONS[] = { "inbound", "outbound", NULL };
static const char *const STATUSES[] = { "pending", "success", "failed", NULL };

/* clang-format off */
/*        query parameter    type         choices      condition */
#define MESSAGES_NARROW(X) \
	X("direction",       CHOICE,      DIRECTIONS,  "($11::text IS NULL OR direction = $11)") \
	X("from",            NUMBER,      NULL,        "($12::text IS NULL OR \"from\" = $12)") \
	X("to",              NUMBER,      NULL,        "($13::text IS NULL OR \"to\" = $13)") \
	X("number",          NUMBER,      NULL,        "($14::text IS NULL OR \"from\" = $14 OR \"to\" = $14)") \
	X("status",          CHOICE,      STATUSES,    "($15::text IS NULL OR status = $15)")
#define MESSAGES_TIMES(X) \
	X("sent_after",      SINCE,       NULL,        "") \
	X("sent_before",     UNTIL,       NULL,        "")
#define MESSAGES_OTHER_TIMES(X) \
	X("updated_after",   OTHER_SINCE, NULL,        "updated_at >= $16")
/* clang-format on */

static const struct filter FILTERS[] = { MESSAGES_NARROW(FILTER_ROW) MESSAGES_TIMES(FILTER_ROW)
	    MESSAGES_OTHER_TIMES(FILTER_ROW) };

#define MESSAGES "message_id", MESSAGE_COLUMNS, "messages"
#define NARROW MESSAGES_NARROW(FILTER_CONDITION)
#define CHANGED MESSAGES_OTHER_TIMES(FILTER_CONDITION)

static const struct list_statements BY_FORM[LIST_FORMS] = {
	[LIST_RECENT] = LIST_STATEMENTS(
	    "messages_recent", DB_PLAN_ONCE, LIST_IN_WINDOW, MESSAGES, "", LIST_CREATED_ORDERED),
	[LIST_RECENT_NARROW] = LIST_STATEMENTS("messages_recent_narrow", DB_PLAN_EACH_TIME,
	    LIST_IN_WINDOW, MESSAGES, NARROW, NARROW LIST_CREATED),
	[LIST_TIMED] = LIST_STATEMENTS(
	    "messages_timed", DB_PLAN_ONCE, LIST_IN_ORDER, MESSAGES, "", LIST_BETWEEN_ORDERED),
	[LIST_TIMED_NARROW] = LIST_STATEMENTS("messages_timed_narrow", DB_PLAN_EACH_TIME,
	    LIST_IN_ORDER, MESSAGES, NARROW, NARROW LIST_BETWEEN),
	[LIST_OTHER_TIME] = LIST_STATEMENTS("messages_changed", DB_PLAN_EACH_TIME, LIST_SCATTERED,
	    MESSAGES, NARROW CHANGED, NARROW CHANGED LIST_BETWEEN),
};

static const struct db_stmt BY_ID = {
	.name = "message_by_id",
	.sql = ITEM_BY("id", "message_id", MESSAGE_COLUMNS, "messages"),
};
static const struct db_stmt BY_DIALPAD_ID = {
	.name = "message_by_dialpad_id",
	.sql = ITEM_BY("message_id", "message_id", MESSAGE_COLUMNS, "messages"),
};

const struct list MESSAGES_LIST = {
	.name = "messages",
	.kind = &RECORD_MESSAGE,
	.sort_field = MESSAGE_sort_at,
	.render = render_message,
	.filters = FILTERS,
	.nfilters = sizeof FILTERS / sizeof FILTERS[0],
	.forms = BY_FORM,
};

const struct item_kind MESSAGES_ITEM = {
	.record = &RECORD_MESSAGE,
	.by_id = &BY_ID,
	.by_dialpad_id = &BY_DIALPAD_ID,
};
