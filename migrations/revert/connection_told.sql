-- Revert connection_told

BEGIN;
SET LOCAL search_path = public;
SET LOCAL lock_timeout = '2s';

DROP INDEX dialpad_connections_untold_idx;
ALTER TABLE dialpad_connections DROP COLUMN told_state;

COMMIT;
