-- Revert change_feed

BEGIN;
SET LOCAL search_path = public;

DROP TABLE change_feed;

COMMIT;
