"""What admins change: an app's settings, its end, who they are, and where they come in."""

from __future__ import annotations

import secrets
import time

import ports
import pytest
from admin import admin, audit
from cti import App, Stack
from provisioned import run_job
from web import request

from test.sim.catalogue import events_by_time, perform

# Rows that outlive an app, so that its id and its keys are never used again, and the audit.
KEPT = {"apps", "api_keys", "admin_audit", "live_tokens"}


# Changing


def test_an_app_is_changed_field_by_field(stack: Stack, app: App):
    path = f"/apps/{app.app_id}"
    before = admin(stack, "GET", path).json()
    changes = {
        "name": "Renamed ☎", "is_active": False, "accepts_bare": True,
        "allowed_return_urls": ["https://a.example/done"], "allowed_origins": ["https://a.example"],
    }
    for field, value in changes.items():
        answer = admin(stack, "PATCH", path, {field: value})
        assert answer.status == 200
        after = answer.json()
        changed = {name for name in after if after[name] != before[name]} - {"updated_at"}
        assert changed == {field} and after[field] == value
        assert after["updated_at"] > before["updated_at"]
        before = after
    assert admin(stack, "GET", path).json() == before


def test_the_audit_says_what_was_changed_to_what(stack: Stack, app: App):
    admin(stack, "PATCH", f"/apps/{app.app_id}", {"is_active": False, "name": 'Q"\n'[:2]})
    [line] = admin(stack, "GET", f"/apps/{app.app_id}/audit?limit=1").json()["audit"]
    assert line["action"] == "app.changed" and line["actor"] == "admin"
    assert line["detail"] == {"is_active": False, "name": 'Q"'}
    assert line["request_id"] and line["at"].endswith("Z")


@pytest.mark.parametrize(("body", "named"), [
    ({}, "nothing to change"), ({"name": None}, "nothing to change"), ({"name": ""}, "name"),
    ({"is_active": "yes"}, "is_active"), ({"is_active": 1}, "is_active"),
    ({"accepts_bare": []}, "accepts_bare"), ({"app_id": "x"}, "app_id"),
    ({"allowed_origins": ["*"]}, "allowed_origins"),
    ({"allowed_origins": ["https://a.example/"]}, "allowed_origins"),
    ({"allowed_origins": ["HTTPS://a.example"]}, "allowed_origins"),
    ({"allowed_origins": ["https://a.example"] * 21}, "allowed_origins"),
    ({"allowed_return_urls": ["x"]}, "allowed_return_urls"),
])
def test_a_change_that_makes_no_sense_is_refused_by_name(
    stack: Stack, app: App, body: dict, named: str
):
    path = f"/apps/{app.app_id}"
    before = admin(stack, "GET", path).json()
    answer = admin(stack, "PATCH", path, body)
    assert answer.status == 400 and named in answer.json()["detail"]
    assert admin(stack, "GET", path).json() == before


def test_of_an_unknown_app_nothing_can_be_changed(stack: Stack):
    for app_id in ("x", "11111111-1111-1111-1111-111111111111",
                   "00000000-0000-0000-0000-000000000000"):
        path = f"/apps/{app_id}"
        assert admin(stack, "PATCH", path, {"name": "a"}).status == 404
        assert admin(stack, "DELETE", f"{path}?confirm=unclaimed").status == 404
        assert admin(stack, "GET", f"{path}/api-keys").status == 404
        assert admin(stack, "GET", f"{path}/audit").status == 404


# Deleting


def holding(stack: Stack, app_id: str) -> set[str]:
    """The tables that have a row of this app."""
    tables = stack.sql(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'app_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition")
    return {name for (name,) in tables
            if stack.sql(f"SELECT 1 FROM {name} WHERE app_id = %s LIMIT 1", app_id)}


def filled(stack: Stack, name: str) -> App:
    app = stack.create_app(name)
    plays = perform(["voicemail", "text_delivered", "ongoing"], 3, seed=app.app_id,
                    now_ms=time.time_ns() // 1_000_000)
    app.hook.deliver(events_by_time(plays))
    assert app.hook.post_body(app.hook.sign_bytes(b"[]").encode()).status == 200
    return app


def test_an_app_is_deleted_with_all_its_data_and_nobody_elses(own_stack: Stack):
    stack = own_stack
    gone, other = filled(stack, "gone"), filled(stack, "other")
    stack.wait_until_done()
    kept = holding(stack, other.app_id)
    assert {"calls", "messages", "voicemails", "event_log", "change_feed"} <= kept
    path = f"/apps/{gone.app_id}"
    for confirm in ("", "?confirm=", "?confirm=Gone", "?confirm=gone%20x"):
        answer = admin(stack, "DELETE", path + confirm)
        assert answer.status == 400 and "confirm" in answer.json()["detail"]
    assert gone.get("/api/calls").status == 200

    answer = admin(stack, "DELETE", path + "?confirm=gone")
    assert answer.status == 200
    assert answer.json() == {"app_id": gone.app_id, "name": "gone", "deleted": True,
                             "dialpad": None}
    assert gone.get("/api/calls").status == 401
    assert admin(stack, "GET", path).status == 404
    assert admin(stack, "DELETE", path + "?confirm=gone").status == 404
    assert gone.app_id not in {a["app_id"] for a in admin(stack, "GET", "/apps").json()["apps"]}
    assert audit(stack, gone.app_id)[0] == ("admin", "app.deleted", "gone")

    run_job(stack, "deleted")
    assert holding(stack, gone.app_id) <= KEPT
    assert holding(stack, other.app_id) == kept
    assert other.get_json("/api/calls/active")["total"] == 1


def test_what_still_comes_for_a_deleted_app_goes_as_well(own_stack: Stack):
    stack = own_stack
    app = filled(stack, "gone")
    stack.wait_until_done()
    admin(stack, "DELETE", f"/apps/{app.app_id}?confirm=gone")
    run_job(stack, "deleted")
    assert app.hook.post({"call_id": 1, "state": "hangup"}).status == 200
    run_job(stack, "deleted")
    assert "event_log" in holding(stack, app.app_id)  # its id may be about to appear
    stack.sql("UPDATE event_queue SET received_at = now() - interval '6 minutes'")
    run_job(stack, "heads")
    run_job(stack, "deleted")
    assert holding(stack, app.app_id) <= KEPT


# The audit


def test_the_audit_is_read_page_by_page(stack: Stack, app: App):
    path = f"/apps/{app.app_id}"
    for n in range(5):
        admin(stack, "PATCH", path, {"name": f"n{n}"})
    seen, before = [], ""
    while True:
        page = admin(stack, "GET", f"{path}/audit?limit=3{before}").json()
        seen += [line["audit_id"] for line in page["audit"]]
        if not page["has_more"]:
            break
        assert len(page["audit"]) == 3
        before = f"&before={page['next_before']}"
    assert page["next_before"] is None
    assert len(seen) == 7 and seen == sorted(seen, reverse=True)
    assert admin(stack, "GET", f"{path}/audit?limit=0").status == 400
    assert admin(stack, "GET", f"{path}/audit?page=1").status == 400


# Who admins are, and where they come in


def test_each_admin_has_a_secret_and_a_name(run_stack):
    previous, alice, ci = (secrets.token_urlsafe(24) for _ in range(3))
    colon = ci + ":x"
    env = {"INTERNAL_API_SECRET_PREVIOUS": previous,
           "INTERNAL_API_SECRETS": f"alice:{alice} , ci-2:{colon}"}
    with run_stack({"apid": env}) as stack:
        app_id = admin(stack, "POST", "/apps", {"name": "a"}).json()["app_id"]
        for secret in (previous, alice, colon):
            changed = admin(stack, "PATCH", f"/apps/{app_id}", {"name": "b"}, secret=secret)
            assert changed.status == 200
        for wrong in (ci, f"alice:{alice}", "alice"):
            assert admin(stack, "GET", "/apps", secret=wrong).status == 401
        actors = [line[0] for line in audit(stack, app_id)]
        assert actors == ["ci-2", "alice", "admin-previous", "admin"]
        assert not any(stack.apid.log_contains(s) for s in (previous, alice, ci))


def test_admins_can_have_a_port_of_their_own(run_stack):
    port = ports.any_free()
    with run_stack({"apid": {"INTERNAL_PORT": str(port)}}) as stack:
        inside = f"http://127.0.0.1:{port}"
        assert admin(stack, "GET", "/apps").status == 404
        made = admin(stack, "POST", "/apps", {"name": "a"}, url=inside)
        assert made.status == 201
        key = admin(stack, "POST", f"/apps/{made.json()['app_id']}/api-key", {}, url=inside).json()
        header = {"x-app-api-key": key["api_key"]}
        assert request("GET", stack.apid.url + "/api/calls", headers=header).status == 200
        assert request("GET", inside + "/api/calls", headers=header).status == 404
        assert request("GET", inside + "/healthz").status == 200
        assert request("GET", inside + "/internal/apps").status == 401
