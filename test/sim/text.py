"""One text message and the bodies Dialpad builds about it.

The keys are those of a real inbound text of 2024. `admins` is there for groups only: the
real text went to an office, and the documentation names it for group targets. A text body
has neither `state` nor `call_id`; that is how receivers tell the two kinds apart.

INVENTED, for want of any published body: delivery updates (the same body with another
message_status and a later event_timestamp) and MMS (`mms` true and an address in
`mms_url`, which the published body has as false and null).
"""

from .cast import Caller, Target, new_id
from .model import TextTruth


class Text:
    """Made by `Scene.text`, sent at the scene's present time."""

    def __init__(self, scene, target: Target, caller: Caller, direction: str, words: str):
        self._scene = scene
        self._target = target
        self.id = new_id(scene.rng)
        inbound = direction == "inbound"
        self.body = {
            "contact": caller.in_text(), "created_date": scene.now,
            "direction": direction, "event_timestamp": None,
            "from_number": caller.phone if inbound else target.phone,
            "id": self.id, "is_internal": False, "message_delivery_result": None,
            "message_status": "pending", "mms": False, "mms_url": None,
            "sender_id": None, "target": target.in_text(), "text": words,
            "text_content": words,
            "to_number": [target.phone if inbound else caller.phone],
        }
        if target.type != "user":
            self.body["admins"] = [admin.in_text() for admin in scene.cast.agents[:2]]

    def sent_by(self, member: Target) -> None:
        """sender_id tells which member wrote in the group's name; else it is null."""
        self.body["sender_id"] = member.id

    def attach_picture(self) -> None:
        name = f"{self._scene.rng.getrandbits(64):016x}"
        self.body.update(mms=True, mms_url=f"https://dialpad.com/mms/{name}.jpg")

    def announce(self) -> None:
        self._scene.send("sms", dict(self.body))

    def settle(self, status: str, result: str) -> None:
        """The carrier's answer: success or failed, and its reason."""
        self.body.update(message_status=status, message_delivery_result=result)
        self.announce()

    def expect(self, status: str) -> None:
        """State what became of this text."""
        body = self.body
        self._scene.truths.append(TextTruth(
            message_id=self.id, status=status,
            delivery_result=body["message_delivery_result"],
            direction=body["direction"], from_number=body["from_number"],
            to_numbers=tuple(body["to_number"]), text=body["text"], mms=body["mms"],
            target_id=self._target.id, target_type=self._target.type,
            sent_ms=body["created_date"]))
