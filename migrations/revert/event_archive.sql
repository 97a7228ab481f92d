-- Revert event_archive
--
-- The archive is lost.

BEGIN;
SET LOCAL search_path = public;
SET LOCAL lock_timeout = '2s';

CREATE OR REPLACE VIEW webhook_events WITH (security_invoker = true) AS
SELECT
	log.event_id AS id,
	log.app_id,
	log.event_type,
	log.dialpad_event_id,
	-- Null when the claims were no JSON that PostgreSQL takes and only bytes were kept.
	log.payload,
	queue.event_id IS NULL AND COALESCE(outcome.verdict = 'assigned', true) AS processed,
	log.received_at,
	false AS archived,
	CASE
		WHEN outcome.verdict IS NOT NULL THEN outcome.verdict
		WHEN queue.event_id IS NULL THEN 'processed'
		WHEN queue.attempts = 0 THEN 'pending'
		ELSE 'retrying'
	END AS verdict,
	COALESCE(outcome.attempts, queue.attempts, 0) AS attempts,
	COALESCE(outcome.last_error, queue.last_error) AS last_error
FROM event_log AS log
LEFT JOIN event_queue AS queue USING (app_id, received_at, event_id)
LEFT JOIN event_outcomes AS outcome USING (app_id, received_at, event_id);

DROP FUNCTION retire_feed(integer), retire_events(integer, boolean),
	partition_days(regclass, date);
DROP TABLE event_outcomes_archive, event_log_archive;

DO $$
DECLARE
	part regclass;
BEGIN
	FOR part IN
		SELECT conrelid FROM pg_constraint JOIN pg_inherits ON inhrelid = conrelid
		WHERE conname = 'one_day' AND inhparent IN ('event_log'::regclass,
			'event_outcomes'::regclass, 'change_feed'::regclass)
	LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT one_day', part);
	END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION ensure_partitions(days_ahead integer DEFAULT 30) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	today   date := (now() AT TIME ZONE 'UTC')::date;
	created integer := 0;
	parent  text;
	part    text;
	day     date;
BEGIN
	IF days_ahead IS NULL OR days_ahead NOT BETWEEN 0 AND 366 THEN
		RAISE EXCEPTION 'days_ahead must be 0 to 366, not %', days_ahead
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- One caller at a time; the others then find the work done.
	PERFORM pg_advisory_xact_lock(hashtextextended('cti.ensure_partitions', 0));

	FOREACH parent IN ARRAY ARRAY['event_log', 'event_outcomes', 'change_feed'] LOOP
		FOR day IN SELECT today + n FROM generate_series(-1, days_ahead) AS n LOOP
			part := parent || '_' || to_char(day, 'YYYYMMDD');
			CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
			-- Create, then attach: CREATE TABLE … PARTITION OF would wait until
			-- nobody writes to the parent, and make all writers wait behind it.
			EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)',
				part, parent);
			-- Without a policy of its own a partition shows nothing to anybody but
			-- the owner, even where default privileges grant new tables to others.
			EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', part);
			EXECUTE format(
				'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
				parent, part,
				to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',
				to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
			created := created + 1;
		END LOOP;
	END LOOP;
	RETURN created;
END
$$;

COMMIT;
