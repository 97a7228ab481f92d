"""Dialpad's webhook and subscriptions look after themselves, whatever happens in between."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cti import App, Daemon, Stack
from login import Browser, query_of
from provisioned import (
    KINDS,
    Company,
    assert_one_of_each,
    check_again,
    connect,
    connected,
    dialpad_with_companies,
    hooks_of,
    subscriptions_of,
    wait_until_provisioned,
    webhook,
)
from web import eventually, request

from test.sim.client import Simulator


@pytest.fixture(scope="module")
def many() -> Iterator[tuple[Simulator, Iterator[Company]]]:
    with dialpad_with_companies(22) as found:
        yield found


@pytest.fixture(scope="module")
def dialpad(many) -> Simulator:
    return many[0]


@pytest.fixture
def company(many) -> Company:
    return next(many[1])


def wait_for_call(app: App, call_id: int) -> dict:
    """Until it is over here."""
    path = f"/api/calls/{call_id}"
    app.wait_for(path)
    eventually(lambda: app.get_json(path)["ended_at"], 10, "its end")
    return app.get_json(path)


def test_connecting_brings_webhook_and_subscriptions_and_calls_come_in(
    linked: Stack, company: Company
):
    app = connect(linked, company, "first")
    shown = wait_until_provisioned(linked, app)
    [hook] = hooks_of(company, app)
    assert hook["hook_url"] == shown["hook_url"] == app.hook.url
    assert hook["signature"]["secret"] == app.hook.secret
    assert str(shown["webhook_id"]) == hook["id"]
    [call] = subscriptions_of(company, app, "call")
    [sms] = subscriptions_of(company, app, "sms")
    assert {"hangup", "recording", "voicemail_uploaded", "recap_summary"} <= set(call["call_states"])
    assert (sms["direction"], sms["status"], sms["include_internal"]) == ("all", True, True)
    assert {one["kind"]: one["id"] for one in shown["subscriptions"]} == {
        "call": int(call["id"]), "sms": int(sms["id"])}

    truths = company.place("missed,text_inbound")
    company.dialpad.wait_until_delivered()
    assert wait_for_call(app, truths[0]["call_id"])["status"] == "missed"
    app.wait_for(f"/api/messages/{truths[1]['message_id']}")
    company.dialpad.assert_description_kept()


def test_a_check_without_a_difference_changes_nothing(linked: Stack, company: Company):
    app = connected(linked, company, "unchanged")
    company.dialpad.forget_requests()
    shown = check_again(linked, app)
    assert shown["drift"] == []
    assert {one["method"] for one in company.dialpad.requests()} == {"GET"}


def test_what_somebody_changed_at_dialpad_is_put_right(linked: Stack, company: Company):
    app = connected(linked, company, "drifted")
    spare = subscriptions_of(company, app, "call")[0]
    company.ask("PATCH", f"/webhooks/{hooks_of(company, app)[0]['id']}",
       {"secret": "somebody-elses-secret"})
    company.ask("PATCH", f"/subscriptions/call/{spare['id']}", {"enabled": False})
    company.ask("DELETE",
       f"/subscriptions/sms/{subscriptions_of(company, app, 'sms')[0]['id']}")
    company.ask("POST", "/subscriptions/call",
       {"endpoint_id": int(hooks_of(company, app)[0]["id"]), "call_states": ["hangup"]})
    shown = check_again(linked, app)
    assert_one_of_each(company, app)
    assert hooks_of(company, app)[0]["signature"]["secret"] == app.hook.secret
    assert subscriptions_of(company, app, "call")[0]["enabled"] is True
    assert len(shown["drift"]) == 4, shown["drift"]
    assert "somebody-elses-secret" not in str(shown)


def test_what_others_have_at_dialpad_is_left_alone(linked: Stack, company: Company):
    app = connected(linked, company, "polite")
    other = company.ask("POST", "/webhooks", {"hook_url": "https://other.example/hook"})
    company.ask("POST", "/subscriptions/sms",
       {"endpoint_id": int(other["id"]), "direction": "inbound"})
    check_again(linked, app)
    assert_one_of_each(company, app)
    there = company.dialpad.company(company.id)
    assert [one["hook_url"] for one in there["webhooks"]].count("https://other.example/hook") == 1
    assert any(one["webhook"]["id"] == other["id"] for one in there["subscriptions"]["sms"])


def test_ten_restarts_in_the_middle_leave_one_of_each(run_stack, dialpad: Simulator, company: Company):
    with run_stack(dialpad=dialpad) as stack:
        stack.workerd.kill()
        app = connect(stack, company, "restless")
        dice = random.Random("restarts")
        for i in range(10):
            stack.admin("POST", f"/apps/{app.app_id}/webhook", {})
            for hook in hooks_of(company, app):  # there is always something to do
                company.ask("PATCH", f"/webhooks/{hook['id']}", {"secret": f"another {i}"})
            for kind in KINDS:
                for one in subscriptions_of(company, app, kind):
                    company.ask("DELETE", f"/subscriptions/{kind}/{one['id']}")
            dialpad.forget_requests()
            dialpad.fault("/api/v2/*", "slow", times=2, seconds=0.15)
            wanted = 1 + dice.randrange(6)
            stack.workerd.start()
            eventually(lambda: len(dialpad.requests()) >= wanted, 30, "some requests")
            stack.workerd.kill() if i % 2 else stack.workerd.stop()
            if i % 5 == 4:
                restart(stack.ingestd, stack.apid)
        dialpad.clear_faults()
        stack.start()
        check_again(stack, app)
        check_again(stack, app)
        assert webhook(stack, app)["drift"] == []
        assert_one_of_each(company, app)
        assert len(stack.sql("SELECT 1 FROM dialpad_webhooks WHERE app_id = %s", app.app_id)) == 1


def restart(*daemons: Daemon) -> None:
    for daemon in daemons:
        daemon.kill()
        daemon.start()
        daemon.wait_ready()


def test_a_lost_answer_makes_no_second_webhook(linked: Stack, company: Company):
    company.dialpad.fault("/api/v2/webhooks", "lost", method="POST")
    app = connect(linked, company, "lost")
    wait_until_provisioned(linked, app)
    assert_one_of_each(company, app)


def test_faults_of_dialpad_are_waited_out_and_shown(linked: Stack, company: Company):
    said = "a" + 100 * "é"  # longer than what is quoted of it
    company.dialpad.fault("/api/v2/subscriptions/sms", status=500, method="POST",
                          body=json.dumps({"error": {"message": said}}, ensure_ascii=False))
    app = connect(linked, company, "faulty")
    eventually(lambda: webhook(linked, app)["state"] == "failing", 10, "a failing webhook")
    assert "sms_subscriptions.create: answered 500: aé" in webhook(linked, app)["last_error"]
    wait_until_provisioned(linked, app, 20)
    assert_one_of_each(company, app)


def test_a_rotated_hook_repoints_the_webhook_and_loses_nothing(linked: Stack, company: Company):
    app = connected(linked, company, "rotating")
    before = hooks_of(company, app)[0]
    answer = linked.admin("POST", f"/apps/{app.app_id}/webhook/rotate", {})
    assert answer["hook"] == 2 and answer["secret"] == linked.hook(app.app_id, 2).secret
    eventually(lambda: hooks_of(company, app)[0]["hook_url"].endswith("/2"), 10, "the new URL")
    shown = wait_until_provisioned(linked, app)
    eventually(lambda: [one["state"] for one in webhook(linked, app)["hooks"]]
               == ["current", "retired"], 10, "a retired hook")
    assert_one_of_each(company, app)
    assert hooks_of(company, app)[0]["id"] == before["id"]
    assert shown["hook"] == 2
    # What was on its way to the old one is still taken.
    truths = company.place("missed")
    company.dialpad.wait_until_delivered()
    wait_for_call(app, truths[0]["call_id"])
    claims = {"call_id": 77, "state": "hangup", "date_started": 1, "date_ended": 2,
              "event_timestamp": 3}
    assert linked.hook(app.app_id, 1).post(claims).status == 200
    wait_for_call(app, 77)
    # After its retirement it is set aside.
    linked.sql("UPDATE dialpad_webhooks SET retired_at = now() - interval '1 second'"
               " WHERE app_id = %s AND hook = 1", app.app_id)
    assert linked.hook(app.app_id, 1).post(claims | {"call_id": 78}).status == 200
    linked.wait_until_done()
    assert linked.sql("SELECT verdict FROM webhook_events WHERE app_id = %s"
                      " AND dialpad_event_id = '78'", app.app_id) == [("retired_hook",)]
    # What came before, and lay in a spool since, is not.
    linked.sql("WITH late AS (INSERT INTO event_log (app_id, event_id, arrived_at, hook, event_type,"
               " dialpad_event_id, payload) VALUES (%s, gen_random_uuid(), now() - interval '1 hour',"
               " 1, 'hangup', '80', %s) RETURNING app_id, event_id)"
               " INSERT INTO event_queue (app_id, event_id) SELECT * FROM late",
               app.app_id, json.dumps(claims | {"call_id": 80}))
    wait_for_call(app, 80)
    audited = linked.admin("GET", f"/apps/{app.app_id}/audit")["audit"]
    assert "webhook.rotated" in [line["action"] for line in audited]


def test_a_new_master_key_means_a_new_hook(run_stack, dialpad: Simulator, company: Company):
    with run_stack(dialpad=dialpad) as stack:
        app = connected(stack, company, "rekeyed")
        old, stack.master_key = stack.master_key, "another-master-key-of-32-bytes-or-more"
        for daemon in stack.daemons:
            daemon.stop()
            daemon.set_env({"WEBHOOK_MASTER_KEY": stack.master_key})
        stack.ingestd.set_env({"WEBHOOK_MASTER_KEY_PREVIOUS": old})
        stack.start()
        eventually(lambda: hooks_of(company, app)[0]["hook_url"].endswith("/2"), 20, "hook 2")
        assert hooks_of(company, app)[0]["signature"]["secret"] == stack.hook(app.app_id, 2).secret
        assert_one_of_each(company, app)


def test_other_scopes_mean_new_subscriptions(linked: Stack, company: Company):
    app = connected(linked, company, "scoped")
    before = {kind: subscriptions_of(company, app, kind)[0]["id"] for kind in KINDS}
    linked.sql("UPDATE dialpad_connections SET scopes = scopes || 'ai_recap'::text"
               " WHERE app_id = %s", app.app_id)
    shown = check_again(linked, app)
    assert_one_of_each(company, app)
    for kind in KINDS:
        assert subscriptions_of(company, app, kind)[0]["id"] != before[kind]
    assert len(shown["drift"]) == 3  # two replaced, and the old ones removed


def test_a_disconnect_removes_webhook_and_subscriptions_and_keeps_the_calls(
    linked: Stack, company: Company
):
    app = connected(linked, company, "leaving")
    truths = company.place("missed")
    company.dialpad.wait_until_delivered()
    wait_for_call(app, truths[0]["call_id"])
    left = {kind: subscriptions_of(company, app, kind)[0]["id"] for kind in KINDS}
    answer = linked.admin("POST", f"/apps/{app.app_id}/disconnect", {})
    assert answer["webhook_removed"] is True, answer
    assert hooks_of(company, app) == []
    for kind in KINDS:
        assert left[kind] not in [
            one["id"] for one in company.dialpad.company(company.id)["subscriptions"][kind]]
    assert app.get_json(f"/api/calls/{truths[0]['call_id']}")["status"] == "missed"
    # And comes back on a new connection.
    link = query_of(linked.admin("POST", f"/apps/{app.app_id}/connect-link", {})["url"])["link"]
    answer = Browser().connect(linked, company.dialpad, app.app_id, company.admin, link=link)
    assert answer.status == 200, answer.body
    wait_until_provisioned(linked, app)
    assert_one_of_each(company, app)


def test_an_app_that_is_not_connected_says_so(linked: Stack):
    app = linked.create_app("by hand")
    shown = webhook(linked, app)
    assert (shown["connection"], shown["state"], shown["subscriptions"]) == (
        "never_connected", "pending", [])
    assert linked.admin("POST", f"/apps/{app.app_id}/webhook/rotate", {})["hook"] == 2
    assert {one["state"] for one in webhook(linked, app)["hooks"]} == {"current"}


def test_the_checklist_names_the_next_step(linked: Stack, company: Company):
    app_id = linked.admin("POST", "/apps", {"name": "listed"})["app_id"]
    steps = checklist(linked, app_id)
    assert [name for name, step in steps.items() if not step["done"]] == [
        "api_key", "connection", "scopes", "webhook", "events"]
    assert f"/internal/apps/{app_id}/connect-link" in steps["connection"]["next"]
    app = connected(linked, company, "listed too")
    company.place("missed")
    company.dialpad.wait_until_delivered()
    assert all(step["done"] for step in checklist(linked, app.app_id).values())


def test_the_checklist_knows_that_the_environment_was_changed(linked: Stack, company: Company):
    app = connected(linked, company, "moved")
    linked.sql("UPDATE dialpad_connections SET environment = 'production' WHERE app_id = %s",
               app.app_id)
    step = checklist(linked, app.app_id)["connection"]
    assert step["done"] is False and "forget_company" in step["next"]


def checklist(stack: Stack, app_id: str) -> dict[str, dict]:
    shown = stack.admin("GET", f"/apps/{app_id}/setup")
    assert shown["complete"] == all(step["done"] for step in shown["steps"])
    return {step["step"]: step for step in shown["steps"]}


def test_a_disconnect_waits_until_workerd_is_done_with_the_webhook(
    linked: Stack, company: Company
):
    app = connected(linked, company, "raced")
    remove_all_at_dialpad(company, app)
    company.dialpad.forget_requests()
    company.dialpad.fault("/api/v2/webhooks", "slow", method="POST", seconds=1.5)
    linked.admin("POST", f"/apps/{app.app_id}/webhook", {})
    eventually(lambda: company.dialpad.requests("GET", "/api/v2/subscriptions/sms"), 10,
               "workerd in the middle of its work")
    disconnect_with_a_token_that_lives_on(linked, company, app)
    eventually(lambda: company.dialpad.requests("POST", "/api/v2/webhooks"), 10, "what it began")
    assert_nothing_is_made(company)


def test_workerd_waits_until_a_disconnect_is_done_with_the_webhook(
    linked: Stack, company: Company
):
    app = connected(linked, company, "outrun")
    remove_all_at_dialpad(company, app)
    company.dialpad.forget_requests()
    company.dialpad.fault("/api/v2/subscriptions/sms", "slow", method="GET", seconds=1.5)
    with ThreadPoolExecutor() as beside:
        disconnect = beside.submit(disconnect_with_a_token_that_lives_on, linked, company, app)
        eventually(lambda: company.dialpad.requests("GET", "/api/v2/subscriptions/call"), 10,
                   "a disconnect that knows what there is")
        linked.sql("UPDATE jobs SET run_at = now() WHERE kind = 'provision' AND app_id = %s",
                   app.app_id)
        linked.sql("NOTIFY cti_jobs")
        eventually(lambda: "another process" in (linked.sql(
            "SELECT last_error FROM jobs WHERE kind = 'provision' AND app_id = %s",
            app.app_id)[0][0] or ""), 10, "workerd gives way")
        disconnect.result()
    assert_nothing_is_made(company)


def remove_all_at_dialpad(company: Company, app: App) -> None:
    for kind in KINDS:
        for one in subscriptions_of(company, app, kind):
            company.ask("DELETE", f"/subscriptions/{kind}/{one['id']}")
    for hook in hooks_of(company, app):
        company.ask("DELETE", f"/webhooks/{hook['id']}")


def disconnect_with_a_token_that_lives_on(stack: Stack, company: Company, app: App) -> None:
    company.dialpad.fault("/oauth2/deauthorize", status=500)
    answer = stack.admin("POST", f"/apps/{app.app_id}/disconnect", {})
    assert answer["webhook_removed"] is True, answer
    assert answer["revoked_at_dialpad"] is False, answer


def assert_nothing_is_made(company: Company) -> None:
    time.sleep(0.5)
    left = company.dialpad.company(company.id)
    assert (left["webhooks"], left["subscriptions"]) == ([], {kind: [] for kind in KINDS})


def test_a_deleted_app_leaves_nothing_at_dialpad(linked: Stack, company: Company):
    app = connected(linked, company, "deleted")
    answer = linked.admin("DELETE", f"/apps/{app.app_id}?confirm=deleted")
    assert answer["dialpad"] == {
        "webhook_removed": True, "webhook_not_removed_because": None,
        "revoked_at_dialpad": True, "not_revoked_because": None}
    left = company.dialpad.company(company.id)
    assert (left["webhooks"], left["subscriptions"]) == ([], {"call": [], "sms": []})


def test_a_name_that_is_wrong_deletes_nothing_at_dialpad(linked: Stack, company: Company):
    app = connected(linked, company, "kept")
    answer = request("DELETE", f"{linked.apid.url}/internal/apps/{app.app_id}?confirm=other",
                     headers={"Authorization": f"Bearer {linked.admin_secret}"})
    assert answer.status == 400
    assert_one_of_each(company, app)
    assert linked.admin("GET", f"/apps/{app.app_id}/connection")["state"] == "connected"


def test_a_forgotten_company_cannot_send_to_the_next_one(linked: Stack, company: Company):
    app = connected(linked, company, "resold")
    linked.admin("POST", f"/apps/{app.app_id}/disconnect", {"forget_company": True})
    shown = webhook(linked, app)
    assert [(one["hook"], one["state"]) for one in shown["hooks"]] == [
        (2, "current"), (1, "retired")]
    assert shown["secret"] == linked.hook(app.app_id, 2).secret
    claims = {"call_id": 79, "state": "hangup", "date_started": 1, "date_ended": 2,
              "event_timestamp": 3}
    assert app.hook.post(claims).status == 200  # on its way from the old one
    linked.wait_until_done()
    assert app.get("/api/calls/79").status == 404
    assert linked.sql("SELECT verdict FROM webhook_events WHERE app_id = %s"
                      " AND dialpad_event_id = '79'", app.app_id) == [("retired_hook",)]
