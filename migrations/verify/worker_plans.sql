-- Verify worker_plans

BEGIN;

DO $$
BEGIN
	ASSERT (
		SELECT count(*) FROM pg_db_role_setting, unnest(setconfig) AS s
		WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND setrole = 'cti_worker'::regrole
		  AND s IN ('enable_seqscan=off', 'plan_cache_mode=force_generic_plan')
	) = 2, 'a planner setting of cti_worker is missing';
END
$$;

ROLLBACK;
