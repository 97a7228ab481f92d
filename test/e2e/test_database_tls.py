"""The database over TLS, as DB_SSL and DB_SSL_ROOT_CERT ask for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import unprivileged
from certificate import make_certificate
from cluster import Cluster
from cti import Stack
from hook import payload
from migrate import migrate
from web import eventually

from test.conftest import DAEMON_ROLES, Database

CALL = payload("call_ringing_inbound_2024")
DAEMONS = dict(zip(("ingestd", "workerd", "apid"), DAEMON_ROLES))
ENCRYPTED = """\
SELECT DISTINCT usename::text, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
WHERE datname = current_database() AND usename <> 'cti_owner' ORDER BY 1"""


class TlsCluster(Cluster):
    """Takes nobody over TCP without TLS."""

    def __init__(self, directory: Path, certificate: Path):
        super().__init__(directory, fsync=False)
        self._certificate = certificate

    def _configure(self, home: Path, port: int) -> None:
        super()._configure(home, port)
        data = home / "data"
        for name, source in (("server.crt", "cert.pem"), ("server.key", "key.pem")):
            (data / name).write_bytes((self._certificate / source).read_bytes())
            (data / name).chmod(0o600)
            unprivileged.give(data / name)
        with open(data / "postgresql.conf", "a") as conf:
            conf.write("ssl = on\n")
        hba = data / "pg_hba.conf"
        hba.write_text(hba.read_text().replace("host ", "hostssl "))


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    """Of two authorities, each its own, where the daemons can read them."""
    with tempfile.TemporaryDirectory(prefix="cti-tls-") as name:
        Path(name).chmod(0o755)
        for one in ("ours", "another"):
            (Path(name) / one).mkdir()
            make_certificate(Path(name) / one)
        yield Path(name)


@pytest.fixture(scope="module")
def database(certificates: Path, tmp_path_factory) -> Iterator[Database]:
    server = TlsCluster(tmp_path_factory.mktemp("tls") / "postgres", certificates / "ours")
    server.start(dies_with_us=True)
    try:
        server.create_database("cti")
        migrate(server.url())
        for role in DAEMON_ROLES:
            server.set_login(role)
        yield Database(server, "cti")
    finally:
        server.remove()


@contextmanager
def stack_with(database: Database, directory: Path, **settings: str) -> Iterator[Stack]:
    """Which has the parts of a URL, and these settings."""
    place = {"DATABASE_URL": None, "DB_HOST": "127.0.0.1", "DB_PORT": str(database.cluster.port),
             "DB_NAME": database.name}
    stack = Stack(database, directory, {
        daemon: place | settings | {"DB_USER": role,
                                    "DB_PASSWORD": database.cluster.passwords.get(role)}
        for daemon, role in DAEMONS.items()})
    try:
        yield stack
    finally:
        faults = stack.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("verified", [False, True])
def test_every_daemon_talks_to_it_encrypted(
    database: Database, certificates: Path, tmp_path: Path, verified: bool
) -> None:
    """With DB_SSL_ROOT_CERT the server's name is checked as well."""
    how = {"DB_SSL_ROOT_CERT": str(certificates / "ours/cert.pem")} if verified else {"DB_SSL": "true"}
    with stack_with(database, tmp_path, **how) as stack:
        stack.start()
        app = stack.create_app("encrypted")
        assert app.hook.post(CALL).status == 200
        app.wait_for(f"/api/calls/{CALL['call_id']}")
        assert stack.sql(ENCRYPTED) == [(role, True) for role in sorted(DAEMON_ROLES)]


def assert_no_connection(stack: Stack, why: str) -> None:
    stack.apid.start()
    eventually(lambda: answers(stack), 30, stack.apid.tail())
    assert stack.apid.ready().status == 503
    stack.apid.wait_for_log(why)


def answers(stack: Stack) -> bool:
    try:
        return stack.apid.ready().status > 0
    except OSError:
        return False


def test_a_server_whose_certificate_is_unknown_gets_no_password(
    database: Database, certificates: Path, tmp_path: Path
) -> None:
    root = str(certificates / "another/cert.pem")
    with stack_with(database, tmp_path, DB_SSL_ROOT_CERT=root) as stack:
        assert_no_connection(stack, "certificate verify failed")


def test_a_server_without_tls_gets_no_password(fresh_db: Database, tmp_path: Path) -> None:
    with stack_with(fresh_db, tmp_path, DB_SSL="true") as stack:
        assert_no_connection(stack, "server does not support SSL")
