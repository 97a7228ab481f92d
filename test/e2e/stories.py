"""Calls and texts as the simulator tells them, made worse at random, and orders of arrival."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict

from test.sim import jws
from test.sim.catalogue import names_of, perform

START_MS = 1_770_243_109_824
FEW = 4  # so many events are tried in all their orders
ODDITIES = (
    {"labels": ["b", "a"]}, {"labels": ["c"]}, {"mos_score": "3.5"}, {"group_id": None},
    {"contact": {"id": "shared_5", "name": ""}}, {"external_number": None}, {"novel": {"x": 1}},
    {"recording_url": ["https://example.com/r/1"]}, {"was_recorded": True}, {"talk_time": "900"},
)


class Story:
    """The events of one leg or text, in the order in which they happened."""

    def __init__(self, dialpad_id: int, events: list[dict], dice: random.Random):
        self.dialpad_id = dialpad_id
        self._dice = dice
        kept = [event for event in events if dice.random() > 0.1] or events[:1]
        self.events = [jws.claim_bytes(self._odd(event)).decode() for event in kept]
        self._orders = self._all_orders() if len(kept) <= FEW else None

    def _odd(self, claims: dict) -> dict:
        """Digits for numbers, instants shared or missing, keys that contradict other events."""
        odd = dict(claims)
        if self._dice.random() < 0.15:
            odd |= {k: str(v) for k, v in odd.items() if k.startswith("date_") and v is not None}
        if self._dice.random() < 0.15:
            odd["event_timestamp"] = odd["event_timestamp"] // 4000 * 4000
        if self._dice.random() < 0.05:
            odd["event_timestamp"] = None
        if self._dice.random() < 0.2:
            odd |= self._dice.choice(ODDITIES)
        return odd

    def _all_orders(self) -> list[tuple[str, ...]]:
        return list(itertools.permutations(self.events))

    def in_some_order(self, number: int) -> list[str]:
        """The number-th of all orders if they are few, else any; some events twice."""
        if self._orders is not None:
            arrivals = list(self._orders[number % len(self._orders)])
        else:
            arrivals = self._dice.sample(self.events, len(self.events))
        for event in self.events:
            if self._dice.random() < 0.2:
                arrivals.insert(self._dice.randint(arrivals.index(event) + 1, len(arrivals)), event)
        return arrivals


def stories(count: int, seed: int) -> list[Story]:
    """At least one leg or text for each of `count` plays."""
    dice = random.Random(seed)
    legs = defaultdict(list)
    for play in perform(names_of("all"), count, seed=str(seed), now_ms=START_MS):
        for event in play.events:
            legs[event.dialpad_id].append(event.claims)
    return [Story(dialpad_id, events, dice) for dialpad_id, events in legs.items()]


def interleaved(told: list[list], dice: random.Random) -> list:
    """All of them as one list that keeps the order of each."""
    turns = [place for place, items in enumerate(told) for _ in items]
    dice.shuffle(turns)
    feeds = [iter(items) for items in told]
    return [next(feeds[place]) for place in turns]
