"""Each filter of the lists does what it says, and costs what its window holds at most."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from list_plans import NARROW, Lists, cases, stocked_lists

CALLS = 40_000  # of all apps together


@pytest.fixture(scope="module")
def lists(run_stack) -> Iterator[Lists]:
    with stocked_lists(run_stack, CALLS) as ready:
        yield ready


@pytest.mark.parametrize("name", NARROW)
def test_each_filter_finds_its_rows_and_looks_at_few_others(lists: Lists, name: str) -> None:
    for case in cases():
        if case.name == name:
            lists.check(case)
