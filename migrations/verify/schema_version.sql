-- Verify schema_version

BEGIN;
SET LOCAL search_path = public;

DO $$
BEGIN
	ASSERT (SELECT min(version) >= 1 AND count(*) = 1 FROM schema_version),
		'schema_version must hold one row';
	ASSERT has_table_privilege('cti_ingest', 'schema_version', 'SELECT'),
		'ingestd cannot read schema_version';
END
$$;

ROLLBACK;
