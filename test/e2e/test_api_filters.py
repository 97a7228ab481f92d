"""What a client may write for a filter. What each finds among many rows is in test_list_plans.py."""

from __future__ import annotations

import pytest
from cti import App, Stack
from rows import Rows, ago, text


@pytest.fixture
def rows(stack: Stack, app: App) -> Rows:
    return Rows(stack, app)


def ids(app: App, path: str) -> list[str]:
    [records] = [value for value in app.get_json(path).values() if isinstance(value, list)]
    return [record["id"] for record in records]


@pytest.mark.parametrize("name", ["calls", "messages", "voicemails"])
@pytest.mark.parametrize("written", ["%2B14155550100", "+14155550100", "%2b14155550100"])
def test_a_number_may_be_written_with_a_plus_that_is_not_encoded(
    app: App, rows: Rows, name: str, written: str
):
    add = {"calls": rows.call, "messages": rows.message, "voicemails": rows.voicemail}[name]
    sent = add(**{"from": "+14155550100", "to": "+15105550199"})
    got = add(**{"from": "+15105550199", "to": "+14155550100"})
    add(**{"from": "+15105550199", "to": "+15105550198"})
    assert ids(app, f"/api/{name}?from={written}") == [sent]
    assert ids(app, f"/api/{name}?to={written}") == [got]
    assert sorted(ids(app, f"/api/{name}?number={written}")) == sorted([sent, got])


def test_a_short_code_has_no_plus(app: App, rows: Rows):
    message = rows.message(**{"from": "72345", "to": "+14155550100"})
    assert ids(app, "/api/messages?number=72345") == [message]
    assert ids(app, "/api/messages?number=%2B72345") == []


def test_status_takes_a_status_or_all_that_go_on_or_all_that_are_over(app: App, rows: Rows):
    live = {rows.call(status=s) for s in ("queued", "ringing", "connected", "on_hold", "parked")}
    over = {rows.call(status=s) for s in ("completed", "missed", "abandoned", "voicemail", "blocked")}
    assert set(ids(app, "/api/calls?status=active")) == live
    assert set(ids(app, "/api/calls?status=ended")) == over
    assert set(ids(app, "/api/calls?status=all")) == live | over
    assert len(ids(app, "/api/calls?status=parked")) == 1


def test_entry_legs_are_one_row_for_each_ring_group(app: App, rows: Rows):
    entry = rows.call(call_id=77, target_id=1)
    rows.call(entry_point_call_id=77, target_id=2)
    assert ids(app, "/api/calls?legs=entry") == [entry]
    assert len(ids(app, "/api/calls?legs=all")) == 2
    assert ids(app, "/api/calls?target_id=1") == [entry]


def test_active_calls_take_the_same_filters(app: App, rows: Rows):
    old = ago(days=3)
    ringing = rows.call(status="ringing", direction="inbound", created_at=old, sort_at=old,
                        **{"from": "+1", "to": "+2"})
    rows.call(status="connected", direction="outbound", **{"from": "+2", "to": "+3"})
    rows.call(status="completed", direction="inbound", **{"from": "+1", "to": "+2"})
    for query in ("status=ringing", "direction=inbound", "number=+1", "from=%2B1", "to=%2B2",
                  f"started_before={text(ago(days=2))}"):
        assert ids(app, f"/api/calls/active?{query}") == [ringing], query
    assert ids(app, "/api/calls/active?status=ended") == []


def test_a_call_that_came_long_after_its_time_is_in_the_default_window(app: App, rows: Rows):
    late = [rows.call(sort_at=ago(**age), created_at=ago(hours=1), direction="inbound")
            for age in ({"hours": 25, "minutes": 1}, {"days": 9}, {"days": 400})]
    prompt = rows.call(direction="inbound")
    # Before the window, but within the hour that does not count as late.
    late.insert(0, rows.call(sort_at=ago(hours=24, minutes=20), created_at=ago(hours=23, minutes=50),
                             direction="inbound"))
    rows.call(sort_at=ago(days=9), created_at=ago(days=8), direction="inbound")
    for order in ("", "&direction=inbound"):
        assert ids(app, f"/api/calls?{order}") == [prompt, *late]
        assert ids(app, f"/api/calls?order=asc{order}") == [*reversed(late), prompt]


@pytest.mark.parametrize(
    ("query", "said"),
    [("from=Ada", "telephone number"), ("to=%2B1+415", "telephone number"),
     ("number=%2B", "telephone number"), ("number=+1234567890123456", "telephone number"),
     ("number=4155550100", "telephone number"), ("number=%2B1%27--", "telephone number"),
     ("target_id=x", "id"), ("target_id=-1", "id"), ("target_id=99999999999999999999", "id"),
     ("status=over", "completed"), ("legs=both", "entry, all")],
)
def test_what_is_no_value_is_refused_and_a_right_one_shown(app: App, query: str, said: str):
    answer = app.get(f"/api/calls?{query}")
    assert answer.status == 400
    detail = answer.json()["detail"]
    assert f'"{query.split("=")[0]}"' in detail and said in detail


def test_each_list_names_its_own_filters(app: App):
    for name, allowed, other in (
        ("calls", "status from to number target_id legs updated_after", "sent_after"),
        ("messages", "direction from to number status sent_after sent_before", "target_id"),
        ("voicemails", "from to number target_id created_after created_before", "status"),
    ):
        answer = app.get(f"/api/{name}?{other}=1")
        assert answer.status == 400
        for word in allowed.split():
            assert word in answer.json()["detail"]
