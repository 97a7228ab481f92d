"""What people read of the schema: the view of events, and queries they know by heart."""

from __future__ import annotations

import uuid

from psycopg import Connection
from schema import ALICE

OUTCOMES = ("dead", "unclaimed", "assigned", "retired_hook", "unknown_app", "quarantined")


def add_event(conn: Connection, app: uuid.UUID, kind: str) -> uuid.UUID:
    event = uuid.uuid4()
    conn.execute(
        "INSERT INTO event_log (app_id, event_id, arrived_at, event_type, payload)"
        " VALUES (%s, %s, now(), %s, '{}')",
        [app, event, kind],
    )
    return event


def test_webhook_events_tells_what_became_of_each_event(owner: Connection) -> None:
    app = uuid.uuid4()
    # The type of each event is the verdict it should get.
    add_event(owner, app, "processed")
    for attempts, kind in ((0, "pending"), (2, "retrying")):
        owner.execute(
            "INSERT INTO event_queue (app_id, event_id, attempts, last_error)"
            " VALUES (%s, %s, %s, 'why')",
            [app, add_event(owner, app, kind), attempts],
        )
    for verdict in OUTCOMES:
        owner.execute(
            "INSERT INTO event_outcomes (app_id, received_at, event_id, verdict)"
            " VALUES (%s, now(), %s, %s)",
            [app, add_event(owner, app, verdict), verdict],
        )
    rows = owner.execute(
        "SELECT event_type, verdict, processed, archived, attempts, last_error"
        " FROM webhook_events WHERE app_id = %s",
        [app],
    ).fetchall()

    assert {kind for kind, *_ in rows} == {"processed", "pending", "retrying", *OUTCOMES}
    trouble = {"pending": (0, "why"), "retrying": (2, "why")}
    for kind, verdict, processed, archived, attempts, last_error in rows:
        assert verdict == kind and not archived
        assert processed == (kind in ("processed", "assigned"))
        assert (attempts, last_error) == trouble.get(kind, (0, None))


def test_queries_that_operators_know_run_as_the_owner(owner: Connection) -> None:
    for query in (
        "SELECT * FROM webhook_events WHERE processed = false",
        f"SELECT * FROM calls WHERE app_id = '{ALICE}' AND created_at > NOW() - INTERVAL"
        " '24 hours' ORDER BY started_at DESC LIMIT 50",
    ):
        assert owner.execute(query).fetchall() != []
    owner.execute("SELECT * FROM dialpad_connections WHERE dialpad_org_id = 123")
