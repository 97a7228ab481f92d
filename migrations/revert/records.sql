-- Revert records

BEGIN;
SET LOCAL search_path = public;

DROP TABLE voicemails, messages, calls;

COMMIT;
