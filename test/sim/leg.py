"""One leg of a telephone call and the bodies Dialpad builds about it.

Dialpad's body is a snapshot: every event of a leg carries all that is known by then, and
null for what is not. A leg therefore keeps one body; each verb adds what it learns to the
body and then announces a state, which sends a copy.

The keys are those of a real `ringing` event of 2024, plus the two share links that a real
`hangup` of 2023 shows. Later keys of which no complete body was published (is_internal,
selected_caller_id, transferred_from, integrations) are left out.

No body was ever published for: calling, queued, hold, missed, voicemail,
voicemail_uploaded, transcription, recording and recap_*. They are INVENTED here as the same
snapshot, because all published bodies share one set of keys; each verb below states what
it adds on top and why.
"""

from .cast import Caller, Target, new_id
from .model import CallTruth, Event


def empty_body() -> dict:
    """Every key of a published body, with the value it has when nothing is known yet."""
    return {
        "call_id": None, "call_recording_ids": [], "callback_requested": None,
        "contact": {}, "csat_score": None, "date_connected": None, "date_ended": None,
        "date_first_rang": None, "date_queued": None, "date_rang": None,
        "date_started": None, "direction": None, "duration": None,
        "entry_point_call_id": None, "entry_point_target": {}, "event_timestamp": None,
        "external_number": None, "group_id": None, "hold_time": None,
        "internal_number": None, "is_transferred": False, "labels": [],
        "master_call_id": None, "mos_score": None, "operator_call_id": None,
        "proxy_target": {}, "recording_details": [], "routing_breadcrumbs": [],
        "state": None, "talk_time": None, "target": {},
        "target_availability_status": "open", "total_duration": None,
        "transcription_text": None, "voicemail_link": None,
        "voicemail_recording_id": None, "was_recorded": False,
    }


class Leg:
    """Made by `Scene.leg`. Verbs act at the scene's present time."""

    def __init__(self, scene, target: Target, caller: Caller, direction: str):
        self._scene = scene
        self._target = target
        self._held_since: int | None = None
        self._held_ms = 0
        self._recap: dict = {}
        self.id = new_id(scene.rng)
        self.body = empty_body()
        self.body.update(
            call_id=self.id, direction=direction, date_started=scene.now,
            target=target.in_call(), contact=caller.in_call(),
            external_number=caller.phone, internal_number=target.phone)
        if target.type != "user":
            self.body["group_id"] = target.group_id

    # --- how legs hang together -------------------------------------------------------

    def enter_through(self, entry: "Leg") -> None:
        """Make this the operator leg of `entry`. Its master_call_id stays null, as seen."""
        self.body.update(
            entry_point_call_id=entry.id, entry_point_target=entry.body["target"],
            group_id=entry.body["group_id"])

    def follow(self, root: "Leg") -> None:
        """Make this the leg that `root` was transferred to.

        INVENTED: no transferred call was published; integrators agree only that
        master_call_id names the first leg.
        """
        self.body.update(master_call_id=root.id, is_transferred=True)

    # --- the call's life --------------------------------------------------------------

    def call_out(self) -> None:
        self.announce("calling")

    def queue(self) -> None:
        """INVENTED: the wait in a call centre's queue fills date_queued."""
        self.body["date_queued"] = self._scene.now
        self.announce("queued")

    def ring(self, announce: bool = True) -> None:
        """The published `ringing` body knows date_first_rang while date_rang is null.

        That date_rang follows in the leg's later bodies, with the same instant, is a guess.
        """
        self.body["date_first_rang"] = self._scene.now
        if announce:
            self.announce("ringing")
        self.body["date_rang"] = self._scene.now

    def answer(self, operator: "Leg | None" = None) -> None:
        self.body["date_connected"] = self._scene.now
        if operator is not None:
            self.body["operator_call_id"] = operator.id
        self.announce("connected")

    def hold(self) -> None:
        """INVENTED: a hold adds nothing but, once over, its length in hold_time."""
        self._held_since = self._scene.now
        self.announce("hold")

    def retrieve(self) -> None:
        """INVENTED: a retrieved call is announced as connected; date_connected stays."""
        self._held_ms += self._scene.now - self._held_since
        self.body["hold_time"] = self._held_ms
        self.announce("connected")

    def miss(self) -> None:
        self.announce("missed")

    def send_to_voicemail(self) -> None:
        """INVENTED: the link is there at once, even if nobody leaves a message.

        Integrators report links that lead nowhere, made of the call's id; the recording's
        id comes with the upload only. date_connected stays null: nobody answered.
        """
        self.body["voicemail_link"] = f"https://dialpad.com/v/{self.id}"
        self.announce("voicemail")

    def record(self) -> None:
        """Recording runs from now on; Dialpad says so in the next body."""
        self.body["was_recorded"] = True

    def hang_up(self) -> None:
        """Every ended leg, answered or not, ends with a hangup."""
        self._close()
        self.announce("hangup")

    def hang_up_before_news(self) -> None:
        """The ringing body is built after the end, and so already knows date_ended.

        Seen in 2026: a `ringing` event with date_ended 463 ms after the start.
        """
        self._close()
        self.announce("ringing")
        self.announce("hangup")

    def _close(self) -> None:
        now, connected = self._scene.now, self.body["date_connected"]
        self.body.update(
            date_ended=now,
            duration=0.0 if connected is None else self._float_ms(now - connected),
            total_duration=self._float_ms(now - self.body["date_started"]),
            public_call_review_share_link=self._share_link(),
            company_call_review_share_link=self._share_link())
        if connected is not None:
            self.body.update(
                talk_time=now - connected - self._held_ms, hold_time=self._held_ms,
                mos_score=round(self._scene.rng.uniform(3.6, 4.41), 2))

    def _float_ms(self, milliseconds: int) -> float:
        """Durations are floats that differ from the dates' difference by a fraction."""
        return round(milliseconds + self._scene.rng.uniform(-0.4, 0.4), 3)

    def _share_link(self) -> str:
        return f"https://dialpad.com/shared/call/{self._scene.rng.getrandbits(160):040x}"

    # --- what comes after the end -----------------------------------------------------

    def upload_voicemail(self, length_ms: int) -> None:
        """INVENTED: voicemail_recording_id (a number, as ids of webhook bodies are) and
        one entry in recording_details, whose id is documented as a string.

        was_recorded stays false: it speaks of the conversation.
        """
        recording_id = new_id(self._scene.rng)
        self.body["voicemail_recording_id"] = recording_id
        self.body["recording_details"] = [self._recording(
            recording_id, "voicemail", self.body["date_ended"] - length_ms, length_ms)]
        self.announce("voicemail_uploaded")

    def transcribe(self, text: str) -> None:
        """INVENTED: the voicemail's words in transcription_text, the key all bodies have."""
        self.body["transcription_text"] = text
        self.announce("transcription")

    def publish_recording(self) -> None:
        """INVENTED: the details' shape is an official sample, recording_url is an array in
        live REST answers; that call_recording_ids holds numbers is a guess."""
        recording_id = new_id(self._scene.rng)
        connected = self.body["date_connected"]
        details = self._recording(recording_id, "callrecording", connected,
                                  self.body["date_ended"] - connected)
        self.body.update(call_recording_ids=[recording_id], recording_details=[details],
                         recording_url=[details["url"]])
        self.announce("recording")

    def recap(self, state: str, value: str | list[str]) -> None:
        """INVENTED: one key, named as the state, and on that state only; summary and
        outcome are text, purposes and action items lists of text."""
        self._recap[state] = value
        self.announce(state, **{state: value})

    def _recording(self, recording_id: int, sort: str, start: int, length: int) -> dict:
        return {"duration": length, "id": str(recording_id), "recording_type": sort,
                "start_time": start, "url": f"https://dialpad.com/r/{recording_id}"}

    # --- telling ----------------------------------------------------------------------

    def announce(self, state: str, **only_now) -> None:
        """Send a copy of the body. `only_now` keys do not stay in the snapshot."""
        self._scene.send("call", {**self.body, **only_now, "state": state})

    def expect(self, status: str) -> None:
        """State how this leg really ended."""
        body = self.body
        details = [d for d in body["recording_details"]
                   if d["recording_type"] == "callrecording"]
        self._scene.truths.append(CallTruth(
            call_id=self.id, status=status, direction=body["direction"],
            external_number=body["external_number"],
            internal_number=body["internal_number"],
            target_id=self._target.id, target_type=self._target.type,
            started_ms=body["date_started"], rang_ms=body["date_first_rang"],
            connected_ms=body["date_connected"], ended_ms=body["date_ended"],
            talk_ms=body["talk_time"], entry_point_call_id=body["entry_point_call_id"],
            operator_call_id=body["operator_call_id"],
            master_call_id=body["master_call_id"], is_transferred=body["is_transferred"],
            was_recorded=body["was_recorded"],
            recording_id=details[0]["id"] if details else None,
            voicemail_recording_id=body["voicemail_recording_id"],
            transcription=body["transcription_text"], recap=dict(self._recap)))
