-- Verify monitoring

BEGIN;
SET LOCAL search_path = public;

-- Whether the right could be given is not for the migration to decide.
SELECT pg_has_role('cti_worker', 'pg_read_all_stats', 'USAGE');

ROLLBACK;
