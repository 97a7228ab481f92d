#include "apid/client/voicemails_db.h"

#include "common/records/record_render.h"

/* clang-format off */
/*        query parameter    type         choices      condition */
#define VOICEMAILS_NARROW(X) \
	X("from",            NUMBER,      NULL,        "($11::text IS NULL OR \"from\" = $11)") \
	X("to",              NUMBER,      NULL,        "($12::text IS NULL OR \"to\" = $12)") \
	X("number",          NUMBER,      NULL,        "($13::text IS NULL OR \"from\" = $13 OR \"to\" = $13)") \
	X("target_id",       ID,          NULL,        "($14::bigint IS NULL OR target_id = $14)")
#define VOICEMAILS_OTHER_TIMES(X) \
	X("created_after",   OTHER_SINCE, NULL,        "created_at >= $15") \
	X("created_before",  OTHER_UNTIL, NULL,        "created_at < $16") \
	X("updated_after",   OTHER_SINCE, NULL,        "updated_at >= $17")
/* clang-format on */

static const struct filter FILTERS[] = { VOICEMAILS_NARROW(FILTER_ROW)
	    VOICEMAILS_OTHER_TIMES(FILTER_ROW) };

#define VOICEMAILS "call_id", VOICEMAIL_COLUMNS, "voicemails"
#define NARROW VOICEMAILS_NARROW(FILTER_CONDITION)
#define CHANGED VOICEMAILS_OTHER_TIMES(FILTER_CONDITION)

static const struct list_statements BY_FORM[LIST_FORMS] = {
	[LIST_RECENT] = LIST_STATEMENTS("voicemails_recent", DB_PLAN_ONCE, LIST_IN_WINDOW,
	    VOICEMAILS, "", LIST_CREATED_ORDERED),
	[LIST_RECENT_NARROW] = LIST_STATEMENTS("voicemails_recent_narrow", DB_PLAN_EACH_TIME,
	    LIST_IN_WINDOW, VOICEMAILS, NARROW, NARROW LIST_CREATED),
	[LIST_OTHER_TIME] = LIST_STATEMENTS("voicemails_changed", DB_PLAN_EACH_TIME, LIST_SCATTERED,
	    VOICEMAILS, NARROW CHANGED, NARROW CHANGED),
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
	.forms = BY_FORM,
};

const struct item_kind VOICEMAILS_ITEM = {
	.record = &RECORD_VOICEMAIL,
	.by_id = &BY_ID,
	.by_dialpad_id = &BY_DIALPAD_ID,
};
