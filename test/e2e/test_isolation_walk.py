"""Every route and every statement of apid, asked by the wrong tenant."""

from __future__ import annotations

import itertools
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cti import BIN, Stack
from statements import StatementLog
from test_isolation import ALL_TRIED
from web import Answer, eventually, request

from test.conftest import ROOT
from test.sim.catalogue import events_by_time, perform

LISTS = {"calls": "call_id", "messages": "message_id", "voicemails": "call_id"}
SCENARIOS = ["voicemail", "text_delivered", "ongoing"]
# One query for each form that a list has (enum list_form); {} is a number of the first record.
QUERIES = {
    "calls": ("", "started_after=0", "number={}", "started_after=0&number={}", "updated_after=0"),
    "messages": ("", "sent_after=0", "number={}", "sent_after=0&number={}", "updated_after=0"),
    "voicemails": ("", "number={}", "created_after=0"),
}
TENANT_TABLE = re.compile(
    r"FROM \(?(?:SELECT \* FROM )?(calls|messages|voicemails|event_log|change_feed|tenant_heads)\b")


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    caller: str

    def with_id(self, one: str) -> str:
        return re.sub(r"\{\w+\}", one, self.path).replace("**", "x")


def routes() -> list[Route]:
    told = subprocess.run([BIN / "apid", "--routes"], capture_output=True, text=True, check=True)
    return [Route(*line.split()) for line in told.stdout.splitlines()]


class Tenants:
    """One app with something in every list, another with nothing, and what the first must keep."""

    def __init__(self, stack: Stack, log: StatementLog):
        self.stack, self.log = stack, log
        self.full, self.other = stack.create_app("full"), stack.create_app("other")
        self.place = self.full.get_json("/api/events")["next_cursor"]
        plays = perform(SCENARIOS, 3, seed=7, now_ms=time.time_ns() // 1_000_000)
        self.full.hook.deliver(events_by_time(plays))
        eventually(lambda: stack.sql(ALL_TRIED, self.full.app_id), 10, "a verdict on each event")
        self.records = {name: self.full.get_json(f"/api/{name}")[name] for name in LISTS}
        assert all(self.records.values())

    @property
    def ids(self) -> list[str]:
        """Ours and Dialpad's, of a record of each kind, and of the app."""
        ids = [self.full.app_id]
        for name, records in self.records.items():
            ids += [records[0]["id"], str(records[0][LISTS[name]])]
        return ids

    @property
    def secrets(self) -> list[str]:
        """What stands in no answer to anybody else, whatever was asked for."""
        found = []
        for records in self.records.values():
            for record in records:
                found += [record["id"], record["from"], record["to"], record.get("text")]
        return [text for text in found if text]

    def ask(self, route: Route, path: str, key: str) -> Answer:
        headers = {"x-app-api-key": key, "Content-Type": "application/json"}
        body = b"{}" if route.method in ("POST", "PATCH", "PUT") else None
        return request(route.method, self.stack.apid.url + path, body, headers)


@pytest.fixture(scope="module")
def tenants(run_stack) -> Iterator[Tenants]:
    with run_stack() as stack:
        stack.apid.stop()
        log = StatementLog(stack.database)
        stack.start()
        yield Tenants(stack, log)


@pytest.mark.parametrize("route", routes(), ids=lambda r: f"{r.method} {r.path}")
def test_no_route_shows_another_tenant_anything(tenants: Tenants, route: Route) -> None:
    for one in tenants.ids:
        answer = tenants.ask(route, route.with_id(one), tenants.other.api_key)
        if route.caller == "admin":
            assert answer.status == 401
        elif route.caller == "app" and "{" in route.path:
            assert answer.status == 404
        text = answer.body.decode()
        assert not [secret for secret in tenants.secrets if secret in text]
        if "{" not in route.path:
            break


@pytest.mark.parametrize("route", [r for r in routes() if r.caller in ("app", "admin")],
                         ids=lambda r: f"{r.method} {r.path}")
def test_no_route_of_an_app_or_an_admin_is_open(tenants: Tenants, route: Route) -> None:
    for key in ("", "x", "cti_test_000000000000_" + "A" * 43):
        assert tenants.ask(route, route.with_id(tenants.ids[1]), key).status == 401


def walk_own(tenants: Tenants) -> None:
    """Each statement of the client API at least once, for the tenant that has something."""
    app = tenants.full
    for name, queries in QUERIES.items():
        record = tenants.records[name][0]
        for query, order in itertools.product(queries, ("asc", "desc")):
            app.get_json(f"/api/{name}?order={order}&{query.format(record['from'])}")
        for one in (record["id"], record[LISTS[name]]):
            app.get_json(f"/api/{name}/{one}")
    for order in ("asc", "desc"):
        app.get_json(f"/api/calls/active?order={order}")
    app.get_json("/api/connection")
    assert app.get_json(f"/api/events?after={tenants.place}")["events"]


def client_statements() -> set[str]:
    """The names of the statements under /api that read tables of tenants."""
    names = set()
    for path in (*(ROOT / "apid" / "client").glob("*_db.c"), ROOT / "apid" / "live" / "feed.c"):
        text = path.read_text()
        for name in re.findall(r'LIST_STATEMENTS\(\s*"(\w+)"', text):
            names |= {f"{name}_desc", f"{name}_asc", f"{name}_count"}
        for name in re.findall(r'db_stmt \w+ = \{\s*\.name = "(\w+)"', text):
            names.add(name)
    # Control tables.
    return names - {"connection_bond", "connection_hook", "feed_head", "feed_heads"}


def is_empty(rows: list[tuple]) -> bool:
    """No rows; or the one row of an aggregate, of nothing."""
    return all(value in (None, 0) for row in rows for value in row)


def test_no_statement_shows_rows_to_a_transaction_of_another_tenant(tenants: Tenants) -> None:
    walk_own(tenants)
    own = [s for s in tenants.log.all() if s.name in client_statements()]
    assert {s.name for s in own} == client_statements(), "each was run"
    found_something: set[str] = set()
    with tenants.stack.database.connect("cti_api", autocommit=True) as conn:
        for statement in own:
            assert is_empty(statement.run(conn, tenants.other.app_id)), statement
            assert is_empty(conn.execute(statement.sql).fetchall()), "without a tenant"
            if not is_empty(statement.run(conn, tenants.full.app_id)):
                found_something.add(statement.name)
    assert found_something == client_statements(), "else this test would prove nothing"


def test_every_statement_of_the_client_api_names_the_tenant(tenants: Tenants) -> None:
    walk_own(tenants)
    for statement in tenants.log.all():
        if TENANT_TABLE.search(statement.sql):
            assert f"app_id = '{tenants.full.app_id}'" in statement.sql or \
                f"app_id = '{tenants.other.app_id}'" in statement.sql, statement
