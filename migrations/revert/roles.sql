-- Revert roles
--
-- Takes back what this database gave. A role goes only when nothing else in the cluster
-- depends on it; its password goes with it. DROP OWNED is avoided on purpose: it would
-- also take the role's CONNECT on other databases.

BEGIN;

DO $$
DECLARE
	role_name text;
BEGIN
	FOREACH role_name IN ARRAY
		ARRAY['cti_ingest', 'cti_worker', 'cti_api', 'cti_admin', 'cti_readonly']
	LOOP
		CONTINUE WHEN to_regrole(role_name) IS NULL;
		EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL',
			role_name, current_database());
		EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM %I',
			current_database(), role_name);
		EXECUTE format('REVOKE USAGE ON SCHEMA public FROM %I', role_name);
		BEGIN
			EXECUTE format('DROP ROLE %I', role_name);
		EXCEPTION
			WHEN dependent_objects_still_exist OR insufficient_privilege THEN
				RAISE NOTICE 'role % is still in use and stays: %', role_name, SQLERRM;
		END;
	END LOOP;
END
$$;

COMMIT;
