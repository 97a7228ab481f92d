-- Revert webhook_events

BEGIN;
SET LOCAL search_path = public;

DROP VIEW webhook_events;

COMMIT;
