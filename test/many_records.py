"""A large stock of records, for what only shows with much data: plans and speed.

many_records.sql tells what is in it. The indexes are made after the rows, which takes a fifth of
the time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

TABLES = ("calls", "messages", "voicemails")
MAIN_NUMBER = "+14155550100"  # of 70 % of the calls
RARE_NUMBER = "+14155559999"  # of three calls of each app
RARE_TARGET = 5_600_000_000_009_999  # the same
DAYS = 50

INDEXES = """\
SELECT indexdef, quote_ident(indexname) FROM pg_indexes
	WHERE schemaname = 'public' AND tablename = ANY ('{{{tables}}}')
	AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)"""

Run = Callable[[str], list[tuple]]


def app_id(number: int) -> str:
    """The first app is 1."""
    return f"00000000-0000-4000-8000-{number:012}"


def fill(run: Run, calls: int, apps: int) -> None:
    """`run` executes SQL as the owner, several statements at once, and returns the last one's rows."""
    indexes = run(INDEXES.format(tables=",".join(TABLES)))
    for _, name in indexes:
        run(f"DROP INDEX {name}")
    text = Path(__file__).with_suffix(".sql").read_text()
    run(text.replace(":calls", str(calls)).replace(":apps", str(apps)))
    run("SET maintenance_work_mem = '256MB'")
    for definition, _ in indexes:
        run(definition)
    for table in TABLES:
        run(f"VACUUM ANALYZE {table}")
