"""A browser without a screen: follows a login from /connect through Dialpad to /callback."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from cti import Stack
from web import Answer, request

from test.sim.client import Simulator

PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Browser:
    """Keeps cookies as a browser does, for all ports of the host. A person's, or a program's."""

    def __init__(self, accept: str = "application/json"):
        self.accept = accept
        self.cookies: dict[str, str] = {}

    def get(self, url: str) -> Answer:
        headers = {"Accept": self.accept}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        answer = request("GET", url, headers=headers, timeout=30)
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer

    def begin(self, stack: Stack, app_id: str, **query: str) -> str:
        """Where /connect sends it: Dialpad's page."""
        answer = self.get(connect_url(stack, app_id, **query))
        assert answer.status == 302, (answer.status, answer.body)
        return answer.headers["Location"]

    def connect(self, stack: Stack, dialpad: Simulator, app_id: str, user: str = "admin",
                **query: str) -> Answer:
        """All the way; the answer of /callback."""
        return self.get(dialpad.login(self.begin(stack, app_id, **query), user))


def connect_url(stack: Stack, app_id: str | None, **query: str) -> str:
    given = ({"app_id": app_id} if app_id is not None else {}) | query
    return f"{stack.apid.url}/auth/dialpad/connect?{urlencode(given)}"


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def with_query(url: str, **changes: str | None) -> str:
    """The URL with parameters changed, added, or taken away (None)."""
    parts = urlsplit(url)
    query = {k: v for k, v in (query_of(url) | changes).items() if v is not None}
    return urlunsplit(parts._replace(query=urlencode(query)))


def at(url: str, origin: str) -> str:
    """The same path and query at another server."""
    parts, there = urlsplit(url), urlsplit(origin)
    return urlunsplit(parts._replace(scheme=there.scheme, netloc=there.netloc))
