-- Verify control_tables

BEGIN;
SET LOCAL search_path = public;

SELECT app_id, name, is_active, accepts_bare, allowed_return_urls, allowed_origins,
	invited_at, created_at, updated_at, deleted_at FROM apps WHERE false;
SELECT key_id, app_id, api_key_hash, name, hint, created_at, expires_at, revoked_at,
	last_used_at FROM api_keys WHERE false;
SELECT app_id, dialpad_org_id, company_name, environment, access_token, refresh_token,
	token_expires_at, scopes, office_ids, state, last_error, last_refresh_at,
	refresh_failures, connected_by, connected_by_admin, connected_at, created_at,
	updated_at FROM dialpad_connections WHERE false;
SELECT app_id, hook, webhook_id, hook_url, key_fingerprint, state, retired_at,
	subscriptions, last_checked_at, last_error, created_at, updated_at
	FROM dialpad_webhooks WHERE false;
SELECT app_id, last_seq, batch_mark, served_at FROM tenant_heads WHERE false;
SELECT state_hash, app_id, cookie_hash, code_verifier, environment, return_to, created_at,
	expires_at FROM oauth_states WHERE false;
SELECT ticket_id, expires_at, used_at FROM used_tickets WHERE false;
SELECT token_id, app_id, origins, created_by, created_at, expires_at, revoked_at,
	last_used_at FROM live_tokens WHERE false;
SELECT kind, dialpad_id, app_id, created_by, created_at FROM claim_rules WHERE false;
SELECT audit_id, at, actor, app_id, action, target, detail, request_id
	FROM admin_audit WHERE false;
SELECT caller, idempotency_key, request_hash, status, response, created_at, expires_at
	FROM idempotency_keys WHERE false;
SELECT kind, app_id, job_key, params, run_at, attempts, started_at, finished_at,
	last_error, result, created_at FROM jobs WHERE false;

DO $$
DECLARE
	token text;
	reader text;
BEGIN
	ASSERT EXISTS (
		SELECT FROM apps JOIN tenant_heads USING (app_id)
		WHERE app_id = '00000000-0000-0000-0000-000000000000' AND is_active
	), 'the reserved app "unclaimed" or its head is missing';

	FOREACH token IN ARRAY ARRAY['access_token', 'refresh_token'] LOOP
		FOREACH reader IN ARRAY ARRAY['cti_ingest', 'cti_api', 'cti_readonly'] LOOP
			ASSERT NOT has_column_privilege(reader, 'dialpad_connections', token, 'SELECT'),
				format('%s can read %s', reader, token);
		END LOOP;
	END LOOP;
END
$$;

ROLLBACK;
