"""All scenarios by name, and how performances are placed in time."""

import random
from dataclasses import dataclass
from typing import Callable

from .cast import FIRST_CAST, Cast
from .model import Event, Play
from .scenarios import calls, texts
from .scene import Scene

# Performances end within this time before now, as if they had just happened.
RECENT_MS = 5 * 60 * 1000


@dataclass(frozen=True)
class Scenario:
    name: str
    summary: str
    script: Callable[[Scene], None]

    def play(self, rng: random.Random, start_ms: int, cast: Cast = FIRST_CAST) -> Play:
        """Perform it. The same dice and start give the same events, byte for byte."""
        scene = Scene(rng, start_ms, cast)
        self.script(scene)
        return scene.play(self.name)


SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("inbound_answered", "a caller reaches an agent", calls.inbound_answered),
    Scenario("outbound_answered", "an agent calls out", calls.outbound_answered),
    Scenario("missed", "an agent's phone rings out", calls.missed),
    Scenario("gave_up_at_once", "the ringing event is built after the caller hung up",
             calls.gave_up_at_once),
    Scenario("abandoned_in_queue", "a caller leaves the call centre's queue",
             calls.abandoned_in_queue),
    Scenario("ring_group", "a department rings three members, one answers (4 legs)",
             calls.ring_group),
    Scenario("queue_answered", "queued, then two agents ring, one answers (3 legs)",
             calls.queue_answered),
    Scenario("voicemail", "a message is left, uploaded, then transcribed", calls.voicemail),
    Scenario("voicemail_empty", "sent to voicemail, no message left", calls.voicemail_empty),
    Scenario("recorded", "the recording is published after the hangup", calls.recorded),
    Scenario("recap", "summary, outcome, purposes and action items follow the hangup",
             calls.recap),
    Scenario("hold_and_retrieve", "the caller waits on hold", calls.hold_and_retrieve),
    Scenario("transferred", "the first agent hands the caller to a second (2 legs)",
             calls.transferred),
    Scenario("text_inbound", "a customer writes to an agent", texts.text_inbound),
    Scenario("text_delivered", "an agent writes, the carrier delivers", texts.text_delivered),
    Scenario("text_failed", "an agent writes, the carrier refuses", texts.text_failed),
    Scenario("text_picture", "a customer sends a picture (MMS)", texts.text_picture),
    Scenario("text_group", "a customer writes to a group, a member replies", texts.text_group),
    Scenario("ongoing", "a call that is answered and still running", calls.ongoing),
)}

# A picture of a busy few minutes. The running call comes last, so that it runs now.
DEMO = ("inbound_answered", "text_inbound", "missed", "outbound_answered", "ring_group",
        "text_delivered", "voicemail", "recorded", "abandoned_in_queue", "text_group",
        "inbound_answered", "recap", "text_picture", "hold_and_retrieve", "missed",
        "transferred", "text_failed", "voicemail_empty", "outbound_answered",
        "queue_answered", "text_inbound", "text_delivered", "voicemail",
        "inbound_answered", "ongoing")


def names_of(selection: str) -> list[str]:
    """Names chosen by `all`, `demo` or a comma-separated list; raises KeyError."""
    if selection == "all":
        return list(SCENARIOS)
    if selection == "demo":
        return list(DEMO)
    names = [name.strip() for name in selection.split(",") if name.strip()]
    for name in names:
        SCENARIOS[name]
    return names


def perform_until(scenario: Scenario, dice: str, end_ms: int,
                  cast: Cast = FIRST_CAST) -> Play:
    """A performance whose last event is built at `end_ms`. `dice` seeds its chances."""
    rehearsal = scenario.play(random.Random(dice), 0, cast)
    return scenario.play(random.Random(dice), end_ms - rehearsal.span_ms, cast)


def perform(names: list[str], count: int, seed: str, now_ms: int,
            cast: Cast = FIRST_CAST) -> list[Play]:
    """`count` performances, going round the names, ending evenly over the last minutes."""
    step_ms = RECENT_MS / count if count else 0
    return [perform_until(SCENARIOS[names[i % len(names)]], f"{seed}/{i}",
                          now_ms - int((count - 1 - i) * step_ms), cast)
            for i in range(count)]


def events_by_time(plays: list[Play]) -> list[Event]:
    """All events in the order in which they were built, as a company's day would mix."""
    stamped = [event for play in plays for event in play.events]
    return sorted(stamped, key=lambda event: event.claims["event_timestamp"])
