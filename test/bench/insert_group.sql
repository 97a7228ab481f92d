-- The rows of as many events as there are payloads, as ingestd inserts them. See insert_one.sql.
\set n :n + 1
WITH event AS (
	SELECT '0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2a'::uuid AS app_id,
		(lpad(to_hex(:run::int), 4, '0') || lpad(to_hex(:n::int), 12, '0') || lpad(to_hex(i), 8, '0')
			|| lpad(to_hex(:client_id::int), 8, '0'))::uuid AS event_id,
		now() AS arrived_at, 1 AS hook, 'connected' AS event_type,
		'4611118400000000' AS dialpad_event_id, now() AS event_at, payload
	FROM unnest(:payloads::json[]) WITH ORDINALITY AS e (payload, i)
), logged AS (
	INSERT INTO event_log (app_id, event_id, arrived_at, hook, event_type, dialpad_event_id,
		event_at, payload)
	SELECT * FROM event
)
INSERT INTO event_queue (app_id, event_id) SELECT app_id, event_id FROM event;
