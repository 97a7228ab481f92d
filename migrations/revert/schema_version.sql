-- Revert schema_version

BEGIN;
SET LOCAL search_path = public;

DROP TABLE schema_version;

COMMIT;
