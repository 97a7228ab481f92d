"""Requests and answers, free of sockets."""

import json
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query_text: str
    headers: Message
    body: bytes = field(repr=False)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_text, keep_blank_values=True))

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> dict | None:
        """The body's object; None if it is none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    spread_s: float = 0.0  # send the body byte by byte, over this time


def answer_json(status: int, value: object, headers: dict | None = None) -> Answer:
    return Answer(status, json.dumps(value).encode("utf-8"), headers=headers or {})


def answer_page(status: int, html: str) -> Answer:
    return Answer(status, html.encode("utf-8"), "text/html; charset=utf-8")


def send_on(url: str) -> Answer:
    return Answer(302, headers={"Location": url})


def answer_error(status: int, message: str) -> Answer:
    """INVENTED: Dialpad documents only that errors come with a text in JSON."""
    return answer_json(status, {"error": {"code": status, "message": message}})
