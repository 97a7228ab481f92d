-- Verify webhook_events

BEGIN;
SET LOCAL search_path = public;

SELECT id, app_id, event_type, dialpad_event_id, payload, processed, received_at, archived,
	verdict, attempts, last_error
	FROM webhook_events WHERE false;

DO $$
BEGIN
	ASSERT EXISTS (
		SELECT FROM pg_class
		WHERE oid = 'webhook_events'::regclass
		  AND 'security_invoker=true' = ANY (reloptions)
	), 'webhook_events would show every tenant''s rows to any reader';
END
$$;

ROLLBACK;
