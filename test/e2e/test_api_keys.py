"""API keys: listed, replaced, revoked; and how soon every apid knows."""

from __future__ import annotations

import re
import secrets
import time

import pytest
from admin import admin, audit
from cti import Daemon, Stack
from web import Answer, eventually, request

PROMISE_S = 5  # within which a revocation is known everywhere


def new_app(stack: Stack) -> str:
    return admin(stack, "POST", "/apps", {"name": "a"}).json()["app_id"]


def new_key(stack: Stack, app_id: str, **fields: object) -> dict:
    answer = admin(stack, "POST", f"/apps/{app_id}/api-key", fields)
    assert answer.status == 201, answer.body
    return answer.json()


def listed(stack: Stack, app_id: str) -> dict[str, dict]:
    keys = admin(stack, "GET", f"/apps/{app_id}/api-keys").json()["api_keys"]
    return {key["key_id"]: key for key in keys}


def try_key(daemon: Daemon, key: dict) -> Answer:
    return request("GET", f"{daemon.url}/api/calls", headers={"x-app-api-key": key["api_key"]})


def lookups(daemon: Daemon) -> int:
    """How often this process has read a key from the database."""
    metrics = request("GET", daemon.ops_url + "/metrics").body.decode()
    return int(re.search(r"^cti_key_lookups_total (\d+)$", metrics, re.M)[1])


# What admins do


def test_the_list_shows_each_key_but_not_the_key(stack: Stack):
    app_id = new_app(stack)
    first = new_key(stack, app_id, name="web", expires_in_days=30)
    second = new_key(stack, app_id)
    answer = admin(stack, "GET", f"/apps/{app_id}/api-keys")
    assert first["api_key"][-43:].encode() not in answer.body
    assert [key["key_id"] for key in answer.json()["api_keys"]] == [
        second["key_id"], first["key_id"]]
    assert listed(stack, app_id)[first["key_id"]] == {
        "key_id": first["key_id"], "name": "web", "hint": first["hint"], "state": "live",
        "created_at": first["created_at"], "expires_at": first["expires_at"],
        "last_used_at": None, "revoked_at": None,
    }


def test_a_revoked_key_is_dead_at_once_and_stays_in_the_list(stack: Stack):
    app_id = new_app(stack)
    key = new_key(stack, app_id)
    path = f"/apps/{app_id}/api-keys/{key['key_id']}"
    assert try_key(stack.apid, key).status == 200
    gone = admin(stack, "DELETE", path)
    assert gone.status == 200 and gone.json()["state"] == "revoked"
    assert try_key(stack.apid, key).status == 401
    assert admin(stack, "DELETE", path).json() == gone.json()
    assert listed(stack, app_id)[key["key_id"]]["revoked_at"] == gone.json()["revoked_at"]
    assert audit(stack, app_id)[:2] == [
        ("admin", "key.revoked", key["key_id"]), ("admin", "key.created", key["key_id"])]


def test_an_app_only_revokes_its_own_keys(stack: Stack):
    mine, other = new_app(stack), new_app(stack)
    key = new_key(stack, mine)
    assert admin(stack, "DELETE", f"/apps/{other}/api-keys/{key['key_id']}").status == 404
    for unknown in ("nosuchkey123", "x", "%ff", "a%20b", "%C3%A9" * 40):
        assert admin(stack, "DELETE", f"/apps/{mine}/api-keys/{unknown}").status == 404, unknown
    assert try_key(stack.apid, key).status == 200


def test_a_key_is_replaced_without_a_gap(stack: Stack):
    app_id = new_app(stack)
    old, other = new_key(stack, app_id), new_key(stack, app_id)
    new = new_key(stack, app_id, replaces=old["key_id"], overlap_hours=2)
    for key in (old, other, new):
        assert try_key(stack.apid, key).status == 200
    [(hours,)] = stack.sql("SELECT extract(epoch FROM expires_at - now()) / 3600 FROM api_keys"
                           " WHERE key_id = %s", old["key_id"])
    assert 1.9 < hours <= 2
    again = admin(stack, "POST", f"/apps/{app_id}/api-key", {"replaces": old["key_id"]})
    assert again.status == 409
    assert all(key["key_id"] in again.json()["detail"] for key in (other, new))
    stack.sql("UPDATE api_keys SET expires_at = now() WHERE key_id = %s", old["key_id"])
    assert listed(stack, app_id)[old["key_id"]]["state"] == "expired"
    new_key(stack, app_id, replaces=other["key_id"], overlap_hours=0)
    assert try_key(stack.apid, other).status == 401


def test_replacing_never_prolongs_a_key(stack: Stack):
    app_id = new_app(stack)
    old = new_key(stack, app_id, expires_in_days=1)
    new_key(stack, app_id, replaces=old["key_id"], overlap_hours=48)
    assert listed(stack, app_id)[old["key_id"]]["expires_at"] == old["expires_at"]


@pytest.mark.parametrize(("fields", "named"), [
    ({"replaces": "nosuchkey123"}, "replaces"), ({"replaces": 7}, "replaces"),
    ({"overlap_hours": 1}, "overlap_hours"), ({"replaces": "x", "overlap_hours": 721}, "overlap_hours"),
    ({"replaces": "x", "overlap_hours": -1}, "overlap_hours"),
])
def test_what_cannot_be_replaced_is_refused_by_name(stack: Stack, fields: dict, named: str):
    answer = admin(stack, "POST", f"/apps/{new_app(stack)}/api-key", fields)
    assert answer.status == 400 and named in answer.json()["detail"]


def test_null_counts_as_absent(stack: Stack):
    fields = dict.fromkeys(("name", "expires_in_days", "replaces", "overlap_hours"))
    assert admin(stack, "POST", f"/apps/{new_app(stack)}/api-key", fields).status == 201


def test_a_key_of_another_app_is_not_replaced(stack: Stack):
    key = new_key(stack, new_app(stack))
    answer = admin(stack, "POST", f"/apps/{new_app(stack)}/api-key", {"replaces": key["key_id"]})
    assert answer.status == 400
    assert try_key(stack.apid, key).status == 200


# What each process knows


def test_a_key_in_use_is_not_read_again_at_each_request(own_stack: Stack):
    key = new_key(own_stack, new_app(own_stack))
    assert try_key(own_stack.apid, key).status == 200
    before = lookups(own_stack.apid)
    for _ in range(50):
        assert try_key(own_stack.apid, key).status == 200
    assert lookups(own_stack.apid) - before < 10


def test_another_process_hears_of_a_revocation(own_stack: Stack):
    other = own_stack.another_apid()
    app_id = new_app(own_stack)

    def is_heard_of() -> bool:
        """Long before what the other knows has grown too old by itself."""
        key = new_key(own_stack, app_id)
        assert try_key(other, key).status == 200
        began = time.monotonic()
        admin(own_stack, "DELETE", f"/apps/{app_id}/api-keys/{key['key_id']}")
        while time.monotonic() - began < PROMISE_S / 2:
            if try_key(other, key).status == 401:
                return True
        return False

    # A busy machine may be late once; and the first time the other may just have begun to listen.
    assert sum(is_heard_of() for _ in range(3)) >= 2


@pytest.mark.parametrize(("change", "status"), [
    ("UPDATE api_keys SET revoked_at = now() WHERE app_id = %s", 401),
    ("UPDATE api_keys SET expires_at = now() WHERE app_id = %s", 401),
    ("UPDATE apps SET is_active = false WHERE app_id = %s", 403),
    ("UPDATE apps SET deleted_at = now() WHERE app_id = %s", 401),
])
def test_without_a_notification_the_promise_holds_all_the_same(
    stack: Stack, change: str, status: int
):
    app_id = new_app(stack)
    key = new_key(stack, app_id)
    assert try_key(stack.apid, key).status == 200
    stack.sql(change, app_id)
    changed = asked = time.monotonic()
    while try_key(stack.apid, key).status != status:
        assert asked - changed < PROMISE_S, "whoever asks from then on is refused, however late"
        time.sleep(0.05)
        asked = time.monotonic()


def test_a_lost_listener_is_followed_by_another(own_stack: Stack):
    def listeners() -> set[int]:
        return {pid for (pid,) in own_stack.sql(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN %%'"
            " AND application_name = 'apid' AND datname = current_database()")}

    first = eventually(listeners, 20, "a listener")
    for pid in first:
        own_stack.database.cluster.psql(f"SELECT pg_terminate_backend({pid})")
    eventually(lambda: listeners() - first, 10, "another listener")
    app_id = new_app(own_stack)
    key = new_key(own_stack, app_id)
    assert try_key(own_stack.apid, key).status == 200


def test_an_expiry_that_comes_is_noticed(stack: Stack):
    app_id = new_app(stack)
    key = new_key(stack, app_id, expires_in_days=1)
    stack.sql("UPDATE api_keys SET expires_at = now() + interval '4 s' WHERE app_id = %s", app_id)
    assert try_key(stack.apid, key).status == 200
    eventually(lambda: try_key(stack.apid, key).status == 401, 20, "the key's end")


# When a key was last used


def test_the_last_use_costs_no_write_and_is_kept_at_the_end(own_stack: Stack):
    app_id = new_app(own_stack)
    key, unused = new_key(own_stack, app_id), new_key(own_stack, app_id)
    before = time.time()
    for _ in range(20):
        assert try_key(own_stack.apid, key).status == 200
    wrong = {"api_key": unused["api_key"][:-43] + secrets.token_urlsafe(32)}
    assert try_key(own_stack.apid, wrong).status == 401
    assert listed(own_stack, app_id)[key["key_id"]]["last_used_at"] is None
    own_stack.apid.stop()
    [(used_at,)] = own_stack.sql("SELECT extract(epoch FROM last_used_at)::float8 FROM api_keys"
                                 " WHERE key_id = %s", key["key_id"])
    assert before - 1 <= used_at <= time.time() + 1
    assert own_stack.sql("SELECT 1 FROM api_keys WHERE key_id = %s AND last_used_at IS NULL",
                         unused["key_id"])
    own_stack.start()
    assert listed(own_stack, app_id)[key["key_id"]]["last_used_at"]
