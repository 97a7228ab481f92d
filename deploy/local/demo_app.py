"""The app "Demo" of a local server, and its key, by way of the admin API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from private_file import SecretFile
from services import opener

APP_NAME = "Demo"


class ApiError(Exception):
    """The API did not answer as it should."""


@dataclass
class DemoApp:
    app_id: str
    api_key: str
    hook_url: str
    hook_secret: str


class Api:
    """Talks to apid, as an admin and as a client."""

    def __init__(self, base: str, admin_secret: str):
        self.base = base
        self._admin = {"Authorization": f"Bearer {admin_secret}"}

    def demo_app(self, secrets: SecretFile) -> DemoApp:
        """The app and key of the run before if they still work, else new ones."""
        app_id = self._find_app(secrets.get("CTI_APP_ID")) or self._create_app()
        secrets.set("CTI_APP_ID", app_id)
        key = secrets.get("CTI_API_KEY")
        if key is None or not self._accepts(key):
            path = f"/internal/apps/{app_id}/api-key"
            key = self._admin_call("POST", path, {"name": "make run"})["api_key"]
            secrets.set("CTI_API_KEY", key)
        hook = self._admin_call("GET", f"/internal/apps/{app_id}/webhook")
        return DemoApp(app_id, key, hook["hook_url"], hook["secret"])

    def connect_link(self, app_id: str) -> str:
        """The URL that an admin of the Dialpad company would be sent."""
        return self._admin_call("POST", f"/internal/apps/{app_id}/connect-link", {})["url"]

    def webhook(self, app_id: str) -> dict:
        return self._admin_call("GET", f"/internal/apps/{app_id}/webhook")

    def wait_for_webhook(self, app_id: str, before: dict, seconds: float = 30) -> None:
        """Until workerd has made webhook and subscriptions, since it was as `before`."""
        deadline = time.monotonic() + seconds
        while True:
            hook = self.webhook(app_id)
            checked = hook["last_checked_at"] != before["last_checked_at"]
            if checked and hook["state"] == "active":
                return
            if time.monotonic() > deadline:
                raise ApiError(f"no webhook after {seconds:.0f} s: {hook['last_error']}")
            time.sleep(0.2)

    def wait_for_calls(self, key: str, seconds: float = 30) -> int:
        """Waits until the app has calls to show; returns how many."""
        deadline = time.monotonic() + seconds
        while True:
            status, body = self._request("GET", "/api/calls", {"x-app-api-key": key})
            if status == 200 and body["calls"]:
                return body["total"]
            if time.monotonic() > deadline:
                raise ApiError(f"no calls after {seconds:.0f} s: GET /api/calls: {body}")
            time.sleep(0.2)

    def _find_app(self, app_id: str | None) -> str | None:
        if app_id is None:
            return None
        status, _ = self._request("GET", f"/internal/apps/{app_id}", self._admin)
        return app_id if status == 200 else None

    def _create_app(self) -> str:
        return self._admin_call("POST", "/internal/apps", {"name": APP_NAME})["app_id"]

    def _accepts(self, key: str) -> bool:
        status, _ = self._request("GET", "/api/calls?limit=1", {"x-app-api-key": key})
        return status == 200

    def _admin_call(self, method: str, path: str, body: dict | None = None) -> dict:
        status, answer = self._request(method, path, self._admin, body)
        if not 200 <= status < 300:
            raise ApiError(f"{method} {path} answered {status}: {answer}")
        return answer

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: dict | None = None
    ) -> tuple[int, dict]:
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers = headers | {"Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with opener.open(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as e:
            return e.code, {"error": e.read(2000).decode(errors="replace")}
        except (OSError, ValueError) as e:
            raise ApiError(f"{method} {path}: {e}") from e
