-- Deploy worker_plans
--
-- How PostgreSQL plans workerd's statements. Each of them is a handful of index probes, and
-- right for any size of the tables; what could go wrong is a plan made from statistics of
-- another moment. The queue is often empty, so that a table analysed then looks like one
-- that is read fastest from end to end, until a backlog makes that a disaster.
--
-- Hence no sequential scan where an index serves (reports and jobs that need the whole
-- table still get it), and one plan for all values: planning the read of the log, with its
-- partition for each day, takes ten times as long as running it for a few events.

BEGIN;
SET LOCAL search_path = public;

DO $$
BEGIN
	EXECUTE format('ALTER ROLE cti_worker IN DATABASE %I SET enable_seqscan = off',
		current_database());
	EXECUTE format('ALTER ROLE cti_worker IN DATABASE %I SET plan_cache_mode = force_generic_plan',
		current_database());
END
$$;

COMMIT;
