-- Revert dialpad_upkeep

BEGIN;
SET LOCAL search_path = public;
SET LOCAL lock_timeout = '2s';

DROP FUNCTION ingest_pulse(bigint, uuid[], integer[], bigint[]);
DROP TABLE hook_failures;
DROP TABLE ingest_gaps;
DROP TABLE ingest_pulse;
ALTER TABLE dialpad_webhooks DROP COLUMN drift;

COMMIT;
