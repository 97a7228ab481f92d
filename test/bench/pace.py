"""Batches of one event each: events of many tenants, one after the other at an even pace."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
import rig
from backlog import Backlog, connect

QUEUE = """\
INSERT INTO event_queue (app_id, event_id, received_at)
SELECT app_id, event_id, received_at FROM waiting WHERE n = %s"""
SECONDS = "cti_worker_batch_seconds"
LIMIT_SECONDS = 30


@dataclass(frozen=True)
class Pace:
    batches: int
    batch_ms: float  # from claim to commit, mean
    cpu_us: float  # of worker and server, for each event


def run(backlog: Backlog, rate: float, count: int, env: Mapping[str, str]) -> Pace:
    backlog.empty()
    backlog.number()
    with connect(backlog.db) as conn, rig.running(rig.Workerd(backlog.db, env)) as worker:
        time.sleep(1)
        cpu = worker.cpu_seconds() + backlog.db.cpu_seconds()
        _queue_evenly(conn, rate, count)
        until = time.monotonic() + LIMIT_SECONDS
        while worker.processed() < count and time.monotonic() < until:
            time.sleep(0.05)
        cpu = worker.cpu_seconds() + backlog.db.cpu_seconds() - cpu
        batches = worker.count(f"{SECONDS}_count")
        took = worker.value(f"{SECONDS}_sum") / max(1, batches)
    return Pace(batches, took * 1000, cpu * 1e6 / count)


def _queue_evenly(conn: psycopg.Connection, rate: float, count: int) -> None:
    start = time.monotonic()
    for n in range(1, count + 1):
        time.sleep(max(0.0, start + n / rate - time.monotonic()))
        conn.execute(QUEUE, (n,))
        conn.execute("NOTIFY cti_events")
