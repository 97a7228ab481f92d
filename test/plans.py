"""What PostgreSQL really did for a daemon's statements, from its own log, by the module auto_explain."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from test.conftest import Database

SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
}
BLOCK = re.compile(r"  plan:\n((?:\t.*\n)+)")


class Plan:
    """One statement as it was carried out."""

    def __init__(self, told: dict):
        self.sql: str = told["Query Text"]
        self._nodes = list(_walk(told["Plan"]))

    @property
    def is_count(self) -> bool:
        return self.sql.startswith("SELECT count(*)")

    @property
    def rows_visited(self) -> int:
        """Rows and index entries that were looked at, wanted or not."""
        return sum(_visited(n) for n in self._nodes if "Index Name" in n or "Relation Name" in n)

    @property
    def relations(self) -> set[str]:
        return {n["Relation Name"] for n in self._nodes if "Relation Name" in n}

    @property
    def probes(self) -> dict[str, str]:
        """The condition with which each index was searched."""
        return {n["Index Name"]: n.get("Index Cond", "") for n in self._nodes if "Index Name" in n}

    def reads_all_of(self, table: str) -> bool:
        return any(n["Node Type"] == "Seq Scan" and n["Relation Name"] == table
                   for n in self._nodes)

    def __str__(self) -> str:
        return "\n".join(
            f"{n['Node Type']} {n.get('Index Name', n.get('Relation Name', ''))}:"
            f" {_visited(n)} rows" for n in self._nodes)


class PlanLog:
    """The plans of a role's statements in one database; made before its daemon connects."""

    def __init__(self, database: Database, role: str = "cti_api"):
        for name, value in SETTINGS.items():
            database.cluster.psql(
                f"ALTER ROLE {role} IN DATABASE {database.name} SET {name} = '{value}'")
        self._path: Path = database.cluster.log
        self._read = self._path.stat().st_size

    def new(self) -> list[Plan]:
        """Those of the statements that have ended since the last time."""
        with open(self._path, encoding="utf-8", errors="replace") as log:
            log.seek(self._read)
            text = log.read()
            self._read = log.tell()
        return [Plan(json.loads(block)) for block in BLOCK.findall(text)]


def _walk(node: dict) -> Iterator[dict]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)


def _visited(node: dict) -> int:
    looked_at = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(node.get(name, 0) for name in looked_at) * node.get("Actual Loops", 1)
