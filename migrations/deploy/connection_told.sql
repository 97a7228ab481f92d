-- Deploy connection_told
--
-- The state of a connection that its app's clients were last told, by the feed.

BEGIN;
SET LOCAL search_path = public;
SET LOCAL lock_timeout = '2s';

ALTER TABLE dialpad_connections ADD COLUMN told_state text NOT NULL DEFAULT 'never_connected';

-- What is there already is no news.
UPDATE dialpad_connections SET told_state = state;

CREATE INDEX dialpad_connections_untold_idx ON dialpad_connections (app_id)
	WHERE state <> told_state;

COMMIT;
