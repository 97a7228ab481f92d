"""How much of the processors' time other guests of the same host took: a time measured meanwhile is worth
as little as that is much."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STEAL = 7  # of the columns of a line in /proc/stat


@dataclass(frozen=True)
class Cpu:
    ticks: tuple[int, ...]  # since the machine began: user, nice, system, idle, iowait, irq, softirq, steal

    @classmethod
    def now(cls) -> Cpu:
        columns = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
        return cls(tuple(int(column) for column in columns[:STEAL + 1]))

    def stolen_since(self) -> float:
        """Percent of the time that the machine wanted to work: what it slept through is nobody's."""
        spent = [now - before for now, before in zip(Cpu.now().ticks, self.ticks)]
        idle = spent[3] + spent[4]
        return 100 * spent[STEAL] / max(1, sum(spent) - idle)


BEGUN = Cpu.now()
