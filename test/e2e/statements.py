"""The statements that a role ran in one database, with their parameters, from PostgreSQL's log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection

from test.conftest import Database

# A prepared statement's name in the server ends in the connection's tag and a number.
RUN = re.compile(r"execute (\w+?)_[0-9a-f]{8}_\d+: (.*)\n(?:.*DETAIL:  parameters: (.*)\n)?")
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
TYPES = (  # by how a value looks: the log does not tell
    (re.compile(r"'[0-9a-f]{8}-[0-9a-f-]{27}'"), "uuid"),
    (re.compile(r"'\d{4,}-\d\d-\d\d .*'"), "timestamptz"),
    (re.compile(r"'\d{1,19}'"), "bigint"),
)


@dataclass(frozen=True)
class Statement:
    name: str
    sql: str  # with the parameters filled in

    def run(self, conn: Connection, tenant: str) -> list[tuple]:
        """The rows that this tenant gets."""
        with conn.transaction():
            conn.execute(f"SET LOCAL cti.app_id = '{tenant}'")
            return conn.execute(self.sql).fetchall()


class StatementLog:
    """Everything that cti_api runs; made before apid connects."""

    def __init__(self, database: Database):
        database.cluster.psql(f"ALTER ROLE cti_api IN DATABASE {database.name}"
                              " SET log_min_duration_statement = 0")
        self._path: Path = database.cluster.log
        self._begun = self._path.stat().st_size

    def all(self) -> list[Statement]:
        with open(self._path, encoding="utf-8", errors="replace") as log:
            log.seek(self._begun)
            return [Statement(name, _fill_in(sql, told or ""))
                    for name, sql, told in RUN.findall(log.read())]


def _fill_in(sql: str, told: str) -> str:
    values = {int(number): _typed(value) for number, value in PARAMETER.findall(told)}
    return re.sub(r"\$(\d+)", lambda found: values[int(found[1])], sql)


def _typed(value: str) -> str:
    for looks, name in TYPES:
        if looks.fullmatch(value):
            return f"{value}::{name}"
    return value
