-- Deploy records
--
-- What clients read: calls, messages, voicemails. Rows are folded from events and owned
-- by workerd alone, so the tables carry no checks of their values: the fold's table of
-- states is the one place that defines them. All durations are milliseconds.
--
-- sort_at (never null) orders the lists. created_at and updated_at are the receipt of the
-- record's first and last event. clocks says, for each field, how new the event was that
-- set it; only the fold reads it.
--
-- Free room (fillfactor): a call is updated a handful of times within minutes. The new
-- version then lands in the page of the old one, which costs one dirty page instead of
-- two. An update that moves no indexed value would even be HOT; as updated_at is indexed,
-- that is left to what touches only other columns, such as a rebuild.

BEGIN;
SET LOCAL search_path = public;

-- One row for each leg of a call.
CREATE TABLE calls (
	app_id                 uuid        NOT NULL,
	call_id                bigint      NOT NULL,
	id                     uuid        NOT NULL,
	direction              text,
	external_number        text,
	internal_number        text,
	"from"                 text,
	"to"                   text,
	status                 text        NOT NULL,
	-- Dialpad's own word, of which status is our reading.
	state                  text,

	started_at             timestamptz,
	queued_at              timestamptz,
	rang_at                timestamptz,
	connected_at           timestamptz,
	ended_at               timestamptz,
	duration               bigint,
	talk_time              bigint,
	total_duration         bigint,
	hold_time              bigint,

	target_id              bigint,
	target_type            text,
	target_name            text,
	target_email           text,
	target_phone           text,
	target_office_id       bigint,
	-- Dialpad sends a number or a string here.
	contact_id             text,
	contact_type           text,
	contact_name           text,
	contact_phone          text,
	contact_email          text,

	was_recorded           boolean,
	recording_url          text,
	recordings             json,
	-- Set once a voicemail was uploaded.
	voicemail_at           timestamptz,
	voicemail_recording_id bigint,
	voicemail_url          text,
	voicemail_duration     bigint,
	voicemail_left_at      timestamptz,
	transcription          text,
	recap_summary          text,
	recap_outcome          text,
	recap_purposes         json,
	recap_action_items     json,
	mos_score              double precision,
	csat_score             double precision,
	labels                 json,

	is_transferred         boolean,
	master_call_id         bigint,
	entry_point_call_id    bigint,
	operator_call_id       bigint,
	group_id               text,
	ended_reason           text,

	sort_at                timestamptz NOT NULL,
	-- The earliest date in any event, and the earliest event time: what sort_at falls
	-- back to.
	first_date_at          timestamptz,
	first_event_at         timestamptz NOT NULL,
	clocks                 bytea       NOT NULL,
	created_at             timestamptz NOT NULL,
	updated_at             timestamptz NOT NULL,
	PRIMARY KEY (app_id, call_id),
	UNIQUE (app_id, id)
) WITH (fillfactor = 80);

CREATE INDEX calls_sort_idx ON calls (app_id, sort_at, id);
CREATE INDEX calls_created_idx ON calls (app_id, created_at);
CREATE INDEX calls_updated_idx ON calls (app_id, updated_at);
-- The few calls that are live now. A query must spell the list out to use it.
CREATE INDEX calls_live_idx ON calls (app_id, sort_at, id)
	WHERE status IN ('queued', 'ringing', 'connected', 'on_hold', 'parked');

COMMENT ON TABLE calls IS 'One row per leg of a call; durations in milliseconds';

CREATE TABLE messages (
	app_id          uuid        NOT NULL,
	message_id      bigint      NOT NULL,
	id              uuid        NOT NULL,
	direction       text,
	"from"          text,
	-- The first of to_numbers.
	"to"            text,
	to_numbers      json,
	text            text,
	status          text,
	delivery_result text,
	is_mms          boolean,
	media_url       text,
	is_internal     boolean,
	sender_id       bigint,

	target_id       bigint,
	target_type     text,
	target_name     text,
	target_phone    text,
	contact_id      text,
	contact_type    text,
	contact_name    text,
	contact_phone   text,
	contact_email   text,

	sent_at         timestamptz,
	sort_at         timestamptz NOT NULL,
	first_date_at   timestamptz,
	first_event_at  timestamptz NOT NULL,
	clocks          bytea       NOT NULL,
	created_at      timestamptz NOT NULL,
	updated_at      timestamptz NOT NULL,
	PRIMARY KEY (app_id, message_id),
	UNIQUE (app_id, id)
) WITH (fillfactor = 90);

CREATE INDEX messages_sort_idx ON messages (app_id, sort_at, id);
CREATE INDEX messages_created_idx ON messages (app_id, created_at);
CREATE INDEX messages_updated_idx ON messages (app_id, updated_at);

COMMENT ON TABLE messages IS 'One row per text message';

-- A projection of each call that has a voicemail, written with the call. It has no clocks
-- of its own: the call's decide.
CREATE TABLE voicemails (
	app_id           uuid        NOT NULL,
	call_id          bigint      NOT NULL,
	id               uuid        NOT NULL,
	"from"           text,
	"to"             text,

	target_id        bigint,
	target_type      text,
	target_name      text,
	target_email     text,
	target_phone     text,
	target_office_id bigint,
	contact_id       text,
	contact_type     text,
	contact_name     text,
	contact_phone    text,
	contact_email    text,

	recording_id     bigint,
	recording_url    text,
	duration         bigint,
	transcription    text,
	left_at          timestamptz,
	sort_at          timestamptz NOT NULL,
	created_at       timestamptz NOT NULL,
	updated_at       timestamptz NOT NULL,
	PRIMARY KEY (app_id, call_id),
	UNIQUE (app_id, id)
) WITH (fillfactor = 90);

CREATE INDEX voicemails_sort_idx ON voicemails (app_id, sort_at, id);
CREATE INDEX voicemails_created_idx ON voicemails (app_id, created_at);
CREATE INDEX voicemails_updated_idx ON voicemails (app_id, updated_at);

COMMENT ON TABLE voicemails IS
	'One row per call with a voicemail; duration in milliseconds';

COMMIT;
