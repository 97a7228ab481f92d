-- Deploy control_tables
--
-- What the daemons know about tenants, and what they remember of their own work. No
-- row-level security here: grants decide. Each table stands with its grants.

BEGIN;
SET LOCAL search_path = public;

-- A tenant. A deleted app stays as a tombstone, so that its id is never used again.
CREATE TABLE apps (
	app_id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
	name                text        NOT NULL CHECK (name <> ''),
	is_active           boolean     NOT NULL DEFAULT true,
	-- May be given events of the bare webhook URL.
	accepts_bare        boolean     NOT NULL DEFAULT false,
	allowed_return_urls text[]      NOT NULL DEFAULT '{}',
	allowed_origins     text[]      NOT NULL DEFAULT '{}',
	-- An admin's last invitation to connect Dialpad; reopens the window for it.
	invited_at          timestamptz,
	created_at          timestamptz NOT NULL DEFAULT now(),
	updated_at          timestamptz NOT NULL DEFAULT now(),
	deleted_at          timestamptz
);
GRANT SELECT ON apps TO cti_worker, cti_api, cti_readonly;
GRANT SELECT, INSERT, UPDATE ON apps TO cti_admin;

-- Events that belong to no known tenant are kept under this reserved one.
INSERT INTO apps (app_id, name)
VALUES ('00000000-0000-0000-0000-000000000000', 'unclaimed');

CREATE TABLE api_keys (
	key_id       text        PRIMARY KEY,
	app_id       uuid        NOT NULL REFERENCES apps,
	-- Keyed hash of the secret part; the key itself is stored nowhere.
	api_key_hash bytea       NOT NULL,
	name         text,
	-- The few characters by which a person recognises the key.
	hint         text,
	created_at   timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz,
	revoked_at   timestamptz,
	last_used_at timestamptz
);
CREATE INDEX ON api_keys (app_id);
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO cti_api;
GRANT SELECT, INSERT, UPDATE ON api_keys TO cti_admin;
GRANT SELECT (key_id, app_id, name, hint, created_at, expires_at, revoked_at, last_used_at)
	ON api_keys TO cti_readonly;

-- The bond of an app with its Dialpad company. It outlives a disconnect (the tokens are
-- null then), so that another company cannot take the app over.
CREATE TABLE dialpad_connections (
	app_id             uuid        PRIMARY KEY REFERENCES apps,
	dialpad_org_id     bigint,
	company_name       text,
	environment        text        NOT NULL CHECK (environment IN ('sandbox', 'production')),
	-- Both sealed by the daemons; the database never sees a token in clear.
	access_token       bytea,
	refresh_token      bytea,
	token_expires_at   timestamptz,
	scopes             text[]      NOT NULL DEFAULT '{}',
	office_ids         bigint[]    NOT NULL DEFAULT '{}',
	state              text        NOT NULL DEFAULT 'never_connected'
		CHECK (state IN ('connected', 'needs_reconnect', 'never_connected', 'disconnected')),
	last_error         text,
	last_refresh_at    timestamptz,
	refresh_failures   integer     NOT NULL DEFAULT 0,
	connected_by       text,
	connected_by_admin boolean     NOT NULL DEFAULT false,
	connected_at       timestamptz,
	created_at         timestamptz NOT NULL DEFAULT now(),
	updated_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON dialpad_connections (dialpad_org_id);
-- cti_api writes tokens when somebody connects and can never read one. An upsert must
-- therefore repeat its parameters: reading EXCLUDED.access_token needs SELECT on it.
GRANT INSERT, UPDATE ON dialpad_connections TO cti_api;
GRANT SELECT (app_id, dialpad_org_id, company_name, environment, token_expires_at, scopes,
		office_ids, state, last_error, last_refresh_at, refresh_failures, connected_by,
		connected_by_admin, connected_at, created_at, updated_at)
	ON dialpad_connections TO cti_api, cti_readonly;
-- Disconnecting revokes the token at Dialpad, so cti_admin may read it.
GRANT SELECT, INSERT, UPDATE, DELETE ON dialpad_connections TO cti_admin;
GRANT SELECT, UPDATE, DELETE ON dialpad_connections TO cti_worker;

-- Webhooks we had Dialpad create. While a secret is rotated two hooks may be current;
-- the greater number is the newer.
CREATE TABLE dialpad_webhooks (
	app_id          uuid        NOT NULL REFERENCES apps,
	hook            integer     NOT NULL CHECK (hook > 0),
	-- Dialpad's own id; null until Dialpad has it.
	webhook_id      bigint,
	hook_url        text,
	-- Which master key the hook's secret was derived from.
	key_fingerprint text        NOT NULL,
	state           text        NOT NULL DEFAULT 'current'
		CHECK (state IN ('current', 'retired')),
	-- Events that arrive later are set aside. May lie ahead: texts are retried for hours.
	retired_at      timestamptz,
	subscriptions   json,
	last_checked_at timestamptz,
	last_error      text,
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (app_id, hook),
	CHECK (state = 'current' OR retired_at IS NOT NULL)
);
GRANT SELECT ON dialpad_webhooks TO cti_api, cti_readonly;
GRANT SELECT, INSERT, UPDATE ON dialpad_webhooks TO cti_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON dialpad_webhooks TO cti_worker;

-- One row with each app: the lock that makes a tenant the unit of work, and the counter
-- of its feed. Only workerd locks or changes it, so holding it for a batch blocks nobody.
-- Free room in the page makes every update a HOT one.
CREATE TABLE tenant_heads (
	app_id     uuid        PRIMARY KEY,
	last_seq   bigint      NOT NULL DEFAULT 0,
	-- Set and committed before a batch, cleared by its commit: found still set, the batch
	-- killed its worker.
	batch_mark timestamptz,
	served_at  timestamptz
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_heads TO cti_worker;
GRANT SELECT, INSERT ON tenant_heads TO cti_admin;
GRANT SELECT ON tenant_heads TO cti_api, cti_readonly;

INSERT INTO tenant_heads (app_id) VALUES ('00000000-0000-0000-0000-000000000000');

-- A login at Dialpad under way. Deleted, with RETURNING, by the callback that uses it.
CREATE TABLE oauth_states (
	state_hash    bytea       PRIMARY KEY,
	app_id        uuid        NOT NULL REFERENCES apps,
	-- Hash of the cookie that binds the login to one browser.
	cookie_hash   bytea       NOT NULL,
	-- Sealed.
	code_verifier bytea       NOT NULL,
	environment   text        NOT NULL CHECK (environment IN ('sandbox', 'production')),
	return_to     text,
	created_at    timestamptz NOT NULL DEFAULT now(),
	expires_at    timestamptz NOT NULL
);
CREATE INDEX ON oauth_states (expires_at);
GRANT SELECT, INSERT, DELETE ON oauth_states TO cti_api;
GRANT SELECT (expires_at), DELETE ON oauth_states TO cti_worker;

-- WebSocket tickets that were spent: inserting no row means the ticket was used before.
CREATE TABLE used_tickets (
	ticket_id  text        PRIMARY KEY,
	expires_at timestamptz NOT NULL,
	used_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON used_tickets (expires_at);
GRANT SELECT, INSERT ON used_tickets TO cti_api;
GRANT SELECT (expires_at), DELETE ON used_tickets TO cti_worker;

-- Tokens a browser may carry in the URL of its WebSocket: good for nothing else.
CREATE TABLE live_tokens (
	token_id     text        PRIMARY KEY,
	app_id       uuid        NOT NULL REFERENCES apps,
	origins      text[]      NOT NULL,
	created_by   text,
	created_at   timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz NOT NULL,
	revoked_at   timestamptz,
	last_used_at timestamptz
);
CREATE INDEX ON live_tokens (app_id);
GRANT SELECT, UPDATE (last_used_at) ON live_tokens TO cti_api;
GRANT SELECT, INSERT, UPDATE ON live_tokens TO cti_admin;
GRANT SELECT ON live_tokens TO cti_readonly;
GRANT SELECT (expires_at), DELETE ON live_tokens TO cti_worker;

-- An admin's word on whose an event of the bare URL is: one id names one app.
CREATE TABLE claim_rules (
	kind       text        NOT NULL CHECK (kind IN ('office', 'target')),
	dialpad_id bigint      NOT NULL,
	app_id     uuid        NOT NULL REFERENCES apps,
	created_by text,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (kind, dialpad_id)
);
CREATE INDEX ON claim_rules (app_id);
GRANT SELECT ON claim_rules TO cti_worker, cti_readonly;
GRANT SELECT, INSERT, UPDATE, DELETE ON claim_rules TO cti_admin;

-- Who did what to keys, connections and hooks. Nobody may change or delete a line.
CREATE TABLE admin_audit (
	audit_id   bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	at         timestamptz NOT NULL DEFAULT now(),
	-- The label of the admin's secret, or what else acted.
	actor      text        NOT NULL,
	app_id     uuid,
	action     text        NOT NULL,
	target     text,
	detail     json,
	request_id text
);
CREATE INDEX ON admin_audit (app_id, at);
GRANT INSERT ON admin_audit TO cti_api;
GRANT SELECT, INSERT ON admin_audit TO cti_admin;
GRANT SELECT ON admin_audit TO cti_readonly;

-- Answers to admin requests that carried an Idempotency-Key, to be given again.
CREATE TABLE idempotency_keys (
	-- The label of the admin's secret: two admins may choose the same key.
	caller          text        NOT NULL,
	idempotency_key text        NOT NULL,
	-- Of method, path and body: the same key with another request is refused.
	request_hash    bytea       NOT NULL,
	-- Both null while the first request still runs.
	status          integer,
	-- Sealed, because an answer may show a new API key.
	response        bytea,
	created_at      timestamptz NOT NULL DEFAULT now(),
	expires_at      timestamptz NOT NULL,
	PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX ON idempotency_keys (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO cti_admin;
GRANT SELECT (expires_at), DELETE ON idempotency_keys TO cti_worker;

-- Work for workerd besides events, both standing (token refresh, partitions) and asked
-- for (provision this app, replay these events), and how its last run went.
CREATE TABLE jobs (
	kind        text        NOT NULL,
	-- The nil UUID for a job that serves all tenants.
	app_id      uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	-- Tells several requests of one kind for one app apart; empty where one is enough.
	job_key     text        NOT NULL DEFAULT '',
	params      json,
	-- When it is due; null when nothing is left to do.
	run_at      timestamptz DEFAULT now(),
	attempts    integer     NOT NULL DEFAULT 0,
	started_at  timestamptz,
	finished_at timestamptz,
	last_error  text,
	result      json,
	created_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (kind, app_id, job_key)
);
CREATE INDEX ON jobs (run_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO cti_worker, cti_admin;
-- Connecting Dialpad queues the provisioning of its webhook.
GRANT SELECT, INSERT, UPDATE ON jobs TO cti_api;
GRANT SELECT ON jobs TO cti_readonly;

COMMIT;
