"""ingestd keeps on disk what the database cannot take, and brings it in afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.client import HTTPException
from pathlib import Path

import ports
import pytest
import unprivileged
from cluster import Cluster
from cti import BIN
from ingest import Books, Ingest, load, metric, new_claims, post
from ingest_fixtures import IngestMaker
from web import eventually

EXIT_FAILED = 1
DISK_BYTES = 64 * 1024
FULL_DISK = BIN.parent / "test" / "full_disk.so"
Disk = Callable[[Path], AbstractContextManager[dict[str, str]]]
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def spooled(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.spool"))


def send(stack: Ingest, books: Books, count: int) -> None:
    """One after the other, so that their order is known."""
    for _ in range(count):
        assert post(stack.my_hook(), new_claims(), books) == 200


def wait_until_replayed(directory: Path) -> None:
    eventually(lambda: not spooled(directory), 60, "an empty spool")


def test_a_database_that_goes_away_under_load_costs_no_event(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    with run_ingestd({"INGEST_SPOOL_DIR": str(spool_dir)}) as stack:
        server = stack.database.cluster
        server.wanted_port = server.port  # ingestd knows it under this one
        with load(stack.my_hook(), 600, rate=60) as books:
            crash(server)
            eventually(lambda: spooled(spool_dir), 20, "something in the spool")
            eventually(lambda: len(books.statuses) == 600, 60, "the end of the load")
            server.start(dies_with_us=True)
        assert books.seen() == {200}
        wait_until_replayed(spool_dir)
        books.check(stack)
        assert len(stack.log()) >= 600
        eventually(lambda: stack.ready_body()["spool"]["files"] == 0, 20, "no file any more")


def crash(server: Cluster) -> None:
    """No checkpoint: the next start begins with a recovery."""
    os.kill(server.pid(), signal.SIGQUIT)
    eventually(lambda: server.pid() is None, 20, "the end of PostgreSQL")


def test_a_killed_ingestd_replays_what_it_had_spooled(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    with run_ingestd({"INGEST_SPOOL_DIR": str(spool_dir)}) as stack:
        with stack.database_down():
            with load(stack.my_hook(), 300, rate=80) as books:
                eventually(lambda: len(books.acknowledged) > 30, 20, "a backlog")
                stack.ingestd.kill()
            assert books.seen() == {200, None}
            assert spooled(spool_dir)
            stack.start()  # without a database, with a backlog
            send(stack, books, 5)
        wait_until_replayed(spool_dir)
        books.check(stack)


def test_the_spool_is_replayed_in_order_of_arrival_whatever_the_clock_does(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    assert FAKETIME.exists(), "the package faketime, which `make deps` installs, is missing"
    clock = Path(spool_dir.parent) / f"{spool_dir.name}.clock"
    clock.write_text("+0")
    env = {"INGEST_SPOOL_DIR": str(spool_dir), **set_clock_by(clock)}
    try:
        with run_ingestd(env) as stack:
            books = Books()
            with stack.database_down():
                send(stack, books, 5)
                clock.write_text("-3600")
                send(stack, books, 5)
                assert stack.ingestd.stop() == 0
                stack.start()
                send(stack, books, 5)
            wait_until_replayed(spool_dir)
            books.check(stack)
            assert stack.log() == list(books.statuses)
            [(back,)] = stack.sql("SELECT max(arrived_at) - min(arrived_at) FROM event_log")
            assert back.total_seconds() > 3500  # the clock was set back indeed
    finally:
        clock.unlink()


def preload(library: Path) -> dict[str, str]:
    """The environment in which a program has this library's functions for its own."""
    sanitizer = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=False
    ).stdout.strip()
    # It insists on coming first; in a program without a sanitizer it does nothing.
    return {"LD_PRELOAD": f"{sanitizer} {library}"}


def set_clock_by(file: Path) -> dict[str, str]:
    """The environment in which a program's wall clock is off by what the file says."""
    return preload(FAKETIME) | {
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Its repair of waits on the monotonic clock makes them end at once.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


# Who may have the directory


def test_of_two_ingestd_on_one_spool_the_second_waits_for_the_first(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    env = {"INGEST_SPOOL_DIR": str(spool_dir)}
    with run_ingestd(env, env, start=False) as stack:
        first, second = stack.instances
        first.start()
        first.wait_ready()
        second.start()
        eventually(lambda: second.log_contains("held by another process"), 20, "a warning")
        answer = second.ready()
        assert (answer.status, answer.json()["status"]) == (503, "starting")
        assert answer.json()["spool"] == "held by another process"
        books = Books()
        assert post(stack.my_hook(second), new_claims(), books) is None  # no port yet

        with stack.database_down():
            assert post(stack.my_hook(first), new_claims(), books) == 200
            first.kill()
            second.wait_ready()
            assert post(stack.my_hook(second), new_claims(), books) == 200
        wait_until_replayed(spool_dir)
        books.check(stack)


def test_a_waiting_ingestd_can_be_told_to_stop(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    env = {"INGEST_SPOOL_DIR": str(spool_dir)}
    with run_ingestd(env, env, start=False) as stack:
        first, second = stack.instances
        first.start()
        first.wait_ready()
        second.start()
        eventually(lambda: second.log_contains("held by another process"), 20, "a warning")
        assert second.stop() == 0


def test_a_probe_at_the_very_end_does_no_harm(run_ingestd: IngestMaker, spool_dir: Path) -> None:
    """The database says nothing, so once a second a probe waits 0.2 s for it, as one does at the end."""
    with socket.create_server(("127.0.0.1", ports.any_free())) as silent, run_ingestd({
        "INGEST_SPOOL_DIR": str(spool_dir),
        "DATABASE_URL": f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/db",
        "DRAIN_GRACE_MS": "1050",
    }) as stack:
        while seconds(stack.ingestd.ready) < 0.15:
            pass
        stack.ingestd.terminate()
        with contextlib.suppress(OSError, HTTPException):
            while True:
                stack.ingestd.ready()
        assert stack.ingestd.wait() == 0


def seconds(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    call()
    return time.monotonic() - begun


@pytest.mark.parametrize("kind", ["missing", "a file", "not writable"])
def test_a_spool_that_cannot_be_used_is_refused_at_the_start(
    run_ingestd: IngestMaker, spool_dir: Path, kind: str
) -> None:
    directory = spool_dir / kind
    if kind == "a file":
        directory.write_text("")
    elif kind == "not writable":
        directory.mkdir(mode=0o555)
        unprivileged.give(directory)
    with run_ingestd({"INGEST_SPOOL_DIR": str(directory)}, start=False) as stack:
        stack.ingestd.start()
        assert stack.ingestd.wait() == EXIT_FAILED
        [line] = [x for x in stack.ingestd.lines() if x["event"] == "daemon.start_failed"]
        assert "INGEST_SPOOL_DIR" in line["msg"] and str(directory) in line["msg"]


# Limits


def may_mount() -> bool:
    with tempfile.TemporaryDirectory() as directory:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", directory],
                                 capture_output=True, check=False).returncode == 0
        if mounted:
            subprocess.run(["umount", directory], check=True)
        return mounted


@contextlib.contextmanager
def mounted_disk(directory: Path) -> Iterator[dict[str, str]]:
    """A file system of 64 KiB is mounted there."""
    options = f"size={DISK_BYTES},mode=0777"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], check=True)
    try:
        yield {}
    finally:
        subprocess.run(["umount", directory], check=True)


@contextlib.contextmanager
def pretended_disk(directory: Path) -> Iterator[dict[str, str]]:
    """The environment in which the directory takes no more than 64 KiB."""
    library = directory.with_suffix(".so")  # where the user that ingestd runs as can read it
    shutil.copy(FULL_DISK, library)
    try:
        yield preload(library) | {
            "FULL_DISK_DIR": str(directory.resolve()),
            "FULL_DISK_BYTES": str(DISK_BYTES),
        }
    finally:
        library.unlink()


@pytest.mark.parametrize("disk", [pretended_disk, *([mounted_disk] if may_mount() else [])])
def test_a_full_disk_is_never_acknowledged(
    run_ingestd: IngestMaker, spool_dir: Path, disk: Disk
) -> None:
    with disk(spool_dir) as env, run_ingestd(
        {"INGEST_SPOOL_DIR": str(spool_dir), **env}
    ) as stack:
        books = Books()
        for _ in range(2):  # the second time, on space that was used before
            with stack.database_down():
                statuses = [
                    post(stack.my_hook(), new_claims() | {"filler": "x" * 9000}, books)
                    for _ in range(15)
                ]
                assert statuses[0] == 200 and statuses[-1] == 503
                assert list(spool_dir.glob("*.tmp")) == []
            wait_until_replayed(spool_dir)
        stack.ingestd.wait_for_log("No space left on device")
        books.check(stack)
        send(stack, books, 1)


def test_beyond_its_limits_the_spool_asks_the_sender_to_come_again(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    env = {"INGEST_SPOOL_DIR": str(spool_dir), "INGEST_SPOOL_MAX_FILES": "3"}
    with run_ingestd(env) as stack:
        books = Books()
        with stack.database_down():
            send(stack, books, 3)
            for _ in range(3):
                answer = stack.my_hook().post(new_claims())
                assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
            assert stack.ready_body()["spool"]["files"] == 3
            assert metric(stack.ingestd, 'cti_ingest_groups_total{to="nowhere"}') == 3
        wait_until_replayed(spool_dir)
        assert stack.log() == list(books.statuses)


def test_a_damaged_file_is_set_aside_and_told(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    env = {"INGEST_SPOOL_DIR": str(spool_dir)}
    with run_ingestd(env) as stack:
        books = Books()
        with stack.database_down():
            send(stack, books, 3)
            stack.ingestd.kill()
            damaged = spool_dir / spooled(spool_dir)[1]
            content = bytearray(damaged.read_bytes())
            content[len(content) // 2] ^= 1
            damaged.write_bytes(content)
            stack.start()
        wait_until_replayed(spool_dir)
        first, _, third = books.statuses
        eventually(lambda: stack.log() == [first, third], 20, "the two whole ones")
        assert damaged.with_suffix(".bad").read_bytes() == content
        assert stack.ready_body()["spool"]["damaged_files"] == 1
        stack.ingestd.wait_for_log("spool.unreadable")


# A database that neither answers nor refuses


def test_a_database_that_hangs_is_passed_by(
    run_ingestd: IngestMaker, spool_dir: Path
) -> None:
    with run_ingestd({"INGEST_SPOOL_DIR": str(spool_dir)}) as stack:
        books = Books()
        with stack.database.connect() as holder:
            holder.execute("LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE")
            send(stack, books, 1)
            assert len(spooled(spool_dir)) == 1
            holder.rollback()
        wait_until_replayed(spool_dir)
        books.check(stack)
        # The statement that was given up may have been carried out as well.
        assert json.loads(stack.log()[0])["state"] == "ringing"
        assert len(stack.log()) <= 2
