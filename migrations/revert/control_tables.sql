-- Revert control_tables

BEGIN;
SET LOCAL search_path = public;

DROP TABLE jobs, idempotency_keys, admin_audit, claim_rules, live_tokens, used_tickets,
	oauth_states, tenant_heads, dialpad_webhooks, dialpad_connections, api_keys, apps;

COMMIT;
