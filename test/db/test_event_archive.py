"""Old days leave the event log, into an archive that the view reads, or for good."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import psycopg
import pytest
from cluster import Cluster
from psycopg import Connection
from schema import ALICE, BOB, add_old_event, login, make_day, names, partitions

DENIED = psycopg.errors.InsufficientPrivilege
DAY = date(2021, 3, 28)
DAY_OF_THE_LOG = ("event_log", "event_outcomes")


@pytest.fixture
def old_day(owner: Connection) -> dict[str, uuid.UUID]:
    """A day of the log with events of two tenants; ids by what became of them."""
    for parent in DAY_OF_THE_LOG:
        make_day(owner, parent, DAY)
    return {
        "processed": add_old_event(owner, ALICE, day=DAY),
        "dead": add_old_event(owner, ALICE, "dead", DAY),
        "assigned": add_old_event(owner, BOB, "assigned", DAY),
    }


def retire(owner: Connection, archive: bool) -> list[str]:
    """All that is older than a year; the days it names."""
    days = []
    while (row := owner.execute("SELECT retire_events(365, %s)", [archive]).fetchone())[0]:
        days.append(row[0])
    return days


def shown(owner: Connection, ids: dict[str, uuid.UUID]) -> dict[str, tuple]:
    rows = owner.execute(
        "SELECT id, app_id, verdict, processed, archived FROM webhook_events"
        " WHERE id = ANY (%s)", [list(ids.values())],
    ).fetchall()
    names_of = {event: name for name, event in ids.items()}
    return {names_of[event]: tuple(rest) for event, *rest in rows}


def test_an_archived_day_is_shown_as_it_was_and_marked(
    owner: Connection, old_day: dict[str, uuid.UUID]
) -> None:
    assert retire(owner, archive=True) == [str(DAY)]
    assert shown(owner, old_day) == {
        "processed": (ALICE, "processed", True, True),
        "dead": (ALICE, "dead", False, True),
        "assigned": (BOB, "assigned", True, True),
    }
    assert not {f"{p}_{DAY:%Y%m%d}" for p in DAY_OF_THE_LOG} & set(partitions(owner))


def test_the_archive_shows_apid_one_tenant_and_lets_it_change_nothing(
    owner: Connection, old_day: dict[str, uuid.UUID]
) -> None:
    retire(owner, archive=True)
    owner.execute("SET LOCAL ROLE cti_api")
    assert shown(owner, old_day) == {}
    owner.execute(f"SET LOCAL cti.app_id = '{BOB}'")
    assert set(shown(owner, old_day)) == {"assigned"}
    for part in ("event_log_archive", f"event_log_{DAY:%Y%m%d}"):
        with pytest.raises(DENIED), owner.transaction():
            owner.execute(f"DELETE FROM {part}")
    with pytest.raises(DENIED), owner.transaction():
        owner.execute(f"SELECT 1 FROM event_log_{DAY:%Y%m%d}")


def test_archiving_reads_no_row_and_builds_no_index(
    owner: Connection, old_day: dict[str, uuid.UUID]
) -> None:
    files = (
        "SELECT relname::text, relfilenode FROM pg_class"
        f" WHERE relname LIKE 'event_log_{DAY:%Y%m%d}%%' ORDER BY relname"
    )
    before = owner.execute(files).fetchall()
    heard = []
    owner.add_notice_handler(lambda notice: heard.append(notice.message_primary))
    owner.execute("SET LOCAL client_min_messages = 'debug1'")
    retire(owner, archive=True)
    # PostgreSQL says so, at this level, for each table whose scan it could leave out.
    proven = [text for text in heard if "is implied by existing constraints" in text]
    assert len(proven) == len(DAY_OF_THE_LOG)
    assert owner.execute(files).fetchall() == before and len(before) == 4


def test_new_days_are_ready_to_be_archived(owner: Connection) -> None:
    owner.execute("SELECT ensure_partitions(40)")
    ready = names(owner, "SELECT conrelid::regclass::text FROM pg_constraint"
                  " WHERE conname = 'one_day'")
    assert {part for part in partitions(owner) if part.startswith("event_")} <= set(ready)


def test_dropping_takes_what_was_archived_before_too(
    owner: Connection, old_day: dict[str, uuid.UUID]
) -> None:
    retire(owner, archive=True)
    for parent in DAY_OF_THE_LOG:
        make_day(owner, parent, DAY + timedelta(days=1))
    days = retire(owner, archive=False)
    assert days[-2:] == [str(DAY), str(DAY + timedelta(days=1))]
    assert shown(owner, old_day) == {}
    assert names(owner, "SELECT 1 FROM webhook_events WHERE archived") == []


def test_a_day_with_events_in_the_queue_stays(
    owner: Connection, old_day: dict[str, uuid.UUID]
) -> None:
    owner.execute(
        "INSERT INTO event_queue (app_id, event_id, received_at)"
        " SELECT app_id, event_id, received_at FROM event_log WHERE event_id = %s",
        [old_day["processed"]],
    )
    with pytest.raises(psycopg.errors.ObjectInUse), owner.transaction():
        retire(owner, archive=True)
    assert shown(owner, old_day)["processed"] == (ALICE, "pending", False, False)


def test_what_is_not_old_enough_stays(owner: Connection) -> None:
    while owner.execute("SELECT retire_events(1, false)").fetchone()[0]:
        continue  # the day before yesterday, if midnight has passed since the tests began
    before = partitions(owner)
    yesterday = min(part for part in before if part.startswith("event_log_2"))
    make_day(owner, "event_log", date.fromisoformat(yesterday[-8:]) - timedelta(days=1))
    assert owner.execute("SELECT retire_events(2, true)").fetchone() == (None,)
    assert owner.execute("SELECT retire_events(1, true)").fetchone() != (None,)
    assert owner.execute("SELECT retire_events(1, true)").fetchone() == (None,)
    assert partitions(owner) == before


def test_old_days_of_the_feed_are_dropped(owner: Connection) -> None:
    before = set(partitions(owner))
    for days in (0, 1):
        make_day(owner, "change_feed", DAY + timedelta(days=days))
    assert owner.execute("SELECT retire_feed(7)").fetchone() == (str(DAY),)
    assert owner.execute("SELECT retire_feed(7)").fetchone() == ("2021-03-29",)
    assert owner.execute("SELECT retire_feed(7)").fetchone() == (None,)
    assert set(partitions(owner)) == before


def test_a_reader_of_the_log_is_waited_for_no_longer_than_a_second(
    cluster: Cluster, migrated: str, owner: Connection, old_day: dict[str, uuid.UUID]
) -> None:
    owner.commit()
    try:
        owner.execute("SELECT count(*) FROM event_log")
        with login(cluster, "cti_worker", migrated) as worker:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                worker.execute("SELECT retire_events(365, true)")
            assert worker.execute("SHOW lock_timeout").fetchone() == ("10s",)
    finally:
        owner.rollback()
        for parent in DAY_OF_THE_LOG:
            owner.execute(f"DROP TABLE {parent}_{DAY:%Y%m%d}")
        owner.commit()


@pytest.mark.parametrize("role", ["cti_ingest", "cti_api", "cti_admin", "cti_readonly"])
@pytest.mark.parametrize("call", ["retire_events(90, false)", "retire_feed(7)"])
def test_only_workerd_may_retire(owner: Connection, role: str, call: str) -> None:
    owner.execute(f"SET LOCAL ROLE {role}")
    with pytest.raises(DENIED):
        owner.execute(f"SELECT {call}")


@pytest.mark.parametrize("call", [
    "retire_events(0, true)", "retire_events(-1, false)", "retire_events(NULL, true)",
    "retire_events(90, NULL)", "retire_feed(0)", "retire_feed(36501)",
])
def test_absurd_arguments_are_refused(owner: Connection, call: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        owner.execute(f"SELECT {call}")
