-- Deploy monitoring
--
-- workerd reports how long the oldest transaction has been open: such a one keeps vacuum from
-- the queue, and makes everything slow. To see the sessions of others it needs a right that not
-- every owner may give; without it, it sees those of its own role.

BEGIN;
SET LOCAL search_path = public;

DO $$ BEGIN
	GRANT pg_read_all_stats TO cti_worker;
EXCEPTION WHEN insufficient_privilege THEN
	RAISE NOTICE 'cti_worker may not read the statistics of others: cti_oldest_transaction_seconds'
		' will show its own transactions only';
END $$;

COMMIT;
