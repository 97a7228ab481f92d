"""Where a scenario plays: its clock, its dice, and what has been sent so far."""

import copy
import random

from .cast import FIRST_CAST, Caller, Cast, Target, draw_caller
from .leg import Leg
from .model import Event, Play, Truth
from .text import Text

# How long after the fact Dialpad builds a body; published ones show 418, 684 and 1176 ms.
BUILD_DELAY_MS = (350, 1200)


class Scene:
    def __init__(self, rng: random.Random, start_ms: int, cast: Cast = FIRST_CAST):
        self.rng = rng
        self.cast = cast
        self.start_ms = start_ms
        self.now = start_ms
        self.events: list[Event] = []
        self.truths: list[Truth] = []
        self._last_built: dict[int, int] = {}

    def wait(self, least_ms: int, most_ms: int) -> None:
        self.now += self.rng.randint(least_ms, most_ms)

    def agent(self) -> Target:
        return self.rng.choice(self.cast.agents)

    def caller(self) -> Caller:
        return draw_caller(self.rng, self.cast.company_id)

    def leg(self, target: Target, direction: str = "inbound",
            caller: Caller | None = None) -> Leg:
        return Leg(self, target, caller or self.caller(), direction)

    def text(self, target: Target, direction: str, words: str,
             caller: Caller | None = None) -> Text:
        return Text(self, target, caller or self.caller(), direction, words)

    def send(self, kind: str, claims: dict) -> None:
        """Stamp the body with the time it is built: later for each event of one leg."""
        key = claims["call_id" if kind == "call" else "id"]
        built = self.now + self.rng.randint(*BUILD_DELAY_MS)
        built = max(built, self._last_built.get(key, 0) + 1)
        self._last_built[key] = built
        claims = copy.deepcopy(claims)
        claims["event_timestamp"] = built
        self.events.append(Event(kind, built - self.start_ms, claims))

    def play(self, name: str) -> Play:
        events = sorted(self.events, key=lambda event: event.offset_ms)
        return Play(name, self.start_ms, events, self.truths)
