"""What a delivery came to: a few figures, and the full record as JSON."""

import hashlib
from dataclasses import asdict, dataclass

from .delivery import Parcel
from .model import Play


@dataclass(frozen=True)
class Summary:
    events: int
    sent: int  # tries, duplicates and repeats included
    acknowledged: int  # events of which at least one copy got a 2xx
    retried: int  # events of which a copy needed more than one try
    lost: int  # events of which no copy got a 2xx
    slowest_ms: int

    def __str__(self) -> str:
        return (f"{self.events} events, {self.sent} sent, {self.acknowledged} acknowledged, "
                f"{self.retried} retried, {self.lost} lost, slowest {self.slowest_ms} ms")


def by_event(parcels: list[Parcel]) -> list[list[Parcel]]:
    """The copies of each event together."""
    groups: dict[int, list[Parcel]] = {}
    for parcel in parcels:
        groups.setdefault(id(parcel.event), []).append(parcel)
    return list(groups.values())


def summarise(parcels: list[Parcel]) -> Summary:
    groups = by_event(parcels)
    attempts = [attempt for parcel in parcels for attempt in parcel.attempts]
    acknowledged = sum(any(p.acknowledged for p in group) for group in groups)
    return Summary(
        events=len(groups), sent=len(attempts), acknowledged=acknowledged,
        retried=sum(any(len(p.attempts) > 1 for p in group) for group in groups),
        lost=len(groups) - acknowledged,
        slowest_ms=round(1000 * max((a.took_s for a in attempts), default=0)))


def describe_event(copies: list[Parcel]) -> dict:
    event = copies[0].event
    return {
        "kind": event.kind, "id": event.dialpad_id, "state": event.state,
        "event_timestamp": event.claims["event_timestamp"],
        "acknowledged": any(parcel.acknowledged for parcel in copies),
        "body_sha256": hashlib.sha256(copies[0].body).hexdigest(),
        "copies": [{"acknowledged": parcel.acknowledged,
                    "attempts": [asdict(attempt) for attempt in parcel.attempts]}
                   for parcel in copies],
    }


def full_report(plays: list[Play], parcels: list[Parcel], seed: str) -> dict:
    """Everything a test needs to judge the server: what was sent, and what is true."""
    return {
        "seed": seed,
        "summary": asdict(summarise(parcels)),
        "events": [describe_event(copies) for copies in by_event(parcels)],
        "truths": [{"scenario": play.scenario, **asdict(truth)}
                   for play in plays for truth in play.truths],
    }
