"""The private PostgreSQL server behind `make run` and the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import unprivileged
from cluster import Cluster, ClusterError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that nobody but us can enter, as mktemp -d makes them."""
    made = Path(tempfile.mkdtemp(prefix="cti-cluster-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def server(directory: Path) -> Iterator[Cluster]:
    made = Cluster(directory / "postgres", fsync=False)
    yield made
    made.remove()


def wait_until_gone(server: Cluster) -> None:
    deadline = time.monotonic() + 30
    while server.pid() is not None:
        assert time.monotonic() < deadline, "the server still runs"
        time.sleep(0.02)


def test_a_second_start_finds_the_data_and_the_passwords(server: Cluster):
    assert server.start()
    server.create_database("cti")
    server.psql("CREATE TABLE kept AS SELECT 7 AS n", "cti", "cti_owner")
    server.stop()

    again = Cluster(server.dir, fsync=False)
    assert again.start()
    with psycopg.connect(again.url()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_server_killed_without_warning_starts_again(server: Cluster):
    server.start()
    os.kill(server.pid(), signal.SIGKILL)
    wait_until_gone(server)
    assert server.start()


def test_starting_a_running_server_changes_nothing(server: Cluster):
    server.start()
    pid = server.pid()
    assert not Cluster(server.dir).start()
    assert server.pid() == pid


def test_a_stale_pid_file_never_costs_another_process_its_life(server: Cluster):
    server.start()
    server.stop()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        pid_file = server.socket_dir / "data" / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{pid_file.parent}\n0\n1\n\n\n\nready\n")
        assert not server.stop()
        assert bystander.poll() is None
        pid_file.unlink()
    finally:
        bystander.kill()
        bystander.wait()


def test_a_busy_port_is_named_and_nothing_is_started(directory: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Cluster(directory / "postgres", port=port, fsync=False)
        with pytest.raises(ClusterError, match=f"port {port} is in use"):
            server.start()
    assert server.pid() is None
    server.remove()


def test_the_server_dies_with_the_program_that_started_it(directory: Path):
    code = (
        "import os, sys; from cluster import Cluster\n"
        "c = Cluster(sys.argv[1], fsync=False); c.start(dies_with_us=True)\n"
        "print(c.pid(), flush=True); os.kill(os.getpid(), 9)"
    )
    server = Cluster(directory / "postgres", fsync=False)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(server.dir)],
            cwd=Path(unprivileged.__file__).parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert int(done.stdout) > 0
        wait_until_gone(server)
    finally:
        server.remove()


def test_everybody_needs_a_password_and_it_is_kept_private(server: Cluster):
    server.start()
    for host in ("127.0.0.1", str(server.socket_dir)):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(
                host=host, port=server.port, user="postgres", dbname="postgres"
            )
    assert stat.S_IMODE(server.passwords.path.stat().st_mode) == 0o600
    assert server.passwords.get("postgres") not in server.log.read_text()


def test_the_owner_may_create_roles_and_databases_but_is_no_superuser(server: Cluster):
    server.start()
    rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles"
    assert server.psql(rights + " WHERE rolname = 'cti_owner'") == "f|t|t"


def test_a_path_too_long_for_a_socket_still_works(directory: Path):
    server = Cluster(directory / ("long" * 30) / "postgres", fsync=False)
    try:
        server.start()
        home = server.socket_dir
        assert home.parent == Path("/var/tmp")
        assert server.psql("SELECT 1") == "1"
    finally:
        server.remove()
    assert not home.exists()


def test_a_cluster_made_anew_does_not_inherit_the_data_of_a_deleted_one(directory: Path):
    path = directory / ("long" * 30) / "postgres"
    Cluster(path, fsync=False).start()
    Cluster(path).stop()
    shutil.rmtree(path)

    server = Cluster(path, fsync=False)
    try:
        assert server.start()
    finally:
        server.remove()


@as_root
def test_root_runs_the_server_as_another_user(server: Cluster):
    server.start()
    owner = os.stat(f"/proc/{server.pid()}").st_uid
    assert owner == unprivileged.run_as().pw_uid != 0


@as_root
def test_a_directory_of_somebody_else_in_var_tmp_is_refused(directory: Path):
    server = Cluster(directory / "postgres", fsync=False)
    server.start()
    home = server.socket_dir
    server.remove()
    home.mkdir(mode=0o777)  # as if another user had made it, to read our data
    try:
        with pytest.raises(RuntimeError, match="not a private directory"):
            server.start()
    finally:
        home.rmdir()


@as_root
@pytest.mark.parametrize("interpreter", ["/bin/sh", "/usr/bin/python3"])
def test_a_program_out_of_the_users_reach_runs_as_the_user(
    directory: Path, interpreter: str
):
    script = directory / "program"
    code = {"/bin/sh": "id -u", "/usr/bin/python3": "import os; print(os.getuid())"}
    script.write_text(f"#!{interpreter}\n{code[interpreter]}\n")
    script.chmod(0o755)
    child = unprivileged.spawn(
        [str(script)], env=unprivileged.base_env(), stdout=subprocess.PIPE
    )
    assert int(child.communicate()[0]) == unprivileged.run_as().pw_uid


@as_root
def test_a_binary_out_of_the_users_reach_runs_as_the_user(directory: Path):
    binary = shutil.copy("/usr/bin/id", directory / "id")
    child = unprivileged.spawn(
        [binary, "-u"], env=unprivileged.base_env(), stdout=subprocess.PIPE
    )
    assert int(child.communicate()[0]) == unprivileged.run_as().pw_uid


def test_a_child_sees_only_the_environment_it_is_given(monkeypatch):
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    child = unprivileged.spawn(
        ["/usr/bin/env"], env=unprivileged.base_env(), stdout=subprocess.PIPE
    )
    assert b"SECRET_OF_OURS" not in child.communicate()[0]


def test_a_fresh_database_has_its_roles_settings(fresh_db):
    with fresh_db.connect("cti_ingest") as connection:
        shown = connection.execute("SHOW statement_timeout").fetchone()
    assert shown == ("5s",)
