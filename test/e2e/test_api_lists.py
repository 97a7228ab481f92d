"""The lists of calls, messages and voicemails: what they show, and how one walks them."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from cti import App, Stack
from rows import Rows, ago, text


@pytest.fixture
def rows(stack: Stack, app: App) -> Rows:
    return Rows(stack, app)


def ids(page: dict, name: str = "calls") -> list[str]:
    return [item["id"] for item in page[name]]


def walk(app: App, query: str, by: str, between=lambda: None) -> list[str]:
    """All pages of /api/calls, by "cursor" or "offset"."""
    seen: list[str] = []
    step = ""
    while True:
        page = app.get_json(f"/api/calls?{query}{step}")
        seen += ids(page)
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return seen
        between()
        step = f"&cursor={page['next_cursor']}" if by == "cursor" else f"&offset={len(seen)}"


def refused(app: App, path: str) -> str:
    answer = app.get(path)
    assert answer.status == 400, (path, answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.json()["detail"]


# What they show


@pytest.mark.parametrize("name", ["calls", "messages", "voicemails"])
def test_an_empty_list_has_all_its_members(app: App, name: str):
    assert app.get_json(f"/api/{name}") == {
        name: [], "total": 0, "limit": 50, "offset": 0, "has_more": False, "next_cursor": None,
    }


def test_ids_of_sixteen_digits_come_back_digit_for_digit(app: App, rows: Rows):
    rows.call(call_id=5137304475768569, target_id=6286560707051431)
    for path in ("/api/calls", "/api/calls/5137304475768569"):
        body = app.get(path).body
        assert b'"call_id":5137304475768569,' in body
        assert b'"id":6286560707051431,' in body


def test_newest_first_and_of_equal_times_the_greater_id(app: App, rows: Rows):
    same = ago(minutes=5)
    twins = sorted(rows.call(sort_at=same) for _ in range(3))
    newest, oldest = rows.call(sort_at=ago(minutes=1)), rows.call(sort_at=ago(minutes=9))
    assert ids(app.get_json("/api/calls")) == [newest, *reversed(twins), oldest]
    assert ids(app.get_json("/api/calls?order=asc")) == [oldest, *twins, newest]


def test_messages_and_voicemails_are_listed_like_calls(app: App, rows: Rows):
    message = rows.message(direction="inbound", text="Grüße 👋", to_numbers="[\"+1\"]")
    voicemail = rows.voicemail(duration=4000)
    assert ids(app.get_json("/api/messages?direction=inbound"), "messages") == [message]
    assert app.get_json("/api/messages?direction=outbound")["messages"] == []
    assert ids(app.get_json("/api/voicemails"), "voicemails") == [voicemail]
    assert app.get_json(f"/api/messages/{message}")["text"] == "Grüße 👋"
    assert app.get_json(f"/api/voicemails/{voicemail}")["duration"] == 4000


def test_a_direction_narrows_the_list_and_its_total(app: App, rows: Rows):
    inbound, outbound = rows.call(direction="inbound"), rows.call(direction="outbound")
    page = app.get_json("/api/calls?direction=inbound")
    assert (ids(page), page["total"]) == ([inbound], 1)
    assert ids(app.get_json("/api/calls?direction=outbound")) == [outbound]
    for everything in ("all", "", "undefined", "null"):
        assert app.get_json(f"/api/calls?direction={everything}")["total"] == 2


# Times


def test_the_default_window_is_of_creation_and_any_time_asked_for_ends_it(app: App, rows: Rows):
    late = rows.call(sort_at=ago(days=9), created_at=ago(hours=1))
    old = rows.call(sort_at=ago(hours=30), created_at=ago(hours=30), updated_at=ago(hours=29))
    assert ids(app.get_json("/api/calls")) == [late]
    for query, found in (
        (f"started_after={text(ago(days=3))}", [old]),
        (f"started_before={text(ago(days=3))}", [late]),
        (f"started_before={int(ago(days=3).timestamp() * 1000)}", [late]),
        (f"updated_after={text(ago(days=99))}", [old, late]),
        (f"updated_after={text(ago(hours=28))}", [late]),
    ):
        assert ids(app.get_json(f"/api/calls?{query}")) == found, query


def test_a_time_filter_includes_its_beginning_and_not_its_end(app: App, rows: Rows):
    at = ago(hours=2)
    call = rows.call(sort_at=at)
    assert ids(app.get_json(f"/api/calls?started_after={text(at)}")) == [call]
    assert ids(app.get_json(f"/api/calls?started_before={text(at)}")) == []


def test_the_plus_of_an_offset_may_be_left_as_it_is(app: App, rows: Rows):
    at = ago(hours=2)
    call = rows.call(sort_at=at)
    local = at.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat("T", "milliseconds")
    assert local.endswith("+05:30")
    for plus in ("+", "%2B", "%20"):
        given = local.replace("+", plus)
        assert ids(app.get_json(f"/api/calls?started_after={given}")) == [call]
        assert ids(app.get_json(f"/api/calls?started_before={given}")) == []
    refused = app.get(f"/api/calls?started_after={local.replace('T', '%20')}")
    assert refused.status == 400 and "started_after" in refused.json()["detail"]


def test_messages_and_voicemails_have_their_own_names_of_times(app: App, rows: Rows):
    message = rows.message(sort_at=ago(days=4), created_at=ago(days=4))
    voicemail = rows.voicemail(created_at=ago(days=4))
    since = text(ago(days=5))
    assert ids(app.get_json(f"/api/messages?sent_after={since}"), "messages") == [message]
    assert app.get_json(f"/api/messages?sent_before={since}")["messages"] == []
    found = app.get_json(f"/api/voicemails?created_after={since}")
    assert ids(found, "voicemails") == [voicemail]
    assert app.get_json(f"/api/voicemails?created_before={since}")["voicemails"] == []


# Paging


@pytest.mark.parametrize("by", ["cursor", "offset"])
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_a_walk_meets_every_row_once(app: App, rows: Rows, by: str, order: str):
    same = ago(minutes=5)
    made = [rows.call(sort_at=same) for _ in range(7)] + [rows.call() for _ in range(6)]
    seen = walk(app, f"limit=3&order={order}", by)
    assert sorted(seen) == sorted(made)


def test_a_walk_by_cursor_meets_every_row_once_while_others_come_in(app: App, rows: Rows):
    made = [rows.call(sort_at=ago(minutes=n)) for n in range(20)]
    seen = walk(app, "limit=3", "cursor", between=lambda: (rows.call(), rows.call()))
    assert seen == made


def test_a_cursor_is_good_for_its_list_its_order_and_its_app_only(stack: Stack, app: App, rows: Rows):
    for _ in range(3):
        rows.call()
    other = stack.create_app("another")
    cursor = app.get_json("/api/calls?limit=1")["next_cursor"]
    forged = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    assert len(ids(app.get_json(f"/api/calls?cursor={cursor}"))) == 2
    for reader, path in (
        (app, f"/api/messages?cursor={cursor}"),
        (app, f"/api/calls?order=asc&cursor={cursor}"),
        (other, f"/api/calls?cursor={cursor}"),
        (app, f"/api/calls?cursor={forged}"),
        (app, f"/api/calls?cursor={cursor}A"),
        (app, "/api/calls?cursor=x"),
        (app, f"/api/calls?cursor={cursor}&offset=1"),
    ):
        assert '"cursor"' in refused(reader, path), path


def test_the_total_is_exact_up_to_ten_thousand_and_then_says_so(app: App, rows: Rows):
    rows.many_calls(10_000)
    page = app.get_json("/api/calls?limit=1")
    assert page["total"] == 10_000 and "total_is_capped" not in page
    rows.call()
    page = app.get_json("/api/calls?limit=1")
    assert page["total"] == 10_000 and page["total_is_capped"] is True
    assert "total" not in app.get_json("/api/calls?limit=1&total=false")


# What they refuse


def test_an_unknown_parameter_is_refused_with_the_list_of_the_known(app: App):
    detail = refused(app, "/api/calls?form=%2B1")
    assert '"form"' in detail
    for name in ("direction", "started_after", "limit", "cursor", "order", "total"):
        assert name in detail


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "offset=-1", "offset=9999999", "order=up", "total=1",
     "direction=sideways", "started_after=yesterday", "started_before=2026-02-30T00:00:00Z",
     "updated_after=99999999999999999", "limit=1&limit=2"],
)
def test_a_bad_value_is_refused_by_name(app: App, query: str):
    assert f'"{query.split("=")[0]}"' in refused(app, f"/api/calls?{query}")


# Calls that go on now


def test_active_calls_come_whole_without_the_window(app: App, rows: Rows):
    live = [
        rows.call(status=status, sort_at=ago(days=2, minutes=n), created_at=ago(days=2))
        for n, status in enumerate(("queued", "ringing", "connected", "on_hold", "parked"))
    ]
    rows.call(status="completed")
    page = app.get_json("/api/calls/active")
    assert ids(page) == live
    assert set(page) == {"calls", "total"} and page["total"] == 5
    assert ids(app.get_json("/api/calls/active?limit=2&order=asc")) == live[:-3:-1]
    assert "allowed" in refused(app, "/api/calls/active?offset=1")
