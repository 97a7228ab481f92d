"""What ingestd tells an admin: a line for each event, and metrics."""

from __future__ import annotations

import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from cti import Daemon
from hook import Hook
from ingest import Books, Ingest, metric, new_claims, post
from ingest_fixtures import IngestMaker
from web import Answer, eventually, request

from test.sim import jws

MOST_VALUES = 200  # of a metric's label, beside "other"
LOCK_WAITERS = ("SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                " WHERE NOT granted AND datname = current_database()")


def lines(daemon: Daemon, event: str) -> list[dict]:
    return [line for line in daemon.lines() if line["event"] == event]


def metric_lines(daemon: Daemon, start: str) -> list[str]:
    text = request("GET", f"{daemon.ops_url}/metrics").body.decode()
    return [line for line in text.splitlines() if line.startswith(start)]


# Lines


def received(stack: Ingest, hook: Hook, claims: bytes) -> tuple[Answer, dict]:
    """The answer, and the one line about it."""
    before = len(lines(stack.ingestd, "webhook.received"))
    answer = hook.post_body(hook.sign_bytes(claims).encode())
    assert answer.status == 200
    [line] = lines(stack.ingestd, "webhook.received")[before:]
    return answer, line


def test_each_event_has_a_line_that_says_what_it_is_and_not_what_it_holds(
    run_ingestd: IngestMaker,
) -> None:
    with run_ingestd({}) as stack:
        claims = new_claims() | {"contact": {"name": "Somebody Nice", "phone": "+15550100"}}
        answer, line = received(stack, stack.my_hook(), jws.claim_bytes(claims))
        assert line["level"] == "info"
        assert line["msg"] == (f"Webhook received: hook={stack.app_id}/1 type=ringing"
                               f" id={claims['call_id']}")
        assert line["request_id"] == answer.headers["X-Request-Id"]
        _, line = received(stack, stack.bare_hook, jws.claim_bytes(new_claims()))
        assert line["msg"].startswith("Webhook received: hook=bare type=ringing id=")
        _, line = received(stack, stack.my_hook(), b"no json")
        assert line["msg"] == f"Webhook received: hook={stack.app_id}/1 type= id="
        assert not stack.ingestd.log_contains("Somebody Nice")
        assert not stack.ingestd.log_contains("no json")


def test_the_line_can_be_left_out(run_ingestd: IngestMaker) -> None:
    with run_ingestd({"LOG_EVENTS": "false"}) as stack:
        assert stack.my_hook().post(new_claims()).status == 200
        assert stack.my_hook().post_body(b"forged").status == 401
        assert lines(stack.ingestd, "webhook.bad_signature")
        assert not lines(stack.ingestd, "webhook.received")


# Metrics


def test_events_are_counted_by_what_became_of_them(run_ingestd: IngestMaker) -> None:
    with run_ingestd({}) as stack:
        server, begun = stack.ingestd, int(time.time())
        names = ("stored", "bad_signature", "misdirected", "too_large", "unavailable")
        counters = [f'cti_ingest_webhooks_total{{result="{name}"}}' for name in names]
        assert [metric(server, name) for name in counters] == [0] * 5
        for _ in range(3):
            assert stack.my_hook().post(new_claims()).status == 200
        assert stack.my_hook().post_body(b"forged").status == 401
        assert request("POST", f"{server.url}/webhooks/zoom", b"x").status == 503
        assert stack.my_hook().post_body(b"a" * 3_000_000).status == 413
        with stack.database_down():
            assert stack.my_hook().post(new_claims()).status == 503
        assert [metric(server, name) for name in counters] == [3, 1, 1, 1, 1]
        assert metric(server, "cti_ingest_commit_seconds_count") == 3
        assert metric(server, 'cti_ingest_groups_total{to="database"}') == 3
        assert metric(server, 'cti_ingest_grouped_events_total{to="database"}') == 3
        assert metric(server, 'cti_ingest_groups_total{to="nowhere"}') == 1
        assert begun <= metric(server, "cti_ingest_last_event_timestamp") <= time.time()


def test_events_that_wait_are_counted_and_make_a_group(run_ingestd: IngestMaker) -> None:
    with run_ingestd({}) as stack:
        assert stack.my_hook().post(new_claims()).status == 200
        waiting, books = "cti_ingest_waiting", Books()
        with ThreadPoolExecutor(4) as senders, stack.database.connect() as holder:
            holder.execute("LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE")
            senders.submit(post, stack.my_hook(), new_claims(), books)
            eventually(lambda: stack.sql(LOCK_WAITERS) == [(1,)], 2, "an event with the writer")
            for _ in range(3):
                senders.submit(post, stack.my_hook(), new_claims(), books)
            eventually(lambda: metric(stack.ingestd, waiting) == 3, 1.5, "three behind it")
            holder.rollback()
        assert books.seen() == {200}
        assert metric(stack.ingestd, waiting) == 0
        grouped = 'cti_ingest_grouped_events_total{to="database"}'
        eventually(lambda: metric(stack.ingestd, grouped) == 5, 5, "all are counted")
        assert metric(stack.ingestd, 'cti_ingest_groups_total{to="database"}') == 3


def test_forgeries_are_counted_by_hook_up_to_a_limit(run_ingestd: IngestMaker) -> None:
    with run_ingestd({}) as stack:
        total = "cti_ingest_bad_signatures_total"
        for times, hook in ((2, stack.my_hook()), (1, stack.bare_hook)):
            for _ in range(times):
                assert hook.post_body(b"forged").status == 401
        mine = f'{total}{{hook="{stack.app_id}/1"}}'
        assert metric(stack.ingestd, mine) == 2
        assert metric(stack.ingestd, f'{total}{{hook="bare"}}') == 1
        for _ in range(MOST_VALUES + 10):
            assert stack.hook(str(uuid.uuid4())).post_body(b"forged").status == 401
        assert stack.my_hook().post_body(b"forged").status == 401
        assert metric(stack.ingestd, mine) == 3
        assert metric(stack.ingestd, f'{total}{{hook="other"}}') == 12
        assert len(metric_lines(stack.ingestd, total)) == MOST_VALUES + 1


def test_the_spool_is_measured(run_ingestd: IngestMaker, spool_dir: Path) -> None:
    with run_ingestd({"INGEST_SPOOL_DIR": str(spool_dir)}) as stack:
        server, books = stack.ingestd, Books()
        files, size = 'cti_ingest_spool_files{kind="waiting"}', "cti_ingest_spool_bytes"
        age = "cti_ingest_spool_oldest_age_seconds"
        assert (metric(server, files), metric(server, size)) == (0, 0)
        with stack.database_down():
            for _ in range(2):
                assert post(stack.my_hook(), new_claims(), books) == 200
            eventually(lambda: metric(server, files) == 2, 5, "two files")
            written = sum(path.stat().st_size for path in spool_dir.glob("*.spool"))
            eventually(lambda: metric(server, size) == written, 5, "their size")
            eventually(lambda: metric(server, age) >= 1, 5, "an age")
        eventually(lambda: [metric(server, name) for name in (files, size, age)] == [0, 0, 0], 15,
                   "an empty spool")
        assert metric(server, "cti_ingest_replayed_events_total") == 2
        assert metric(server, 'cti_ingest_grouped_events_total{to="spool"}') == 2
        books.check(stack)


# A body that comes slowly may be a genuine event's


def test_a_sender_that_stalls_is_asked_to_come_again(run_ingestd: IngestMaker) -> None:
    with run_ingestd({}) as stack:
        where = urlsplit(stack.my_hook().url)
        body = stack.my_hook().sign(new_claims()).encode()
        head = f"POST {where.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((where.hostname, where.port), 10) as peer:
            peer.sendall(head.encode() + body[:-1])
            answer = b""
            while chunk := peer.recv(65536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: " in answer and b"\r\nConnection: close\r\n" in answer
        [line] = lines(stack.ingestd, "webhook.refused")
        assert line["msg"].startswith("status=503: ")
        assert metric(stack.ingestd, 'cti_ingest_webhooks_total{result="refused"}') == 1
        assert stack.log() == []
