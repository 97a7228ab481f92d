"""What admins do: apps, their keys, and the webhook to set up by hand."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from admin import admin
from cti import Stack
from hook import derived_secret
from web import eventually, request

NOBODY = "00000000-0000-0000-0000-000000000000"


def test_from_an_app_to_a_webhook_secret(stack: Stack):
    made = admin(stack, "POST", "/apps", {
        "name": " Acme ☎ ", "allowed_return_urls": ["https://acme.example/done"]})
    assert made.status == 201, made.body
    app = made.json()
    assert app["name"] == "Acme ☎" and app["is_active"] is True
    assert app["allowed_return_urls"] == ["https://acme.example/done"]
    app_id = app["app_id"]

    key = admin(stack, "POST", f"/apps/{app_id}/api-key", {"name": "web", "expires_in_days": 30})
    assert key.status == 201, key.body
    key = key.json()
    assert set(key) == {"api_key", "key_id", "name", "hint", "created_at", "expires_at"}
    assert re.fullmatch(rf"cti_test_{key['key_id']}_[A-Za-z0-9_-]{{43}}", key["api_key"])
    assert key["api_key"].endswith(key["hint"]) and len(key["hint"]) == 4
    assert key["expires_at"] > key["created_at"]
    read = request("GET", f"{stack.apid.url}/api/calls", headers={"x-app-api-key": key["api_key"]})
    assert read.status == 200

    shown = admin(stack, "GET", f"/apps/{app_id}/webhook").json()
    assert {key: shown[key] for key in ("hook_url", "secret", "hook", "drift")} == {
        "hook_url": f"{stack.ingestd.url}/webhooks/dialpad/{app_id}/1",
        "secret": derived_secret(stack.master_key, app_id, 1),
        "hook": 1,
        "drift": [],
    }
    assert stack.sql("SELECT last_seq FROM tenant_heads WHERE app_id = %s", app_id) == [(0,)]
    assert admin(stack, "GET", f"/apps/{app_id}").json() == app
    assert app in admin(stack, "GET", "/apps").json()["apps"]


def test_a_key_is_stored_only_as_its_hash(stack: Stack):
    app_id = admin(stack, "POST", "/apps", {"name": "a"}).json()["app_id"]
    key = admin(stack, "POST", f"/apps/{app_id}/api-key").json()
    assert key["name"] is None and key["expires_at"] is None
    row = stack.sql("SELECT to_json(k)::text FROM api_keys AS k WHERE app_id = %s", app_id)[0][0]
    assert key["api_key"][-43:] not in row
    assert stack.sql("SELECT length(api_key_hash) FROM api_keys WHERE app_id = %s", app_id) == [(32,)]


def test_what_was_created_is_in_the_audit_without_secrets(stack: Stack):
    app_id = admin(stack, "POST", "/apps", {"name": "audited"}).json()["app_id"]
    key = admin(stack, "POST", f"/apps/{app_id}/api-key", {}).json()
    lines = stack.sql("SELECT actor, action, target, detail, request_id FROM admin_audit"
                      " WHERE app_id = %s ORDER BY audit_id", app_id)
    assert [line[:4] for line in lines] == [
        ("admin", "app.created", "audited", None), ("admin", "key.created", key["key_id"], None)]
    assert all(line[4] for line in lines)


def test_a_third_live_key_is_refused_with_the_names_of_the_two(stack: Stack):
    app_id = admin(stack, "POST", "/apps", {"name": "a"}).json()["app_id"]
    path = f"/apps/{app_id}/api-key"
    made = [admin(stack, "POST", path).json() for _ in range(2)]
    refused = admin(stack, "POST", path)
    assert refused.status == 409
    assert all(key["key_id"] in refused.json()["detail"] for key in made)
    stack.sql("UPDATE api_keys SET revoked_at = now() WHERE key_id = %s", made[0]["key_id"])
    assert admin(stack, "POST", path).status == 201


def test_of_two_admins_at_once_the_later_counts_the_key_of_the_earlier(stack: Stack):
    app_id = admin(stack, "POST", "/apps", {"name": "a"}).json()["app_id"]
    path = f"/apps/{app_id}/api-key"
    admin(stack, "POST", path)
    with ThreadPoolExecutor(1) as pool:
        with stack.database.connect() as earlier:
            earlier.execute("SELECT FROM apps WHERE app_id = %s FOR UPDATE", [app_id])
            earlier.execute("INSERT INTO api_keys (key_id, app_id, api_key_hash)"
                            " VALUES ('earlier', %s, '')", [app_id])
            later = pool.submit(admin, stack, "POST", path)
            eventually(lambda: stack.sql("SELECT 1 FROM pg_locks WHERE NOT granted"), 20,
                       "an admin who waits")
            earlier.commit()
        assert later.result().status == 409


@pytest.mark.parametrize("app_id", [NOBODY, "11111111-1111-1111-1111-111111111111", "x"])
def test_an_unknown_app_is_not_found(stack: Stack, app_id: str):
    assert admin(stack, "GET", f"/apps/{app_id}").status == 404
    assert admin(stack, "GET", f"/apps/{app_id}/webhook").status == 404
    assert admin(stack, "POST", f"/apps/{app_id}/api-key").status == 404


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (None, "name"), ({}, "name"), ({"name": None}, "name"), ({"name": ""}, "name"),
        ({"name": "  "}, "name"), ({"name": 7}, "name"), ({"name": "x" * 201}, "name"),
        ({"name": "a\nb"}, "name"), ({"name": "a", "nmae": "b"}, "nmae"),
        ({"name": "a", "allowed_return_urls": "https://x"}, "allowed_return_urls"),
        ({"name": "a", "allowed_return_urls": ["ftp://x"]}, "allowed_return_urls"),
        ({"name": "a", "allowed_return_urls": ["https://"]}, "allowed_return_urls"),
        ({"name": "a", "allowed_return_urls": ["https://x/ y"]}, "allowed_return_urls"),
        ({"name": "a", "allowed_return_urls": [7]}, "allowed_return_urls"),
        ({"name": "a", "allowed_return_urls": ["https://x"] * 21}, "allowed_return_urls"),
        ([], "object"), (b"{", "JSON"),
    ],
)
def test_a_bad_field_is_refused_by_name(stack: Stack, body: object, named: str):
    answer = admin(stack, "POST", "/apps", body)
    assert answer.status == 400, answer.body
    assert named in answer.json()["detail"]


@pytest.mark.parametrize("days", [0, -1, 3651, 1.5, "soon", True])
def test_a_key_expires_after_whole_days_or_never(stack: Stack, days: object):
    app_id = admin(stack, "POST", "/apps", {"name": "a"}).json()["app_id"]
    answer = admin(stack, "POST", f"/apps/{app_id}/api-key", {"expires_in_days": days})
    assert answer.status == 400 and "expires_in_days" in answer.json()["detail"]


def test_the_names_length_is_counted_in_characters(stack: Stack):
    assert admin(stack, "POST", "/apps", {"name": "☎" * 200}).status == 201
    assert admin(stack, "POST", "/apps", {"name": "☎" * 201}).status == 400


def test_a_new_master_key_shows_as_drift(run_stack):
    with run_stack() as stack:
        app_id = stack.create_app("a").app_id
        stack.sql("UPDATE dialpad_webhooks SET key_fingerprint = 'another' WHERE app_id = %s", app_id)
        shown = stack.admin("GET", f"/apps/{app_id}/webhook")
        assert len(shown["drift"]) == 1 and "WEBHOOK_MASTER_KEY" in shown["drift"][0]


def test_the_newest_current_hook_is_shown(stack: Stack):
    app_id = stack.create_app("a").app_id
    stack.sql("INSERT INTO dialpad_webhooks (app_id, hook, key_fingerprint)"
              " SELECT app_id, 2, key_fingerprint FROM dialpad_webhooks WHERE app_id = %s", app_id)
    shown = stack.admin("GET", f"/apps/{app_id}/webhook")
    assert shown["hook"] == 2 and shown["hook_url"].endswith(f"/{app_id}/2")
    assert shown["secret"] == derived_secret(stack.master_key, app_id, 2)


def test_without_a_master_key_there_are_apps_but_no_webhook_secrets(run_stack):
    with run_stack({"apid": {"WEBHOOK_MASTER_KEY": None}}) as stack:
        app_id = stack.admin("POST", "/apps", {"name": secrets.token_hex(4)})["app_id"]
        answer = admin(stack, "GET", f"/apps/{app_id}/webhook")
        assert answer.status == 503
        assert "WEBHOOK_MASTER_KEY" in answer.json()["error"]
        assert stack.sql("SELECT 1 FROM dialpad_webhooks WHERE app_id = %s", app_id) == []
