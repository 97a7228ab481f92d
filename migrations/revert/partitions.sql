-- Revert partitions
--
-- The partitions go with their parents, when those are reverted: dropping them here would
-- lose events that a newer deployment of this change could still use.

BEGIN;
SET LOCAL search_path = public;

DROP FUNCTION ensure_partitions(integer);

COMMIT;
