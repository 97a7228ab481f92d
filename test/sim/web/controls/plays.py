"""Places calls, sends texts, and tells what became of them and of their events."""

import random
import secrets
from dataclasses import asdict

from ...catalogue import SCENARIOS, Scenario, names_of, perform_until
from ...delivery import is_success
from ...live import Posting
from ...model import Play
from ...scene import Scene
from ...world.refusal import Refusal
from ...world.world import Company
from ..call import Call
from ..message import Answer, answer_json
from .given import NEEDED, taken


def place_calls(call: Call) -> Answer:
    """Scenarios by name, texts among them. Without a speed they have just happened."""
    values = taken(call, scenario=NEEDED, company_id=None, speed=None, seed=None)
    try:
        names = names_of(values["scenario"])
    except KeyError as unknown:
        raise Refusal(400, f"no scenario {unknown}") from None
    return staged(call, [SCENARIOS[name] for name in names], values)


def send_text(call: Call) -> Answer:
    """One text of given words."""
    values = taken(call, text=NEEDED, direction="inbound", company_id=None, speed=None,
                   seed=None)
    if values["direction"] not in ("inbound", "outbound"):
        raise Refusal(400, "direction is inbound or outbound")

    def script(scene: Scene) -> None:
        text = scene.text(scene.agent(), values["direction"], values["text"])
        text.announce()
        text.expect("pending")

    return staged(call, [Scenario("text", "one text", script)], values)


def staged(call: Call, scenarios: list[Scenario], values: dict) -> Answer:
    company = call.world.company(values["company_id"])
    speed = values["speed"]
    if speed is not None and not (isinstance(speed, int | float) and speed >= 1):
        raise Refusal(400, "speed is a number of 1 or more: no body is built before its time")
    seed = values["seed"] or secrets.token_hex(8)
    told = []
    for place, scenario in enumerate(scenarios):
        play = performance(call, company, scenario, f"{seed}/{place}", speed)
        call.app.live.perform(company, play, speed)
        told += [{"scenario": play.scenario, **asdict(truth)} for truth in play.truths]
    company.truths += told
    return answer_json(200, {"seed": seed, "truths": told})


def performance(call: Call, company: Company, scenario: Scenario, dice: str,
                speed: float | None) -> Play:
    """Ends now, or, played at a speed, when the last event is told."""
    end_ms = call.world.now_ms()
    if speed is not None:
        rehearsal = scenario.play(random.Random(dice), 0, company.cast)
        end_ms += int(rehearsal.span_ms / speed)
    return perform_until(scenario, dice, end_ms, company.cast)


def truths(call: Call) -> Answer:
    company = call.world.company(call.request.query.get("company_id"))
    return answer_json(200, {"truths": company.truths})


def deliveries(call: Call) -> Answer:
    """What was sent where, and how it was answered; `pending` counts what is to come."""
    live = call.app.live
    return answer_json(200, {"pending": live.pending,
                             "deliveries": [delivery(one) for one in live.postings]})


def delivery(posting: Posting) -> dict:
    event, attempts = posting.event, list(posting.attempts)
    return {
        "company_id": str(posting.company_id), "url": posting.url,
        "subscription_id": str(posting.subscription_id), "kind": event.kind,
        "id": event.dialpad_id, "state": event.state,
        "event_timestamp": event.claims["event_timestamp"], "settled": posting.settled,
        "acknowledged": any(is_success(attempt.status) for attempt in attempts),
        "attempts": [asdict(attempt) for attempt in attempts],
    }
