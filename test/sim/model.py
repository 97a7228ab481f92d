"""What a scenario yields: events as Dialpad would send them, and the truth behind them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One webhook body. `offset_ms` is the instant it was built, from the scenario's start."""

    kind: str  # "call" or "sms": Dialpad repeats the two on different schedules
    offset_ms: int
    claims: dict

    @property
    def dialpad_id(self) -> int:
        return self.claims["call_id" if self.kind == "call" else "id"]

    @property
    def state(self) -> str:
        return self.claims["state" if self.kind == "call" else "message_status"]


@dataclass(frozen=True)
class CallTruth:
    """What really happened on one leg, once all its events are told. Times are epoch ms.

    `status` is the scenario's own statement, never computed from the events.
    """

    call_id: int
    status: str  # completed, missed, abandoned, voicemail, or connected when still live
    direction: str
    external_number: str
    internal_number: str
    target_id: int
    target_type: str
    started_ms: int
    rang_ms: int | None
    connected_ms: int | None
    ended_ms: int | None
    talk_ms: int | None
    entry_point_call_id: int | None
    operator_call_id: int | None
    master_call_id: int | None
    is_transferred: bool
    was_recorded: bool
    recording_id: str | None
    voicemail_recording_id: int | None
    transcription: str | None
    recap: dict


@dataclass(frozen=True)
class TextTruth:
    """One text message, once all its events are told."""

    message_id: int
    status: str  # pending, success, failed
    delivery_result: str | None
    direction: str
    from_number: str
    to_numbers: tuple[str, ...]
    text: str
    mms: bool
    target_id: int
    target_type: str
    sent_ms: int


Truth = CallTruth | TextTruth


@dataclass(frozen=True)
class Play:
    """One performance of a scenario."""

    scenario: str
    start_ms: int
    events: list[Event]  # by offset
    truths: list[Truth]

    @property
    def span_ms(self) -> int:
        return self.events[-1].offset_ms
