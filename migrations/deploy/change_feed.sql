-- Deploy change_feed
--
-- Every change of a tenant's records, in order and without gaps: what the WebSocket
-- pushes and /api/events lists.

BEGIN;
SET LOCAL search_path = public;

CREATE TABLE change_feed (
	app_id     uuid        NOT NULL,
	-- From tenant_heads.last_seq, inside the transaction that makes the change.
	seq        bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	type       text        NOT NULL,
	-- Our id of the record; null for a change of the connection.
	object_id  uuid,
	-- The object exactly as the REST API shows it.
	data       json        NOT NULL,
	PRIMARY KEY (app_id, seq, created_at)
) PARTITION BY RANGE (created_at);

COMMENT ON TABLE change_feed IS
	'Changes of records, numbered per tenant; daily partitions by created_at';

COMMIT;
