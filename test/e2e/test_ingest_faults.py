"""Whatever happens to ingestd or its database, a 200 means stored."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import ports
import psycopg
import pytest
from balancer import Balancer
from cluster import Cluster
from cti import Daemon
from ingest import Books, Ingest, load, metric, new_claims, post
from ingest_fixtures import IngestMaker
from test_ingest_spool import crash, seconds
from web import eventually

EXIT_CONFIG = 78
DIALPAD_WAITS_S = 5
OLD_KEY = "the master key that was in use before"
OLD_SECRET = "the bare secret, with a comma, before"


# The database


def test_a_database_that_goes_away_under_load_is_never_acknowledged_for(
    run_ingestd: IngestMaker,
) -> None:
    with run_ingestd({}) as stack:
        server = stack.database.cluster
        server.wanted_port = server.port  # ingestd knows it under this one
        with load(stack.my_hook(), 200, rate=60) as books:
            eventually(lambda: books.acknowledged, 20, "some before")
            crash(server)
            eventually(lambda: 503 in books.seen(), 20, "some while it is away")
            server.start(dies_with_us=True)
        assert books.seen() == {200, 503}
        books.check(stack)
        assert post(stack.my_hook(), new_claims(), books) == 200


@contextlib.contextmanager
def backends_terminated_in_a_loop(stack: Ingest) -> Iterator[list[int]]:
    """Every 50 ms while the body runs; the list gets how many each time."""
    ended: list[int] = []
    enough = threading.Event()

    def terminate() -> None:
        with psycopg.connect(stack.database.superuser_url(), autocommit=True) as conn:
            while not enough.wait(0.05):
                rows = conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'cti_ingest' AND datname = current_database()"
                ).fetchall()
                ended.append(len(rows))

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        yield ended
    finally:
        enough.set()
        thread.join()


def test_connections_that_are_cut_again_and_again_lose_nothing(
    run_ingestd: IngestMaker,
) -> None:
    with run_ingestd({}) as stack:
        with backends_terminated_in_a_loop(stack) as ended:
            with load(stack.my_hook(), 250, rate=80) as books:
                pass
        assert sum(ended) > 10
        assert books.seen() <= {200, 503}
        assert len(books.acknowledged) > 25
        books.check(stack)


@contextlib.contextmanager
def a_standby_that_never_answers(server: Cluster) -> Iterator[None]:
    """Commits wait for a standby that does not exist."""

    def set_names(names: str) -> None:
        server.psql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        server.psql("SELECT pg_reload_conf()")
        shown = "SHOW synchronous_standby_names"
        eventually(lambda: server.psql(shown) == names, 20, "the new setting")

    set_names("nobody")
    try:
        yield
    finally:
        set_names("")


def test_what_no_standby_has_confirmed_is_not_acknowledged(
    cluster: Cluster, run_ingestd: IngestMaker
) -> None:
    with run_ingestd({}) as stack:
        with a_standby_that_never_answers(cluster):
            books = Books()
            with ThreadPoolExecutor(8) as pool:
                took = list(pool.map(
                    lambda _: seconds(lambda: post(stack.my_hook(), new_claims(), books)), range(8)))
            assert min(took) < DIALPAD_WAITS_S, "a busy machine may be late with some"
            assert books.seen() == {503}
            # Nobody cancelled the commits: that would have looked like a success.
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            assert int(cluster.psql(waiting)) >= 1
        eventually(lambda: post(stack.my_hook(), new_claims(), books) == 200, 10, "200")
        books.check(stack)


@contextlib.contextmanager
def way_that_swallows_notifications(url: str) -> Iterator[str]:
    """Another URL of a database, by which it answers everything but NOTIFY."""
    there = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", ports.any_free()))

    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError), source, target:
            while chunk := source.recv(65536):
                if b"NOTIFY" not in chunk:
                    target.sendall(chunk)
            target.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((there.hostname, there.port))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port = listener.getsockname()[1]
    with listener:
        yield there._replace(netloc=there.netloc.replace(f":{there.port}", f":{port}")).geturl()
        listener.shutdown(socket.SHUT_RDWR)


def test_a_notification_without_an_answer_holds_up_no_event(run_ingestd: IngestMaker) -> None:
    with run_ingestd({}, start=False) as stack:
        url = stack.database.url("cti_ingest")
        with way_that_swallows_notifications(url) as longer_way:
            stack.ingestd.set_env({"DATABASE_URL": longer_way})
            stack.start()
            books = Books()
            for _ in range(2):  # the second one waits for the first one's notification
                assert post(stack.my_hook(), new_claims(), books) == 200
            books.check(stack)


def test_a_start_without_a_database_is_a_start(run_ingestd: IngestMaker) -> None:
    with run_ingestd({}, start=False) as stack:
        books = Books()
        with stack.database_down():
            stack.start()
            ready = stack.ready_body()
            assert ready["status"] == "ready" and ready["database"] != "ok"
            assert post(stack.my_hook(), new_claims(), books) == 503
            assert stack.my_hook().post_body(b"forged").status == 401
        eventually(lambda: post(stack.my_hook(), new_claims(), books) == 200, 20, "200")
        books.check(stack)


# Files


@pytest.fixture
def few_files() -> Iterator[int]:
    """What is started meanwhile begins with few open files; how many it may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_asks_for_as_many_open_files_as_it_may(
    few_files: int, run_ingestd: IngestMaker
) -> None:
    with run_ingestd({}) as stack:
        limits = Path(f"/proc/{stack.ingestd.pid}/limits").read_text()
    [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert line.split()[3] == str(few_files)


# Secrets


def test_during_a_rotation_both_secrets_are_good_and_counted_apart(
    run_ingestd: IngestMaker,
) -> None:
    env = {
        "WEBHOOK_MASTER_KEY_PREVIOUS": OLD_KEY,
        "DIALPAD_WEBHOOK_SECRET_PREVIOUS": OLD_SECRET,
    }
    with run_ingestd(env) as stack:
        now, before = stack.my_hook(), stack.my_hook(master_key=OLD_KEY)
        bare_now, bare_before = stack.bare_hook, stack.bare_hook_with(OLD_SECRET)
        for hook, times in ((now, 1), (before, 2), (bare_now, 3), (bare_before, 4)):
            for _ in range(times):
                assert hook.post(new_claims()).status == 200
        for which, times in (("hook_current", 1), ("hook_previous", 2),
                             ("bare_current", 3), ("bare_previous", 4)):
            line = f'cti_ingest_verified_total{{secret="{which}"}}'
            assert metric(stack.ingestd, line) == times
        assert stack.my_hook(master_key="x" * 40).post(new_claims()).status == 401


def test_after_a_rotation_the_old_secret_is_no_good(run_ingestd: IngestMaker) -> None:
    with run_ingestd({}) as stack:
        assert stack.my_hook(master_key=OLD_KEY).post(new_claims()).status == 401
        assert stack.bare_hook_with(OLD_SECRET).post(new_claims()).status == 401
        bad = 'cti_ingest_webhooks_total{result="bad_signature"}'
        assert metric(stack.ingestd, bad) == 2


@pytest.mark.parametrize("name", [
    "WEBHOOK_MASTER_KEY", "WEBHOOK_MASTER_KEY_PREVIOUS", "DIALPAD_WEBHOOK_SECRET",
    "DIALPAD_WEBHOOK_SECRET_PREVIOUS",
])
def test_a_secret_that_is_set_but_empty_is_a_fault(
    run_ingestd: IngestMaker, name: str
) -> None:
    with run_ingestd({name: " "}, start=False) as stack:
        stack.ingestd.start()
        assert stack.ingestd.wait() == EXIT_CONFIG
        assert stack.ingestd.log_contains(name)


# Restarts


def restart(daemon: Daemon) -> None:
    assert daemon.stop() == 0
    daemon.start()
    daemon.wait_ready()


@pytest.mark.parametrize("reuse", [False, True])
def test_a_rolling_restart_of_two_refuses_and_loses_nothing(
    run_ingestd: IngestMaker, reuse: bool
) -> None:
    """Each sender comes several times within the grace period, and so learns that it is over."""
    env = {"DRAIN_GRACE_MS": "1500"}
    with run_ingestd(env, env) as stack, Balancer(stack.instances) as balancer:
        hook = stack.my_hook_at(balancer.url)
        with load(hook, 350, rate=50, senders=6, reuse=reuse) as books:
            for daemon in stack.instances:
                restart(daemon)
                balancer.wait_until_both_serve()
        assert books.seen() == {200}
        books.check(stack)
        assert len(stack.log()) == 350
        connections = sum(balancer.served.values())
        assert connections < 50 if reuse else connections == 350
        assert min(balancer.served.values()) > 2
