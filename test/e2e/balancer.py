"""A TCP balancer as small as can be: round robin over the instances that are ready."""

from __future__ import annotations

import itertools
import selectors
import socket
import threading
from collections import Counter

import ports
from cti import Daemon
from web import eventually

PROBE_EVERY_S = 0.1
CHUNK = 65536


class Balancer:
    """Serves while it is a context. It never tries a second instance for a connection."""

    def __init__(self, instances: list[Daemon]):
        self.instances = instances
        self.served: Counter[int] = Counter()  # connections, by port of the instance
        self.ready = list(instances)
        self._turn = itertools.count()
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", ports.any_free()))
        self._listener.settimeout(0.1)
        self._threads = [threading.Thread(target=self._probe, daemon=True),
                         threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Balancer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def wait_until_both_serve(self) -> None:
        eventually(lambda: len(self.ready) == len(self.instances), 30, "both ready")

    def _probe(self) -> None:
        while not self._ended.wait(PROBE_EVERY_S):
            self.ready = [daemon for daemon in self.instances if is_ready(daemon)]

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        ready = self.ready
        with client:
            if not ready:
                return
            port = ready[next(self._turn) % len(ready)].port
            self.served[port] += 1
            try:
                with socket.create_connection(("127.0.0.1", port)) as server:
                    splice(client, server)
            except OSError:
                return  # the client sees the end of its connection


def is_ready(daemon: Daemon) -> bool:
    try:
        return daemon.ready().status == 200
    except OSError:
        return False


def splice(
    one: socket.socket, other: socket.socket, may_pass: threading.Event | None = None
) -> None:
    """Bytes both ways, until either end closes; only while `may_pass` is set."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                chunk = key.fileobj.recv(CHUNK)
                if not chunk:
                    return
                if may_pass is not None:
                    may_pass.wait()
                key.data.sendall(chunk)
