"""All daemons through the real PgBouncer in transaction mode; LISTEN and jobs connect directly."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import unprivileged
from cti import App, Stack
from hook import payload
from ingest import wait_for_metric
from kept import check_feed
from pgbouncer import PgBouncer
from stack_fixtures import StackMaker
from truth import check_truths
from web import eventually

from test.conftest import Database
from test.sim.catalogue import SCENARIOS, events_by_time, names_of, perform
from test.sim.report import summarise

POOL_SIZE = 2  # fewer sessions than the daemons have connections: they are shared
READS = 60
CALL = payload("call_ringing_inbound_2024")


@pytest.fixture(scope="module")
def pooler(cluster, template) -> Iterator[PgBouncer]:
    with tempfile.TemporaryDirectory(prefix="cti-pooler-", dir="/var/tmp") as name:
        unprivileged.give(Path(name))
        with PgBouncer(cluster, Path(name), POOL_SIZE) as running:
            yield running


@pytest.fixture(scope="module")
def stack(run_stack: StackMaker, pooler: PgBouncer) -> Iterator[Stack]:
    def through_the_pooler(database: Database) -> dict[str, dict[str, str]]:
        env = {}
        for daemon, role in (("ingestd", "cti_ingest"), ("workerd", "cti_worker"),
                             ("apid", "cti_api")):
            direct = database.url(role)
            env[daemon] = {"DATABASE_URL": pooler.before(direct), "DB_PREPARE": "unnamed"}
            if daemon != "ingestd":
                env[daemon]["DATABASE_LISTEN_URL"] = direct
        env["workerd"]["WORKER_POLL_MS"] = "60000"  # too late to be what finds an event
        return env

    with run_stack(through_the_pooler) as running:
        yield running


def test_the_main_job_works(stack: Stack, app: App) -> None:
    now_ms = time.time_ns() // 1_000_000
    plays = perform(names_of("all"), 2 * len(SCENARIOS), seed=app.app_id, now_ms=now_ms)
    parcels = app.hook.deliver(events_by_time(plays), repeat=0.2, shuffled=True)
    assert summarise(parcels).lost == 0
    stack.wait_until_done()
    check_truths(app, [truth for play in plays for truth in play.truths])
    check_feed(stack, app)


def test_notifications_and_jobs_have_sessions_of_their_own(stack: Stack, app: App) -> None:
    eventually(lambda: stack.workerd.ready().json()["listening"], 20, "workerd listens")
    assert app.hook.post(CALL).status == 200
    app.wait_for(f"/api/calls/{CALL['call_id']}")
    wait_for_metric(stack.workerd, "cti_jobs_leader", 1)
    wait_for_metric(stack.workerd, 'cti_job_runs_total{job="partitions",result="ok"}', 1)
    assert not stack.workerd.log_contains("job.failed")
    # The pooler's two, the listener's and the jobs'; of the readiness check there may be none.
    direct = ("SELECT count(*) FROM pg_stat_activity WHERE usename = 'cti_worker'"
              " AND datname = current_database()")
    eventually(lambda: stack.sql(direct)[0][0] <= POOL_SIZE + 2, 20, "no session too many")


def test_tenants_that_share_a_session_see_only_their_own(
    stack: Stack, pooler: PgBouncer
) -> None:
    apps = [stack.create_app(f"neighbour {n}") for n in range(4)]
    for n, app in enumerate(apps):
        assert app.hook.post(CALL | {"call_id": 100 + n}).status == 200
    for n, app in enumerate(apps):
        app.wait_for(f"/api/calls/{100 + n}")

    def look(n: int) -> list[int]:
        return [call["call_id"] for call in apps[n % 4].get_json("/api/calls")["calls"]]

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(look, range(READS)))
    assert seen == [[100 + n % 4] for n in range(READS)]
    # Nothing of a tenant stays behind in the sessions that were shared.
    url = stack.database.url("cti_api")
    for _ in range(2 * POOL_SIZE):
        assert pooler.ask(url, "SELECT count(*) FROM calls") == [(0,)]
        assert pooler.ask(url, "SELECT coalesce(current_setting('cti.app_id', true), '')") == [("",)]


@pytest.mark.parametrize(
    ("role", "statement", "lock"),
    [("cti_ingest", "5s", "3s"), ("cti_worker", "30s", "10s"), ("cti_api", "10s", "3s")],
)
def test_timeouts_that_are_set_for_a_role_are_in_force(
    stack: Stack, pooler: PgBouncer, role: str, statement: str, lock: str
) -> None:
    """A pooler drops the settings of a startup packet, but not those of the role."""
    url = stack.database.url(role)
    assert pooler.ask(url, "SHOW statement_timeout") == [(statement,)]
    assert pooler.ask(url, "SHOW lock_timeout") == [(lock,)]
    assert pooler.ask(url, "SHOW synchronous_commit") == [("on",)]


def test_a_lock_that_is_held_too_long_is_an_answer_not_a_wait(stack: Stack, app: App) -> None:
    with stack.database.connect() as holder:
        holder.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")
        assert app.get("/api/calls").status == 503
    assert app.get("/api/calls").status == 200
