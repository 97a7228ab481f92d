#include "apid/client/messages_db.h"

#include "common/records/record_render.h"

static const char *const DIRECTIONS[] = { "inbound", "outbound", NULL };

/* clang-format off */
/*        query parameter    type    choices      condition */
#define MESSAGES_CHOICES(X) \
	X("direction",       CHOICE, DIRECTIONS,  "($7::text IS NULL OR direction = $7)")
#define MESSAGES_TIMES(X) \
	X("sent_after",      SINCE,  NULL,        "sort_at >= $8") \
	X("sent_before",     UNTIL,  NULL,        "sort_at < $9") \
	X("updated_after",   SINCE,  NULL,        "updated_at >= $10")
/* clang-format on */

static const struct list_filter FILTERS[] = { MESSAGES_CHOICES(LIST_FILTER)
	    MESSAGES_TIMES(LIST_FILTER) };

#define RECENT LIST_RECENT MESSAGES_CHOICES(LIST_CONDITION)
#define TIMED MESSAGES_CHOICES(LIST_CONDITION) MESSAGES_TIMES(LIST_CONDITION)

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
	.recent =
	    LIST_STATEMENTS("messages_recent", "message_id", MESSAGE_COLUMNS, "messages", RECENT),
	.timed = LIST_STATEMENTS("messages", "message_id", MESSAGE_COLUMNS, "messages", TIMED),
};

const struct item_kind MESSAGES_ITEM = {
	.record = &RECORD_MESSAGE,
	.row = { &BY_ID, &BY_DIALPAD_ID },
};
