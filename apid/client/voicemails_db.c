#include "apid/client/voicemails_db.h"

#include "common/records/record_render.h"

/* clang-format off */
/*        query parameter    type    choices      condition */
#define VOICEMAILS_TIMES(X) \
	X("created_after",   SINCE,  NULL,        "created_at >= $7") \
	X("created_before",  UNTIL,  NULL,        "created_at < $8") \
	X("updated_after",   SINCE,  NULL,        "updated_at >= $9")
/* clang-format on */

static const struct list_filter FILTERS[] = { VOICEMAILS_TIMES(LIST_FILTER) };

#define RECENT LIST_RECENT
#define TIMED VOICEMAILS_TIMES(LIST_CONDITION)

static const struct db_stmt BY_ID = {
	.name = "voicemail_by_id",
	.sql = ITEM_BY("id", "call_id", VOICEMAIL_COLUMNS, "voicemails"),
};
static const struct db_stmt BY_DIALPAD_ID = {
	.name = "voicemail_by_dialpad_id",
	.sql = ITEM_BY("call_id", "call_id", VOICEMAIL_COLUMNS, "voicemails"),
};

const struct list VOICEMAILS_LIST = {
	.name = "voicemails",
	.kind = &RECORD_VOICEMAIL,
	.sort_field = VOICEMAIL_sort_at,
	.render = render_voicemail,
	.filters = FILTERS,
	.nfilters = sizeof FILTERS / sizeof FILTERS[0],
	.recent = LIST_STATEMENTS(
	    "voicemails_recent", "call_id", VOICEMAIL_COLUMNS, "voicemails", RECENT),
	.timed = LIST_STATEMENTS("voicemails", "call_id", VOICEMAIL_COLUMNS, "voicemails", TIMED),
};

const struct item_kind VOICEMAILS_ITEM = {
	.record = &RECORD_VOICEMAIL,
	.row = { &BY_ID, &BY_DIALPAD_ID },
};
