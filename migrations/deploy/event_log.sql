-- Deploy event_log
--
-- Every event as it came (event_log), what is still to be done about it (event_queue),
-- and what became of those that made no record (event_outcomes). An event in the log with
-- neither of the other rows was processed.
--
-- Tenant tables can be distributed by app_id: every key begins with it, and there are no
-- foreign keys and no triggers.

BEGIN;
SET LOCAL search_path = public;

CREATE TABLE event_log (
	app_id           uuid        NOT NULL,
	-- The database's time of the insert, never the daemon's: only the current partition
	-- is ever written.
	received_at      timestamptz NOT NULL DEFAULT now(),
	event_id         uuid        NOT NULL,
	-- When ingestd took the event; earlier than received_at if it lay in the spool.
	arrived_at       timestamptz NOT NULL,
	-- The hook it was signed for; null for the bare URL and for events of our own.
	hook             integer,
	source           text        NOT NULL DEFAULT 'webhook'
		CHECK (source IN ('webhook', 'repair', 'sweeper', 'assigned')),
	-- The state of a call event, 'sms' for a text, else the kind.
	event_type       text,
	-- The call's or message's id at Dialpad. Not unique: one call sends many events.
	dialpad_event_id text,
	-- When it happened, as Dialpad says; null if it does not say.
	event_at         timestamptz,
	-- The claims byte for byte: type json keeps them as they are, jsonb would not. What
	-- json refuses is kept as bytes.
	payload          json,
	payload_raw      bytea,
	-- The unclaimed event that this one, source 'assigned', is a copy of.
	origin_event_id  uuid,
	PRIMARY KEY (app_id, received_at, event_id),
	CONSTRAINT event_log_one_payload CHECK (num_nonnulls(payload, payload_raw) = 1)
) PARTITION BY RANGE (received_at);

-- All events of one call or message: its timeline, and its rebuild.
CREATE INDEX event_log_dialpad_event_idx
	ON event_log (app_id, dialpad_event_id, received_at);
-- One event by its id, for admins and replays, who do not know received_at.
CREATE INDEX event_log_event_idx ON event_log (app_id, event_id);

COMMENT ON TABLE event_log IS
	'Every event, verbatim and immutable; daily partitions by received_at';

-- A row lives here for milliseconds. Ids are UUID v7, so the primary key is also the
-- order of arrival. There is no index on next_attempt_at: almost every row is due, and
-- without one a retry is a HOT update, for which fillfactor leaves room.
--
-- Autovacuum runs after a fixed number of dead rows, however large the table, and at full
-- speed: a scan for due work walks over the dead. It never truncates the file, because
-- that locks out ingestd and the file would grow again at once. ANALYZE runs rarely,
-- because statistics taken in an empty moment mislead the planner.
CREATE TABLE event_queue (
	app_id          uuid        NOT NULL,
	event_id        uuid        NOT NULL,
	-- Of the row in the log: both default to the transaction's now().
	received_at     timestamptz NOT NULL DEFAULT now(),
	-- Failed ones. 0 means that nobody has tried yet.
	attempts        integer     NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT now(),
	last_error      text,
	PRIMARY KEY (app_id, event_id)
) WITH (
	fillfactor = 85,
	autovacuum_vacuum_threshold = 1000,
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_insert_scale_factor = 0.5,
	autovacuum_analyze_threshold = 10000,
	autovacuum_analyze_scale_factor = 0.5,
	autovacuum_vacuum_cost_delay = 0,
	vacuum_truncate = false
);

COMMENT ON TABLE event_queue IS 'Events pending or to be retried; deleted when done';

CREATE TABLE event_outcomes (
	app_id      uuid        NOT NULL,
	-- Of the row in the log: an outcome lives as long as the log's partition.
	received_at timestamptz NOT NULL,
	event_id    uuid        NOT NULL,
	verdict     text        NOT NULL CHECK (verdict IN
		('dead', 'unclaimed', 'assigned', 'retired_hook', 'unknown_app', 'quarantined')),
	attempts    integer     NOT NULL DEFAULT 0,
	last_error  text,
	at          timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (app_id, received_at, event_id)
) PARTITION BY RANGE (received_at);

-- The few that are tried again when an app, a connection or a rule has changed since.
CREATE INDEX event_outcomes_unclaimed_idx ON event_outcomes (app_id, at)
	WHERE verdict = 'unclaimed';

COMMENT ON TABLE event_outcomes IS
	'Events that became no record of their tenant, and why; daily partitions';

COMMIT;
