-- Revert worker_index_order

BEGIN;
SET LOCAL search_path = public;

DO $$
BEGIN
	EXECUTE format('ALTER ROLE cti_worker IN DATABASE %I RESET enable_bitmapscan',
		current_database());
END
$$;

COMMIT;
