-- Deploy roles
--
-- Roles belong to the whole cluster, which may hold other databases of this project: a
-- role that is there already is used as it is. Grants and settings below are made for
-- this database alone. Whoever deploys needs CREATEROLE, not superuser.

BEGIN;
SET LOCAL search_path = public;

DO $$
DECLARE
	wanted record;
BEGIN
	FOR wanted IN
		SELECT * FROM (VALUES
			('cti_ingest', 'LOGIN'),
			('cti_worker', 'LOGIN'),
			-- NOINHERIT: what cti_admin may do needs an explicit SET ROLE.
			('cti_api', 'LOGIN NOINHERIT'),
			('cti_admin', 'NOLOGIN'),
			('cti_readonly', 'NOLOGIN')
		) AS role (name, attributes)
	LOOP
		IF to_regrole(wanted.name) IS NULL THEN
			EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
		END IF;
		-- The owner must be able to SET ROLE to each, for daemons that were given one
		-- common login.
		IF NOT EXISTS (
			SELECT FROM pg_auth_members
			WHERE roleid = to_regrole(wanted.name)
			  AND member = to_regrole(quote_ident(current_user))
		) THEN
			EXECUTE format('GRANT %I TO CURRENT_USER', wanted.name);
		END IF;
		EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I',
			current_database(), wanted.name);
		EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', wanted.name);
	END LOOP;

	IF NOT EXISTS (
		SELECT FROM pg_auth_members
		WHERE roleid = to_regrole('cti_admin') AND member = to_regrole('cti_api')
	) THEN
		GRANT cti_admin TO cti_api;
	END IF;
END
$$;

-- Settings live with the role, because poolers drop those of the startup packet. They
-- take effect at login; SET ROLE does not bring them.
--
-- ingestd answers within five seconds; workerd folds whole batches; apid's longest
-- statement is one page of a list.
DO $$
DECLARE
	setting record;
BEGIN
	FOR setting IN
		SELECT * FROM (VALUES
			('cti_ingest', 'statement_timeout', '5s'),
			('cti_ingest', 'lock_timeout', '3s'),
			('cti_ingest', 'idle_in_transaction_session_timeout', '10s'),
			('cti_worker', 'statement_timeout', '30s'),
			('cti_worker', 'lock_timeout', '10s'),
			('cti_worker', 'idle_in_transaction_session_timeout', '60s'),
			('cti_api', 'statement_timeout', '10s'),
			('cti_api', 'lock_timeout', '3s'),
			('cti_api', 'idle_in_transaction_session_timeout', '15s'),
			-- A 200 to Dialpad, a key shown once and a spent ticket all promise that
			-- the row is durable, whatever the cluster's default.
			('cti_ingest', 'synchronous_commit', 'on'),
			('cti_worker', 'synchronous_commit', 'on'),
			('cti_api', 'synchronous_commit', 'on')
		) AS setting (role, name, value)
	LOOP
		EXECUTE format('ALTER ROLE %I IN DATABASE %I SET %I = %L',
			setting.role, current_database(), setting.name, setting.value);
	END LOOP;
END
$$;

COMMIT;
