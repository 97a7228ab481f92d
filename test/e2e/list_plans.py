"""Every filter of the lists, alone and together, against SQL written another way, and the rows that
PostgreSQL looked at for it. The test with few records is in test/e2e, the one with a million in
test/long."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from cti import App, Stack
from test.plans import Plan, PlanLog
from psycopg import Connection
from rows import ago, text

from test.many_records import MAIN_NUMBER, RARE_NUMBER, RARE_TARGET, app_id, fill

APPS = 20
PAGE = 20
SMALL = 200  # a window that may as well be read to its end

LIVE = "status IN ('queued', 'ringing', 'connected', 'on_hold', 'parked')"


def either(number: str) -> str:
    return f"'{number}' IN (\"from\", \"to\")"


# Query parameters, and what they mean.
NUMBERS = {
    f"from={MAIN_NUMBER}": f"\"from\" = '{MAIN_NUMBER}'",
    f"to={RARE_NUMBER}": f"\"to\" = '{RARE_NUMBER}'",
    f"number={MAIN_NUMBER}": either(MAIN_NUMBER),
    f"number={RARE_NUMBER}": either(RARE_NUMBER),
}
TARGETS = {
    f"target_id={RARE_TARGET}": f"target_id = {RARE_TARGET}",
    "target_id=5600000000000007": "target_id = 5600000000000007",
}
DIRECTIONS = {
    "direction=inbound": "direction = 'inbound'",
    f"direction=outbound&number={RARE_NUMBER}":
        f"direction = 'outbound' AND {either(RARE_NUMBER)}",
}
NARROW = {
    "calls": {
        "": "true", **NUMBERS, **TARGETS, **DIRECTIONS,
        "status=missed": "status = 'missed'",
        "status=blocked": "status = 'blocked'",
        "status=active": LIVE,
        "status=ended": f"NOT ({LIVE})",
        "legs=entry": "entry_point_call_id IS NULL",
        f"status=voicemail&from={MAIN_NUMBER}&legs=entry":
            f"status = 'voicemail' AND \"from\" = '{MAIN_NUMBER}' AND entry_point_call_id IS NULL",
    },
    "messages": {"": "true", **NUMBERS, **DIRECTIONS, "status=failed": "status = 'failed'",
                 "status=success": "status = 'success'"},
    "voicemails": {"": "true", **NUMBERS, **TARGETS},
}
FEW = {f"to={RARE_NUMBER}", f"number={RARE_NUMBER}", f"target_id={RARE_TARGET}"}
OWN_TIME = {"calls": "started", "messages": "sent"}


@dataclass(frozen=True)
class Window:
    query: dict[str, str]
    condition: str
    in_order: bool  # bounded by the time that the list is ordered by


def windows(name: str) -> Iterator[Window]:
    yield Window({}, f"created_at >= now() - interval '24 hours'", True)
    if name in OWN_TIME:
        for since, until in ((60, 0), (40, 39), (60, 45)):
            bounds = text(ago(days=since)), text(ago(days=until))
            own = OWN_TIME[name]
            yield Window({f"{own}_after": bounds[0], f"{own}_before": bounds[1]},
                         "sort_at >= '{}' AND sort_at < '{}'".format(*bounds), True)
    else:
        bounds = text(ago(days=40)), text(ago(days=38))
        yield Window({"created_after": bounds[0], "created_before": bounds[1]},
                     "created_at >= '{}' AND created_at < '{}'".format(*bounds), False)
    for days in (0.1, 1, 10):
        since = text(ago(days=days))
        yield Window({"updated_after": since}, f"updated_at >= '{since}'", False)


@dataclass(frozen=True)
class Case:
    name: str  # of the list
    narrow: str
    window: Window
    order: str

    @property
    def path(self) -> str:
        given = "&".join(filter(None, (self.narrow.replace("+", "%2B"),
                                       urlencode(self.window.query))))
        return f"/api/{self.name}?limit={PAGE}&order={self.order}&{given}"

    @property
    def where(self) -> str:
        return f"({NARROW[self.name][self.narrow]}) AND {self.window.condition}"


def cases() -> Iterator[Case]:
    for name, narrow in NARROW.items():
        for query, window, order in itertools.product(narrow, windows(name), ("desc", "asc")):
            yield Case(name, query, window, order)


class Lists:
    """One of APPS apps with its share of the records, and what was done to serve it."""

    def __init__(self, stack: Stack, plans: PlanLog, owner: Connection, number: int = 3):
        self._plans, self._owner = plans, owner
        self._app_id = app_id(number)
        key = stack.admin("POST", f"/apps/{self._app_id}/api-key", {})["api_key"]
        self._app = App(self._app_id, key, stack.hook(self._app_id), stack.apid.url)

    def check(self, case: Case) -> None:
        """Two pages and the total of one case: the right rows, and few others looked at."""
        before = self._expected(case)
        self._plans.new()
        first = self._app.get_json(case.path)
        rest = self._next_page(case, first)
        plans = self._plans.new()
        found = [record["id"] for page in (first, rest) for record in page[case.name]]
        told = found, first["total"]
        assert told == before or told == self._expected(case), case.path
        self._check_work(case, plans)

    def _next_page(self, case: Case, page: dict) -> dict:
        if not page["has_more"]:
            return {case.name: []}
        return self._app.get_json(f"{case.path}&total=false&cursor={page['next_cursor']}")

    def _expected(self, case: Case) -> tuple[list[str], int]:
        where = f"FROM {case.name} WHERE app_id = '{self._app_id}' AND {case.where}"
        ids = self._owner.execute(
            f"SELECT id::text {where} ORDER BY sort_at {case.order}, id {case.order}"
            f" LIMIT {2 * PAGE}").fetchall()
        return [row[0] for row in ids], min(10_000, self._count(where))

    def _count(self, where: str) -> int:
        return self._owner.execute(f"SELECT count(*) {where}").fetchone()[0]

    def _check_work(self, case: Case, plans: list[Plan]) -> None:
        own = [plan for plan in plans if case.name in plan.relations]
        assert len(own) in (2, 3), "page, total, and a next page, each a statement"
        for plan in own:
            assert not plan.reads_all_of(case.name), f"{case.path}\n{plan}"
            if plan.rows_visited <= PAGE:
                continue
            allowed = self._allowed(case, plan.is_count)
            assert plan.rows_visited <= allowed, f"{case.path}: {allowed} allowed\n{plan}"

    def _allowed(self, case: Case, is_count: bool) -> int:
        """Never more than what lies in the window; less where the filters say so."""
        if case.narrow in FEW:
            return 30 + 2 * self._edge(case)
        window = self._count(f"FROM {case.name} WHERE app_id = '{self._app_id}'"
                             f" AND {case.window.condition}")
        if is_count and not case.narrow:
            window = min(window, 10_001)
        elif not is_count and not case.narrow and case.window.in_order and window > SMALL:
            window = 0  # it stops at the end of the page
        # Entries of an index and the rows behind them; and the page's own rows.
        return 2 * (window + self._edge(case) + PAGE + 1)

    def _edge(self, case: Case) -> int:
        """Beside the default window: records little older, and those that came late."""
        if case.window.query:
            return 0
        return self._count(
            f"FROM {case.name} WHERE app_id = '{self._app_id}' AND (sort_at BETWEEN"
            " now() - interval '25 hours' AND now() - interval '24 hours'"
            " OR created_at >= now() - interval '24 hours' AND sort_at < now() - interval '24 hours')")


def stock(stack: Stack, calls: int) -> None:
    with stack.database.connect(autocommit=True) as conn:
        def run(sql: str) -> list[tuple]:
            cursor = conn.execute(sql)
            return cursor.fetchall() if cursor.description is not None else []

        fill(run, calls, APPS)
        for number in range(1, APPS + 1):
            conn.execute("INSERT INTO apps (app_id, name) VALUES (%s, %s)",
                         (app_id(number), f"app {number}"))


@contextmanager
def stocked_lists(run_stack, calls: int) -> Iterator[Lists]:
    with run_stack() as stack:
        stack.apid.stop()
        stock(stack, calls)
        plans = PlanLog(stack.database)
        stack.start()
        with stack.database.connect(autocommit=True) as owner:
            yield Lists(stack, plans, owner)
