/* From a payload to a change: each column's value is found by its path in the table of columns. */
#include "workerd/fold/fold.h"

#include "common/dialpad/call_state.h"
#include "common/json/json_copy.h"
#include "workerd/fold/fold_lists.h"

#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>

enum { SHORT_TEXT_BYTES = 1024, MAX_JSON_BYTES = 1 << 20 };

/* ---- values ---- */

/* At most n bytes, without cutting a UTF-8 sequence. */
static struct str
cut(struct str s, size_t n)
{
	if (s.n <= n)
		return s;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (struct str){ s.p, n };
}

/* Ids of contacts are numbers or text; both are kept as text. */
static struct record_value
short_text(const struct json *v, struct arena *a)
{
	char digits[24];
	struct str s;
	int64_t n;

	if (json_to_str(v, &s))
		return record_text(s.n == 0 ? STR_NONE : arena_dup(a, cut(s, SHORT_TEXT_BYTES)));
	if (!json_is_num(v) || !json_to_i64(v, &n))
		return (struct record_value){ 0 };
	(void)snprintf(digits, sizeof digits, "%" PRId64, n);
	return record_text(arena_dup(a, str_of(digits)));
}

static struct record_value
json_value(const struct json *v, struct arena *a)
{
	AUTO_RELEASE(buf_release) struct buf b = BUF(MAX_JSON_BYTES);
	struct json_out j;

	jo_init(&j, &b);
	json_copy(v, &j);
	if (b.failed)
		return (struct record_value){ 0 };
	return record_text(arena_dup(a, buf_str(&b)));
}

static struct record_value
read_value(enum record_type type, const struct json *v, struct arena *a)
{
	struct record_value out = { 0 };
	struct str s;
	double f;

	switch (type) {
	case RECORD_I64: out.set = json_to_i64(v, &out.i); break;
	case RECORD_MS:
		out.set = json_to_f64(v, &f) && f >= 0 && f < 0x1p53;
		out.i = out.set ? llround(f) : 0;
		break;
	case RECORD_F64: out.set = json_to_f64(v, &out.f); break;
	case RECORD_BOOL: out.set = json_to_bool(v, &out.b); break;
	case RECORD_TIME: out.set = dialpad_instant(v, &out.i); break;
	case RECORD_TEXT: return short_text(v, a);
	case RECORD_LONG: return json_to_str(v, &s) ? record_text(arena_dup(a, s)) : out;
	case RECORD_JSON: return json_value(v, a);
	}
	return out;
}

/* ---- paths ---- */

/* "a.b" inside the claims; NULL when absent or null. */
static const struct json *
find_one(const struct json *v, struct str path)
{
	while (path.p != NULL && v != NULL)
		v = json_find(v, str_cut(path, '.', &path));
	return v == NULL || json_is_null(v) ? NULL : v;
}

/* "a|b": the first that is there. */
static const struct json *
find(const struct json *claims, const char *paths)
{
	struct str rest = str_of(paths);
	const struct json *v = NULL;

	while (v == NULL && rest.p != NULL) {
		struct str path = str_cut(rest, '|', &rest);

		v = find_one(claims, path);
	}
	return v;
}

static void
read_fields(const struct json *claims, struct arena *a, struct fold_change *out)
{
	for (int f = 0; f < out->kind->nfields; f++) {
		const struct record_field *field = &out->kind->fields[f];
		const struct json *v = field->path[0] == '\0' ? NULL : find(claims, field->path);

		if (v != NULL)
			out->v[f] = read_value(field->type, v, a);
	}
}

/* ---- the two kinds ---- */

static void
read_call(const struct json *claims, const struct dialpad_event *ev, int64_t received_at,
    struct arena *a, struct fold_change *out)
{
	const struct call_state *state = call_state_find(ev->type);

	read_fields(claims, a, out);
	out->key.rank = state->rank;
	if (state->rank == 0 && out->v[CALL_ended_at].set)
		out->key.rank = CALL_RANK_END_KNOWN;
	out->v[CALL_recordings] = record_text(recordings_read(claims, a));
	out->v[CALL_labels] = record_text(labels_read(claims, a));
	if (state->proves_voicemail) {
		out->v[CALL_voicemail_at] = record_int(ev->event_at);
		out->voicemail_received_at = received_at;
	}
}

/* States that older descriptions of Dialpad name. Its own events say all this by fields, which count
 * more; "message.read" says nothing that a record keeps. */
static const struct text_state {
	struct str name, direction, status; /* STR_NONE: it says nothing of that */
} TEXT_STATES[] = {
	{ { "sms.received", 12 }, { "inbound", 7 }, { NULL, 0 } },
	{ { "sms.sent", 8 }, { "outbound", 8 }, { "pending", 7 } },
	{ { "sms.delivered", 13 }, { "outbound", 8 }, { "success", 7 } },
};

static void
read_text_state(const struct json *claims, struct fold_change *out)
{
	struct str state;

	if (!json_get_str(claims, "state", &state))
		return;
	for (size_t i = 0; i < sizeof TEXT_STATES / sizeof TEXT_STATES[0]; i++) {
		const struct text_state *s = &TEXT_STATES[i];

		if (!str_eq(state, s->name))
			continue;
		if (!out->v[MESSAGE_direction].set)
			out->v[MESSAGE_direction] = record_text(s->direction);
		if (!out->v[MESSAGE_status].set)
			out->v[MESSAGE_status] = record_text(s->status);
	}
}

static uint8_t
message_rank(const struct record_value *status)
{
	if (!status->set)
		return 0;
	return str_eq(status->s, STR("success")) || str_eq(status->s, STR("failed")) ? 2 : 1;
}

static void
read_message(const struct json *claims, struct arena *a, struct fold_change *out)
{
	read_fields(claims, a, out);
	read_text_state(claims, out);
	out->key.rank = message_rank(&out->v[MESSAGE_status]);
	out->v[MESSAGE_to_numbers] = record_text(recipients_read(claims, a));
}

/* Columns that every kind has, under their own positions. */
static void
read_times(const struct json *claims, const struct dialpad_event *ev, int64_t received_at,
    struct fold_change *out)
{
	bool call = out->kind == &RECORD_CALL;
	int64_t earliest, latest;

	out->v[call ? (int)CALL_created_at : (int)MESSAGE_created_at] = record_int(received_at);
	out->v[call ? (int)CALL_updated_at : (int)MESSAGE_updated_at] = record_int(received_at);
	out->v[call ? (int)CALL_first_event_at : (int)MESSAGE_first_event_at] =
	    record_int(ev->event_at);
	if (dialpad_dates(claims, &earliest, &latest))
		out->v[call ? (int)CALL_first_date_at : (int)MESSAGE_first_date_at] =
		    record_int(earliest);
}

/* The instant of what a listed call tells is the latest in it: when it ended, as a rule. */
static void
undate(const struct json *claims, struct dialpad_event *ev)
{
	int64_t earliest;

	ev->event_at = 0;
	(void)dialpad_dates(claims, &earliest, &ev->event_at);
}

static bool
went_to_voicemail(const struct json *claims, const struct recording *left)
{
	return left != NULL || find_one(claims, STR("voicemail_share_link")) != NULL;
}

/* A listed call is over. What its events would have said of a voicemail follows from its parts. */
static void
read_listed(const struct json *claims, const struct dialpad_event *ev, int64_t received_at,
    struct arena *a, struct fold_change *out)
{
	struct record_value *v = out->v;
	struct recording found;
	const struct recording *left = NULL;
	int64_t id;

	out->key.rank = v[CALL_ended_at].set ? CALL_RANK_REPAIRED : 0;
	if (v[CALL_recordings].set
	    && recordings_find(v[CALL_recordings].s, STR("voicemail"), a, &found))
		left = &found;
	v[CALL_state] = record_text(STR("hangup"));
	if (went_to_voicemail(claims, left))
		v[CALL_state] = record_text(STR("voicemail"));
	v[CALL_state].set = out->key.rank > 0;
	if (left == NULL)
		return;
	v[CALL_voicemail_at] = record_int(ev->event_at);
	out->voicemail_received_at = received_at;
	if (str_to_i64(left->id, 1, INT64_MAX, &id))
		v[CALL_voicemail_recording_id] = record_int(id);
	if (!v[CALL_voicemail_url].set)
		v[CALL_voicemail_url] = record_text(left->url);
}

/* A state that only the sweeper may bring. */
static void
drop_swept_state(struct fold_change *out)
{
	if (!out->v[CALL_state].set || !str_eq(out->v[CALL_state].s, STR(CALL_STATE_SWEPT)))
		return;
	out->v[CALL_state].set = false;
	out->key.rank = 0;
}

static void
read_call_from(enum fold_origin origin, const struct json *claims, const struct dialpad_event *ev,
    int64_t received_at, struct arena *a, struct fold_change *out)
{
	read_call(claims, ev, received_at, a, out);
	if (origin == FOLD_REPAIR)
		read_listed(claims, ev, received_at, a, out);
	if (origin != FOLD_SWEEPER)
		drop_swept_state(out);
}

enum fold_origin
fold_origin_of(struct str source)
{
	if (str_eq(source, STR("sweeper")))
		return FOLD_SWEEPER;
	return str_eq(source, STR("repair")) ? FOLD_REPAIR : FOLD_DIALPAD;
}

/* BLAKE2b: a fifth of the time of SHA-256, which was a fifth of a worker's. */
static void
hash_claims(struct str payload, uint8_t out[FOLD_HASH_BYTES])
{
	(void)crypto_generichash(
	    out, FOLD_HASH_BYTES, (const unsigned char *)payload.p, payload.n, NULL, 0);
}

enum err_code
fold_read_from(enum fold_origin origin, struct str payload, int64_t received_at, struct arena *a,
    struct fold_change *out, struct err *e)
{
	AUTO_RELEASE(arena_release) struct arena doc;
	const struct json *claims;
	struct dialpad_event ev;
	enum err_code rc;

	arena_init(&doc);
	rc = json_parse_in(&doc, payload, &claims, e);
	if (rc != ERR_OK)
		return rc;
	if (!json_is_obj(claims))
		return err_set(e, ERR_INVALID, "the claims are no JSON object");
	dialpad_event_read(claims, a, &ev);
	if (origin == FOLD_REPAIR)
		undate(claims, &ev);
	*out = (struct fold_change){ .dialpad_id = ev.id, .key.at = ev.event_at };
	if (ev.kind == DIALPAD_OTHER)
		return ERR_OK;
	if (ev.id == 0)
		return err_set(e, ERR_INVALID, "%s is no whole number",
		    ev.kind == DIALPAD_CALL ? "call_id" : "id");
	out->kind = ev.kind == DIALPAD_CALL ? &RECORD_CALL : &RECORD_MESSAGE;
	hash_claims(payload, out->key.hash);
	if (ev.kind == DIALPAD_CALL)
		read_call_from(origin, claims, &ev, received_at, a, out);
	else
		read_message(claims, a, out);
	read_times(claims, &ev, received_at, out);
	return ERR_OK;
}

enum err_code
fold_read(struct str payload, int64_t received_at, struct arena *a, struct fold_change *out,
    struct err *e)
{
	return fold_read_from(FOLD_DIALPAD, payload, received_at, a, out, e);
}
