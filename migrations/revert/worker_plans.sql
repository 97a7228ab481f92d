-- Revert worker_plans

BEGIN;
SET LOCAL search_path = public;

DO $$
BEGIN
	EXECUTE format('ALTER ROLE cti_worker IN DATABASE %I RESET enable_seqscan',
		current_database());
	EXECUTE format('ALTER ROLE cti_worker IN DATABASE %I RESET plan_cache_mode',
		current_database());
END
$$;

COMMIT;
