-- Verify roles

BEGIN;

DO $$
DECLARE
	role_name text;
BEGIN
	FOREACH role_name IN ARRAY
		ARRAY['cti_ingest', 'cti_worker', 'cti_api', 'cti_admin', 'cti_readonly']
	LOOP
		ASSERT to_regrole(role_name) IS NOT NULL, format('role %s is missing', role_name);
		ASSERT pg_has_role(role_name, 'MEMBER'),
			format('the owner cannot SET ROLE %s', role_name);
	END LOOP;

	ASSERT NOT EXISTS (
		SELECT FROM pg_roles WHERE rolname LIKE 'cti\_%' AND rolsuper
	), 'a role of the daemons is superuser';
	-- cti_ingest and cti_worker need BYPASSRLS on Citus; the readers never do.
	ASSERT NOT EXISTS (
		SELECT FROM pg_roles
		WHERE rolname IN ('cti_api', 'cti_admin', 'cti_readonly') AND rolbypassrls
	), 'a reading role bypasses row-level security';
	ASSERT (SELECT NOT rolinherit FROM pg_roles WHERE rolname = 'cti_api'),
		'cti_api inherits what only cti_admin may do';
	ASSERT pg_has_role('cti_api', 'cti_admin', 'MEMBER'),
		'cti_api cannot SET ROLE cti_admin';
	ASSERT (
		SELECT count(*) FROM pg_db_role_setting, unnest(setconfig) AS s
		WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND setrole IN ('cti_ingest'::regrole, 'cti_worker'::regrole, 'cti_api'::regrole)
		  AND (s LIKE '%timeout=%' OR s = 'synchronous_commit=on')
	) = 12, 'a timeout or synchronous_commit of a daemon role is missing';
END
$$;

ROLLBACK;
