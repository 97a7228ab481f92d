-- Deploy event_archive
--
-- Old days leave the event log and the feed. A day of the log, with its outcomes, goes
-- into an archive that webhook_events goes on reading, or for good. Moving it is a matter
-- of the catalogue: the partition stays where it is and changes its parent.
--
-- Every query of the view opens all days of the archive, unless it names received_at: for
-- years of them, max_locks_per_transaction has to grow.

BEGIN;
SET LOCAL search_path = public;
SET LOCAL lock_timeout = '2s';

CREATE TABLE event_log_archive (LIKE event_log INCLUDING ALL)
	PARTITION BY RANGE (received_at);
CREATE TABLE event_outcomes_archive (LIKE event_outcomes INCLUDING ALL)
	PARTITION BY RANGE (received_at);

COMMENT ON TABLE event_log_archive IS
	'Days that left event_log, as they were; for people, no daemon works on them';
COMMENT ON TABLE event_outcomes_archive IS
	'What became of the events in event_log_archive';

-- As in tenant_access, but nobody inserts.
DO $$
DECLARE
	archive text;
BEGIN
	FOREACH archive IN ARRAY ARRAY['event_log_archive', 'event_outcomes_archive'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', archive);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', archive);
		EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER
			USING (true) WITH CHECK (true)', archive);
		EXECUTE format('CREATE POLICY worker_all ON %I TO cti_worker
			USING (true) WITH CHECK (true)', archive);
		EXECUTE format('CREATE POLICY admin_all ON %I TO cti_admin
			USING (true) WITH CHECK (true)', archive);
		EXECUTE format('CREATE POLICY readonly_all ON %I FOR SELECT TO cti_readonly
			USING (true)', archive);
		EXECUTE format($policy$CREATE POLICY api_own_tenant ON %I FOR SELECT TO cti_api
			USING (app_id = NULLIF(current_setting('cti.app_id', true), '')::uuid)
			$policy$, archive);
		EXECUTE format('GRANT SELECT ON %I TO cti_worker, cti_api, cti_admin, cti_readonly',
			archive);
		EXECUTE format('GRANT DELETE ON %I TO cti_worker, cti_admin', archive);
	END LOOP;
END
$$;

-- As before, with a CHECK that says the same as the partition's bounds. An ATTACH that
-- finds it does not read the rows: without it, archiving a day would lock everybody out
-- while a whole day is read.
CREATE OR REPLACE FUNCTION ensure_partitions(days_ahead integer DEFAULT 30) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	today   date := (now() AT TIME ZONE 'UTC')::date;
	created integer := 0;
	parent  text;
	key     text;
	part    text;
	day     date;
	starts  text;
	ends    text;
BEGIN
	IF days_ahead IS NULL OR days_ahead NOT BETWEEN 0 AND 366 THEN
		RAISE EXCEPTION 'days_ahead must be 0 to 366, not %', days_ahead
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- One caller at a time; the others then find the work done.
	PERFORM pg_advisory_xact_lock(hashtextextended('cti.ensure_partitions', 0));

	FOR parent, key IN VALUES ('event_log', 'received_at'),
		('event_outcomes', 'received_at'), ('change_feed', 'created_at')
	LOOP
		FOR day IN SELECT today + n FROM generate_series(-1, days_ahead) AS n LOOP
			part := parent || '_' || to_char(day, 'YYYYMMDD');
			CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
			starts := to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00';
			ends := to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00';
			-- Create, then attach: CREATE TABLE … PARTITION OF would wait until
			-- nobody writes to the parent, and make all writers wait behind it.
			EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL,
				CONSTRAINT one_day CHECK (%I >= %L AND %I < %L))',
				part, parent, key, starts, key, ends);
			-- Without a policy of its own a partition shows nothing to anybody but
			-- the owner, even where default privileges grant new tables to others.
			EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', part);
			EXECUTE format(
				'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
				parent, part, starts, ends);
			created := created + 1;
		END LOOP;
	END LOOP;
	RETURN created;
END
$$;

-- The days of a partitioned table that lie before `cutoff`. ensure_partitions writes the
-- day into the name.
CREATE FUNCTION partition_days(parent regclass, cutoff date) RETURNS SETOF date
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT day FROM (
		SELECT to_date(right(part.relname, 8), 'YYYYMMDD') AS day
		FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
		WHERE inhparent = parent AND part.relname ~ '_[0-9]{8}$'
	) AS days
	WHERE day < cutoff
$$;
REVOKE ALL ON FUNCTION partition_days(regclass, date) FROM PUBLIC;

DO $$
DECLARE
	parent text;
	day    date;
BEGIN
	FOREACH parent IN ARRAY ARRAY['event_log', 'event_outcomes'] LOOP
		FOR day IN SELECT partition_days(parent::regclass, 'infinity') LOOP
			EXECUTE format('ALTER TABLE %I ADD CONSTRAINT one_day
				CHECK (received_at >= %L AND received_at < %L)',
				parent || '_' || to_char(day, 'YYYYMMDD'),
				to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',
				to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
		END LOOP;
	END LOOP;
END
$$;

-- Retires the oldest day of the event log that is older than keep_days whole days, and
-- returns it; null when there is none. With archive = false a day is dropped, and so are
-- the days that were archived before.
--
-- The parents are locked against everybody for the moment it takes. Whoever comes later
-- queues behind us while we wait for the lock, ingestd too, so we wait for a second only
-- and leave the rest to the next try. In a function there is no DETACH CONCURRENTLY.
CREATE FUNCTION retire_events(keep_days integer, archive boolean) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $$
DECLARE
	parents text[] := ARRAY['event_log', 'event_outcomes'];
	cutoff  date := (now() AT TIME ZONE 'UTC')::date - keep_days;
	oldest  date;
	starts  text;
	ends    text;
	parent  text;
	part    text;
BEGIN
	IF keep_days IS NULL OR keep_days NOT BETWEEN 1 AND 36500 OR archive IS NULL THEN
		RAISE EXCEPTION 'keep_days must be 1 to 36500, not %', keep_days
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT min(day) INTO oldest
	FROM unnest(CASE WHEN archive THEN parents
		ELSE parents || ARRAY['event_log_archive', 'event_outcomes_archive'] END) AS name,
		public.partition_days(('public.' || name)::regclass, cutoff) AS day;
	IF oldest IS NULL THEN
		RETURN NULL;
	END IF;

	starts := to_char(oldest, 'YYYY-MM-DD') || ' 00:00:00+00';
	ends := to_char(oldest + 1, 'YYYY-MM-DD') || ' 00:00:00+00';
	IF EXISTS (SELECT FROM public.event_queue
		WHERE received_at >= starts::timestamptz AND received_at < ends::timestamptz)
	THEN
		RAISE EXCEPTION 'events of % are still in the queue', oldest
			USING ERRCODE = 'object_in_use';
	END IF;

	FOREACH parent IN ARRAY parents LOOP
		part := parent || '_' || to_char(oldest, 'YYYYMMDD');
		IF NOT archive THEN
			EXECUTE format('DROP TABLE IF EXISTS public.%I', part);
			CONTINUE;
		END IF;
		CONTINUE WHEN NOT EXISTS (SELECT FROM pg_inherits
			WHERE inhparent = ('public.' || parent)::regclass
			  AND inhrelid = to_regclass('public.' || part));
		EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', parent, part);
		EXECUTE format(
			'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
			parent || '_archive', part, starts, ends);
	END LOOP;
	RETURN oldest;
END
$$;

-- Drops the oldest day of the feed that is older than keep_days whole days, and returns
-- it; null when there is none.
CREATE FUNCTION retire_feed(keep_days integer) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $$
DECLARE
	oldest date;
BEGIN
	IF keep_days IS NULL OR keep_days NOT BETWEEN 1 AND 36500 THEN
		RAISE EXCEPTION 'keep_days must be 1 to 36500, not %', keep_days
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT min(day) INTO oldest FROM public.partition_days('public.change_feed',
		(now() AT TIME ZONE 'UTC')::date - keep_days) AS day;
	IF oldest IS NOT NULL THEN
		EXECUTE format('DROP TABLE public.%I',
			'change_feed_' || to_char(oldest, 'YYYYMMDD'));
	END IF;
	RETURN oldest;
END
$$;

REVOKE ALL ON FUNCTION retire_events(integer, boolean), retire_feed(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retire_events(integer, boolean), retire_feed(integer)
	TO cti_worker;

-- As before, and the archive. An archived event is never in the queue: retire_events sees
-- to that.
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
LEFT JOIN event_outcomes AS outcome USING (app_id, received_at, event_id)
UNION ALL
SELECT
	log.event_id,
	log.app_id,
	log.event_type,
	log.dialpad_event_id,
	log.payload,
	COALESCE(outcome.verdict = 'assigned', true),
	log.received_at,
	true,
	COALESCE(outcome.verdict, 'processed'),
	COALESCE(outcome.attempts, 0),
	outcome.last_error
FROM event_log_archive AS log
LEFT JOIN event_outcomes_archive AS outcome USING (app_id, received_at, event_id);

COMMIT;
