"""The API's reads: by wrk through apid, and by pgbench without it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import rig

sys.path[:0] = [str(rig.ROOT), str(rig.ROOT / "test" / "e2e")]

from cluster import Cluster  # noqa: E402 (found by rig)
from migrate import migrate  # noqa: E402
from statements import Statement, StatementLog  # noqa: E402 (found by the line above)

from test import many_records  # noqa: E402

APPS, CALLS = 20, 1_000_000
APP_ID = many_records.app_id(7)
LUA = Path(__file__).with_name("get.lua")
SECRET = "a-secret-of-the-benchmark-alone-1"
ENV = {"API_KEY_PEPPER": SECRET, "INTERNAL_API_SECRET": SECRET, "TOKEN_ENCRYPTION_KEY": SECRET,
       "RATE_LIMIT_API_PER_MIN": "0", "LOG_LEVEL": "warn"}
TYPED = re.compile(r"'([^']*)'::(uuid|timestamptz|bigint)")


class Database:
    """A million calls of twenty apps; kept in its directory for the next run."""

    name = "cti"

    def __init__(self, directory: Path):
        self.cluster = Cluster(directory, fsync=True)
        self.cluster.start(dies_with_us=True)
        if not self.cluster.has_database("cti"):
            self.cluster.create_database("cti")
            migrate(self.cluster.url())
            self._fill()
        self.cluster.psql("DELETE FROM api_keys", db=self.name)  # of the last run

    def url(self, role: str) -> str:
        return self.cluster.set_login(role)

    def _fill(self) -> None:
        import psycopg  # only a first run needs it

        with psycopg.connect(self.cluster.url(), autocommit=True) as conn:
            def run(sql: str) -> list[tuple]:
                cursor = conn.execute(sql)
                return cursor.fetchall() if cursor.description is not None else []

            many_records.fill(run, CALLS, APPS)
            for n in range(1, APPS + 1):
                conn.execute("INSERT INTO apps (app_id, name) VALUES (%s, %s)",
                             (many_records.app_id(n), f"app {n}"))


@dataclass(frozen=True)
class WrkRun:
    rate: float  # answers a second
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of apid, for each answer
    kib: float  # of an answer
    faults: str


class Client:
    """Asks an apid as the app whose key it has made."""

    def __init__(self, daemon: rig.Apid):
        self._daemon = daemon
        told = self._send("POST", f"/internal/apps/{APP_ID}/api-key",
                          {"Authorization": f"Bearer {SECRET}"})
        self._key, self._key_id = told["api_key"], told["key_id"]

    def get(self, path: str) -> dict:
        return self._send("GET", path, {"x-app-api-key": self._key})

    def wrk(self, path: str, connections: int, seconds: float, reuse: bool = False) -> WrkRun:
        """After a second that does not count: each session meets the statement first."""
        self._run_wrk(path, connections, 1, reuse)
        cpu = self._daemon.cpu_seconds()
        told = self._run_wrk(path, connections, seconds, reuse)
        cpu = self._daemon.cpu_seconds() - cpu
        bad = told["other_status"] + told["dropped"]
        answers = max(1, told["answers"])
        return WrkRun((told["answers"] - told["other_status"]) / told["seconds"], told["p50"],
                      told["p99"], cpu * 1e6 / answers, told["bytes"] / answers / 1024,
                      f"{path}: {bad} bad answers" if bad else "")

    def _run_wrk(self, path: str, connections: int, seconds: float, reuse: bool) -> dict:
        done = subprocess.run(
            ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{max(1, round(seconds))}s",
             "-s", LUA, f"http://127.0.0.1:{self._daemon.port}", "--", path, self._key,
             "reuse" if reuse else "close"],
            check=True, capture_output=True, text=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    def _send(self, method: str, path: str, headers: dict[str, str]) -> dict:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self._daemon.port}{path}", method=method,
            data=b"{}" if method == "POST" else None,
            headers=headers | {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.loads(answer.read())


def statement_behind(db: Database, path: str) -> Statement:
    """What apid runs for this list, as PostgreSQL's log has it."""
    log = StatementLog(db)
    try:
        daemon = rig.Apid(db, ENV)
        with rig.running(daemon):
            Client(daemon).get(path)
    finally:
        db.cluster.psql("ALTER ROLE cti_api IN DATABASE cti RESET log_min_duration_statement")
    [found] = [s for s in log.all() if s.name.startswith("calls_")]
    return found


class Pgbench:
    """The same statement as the same role over TCP, without apid: its rows go nowhere."""

    def __init__(self, db: Database, statement: Statement):
        url = urlsplit(db.url("cti_api"))
        self._place = ["-h", url.hostname, "-p", str(url.port), "-U", url.username, db.name]
        self._password = url.password
        self._values: list[str] = []
        self._sql = TYPED.sub(self._variable, statement.sql)

    def _variable(self, found: re.Match[str]) -> str:
        self._values.append(f"-Dv{len(self._values)}={found[1]}")
        return f":v{len(self._values) - 1}::{found[2]}"

    def select(self, clients: int, seconds: float) -> float:
        """Statements a second, the tenant being set for the session."""
        return self._rate(f"{self._sql};\n", clients, seconds)

    def pipeline(self, clients: int, seconds: float) -> float:
        """Transactions a second that set their tenant, four statements in one round trip."""
        return self._rate(f"\\startpipeline\nBEGIN READ ONLY;\nSET LOCAL cti.app_id = '{APP_ID}';\n"
                          f"{self._sql};\nCOMMIT;\n\\endpipeline\n", clients, seconds)

    def _rate(self, script: str, clients: int, seconds: float) -> float:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            done = subprocess.run(
                ["pgbench", "-n", "-Mprepared", f"-c{clients}", f"-j{min(2, clients)}",
                 f"-T{round(seconds)}", "-f", file.name, *self._values, *self._place],
                capture_output=True, text=True,
                env={"PATH": "/usr/bin:/bin", "PGPASSWORD": self._password, "PGOPTIONS":
                     f"-c cti.app_id={APP_ID} -c plan_cache_mode=force_generic_plan"},
            )
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode != 0 or found is None:
            raise RuntimeError(f"pgbench: {done.stderr[-2000:]}")
        return float(found[1])


def idle_rss_mib(db: Database) -> float:
    """Of an apid that has just started and served nothing but its probes."""
    daemon = rig.Apid(db, ENV)
    with rig.running(daemon):
        time.sleep(2)
        return daemon.rss_mib()
