"""Records put straight into the tables, for tests of how they are read."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from cti import App, Stack


def ago(**units: float) -> datetime:
    """Whole milliseconds, as workerd writes instants."""
    at = datetime.now(UTC) - timedelta(**units)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def text(at: datetime) -> str:
    """As the API prints it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Rows:
    """Adds rows of one app; each method returns our id of the new record."""

    def __init__(self, stack: Stack, app: App):
        self.stack = stack
        self.app_id = app.app_id
        self._next_id = 5_000_000_000_000_000

    def call(self, **columns) -> str:
        return self._add("calls", "call_id", {"status": "completed", **columns}, folded=True)

    def message(self, **columns) -> str:
        return self._add("messages", "message_id", columns, folded=True)

    def voicemail(self, **columns) -> str:
        return self._add("voicemails", "call_id", columns, folded=False)

    def _add(self, table: str, key: str, columns: dict, folded: bool) -> str:
        self._next_id += 1
        at = columns.get("sort_at", ago())
        row = {
            "app_id": self.app_id,
            key: self._next_id,
            "id": str(uuid.uuid4()),
            "sort_at": at,
            "created_at": ago(),
            "updated_at": ago(),
            **({"first_event_at": at, "clocks": b""} if folded else {}),
            **columns,
        }
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join(["%s"] * len(row))
        self.stack.sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", *row.values())
        return row["id"]

    def many_calls(self, count: int) -> None:
        """One statement, one row a second back in time."""
        self.stack.sql(
            "INSERT INTO calls (app_id, call_id, id, status, sort_at, first_event_at, clocks,"
            " created_at, updated_at) SELECT %s, n, gen_random_uuid(), 'completed',"
            " date_trunc('second', now()) - n * interval '1 second', now(), '', now(), now()"
            " FROM generate_series(1, %s) AS n",
            self.app_id, count,
        )

    def event(self, call_id: int, event_type: str, at: datetime | None) -> str:
        event_id = str(uuid.uuid4())
        self.stack.sql(
            "INSERT INTO event_log (app_id, event_id, arrived_at, event_type, dialpad_event_id,"
            " event_at, payload) VALUES (%s, %s, now(), %s, %s, %s, '{}')",
            self.app_id, event_id, event_type, str(call_id), at,
        )
        return event_id
