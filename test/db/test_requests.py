"""Work that was asked for: taken once, repeated after trouble, told about, forgotten."""

from __future__ import annotations

import json

import psycopg
from schema import ALICE
from test_jobs import RunJob, owner, rows, run_job  # noqa: F401 (two of them are fixtures)

STATE = "SELECT run_at IS NULL, attempts, last_error, result FROM jobs WHERE job_key = %s"


def ask(conn: psycopg.Connection, kind: str, key: str, params: dict) -> None:
    conn.execute("INSERT INTO jobs (kind, app_id, job_key, params) VALUES (%s, %s, %s, %s)",
                 [kind, ALICE, key, json.dumps(params)])


def test_what_cannot_be_done_is_not_tried_again(
    owner: psycopg.Connection, run_job: RunJob  # noqa: F811
) -> None:
    ask(owner, "erase", "a", {})
    ask(owner, "replay", "b", {"ids": ["x"]})
    ask(owner, "dishes", "c", {})
    run_job("requests")
    assert rows(owner, STATE, "a")[0][:3] == (True, 1, "there is no number to erase")
    assert rows(owner, STATE, "b")[0][0] and "no id" in rows(owner, STATE, "b")[0][2]
    assert rows(owner, STATE, "c") == [(False, 0, None, None)], "nobody's kind is left alone"


def test_after_trouble_it_is_tried_again_later(
    owner: psycopg.Connection, run_job: RunJob  # noqa: F811
) -> None:
    ask(owner, "erase", "a", {"number": "+15550100"})
    owner.execute("ALTER TABLE messages RENAME TO away")
    assert '"request.failed"' in run_job("requests")
    owner.execute("ALTER TABLE away RENAME TO messages")
    [(over, attempts, why, _)] = rows(owner, STATE, "a")
    assert (over, attempts) == (False, 1) and "messages" in why and "5550100" not in why
    assert rows(owner, "SELECT run_at BETWEEN now() AND now() + interval '8 s' FROM jobs") == [(True,)]
    run_job("requests")
    assert rows(owner, STATE, "a")[0][3] is None, "it is not due yet"
    owner.execute("UPDATE jobs SET run_at = now()")
    run_job("requests")
    assert rows(owner, STATE, "a") == [
        (True, 0, None, {"calls": 0, "messages": 0, "voicemails": 0, "events": 0, "changes": 0})]
    assert rows(owner, "SELECT params::text FROM jobs") == [("{}",)], "the number is forgotten"


def test_what_became_of_it_is_forgotten_after_a_month(
    owner: psycopg.Connection, run_job: RunJob  # noqa: F811
) -> None:
    for key, days in (("old", 31), ("new", 29)):
        ask(owner, "erase", key, {})
        owner.execute("UPDATE jobs SET run_at = NULL, finished_at = now() - %s * interval '1 day'"
                      " WHERE job_key = %s", [days, key])
    ask(owner, "replay", "under way", {})
    owner.execute("UPDATE jobs SET finished_at = now() - interval '1 year'"
                  " WHERE job_key = 'under way'")
    owner.execute("INSERT INTO jobs (kind, run_at, finished_at)"
                  " VALUES ('unclaimed', NULL, now() - interval '1 year')")
    run_job("cleanup")
    assert rows(owner, "SELECT kind, job_key FROM jobs ORDER BY 1, 2") == [
        ("erase", "new"), ("replay", "under way"), ("unclaimed", "")]
