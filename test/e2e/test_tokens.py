"""Tokens of Dialpad over several processes: refreshed once, lost never, retried within reason."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cti import BIN, Stack
from login import Browser
from web import eventually, request

from test.sim.client import Simulator, simulator

REFRESH = ("POST", "/oauth2/token")


@pytest.fixture
def dialpad() -> Iterator[Simulator]:
    """One for each test: its books are counted."""
    with simulator() as running:
        yield running


@pytest.fixture
def own(run_stack, dialpad: Simulator) -> Iterator[Stack]:
    with run_stack(dialpad=dialpad) as running:
        yield running


@pytest.fixture
def app_id(own: Stack, dialpad: Simulator) -> str:
    """Connected, and Dialpad's books are empty."""
    app_id = own.admin("POST", "/apps", {"name": "a"})["app_id"]
    assert Browser().connect(own, dialpad, app_id).status == 200
    dialpad.forget_requests()
    return app_id


def connection(stack: Stack, app_id: str) -> dict:
    return stack.admin("GET", f"/apps/{app_id}/connection")


def expires_in(stack: Stack, app_id: str, seconds: int) -> None:
    stack.sql("UPDATE dialpad_connections SET token_expires_at = now() + make_interval(secs => %s),"
              " last_refresh_at = last_refresh_at - interval '1 hour',"
              " connected_at = connected_at - interval '1 hour' WHERE app_id = %s", seconds, app_id)


def workerd(stack: Stack, *arguments: str, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(BIN / "workerd"), *arguments], env=stack.workerd.env | env,
                          capture_output=True, text=True, timeout=60, check=False)


def refresh_now(stack: Stack) -> subprocess.CompletedProcess:
    """The job, in a process of its own. Beside the leader's run it gives way, so try again."""
    for _ in range(200):
        run = workerd(stack, "--run-job", "tokens")
        if "another process" not in run.stderr:
            return run
        time.sleep(0.1)
    raise AssertionError(run.stderr)


@contextmanager
def slow_updates(stack: Stack, seconds: float) -> Iterator[None]:
    """Each change of a connection takes so long: time to do something in between."""
    stack.sql("CREATE FUNCTION t_slow() RETURNS trigger LANGUAGE plpgsql AS"
              f" 'BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END'")
    stack.sql("CREATE TRIGGER t_slow BEFORE UPDATE ON dialpad_connections"
              " FOR EACH ROW EXECUTE FUNCTION t_slow()")
    try:
        yield
    finally:
        stack.sql("DROP TRIGGER t_slow ON dialpad_connections")
        stack.sql("DROP FUNCTION t_slow")


def test_a_token_is_refreshed_before_it_ends(own: Stack, dialpad: Simulator, app_id: str):
    before = connection(own, app_id)["token_expires_at"]
    expires_in(own, app_id, 300)
    assert refresh_now(own).returncode == 0
    shown = connection(own, app_id)
    assert shown["token_expires_at"] > before or dialpad.requests(*REFRESH)
    assert (shown["state"], shown["refresh_failures"], shown["last_error"]) == ("connected", 0, None)
    assert len(dialpad.requests(*REFRESH)) == 1
    assert refresh_now(own).returncode == 0  # not due again
    assert len(dialpad.requests(*REFRESH)) == 1
    dialpad.assert_description_kept()


def test_the_leader_does_it_by_itself(own: Stack, dialpad: Simulator, app_id: str):
    expires_in(own, app_id, 300)
    own.workerd.kill()
    own.workerd.start()
    eventually(lambda: dialpad.requests(*REFRESH), 20, "a refresh")
    own.workerd.wait_ready()


def test_a_chain_of_refreshes_never_uses_a_token_twice(own: Stack, dialpad: Simulator, app_id: str):
    for _ in range(4):
        expires_in(own, app_id, 60)
        assert refresh_now(own).returncode == 0
    assert [one["status"] for one in dialpad.requests(*REFRESH)] == [200] * 4
    assert connection(own, app_id)["state"] == "connected"


def test_a_revoked_refresh_token_needs_a_person(own: Stack, dialpad: Simulator, app_id: str):
    dialpad.revoke_refresh_tokens()
    expires_in(own, app_id, 60)
    refresh_now(own)
    shown = connection(own, app_id)
    assert shown["state"] == "needs_reconnect" and "invalid_grant" in shown["last_error"]
    dialpad.forget_requests()
    refresh_now(own)
    assert dialpad.requests() == []
    own.admin("POST", f"/apps/{app_id}/connect-link")
    assert Browser().connect(own, dialpad, app_id).status == 200
    assert connection(own, app_id)["state"] == "connected"


def test_a_wrong_client_secret_of_ours_ends_no_connection(own: Stack, dialpad: Simulator, app_id: str):
    dialpad.register_client(**own.dialpad_client | {"secret": "changed-at-dialpad"})
    expires_in(own, app_id, 60)
    refresh_now(own)
    shown = connection(own, app_id)
    assert shown["state"] == "connected" and shown["refresh_failures"] == 1
    assert "invalid_client" in shown["last_error"]
    dialpad.register_client(**own.dialpad_client)
    own.sql("UPDATE dialpad_connections SET last_refresh_at = now() - interval '1 hour'")
    assert refresh_now(own).returncode == 0
    assert connection(own, app_id)["refresh_failures"] == 0


@pytest.mark.parametrize(("kind", "state"), [("drop", "connected"), ("lost", "needs_reconnect")])
def test_an_answer_that_never_came(own: Stack, dialpad: Simulator, app_id: str, kind: str, state: str):
    """Whether Dialpad had taken the old token shows at the next attempt, which is the last."""
    dialpad.fault("/oauth2/token", kind)
    expires_in(own, app_id, 60)
    refresh_now(own)
    assert connection(own, app_id)["refresh_failures"] == 1
    refresh_now(own)
    assert len(dialpad.requests(*REFRESH)) == 1  # it waits before it tries again
    own.sql("UPDATE dialpad_connections SET last_refresh_at = now() - interval '1 minute'")
    refresh_now(own)
    assert connection(own, app_id)["state"] == state
    for _ in range(3):
        refresh_now(own)
    assert len(dialpad.requests(*REFRESH)) == 2


def test_killed_between_dialpads_answer_and_our_commit(own: Stack, dialpad: Simulator, app_id: str):
    """The new pair is lost. The old token is sent once more, Dialpad refuses it, and that is that."""
    own.workerd.kill()
    expires_in(own, app_id, 60)
    with slow_updates(own, 40):
        victim = subprocess.Popen([str(BIN / "workerd"), "--run-job", "tokens"],
                                  env=own.workerd.env, stderr=subprocess.DEVNULL)
        eventually(lambda: dialpad.requests(*REFRESH), 20, "a refresh")
        eventually(lambda: own.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"),
                   15, "the new tokens on their way into the database")
        victim.kill()
        victim.wait()
        own.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    assert connection(own, app_id)["state"] == "connected"
    own.workerd.start()
    own.workerd.wait_ready()
    eventually(lambda: connection(own, app_id)["state"] == "needs_reconnect", 60, "the end of it")
    for _ in range(3):
        refresh_now(own)
    assert [one["status"] for one in dialpad.requests(*REFRESH)] == [200, 400]


def test_killed_where_dialpad_keeps_its_refresh_tokens(own: Stack, dialpad: Simulator, app_id: str):
    """Then the same token serves again, and nobody has to do anything."""
    dialpad.set(rotate_refresh=False)
    own.workerd.kill()
    expires_in(own, app_id, 60)
    with slow_updates(own, 40):
        victim = subprocess.Popen([str(BIN / "workerd"), "--run-job", "tokens"],
                                  env=own.workerd.env, stderr=subprocess.DEVNULL)
        eventually(lambda: dialpad.requests(*REFRESH), 20, "a refresh")
        victim.kill()
        victim.wait()
        own.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    own.workerd.start()
    own.workerd.wait_ready()
    eventually(lambda: len(dialpad.requests(*REFRESH)) == 2, 20, "a second refresh")
    eventually(lambda: connection(own, app_id)["refresh_failures"] == 0, 20, "its end")
    assert connection(own, app_id)["state"] == "connected"


def test_a_stop_in_the_middle_of_a_refresh_waits_for_it(own: Stack, dialpad: Simulator, app_id: str):
    own.workerd.kill()
    expires_in(own, app_id, 60)
    dialpad.fault("/oauth2/token", "slow", seconds=3)
    own.workerd.start()
    eventually(lambda: own.sql("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"
                               " AND strpos(query, 'dialpad_connections') > 0"
                               " AND strpos(query, 'FOR UPDATE') > 0"), 20, "a refresh under way")
    assert own.workerd.stop() == 0
    assert [one["status"] for one in dialpad.requests(*REFRESH)] == [200]
    assert connection(own, app_id)["token_expires_at"] is not None
    expires_in(own, app_id, 60)
    own.workerd.start()
    eventually(lambda: len(dialpad.requests(*REFRESH)) == 2, 20, "a refresh with the next token")
    own.workerd.wait_ready()
    assert [one["status"] for one in dialpad.requests(*REFRESH)] == [200, 200]


def test_the_key_of_the_tokens_can_be_changed(own: Stack, dialpad: Simulator, app_id: str):
    old, new = own.workerd.env["TOKEN_ENCRYPTION_KEY"], "n" * 40
    both = {"TOKEN_ENCRYPTION_KEY": new, "TOKEN_ENCRYPTION_KEY_PREVIOUS": old}
    sealed = own.sql("SELECT access_token, refresh_token FROM dialpad_connections")
    own.workerd.kill()  # or its job would refresh under the old key
    expires_in(own, app_id, 60)
    assert "neither TOKEN_ENCRYPTION_KEY" in workerd(
        own, "--reseal", TOKEN_ENCRYPTION_KEY=new).stderr
    assert own.sql("SELECT access_token, refresh_token FROM dialpad_connections") == sealed
    run = workerd(own, "--reseal", **both)
    assert run.returncode == 0 and "connections=1 not_opened=0" in run.stderr
    assert own.sql("SELECT access_token, refresh_token FROM dialpad_connections") != sealed
    assert workerd(own, "--run-job", "tokens", TOKEN_ENCRYPTION_KEY=new).returncode == 0
    assert [one["status"] for one in dialpad.requests(*REFRESH)] == [200]
    for text in (old, new):
        assert text not in run.stderr


def test_reseal_without_a_key_says_so(own: Stack, app_id: str):
    env = {k: v for k, v in own.workerd.env.items() if k != "TOKEN_ENCRYPTION_KEY"}
    run = subprocess.run([str(BIN / "workerd"), "--reseal"], env=env, capture_output=True, text=True,
                         timeout=60, check=False)
    assert run.returncode == 1 and "TOKEN_ENCRYPTION_KEY is not set" in run.stderr


# Disconnecting


def disconnect(stack: Stack, app_id: str, **body: bool) -> dict:
    return stack.admin("POST", f"/apps/{app_id}/disconnect", body)


def live_tokens(dialpad: Simulator) -> list[dict]:
    state = dialpad.state()
    return [one for kind in ("access_tokens", "refresh_tokens") for one in state[kind]
            if not one["grant_ended"] and not one["revoked"]]


def test_a_disconnect_takes_the_tokens_back_and_keeps_the_bond(own: Stack, dialpad, app_id: str):
    assert disconnect(own, app_id) == {
        "state": "disconnected", "revoked_at_dialpad": True, "not_revoked_because": None,
        "webhook_removed": True, "webhook_not_removed_because": None, "company_forgotten": False}
    assert live_tokens(dialpad) == []
    shown = connection(own, app_id)
    assert shown["state"] == "disconnected" and shown["has_refresh_token"] is False
    assert shown["company"] == dialpad.company()["name"]
    assert own.sql("SELECT access_token, refresh_token FROM dialpad_connections") == [(None, None)]
    assert own.sql("SELECT actor, detail FROM admin_audit WHERE app_id = %s"
                   " AND action = 'connection.disconnected'", app_id) == [("admin", None)]


def test_an_ended_token_is_renewed_to_be_revoked(own: Stack, dialpad: Simulator, app_id: str):
    eventually(lambda: own.admin("GET", f"/apps/{app_id}/webhook")["state"] == "active", 30,
               "a webhook")
    expires_in(own, app_id, 3600)  # as we believe
    dialpad.expire_access_tokens()
    told = disconnect(own, app_id)
    assert (told["webhook_removed"], told["revoked_at_dialpad"]) == (True, True), told
    assert dialpad.company()["webhooks"] == []
    assert live_tokens(dialpad) == []


def test_a_disconnect_leaves_the_other_app_of_the_same_person(own: Stack, dialpad, app_id: str):
    other = own.admin("POST", "/apps", {"name": "other"})["app_id"]
    assert Browser().connect(own, dialpad, other).status == 200
    told = disconnect(own, app_id)
    assert told["revoked_at_dialpad"] is False and "another app" in told["not_revoked_because"]
    expires_in(own, other, 60)
    assert refresh_now(own).returncode == 0
    assert connection(own, other)["state"] == "connected"
    assert disconnect(own, other, forget_company=True)["revoked_at_dialpad"] is True
    assert connection(own, other)["dialpad_org_id"] is None


def test_a_disconnect_works_without_dialpad(own: Stack, dialpad: Simulator, app_id: str):
    dialpad.fault("/oauth2/deauthorize", status=500)
    told = disconnect(own, app_id)
    assert told["revoked_at_dialpad"] is False and "could not be asked" in told["not_revoked_because"]
    assert connection(own, app_id)["state"] == "disconnected"


def test_what_was_never_connected_cannot_be_disconnected(own: Stack, app_id: str):
    other = own.admin("POST", "/apps", {"name": "other"})["app_id"]
    headers = {"Authorization": f"Bearer {own.admin_secret}"}
    for where in (other, "11111111-1111-1111-1111-111111111111"):
        url = f"{own.apid.url}/internal/apps/{where}/disconnect"
        assert request("POST", url, b"{}", headers).status == 404
    assert connection(own, other)["state"] == "never_connected"
