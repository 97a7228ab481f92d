"""Who gets in: keys of clients, the secret of admins; and what needs neither."""

from __future__ import annotations

import json
import subprocess

import pytest
from cti import BIN, App, Stack
from web import eventually, request


def call(stack: Stack, headers: dict[str, str], path: str = "/api/calls"):
    return request("GET", stack.apid.url + path, headers=headers)


def test_a_key_is_taken_from_either_header(stack: Stack, app: App):
    for headers in (
        {"x-app-api-key": app.api_key},
        {"X-App-Api-Key": f"  {app.api_key}  "},
        {"Authorization": f"Bearer {app.api_key}"},
        {"authorization": f"bearer   {app.api_key}"},
    ):
        assert call(stack, headers).status == 200, list(headers)


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(stack: Stack, app: App):
    def another(change: str) -> str:
        made = stack.admin("POST", f"/apps/{stack.create_app('x').app_id}/api-key", {})
        stack.sql(f"UPDATE api_keys SET {change} WHERE key_id = %s", made["key_id"])
        return made["api_key"]

    start, secret = app.api_key[:-43], app.api_key[-43:]
    answers = [
        call(stack, {"x-app-api-key": key})
        for key in (
            "x", app.api_key[:-1], app.api_key + "A", "cti_live_aaaaaaaaaaaa_" + secret,
            start + secret[::-1], start.replace("_test_", "_live_") + secret,
            another("revoked_at = now()"), another("expires_at = now()"),
        )
    ]
    assert {answer.status for answer in answers} == {401}
    assert {answer.json()["detail"] for answer in answers} == {"the API key is not valid"}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert call(stack, {}).status == 401
    assert call(stack, {"x-app-api-key": stack.admin_secret}).status == 401


def test_a_disabled_app_is_told_so_and_a_deleted_one_is_unknown(stack: Stack, app: App):
    headers = {"x-app-api-key": app.api_key}
    stack.admin("PATCH", f"/apps/{app.app_id}", {"is_active": False})
    assert call(stack, headers).status == 403
    wrong = {"x-app-api-key": app.api_key[:-43] + app.api_key[-43:][::-1]}
    assert call(stack, wrong).status == 401
    stack.admin("PATCH", f"/apps/{app.app_id}", {"is_active": True})
    assert call(stack, headers).status == 200
    name = stack.admin("GET", f"/apps/{app.app_id}")["name"]
    stack.admin("DELETE", f"/apps/{app.app_id}?confirm={name}")
    assert call(stack, headers).status == 401


def test_admins_and_clients_do_not_open_each_others_doors(stack: Stack, app: App):
    for token in ("", "x", app.api_key, stack.admin_secret[:-1], stack.admin_secret + "x"):
        answer = call(stack, {"Authorization": f"Bearer {token}"}, "/internal/apps")
        assert answer.status == 401, answer.body
    basic = {"Authorization": f"Basic {stack.admin_secret}"}
    assert call(stack, basic, "/internal/apps").status == 401


def test_without_a_secret_the_admin_endpoints_say_what_is_missing(run_stack):
    with run_stack({"apid": {"INTERNAL_API_SECRET": None}}) as stack:
        answer = call(stack, {"Authorization": "Bearer "}, "/internal/apps")
        assert answer.status == 503
        assert "INTERNAL_API_SECRET" in answer.json()["error"]


# Without a key


@pytest.mark.parametrize("path", ["/", "/health"])
def test_health_names_service_and_version(stack: Stack, path: str):
    answer = request("GET", stack.apid.url + path)
    assert answer.status == 200
    assert answer.json().keys() == {"status", "service", "version"}
    assert (answer.json()["status"], answer.json()["service"]) == ("healthy", "cti-server")


def test_metrics_are_on_the_ops_port_unless_made_public(stack: Stack, run_stack):
    assert request("GET", stack.apid.url + "/metrics").status == 404
    assert b"# TYPE" in request("GET", stack.apid.ops_url + "/metrics").body
    with run_stack({"apid": {"METRICS_PUBLIC": "true"}}) as public:
        assert b"# TYPE" in request("GET", public.apid.url + "/metrics").body


def test_a_schema_of_another_time_makes_it_unready(own_stack: Stack):
    assert own_stack.apid.ready().json()["schema_version"] == 1
    own_stack.sql("UPDATE schema_version SET version = 99")

    def is_unready() -> bool:
        return own_stack.apid.ready().status == 503

    eventually(is_unready, 20, "apid not ready")
    assert request("GET", own_stack.apid.url + "/readyz").status == 503
    assert request("GET", own_stack.apid.url + "/healthz").status == 200


@pytest.mark.parametrize("path", ["/webhooks", "/webhooks/dialpad", "/webhooks/dialpad/x/1/"])
def test_a_webhook_sent_to_the_wrong_daemon_is_sent_again(stack: Stack, path: str):
    answer = request("POST", stack.apid.url + path, b"a.b.c" * 100_000)
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert "PUBLIC_INGEST_URL" in answer.json()["error"]
    assert stack.ingestd.url in answer.json()["error"]
    assert request("GET", stack.apid.url + path).status == 404


def test_without_a_database_clients_are_asked_to_come_back(own_stack: Stack):
    app = own_stack.create_app("a")
    own_stack.database.cluster.psql(
        f"ALTER DATABASE {own_stack.database.name} ALLOW_CONNECTIONS false;"
        f" SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{own_stack.database.name}'"
    )
    try:
        answer = app.get("/api/calls")
        assert answer.status == 503 and answer.headers["Retry-After"]
        assert set(answer.json()) == {"type", "title", "status", "error", "request_id"}
    finally:
        own_stack.database.cluster.psql(
            f"ALTER DATABASE {own_stack.database.name} ALLOW_CONNECTIONS true"
        )


# The command line


def apid(*arguments: str, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run([BIN / "apid", *arguments], env=env, capture_output=True, text=True,
                          timeout=20)


def test_fresh_secrets_are_printed_as_an_environment():
    lines = apid("--generate-secrets").stdout.splitlines()
    values = dict(line.split("=", 1) for line in lines)
    assert list(values) == ["WEBHOOK_MASTER_KEY", "TOKEN_ENCRYPTION_KEY", "API_KEY_PEPPER",
                            "INTERNAL_API_SECRET", "DIALPAD_WEBHOOK_SECRET"]
    assert all(len(value) == 43 for value in values.values())
    assert len(set(values.values())) == 5
    assert lines != apid("--generate-secrets").stdout.splitlines()


@pytest.mark.parametrize("url", [None, "http://api.example.com"])
def test_production_wants_a_public_https_url(url: str | None):
    secrets = dict(line.split("=", 1) for line in apid("--generate-secrets").stdout.splitlines())
    env = secrets | {"DIALPAD_ENV": "production", "DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    if url:
        env["PUBLIC_API_URL"] = url
    done = apid(**env)
    assert done.returncode != 0
    assert "PUBLIC_API_URL" in done.stderr and "https" in done.stderr


def test_log_lines_of_requests_hold_no_query(stack: Stack, app: App):
    before = len(stack.apid.lines())
    app.get_json("/api/calls?started_after=2026-02-04T22:11:49.824Z")
    eventually(lambda: any("/api/calls" in json.dumps(line) for line in stack.apid.lines()[before:]),
               20, "the line of the request")
    assert not stack.apid.log_contains("2026-02-04T22:11:49.824Z")
