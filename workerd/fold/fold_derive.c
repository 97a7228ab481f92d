/* Columns that follow from the others, recomputed after the merges of a batch. */
#include "workerd/fold/fold.h"

#include "common/dialpad/call_state.h"
#include "workerd/fold/fold_lists.h"

/* ---- status ---- */

static enum call_status
ended_by_dates(const struct record_value *v)
{
	if (v[CALL_connected_at].set)
		return CALL_ENDED;
	return v[CALL_rang_at].set ? CALL_MISSED : CALL_ABANDONED;
}

/* No state said it: only data events, or states we do not know, have come so far. */
static enum call_status
by_dates(const struct record_value *v)
{
	if (v[CALL_ended_at].set)
		return ended_by_dates(v);
	if (v[CALL_connected_at].set)
		return CALL_CONNECTED;
	return v[CALL_queued_at].set && !v[CALL_rang_at].set ? CALL_QUEUED : CALL_RINGING;
}

static struct str
call_status(const struct record_value *v)
{
	struct str state = v[CALL_state].set ? v[CALL_state].s : STR_NONE;
	enum call_status s = call_state_find(state)->status;

	if (s == CALL_BY_DATES)
		s = by_dates(v);
	else if (s == CALL_ENDED)
		s = ended_by_dates(v);
	switch (s) {
	case CALL_QUEUED: return STR("queued");
	case CALL_RINGING: return STR("ringing");
	case CALL_CONNECTED: return STR("connected");
	case CALL_ON_HOLD: return STR("on_hold");
	case CALL_PARKED: return STR("parked");
	case CALL_MISSED: return STR("missed");
	case CALL_ABANDONED: return STR("abandoned");
	case CALL_VOICEMAIL: return STR("voicemail");
	case CALL_BLOCKED: return STR("blocked");
	case CALL_ENDED:
	case CALL_BY_DATES: break;
	}
	return STR("completed");
}

/* ---- the other columns of a call ---- */

/* Of a call whose end the sweeper had to make up, or that a repair found in Dialpad's list. */
static struct record_value
ended_reason(const struct fold_row *row)
{
	const struct record_value *state = &row->r.v[CALL_state];

	if (!state->set)
		return record_text(STR_NONE);
	if (row->keys[CALL_state].rank == CALL_RANK_REPAIRED)
		return record_text(STR(CALL_REASON_REPAIRED));
	return record_text(
	    str_eq(state->s, STR(CALL_STATE_SWEPT)) ? STR(CALL_STATE_SWEPT) : STR_NONE);
}

/* from and to follow the direction: outbound is internal to external. */
static void
derive_numbers(struct record_value *v)
{
	static const struct record_value none;
	bool known = v[CALL_direction].set;
	bool out = known && str_eq(v[CALL_direction].s, STR("outbound"));
	bool in = known && str_eq(v[CALL_direction].s, STR("inbound"));

	v[CALL_from] = out ? v[CALL_internal_number] : in ? v[CALL_external_number] : none;
	v[CALL_to] = out ? v[CALL_external_number] : in ? v[CALL_internal_number] : none;
}

/* Talk: as Dialpad says, else from answer to end. */
static struct record_value
talk_duration(const struct record_value *v)
{
	if (v[CALL_talk_time].set)
		return v[CALL_talk_time];
	if (v[CALL_connected_at].set && v[CALL_ended_at].set
	    && v[CALL_ended_at].i >= v[CALL_connected_at].i)
		return record_int(v[CALL_ended_at].i - v[CALL_connected_at].i);
	return (struct record_value){ 0 };
}

static void
derive_recordings(struct record_value *v, struct arena *a)
{
	struct recording r;

	v[CALL_recording_url] = (struct record_value){ 0 };
	v[CALL_voicemail_duration] = (struct record_value){ 0 };
	v[CALL_voicemail_left_at] = v[CALL_voicemail_at];
	if (!v[CALL_recordings].set)
		return;
	if (recordings_find(v[CALL_recordings].s, STR("callrecording"), a, &r)
	    || recordings_find(v[CALL_recordings].s, STR("admincallrecording"), a, &r))
		v[CALL_recording_url] = record_text(r.url);
	if (!recordings_find(v[CALL_recordings].s, STR("voicemail"), a, &r))
		return;
	if (r.duration > 0)
		v[CALL_voicemail_duration] = record_int(r.duration);
	if (r.started_at > 0)
		v[CALL_voicemail_left_at] = record_int(r.started_at);
}

/* Never null: when it began, else the earliest date in any event, else the earliest event. */
static struct record_value
sort_at(const struct record_value *own, const struct record_value *first_date,
    const struct record_value *first_event)
{
	if (own->set)
		return *own;
	return first_date->set ? *first_date : *first_event;
}

void
fold_derive(struct fold_row *row, const struct record_kind *kind, struct arena *a)
{
	struct record_value *v = row->r.v;

	if (kind == &RECORD_CALL) {
		derive_numbers(v);
		derive_recordings(v, a);
		v[CALL_status] = record_text(call_status(v));
		v[CALL_ended_reason] = ended_reason(row);
		v[CALL_duration] = talk_duration(v);
		v[CALL_sort_at] =
		    sort_at(&v[CALL_started_at], &v[CALL_first_date_at], &v[CALL_first_event_at]);
	} else {
		v[MESSAGE_to] = record_text(v[MESSAGE_to_numbers].set
			? strings_first(v[MESSAGE_to_numbers].s, a)
			: STR_NONE);
		v[MESSAGE_sort_at] = sort_at(
		    &v[MESSAGE_sent_at], &v[MESSAGE_first_date_at], &v[MESSAGE_first_event_at]);
	}
}

/* ---- the voicemail on a call ---- */

bool
fold_voicemail(const struct fold_row *call, struct record *out)
{
	static const struct {
		enum voicemail_field to;
		enum call_field from;
	} same[] = {
#define SAME(column) { VOICEMAIL_##column, CALL_##column }
		SAME(from),
		SAME(to),
		SAME(target_id),
		SAME(target_type),
		SAME(target_name),
		SAME(target_email),
		SAME(target_phone),
		SAME(target_office_id),
		SAME(contact_id),
		SAME(contact_type),
		SAME(contact_name),
		SAME(contact_phone),
		SAME(contact_email),
		SAME(transcription),
		SAME(updated_at),
#undef SAME
		{ VOICEMAIL_recording_id, CALL_voicemail_recording_id },
		{ VOICEMAIL_recording_url, CALL_voicemail_url },
		{ VOICEMAIL_duration, CALL_voicemail_duration },
		{ VOICEMAIL_left_at, CALL_voicemail_left_at },
		{ VOICEMAIL_sort_at, CALL_voicemail_left_at },
	};

	if (!call->r.v[CALL_voicemail_at].set)
		return false;
	*out = (struct record){ .dialpad_id = call->r.dialpad_id };
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		out->v[same[i].to] = call->r.v[same[i].from];
	out->v[VOICEMAIL_created_at] = call->voicemail_received_at != 0
	    ? record_int(call->voicemail_received_at)
	    : call->r.v[CALL_updated_at];
	return true;
}
