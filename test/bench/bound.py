"""What PostgreSQL itself takes: the worker's rows, written from the same queue in plain SQL.

One connection, 500 events a transaction, without reading a payload: the values come from a copy of
the calls that a worker has made of these events, so that the rows have the same widths. All
columns are written, as the worker does, and updated_at differs from one time to the next.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg
from backlog import Backlog, connect

GROUP = 500
SAMPLE = """\
DROP TABLE IF EXISTS bound_calls;
CREATE TABLE bound_calls AS SELECT c.*, f.type AS feed_type, f.data AS feed_data
FROM calls c JOIN (SELECT DISTINCT ON (app_id, object_id) app_id, object_id, type, data
	FROM change_feed ORDER BY app_id, object_id, seq DESC) f
	ON f.app_id = c.app_id AND f.object_id = c.id;
ALTER TABLE bound_calls ADD PRIMARY KEY (app_id, call_id);
GRANT SELECT ON bound_calls TO cti_worker;
ANALYZE bound_calls"""
STEP = """\
WITH taken AS (
	SELECT event_id, received_at FROM event_queue
	WHERE app_id = %(app)s AND next_attempt_at <= now() ORDER BY event_id LIMIT {group}
), events AS MATERIALIZED (
	SELECT t.event_id, t.received_at, l.dialpad_event_id::bigint AS call_id
	FROM taken t JOIN LATERAL (SELECT dialpad_event_id FROM event_log WHERE app_id = %(app)s
		AND received_at = t.received_at AND event_id = t.event_id LIMIT 1) l ON true
), made AS MATERIALIZED (
	SELECT e.at, b.* FROM (SELECT call_id, max(received_at) AS at FROM events GROUP BY call_id) e
	JOIN LATERAL (SELECT * FROM bound_calls b WHERE app_id = %(app)s AND b.call_id = e.call_id
		LIMIT 1) b ON true
	ORDER BY e.call_id
), saved AS (
	INSERT INTO calls ({columns}) SELECT {values} FROM made
	ON CONFLICT (app_id, call_id) DO UPDATE SET {updates}
), head AS (
	UPDATE tenant_heads SET last_seq = last_seq + (SELECT count(*) FROM made)
	WHERE app_id = %(app)s RETURNING last_seq
), fed AS (
	INSERT INTO change_feed (app_id, seq, type, object_id, data)
	SELECT app_id, last_seq - row_number() OVER () + 1, feed_type, id, feed_data FROM made, head
)
DELETE FROM event_queue WHERE app_id = %(app)s
	AND event_id = ANY (ARRAY(SELECT event_id FROM events))"""


@dataclass(frozen=True)
class BoundRun:
    rate: float  # events a second
    server_us: float  # CPU of PostgreSQL, for each event


def sample(backlog: Backlog) -> None:
    """Keeps the calls that a worker has just made."""
    with connect(backlog.db) as conn:
        conn.execute(SAMPLE)


def run(backlog: Backlog) -> BoundRun:
    backlog.refill()
    with psycopg.connect(backlog.db.url("cti_worker"), autocommit=True) as conn:
        step = _step(conn)
        cpu, begun = backlog.db.cpu_seconds(), time.monotonic()
        left = backlog.count
        while left > 0:
            for app in backlog.apps:
                left -= conn.execute(step, {"app": app}, prepare=True).rowcount
        seconds = time.monotonic() - begun
    cpu = backlog.db.cpu_seconds() - cpu
    return BoundRun(backlog.count / seconds, cpu * 1e6 / backlog.count)


def _step(conn: psycopg.Connection) -> str:
    names = [row[0] for row in conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'calls'::regclass AND attnum > 0"
        " ORDER BY attnum")]
    return STEP.format(
        group=GROUP,
        columns=", ".join(f'"{name}"' for name in names),
        values=", ".join("at" if name == "updated_at" else f'"{name}"' for name in names),
        updates=", ".join(f'"{name}" = EXCLUDED."{name}"' for name in names
                          if name not in ("app_id", "call_id")))
