-- Revert event_log

BEGIN;
SET LOCAL search_path = public;

DROP TABLE event_outcomes, event_queue, event_log;

COMMIT;
