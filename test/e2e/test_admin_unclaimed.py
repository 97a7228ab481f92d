"""Events of nobody: shown, given away by hand or by a rule."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from admin import admin, audit
from cti import App, Stack
from tasks import finished
from test_claims import NIL, OFFICE, ORG, TARGET, calls_of, check_copies, has_calls, ringing, send
from web import eventually


@pytest.fixture
def stack(run_stack) -> Iterator[Stack]:
    with run_stack({"workerd": {"WORKER_POLL_MS": "300"}}) as running:
        yield running


def unclaimed(stack: Stack, count: int) -> list[dict]:
    """As soon as there are so many, and workerd has judged the first of them once more: it takes them
    back for a moment when it first sees them beside these claims."""

    def look() -> list | None:
        if not stack.sql("SELECT 1 FROM jobs WHERE kind = 'unclaimed' AND finished_at IS NOT NULL"):
            return None
        found = stack.admin("GET", "/events/unclaimed")["events"]
        return found if len(found) == count else None

    return eventually(look, 20, f"{count} unclaimed events") if count else look() or []


def assign(stack: Stack, app: App, **what) -> dict:
    answer = admin(stack, "POST", "/events/unclaimed/assign", {"app_id": app.app_id, **what})
    assert answer.status in (200, 202), answer.body
    if answer.status == 200:
        return answer.json()
    return finished(stack, "/events/unclaimed/assign", "assignments", answer.json()["id"])


def two_apps(stack: Stack) -> tuple[App, App]:
    apps = stack.create_app("one"), stack.create_app("another")
    for app in apps:
        stack.admin("PATCH", f"/apps/{app.app_id}", {"accepts_bare": True})
    return apps


def test_what_nobody_got_is_shown_with_what_a_rule_can_go_by(stack: Stack) -> None:
    two_apps(stack)
    send(stack, ringing(1, organization_id=ORG, target={"id": TARGET, "office_id": OFFICE}))
    unclaimed(stack, 1)
    send(stack, ringing(2))
    bare, named = unclaimed(stack, 2)
    assert (named["dialpad_id"], named["organization_id"], named["office_id"], named["target_id"]) \
        == (1, ORG, OFFICE, TARGET)
    assert named["verdict"] == "unclaimed" and named["error"].startswith(f"Unknown app: {ORG} (")
    assert (bare["dialpad_id"], bare["organization_id"], bare["office_id"], bare["target_id"]) \
        == (2, None, None, None)
    page = stack.admin("GET", "/events/unclaimed?limit=1")
    assert [e["dialpad_id"] for e in page["events"]] == [2]
    page = stack.admin("GET", f"/events/unclaimed?limit=1&cursor={page['next_cursor']}")
    assert [e["dialpad_id"] for e in page["events"]] == [1] and not page["has_more"]
    shown = stack.admin("GET", f"/events/unclaimed/{named['event_id']}")
    assert shown["payload"]["organization_id"] == ORG
    missing = "/events/unclaimed/11111111-1111-1111-1111-111111111111"
    assert admin(stack, "GET", missing).status == 404


def test_events_are_given_to_an_app_by_an_admins_word(stack: Stack) -> None:
    one, another = two_apps(stack)
    stack.admin("PATCH", f"/apps/{another.app_id}", {"accepts_bare": False})
    stack.sql("INSERT INTO dialpad_connections (app_id, environment, dialpad_org_id)"
              " VALUES (%s, 'sandbox', 1)", one.app_id)
    stack.admin("PATCH", f"/apps/{one.app_id}", {"accepts_bare": False})
    send(stack, ringing(1), ringing(2), ringing(3))
    events = {e["dialpad_id"]: e["event_id"] for e in unclaimed(stack, 3)}
    task = assign(stack, another, ids=[events[1], events[3]])
    assert (task["state"], task["app_id"]) == ("done", another.app_id)
    assert task["result"] == {"assigned": 2, "not_unclaimed": 0}
    has_calls(stack, another, [1, 3])
    assert [e["dialpad_id"] for e in unclaimed(stack, 1)] == [2]
    check_copies(stack)
    assert calls_of(stack, one) == []
    copy = stack.admin("GET", f"/apps/{another.app_id}/events?dialpad_id=1")["events"][0]
    assert (copy["source"], copy["origin_event_id"]) == ("assigned", events[1])
    assert audit(stack, another.app_id)[0] == ("admin", "events.assigned", task["id"])
    # Once given, it is not given again.
    again = assign(stack, one, ids=[events[1]])
    assert again["result"] == {"assigned": 0, "not_unclaimed": 1}
    stack.wait_until_done()
    assert calls_of(stack, one) == []
    check_copies(stack)


@pytest.mark.parametrize(("field", "dialpad_id"), [("target_id", TARGET), ("office_id", OFFICE)])
def test_a_rule_gives_what_was_unclaimed_and_what_comes(
    stack: Stack, field: str, dialpad_id: int
) -> None:
    one, another = two_apps(stack)
    target = {"id": TARGET, "office_id": OFFICE}
    send(stack, ringing(1, target=target), ringing(2))
    unclaimed(stack, 2)
    kind = field.removesuffix("_id")
    rule = {"kind": kind, "dialpad_id": dialpad_id, "app_id": another.app_id}
    assert assign(stack, another, **{field: dialpad_id}) == rule
    has_calls(stack, another, [1])
    send(stack, ringing(3, target=target))
    has_calls(stack, another, [1, 3])
    assert [e["dialpad_id"] for e in unclaimed(stack, 1)] == [2]

    # The same id names one app: the last word counts.
    assign(stack, one, **{field: dialpad_id})
    [shown] = stack.admin("GET", "/events/rules")["rules"]
    assert (shown["app_id"], shown["created_by"]) == (one.app_id, "admin")
    send(stack, ringing(4, target=target))
    has_calls(stack, one, [4])
    assert audit(stack, another.app_id)[0][1] == "rule.set"

    removed = stack.admin("DELETE", f"/events/rules/{kind}/{dialpad_id}")
    assert removed == rule | {"app_id": one.app_id, "removed": True}
    assert stack.admin("GET", "/events/rules") == {"rules": []}
    assert audit(stack, one.app_id)[0][1] == "rule.removed"
    assert admin(stack, "DELETE", f"/events/rules/{kind}/{dialpad_id}").status == 404
    send(stack, ringing(5, target=target))
    unclaimed(stack, 2)


def test_a_rule_for_an_app_that_takes_no_such_events_is_refused(stack: Stack) -> None:
    app = stack.create_app("the only one")
    wish = {"app_id": app.app_id, "target_id": TARGET}
    assert admin(stack, "POST", "/events/unclaimed/assign", wish).status == 200
    stack.create_app("a second")
    refused = admin(stack, "POST", "/events/unclaimed/assign", wish)
    assert refused.status == 409 and "accepts_bare" in refused.json()["detail"]
    stack.admin("PATCH", f"/apps/{app.app_id}", {"accepts_bare": True})
    assert admin(stack, "POST", "/events/unclaimed/assign", wish).status == 200


def test_a_deleted_app_gets_nothing_that_was_meant_for_it(stack: Stack) -> None:
    app = two_apps(stack)[0]
    send(stack, ringing(1))
    [event] = unclaimed(stack, 1)
    stack.workerd.stop()
    wish = {"app_id": app.app_id, "ids": [event["event_id"]]}
    assert admin(stack, "POST", "/events/unclaimed/assign", wish).status == 202
    assert admin(stack, "DELETE", f"/apps/{app.app_id}?confirm=one").status == 200
    stack.workerd.start()
    eventually(lambda: stack.workerd.log_contains("the app was deleted"), 10, "a refusal")
    assert stack.sql("SELECT 1 FROM event_log WHERE app_id = %s", app.app_id) == []


def test_a_wish_that_is_not_clear_is_refused(stack: Stack) -> None:
    app = stack.create_app("a").app_id
    some = "11111111-1111-1111-1111-111111111111"
    for wish, named in [
        ({}, "app_id"), ({"app_id": "x", "target_id": 1}, "app_id"), ({"app_id": app}, "ids"),
        ({"app_id": app, "ids": [some], "target_id": 1}, "one of"),
        ({"app_id": app, "office_id": 1, "target_id": 1}, "one of"),
        ({"app_id": app, "target_id": 0}, "target_id"), ({"app_id": app, "ids": []}, "ids"),
        ({"app_id": app, "office": 1}, "office"),
    ]:
        answer = admin(stack, "POST", "/events/unclaimed/assign", wish)
        assert answer.status == 400 and named in answer.json()["detail"], wish
    for wish in ({"app_id": some, "target_id": 1}, {"app_id": some, "ids": [some]},
                 {"app_id": NIL, "ids": [some]}):
        assert admin(stack, "POST", "/events/unclaimed/assign", wish).status == 404
    for path in ("target/x", "person/1", "target/-1"):
        assert admin(stack, "DELETE", f"/events/rules/{path}").status == 404
    assert stack.admin("GET", "/events/unclaimed/assign") == {"assignments": []}
