"""Daemons on a schema that is one change behind them, and on one that is a change ahead."""

from __future__ import annotations

import dataclasses

from cti import Stack
from migrate import migrate
from psycopg import errors, sql
from running import Ground
from upgrade import MainJob, template_before_the_last_change
from web import eventually

# What a release may do to the schema while the one before runs, on every table.
EXPAND = """\
ALTER TABLE {table} ADD COLUMN of_the_next_release text;
ALTER TABLE {table} ADD COLUMN of_the_next_release_too integer NOT NULL DEFAULT 7;
CREATE INDEX ON {table} (of_the_next_release)"""
OLDEST, NEWEST = 1, 2  # the versions of the schema that this release works with


def add_what_the_next_release_wants(stack: Stack) -> None:
    tables = stack.sql(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition")
    assert ("event_log",) in tables
    for (table,) in tables:
        eventually(lambda name=table: expand(stack, name), 20, f"a moment's lock on {table}")
    stack.sql("CREATE TABLE of_the_next_release (app_id uuid PRIMARY KEY)")
    stack.sql("UPDATE schema_version SET version = %s", NEWEST)


def expand(stack: Stack, table: str) -> bool:
    """Does not wait long for a lock, as the rules of migrations say."""
    try:
        with stack.database.connect() as conn:
            conn.execute("SET LOCAL lock_timeout = '2s'")
            for statement in EXPAND.split(";\n"):
                conn.execute(sql.SQL(statement).format(table=sql.Identifier(table)))
        return True
    except errors.LockNotAvailable:
        return False


def check_nobody_restarted(stack: Stack) -> None:
    for daemon in stack.daemons:
        assert daemon.is_running and daemon.ready().status == 200, daemon.tail()


def test_todays_daemons_work_before_the_last_change_and_while_it_comes(ground: Ground) -> None:
    before = dataclasses.replace(ground, template=template_before_the_last_change(ground.cluster))
    with before.run(Stack) as stack:
        job = MainJob(stack, stack.create_app("early"))
        job.do()
        with job.while_events_come():
            assert migrate(stack.database.url()).count("+ ") == 1
        check_nobody_restarted(stack)


def test_todays_daemons_work_while_the_next_release_adds_to_the_schema(own_stack: Stack) -> None:
    job = MainJob(own_stack, own_stack.create_app("late"))
    with job.while_events_come():
        add_what_the_next_release_wants(own_stack)
    check_nobody_restarted(own_stack)
    for daemon in own_stack.daemons:
        assert daemon.stop() == 0
    own_stack.start()
    job.do()


def test_nobody_is_ready_on_a_schema_that_this_release_does_not_know(own_stack: Stack) -> None:
    """But for ingestd, which keeps what comes as long as it can."""
    own_stack.sql("UPDATE schema_version SET version = %s", NEWEST + 1)
    says = f"this build works with versions {OLDEST} to {NEWEST} of the schema, not with this one"
    for daemon, status in zip(own_stack.daemons, (200, 503, 503)):
        eventually(lambda one=daemon: one.ready().json()["database"] == says, 20, says)
        answer = daemon.ready()
        assert (answer.status, answer.json()["schema_version"]) == (status, NEWEST + 1)
