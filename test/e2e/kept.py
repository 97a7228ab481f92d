"""Nothing acknowledged is lost, nothing is doubled: the books of a delivery, audited."""

from __future__ import annotations

from collections import Counter, defaultdict

from cti import App, Stack
from truth import check_truth, everything

from test.sim import jws
from test.sim.delivery import Parcel
from test.sim.model import Play

LISTS = ("calls", "messages", "voicemails")


def check_kept(stack: Stack, app: App, plays: list[Play], parcels: list[Parcel]) -> None:
    """Waits for the workers, then compares what was acknowledged with what is there."""
    stack.wait_until_done()
    check_log(stack, app, parcels)
    check_records(app, plays, parcels)
    check_feed(stack, app)


def check_log(stack: Stack, app: App, parcels: list[Parcel]) -> None:
    """Each acknowledged body is in the log, as often as it was acknowledged, and done."""
    rows = stack.sql(
        "SELECT payload::text, verdict FROM webhook_events WHERE app_id = %s", app.app_id
    )
    assert {verdict for _, verdict in rows} == {"processed"}
    acknowledged = Counter(
        jws.claim_bytes(parcel.event.claims).decode()
        for parcel in parcels
        if parcel.acknowledged
    )
    missing = acknowledged - Counter(text for text, _ in rows)
    assert not missing, f"{missing.total()} acknowledged events are not in the log"


def check_records(app: App, plays: list[Play], parcels: list[Parcel]) -> None:
    """Where all events of a record were acknowledged, it is as the truth says."""
    shown = Counter(
        record["call_id" if plural == "calls" else "message_id"]
        for plural in ("calls", "messages")
        for record in everything(app, plural)
    )
    assert set(shown.values()) == {1}
    sent, acknowledged = defaultdict(set), defaultdict(set)
    for parcel in parcels:
        sent[parcel.event.dialpad_id].add(id(parcel.event))
        if parcel.acknowledged:
            acknowledged[parcel.event.dialpad_id].add(id(parcel.event))
    assert acknowledged.keys() <= shown.keys() <= sent.keys()
    for play in plays:
        for truth in play.truths:
            key = getattr(truth, "call_id", None) or truth.message_id
            if acknowledged[key] == sent[key]:
                check_truth(app, truth)


def check_feed(stack: Stack, app: App) -> None:
    """Numbered without gaps; each object's last row is the object as the API has it.

    But for updated_at: an event that brings nothing new moves it, and is not told.
    """
    rows = stack.sql(
        "SELECT seq, object_id::text, data FROM change_feed"
        " WHERE app_id = %s ORDER BY seq",
        app.app_id,
    )
    assert [seq for seq, *_ in rows] == list(range(1, len(rows) + 1))
    head = stack.sql("SELECT last_seq FROM tenant_heads WHERE app_id = %s", app.app_id)
    assert head == [(len(rows),)]
    last = {object_id: data for _, object_id, data in rows}
    objects = {
        record["id"]: record for plural in LISTS for record in everything(app, plural)
    }
    assert last.keys() == objects.keys()
    for object_id, shown in objects.items():
        told = last[object_id]
        assert told["updated_at"] <= shown["updated_at"]
        assert told | {"updated_at": shown["updated_at"]} == shown
