-- Revert tenant_access

BEGIN;
SET LOCAL search_path = public;

DO $$
DECLARE
	tenant_table text;
	policy_name text;
BEGIN
	FOREACH tenant_table IN ARRAY ARRAY['event_log', 'event_queue', 'event_outcomes',
		'calls', 'messages', 'voicemails', 'change_feed']
	LOOP
		EXECUTE format('REVOKE ALL ON %I
			FROM cti_ingest, cti_worker, cti_api, cti_admin, cti_readonly', tenant_table);
		FOR policy_name IN
			SELECT polname FROM pg_policy WHERE polrelid = tenant_table::regclass
		LOOP
			EXECUTE format('DROP POLICY %I ON %I', policy_name, tenant_table);
		END LOOP;
		EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', tenant_table);
		EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', tenant_table);
	END LOOP;
END
$$;

COMMIT;
