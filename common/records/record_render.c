#include "common/records/record_render.h"

static void
put(struct json_out *j, const char *key, const struct record_kind *kind, const struct record *r,
    int field)
{
	const struct record_value *v = &r->v[field];

	jo_key(j, key);
	if (!v->set) {
		jo_null(j);
		return;
	}
	switch (kind->fields[field].type) {
	case RECORD_I64:
	case RECORD_MS: jo_i64(j, v->i); break;
	case RECORD_TIME: jo_time(j, v->i); break;
	case RECORD_F64: jo_f64(j, v->f); break;
	case RECORD_BOOL: jo_bool(j, v->b); break;
	case RECORD_TEXT:
	case RECORD_LONG: jo_str(j, v->s); break;
	case RECORD_JSON: jo_raw(j, v->s); break;
	}
}

/* One member of an object whose name in a record is <prefix>_<name>; field < 0: never known. */
struct member {
	const char *name;
	int field;
};

/* An object, or null when no member is known. */
static void
put_object(struct json_out *j, const char *key, const struct record_kind *kind,
    const struct record *r, const struct member *members, int n)
{
	bool known = false;

	for (int i = 0; i < n; i++)
		known |= members[i].field >= 0 && r->v[members[i].field].set;
	jo_key(j, key);
	if (!known) {
		jo_null(j);
		return;
	}
	jo_obj(j);
	for (int i = 0; i < n; i++) {
		if (members[i].field >= 0) {
			put(j, members[i].name, kind, r, members[i].field);
		} else {
			jo_key(j, members[i].name);
			jo_null(j);
		}
	}
	jo_end_obj(j);
}

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

static const struct member call_target[] = {
	{ "id", CALL_target_id },
	{ "type", CALL_target_type },
	{ "name", CALL_target_name },
	{ "email", CALL_target_email },
	{ "phone", CALL_target_phone },
	{ "office_id", CALL_target_office_id },
};
static const struct member call_contact[] = {
	{ "id", CALL_contact_id },
	{ "name", CALL_contact_name },
	{ "phone", CALL_contact_phone },
	{ "email", CALL_contact_email },
	{ "type", CALL_contact_type },
};
static const struct member call_recap[] = {
	{ "summary", CALL_recap_summary },
	{ "outcome", CALL_recap_outcome },
	{ "purposes", CALL_recap_purposes },
	{ "action_items", CALL_recap_action_items },
};
static const struct member message_target[] = {
	{ "id", MESSAGE_target_id },
	{ "type", MESSAGE_target_type },
	{ "name", MESSAGE_target_name },
	{ "email", -1 },
	{ "phone", MESSAGE_target_phone },
	{ "office_id", -1 },
};
static const struct member message_contact[] = {
	{ "id", MESSAGE_contact_id },
	{ "name", MESSAGE_contact_name },
	{ "phone", MESSAGE_contact_phone },
	{ "email", MESSAGE_contact_email },
	{ "type", MESSAGE_contact_type },
};
static const struct member voicemail_target[] = {
	{ "id", VOICEMAIL_target_id },
	{ "type", VOICEMAIL_target_type },
	{ "name", VOICEMAIL_target_name },
	{ "email", VOICEMAIL_target_email },
	{ "phone", VOICEMAIL_target_phone },
	{ "office_id", VOICEMAIL_target_office_id },
};
static const struct member voicemail_contact[] = {
	{ "id", VOICEMAIL_contact_id },
	{ "name", VOICEMAIL_contact_name },
	{ "phone", VOICEMAIL_contact_phone },
	{ "email", VOICEMAIL_contact_email },
	{ "type", VOICEMAIL_contact_type },
};

static void
put_list(struct json_out *j, const char *key, const struct record_value *v)
{
	jo_key(j, key);
	jo_raw(j, v->set ? v->s : STR("[]"));
}

/* false when unknown: what a client asks of a flag. */
static void
put_flag(struct json_out *j, const char *key, const struct record_value *v)
{
	jo_kv_bool(j, key, v->set && v->b);
}

static void
call_parties(const struct record *r, struct json_out *j)
{
	put_object(j, "target", &RECORD_CALL, r, call_target, COUNT(call_target));
	put_object(j, "contact", &RECORD_CALL, r, call_contact, COUNT(call_contact));
}

/* Null until a message was uploaded, even where its recording id is known before. */
static void
call_voicemail(const struct record *r, struct json_out *j)
{
	jo_key(j, "voicemail");
	if (!r->v[CALL_voicemail_at].set) {
		jo_null(j);
		return;
	}
	jo_obj(j);
	put(j, "recording_id", &RECORD_CALL, r, CALL_voicemail_recording_id);
	put(j, "recording_url", &RECORD_CALL, r, CALL_voicemail_url);
	put(j, "duration", &RECORD_CALL, r, CALL_voicemail_duration);
	jo_end_obj(j);
}

/* Dialpad's own figure, else from start to end. */
static void
call_total_duration(const struct record *r, struct json_out *j)
{
	const struct record_value *started = &r->v[CALL_started_at], *ended = &r->v[CALL_ended_at];

	if (!r->v[CALL_total_duration].set && started->set && ended->set && ended->i >= started->i)
		jo_kv_i64(j, "total_duration", ended->i - started->i);
	else
		put(j, "total_duration", &RECORD_CALL, r, CALL_total_duration);
}

/* clang-format off */
void
render_call_members(const struct record *r, struct json_out *j)
{
	const struct record_kind *k = &RECORD_CALL;

	jo_key(j, "id");
	jo_uuid(j, r->id);
	jo_kv_i64(j, "call_id", r->dialpad_id);
	put(j, "direction", k, r, CALL_direction);
	put(j, "from", k, r, CALL_from);
	put(j, "to", k, r, CALL_to);
	put(j, "status", k, r, CALL_status);
	put(j, "state", k, r, CALL_state);
	put(j, "started_at", k, r, CALL_started_at);
	put(j, "rang_at", k, r, CALL_rang_at);
	put(j, "connected_at", k, r, CALL_connected_at);
	put(j, "ended_at", k, r, CALL_ended_at);
	put(j, "duration", k, r, CALL_duration);
	put(j, "talk_time", k, r, CALL_talk_time);
	call_total_duration(r, j);
	call_parties(r, j);
	put_flag(j, "was_recorded", &r->v[CALL_was_recorded]);
	put(j, "recording_url", k, r, CALL_recording_url);
	put_list(j, "recordings", &r->v[CALL_recordings]);
	call_voicemail(r, j);
	put(j, "transcription", k, r, CALL_transcription);
	put_object(j, "recap", k, r, call_recap, COUNT(call_recap));
	put(j, "mos_score", k, r, CALL_mos_score);
	put(j, "csat_score", k, r, CALL_csat_score);
	put_list(j, "labels", &r->v[CALL_labels]);
	put_flag(j, "is_transferred", &r->v[CALL_is_transferred]);
	put(j, "master_call_id", k, r, CALL_master_call_id);
	put(j, "entry_point_call_id", k, r, CALL_entry_point_call_id);
	put(j, "operator_call_id", k, r, CALL_operator_call_id);
	put(j, "group_id", k, r, CALL_group_id);
	put(j, "created_at", k, r, CALL_created_at);
	put(j, "updated_at", k, r, CALL_updated_at);
}

void
render_call(const struct record *r, struct json_out *j)
{
	jo_obj(j);
	render_call_members(r, j);
	jo_end_obj(j);
}

void
render_message(const struct record *r, struct json_out *j)
{
	const struct record_kind *k = &RECORD_MESSAGE;

	jo_obj(j);
	jo_key(j, "id");
	jo_uuid(j, r->id);
	jo_kv_i64(j, "message_id", r->dialpad_id);
	put(j, "direction", k, r, MESSAGE_direction);
	put(j, "from", k, r, MESSAGE_from);
	put(j, "to", k, r, MESSAGE_to);
	put_list(j, "to_numbers", &r->v[MESSAGE_to_numbers]);
	put(j, "text", k, r, MESSAGE_text);
	put(j, "status", k, r, MESSAGE_status);
	put(j, "delivery_result", k, r, MESSAGE_delivery_result);
	put_flag(j, "is_mms", &r->v[MESSAGE_is_mms]);
	put(j, "media_url", k, r, MESSAGE_media_url);
	put_flag(j, "is_internal", &r->v[MESSAGE_is_internal]);
	put_object(j, "target", k, r, message_target, COUNT(message_target));
	put_object(j, "contact", k, r, message_contact, COUNT(message_contact));
	put(j, "sent_at", k, r, MESSAGE_sent_at);
	put(j, "created_at", k, r, MESSAGE_created_at);
	put(j, "updated_at", k, r, MESSAGE_updated_at);
	jo_end_obj(j);
}

void
render_voicemail(const struct record *r, struct json_out *j)
{
	const struct record_kind *k = &RECORD_VOICEMAIL;

	jo_obj(j);
	jo_key(j, "id");
	jo_uuid(j, r->id);
	jo_kv_i64(j, "call_id", r->dialpad_id);
	put(j, "from", k, r, VOICEMAIL_from);
	put(j, "to", k, r, VOICEMAIL_to);
	put_object(j, "target", k, r, voicemail_target, COUNT(voicemail_target));
	put_object(j, "contact", k, r, voicemail_contact, COUNT(voicemail_contact));
	put(j, "recording_id", k, r, VOICEMAIL_recording_id);
	put(j, "recording_url", k, r, VOICEMAIL_recording_url);
	put(j, "duration", k, r, VOICEMAIL_duration);
	put(j, "transcription", k, r, VOICEMAIL_transcription);
	put(j, "left_at", k, r, VOICEMAIL_left_at);
	put(j, "created_at", k, r, VOICEMAIL_created_at);
	put(j, "updated_at", k, r, VOICEMAIL_updated_at);
	jo_end_obj(j);
}
/* clang-format on */
