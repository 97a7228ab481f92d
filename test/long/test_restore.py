"""Backups made under load by the commands of docs/operations.md, restored by them, and used."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import unprivileged
from cluster import OWNER, Cluster
from cti import App, Stack
from feed import Key, rows
from hook import payload
from live import Poller
from migrate import migrate
from upgrade import MainJob
from web import eventually

from test.conftest import DAEMON_ROLES, ROOT, Database

NAME = "cti"
URLS = {"ingestd": "cti_ingest", "workerd": "cti_worker", "apid": "cti_api"}


def documented(heading: str) -> list[str]:
    """The commands under a heading of the page."""
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page.split(f"### {heading}\n")[1].split("\n##")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)


def run(commands: str, **env: str | Path) -> None:
    """From the root of the repository."""
    _bash(commands, env, cwd=ROOT)


def run_on_the_server(commands: str, **env: str | Path) -> None:
    """As the server's user, who may not reach the repository."""
    _bash(commands, env, cwd="/", **unprivileged.identity())


def _bash(commands: str, env: dict[str, str | Path], **how) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True,
        env=unprivileged.base_env() | {name: str(value) for name, value in env.items()},
        check=False, **how,
    )
    assert done.returncode == 0, f"{commands}\n{done.stderr}"


@dataclass
class Before:
    """What had been acknowledged, and become records, before the backup's moment."""

    rows: dict[Key, dict]
    log: set[tuple]
    cursor: str

    @classmethod
    def of(cls, stack: Stack, app: App) -> Before:
        poller = Poller(app)
        poller.drain()
        return cls(rows(stack), logged(stack), poller.cursor)

    def check_kept(self, stack: Stack) -> None:
        assert self.log <= logged(stack)
        now = rows(stack)
        assert {key: now.get(key) for key in self.rows} == self.rows


def logged(stack: Stack) -> set[tuple]:
    return set(stack.sql("SELECT event_id, app_id, received_at, payload::text FROM event_log"))


class Restored(Cluster):
    """A server whose data come from a base backup, by the page's commands."""

    def __init__(self, directory: Path, source: Cluster, commands: str, **env: str | Path):
        super().__init__(directory)
        shutil.copy(source.passwords.path, self.passwords.path)
        self.passwords = type(self.passwords)(self.passwords.path)
        self._restore = lambda data: run_on_the_server(commands, PGDATA=data, **env)

    def _init(self, home: Path) -> None:
        self._restore(home / "data")

    def _make_owner(self) -> None:
        """It is in the backup. The server is up as soon as it can be read; this waits for more."""
        eventually(lambda: self.psql("SELECT pg_is_in_recovery()") == "f", 30, "the WAL's end")


@pytest.fixture
def backup() -> Iterator[Path]:
    """A directory that the server and its user can write to."""
    with tempfile.TemporaryDirectory(prefix="cti-backup-", dir="/var/tmp") as name:
        (Path(name) / "wal").mkdir()
        for path in (Path(name), Path(name) / "wal"):
            unprivileged.give(path)
        yield Path(name)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Cluster]:
    server = Cluster(tmp_path / "source")
    server.start(dies_with_us=True)
    server.create_database(NAME)
    migrate(server.url(db=NAME))
    for role in DAEMON_ROLES:
        server.set_login(role, NAME)
    yield server
    server.remove()


@pytest.fixture
def stack(source: Cluster, tmp_path: Path) -> Iterator[Stack]:
    running = Stack(Database(source, NAME), tmp_path)
    running.start()
    yield running
    faults = running.close()
    assert not faults, "\n".join(faults)


def move(stack: Stack, to: Cluster) -> None:
    """The same daemons, secrets and all, on the restored database."""
    stack.database = Database(to, NAME)
    run(documented("After a restore")[0], NEW_OWNER_URL=stack.database.url())
    for daemon in stack.daemons:
        daemon.set_env({"DATABASE_URL": stack.database.url(URLS[daemon.name])})
    stack.start()
    stack.wait_until_done()


def check_life_goes_on(stack: Stack, app: App, before: Before) -> None:
    """Key and hook are good, the schema is whole, and who read the feed is told to begin again."""
    before.check_kept(stack)
    reader = Poller(app, before.cursor)
    told = reader.drain() + reader.drain()
    assert [event["type"] for event in told].count("resync") == 1
    claims = payload("call_connected_seed")
    assert app.hook.post(claims).status == 200
    app.wait_for(f"/api/calls/{claims['call_id']}")
    assert [event["data"]["call_id"] for event in reader.drain()][-1:] == [claims["call_id"]]
    assert migrate(stack.database.url()).strip().endswith("up-to-date)")


def test_a_dump_has_all_that_was_acknowledged_before_it(
    stack: Stack, source: Cluster, backup: Path, tmp_path: Path
) -> None:
    job = MainJob(stack, stack.create_app("dumped"))
    job.do()
    before = Before.of(stack, job.app)
    dump, restore = documented("A dump")
    with job.while_events_come():
        run(dump, OWNER_URL=stack.database.url(), BACKUP=backup)
    settings = role_settings(source)
    assert stack.close() == []
    source.stop()

    target = Cluster(tmp_path / "target")
    target.start(dies_with_us=True)
    try:
        target.create_database(NAME)
        run(restore, NEW_OWNER_URL=target.url(OWNER, NAME), BACKUP=backup)
        for role in DAEMON_ROLES:
            target.set_login(role, NAME)
        assert role_settings(target) == settings
        move(stack, target)
        check_life_goes_on(stack, job.app, before)
        assert stack.close() == []
    finally:
        target.remove()


def role_settings(server: Cluster) -> str:
    """What a dump does not bring, but for passwords."""
    return server.psql(
        "SELECT rolname, s FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole,"
        " unnest(setconfig) AS s UNION ALL SELECT m.rolname, r.rolname FROM pg_auth_members"
        " JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member"
        " WHERE m.rolname LIKE 'cti_%' ORDER BY 1, 2", NAME)


def test_a_base_backup_and_the_wal_restore_to_a_moment(
    stack: Stack, source: Cluster, backup: Path, tmp_path: Path
) -> None:
    archive, base, restore = documented("A base backup and the WAL")
    run(archive, SUPERUSER_URL=source.superuser_url(), BACKUP=backup)
    source.wanted_port = source.port
    source.stop()
    source.start(dies_with_us=True)
    job = MainJob(stack, stack.create_app("archived"))
    with job.while_events_come():
        run_on_the_server(base, SUPERUSER_URL=source.superuser_url(), BACKUP=backup)
    job.do()  # these are in the WAL only
    before = Before.of(stack, job.app)
    moment = source.psql("SELECT now()")
    job.do()
    after = logged(stack) - before.log
    last = source.psql("SELECT pg_walfile_name(pg_switch_wal())")
    eventually(lambda: (backup / "wal" / last).exists(), 20, "the last WAL in the archive")
    assert stack.close() == []
    os.kill(source.pid(), signal.SIGKILL)

    [made] = backup.glob("base-*")
    target = Restored(tmp_path / "target", source, restore,
                      BACKUP=backup, DAY=made.name.removeprefix("base-"), MOMENT=moment)
    try:
        target.start(dies_with_us=True)
        move(stack, target)
        assert logged(stack) & after == set()
        check_life_goes_on(stack, job.app, before)
        assert stack.close() == []
    finally:
        target.remove()
