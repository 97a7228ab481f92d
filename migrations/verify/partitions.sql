-- Verify partitions

BEGIN;
SET LOCAL search_path = public;

DO $$
DECLARE
	tomorrow text := to_char(now() AT TIME ZONE 'UTC' + interval '1 day', 'YYYYMMDD');
BEGIN
	ASSERT (
		SELECT prosecdef AND proconfig = '{"search_path=pg_catalog, pg_temp"}'
		FROM pg_proc WHERE oid = 'ensure_partitions(integer)'::regprocedure
	), 'ensure_partitions must be SECURITY DEFINER with a fixed search_path';
	ASSERT NOT has_function_privilege('cti_api', 'ensure_partitions(integer)', 'EXECUTE'),
		'ensure_partitions is open to more than ingestd and workerd';
	ASSERT (
		SELECT count(*) FROM pg_inherits WHERE inhrelid IN (
			to_regclass('event_log_' || tomorrow),
			to_regclass('event_outcomes_' || tomorrow),
			to_regclass('change_feed_' || tomorrow))
	) = 3, 'tomorrow has no partitions';
END
$$;

ROLLBACK;
