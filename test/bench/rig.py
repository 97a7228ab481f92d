"""What a benchmark runs against: a private cluster that really commits, and the daemons."""

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
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "local"))

import ports  # noqa: E402 (found by the line above)
import unprivileged  # noqa: E402
from cluster import Cluster  # noqa: E402
from migrate import migrate  # noqa: E402

BIN = ROOT / "build" / "release" / "bin"
MASTER_KEY = "0123456789abcdef0123456789abcdef"
TICKS = os.sysconf("SC_CLK_TCK")
D = TypeVar("D", bound="Daemon")


class Database:
    """A server with fsync and synchronous_commit on, and the schema."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        cluster.create_database("cti")
        migrate(cluster.url())
        self._urls: dict[str, str] = {}

    def url(self, role: str) -> str:
        if role not in self._urls:
            self._urls[role] = self.cluster.set_login(role)
        return self._urls[role]

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

    def cpu_seconds(self) -> float:
        """Of the server: its living processes, then those it has seen end."""
        postmaster = self.cluster.pid()
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        ticks = 0
        for pid in children:
            with contextlib.suppress(OSError):
                ticks += _ticks(int(pid))
        return (ticks + _ticks(postmaster, with_children=True)) / TICKS


class Daemon:
    """The release build of one daemon as a process."""

    role: str

    def __init__(self, db: Database, env: Mapping[str, str]):
        self.name = type(self).__name__.lower()
        self.port, self.ops_port = ports.any_free(), ports.any_free()
        self._env = unprivileged.base_env() | {
            "LISTEN_ADDRESS": "127.0.0.1",
            f"{self.name.upper()}_PORT": str(self.port),
            "OPS_PORT": str(self.ops_port),
            "DATABASE_URL": db.url(self.role),
            "WEBHOOK_MASTER_KEY": MASTER_KEY,
            **env,
        }
        self._process: subprocess.Popen | None = None

    def start(self) -> float:
        """Seconds from before the exec to the first answer on the daemon's own port."""
        begun = time.monotonic()
        self._process = unprivileged.spawn([str(BIN / self.name)], env=self._env,
                                           dies_with_us=signal.SIGKILL)
        while True:
            with contextlib.suppress(OSError):
                self.get("/healthz", self.port)
                return time.monotonic() - begun
            if self._process.poll() is not None or time.monotonic() > begun + 20:
                raise RuntimeError(f"{self.name} does not answer")
            time.sleep(0.0005)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def get(self, path: str, port: int | None = None) -> str:
        url = f"http://127.0.0.1:{port or self.ops_port}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def count(self, metric: str) -> int:
        """The value of a counter; 0 while it has never counted."""
        return int(self.value(metric))

    def value(self, metric: str) -> float:
        for line in self.get("/metrics").splitlines():
            if line.startswith(metric + " "):
                return float(line.split()[-1])
        return 0.0

    def cpu_seconds(self) -> float:
        """Of the process alone: user and system time."""
        return _ticks(self._process.pid) / TICKS

    def rss_mib(self) -> float:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")


class Ingestd(Daemon):
    role = "cti_ingest"

    def stored(self) -> int:
        """How many webhooks it has answered 200, by its own count."""
        return self.count('cti_ingest_webhooks_total{result="stored"}')

    def settle(self) -> None:
        """Waits for the requests that a client has sent and left."""
        before = -1
        while before != (now := self.stored()):
            before = now
            time.sleep(0.2)


class Workerd(Daemon):
    role = "cti_worker"

    def processed(self) -> int:
        return self.count('cti_worker_events_total{result="processed"}')


class Apid(Daemon):
    role = "cti_api"


def _ticks(pid: int, with_children: bool = False) -> int:
    """User and system time of a process; `with_children` adds those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11 : 15 if with_children else 13])


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
def running(daemon: D) -> Iterator[D]:
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()


def start_seconds(db: Database, env: Mapping[str, str], times: int = 5) -> float:
    """Median time to ingestd's first answer."""
    found = []
    for _ in range(times):
        daemon = Ingestd(db, env)
        found.append(daemon.start())
        daemon.stop()
    return statistics.median(found)
