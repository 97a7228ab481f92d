"""Events of the bare route among several apps: who gets one, and when that changes later."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from cti import App, Stack
from stack_fixtures import StackMaker
from web import eventually

NIL = "00000000-0000-0000-0000-000000000000"
ORG, OFFICE, TARGET = 5137304475768569, 5527348325810176, 5991398486736896
SOON = 30  # some polls of five seconds


@pytest.fixture
def stack(run_stack: StackMaker) -> Iterator[Stack]:
    """With small batches and chunks, and a quick poll."""
    with run_stack({"workerd": {"WORKER_POLL_MS": "300", "WORKER_BATCH": "10"}}) as running:
        yield running


def two_apps(stack: Stack) -> tuple[App, App]:
    """Both may take events of the bare route."""
    apps = stack.create_app("one"), stack.create_app("another")
    stack.sql("UPDATE apps SET accepts_bare = true WHERE app_id <> %s", NIL)
    return apps


def connect(stack: Stack, app: App, org: int | None = None, offices: list[int] = []) -> None:
    stack.sql(
        "INSERT INTO dialpad_connections (app_id, environment, dialpad_org_id, office_ids)"
        " VALUES (%s, 'sandbox', %s, %s)",
        app.app_id, org, offices,
    )


def add_rule(stack: Stack, kind: str, dialpad_id: int, app: App) -> None:
    stack.sql(
        "INSERT INTO claim_rules (kind, dialpad_id, app_id) VALUES (%s, %s, %s)",
        kind, dialpad_id, app.app_id,
    )


def ringing(call_id: int, **claims) -> dict:
    return {"call_id": call_id, "state": "ringing", "event_timestamp": 1_700_000_000_000, **claims}


def send(stack: Stack, *events: dict) -> None:
    for event in events:
        assert stack.bare_hook.post(event).status == 200


def settle(stack: Stack, events: int) -> dict[str, str | None]:
    """Once so many are judged: what was said of each call."""

    def judged() -> list:
        rows = stack.sql(
            "SELECT dialpad_event_id, verdict, last_error FROM webhook_events"
            " WHERE app_id = %s AND verdict IN ('assigned', 'unclaimed')", NIL,
        )
        return rows if len(rows) == events else []

    return {row[0]: row[2] or row[1] for row in eventually(judged, SOON, f"{events} judged")}


def calls_of(stack: Stack, app: App) -> list[int]:
    rows = stack.sql("SELECT call_id FROM calls WHERE app_id = %s ORDER BY 1", app.app_id)
    return [call_id for (call_id,) in rows]


def has_calls(stack: Stack, app: App, calls: list[int]) -> None:
    eventually(lambda: calls_of(stack, app) == calls, SOON, f"calls {calls}")


def check_copies(stack: Stack) -> None:
    """Each event that was given away has one copy, in one log."""
    assigned = stack.sql(
        "SELECT event_id FROM event_outcomes WHERE app_id = %s AND verdict = 'assigned'", NIL
    )
    copies = stack.sql("SELECT origin_event_id FROM event_log WHERE source = 'assigned'")
    assert sorted(copies) == sorted(assigned)


def test_a_payload_decides_between_apps(stack: Stack) -> None:
    one, another = two_apps(stack)
    connect(stack, one, org=ORG)
    connect(stack, another, offices=[1, OFFICE])
    add_rule(stack, "target", TARGET, one)
    add_rule(stack, "office", 62, another)
    send(
        stack,
        ringing(1, organization_id=ORG),
        ringing(2, company={"id": str(ORG)}),
        ringing(3, target={"id": 7, "type": "user", "office_id": OFFICE}),
        {"id": 4, "from_number": "+1", "target": {"id": OFFICE, "type": "office"}},
        ringing(5, target={"id": TARGET, "type": "user", "office_id": OFFICE}),
        ringing(6, org_id=ORG, target={"id": 7, "type": "user", "office_id": 62}),
        ringing(7),
        ringing(8, org_id=99),
    )
    said = settle(stack, 8)
    has_calls(stack, one, [1, 2, 5])
    has_calls(stack, another, [3, 6])
    another.wait_for("/api/messages/4")
    assert said["7"].startswith("Unknown app: several apps")
    assert said["8"].startswith("Unknown app: 99 (several apps")
    assert {said[n] for n in "123456"} == {"assigned"}
    check_copies(stack)


def test_the_only_eligible_app_gets_what_names_another_organisation(stack: Stack) -> None:
    app = stack.create_app("alone")
    connect(stack, app, org=ORG)
    send(stack, ringing(1, organization_id=99))
    has_calls(stack, app, [1])


def test_a_rule_keeps_an_event_from_all_apps_but_its_own(stack: Stack) -> None:
    eligible, other = stack.create_app("eligible"), stack.create_app("not eligible")
    stack.sql("UPDATE apps SET accepts_bare = true WHERE app_id = %s", eligible.app_id)
    add_rule(stack, "office", OFFICE, other)
    send(stack, ringing(1, target={"id": 7, "office_id": OFFICE}), ringing(2))
    said = settle(stack, 2)
    assert said["1"].startswith("Unknown app: the rule")
    has_calls(stack, eligible, [2])
    assert calls_of(stack, other) == []


def no_apps(stack: Stack) -> tuple[App, ...]:
    return ()


def appears_an_app(stack: Stack, _: tuple[App, ...]) -> App:
    return stack.create_app("the first")


def appears_a_connection(stack: Stack, apps: tuple[App, ...]) -> App:
    connect(stack, apps[0], org=1)
    stack.sql("UPDATE dialpad_connections SET dialpad_org_id = %s", ORG)
    return apps[0]


def appears_a_rule(stack: Stack, apps: tuple[App, ...]) -> App:
    add_rule(stack, "target", TARGET, apps[1])
    return apps[1]


# Two apps are there before the events: of two that come later, the first is for a moment the only one.
@pytest.mark.parametrize(
    ("before", "appears", "reason"),
    [
        (no_apps, appears_an_app, "no app may take events"),
        (two_apps, appears_a_connection, "several apps may take events"),
        (two_apps, appears_a_rule, "several apps may take events"),
    ],
)
def test_an_unclaimed_event_is_tried_again(
    stack: Stack,
    before: Callable[[Stack], tuple[App, ...]],
    appears: Callable[[Stack, tuple[App, ...]], App],
    reason: str,
) -> None:
    """More of them than fit into one chunk."""
    apps = before(stack)
    events = [ringing(n, org_id=ORG, target={"id": TARGET}) for n in range(1, 36)]
    send(stack, *events)
    said = settle(stack, len(events))
    assert said["1"].startswith(f"Unknown app: {ORG} ({reason} of the bare webhook URL")
    app = appears(stack, apps)
    has_calls(stack, app, list(range(1, 36)))
    stack.wait_until_done()
    check_copies(stack)
    assert set(settle(stack, 35).values()) == {"assigned"}
    # That it has come to its end is found out by one more look, which gives out nothing.
    walk = "SELECT finished_at > started_at, run_at FROM jobs WHERE kind = 'unclaimed'"
    eventually(lambda: stack.sql(walk) == [(True, None)], SOON, "the end of the walk")


def test_nothing_is_tried_again_while_nothing_changes(stack: Stack) -> None:
    two_apps(stack)
    send(stack, ringing(1))
    settle(stack, 1)
    look = "SELECT at FROM event_outcomes WHERE verdict = 'unclaimed'"
    # The first event was judged before there was a walk to remember.
    eventually(lambda: stack.sql("SELECT 1 FROM jobs WHERE finished_at IS NOT NULL"), SOON, "a walk")
    settle(stack, 1)

    def is_left_alone() -> bool:
        before = stack.sql(look)
        time.sleep(1.5)
        return len(before) == 1 and stack.sql(look) == before

    # A walk that began while the apps were being made may still come.
    eventually(is_left_alone, SOON, "an end of trying")
    assert stack.sql("SELECT last_seq FROM tenant_heads WHERE app_id = %s", NIL) == [(0,)]


def test_an_event_that_is_given_again_is_not_copied_again(stack: Stack) -> None:
    app = stack.create_app("alone")
    send(stack, ringing(1))
    has_calls(stack, app, [1])
    stack.sql(
        "WITH gone AS (DELETE FROM event_outcomes WHERE app_id = %s RETURNING *)"
        " INSERT INTO event_queue (app_id, event_id, received_at)"
        " SELECT app_id, event_id, received_at FROM gone", NIL,
    )
    stack.workerd.stop()
    stack.start()
    stack.wait_until_done()
    assert settle(stack, 1) == {"1": "assigned"}
    check_copies(stack)


def test_workers_that_are_killed_while_they_give_lose_and_double_nothing(stack: Stack) -> None:
    events = [ringing(n) for n in range(1, 150)]
    send(stack, *events)
    settle(stack, len(events))
    app = stack.create_app("the first")
    for _ in range(5):
        time.sleep(0.25)
        stack.workerd.kill()
        stack.workerd.start()
    stack.start()
    eventually(lambda: len(calls_of(stack, app)) == len(events), 30, "all calls")
    stack.wait_until_done()
    check_copies(stack)
