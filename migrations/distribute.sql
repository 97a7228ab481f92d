-- Spreads the tables of tenants over the nodes of a Citus cluster, by app_id and side by side: see
-- docs/scaling.md. No change of the plan: run once, by the owner, on the coordinator, when the schema is there.
--
--   psql -X -v ON_ERROR_STOP=1 -d "$OWNER_URL" -f migrations/distribute.sql

BEGIN;
SET LOCAL search_path = public;

SELECT create_distributed_table('event_log', 'app_id', colocate_with => 'none');
SELECT create_distributed_table(name, 'app_id', colocate_with => 'event_log')
FROM unnest(ARRAY['event_outcomes', 'event_queue', 'event_log_archive', 'event_outcomes_archive',
	'calls', 'messages', 'voicemails', 'change_feed', 'tenant_heads']) AS name;

COMMIT;
