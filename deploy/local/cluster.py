#!/usr/bin/python3
"""A private PostgreSQL server in a directory: cluster.py start|stop|status|remove DIR.

DIR keeps the passwords (mode 0600), the server's log and the server's own directory (see
server_home.py). The server listens on a unix socket in there and on 127.0.0.1, and asks
everybody for a password. A second start finds the data of the first.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import ports
import server_home
import unprivileged
from logs import tail
from private_file import SecretFile

SUPERUSER = "postgres"
OWNER = "cti_owner"  # owns the databases and runs the migrations; no superuser
START_SECONDS = 60
STOP_SECONDS = 60
OLDEST_VERSION = 15

# For a small machine that is shared with a build; the comments say why not the default.
CONF = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{home}'
max_connections = 100
shared_buffers = 64MB
max_wal_size = 512MB
jit = off                       # costs more than it saves on short statements
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
log_min_error_statement = panic # a failed ALTER ROLE must not show its password
dynamic_shared_memory_type = mmap # containers often have a tiny /dev/shm
fsync = {durable}
full_page_writes = {durable}
"""
HBA = """\
local all all scram-sha-256
host all,replication all 127.0.0.1/32 scram-sha-256
"""
# What ALTER ROLE … IN DATABASE … SET says is no part of the database that it is said of.
COPY_ROLE_SETTINGS = """\
SELECT format('ALTER ROLE %s IN DATABASE {name} SET %I = %L', setrole::regrole,
	split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1))
FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase,
	unnest(setconfig) AS setting
WHERE datname = '{template}' AND setrole <> 0
\\gexec
"""


class ClusterError(Exception):
    """What went wrong, in words for whoever started the cluster."""


def server_programs() -> Path:
    """The directory of the newest installed server's programs."""
    found = [
        (int(p.parts[-3]), p.parent)
        for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if p.parts[-3].isdigit()
    ]
    if not found or max(found)[0] < OLDEST_VERSION:
        raise ClusterError(f"PostgreSQL {OLDEST_VERSION} or later is not installed")
    return max(found)[1]


class Cluster:
    """One server. Port None takes a free one at each start; fsync off is for tests."""

    def __init__(
        self, directory: Path | str, port: int | None = None, fsync: bool = True
    ):
        self.dir = Path(directory).absolute()
        self.wanted_port = port
        self.fsync = fsync
        self.programs = server_programs()
        self.dir.mkdir(parents=True, exist_ok=True)
        self.passwords = SecretFile(self.dir / "passwords")
        self.log = self.dir / "postgres.log"
        self._child: subprocess.Popen | None = None

    # Starting and stopping

    def start(self, dies_with_us: bool = False) -> bool:
        """Starts the server and waits until it answers; False if it already ran."""
        if self.pid() is not None:
            self._accept_running()
            return False
        port = self.wanted_port or ports.any_free()
        if not ports.is_free(port):
            raise ClusterError(f"PostgreSQL cannot start: port {port} is in use")
        home = server_home.prepare(self.dir)
        if not (home / "data").exists():
            self._init(home)
        self._configure(home, port)
        signum = signal.SIGINT if dies_with_us else None
        with open(self.log, "ab") as log:
            self._child = unprivileged.spawn(
                [str(self.programs / "postgres"), "-D", str(home / "data")],
                env=unprivileged.base_env(),
                stdout=log,
                dies_with_us=signum,
            )
        try:
            self._wait_until_ready()
            self._make_owner()
        except BaseException:
            self._child.send_signal(signal.SIGINT)
            self._child.wait()
            raise
        return True

    def stop(self) -> bool:
        """Ends our server and nobody else's, fast but orderly; False if none ran."""
        pid = self.pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast shutdown"
        deadline = time.monotonic() + STOP_SECONDS
        while self._is_ours(pid):
            if time.monotonic() > deadline:
                raise ClusterError(f"the server (pid {pid}) did not stop: see {self.log}")
            time.sleep(0.02)
        return True

    def remove(self) -> None:
        """Stops the server and deletes what it left: data, passwords and log."""
        self.stop()
        server_home.remove(self.dir)
        for path in (self.passwords.path, self.log):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else's files may lie in there
            self.dir.rmdir()

    def pid(self) -> int | None:
        """The process id of our running server."""
        lines = self._pidfile()
        if lines and lines[0].isdigit() and self._is_ours(int(lines[0])):
            return int(lines[0])
        return None

    @property
    def port(self) -> int:
        lines = self._pidfile()
        if self.pid() is None or len(lines) < 4:
            raise ClusterError(f"no server is running in {self.dir}")
        return int(lines[3])

    @property
    def socket_dir(self) -> Path:
        home = server_home.find(self.dir)
        if home is None:
            raise ClusterError(f"no server has been started in {self.dir}")
        return home

    # Using it

    def url(self, role: str = OWNER, db: str = "cti") -> str:
        """A connection URL with the password in it: for environments, not for argv."""
        password = self.passwords.get(role)
        if password is None:
            raise ClusterError(f"{role} has no password yet: call set_login first")
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{db}"

    def superuser_url(self, db: str = "cti") -> str:
        return self.url(SUPERUSER, db)

    def psql(self, sql: str, db: str = "postgres", role: str = SUPERUSER) -> str:
        """Runs SQL and returns its rows, one a line, columns parted by |."""
        host = ["-h", str(self.socket_dir), "-p", str(self.port), "-U", role, "-d", db]
        password = self.passwords.get(role) or ""
        done = subprocess.run(
            [self.programs / "psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", *host],
            env=unprivileged.base_env() | {"PGPASSWORD": password},
            input=sql,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise ClusterError(f"psql: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    def set_login(self, role: str, db: str = "cti") -> str:
        """Lets an existing role log in, with a password of its own; returns its URL."""
        password = self.passwords.get_or_make(_plain(role))
        self.psql(f"ALTER ROLE {role} LOGIN PASSWORD '{password}'")
        return self.url(role, db)

    def has_database(self, name: str) -> bool:
        found = self.psql(f"SELECT 1 FROM pg_database WHERE datname = '{_plain(name)}'")
        return found == "1"

    def create_database(self, name: str, template: str | None = None) -> None:
        """A new database; as a copy of `template` it also has its roles' settings."""
        source = f" TEMPLATE {_plain(template)}" if template else ""
        self.psql(f"CREATE DATABASE {_plain(name)} OWNER {OWNER}{source}")
        if template:
            self.psql(COPY_ROLE_SETTINGS.format(name=name, template=template))

    def drop_database(self, name: str) -> None:
        """Drops it whoever is connected."""
        self.psql(f"DROP DATABASE IF EXISTS {_plain(name)} WITH (FORCE)")

    # The steps of a start

    def _init(self, home: Path) -> None:
        """initdb beside the final name, so that an interrupted one leaves no half."""
        draft = home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        password_file = home / "superuser-password"
        password_file.write_text(self.passwords.get_or_make(SUPERUSER))
        unprivileged.give(password_file)
        try:
            self._run_initdb(draft, password_file)
        finally:
            password_file.unlink()
        draft.rename(home / "data")

    def _run_initdb(self, data: Path, password_file: Path) -> None:
        child = unprivileged.spawn(
            [str(self.programs / "initdb"), "-D", str(data), "-U", SUPERUSER]
            + ["-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256"]
            + [f"--pwfile={password_file}", "--no-instructions"]
            + ([] if self.fsync else ["--no-sync"]),
            env=unprivileged.base_env(),
            stdout=subprocess.PIPE,
            dies_with_us=signal.SIGKILL,
        )
        try:
            output, _ = child.communicate()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)  # it has children of its own
            child.wait()
            raise
        if child.returncode != 0:
            raise ClusterError(f"initdb failed:\n{output.decode(errors='replace')}")

    def _configure(self, home: Path, port: int) -> None:
        """Writes the settings anew, so that they are always what this file says."""
        durable = "on" if self.fsync else "off"
        conf = CONF.format(port=port, home=home, durable=durable)
        for name, text in (("postgresql.conf", conf), ("pg_hba.conf", HBA)):
            (home / "data" / name).write_text(text)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            lines = self._pidfile()
            ours = bool(lines) and lines[0] == str(self._child.pid)
            if ours and len(lines) >= 8 and lines[7].strip() == "ready":
                return
            if self._child.poll() is not None:
                raise ClusterError(f"the server did not start:\n{tail(self.log)}")
            if time.monotonic() > deadline:
                raise ClusterError(f"no answer in {START_SECONDS} s:\n{tail(self.log)}")
            time.sleep(0.02)

    def _make_owner(self) -> None:
        if self.psql(f"SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'") != "1":
            self.psql(f"CREATE ROLE {OWNER} CREATEROLE CREATEDB")
        self.set_login(OWNER)

    def _accept_running(self) -> None:
        if self.wanted_port not in (None, self.port):
            raise ClusterError(
                f"the server in {self.dir} already runs, on port {self.port}: "
                f"stop it before it can use {self.wanted_port}"
            )

    def _pidfile(self) -> list[str]:
        home = server_home.find(self.dir)
        try:
            text = (home / "data" / "postmaster.pid").read_text() if home else ""
            return text.splitlines()
        except FileNotFoundError:
            return []

    def _is_ours(self, pid: int) -> bool:
        """Whether this process is the server of our data. After a crash the pid file is
        stale, and its number may belong to another process by now."""
        if self._child and self._child.pid == pid and self._child.poll() is not None:
            return False
        home = server_home.find(self.dir)
        try:
            cwd = os.readlink(f"/proc/{pid}/cwd")  # a server works in its data directory
        except OSError:
            return False
        return home is not None and cwd == str(home / "data")


def _plain(name: str) -> str:
    """A name that needs no quoting in SQL."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise ClusterError(f"{name!r} is no plain SQL name")
    return name


def main(argv: list[str]) -> int:
    if len(argv) != 3 or argv[1] not in ("start", "stop", "status", "remove"):
        print("usage: cluster.py start|stop|status|remove DIR", file=sys.stderr)
        return 2
    verb, directory = argv[1], Path(argv[2])
    if verb != "start" and not directory.is_dir():
        print(f"there is no cluster in {directory}")
        return 0 if verb == "stop" else 1
    try:
        return _carry_out(verb, Cluster(directory))
    except (ClusterError, RuntimeError) as e:
        print(f"cluster: {e}", file=sys.stderr)
        return 1


def _carry_out(verb: str, cluster: Cluster) -> int:
    if verb == "start":
        cluster.start()
    elif verb == "stop":
        cluster.stop()
    elif verb == "remove":
        cluster.remove()
    pid = cluster.pid() if verb != "remove" else None
    print(f"running on port {cluster.port}, pid {pid}" if pid else "not running")
    return 3 if verb == "status" and not pid else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
