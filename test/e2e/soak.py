"""Writers, readers and faults at once: does every reader get every change once, in order?"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlsplit, urlunsplit

import ports
import psycopg
from cluster import Cluster
from cti import App, Stack
from hook import payload
from live import Closed, Poller, Refused, open_socket
from web import eventually

RINGING = payload("call_ringing_inbound_2024")
CATCH_UP_SECONDS = 60
# What a reader meets while apid is away.
AWAY = (OSError, HTTPException, Closed, Refused, AssertionError, ValueError)


class Relay:
    """Passes TCP connections on to a port, until it falls silent without closing them."""

    def __init__(self, to_port: int):
        self.port = ports.any_free()
        self.is_silent = False
        self._to = to_port
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        while True:
            try:
                data = source.recv(65536)
                while self.is_silent:
                    time.sleep(0.05)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


class Writer(threading.Thread):
    """Appends to the feeds as workerd does, but takes its time before each commit."""

    def __init__(self, stack: Stack, apps: list[App], call: dict, number: int,
                 ended: threading.Event):
        super().__init__(daemon=True)
        self._url = stack.database.url("cti_worker")
        self._apps, self._call, self._number, self._ended = apps, call, number, ended
        self._random = random.Random(number)

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn:
            count = 0
            while not self._ended.is_set():
                count += 1
                self._append(conn, self._random.choice(self._apps), count)
                if self._random.random() < 0.5:
                    conn.execute("NOTIFY cti_feed")
                self._ended.wait(self._random.random() * 0.1)

    def _append(self, conn: psycopg.Connection, app: App, count: int) -> None:
        rows = self._random.randint(1, 3)
        with conn.transaction():
            [(base,)] = conn.execute(
                "UPDATE tenant_heads SET last_seq = last_seq + %s WHERE app_id = %s"
                " RETURNING last_seq - %s", (rows, app.app_id, rows)).fetchall()
            for n in range(1, rows + 1):
                name = f"writer {self._number}, commit {count}, row {n}"
                data = json.dumps(self._call | {"labels": [name]})
                conn.execute(
                    "INSERT INTO change_feed (app_id, seq, type, data)"
                    " VALUES (%s, %s, 'call.updated', %s)", (app.app_id, base + n, data))
            time.sleep(self._random.random() * 0.03)


class Sender(threading.Thread):
    """Real events, by the real way."""

    def __init__(self, apps: list[App], ended: threading.Event):
        super().__init__(daemon=True)
        self._apps, self._ended = apps, ended

    def run(self) -> None:
        call_id = 0
        while not self._ended.wait(0.05):
            call_id += 1
            app = self._apps[call_id % len(self._apps)]
            assert app.hook.post(RINGING | {"call_id": call_id}).status == 200


@dataclass
class Reader:
    """One tenant's feed from a place on, through any number of connections."""

    app: App
    cursor: str
    number: int
    ended: threading.Event
    seen: list[dict] = field(default_factory=list)
    resyncs: int = 0
    connections: int = 0

    def start(self) -> None:
        work = self._poll if self.number % 3 == 0 else self._listen
        threading.Thread(target=self._again_and_again, args=(work,), daemon=True).start()

    def _again_and_again(self, work) -> None:
        rng = random.Random(self.number)
        while not self.ended.is_set():
            try:
                work(rng)
            except AWAY:
                time.sleep(0.1 + rng.random() * 0.2)

    def _poll(self, rng: random.Random) -> None:
        poller = Poller(self.app, self.cursor)
        page = poller.ask(wait=rng.choice((0, 1, 5)), limit=rng.choice((1, 7, 100)), timeout=15)
        self._take(page["events"])
        self.cursor = page["next_cursor"]
        self.connections += 1

    def _listen(self, rng: random.Random) -> None:
        until = time.monotonic() + rng.random() * 3
        with open_socket(self.app) as opened:
            opened.subscribe(after=self.cursor)
            opened.wait_subscribed()
            self.connections += 1
            while time.monotonic() < until:
                try:
                    message = opened.message(0.5)
                except TimeoutError:
                    continue
                self._take([message])
                self.cursor = message["cursor"]

    def _take(self, events: list[dict]) -> None:
        for event in events:
            if event["type"] in ("resync", "error"):
                self.resyncs += 1
            else:
                self.seen.append(event["data"])


class Soak:
    def __init__(self, stack: Stack, relay: Relay, writers: int, readers: int, tenants: int = 4):
        self.stack, self.relay = stack, relay
        self._writing, self._reading = threading.Event(), threading.Event()
        self.apps = [stack.create_app(f"tenant {n}") for n in range(tenants)]
        call = self._one_call(self.apps[0])
        self.readers = []
        for number in range(readers):
            app = self.apps[number % tenants]
            self.readers.append(
                Reader(app, Poller(app).ask()["next_cursor"], number, self._reading))
        self.threads = [Writer(stack, self.apps, call, n, self._writing) for n in range(writers)]
        self.threads.append(Sender(self.apps, self._writing))

    def _one_call(self, app: App) -> dict:
        """What a change looks like. It is forgotten: the feeds are to begin empty."""
        assert app.hook.post(RINGING).status == 200
        call = app.wait_for(f"/api/calls/{RINGING['call_id']}")
        call.pop("timeline")
        self.stack.wait_until_done()
        self.stack.sql("DELETE FROM change_feed")
        return call

    def run(self, seconds: float, fault_every: float) -> None:
        """Writes for that long, with a fault now and then, and waits until all is read."""
        for thread in [*self.threads, *self.readers]:
            thread.start()
        deadline = time.monotonic() + seconds
        faults = [self.kill_apid, self.kill_workerd, self.silence, self.restart_apid]
        for n in range(10_000):
            time.sleep(min(fault_every, max(0.0, deadline - time.monotonic())))
            if time.monotonic() >= deadline:
                break
            faults[n % len(faults)]()
        self._writing.set()
        for thread in self.threads:
            thread.join(10)
        self.stack.wait_until_done()
        try:
            check_readers(self.readers, {app.app_id: self.written(app) for app in self.apps})
        finally:
            self._reading.set()

    def written(self, app: App) -> list[dict]:
        return [data for (data,) in self.stack.sql(
            "SELECT data FROM change_feed WHERE app_id = %s ORDER BY seq", app.app_id)]

    # Faults; from the main thread, which the daemons die with

    def kill_apid(self) -> None:
        self.stack.apid.kill()
        self.stack.apid.start()
        self.stack.apid.wait_ready()

    def restart_apid(self) -> None:
        assert self.stack.apid.stop() == 0
        self.stack.apid.start()
        self.stack.apid.wait_ready()

    def kill_workerd(self) -> None:
        self.stack.workerd.kill()
        self.stack.workerd.start()

    def silence(self) -> None:
        """From now on no notification arrives, and no connection is closed either."""
        self.relay.is_silent = not self.relay.is_silent


def check_readers(readers: list[Reader], written: dict[str, list]) -> None:
    """Waits until they have read all of their tenant's feed: each change once, in order."""

    def all_read() -> bool:
        return all(len(r.seen) >= len(written[r.app.app_id]) for r in readers)

    with contextlib.suppress(AssertionError):  # what is missing is told below
        eventually(all_read, CATCH_UP_SECONDS, "every reader has read everything")
    time.sleep(0.5)  # for what comes twice
    for reader in readers:
        assert reader.resyncs == 0
        expected = written[reader.app.app_id]
        told = f"reader {reader.number}, {reader.connections} connections: "
        assert reader.seen == expected, told + first_difference(reader.seen, expected)


def first_difference(seen: list, expected: list) -> str:
    for n, (a, b) in enumerate(zip(seen, expected)):
        if a != b:
            missing = [i for i, e in enumerate(expected) if e not in seen]
            twice = [i for i, e in enumerate(seen) if e in seen[:i]]
            return (f"at {n} of {len(expected)}: missing {missing[:20]}, twice {twice[:20]}, "
                    f"{a} instead of {b}")
    return f"{len(seen)} instead of {len(expected)}"


def soak(run_stack: Callable, cluster: Cluster, *, writers: int, readers: int, seconds: float,
         fault_every: float) -> Soak:
    """Daemons of its own; apid listens through a relay that can fall silent."""
    relay = Relay(cluster.port)
    # The port alone is changed; the database's name is known once there is one.
    with run_stack({"apid": {"DATABASE_LISTEN_URL": None}}) as stack:
        url = urlsplit(stack.database.url("cti_api"))
        place = url.netloc.rsplit(":", 1)[0] + f":{relay.port}"
        stack.apid.stop()
        stack.apid.set_env({"DATABASE_LISTEN_URL": urlunsplit(url._replace(netloc=place))})
        stack.start()
        test = Soak(stack, relay, writers, readers)
        test.run(seconds, fault_every)
        relay.is_silent = False
    relay.close()
    return test
