-- Verify worker_index_order

BEGIN;

DO $$
BEGIN
	ASSERT EXISTS (
		SELECT FROM pg_db_role_setting
		WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND setrole = 'cti_worker'::regrole
		  AND 'enable_bitmapscan=off' = ANY (setconfig)
	), 'a planner setting of cti_worker is missing';
END
$$;

ROLLBACK;
