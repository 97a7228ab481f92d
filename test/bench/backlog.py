"""Events that wait in the queue: a company's calls, told by the simulator, put there by COPY."""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import rig

sys.path.insert(0, str(rig.ROOT))

from test.sim.catalogue import SCENARIOS, events_by_time  # noqa: E402 (found by the line above)
from test.sim.model import Event, Play  # noqa: E402

# In this mix a leg of a call has four events on average.
MIX = ("inbound_answered", "missed", "recap", "hold_and_retrieve", "ring_group", "voicemail",
       "recap", "queue_answered", "recorded", "hold_and_retrieve", "transferred", "recap")
# A call's own length is a minute or so, so that its events lie among those of many others.
PLAYS_A_SECOND = 30


COPIES = """\
WITH copied AS (
	INSERT INTO event_log (app_id, received_at, event_id, arrived_at, hook, event_type,
		dialpad_event_id, event_at, payload)
	-- Their ids follow those of the copy before in the same order: the milliseconds are first.
	SELECT app_id, now(), (lpad(to_hex(('x' || left(id, 12))::bit(48)::bigint + %(n)s * 1000), 12,
			'0') || right(id, 20))::uuid, now(), hook, event_type, call, event_at,
		replace(payload::text, dialpad_event_id, call)::json
	FROM event_log, LATERAL (SELECT (dialpad_event_id::bigint + %(n)s)::text AS call,
		replace(event_id::text, '-', '') AS id) AS other
	WHERE received_at BETWEEN %(first)s AND %(last)s
	RETURNING app_id, event_id, received_at
)
INSERT INTO event_queue (app_id, event_id, received_at)
SELECT app_id, event_id, received_at FROM copied ORDER BY event_id"""


@dataclass(frozen=True)
class Check:
    """What is in the tables, beside what should be."""

    queued: int
    set_aside: int
    calls: int
    expected_calls: int

    def fault(self) -> str:
        if self.queued or self.set_aside or self.calls != self.expected_calls:
            return (f"{self.queued} still queued, {self.set_aside} set aside, "
                    f"{self.calls} calls instead of {self.expected_calls}")
        return ""


class Backlog:
    """`count` events of `tenants` apps, in the log; refill() queues them again."""

    def __init__(self, db: rig.Database, events: list[Event], tenants: int):
        self.db, self.count = db, len(events)
        self.apps = [uuid.uuid4() for _ in range(tenants)]
        self._owner = {call: self.apps[n % tenants]
                       for n, call in enumerate({e.dialpad_id for e in events})}
        self._log(events)

    def _log(self, events: list[Event]) -> None:
        with connect(self.db) as conn:
            clear(conn)
            make_apps(conn, self.apps)
            copy_into_log(conn, rows(events, self._owner))
            self._first, self._last = conn.execute(
                "SELECT min(received_at), max(received_at) FROM event_log").fetchone()

    def empty(self) -> None:
        with connect(self.db) as conn:
            conn.execute("TRUNCATE event_queue, event_outcomes, calls, messages, voicemails,"
                         " change_feed")
            conn.execute("UPDATE tenant_heads SET last_seq = 0, served_at = NULL")

    def refill(self) -> None:
        """The queue full, the records empty, no dirty pages."""
        self.empty()
        with connect(self.db) as conn:
            queue_all(conn)
            conn.execute("VACUUM ANALYZE event_log, event_queue, tenant_heads")
            conn.execute("CHECKPOINT")

    def number(self) -> None:
        """Events in their order, for one who queues them bit by bit."""
        with connect(self.db) as conn:
            conn.execute("DROP TABLE IF EXISTS waiting")
            conn.execute("CREATE TABLE waiting AS SELECT row_number() OVER (ORDER BY event_id) AS n,"
                         " app_id, event_id, received_at FROM event_log")
            conn.execute("ALTER TABLE waiting ADD PRIMARY KEY (n)")
            conn.execute("VACUUM ANALYZE waiting, event_log")

    def queue_copies(self, number: int) -> None:
        """The events again as those of other calls: this is copy `number` of them, from 1."""
        with connect(self.db) as conn:
            conn.execute(COPIES, {"n": number, "first": self._first, "last": self._last})

    def check(self) -> Check:
        with connect(self.db) as conn:
            found = conn.execute(
                "SELECT (SELECT count(*) FROM event_queue), (SELECT count(*) FROM event_outcomes),"
                " (SELECT count(*) FROM calls)").fetchone()
        return Check(*found, expected_calls=len(self._owner))


def connect(db: rig.Database) -> psycopg.Connection:
    """As one who may do everything; each statement commits for itself."""
    return psycopg.connect(db.cluster.superuser_url(), autocommit=True)


def clear(conn: psycopg.Connection) -> None:
    """No apps, and nothing of theirs."""
    conn.execute("TRUNCATE event_log, event_queue, event_outcomes, calls, messages, voicemails,"
                 " change_feed")
    conn.execute("DELETE FROM tenant_heads; TRUNCATE apps CASCADE")


def make_apps(conn: psycopg.Connection, apps: list[uuid.UUID]) -> None:
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO apps (app_id, name) VALUES (%s, 'Benchmark')",
                           [(app,) for app in apps])
        cursor.executemany("INSERT INTO tenant_heads (app_id) VALUES (%s)", [(app,) for app in apps])


def make_events(count: int) -> list[Event]:
    """The last `count` events that were built up to now."""
    now_ms = time.time_ns() // 1_000_000
    plays: list[Play] = []
    enough = 0
    while enough < count * 1.05:
        start = now_ms - len(plays) * 1000 // PLAYS_A_SECOND
        name = MIX[len(plays) % len(MIX)]
        plays.append(SCENARIOS[name].play(random.Random(f"bench/{len(plays)}"), start))
        enough += len(plays[-1].events)
    return events_by_time(plays)[-count:]


def rows(events: list[Event], owner: dict[int, uuid.UUID]) -> Iterator[tuple]:
    """Of the log. Ids are of version 7, and the time of receipt follows the order."""
    now_us = time.time_ns() // 1000
    for n, event in enumerate(events):
        received_us = now_us - (len(events) - n)
        text = json.dumps(event.claims, separators=(",", ":"))
        yield (owner[event.dialpad_id], received_us / 1e6, uuid7(received_us), event.state,
               str(event.dialpad_id), event.claims["event_timestamp"] / 1e3, text)


def uuid7(us: int) -> uuid.UUID:
    """Ordered by the microsecond."""
    millisecond, rest = divmod(us, 1000)
    return uuid.UUID(int=millisecond << 80 | 7 << 76 | rest << 66 | 2 << 62 | random.getrandbits(62))


def copy_into_log(conn: psycopg.Connection, lines: Iterator[tuple]) -> None:
    conn.execute("CREATE TEMP TABLE arriving (app_id uuid, received_at float8, event_id uuid,"
                 " event_type text, dialpad_event_id text, event_at float8, payload json)")
    with conn.cursor().copy("COPY arriving FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)
    conn.execute(
        "INSERT INTO event_log (app_id, received_at, event_id, arrived_at, hook, event_type,"
        " dialpad_event_id, event_at, payload)"
        " SELECT app_id, to_timestamp(received_at), event_id, to_timestamp(received_at), 1,"
        " event_type, dialpad_event_id, to_timestamp(event_at), payload FROM arriving")
    conn.execute("DROP TABLE arriving")


def queue_all(conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO event_queue (app_id, event_id, received_at)"
                 " SELECT app_id, event_id, received_at FROM event_log ORDER BY event_id")
