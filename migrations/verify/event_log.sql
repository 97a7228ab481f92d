-- Verify event_log

BEGIN;
SET LOCAL search_path = public;

SELECT app_id, received_at, event_id, arrived_at, hook, source, event_type,
	dialpad_event_id, event_at, payload, payload_raw, origin_event_id
	FROM event_log WHERE false;
SELECT app_id, event_id, received_at, attempts, next_attempt_at, last_error
	FROM event_queue WHERE false;
SELECT app_id, received_at, event_id, verdict, attempts, last_error, at
	FROM event_outcomes WHERE false;

DO $$
BEGIN
	ASSERT (
		SELECT count(*) FROM pg_partitioned_table
		WHERE partrelid IN ('event_log'::regclass, 'event_outcomes'::regclass)
		  AND partstrat = 'r' AND partdefid = 0
	) = 2, 'event_log and event_outcomes must be partitioned by range, without a default';
END
$$;

ROLLBACK;
