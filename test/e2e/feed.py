"""What must be equal whatever the order and the accidents: the rows, and what the feed has told."""

from __future__ import annotations

from collections import defaultdict

from cti import Stack

KEYS = {"calls": "call_id", "messages": "message_id", "voicemails": "call_id"}
Key = tuple[str, str, str]  # table or nothing, tenant, id

# How far a record has come. It may change its mind on a level, but never go down.
LEVELS = {
    "queued": 1, "ringing": 1, "connected": 2, "on_hold": 2, "parked": 2,
    "completed": 3, "missed": 3, "abandoned": 3, "voicemail": 3, "blocked": 3,
    "pending": 1, "success": 2, "failed": 2,
}


def rows(stack: Stack) -> dict[Key, dict]:
    """Every record in all its columns but those that depend on the receipt."""
    return {
        (table, app_id, str(dialpad_id)): row
        for table, key in KEYS.items()
        for app_id, dialpad_id, row in stack.sql(
            f"SELECT app_id::text, {key}, to_jsonb(t) - '{{created_at,updated_at}}'::text[]"
            f" FROM {table} t"
        )
    }


def last_told(stack: Stack) -> dict[Key, dict]:
    """The feed's last row of each object."""
    return {
        ("", app_id, object_id): data
        for app_id, object_id, data in stack.sql(
            "SELECT DISTINCT ON (app_id, object_id) app_id::text, object_id::text,"
            " data::jsonb - '{created_at,updated_at}'::text[]"
            " FROM change_feed ORDER BY app_id, object_id, seq DESC"
        )
    }


def check_same(got: dict[Key, dict], wanted: dict[Key, dict]) -> None:
    lost, invented = wanted.keys() - got.keys(), got.keys() - wanted.keys()
    assert not lost and not invented, f"{len(lost)} lost, {len(invented)} invented"
    for key, row in wanted.items():
        differing = {name for name in row if row[name] != got[key].get(name)}
        assert got[key] == row, f"{key} differs in {sorted(differing)}"


def check_feed(stack: Stack) -> None:
    """Numbers without gaps; each object begins and ends once; no status goes back."""
    told = defaultdict(list)
    numbers = defaultdict(list)
    for app_id, seq, kind, object_id, status in stack.sql(
        "SELECT app_id::text, seq, type, object_id::text, data ->> 'status' FROM change_feed"
        " ORDER BY app_id, seq"
    ):
        numbers[app_id].append(seq)
        told[object_id].append((kind, status))
    for app_id, seqs in numbers.items():
        assert seqs == list(range(1, len(seqs) + 1)), f"{app_id} has gaps"
    for object_id, story in told.items():
        kinds = [kind for kind, _ in story]
        for once in ("call.started", "call.ended", "voicemail.created"):
            assert kinds.count(once) <= 1, (object_id, story)
        news = [kind.endswith(("started", "received", "sent", "created")) for kind in kinds]
        assert not any(news[1:]), (object_id, story)
        levels = [LEVELS[status] for _, status in story if status is not None]
        assert levels == sorted(levels), (object_id, story)
