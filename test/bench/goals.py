"""Figures beside what they must be, and should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import host


class Goal(NamedTuple):
    name: str
    sign: str  # ">=" or "<="
    must: float
    aim: float


def print_goals(goals: Iterable[Goal], values: Mapping[str, float]) -> bool:
    """Whether each that was measured is what it must be."""
    print(f"\n{'':44}{'measured':>9}{'must be':>11}{'aim':>8}")
    fine = True
    for goal in goals:
        if goal.name not in values:
            continue
        value = values[goal.name]
        reached = value >= goal.must if goal.sign == ">=" else value <= goal.must
        fine = fine and reached
        print(f"{goal.name:44}{value:9.2f}{goal.sign:>7}{goal.must:>4g}{goal.aim:>8g}"
              f"{'' if reached else '  missed'}")
    print(f"other guests of the host took {host.BEGUN.stolen_since():.0f} % of the processor time wanted")
    return fine
