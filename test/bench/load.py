"""The two loads: webhooks by wrk, and the same rows inserted by pgbench."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import rig
import tokens
from yardstick import Yardstick

LUA = Path(__file__).with_name("post.lua")
ONE, GROUP = LUA.with_name("insert_one.sql"), LUA.with_name("insert_group.sql")
GROUP_SIZE = 64


@dataclass(frozen=True)
class WrkRun:
    rate: float  # 200s a second
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of ingestd, for each event
    hmac_us: float  # what one HMAC cost meanwhile
    faults: str  # empty when all went well


def wrk(daemon: rig.Ingestd, db: rig.Database, token_file: Path, connections: int,
        seconds: float, reuse: bool) -> WrkRun:
    db.clear()
    stored, cpu = daemon.stored(), daemon.cpu_seconds()
    with Yardstick() as yardstick:
        told = _run_wrk(daemon, token_file, connections, seconds, reuse)
    daemon.settle()
    cpu = daemon.cpu_seconds() - cpu
    ok = told["answers"] - told["other_status"]
    return WrkRun(ok / told["seconds"], told["p50"], told["p99"],
                  cpu * 1e6 / max(1, daemon.stored() - stored), yardstick.hmac_us(),
                  _faults(told, ok, daemon.stored() - stored, db.rows(), connections))


def _run_wrk(daemon: rig.Ingestd, token_file: Path, connections: int, seconds: float,
             reuse: bool) -> dict:
    done = subprocess.run(
        ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds:g}s",
         "--timeout", "10s", "-s", LUA, f"http://127.0.0.1:{daemon.port}", "--",
         token_file, tokens.PATH, "reuse" if reuse else "close"],
        check=True, capture_output=True, text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _faults(told: dict, ok: int, stored: int, rows: int, connections: int) -> str:
    """wrk leaves without the answers that are under way, one for each connection."""
    faults = []
    dropped = told["dropped"] + max(0, told["closed"] - told["answers"])
    if told["other_status"] or dropped:
        faults.append(f"{told['other_status']} other answers, {dropped} dropped")
    if rows != stored:
        faults.append(f"{stored} answered 200, {rows} rows")
    if not ok <= stored <= ok + connections:
        faults.append(f"wrk saw {ok} of {stored}")
    return "; ".join(faults)


class Pgbench:
    """Inserts the same rows as the same role, by the same way (TCP), without ingestd."""

    def __init__(self, db: rig.Database):
        self._db = db
        self._run = 0
        url = urlsplit(db.url("cti_ingest"))
        self._password = url.password
        self._place = ["-h", url.hostname, "-p", str(url.port), "-U", url.username]
        claims = [tokens.claims(n).decode() for n in range(GROUP_SIZE)]
        self._one = {"payload": claims[GROUP_SIZE // 2]}
        array = ",".join('"%s"' % c.replace("\\", "\\\\").replace('"', '\\"') for c in claims)
        self._group = {"payloads": "{" + array + "}"}

    def single(self, clients: int, seconds: float) -> float:
        """Rows a second, one in each transaction."""
        return self._rate(ONE, self._one, clients, seconds)

    def group(self, clients: int, seconds: float) -> float:
        """Rows a second, 64 in each transaction."""
        return GROUP_SIZE * self._rate(GROUP, self._group, clients, seconds)

    def single_p50_ms(self, seconds: float) -> float:
        """Of one client that inserts one row after the other."""
        with tempfile.TemporaryDirectory() as directory:
            log = f"{directory}/log"
            self._rate(ONE, self._one, 1, seconds, "--log", f"--log-prefix={log}")
            lines = [line for file in Path(directory).iterdir()
                     for line in file.read_text().splitlines()]
        return statistics.median(int(line.split()[2]) for line in lines) / 1000

    def _rate(self, script: Path, variables: dict[str, str], clients: int, seconds: float,
              *more: str) -> float:
        self._db.clear()
        self._run += 1
        sets = [f"-D{k}={v}" for k, v in (variables | {"n": "0", "run": str(self._run)}).items()]
        done = subprocess.run(
            ["pgbench", "-n", "-Mprepared", f"-c{clients}", f"-j{min(2, clients)}",
             f"-T{round(seconds)}", "-f", script, *sets, *more, *self._place, "cti"],
            capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "PGPASSWORD": self._password},
        )
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode != 0 or found is None:
            raise RuntimeError(f"pgbench: {done.stderr[-2000:]}")
        return float(found[1])
