"""A test's hold on a running simulator, over HTTP.

    with simulator() as sim:
        sim.register_client("id", "secret", ["http://127.0.0.1:1/callback"])
        callback = sim.login(authorize_url)
        truths = sim.place("missed,text_inbound")
        sim.wait_until_delivered()
        sim.assert_description_kept()
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .server import in_background

# Never through a proxy, and never on to where a redirect points.
opener = urllib.request.OpenerDirector()
for handler in (urllib.request.HTTPHandler, urllib.request.UnknownHandler):
    opener.add_handler(handler())


class Simulator:
    def __init__(self, url: str):
        self.url = url

    def control(self, method: str, path: str, body: dict | None = None) -> Any:
        """One request to a path under /sim; raises AssertionError unless it is accepted."""
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(f"{self.url}/sim{path}", data, method=method,
                                         headers={"Content-Type": "application/json"})
        with opener.open(request, timeout=30) as answer:
            text = answer.read()
            assert answer.status == 200, (method, path, answer.status, text)
        return json.loads(text)

    # --- OAuth ------------------------------------------------------------------------

    def register_client(self, client_id: str, secret: str, redirect_uris: list[str],
                        **more: Any) -> None:
        """`scopes` is what the app may ask for; everything if not given."""
        self.control("POST", "/clients", {"client_id": client_id, "client_secret": secret,
                                          "redirect_uris": redirect_uris, **more})

    def login(self, authorize_url: str, user: str = "admin") -> str:
        """Goes where a browser would be sent, allows as `user` (an e-mail address, `admin`,
        `member`; `deny` says no), and returns the URL of the callback."""
        request = urllib.request.Request(authorize_url, headers={"X-Sim-Login": user})
        with opener.open(request, timeout=30) as answer:
            assert answer.status == 302, (answer.status, answer.read())
            return answer.headers["Location"]

    def expire_access_tokens(self, company_id: str | None = None) -> None:
        self._end_tokens("access", "expire", company_id)

    def revoke_access_tokens(self, company_id: str | None = None) -> None:
        self._end_tokens("access", "revoke", company_id)

    def revoke_refresh_tokens(self, company_id: str | None = None) -> None:
        self._end_tokens("refresh", "revoke", company_id)

    def _end_tokens(self, kind: str, how: str, company_id: str | None) -> None:
        self.control("POST", "/tokens", {"kind": kind, "how": how, "company_id": company_id})

    def change_scopes(self, scopes: list[str], company_id: str | None = None) -> None:
        self.control("POST", "/scopes", {"scopes": scopes, "company_id": company_id})

    # --- what happens -----------------------------------------------------------------

    def place(self, scenario: str, company_id: str | None = None,
              speed: float | None = None, seed: str | None = None) -> list[dict]:
        """Plays scenarios; returns their truths. See place_calls for the arguments."""
        return self.control("POST", "/calls", {
            "scenario": scenario, "company_id": company_id, "speed": speed,
            "seed": seed})["truths"]

    def send_text(self, text: str, direction: str = "inbound",
                  company_id: str | None = None) -> list[dict]:
        return self.control("POST", "/texts", {
            "text": text, "direction": direction, "company_id": company_id})["truths"]

    def truths(self, company_id: str | None = None) -> list[dict]:
        """Of everything that was played in one company."""
        query = f"?company_id={company_id}" if company_id else ""
        return self.control("GET", f"/truths{query}")["truths"]

    def deliveries(self) -> list[dict]:
        return self.control("GET", "/deliveries")["deliveries"]

    def wait_until_delivered(self, seconds: float = 60) -> list[dict]:
        """Until each event is told and each body acknowledged or given up."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.control("GET", "/deliveries")
            if seen["pending"] == 0:
                return seen["deliveries"]
            assert time.monotonic() < deadline, f"{seen['pending']} still pending"
            time.sleep(0.02)

    # --- faults, and what was seen ----------------------------------------------------

    def fault(self, path: str, kind: str = "answer", times: int = 1, **more: Any) -> None:
        """See web/faults.py: status, headers, body, seconds, method."""
        self.control("POST", "/faults", {"path": path, "kind": kind, "times": times, **more})

    def wrong_json(self, path: str, times: int = 1) -> None:
        self.fault(path, times=times, status=200, body='{"items": [')

    def clear_faults(self) -> None:
        self.control("DELETE", "/faults")

    def state(self) -> dict:
        return self.control("GET", "/state")

    def company(self, company_id: str | None = None) -> dict:
        """Its users, webhooks and subscriptions; the first company if none is named."""
        return next(one for one in self.state()["companies"]
                    if company_id in (None, one["company_id"]))

    def set(self, **settings: Any) -> None:
        """See world/settings.py."""
        self.control("POST", "/settings", settings)

    def requests(self, method: str | None = None, path: str | None = None) -> list[dict]:
        return [one for one in self.control("GET", "/requests")["requests"]
                if method in (None, one["method"]) and path in (None, one["path"])]

    def forget_requests(self) -> None:
        self.control("DELETE", "/requests")

    def violations(self) -> list[dict]:
        return self.control("GET", "/violations")["violations"]

    def forget_violations(self) -> None:
        self.control("DELETE", "/violations")

    def assert_description_kept(self) -> None:
        """No request and no answer broke Dialpad's API description."""
        found = self.violations()
        assert not found, "\n".join(
            f"{one['side']} of {one['operation']}: {one['where']} {one['what']}"
            for one in found)


@contextmanager
def simulator(companies: int = 2, time_scale: float = 0.05) -> Iterator[Simulator]:
    """One of the test's own, in a thread."""
    with in_background(companies, time_scale) as server:
        yield Simulator(server.url)
