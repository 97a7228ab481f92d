"""A real PgBouncer in transaction mode, in front of the tests' server."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import ports
import psycopg
import unprivileged
from cluster import Cluster
from web import eventually

PROGRAM = Path("/usr/sbin/pgbouncer")
ROLES = ("cti_owner", "cti_ingest", "cti_worker", "cti_api")
START_SECONDS = 30
CONF = """\
[databases]
* = host=127.0.0.1 port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
"""


class PgBouncer:
    """Serves while it is a context. `pool_size`: sessions of one role on one database."""

    def __init__(self, cluster: Cluster, directory: Path, pool_size: int):
        self.port = ports.any_free()
        self._conf = directory / "pgbouncer.ini"
        self._log = directory / "pgbouncer.log"
        users = directory / "users.txt"
        self._write(users, "".join(
            f'"{role}" "{cluster.passwords.get(role)}"\n' for role in ROLES
        ))
        self._write(self._conf, CONF.format(
            server_port=cluster.port, port=self.port, users=users, pool_size=pool_size
        ))
        self._process: subprocess.Popen | None = None

    def _write(self, path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text)
        unprivileged.give(path)

    def __enter__(self) -> PgBouncer:
        with open(self._log, "wb") as log:
            self._process = unprivileged.spawn(
                [str(PROGRAM), str(self._conf)], env=unprivileged.base_env(), stdout=log,
                dies_with_us=signal.SIGKILL,
            )
        eventually(self._listens, START_SECONDS, "PgBouncer listens")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def _listens(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        return not ports.is_free(self.port)

    def before(self, url: str) -> str:
        """The same URL through the pooler."""
        parts = urlsplit(url)
        login = parts.netloc.rsplit("@", 1)[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    def ask(self, url: str, query: str) -> list[tuple]:
        """One statement through the pooler, with nothing prepared."""
        with psycopg.connect(self.before(url), autocommit=True, prepare_threshold=None) as conn:
            return conn.execute(query).fetchall()
