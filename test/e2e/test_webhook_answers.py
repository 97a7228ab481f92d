"""What a sender is answered: 200 only for what is stored, 4xx only for forgeries."""

from __future__ import annotations

import json
import uuid

import pytest
from cti import App, Stack
from hook import Hook, payload
from web import eventually, request

CALL = payload("call_ringing_inbound_2024")
CLAIMS = json.dumps(CALL, separators=(",", ":")).encode()
MAX_BODY = 2 * 1024 * 1024  # the default of INGEST_MAX_BODY_BYTES


def stored(stack: Stack, app_id: str) -> list[tuple]:
    return stack.sql(
        "SELECT event_type, dialpad_event_id, verdict, last_error FROM webhook_events"
        " WHERE app_id = %s",
        app_id,
    )


def is_settled(stack: Stack, app_id: str) -> bool:
    return all(verdict != "pending" for _, _, verdict, _ in stored(stack, app_id))


# What is not genuine


def forgeries(hook: Hook) -> dict[str, str]:
    good = hook.sign_bytes(CLAIMS)
    header, claims, signature = good.split(".")
    other = Hook(hook.url, "another secret, 32 bytes or more")
    return {
        "nothing": "",
        "plain JSON": CLAIMS.decode(),
        "a form": "jwt=" + good,
        "two parts": f"{header}.{claims}",
        "four parts": f"{good}.{signature}",
        "alg none": hook.sign_bytes(CLAIMS, alg="none"),
        "alg HS512": hook.sign_bytes(CLAIMS, alg="HS512"),
        "HS256 named none": hook.sign_bytes(CLAIMS, header=b'{"alg":"none"}'),
        "HS256 named HS512": hook.sign_bytes(CLAIMS, header=b'{"alg":"HS512"}'),
        "header that is no JSON": hook.sign_bytes(CLAIMS, header=b"HS256"),
        "another secret": other.sign_bytes(CLAIMS),
        "one bit of the signature": hook.sign_bytes(CLAIMS, spoil_signature=True),
        "signature cut off": f"{header}.{claims}.",
        "other claims": f"{header}.{hook.sign_bytes(b'{}').split('.')[1]}.{signature}",
        "space inside": f"{header}. {claims}.{signature}",
    }


@pytest.mark.parametrize("kind", forgeries(Hook("", "x")))
def test_a_forgery_is_refused_and_leaves_nothing(
    stack: Stack, app: App, kind: str
) -> None:
    answer = app.hook.post_body(forgeries(app.hook)[kind].encode())
    assert answer.status == 401
    assert answer.json() == {"error": "Invalid signature"}
    assert answer.headers["Content-Type"] == "application/json"
    assert stored(stack, app.app_id) == []


def test_the_secret_of_another_app_or_hook_is_refused(stack: Stack, app: App) -> None:
    other = stack.create_app("other")
    for wrong in (other.hook, stack.hook(app.app_id, 2)):
        assert app.hook.post_body(wrong.sign(CALL).encode()).status == 401
    assert stored(stack, app.app_id) == []


# What is genuine


def test_a_second_hook_is_as_good_as_the_first(stack: Stack, app: App) -> None:
    assert stack.hook(app.app_id, 2).post(CALL).status == 200
    app.wait_for(f"/api/calls/{CALL['call_id']}")
    assert stack.sql("SELECT hook FROM event_log WHERE app_id = %s", app.app_id) == [(2,)]


@pytest.mark.parametrize("before, after", [(b"", b"\n"), (b" \t\r\n", b"\r\n  ")])
def test_white_space_around_the_body_does_not_matter(
    stack: Stack, app: App, before: bytes, after: bytes
) -> None:
    answer = app.hook.post_body(before + app.hook.sign(CALL).encode() + after)
    assert (answer.status, answer.json()) == (200, {"received": True})
    assert len(stored(stack, app.app_id)) == 1


@pytest.mark.parametrize(
    "content_type",
    ["application/jwt", "application/json", "text/plain", "nonsense", None],
)
def test_the_content_type_is_not_judged(app: App, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = app.hook.post_body(app.hook.sign(CALL).encode(), headers)
    assert answer.status == 200


def test_the_log_keeps_the_signed_bytes_as_they_were(stack: Stack, app: App) -> None:
    claims = b'{ "call_id" : 77,\n\t"state":"ringing", "state":"ringing", "x":1.0e0 }'
    assert app.hook.post_body(app.hook.sign_bytes(claims).encode()).status == 200
    query = "SELECT payload::text FROM event_log WHERE app_id = %s"
    assert stack.sql(query, app.app_id) == [(claims.decode(),)]


def test_an_event_of_an_app_that_nobody_knows_is_kept(stack: Stack) -> None:
    stranger = str(uuid.uuid4())
    assert stack.hook(stranger).post(CALL).status == 200
    [(kind, dialpad_id, verdict, _)] = stored(stack, stranger)
    assert (kind, dialpad_id) == ("ringing", str(CALL["call_id"]))
    assert verdict != "processed"


DEEP = b'{"call_id":5,"state":"ringing","x":' + b"[" * 20000 + b"]" * 20000 + b"}"
NESTED = b'{"call_id":5,"state":"ringing","x":' + b"[" * 50 + b"]" * 50 + b"}"
# Claims, and their event_type, dialpad_event_id and verdict.
ODD = {
    "an array": (b"[1,2]", None, None, "quarantined"),
    "a number": (b"17", None, None, "quarantined"),
    "nothing": (b"", None, None, "quarantined"),
    "half an object": (b'{"call_id":5', None, None, "quarantined"),
    "bad UTF-8": (b'{"call_id":5,"state":"\xff\xfe"}', None, None, "quarantined"),
    "a NUL byte": (b'{"call_id":5,"state":"a\x00b"}', None, None, "quarantined"),
    "extreme depth": (DEEP, None, None, "quarantined"),
    "depth": (NESTED, "ringing", "5", "processed"),
    "an escaped NUL": (rb'{"call_id":5,"state":"ringing","contact":{"name":"a\u0000b"}}',
                       "ringing", "5", "processed"),
    "half a surrogate pair": (rb'{"call_id":5,"state":"ringing","group_id":"\ud800"}',
                              "ringing", "5", "processed"),
    "no call id": (b'{"state":"connected"}', "connected", None, "processed"),
    "an empty object": (b"{}", "unknown", None, "processed"),
    "a call id that is no number": (b'{"call_id":"x","state":"ringing"}', "ringing", "x",
                                    "retrying"),
    "a call id beyond 64 bits": (b'{"call_id":99999999999999999999,"state":"ringing"}',
                                 "ringing", None, "retrying"),
    "numbers beyond 64 bits": (b'{"call_id":5,"state":"ringing","duration":1e400,'
                               b'"date_started":9223372036854775808,'
                               b'"event_timestamp":-99999999999999999999}', "ringing", "5",
                               "processed"),
    "an unknown state": (b'{"call_id":5,"state":"levitating"}', "levitating", "5",
                         "processed"),
    "wrong types": (b'{"call_id":5,"state":"hangup","date_ended":"soon","target":[1],'
                    b'"recording_details":{"a":1},"labels":7,"talk_time":-1}', "hangup",
                    "5", "processed"),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_but_genuine_body_is_taken_and_seen(
    stack: Stack, app: App, kind: str
) -> None:
    claims, event_type, dialpad_id, verdict = ODD[kind]
    answer = app.hook.post_body(app.hook.sign_bytes(claims).encode())
    assert (answer.status, answer.json()) == (200, {"received": True})
    eventually(lambda: is_settled(stack, app.app_id), 20, "a verdict")
    [row] = stored(stack, app.app_id)
    assert row[:3] == (event_type, dialpad_id, verdict)
    assert (row[3] is None) == (verdict == "processed")
    if verdict == "quarantined":
        query = "SELECT payload_raw FROM event_log WHERE app_id = %s"
        assert stack.sql(query, app.app_id) == [(claims,)]
    if verdict == "processed" and dialpad_id:
        assert app.get_json(f"/api/calls/{dialpad_id}")["call_id"] == int(dialpad_id)


def test_an_odd_event_does_not_hold_up_its_neighbours(stack: Stack, app: App) -> None:
    for number, (claims, *_) in enumerate(ODD.values()):
        assert app.hook.post_body(app.hook.sign_bytes(claims).encode()).status == 200
        assert app.hook.post(CALL | {"call_id": 1000 + number}).status == 200
    for number in range(len(ODD)):
        app.wait_for(f"/api/calls/{1000 + number}")


# Everything else


def test_a_body_over_the_limit_is_refused(stack: Stack, app: App) -> None:
    assert app.hook.post_body(b"a" * (MAX_BODY + 1)).status == 413
    assert stored(stack, app.app_id) == []


def test_a_body_just_under_the_limit_is_taken(stack: Stack, app: App) -> None:
    room = (MAX_BODY - 200) * 3 // 4 - len(CLAIMS)
    answer = app.hook.post(CALL | {"filler": "x" * room})
    assert answer.status == 200
    call = app.wait_for(f"/api/calls/{CALL['call_id']}")
    assert call["state"] == "ringing"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_by_name(app: App, method: str) -> None:
    answer = request(method, app.hook.url)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"


def test_a_slash_at_the_end_is_as_none(stack: Stack, app: App) -> None:
    answer = request("POST", app.hook.url + "/", app.hook.sign(CALL).encode())
    assert answer.status == 200
    assert len(stored(stack, app.app_id)) == 1


@pytest.mark.parametrize("path", ["/", "/nothing", "/webhook/dialpad", "/api/calls"])
def test_a_path_that_is_none_is_not_found(stack: Stack, path: str) -> None:
    body = stack.bare_hook.sign(CALL).encode()
    assert request("POST", stack.ingestd.url + path, body).status == 404
    assert request("GET", stack.ingestd.url + path).status == 404


MISDIRECTED = ["/webhooks", "/webhooks/zoom", "/webhooks/dialpad/{app}",
               "/webhooks/dialpad/{app}/0", "/webhooks/dialpad/{app}/01",
               "/webhooks/dialpad/{app}/1/more", "/webhooks/dialpad/{APP}/1",
               "/webhooks/dialpad/not-an-app/1"]


@pytest.mark.parametrize("path", MISDIRECTED)
def test_a_misdirected_webhook_is_asked_to_come_again(
    stack: Stack, app: App, path: str
) -> None:
    path = path.format(app=app.app_id, APP=app.app_id.upper())
    body = app.hook.sign(CALL).encode()
    answer = request("POST", stack.ingestd.url + path, body)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert stored(stack, app.app_id) == []
    assert stack.ingestd.log_contains(f"a webhook was sent to {path}, which is no hook")


def test_apid_asks_a_webhook_to_come_again_and_says_where_it_belongs(
    stack: Stack, app: App
) -> None:
    path = app.hook.url.removeprefix(stack.ingestd.url)
    answer = request("POST", stack.apid.url + path, app.hook.sign(CALL).encode())
    assert answer.status == 503
    assert stack.ingestd.url in answer.body.decode()


def test_while_the_database_is_down_the_sender_is_asked_to_come_again(
    own_stack: Stack,
) -> None:
    app = own_stack.create_app("patient")
    database, server = own_stack.database.name, own_stack.database.cluster
    server.psql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    server.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{database}'"
    )
    answer = app.hook.post(CALL)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert app.hook.post_body(b"forged").status == 401
    ready = own_stack.ingestd.ready()
    assert (ready.status, ready.json()["status"]) == (200, "ready")

    server.psql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    eventually(lambda: app.hook.post(CALL).status == 200, 10, "200 again")
    eventually(lambda: app.get("/api/calls").status == 200, 10, "apid is back")
    app.wait_for(f"/api/calls/{CALL['call_id']}")
