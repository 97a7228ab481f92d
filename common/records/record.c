#include "common/records/record.h"

#include "common/base/buf.h"

#define X(column, type, rule, path) { #column, RECORD_##type, RECORD_##rule, path },
static const struct record_field call_fields[] = { CALL_FIELDS(X) };
static const struct record_field message_fields[] = { MESSAGE_FIELDS(X) };
static const struct record_field voicemail_fields[] = { VOICEMAIL_FIELDS(X) };
#undef X

_Static_assert((int)CALL_FIELD_COUNT <= (int)RECORD_MAX_FIELDS, "a call fits into a record");
_Static_assert((int)MESSAGE_FIELD_COUNT <= (int)RECORD_MAX_FIELDS, "a message fits into a record");

const struct record_kind RECORD_CALL = { "call", "calls", "call_id", CALL_FIELD_COUNT,
	call_fields };
const struct record_kind RECORD_MESSAGE = { "message", "messages", "message_id",
	MESSAGE_FIELD_COUNT, message_fields };
const struct record_kind RECORD_VOICEMAIL = { "voicemail", "voicemails", "call_id",
	VOICEMAIL_FIELD_COUNT, voicemail_fields };

struct uuid
record_id(struct uuid app_id, const struct record_kind *kind, int64_t dialpad_id)
{
	AUTO_RELEASE(buf_release) struct buf name = BUF(64);

	buf_add_c(&name, kind->name);
	buf_add_char(&name, '|');
	buf_add_i64(&name, dialpad_id);
	return uuid_v5(app_id, buf_str(&name));
}

bool
record_value_eq(enum record_type type, const struct record_value *a, const struct record_value *b)
{
	if (!a->set || !b->set)
		return a->set == b->set;
	switch (type) {
	case RECORD_F64: return !(a->f < b->f) && !(a->f > b->f);
	case RECORD_BOOL: return a->b == b->b;
	case RECORD_TEXT:
	case RECORD_LONG:
	case RECORD_JSON: return str_eq(a->s, b->s);
	case RECORD_I64:
	case RECORD_MS:
	case RECORD_TIME: return a->i == b->i;
	}
	return false;
}
