-- Verify connection_told

BEGIN;
SET LOCAL search_path = public;

SELECT told_state FROM dialpad_connections WHERE false;

ROLLBACK;
