-- Deploy partitions
--
-- Days are days in UTC. There is no DEFAULT partition: adding a day beside one has to
-- scan it, and a row that fell into it would be forgotten.

BEGIN;
SET LOCAL search_path = public;

-- Makes the partitions of yesterday to today + days_ahead that do not exist yet, and
-- returns how many it made. It runs as the owner, because the daemons own nothing; hence
-- the bounded argument, the fixed search_path and the qualified names.
CREATE FUNCTION ensure_partitions(days_ahead integer DEFAULT 30) RETURNS integer
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

REVOKE ALL ON FUNCTION ensure_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(integer) TO cti_ingest, cti_worker;

DO $$ BEGIN PERFORM ensure_partitions(); END $$;

COMMIT;
