"""What a benchmark runs against: a private cluster that really commits, and ingestd."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "local"))

import ports  # noqa: E402 (found by the line above)
import unprivileged  # noqa: E402
from cluster import Cluster  # noqa: E402
from migrate import migrate  # noqa: E402

INGESTD = ROOT / "build" / "release" / "bin" / "ingestd"
MASTER_KEY = "0123456789abcdef0123456789abcdef"
TICKS = os.sysconf("SC_CLK_TCK")
STORED = 'cti_ingest_webhooks_total{result="stored"}'


class Database:
    """A server with fsync and synchronous_commit on, and the schema."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        cluster.create_database("cti")
        migrate(cluster.url())
        self.url = cluster.set_login("cti_ingest")

    def clear(self) -> None:
        """Empty tables and no dirty pages, so that every measurement starts alike."""
        self.cluster.psql("TRUNCATE event_log, event_queue; CHECKPOINT", db="cti")

    def rows(self) -> int:
        """Events in the log; -1 when the queue does not hold the same."""
        found = self.cluster.psql(
            "SELECT (SELECT count(*) FROM event_log), (SELECT count(*) FROM event_queue)",
            db="cti",
        ).split("|")
        return int(found[0]) if found[0] == found[1] else -1


class Ingestd:
    """The release build as a process."""

    def __init__(self, database: Database, env: Mapping[str, str]):
        self.port, self.ops_port = ports.any_free(), ports.any_free()
        self._env = unprivileged.base_env() | {
            "LISTEN_ADDRESS": "127.0.0.1",
            "INGESTD_PORT": str(self.port),
            "OPS_PORT": str(self.ops_port),
            "DATABASE_URL": database.url,
            "WEBHOOK_MASTER_KEY": MASTER_KEY,
            **env,
        }
        self._process: subprocess.Popen | None = None

    def start(self) -> float:
        """Seconds from before the exec to the first answer on the daemon's own port."""
        begun = time.monotonic()
        self._process = unprivileged.spawn([str(INGESTD)], env=self._env)
        while True:
            with contextlib.suppress(OSError):
                self.get("/healthz", self.port)
                return time.monotonic() - begun
            if self._process.poll() is not None or time.monotonic() > begun + 20:
                raise RuntimeError("ingestd does not answer")
            time.sleep(0.0005)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def get(self, path: str, port: int | None = None) -> str:
        url = f"http://127.0.0.1:{port or self.ops_port}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def stored(self) -> int:
        """How many webhooks it has answered 200, by its own count."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(STORED):
                return int(line.split()[-1])
        raise RuntimeError(f"no {STORED} in /metrics")

    def settle(self) -> None:
        """Waits for the requests that a client has sent and left."""
        before = -1
        while before != (now := self.stored()):
            before = now
            time.sleep(0.2)

    def cpu_seconds(self) -> float:
        """Of the process alone: user and system time."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self) -> float:
        for line in self._proc("status").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


@contextlib.contextmanager
def database() -> Iterator[Database]:
    """Gone at the end."""
    with tempfile.TemporaryDirectory(prefix="cti-bench-") as directory:
        cluster = Cluster(Path(directory) / "postgres", fsync=True)
        try:
            cluster.start(dies_with_us=True)
            yield Database(cluster)
        finally:
            cluster.remove()


@contextlib.contextmanager
def ingestd(db: Database, env: Mapping[str, str]) -> Iterator[Ingestd]:
    daemon = Ingestd(db, env)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()


def start_seconds(db: Database, env: Mapping[str, str], times: int = 5) -> float:
    """Median time to the first answer."""
    found = []
    for _ in range(times):
        daemon = Ingestd(db, env)
        found.append(daemon.start())
        daemon.stop()
    return statistics.median(found)
