-- Verify tenant_access

BEGIN;
SET LOCAL search_path = public;

DO $$
DECLARE
	tenant_table text;
BEGIN
	FOREACH tenant_table IN ARRAY ARRAY['event_log', 'event_queue', 'event_outcomes',
		'calls', 'messages', 'voicemails', 'change_feed']
	LOOP
		ASSERT (
			SELECT relrowsecurity AND relforcerowsecurity
			FROM pg_class WHERE oid = tenant_table::regclass
		), format('%s has no forced row-level security', tenant_table);
		ASSERT EXISTS (
			SELECT FROM pg_policy
			WHERE polrelid = tenant_table::regclass AND polname = 'api_own_tenant'
			  AND polroles = ARRAY['cti_api'::regrole::oid]
		), format('%s has no policy for cti_api', tenant_table);
		ASSERT NOT has_table_privilege('cti_api', tenant_table, 'INSERT, UPDATE, DELETE'),
			format('cti_api may write to %s', tenant_table);
		ASSERT NOT has_table_privilege('cti_ingest', tenant_table, 'SELECT'),
			format('cti_ingest may read %s', tenant_table);
	END LOOP;
END
$$;

ROLLBACK;
