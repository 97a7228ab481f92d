-- Deploy worker_index_order
--
-- workerd reads its queue in the order of the key and stops early: one row tells whether a tenant has
-- work, a batch takes the first 500. A bitmap scan reads all that fits before it gives the first row,
-- a backlog of 100 000 for one of them, and PostgreSQL chooses it when it believes the queue empty. Nor
-- does it mark the index entries of rows that are gone, as a plain index scan does for the next one.

BEGIN;
SET LOCAL search_path = public;

DO $$
BEGIN
	EXECUTE format('ALTER ROLE cti_worker IN DATABASE %I SET enable_bitmapscan = off',
		current_database());
END
$$;

COMMIT;
