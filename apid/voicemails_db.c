#include "apid/voicemails_db.h"

#include "common/records/record_render.h"

/* clang-format off */
/*        query parameter    type    choices      condition */
#define VOICEMAILS_FILTERS(X)                                                                    \
	X("created_after",   SINCE,  NULL,        "created_at >= $7")                              \
	X("created_before",  UNTIL,  NULL,        "created_at < $8")                               \
	X("updated_after",   SINCE,  NULL,        "updated_at >= $9")
/* clang-format on */

static const struct list_filter FILTERS[] = { VOICEMAILS_FILTERS(LIST_FILTER) };

#define WHERE VOICEMAILS_FILTERS(LIST_CONDITION)

static const struct db_stmt LIST_DESC = {
	.name = "voicemails_desc",
	.sql = LIST_NEWEST_FIRST("call_id", VOICEMAIL_COLUMNS, "voicemails", WHERE),
};
static const struct db_stmt LIST_ASC = {
	.name = "voicemails_asc",
	.sql = LIST_OLDEST_FIRST("call_id", VOICEMAIL_COLUMNS, "voicemails", WHERE),
};
static const struct db_stmt COUNT = {
	.name = "voicemails_count",
	.sql = LIST_COUNT("voicemails", WHERE),
};

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
	.newest_first = &LIST_DESC,
	.oldest_first = &LIST_ASC,
	.count = &COUNT,
};

const struct item_kind VOICEMAILS_ITEM = {
	.record = &RECORD_VOICEMAIL,
	.row = { &BY_ID, &BY_DIALPAD_ID },
};
