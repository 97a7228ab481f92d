-- Deploy webhook_events
--
-- The event log as one view, for people and admin pages. "processed" means that a record
-- came of the event, its own or a tenant's copy of it; what is pending, retrying, or was
-- set aside for good has processed = false, and verdict and last_error say why.

BEGIN;
SET LOCAL search_path = public;

-- security_invoker: the policies of the tables apply to whoever asks.
CREATE VIEW webhook_events WITH (security_invoker = true) AS
SELECT
	log.event_id AS id,
	log.app_id,
	log.event_type,
	log.dialpad_event_id,
	-- Null when the claims were no JSON that PostgreSQL takes and only bytes were kept.
	log.payload,
	queue.event_id IS NULL AND COALESCE(outcome.verdict = 'assigned', true) AS processed,
	log.received_at,
	false AS archived,
	CASE
		WHEN outcome.verdict IS NOT NULL THEN outcome.verdict
		WHEN queue.event_id IS NULL THEN 'processed'
		WHEN queue.attempts = 0 THEN 'pending'
		ELSE 'retrying'
	END AS verdict,
	COALESCE(outcome.attempts, queue.attempts, 0) AS attempts,
	COALESCE(outcome.last_error, queue.last_error) AS last_error
FROM event_log AS log
LEFT JOIN event_queue AS queue USING (app_id, received_at, event_id)
LEFT JOIN event_outcomes AS outcome USING (app_id, received_at, event_id);

COMMENT ON VIEW webhook_events IS
	'Every event with what became of it; processed = false for all that made no record';

GRANT SELECT ON webhook_events TO cti_worker, cti_api, cti_admin, cti_readonly;

COMMIT;
