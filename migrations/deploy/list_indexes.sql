-- Deploy list_indexes
--
-- What apid's lists need beside the order of their time: numbers, targets, rare states, and times
-- that are not the order's. Without a transaction, so that nobody waits while an index is built; a
-- deploy that failed halfway can be repeated.

SET search_path = public;
SET client_min_messages = warning;

-- Every leg of one number or target, in the order of the lists.
DROP INDEX CONCURRENTLY IF EXISTS calls_from_idx;
CREATE INDEX CONCURRENTLY calls_from_idx ON calls (app_id, "from", sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS calls_to_idx;
CREATE INDEX CONCURRENTLY calls_to_idx ON calls (app_id, "to", sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS calls_target_idx;
CREATE INDEX CONCURRENTLY calls_target_idx ON calls (app_id, target_id, sort_at, id);

-- Most calls are completed or missed, and found by their time; these would be looked for long.
DROP INDEX CONCURRENTLY IF EXISTS calls_rare_idx;
CREATE INDEX CONCURRENTLY calls_rare_idx ON calls (app_id, status, sort_at, id)
	WHERE status IN ('abandoned', 'voicemail', 'blocked');

-- The few that came here long after they were: the default window, which goes by created_at, finds
-- all others by sort_at.
DROP INDEX CONCURRENTLY IF EXISTS calls_late_idx;
CREATE INDEX CONCURRENTLY calls_late_idx ON calls (app_id, created_at)
	WHERE created_at - sort_at > interval '1 hour';

-- What changed since, with the keys of the order, so that only the rows of a page are read.
DROP INDEX CONCURRENTLY IF EXISTS calls_changed_idx;
CREATE INDEX CONCURRENTLY calls_changed_idx ON calls (app_id, updated_at) INCLUDE (sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS calls_updated_idx;

DROP INDEX CONCURRENTLY IF EXISTS messages_from_idx;
CREATE INDEX CONCURRENTLY messages_from_idx ON messages (app_id, "from", sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS messages_to_idx;
CREATE INDEX CONCURRENTLY messages_to_idx ON messages (app_id, "to", sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS messages_rare_idx;
CREATE INDEX CONCURRENTLY messages_rare_idx ON messages (app_id, status, sort_at, id)
	WHERE status IN ('pending', 'failed');
DROP INDEX CONCURRENTLY IF EXISTS messages_late_idx;
CREATE INDEX CONCURRENTLY messages_late_idx ON messages (app_id, created_at)
	WHERE created_at - sort_at > interval '1 hour';
DROP INDEX CONCURRENTLY IF EXISTS messages_changed_idx;
CREATE INDEX CONCURRENTLY messages_changed_idx ON messages (app_id, updated_at)
	INCLUDE (sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS messages_updated_idx;

DROP INDEX CONCURRENTLY IF EXISTS voicemails_from_idx;
CREATE INDEX CONCURRENTLY voicemails_from_idx ON voicemails (app_id, "from", sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS voicemails_to_idx;
CREATE INDEX CONCURRENTLY voicemails_to_idx ON voicemails (app_id, "to", sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS voicemails_target_idx;
CREATE INDEX CONCURRENTLY voicemails_target_idx ON voicemails (app_id, target_id, sort_at, id);
DROP INDEX CONCURRENTLY IF EXISTS voicemails_late_idx;
CREATE INDEX CONCURRENTLY voicemails_late_idx ON voicemails (app_id, created_at)
	WHERE created_at - sort_at > interval '1 hour';
