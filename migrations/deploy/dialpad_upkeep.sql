-- Deploy dialpad_upkeep
--
-- What workerd needs to know to look after Dialpad's side by itself: what differed there,
-- when no event could be stored, and hooks whose signatures fail.

BEGIN;
SET LOCAL search_path = public;
SET LOCAL lock_timeout = '2s';

-- What the last check found different at Dialpad, and put right: an array of sentences.
ALTER TABLE dialpad_webhooks ADD COLUMN drift json;

-- When some ingestd last reached the database.
CREATE TABLE ingest_pulse (
	only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
	last_at  timestamptz NOT NULL
);
GRANT SELECT ON ingest_pulse TO cti_worker, cti_admin, cti_readonly;

-- Times in which events may have been lost, because nobody could store them.
CREATE TABLE ingest_gaps (
	gap_id     bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	-- silence: no ingestd reached the database. refused: genuine events were answered 503.
	reason     text        NOT NULL CHECK (reason IN ('silence', 'refused')),
	began_at   timestamptz NOT NULL,
	ended_at   timestamptz NOT NULL,
	-- When the repairs were queued that it calls for.
	handled_at timestamptz
);
CREATE INDEX ON ingest_gaps (ended_at) WHERE handled_at IS NULL;
GRANT SELECT, DELETE, UPDATE (handled_at) ON ingest_gaps TO cti_worker;
GRANT SELECT ON ingest_gaps TO cti_admin, cti_readonly;

-- Current hooks at which signatures fail. workerd forgets a row once a genuine event
-- has come after its first failure.
CREATE TABLE hook_failures (
	app_id   uuid        NOT NULL,
	hook     integer     NOT NULL,
	failures bigint      NOT NULL,
	first_at timestamptz NOT NULL,
	last_at  timestamptz NOT NULL,
	PRIMARY KEY (app_id, hook)
);
GRANT SELECT, DELETE ON hook_failures TO cti_worker;
GRANT SELECT ON hook_failures TO cti_admin, cti_readonly;

-- ingestd's word every few seconds, that it is there and can store events. `unstored_ms`:
-- how long ago it first had to refuse a genuine event that it has not told of; null: it had
-- not. The arrays: at which hooks signatures failed since, and how often. As the owner,
-- because cti_ingest reads nothing.
CREATE FUNCTION ingest_pulse(unstored_ms bigint, app_ids uuid[], hooks integer[],
	failures bigint[]) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- Dialpad repeats a call event for 14 s.
	most  CONSTANT interval := interval '15 s';
	seen  timestamptz := clock_timestamp();
	since timestamptz := clock_timestamp() - unstored_ms * interval '1 ms';
	last  timestamptz;
BEGIN
	INSERT INTO public.ingest_pulse AS p (last_at) VALUES (seen)
		ON CONFLICT (only_row) DO NOTHING;
	SELECT p.last_at INTO last FROM public.ingest_pulse AS p FOR UPDATE;
	IF last < seen - most THEN
		INSERT INTO public.ingest_gaps (reason, began_at, ended_at)
			VALUES ('silence', last, seen);
	END IF;
	UPDATE public.ingest_pulse AS p SET last_at = greatest(p.last_at, seen);

	IF since IS NOT NULL THEN
		UPDATE public.ingest_gaps AS g
			SET began_at = least(g.began_at, since), ended_at = greatest(g.ended_at, seen)
			WHERE g.reason = 'refused' AND g.handled_at IS NULL;
		IF NOT FOUND THEN
			INSERT INTO public.ingest_gaps (reason, began_at, ended_at)
				VALUES ('refused', since, seen);
		END IF;
	END IF;

	INSERT INTO public.hook_failures AS f (app_id, hook, failures, first_at, last_at)
		SELECT u.app_id, u.hook, u.failures, seen, seen
		FROM unnest(app_ids, hooks, failures) AS u (app_id, hook, failures)
		WHERE EXISTS (SELECT FROM public.dialpad_webhooks AS w WHERE w.app_id = u.app_id
			AND w.hook = u.hook AND w.state = 'current')
		ON CONFLICT (app_id, hook) DO UPDATE
			SET failures = f.failures + EXCLUDED.failures, last_at = seen;
END
$$;
REVOKE ALL ON FUNCTION ingest_pulse(bigint, uuid[], integer[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ingest_pulse(bigint, uuid[], integer[], bigint[]) TO cti_ingest;

COMMIT;
