-- Deploy tenant_access
--
-- Who may do what with the rows of tenants: the one place to read for isolation. A grant
-- says which verb, a policy which rows; both are needed. FORCE binds the owner as well.
--
--   owner         all rows (migrations, and people with the owner's login)
--   cti_ingest    adds to log and queue, and sees nothing
--   cti_worker    all rows
--   cti_api       reads the rows of one tenant: BEGIN; SET LOCAL cti.app_id = '…'
--   cti_admin     reads all rows, erases, and requeues events
--   cti_readonly  reads all rows

BEGIN;
SET LOCAL search_path = public;

DO $$
DECLARE
	tenant_table text;
BEGIN
	FOREACH tenant_table IN ARRAY ARRAY['event_log', 'event_queue', 'event_outcomes',
		'calls', 'messages', 'voicemails', 'change_feed']
	LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);

		EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER
			USING (true) WITH CHECK (true)', tenant_table);
		EXECUTE format('CREATE POLICY worker_all ON %I TO cti_worker
			USING (true) WITH CHECK (true)', tenant_table);
		EXECUTE format('CREATE POLICY admin_all ON %I TO cti_admin
			USING (true) WITH CHECK (true)', tenant_table);
		EXECUTE format('CREATE POLICY readonly_all ON %I FOR SELECT TO cti_readonly
			USING (true)', tenant_table);
		-- After the first SET LOCAL of a connection the setting is an empty string, not
		-- null. The column stands bare on its side, so that an index on app_id serves.
		EXECUTE format($policy$CREATE POLICY api_own_tenant ON %I FOR SELECT TO cti_api
			USING (app_id = NULLIF(current_setting('cti.app_id', true), '')::uuid)
			$policy$, tenant_table);

		EXECUTE format('GRANT SELECT ON %I TO cti_worker, cti_api, cti_admin, cti_readonly',
			tenant_table);
		-- workerd clears out deleted apps, cti_admin erases a person.
		EXECUTE format('GRANT DELETE ON %I TO cti_worker, cti_admin', tenant_table);
	END LOOP;
END
$$;

CREATE POLICY ingest_insert ON event_log FOR INSERT TO cti_ingest WITH CHECK (true);
CREATE POLICY ingest_insert ON event_queue FOR INSERT TO cti_ingest WITH CHECK (true);
GRANT INSERT ON event_log, event_queue TO cti_ingest;

-- Nobody is granted UPDATE on the log: it is immutable. Nor on the feed.
GRANT INSERT ON event_log, change_feed TO cti_worker;
GRANT INSERT, UPDATE ON event_queue, event_outcomes, calls, messages, voicemails
	TO cti_worker;
-- A replay puts events back into the queue.
GRANT INSERT, UPDATE ON event_queue TO cti_admin;

COMMIT;
