#include "common/dialpad/event.h"

#include <inttypes.h>
#include <stdio.h>

static const int64_t LAST_INSTANT_MS = 253402300799999; /* end of the year 9999 */
enum { MAX_ID_TEXT = 64, MAX_TYPE_TEXT = 64 };

bool
dialpad_instant(const struct json *v, int64_t *ms)
{
	double d;

	/* Instants may carry a fraction of a millisecond. */
	if (!json_to_f64(v, &d) || d < 1 || d > (double)LAST_INSTANT_MS)
		return false;
	*ms = (int64_t)d;
	return true;
}

bool
dialpad_dates(const struct json *claims, int64_t *earliest, int64_t *latest)
{
	bool any = false;
	int64_t ms;

	for (const struct json *v = json_first(claims); v != NULL; v = json_next(v)) {
		struct str key = str_of(json_key(v));

		if (!str_starts(key, STR("date_")) && !str_eq(key, STR("created_date")))
			continue;
		if (!dialpad_instant(v, &ms))
			continue;
		*earliest = any && *earliest < ms ? *earliest : ms;
		*latest = any && *latest > ms ? *latest : ms;
		any = true;
	}
	return any;
}

static bool
has(const struct json *claims, const char *key)
{
	const struct json *v = json_get(claims, key);

	return v != NULL && !json_is_null(v);
}

/* Dialpad's own messages carry no state; those of older descriptions of it do. */
static bool
has_message_state(const struct json *claims)
{
	struct str state;

	return json_get_str(claims, "state", &state)
	    && (str_starts(state, STR("sms.")) || str_eq(state, STR("message.read")));
}

static enum dialpad_kind
kind_of(const struct json *claims)
{
	if (has(claims, "call_id"))
		return DIALPAD_CALL;
	if (has(claims, "id")
	    && (has(claims, "from_number") || has(claims, "to_number")
		|| has(claims, "message_status") || has_message_state(claims)))
		return DIALPAD_MESSAGE;
	return DIALPAD_OTHER;
}

static struct str
type_of(const struct json *claims, enum dialpad_kind kind)
{
	struct str state;

	if (kind == DIALPAD_MESSAGE)
		return STR("sms");
	if (json_get_str(claims, "state", &state) && state.n > 0 && state.n <= MAX_TYPE_TEXT)
		return state;
	if (kind == DIALPAD_OTHER && has(claims, "on_duty_status"))
		return STR("agent_status");
	if (kind == DIALPAD_OTHER && has(claims, "changed_by"))
		return STR("changelog");
	if (kind == DIALPAD_OTHER && has(claims, "contact"))
		return STR("contact");
	return STR("unknown");
}

/* Numbers are printed by us: the parser's own printing is not exact. */
static void
read_id(const struct json *v, struct arena *a, struct dialpad_event *out)
{
	char digits[24];
	struct str text;

	if (json_to_i64(v, &out->id)) {
		(void)snprintf(digits, sizeof digits, "%" PRId64, out->id);
		out->id_text = arena_dup(a, str_of(digits));
	} else if (json_to_str(v, &text) && text.n > 0 && text.n <= MAX_ID_TEXT) {
		out->id_text = arena_dup(a, text);
	}
}

void
dialpad_event_read(const struct json *claims, struct arena *a, struct dialpad_event *out)
{
	int64_t earliest;

	*out = (struct dialpad_event){ .kind = kind_of(claims) };
	out->type = arena_dup(a, type_of(claims, out->kind));
	if (out->kind == DIALPAD_CALL)
		read_id(json_get(claims, "call_id"), a, out);
	else
		read_id(json_get(claims, "id"), a, out);
	if (!dialpad_instant(json_get(claims, "event_timestamp"), &out->event_at)
	    && !dialpad_dates(claims, &earliest, &out->event_at))
		out->event_at = 0;
}
