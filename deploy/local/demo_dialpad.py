"""The fake Dialpad of a local server: connected as a browser would, and asked for calls."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

from demo_app import Api, ApiError, DemoApp


class DemoDialpad:
    def __init__(self, url: str):
        self.url = url

    def connect(self, api: Api, app: DemoApp) -> None:
        """Through apid's link, Dialpad's page and back, as the admin of the first company."""
        to_dialpad, cookie = self._redirect(api.connect_link(app.app_id), {})
        back, _ = self._redirect(to_dialpad, {"X-Sim-Login": "admin"})
        status, _, body = get(back, {"Cookie": cookie, "Accept": "application/json"})
        if status != 200:
            raise ApiError(f"connecting Dialpad: {back.split('?')[0]} answered {status}: {body}")

    def play(self, scenario: str) -> None:
        """Calls and texts that have just happened; they come in by the webhook."""
        body = json.dumps({"scenario": scenario}).encode()
        status, _, answer = send("POST", f"{self.url}/sim/calls", {
            "Content-Type": "application/json"}, body)
        if status != 200:
            raise ApiError(f"the demo failed: {answer}")

    def _redirect(self, url: str, headers: dict[str, str]) -> tuple[str, str]:
        """Where it leads, and the cookie that it sets."""
        status, answer, body = get(url, headers)
        if status != 302:
            raise ApiError(f"connecting Dialpad: {url.split('?')[0]} answered {status}: {body}")
        return answer["Location"], (answer["Set-Cookie"] or "").split(";")[0]


def get(url: str, headers: dict[str, str]):
    return send("GET", url, headers)


def send(method: str, url: str, headers: dict[str, str], body: bytes | None = None):
    """Status, headers and text of the answer; no proxy, no redirects."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request(method, url[url.index("/", len("http://")):], body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    finally:
        connection.close()
