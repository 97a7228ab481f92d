"""What an admin asks of apid, whatever the answer."""

from __future__ import annotations

import json
from typing import Any

from cti import Stack
from web import Answer, request


def admin(
    stack: Stack, method: str, path: str, body: object = None, *,
    secret: str | None = None, url: str | None = None,
) -> Answer:
    """`path` is what follows /internal; bytes are sent as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    headers = {"Authorization": f"Bearer {secret or stack.admin_secret}"}
    return request(method, f"{url or stack.apid.url}/internal{path}", raw, headers)


def audit(stack: Stack, app_id: str) -> list[tuple[Any, ...]]:
    """Newest first: who did what to what."""
    answer = admin(stack, "GET", f"/apps/{app_id}/audit")
    assert answer.status == 200, answer.body
    return [(line["actor"], line["action"], line["target"]) for line in answer.json()["audit"]]
