-- Verify change_feed

BEGIN;
SET LOCAL search_path = public;

SELECT app_id, seq, created_at, type, object_id, data FROM change_feed WHERE false;

DO $$
BEGIN
	ASSERT EXISTS (
		SELECT FROM pg_partitioned_table
		WHERE partrelid = 'change_feed'::regclass AND partstrat = 'r' AND partdefid = 0
	), 'change_feed must be partitioned by range, without a default';
END
$$;

ROLLBACK;
