"""Signed webhooks to send: distinct tokens of 1.2 to 1.5 KB, as long as Dialpad's are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

APP_ID = "0b0e7a52-4c3f-4b8e-9d1a-2f6c5e4d3b2a"
PATH = f"/webhooks/dialpad/{APP_ID}/1"
STATES = ("ringing", "connected", "hangup", "recording", "voicemail")


def claims(n: int) -> bytes:
    """A call event of a call of its own; the length varies with n."""
    event = {
        "call_id": 4611118400000000 + n,
        "state": STATES[n % len(STATES)],
        "direction": "inbound" if n % 2 else "outbound",
        "date_started": 1682084107944 + n,
        "date_connected": 1682084116010 + n,
        "date_ended": 1682084128000 + n,
        "event_timestamp": 1682084129176 + n,
        "duration": 11989.972,
        "total_duration": 20056.427,
        "internal_number": "+13215550153",
        "external_number": f"+1619555{n % 10000:04}",
        "target": {"id": 6651360000000000, "type": "user", "name": "Example Agent",
                   "phone": "+13215550153", "email": "agent@example.com"},
        "contact": {"id": 5600392044183552, "type": "local", "name": "Example Caller",
                    "phone": f"+1619555{n % 10000:04}", "email": ""},
        "entry_point_target": {}, "proxy_target": {}, "labels": [],
        "routing_breadcrumbs": [], "call_recording_ids": [],
        "master_call_id": None, "operator_call_id": None, "entry_point_call_id": None,
        "voicemail_link": None, "transcription_text": None, "was_recorded": False,
        "is_transferred": False, "mos_score": 4.41, "group_id": None,
        "public_call_review_share_link": "https://dialpad.com/shared/call/" + "p" * (n % 160),
    }
    return json.dumps(event, separators=(",", ":")).encode()


def hook_secret(master_key: str) -> bytes:
    """The secret of the app's hook 1, derived as docs/architecture.md says."""
    message = f"cti-hook-v1|{APP_ID}|1".encode()
    return _base64url(hmac.new(master_key.encode(), message, hashlib.sha256).digest())


def make(master_key: str, count: int) -> list[bytes]:
    secret = hook_secret(master_key)
    return [sign(claims(n), secret) for n in range(count)]


def write(tokens: list[bytes], path: Path) -> None:
    path.write_bytes(b"\n".join(tokens) + b"\n")


def sign(body: bytes, secret: bytes) -> bytes:
    signed = _base64url(b'{"alg":"HS256","typ":"JWT"}') + b"." + _base64url(body)
    return signed + b"." + _base64url(hmac.new(secret, signed, hashlib.sha256).digest())


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
