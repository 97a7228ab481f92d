"""GET /ws: what a socket is sent, what it may say, and how it ends."""

from __future__ import annotations

import struct
import threading
import time

import pytest
from cti import App, Stack
from hook import payload
from live import (BINARY, CLOSE, PING, PONG, TEXT, Closed, Poller, Refused, Socket, frame,
                  open_socket, subscribed, ws_url)
from web import eventually, request

RINGING = payload("call_ringing_inbound_2024")
PROMISE_S = 5  # for a revoked key; a busy machine may be late
HANGUP = {"state": "hangup", "event_timestamp": RINGING["event_timestamp"] + 9}


def change(app: App, call_id: int, **members: object) -> None:
    assert app.hook.post(RINGING | {"call_id": call_id} | members).status == 200


def calls_of(opened: Socket, count: int) -> list[int]:
    return [opened.message()["data"]["call_id"] for _ in range(count)]


def test_ready_comes_first_and_then_every_change(stack: Stack, app: App) -> None:
    with open_socket(app) as opened:
        first = opened.message()
        assert first["type"] == "ready" and first["cursor"] and first["data"] == {"subscribed": False}
        change(app, 1)
        stack.wait_until_done()
        change(app, 1, **HANGUP)
        started, ended = opened.message(), opened.message()
    assert [started["type"], ended["type"]] == ["call.started", "call.ended"]
    assert set(started) == {"type", "cursor", "data"}
    shown = app.get_json("/api/calls/1")
    shown.pop("timeline")
    assert ended["data"] == shown


def test_sockets_and_polls_have_the_same_cursors(app: App) -> None:
    poller = Poller(app)
    poller.ask()
    with subscribed(app) as opened:
        for call_id in range(1, 5):
            change(app, call_id)
        messages = [opened.message() for _ in range(4)]
    events = poller.drain()
    assert [m["cursor"] for m in messages] == [event["cursor"] for event in events]
    assert [m["data"] for m in messages] == [event["data"] for event in events]


def test_a_socket_that_resumes_is_given_everything_once(stack: Stack, app: App) -> None:
    with subscribed(app) as opened:
        change(app, 1)
        cursor = opened.message()["cursor"]
    for call_id in range(2, 6):
        change(app, call_id)
    stack.wait_until_done()
    with open_socket(app) as opened:
        # At once, before `ready`: nothing is sent in between, live changes included.
        opened.subscribe(after=cursor)
        change(app, 6)
        assert opened.wait_subscribed()["cursor"] == cursor
        assert calls_of(opened, 5) == [2, 3, 4, 5, 6]
        assert opened.is_silent(0.5)


CHANGE = (
    "WITH head AS (UPDATE tenant_heads SET last_seq = last_seq + 1 WHERE app_id = %s"
    " RETURNING last_seq) INSERT INTO change_feed (app_id, seq, type, data)"
    " SELECT %s, last_seq, 'call.updated', '{}' FROM head"
)


def test_nothing_comes_between_a_subscribe_and_its_ready(stack: Stack, app: App) -> None:
    """A client passes over what it is sent before: it would miss that."""
    ended = threading.Event()

    def write() -> None:
        with stack.database.connect(autocommit=True) as conn:
            while not ended.wait(0.001):
                conn.execute(CHANGE, (app.app_id, app.app_id))
                conn.execute("NOTIFY cti_feed")

    writer = threading.Thread(target=write, daemon=True)
    with subscribed(app):  # so that there are pages of the feed to be given
        writer.start()
        try:
            for _ in range(100):
                with open_socket(app) as opened:
                    cursor = opened.message()["cursor"]
                    opened.subscribe(after=cursor)
                    assert opened.wait_subscribed()["cursor"] == cursor
        finally:
            ended.set()
            writer.join()


def add_changes(stack: Stack, app: App, count: int, size: str) -> None:
    """To the feed, past workerd; `size` is SQL for the bytes of change `n`, from 1."""
    stack.sql(
        "WITH head AS (UPDATE tenant_heads SET last_seq = last_seq + %s WHERE app_id = %s"
        " RETURNING last_seq - %s AS base) INSERT INTO change_feed (app_id, seq, type, data)"
        f" SELECT %s, base + n, 'call.updated', json_build_object('n', n, 'fill', repeat('x', {size}))"
        " FROM head, generate_series(1, %s) AS n",
        count, app.app_id, count, app.app_id, count,
    )


def test_thousands_of_changes_are_resumed_through_a_slow_reader(stack: Stack, app: App) -> None:
    place = Poller(app)
    place.ask()
    count = 3000
    add_changes(stack, app, count, "2000")
    with open_socket(app) as opened:
        opened.subscribe(after=place.cursor)
        seen = []
        while len(seen) < count:
            message = opened.message()
            if message["type"] == "call.updated":
                seen.append(message["data"]["n"])
            if len(seen) in (1, 1000, 2000):
                time.sleep(0.3)
    assert seen == list(range(1, count + 1))


def test_who_resumes_is_given_no_more_than_its_queue_holds(stack: Stack, app: App) -> None:
    """The first change is out at once, the others are not: that is no reason to give it more."""
    place = Poller(app)
    place.ask()
    count = 12
    add_changes(stack, app, count, "CASE n WHEN 1 THEN 1 ELSE 250000 END")
    with open_socket(app) as opened:
        opened.shrink_window(65536)
        opened.subscribe(after=place.cursor)
        opened.wait_subscribed()
        time.sleep(1)
        assert [opened.message()["data"]["n"] for _ in range(count)] == list(range(1, count + 1))


def test_only_the_types_asked_for_are_sent(stack: Stack, app: App) -> None:
    with subscribed(app, types=["call.ended"]) as opened:
        change(app, 1)
        stack.wait_until_done()
        change(app, 1, **HANGUP)
        assert opened.message()["type"] == "call.ended"
        opened.subscribe(types=["call.started"])
        assert opened.message()["type"] == "ready"
        change(app, 2)
        assert opened.message()["type"] == "call.started"


def test_a_cursor_too_old_is_told_by_resync(stack: Stack, app: App) -> None:
    poller = Poller(app)
    old = poller.ask()["next_cursor"]
    for call_id in (1, 2):
        change(app, call_id)
    stack.wait_until_done()
    stack.sql("DELETE FROM change_feed WHERE app_id = %s AND seq = 1", app.app_id)
    with subscribed(app, after=old) as opened:
        message = opened.message()
        assert message["type"] == "resync"
        change(app, 3)
        assert opened.message()["data"]["call_id"] == 3
    poller.cursor = message["cursor"]
    assert [event["data"]["call_id"] for event in poller.drain()] == [3]


@pytest.mark.parametrize(
    "said, complaint",
    [
        ('{"type":"unsubscribe"}', "subscribe"),
        ('{"types":[]}', "type"),
        ("[]", "object"),
        ("hello", "JSON"),
        ('{"type":"subscribe","types":["call.exploded"]}', "call.exploded"),
        ('{"type":"subscribe","types":"call.ended"}', "array"),
        ('{"type":"subscribe","after":"nonsense"}', "after"),
        ('{"type":"subscribe","after":7}', "after"),
        ('{"type":"subscribe","before":"x"}', "before"),
    ],
)
def test_what_is_not_understood_is_answered_and_changes_nothing(
    app: App, said: str, complaint: str
) -> None:
    with subscribed(app, types=["call.started"]) as opened:
        opened.send_bytes(frame(TEXT, said.encode()))
        answer = opened.message()
        assert answer["type"] == "error" and complaint in answer["data"]["error"], answer
        change(app, 1)
        assert opened.message()["type"] == "call.started"


def test_another_apps_cursor_is_refused(stack: Stack, app: App) -> None:
    other = stack.create_app("another")
    cursor = Poller(other).ask()["next_cursor"]
    with subscribed(app) as opened:
        opened.subscribe(after=cursor)
        assert opened.message()["type"] == "error"


def test_an_app_sees_its_own_changes_alone(stack: Stack, app: App) -> None:
    other = stack.create_app("another")
    with subscribed(app) as mine, subscribed(other) as theirs:
        change(app, 1)
        change(other, 2)
        assert calls_of(mine, 1) == [1]
        assert calls_of(theirs, 1) == [2]
        assert mine.is_silent(0.3) and theirs.is_silent(0.3)


def metrics(stack: Stack) -> str:
    return request("GET", f"{stack.apid.ops_url}/metrics").body.decode()


# RFC 6455, and what breaks it


MISUSE = {
    "unmasked": (b"\x81\x02hi", 1002),
    "first reserved bit": (frame(TEXT, b"hi", first=0xC1), 1002),
    "second reserved bit": (frame(TEXT, b"hi", first=0xA1), 1002),
    "unknown kind": (frame(3, b""), 1002),
    "goes on with nothing": (frame(0, b"goes on"), 1002),
    "ping in fragments": (frame(PING, b"x", first=PING), 1002),
    "message inside another": (frame(TEXT, b"one", first=TEXT) + frame(TEXT, b"two"), 1002),
    "long ping": (frame(PING, b"x" * 126), 1002),
    "half a close code": (frame(CLOSE, b"\x03"), 1002),
    "reserved close code": (frame(CLOSE, struct.pack(">H", 1005)), 1002),
    "binary": (frame(BINARY, b"hi"), 1003),
    "no UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "close reason is no UTF-8": (frame(CLOSE, struct.pack(">H", 1000) + b"\xff"), 1007),
    "too long": (frame(TEXT, b"x" * 20000), 1009),
    "two gigabytes to come": (b"\x81\xff\x00\x00\x00\x00\x7f\xff\xff\xffmask", 1009),
    "too long in fragments": (frame(TEXT, b"x" * 9000, first=TEXT) + frame(0, b"x" * 9000), 1009),
}


@pytest.mark.parametrize("kind", MISUSE)
def test_misuse_is_closed_with_the_right_code_and_harms_nobody(
    app: App, kind: str
) -> None:
    raw, code = MISUSE[kind]
    with subscribed(app) as bystander, open_socket(app) as opened:
        opened.send_bytes(raw)
        assert opened.close_code() == code
        change(app, 1)
        assert calls_of(bystander, 1) == [1]


def test_a_message_in_fragments_is_a_message(app: App) -> None:
    with open_socket(app) as opened:
        assert opened.message()["type"] == "ready"
        whole = b'{"type":"subscribe","types":["call.ended"]}'
        opened.send_bytes(frame(TEXT, whole[:10], first=TEXT) + frame(PING, b"?")
                          + frame(0, whole[10:], first=0) + frame(0, b""))
        assert opened.frame() == (PONG, b"?")
        assert opened.message()["type"] == "ready"


def test_a_close_is_answered(app: App) -> None:
    with open_socket(app) as opened:
        opened.send_bytes(frame(CLOSE, struct.pack(">H", 1001)))
        assert opened.close_code() == 1001


def test_a_plain_get_is_told_to_upgrade(app: App) -> None:
    answer = app.get("/ws")
    assert answer.status == 426
    assert answer.headers["Sec-WebSocket-Version"] == "13"


# Ends


def test_a_socket_that_does_not_read_is_closed_and_nobody_waits_for_it(
    stack: Stack, app: App
) -> None:
    with subscribed(app) as slow, subscribed(app) as other:
        slow.shrink_window()
        n = -1
        while 'cti_live_closed_total{code="4408"}' not in metrics(stack):
            n += 1
            stack.sql(
                "WITH head AS (UPDATE tenant_heads SET last_seq = last_seq + 1 WHERE app_id = %s"
                " RETURNING last_seq) INSERT INTO change_feed (app_id, seq, type, data)"
                " SELECT %s, last_seq, 'call.updated', json_build_object('n', %s::int,"
                " 'fill', repeat('x', 200000)) FROM head",
                app.app_id, app.app_id, n,
            )
            stack.sql("NOTIFY cti_feed")
            assert other.message()["data"]["n"] == n
        # It is told, once it reads.
        last = -1
        with pytest.raises(Closed) as end:
            while True:
                message = slow.message()
                assert message["data"]["n"] == last + 1
                last, cursor = last + 1, message["cursor"]
    assert end.value.code == 4408
    with subscribed(app, after=cursor) as again:
        assert [again.message()["data"]["n"] for _ in range(n - last)] == list(
            range(last + 1, n + 1)
        )


def test_a_revoked_key_closes_its_sockets_within_seconds(stack: Stack, app: App) -> None:
    with subscribed(app) as opened:
        begun = time.monotonic()
        stack.sql("UPDATE api_keys SET revoked_at = now() WHERE app_id = %s", app.app_id)
        assert opened.close_code() == 4401
        assert time.monotonic() - begun < 2 * PROMISE_S


def refused_with(app: App) -> int | None:
    """The status that a new socket is refused with; None: it is opened."""
    try:
        open_socket(app).close()
    except Refused as refusal:
        return refusal.status
    return None


def test_a_disabled_app_closes_its_sockets_within_seconds(stack: Stack, app: App) -> None:
    with subscribed(app) as opened:
        begun = time.monotonic()
        stack.sql("UPDATE apps SET is_active = false WHERE app_id = %s", app.app_id)
        assert opened.close_code() == 4403
        assert time.monotonic() - begun < 2 * PROMISE_S
    # Nobody has notified apid, which believes what it knows of a key for some seconds.
    eventually(lambda: refused_with(app) == 403, 20, "a new socket is refused")


def test_a_restart_is_told_and_waiting_polls_are_answered(run_stack) -> None:
    """Nobody is waited for: apid would give them longer than the test has patience."""
    with run_stack({"apid": {"DRAIN_TIMEOUT_MS": "120000"}}) as stack:
        app = stack.create_app("restarted")
        poller = Poller(app)
        cursor = poller.ask()["next_cursor"]
        waiting = threading.Thread(target=lambda: poller.ask(wait=30), daemon=True)
        with subscribed(app) as opened:
            waiting.start()
            eventually(lambda: "cti_live_subscribers 2\n" in metrics(stack), 20, "a poll that waits")
            begun = time.monotonic()
            stack.apid.terminate()
            assert opened.close_code() == 1012
        waiting.join()
        assert time.monotonic() - begun < 25, "answered before its time was up"
        assert poller.cursor == cursor
        assert stack.apid.wait() == 0
        stack.apid.start()
        stack.apid.wait_ready()
        change(app, 1)
        assert [event["data"]["call_id"] for event in poller.ask(wait=30)["events"]] == [1]


def test_places_are_limited_per_app_and_in_all(run_stack) -> None:
    limits = {"LIVE_MAX_SOCKETS": "5", "LIVE_MAX_SOCKETS_PER_APP": "3"}
    with run_stack({"apid": limits}) as stack:
        one, two = stack.create_app("one"), stack.create_app("two")
        first = [open_socket(one) for _ in range(3)]
        with pytest.raises(Refused) as refusal:
            open_socket(one)
        assert refusal.value.status == 503
        poll = request("GET", f"{one.api_url}/api/events", headers={"x-app-api-key": one.api_key})
        cursor = poll.json()["next_cursor"]
        assert one.get(f"/api/events?after={cursor}&wait=5").status == 503
        second = [open_socket(two) for _ in range(2)]
        with pytest.raises(Refused):
            open_socket(two)
        # Whoever leaves makes room.
        second.pop().close()

        def opened_again() -> bool:
            try:
                second.append(open_socket(two))
            except Refused:
                return False
            return True

        eventually(opened_again, 20, "room for another")
        # So does one whose key was revoked, and one that never shows a key.
        for opened in first + second:
            opened.close()
        eventually(lambda: "cti_live_subscribers 0\n" in metrics(stack), 20, "nobody left")
        stranger = Socket(ws_url(one))
        with pytest.raises(Refused):
            Socket(ws_url(one))
        assert stranger.close_code() == 4401
