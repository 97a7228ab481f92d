"""What a worker does when another one is killed, when a tenant has a mountain of work, and at rest."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping

import psycopg
import rig
import tokens
from backlog import Backlog, connect, make_apps, queue_all, uuid7

LIMIT_SECONDS = 60


def killed(backlog: Backlog, env: Mapping[str, str]) -> float:
    """Seconds from the SIGKILL of a worker amid a batch to the end of that batch's events, done by
    another worker, which knows of them."""
    victim, heir = rig.Workerd(backlog.db, env), rig.Workerd(backlog.db, env)
    backlog.empty()
    with connect(backlog.db) as conn, rig.running(heir):
        time.sleep(1)  # until its jobs have run and it is idle
        heir.pause()
        queue_all(conn)
        victim.start()
        try:
            _stop_amid_batch(conn, victim)
            batch = [row[0] for row in conn.execute(
                "SELECT event_id FROM event_queue ORDER BY event_id LIMIT 500")]
            conn.execute("NOTIFY cti_events")
            heir.resume()
            time.sleep(0.2)
        finally:
            victim.kill()
        killed_at = time.monotonic()
        _wait_until_gone(conn, batch)
        return time.monotonic() - killed_at


def _stop_amid_batch(conn: psycopg.Connection, victim: rig.Workerd) -> None:
    """Until the server waits, inside a transaction, for the next statement of a batch."""
    for _ in range(500):
        victim.pause()
        time.sleep(0.03)
        if conn.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'cti_worker'"
                        " AND state = 'idle in transaction'").fetchone() == (1,):
            return
        victim.resume()
        time.sleep(0.01)
    raise RuntimeError("the worker was never found amid a batch")


def _wait_until_gone(conn: psycopg.Connection, events: list[uuid.UUID]) -> None:
    until = time.monotonic() + LIMIT_SECONDS
    while conn.execute("SELECT EXISTS (SELECT FROM event_queue WHERE event_id = ANY (%s))",
                       (events,)).fetchone() == (True,):
        if time.monotonic() > until:
            raise RuntimeError(f"not done after {LIMIT_SECONDS} s")
        time.sleep(0.005)


def delays_beside_a_mountain(backlog: Backlog, env: Mapping[str, str]) -> Iterator[float]:
    """Seconds from one small tenant's single event to its end, while another has all of the backlog
    waiting."""
    backlog.refill()
    small = uuid.uuid4()
    with connect(backlog.db) as conn:
        make_apps(conn, [small])
        with rig.running(rig.Workerd(backlog.db, env)):
            while True:
                time.sleep(0.1)
                event, begun = _add_event(conn, small), time.monotonic()
                _wait_until_gone(conn, [event])
                waited = time.monotonic() - begun
                if conn.execute("SELECT EXISTS (SELECT FROM event_queue)").fetchone() == (False,):
                    return
                yield waited


def _add_event(conn: psycopg.Connection, app: uuid.UUID) -> uuid.UUID:
    event = uuid7(time.time_ns() // 1000)
    with conn.transaction():
        conn.execute(
            "INSERT INTO event_log (app_id, event_id, arrived_at, hook, event_type,"
            " dialpad_event_id, payload) VALUES (%s, %s, now(), 1, 'ringing', '1', %s)",
            (app, event, json.dumps(json.loads(tokens.claims(0)))))
        conn.execute("INSERT INTO event_queue (app_id, event_id) VALUES (%s, %s)", (app, event))
    conn.execute("NOTIFY cti_events")
    return event


def at_rest(db: rig.Database, seconds: float, env: Mapping[str, str]) -> tuple[float, float]:
    """MiB of memory, and the share of one CPU in percent, of a worker without work."""
    with connect(db) as conn:
        conn.execute("TRUNCATE event_queue")  # of what other parts have left
    with rig.running(rig.Workerd(db, env)) as daemon:
        time.sleep(2)
        cpu = daemon.cpu_seconds()
        time.sleep(seconds)
        return daemon.rss_mib(), (daemon.cpu_seconds() - cpu) / seconds * 100
