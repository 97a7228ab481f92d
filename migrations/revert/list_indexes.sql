-- Revert list_indexes

SET search_path = public;
SET client_min_messages = warning;

DROP INDEX CONCURRENTLY IF EXISTS calls_updated_idx;
CREATE INDEX CONCURRENTLY calls_updated_idx ON calls (app_id, updated_at);
DROP INDEX CONCURRENTLY IF EXISTS messages_updated_idx;
CREATE INDEX CONCURRENTLY messages_updated_idx ON messages (app_id, updated_at);
DROP INDEX CONCURRENTLY IF EXISTS calls_from_idx;
DROP INDEX CONCURRENTLY IF EXISTS calls_to_idx;
DROP INDEX CONCURRENTLY IF EXISTS calls_target_idx;
DROP INDEX CONCURRENTLY IF EXISTS calls_rare_idx;
DROP INDEX CONCURRENTLY IF EXISTS calls_late_idx;
DROP INDEX CONCURRENTLY IF EXISTS calls_changed_idx;
DROP INDEX CONCURRENTLY IF EXISTS messages_from_idx;
DROP INDEX CONCURRENTLY IF EXISTS messages_to_idx;
DROP INDEX CONCURRENTLY IF EXISTS messages_rare_idx;
DROP INDEX CONCURRENTLY IF EXISTS messages_late_idx;
DROP INDEX CONCURRENTLY IF EXISTS messages_changed_idx;
DROP INDEX CONCURRENTLY IF EXISTS voicemails_from_idx;
DROP INDEX CONCURRENTLY IF EXISTS voicemails_to_idx;
DROP INDEX CONCURRENTLY IF EXISTS voicemails_target_idx;
DROP INDEX CONCURRENTLY IF EXISTS voicemails_late_idx;
