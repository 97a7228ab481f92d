-- Verify records

BEGIN;
SET LOCAL search_path = public;

SELECT app_id, call_id, id, direction, external_number, internal_number, "from", "to",
	status, state, started_at, queued_at, rang_at, connected_at, ended_at, duration,
	talk_time, total_duration, hold_time, target_id, target_type, target_name,
	target_email, target_phone, target_office_id, contact_id, contact_type, contact_name,
	contact_phone, contact_email, was_recorded, recording_url, recordings, voicemail_at,
	voicemail_recording_id, voicemail_url, voicemail_duration, voicemail_left_at,
	transcription, recap_summary, recap_outcome, recap_purposes, recap_action_items,
	mos_score, csat_score, labels, is_transferred, master_call_id, entry_point_call_id,
	operator_call_id, group_id, ended_reason, sort_at, first_date_at, first_event_at,
	clocks, created_at, updated_at
	FROM calls WHERE false;
SELECT app_id, message_id, id, direction, "from", "to", to_numbers, text, status,
	delivery_result, is_mms, media_url, is_internal, sender_id, target_id, target_type,
	target_name, target_phone, contact_id, contact_type, contact_name, contact_phone,
	contact_email, sent_at, sort_at, first_date_at, first_event_at, clocks, created_at,
	updated_at
	FROM messages WHERE false;
SELECT app_id, call_id, id, "from", "to", target_id, target_type, target_name,
	target_email, target_phone, target_office_id, contact_id, contact_type, contact_name,
	contact_phone, contact_email, recording_id, recording_url, duration, transcription,
	left_at, sort_at, created_at, updated_at
	FROM voicemails WHERE false;

ROLLBACK;
