-- Verify dialpad_upkeep

BEGIN;
SET LOCAL search_path = public;

SELECT drift FROM dialpad_webhooks WHERE false;
SELECT only_row, last_at FROM ingest_pulse WHERE false;
SELECT gap_id, reason, began_at, ended_at, handled_at FROM ingest_gaps WHERE false;
SELECT app_id, hook, failures, first_at, last_at FROM hook_failures WHERE false;

DO $$
BEGIN
	ASSERT has_function_privilege('cti_ingest',
		'ingest_pulse(bigint, uuid[], integer[], bigint[])', 'EXECUTE'),
		'cti_ingest cannot tell that it is there';
	ASSERT NOT has_function_privilege('cti_api',
		'ingest_pulse(bigint, uuid[], integer[], bigint[])', 'EXECUTE'),
		'cti_api can speak in the name of ingestd';
END
$$;

ROLLBACK;
