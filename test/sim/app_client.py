"""An app as Dialpad's customers write one: connects by OAuth, then calls the API."""

import base64
import hashlib
import json
import secrets
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from .client import Simulator, opener

CLIENT_ID, CLIENT_SECRET = "the-app", "the app's secret"
REDIRECT_URI = "http://127.0.0.1:1/callback?from=dialpad"
SCOPES = ("calls:list recordings_export message_content_export "
          "message_content_export:all offline_access")


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    headers: Message

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class AppClient:
    def __init__(self, sim: Simulator):
        self.sim = sim
        self.verifier = secrets.token_urlsafe(40)
        self.tokens: dict = {}
        sim.register_client(CLIENT_ID, CLIENT_SECRET, [REDIRECT_URI])

    def authorize_url(self, **changes: str | None) -> str:
        asked = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "scope": SCOPES,
                 "response_type": "code", "state": "the state",
                 "code_challenge": challenge_of(self.verifier),
                 "code_challenge_method": "S256"} | changes
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{self.sim.url}/oauth2/authorize?{query}"

    def code(self, user: str = "admin", **changes: str | None) -> str:
        callback = self.sim.login(self.authorize_url(**changes), user)
        return parse_qs(urlsplit(callback).query)["code"][0]

    def token(self, **body: str | None) -> Reply:
        """POST /oauth2/token; None leaves a name out."""
        asked = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | body
        return self.call("POST", "/oauth2/token",
                         {name: value for name, value in asked.items() if value is not None})

    def redeem(self, code: str, **changes: str | None) -> Reply:
        return self.token(**{"grant_type": "authorization_code", "code": code,
                             "redirect_uri": REDIRECT_URI,
                             "code_verifier": self.verifier} | changes)

    def refresh(self, value: str) -> Reply:
        return self.token(grant_type="refresh_token", refresh_token=value)

    def connect(self, user: str = "admin", scope: str = SCOPES) -> "AppClient":
        self.tokens = self.redeem(self.code(user, scope=scope)).json
        return self

    def call(self, method: str, path: str, body: dict | None = None, *,
             token: str | None = None, data: bytes | None = None,
             headers: dict[str, str] | None = None) -> Reply:
        """Raises OSError or http.client.HTTPException if there is no answer."""
        head = {"Content-Type": "application/json"} if body is not None else {}
        value = token if token is not None else self.tokens.get("access_token")
        if value:
            head["Authorization"] = f"Bearer {value}"
        if body is not None:
            data = json.dumps(body).encode("utf-8")
        request = urllib.request.Request(self.sim.url + path, data, head | (headers or {}),
                                         method=method)
        with opener.open(request, timeout=10) as answer:
            return Reply(answer.status, answer.read().decode("utf-8"), answer.headers)

    def ok(self, method: str, path: str, body: dict | None = None) -> Any:
        """The answer's JSON, if the answer is 200."""
        reply = self.call(method, f"/api/v2{path}", body)
        assert reply.status == 200, (method, path, reply.status, reply.text)
        return reply.json

    def hook(self, url: str, secret: str | None = "a secret", **options: Any) -> int:
        """A webhook with a subscription of each kind; returns the webhook's id."""
        given = {"hook_url": url} | ({"secret": secret} if secret else {})
        webhook = int(self.ok("POST", "/webhooks", given)["id"])
        self.ok("POST", "/subscriptions/call",
                {"endpoint_id": webhook} | options.get("call", {}))
        self.ok("POST", "/subscriptions/sms", {"endpoint_id": webhook, "direction": "all",
                                               "status": True} | options.get("sms", {}))
        return webhook
