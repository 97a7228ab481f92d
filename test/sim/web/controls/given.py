"""Reads what a control is given."""

from typing import Any

from ...world.refusal import Refusal
from ..call import Call
from ..message import Answer, answer_json

NEEDED = object()  # the default of what must be given


def taken(call: Call, **defaults: Any) -> dict:
    """The body's values and the defaults of the others. An unknown name is refused."""
    unknown = set(call.given) - set(defaults)
    values = defaults | call.given
    missing = [name for name, value in values.items() if value is NEEDED]
    if unknown or missing:
        raise Refusal(400, f"unknown: {sorted(unknown)}, missing: {missing}; "
                           f"there are {', '.join(defaults)}")
    return values


def done() -> Answer:
    return answer_json(200, {"done": True})
