"""The calls of one company as the API tells them: what became known, leg by leg.

REST bodies differ from webhook bodies: 64-bit integers are strings, what is null is left
out, a concluded call's state always reads `hangup`, event_timestamp is the time of the
request, and parties have no office_id. INVENTED: that voicemail_share_link, for which the
webhook body's name is voicemail_link, is there under the same conditions.
"""

import bisect

from ..model import Event
from .hooks import api_type
from .refusal import Refusal
from .scopes import without_recordings

DEFAULT_PAGE = 25
MOST_A_PAGE = 50
WIDEST_WINDOW_MS = 30 * 24 * 3600 * 1000

AS_THEY_ARE = ("direction", "external_number", "group_id", "internal_number",
               "is_transferred", "labels", "mos_score", "recording_url", "state",
               "transcription_text", "was_recorded", "duration", "total_duration")
AS_STRINGS = ("call_id", "csat_score", "date_connected", "date_ended", "date_rang",
              "date_started", "entry_point_call_id", "master_call_id", "operator_call_id")
PARTIES = ("contact", "entry_point_target", "proxy_target", "target")


class Archive:
    def __init__(self) -> None:
        self._bodies: dict[int, dict] = {}
        self._concluded: list[tuple[int, int]] = []  # (start, call id), the oldest first
        self._texts: set[int] = set()

    def learn(self, event: Event) -> bool:
        """Returns whether this is about a text that an earlier event told of."""
        if event.kind == "sms":
            known = event.dialpad_id in self._texts
            self._texts.add(event.dialpad_id)
            return known
        body = self._bodies.setdefault(event.dialpad_id, {})
        body.update(event.claims)
        place = (body["date_started"], event.dialpad_id)
        if event.state == "hangup":
            bisect.insort(self._concluded, place)
        return False

    def get(self, call_id: int, scopes: frozenset[str], now_ms: int) -> dict:
        if call_id not in self._bodies:
            raise Refusal(404, f"no call {call_id}")
        return self._shown(call_id, scopes, now_ms)

    def page(self, query: dict, scopes: frozenset[str], now_ms: int) -> dict:
        """Concluded calls, the latest start first. The query's values are checked words."""
        after, before = bounds(query, now_ms)
        limit = max(1, min(int(query.get("limit", DEFAULT_PAGE)), MOST_A_PAGE))
        last = parse_cursor(query.get("cursor"))
        found = [call_id for start, call_id in reversed(self._concluded)
                 if after < start < before and (last is None or (start, call_id) < last)
                 and self._is_at(call_id, query)]
        answer: dict = {"items": [self._shown(i, scopes, now_ms) for i in found[:limit]]}
        if len(found) > limit:
            final = found[limit - 1]
            answer["cursor"] = f"{self._bodies[final]['date_started']:x}-_-{final:x}"
        return answer

    def _is_at(self, call_id: int, query: dict) -> bool:
        target_id, target_type = query.get("target_id"), query.get("target_type")
        target = self._bodies[call_id]["target"]
        return ((target_id is None or target["id"] == int(target_id))
                and (target_type is None or api_type(target["type"]) == target_type))

    def _shown(self, call_id: int, scopes: frozenset[str], now_ms: int) -> dict:
        body = without_recordings(self._bodies[call_id], scopes)
        shown = {name: body.get(name) for name in AS_THEY_ARE}
        shown |= {name: text_of(body.get(name)) for name in AS_STRINGS}
        shown |= {name: party(body[name]) for name in PARTIES if body[name]}
        shown |= {"event_timestamp": str(now_ms),
                  "voicemail_share_link": body["voicemail_link"],
                  "recording_details": [recording(d) for d in body["recording_details"]]}
        if body["date_ended"] is not None:
            shown["state"] = "hangup"
        return {name: value for name, value in shown.items() if value not in (None, [])}


def bounds(query: dict, now_ms: int) -> tuple[float, float]:
    """Both ends are left out of the window, as the parameters' descriptions read."""
    after = int(query["started_after"]) if "started_after" in query else float("-inf")
    before = int(query["started_before"]) if "started_before" in query else float("inf")
    if "started_after" in query and min(before, now_ms) - after >= WIDEST_WINDOW_MS:
        raise Refusal(400, "started_after and started_before must be within 30 days")
    return after, before


def parse_cursor(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    try:
        start, call_id = (int(part, 16) for part in text.split("-_-"))
    except ValueError:
        raise Refusal(400, "cursor is not one of ours") from None
    return start, call_id


def text_of(value: int | None) -> str | None:
    return None if value is None else str(value)


def party(body: dict) -> dict:
    return {name: str(value) for name, value in body.items()
            if name != "office_id" and value is not None}


def recording(details: dict) -> dict:
    return details | {"duration": str(details["duration"]),
                      "start_time": str(details["start_time"])}
