-- Deploy schema_version
--
-- Each daemon knows the range of versions it runs on, at least one release each way. A
-- change that a running daemon could notice raises the number.

BEGIN;
SET LOCAL search_path = public;

CREATE TABLE schema_version (
	version integer NOT NULL
);
-- At most one row.
CREATE UNIQUE INDEX ON schema_version ((true));
INSERT INTO schema_version (version) VALUES (1);

GRANT SELECT ON schema_version
	TO cti_ingest, cti_worker, cti_api, cti_admin, cti_readonly;

COMMIT;
