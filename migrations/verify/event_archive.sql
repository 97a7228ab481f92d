-- Verify event_archive

BEGIN;
SET LOCAL search_path = public;

SELECT app_id, received_at, event_id, arrived_at, hook, source, event_type,
	dialpad_event_id, event_at, payload, payload_raw, origin_event_id
	FROM event_log_archive WHERE false;
SELECT app_id, received_at, event_id, verdict, attempts, last_error, at
	FROM event_outcomes_archive WHERE false;
SELECT archived FROM webhook_events WHERE false;

DO $$
DECLARE
	archive text;
	retire  text;
	parent  text;
BEGIN
	FOREACH archive IN ARRAY ARRAY['event_log_archive', 'event_outcomes_archive'] LOOP
		ASSERT (
			SELECT relrowsecurity AND relforcerowsecurity
			FROM pg_class WHERE oid = archive::regclass
		), format('%s has no forced row-level security', archive);
		ASSERT EXISTS (
			SELECT FROM pg_policy
			WHERE polrelid = archive::regclass AND polname = 'api_own_tenant'
			  AND polroles = ARRAY['cti_api'::regrole::oid]
		), format('%s has no policy for cti_api', archive);
		ASSERT NOT has_table_privilege('cti_api', archive, 'INSERT, UPDATE, DELETE'),
			format('cti_api may write to %s', archive);
		ASSERT NOT has_table_privilege('cti_ingest', archive, 'SELECT, INSERT'),
			format('cti_ingest may use %s', archive);
	END LOOP;

	FOREACH retire IN ARRAY ARRAY['retire_events(integer, boolean)', 'retire_feed(integer)']
	LOOP
		ASSERT (
			SELECT prosecdef AND 'search_path=pg_catalog, pg_temp' = ANY (proconfig)
			FROM pg_proc WHERE oid = retire::regprocedure
		), format('%s must be SECURITY DEFINER with a fixed search_path', retire);
		ASSERT NOT has_function_privilege('cti_api', retire, 'EXECUTE')
			AND NOT has_function_privilege('cti_ingest', retire, 'EXECUTE'),
			format('%s is open to more than workerd', retire);
	END LOOP;

	FOREACH parent IN ARRAY ARRAY['event_log', 'event_outcomes'] LOOP
		ASSERT NOT EXISTS (
			SELECT FROM pg_inherits WHERE inhparent = parent::regclass
			  AND NOT EXISTS (SELECT FROM pg_constraint
				WHERE conrelid = inhrelid AND conname = 'one_day')
		), format('archiving a day of %s would read it whole', parent);
	END LOOP;

	ASSERT EXISTS (
		SELECT FROM pg_class
		WHERE oid = 'webhook_events'::regclass
		  AND 'security_invoker=true' = ANY (reloptions)
	), 'webhook_events would show every tenant''s rows to any reader';
END
$$;

ROLLBACK;
