"""Dialpad as authorization server: clients, codes, access and refresh tokens (RFC 6749, 7636).

A *grant* is one consent of one user to one client. Codes, access tokens and refresh tokens
belong to a grant; a code or refresh token that comes a second time ends its grant, because
one of the two who showed it must be a thief. Dialpad does not say what it does then.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .people import User
from .settings import Settings

KNOWN_SCOPES = frozenset((
    "calls:list", "recordings_export", "message_content_export",
    "message_content_export:all", "offline_access", "screen_pop", "change_log",
    "fax_message", "ai_recap", "conference:all", "conference:read", "agent_groups:read",
    "digital_sessions"))


class OAuthError(Exception):
    """An error of RFC 6749: `code` is one of its words."""

    def __init__(self, code: str, description: str, status: int = 400):
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status


@dataclass(frozen=True)
class Client:
    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]  # what Dialpad lets this client ask for


@dataclass
class Grant:
    client_id: str
    user: User
    scopes: frozenset[str]
    ended: str | None = None  # why it is over


@dataclass
class Token:
    value: str = field(repr=False)
    grant: Grant
    issued_at: float
    expires_at: float | None = None
    revoked: bool = False
    used: bool = False  # of codes and refresh tokens, which are good for one use


@dataclass
class Code(Token):
    redirect_uri: str = ""
    challenge: str | None = None
    challenge_method: str = "plain"


class AuthorizationServer:
    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time):
        self._settings = settings
        self._clock = clock
        self.clients: dict[str, Client] = {}
        self._codes: dict[str, Code] = {}
        self.access: dict[str, Token] = {}
        self.refreshes: dict[str, Token] = {}

    # --- the browser's side -----------------------------------------------------------

    def client_for(self, client_id: str | None, redirect_uri: str | None) -> Client:
        """Until both are known to be right, nobody may be redirected anywhere."""
        client = self.clients.get(client_id or "")
        if client is None:
            raise OAuthError("invalid_client", "no such client_id")
        if redirect_uri not in client.redirect_uris:
            raise OAuthError("invalid_request", "redirect_uri is not one of the client's")
        return client

    def scopes_for(self, client: Client, scope: str | None) -> frozenset[str]:
        asked = frozenset((scope or "").split())
        if not asked <= client.scopes:
            missing = ", ".join(sorted(asked - client.scopes))
            raise OAuthError("invalid_scope", f"the client was not granted {missing}")
        return asked

    def consent(self, client: Client, user: User, scopes: frozenset[str],
                redirect_uri: str, challenge: str | None, method: str | None) -> str:
        """The user allowed it: the code that goes back with the browser."""
        if method not in (None, "plain", "S256"):
            raise OAuthError("invalid_request", "code_challenge_method: S256 or plain")
        now = self._clock()
        code = Code(secrets.token_urlsafe(24), Grant(client.id, user, scopes), now,
                    now + self._settings.code_seconds, redirect_uri=redirect_uri,
                    challenge=challenge, challenge_method=method or "plain")
        self._codes[code.value] = code
        return code.value

    # --- the client's side ------------------------------------------------------------

    def authenticate(self, client_id: str | None, secret: str | None) -> Client:
        client = self.clients.get(client_id or "")
        if client is None or not hmac.compare_digest(client.secret.encode(),
                                                     (secret or "").encode()):
            raise OAuthError("invalid_client", "unknown client or wrong secret", 401)
        return client

    def redeem(self, client: Client, value: str, redirect_uri: str | None,
               verifier: str | None) -> dict:
        """A code for the first tokens of its grant."""
        code = self._codes.get(value)
        self._use(code, client)
        if redirect_uri != code.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri differs from the first one")
        if not proves(verifier, code.challenge, code.challenge_method):
            raise OAuthError("invalid_grant", "code_verifier does not fit")
        return self._issue(code.grant, "offline_access" in code.grant.scopes)

    def refresh(self, client: Client, value: str) -> dict:
        """The next tokens. Access tokens issued before live on until they expire."""
        token = self.refreshes.get(value)
        if self._settings.rotate_refresh:
            self._use(token, client)
        else:
            self._check(token, client)
        return self._issue(token.grant, self._settings.rotate_refresh)

    def _check(self, token: Token | None, client: Client) -> None:
        """One and the same answer for all that was never good for this client."""
        if token is None or token.grant.client_id != client.id or token.revoked:
            raise OAuthError("invalid_grant", "unknown or revoked")
        if token.grant.ended:
            raise OAuthError("invalid_grant", token.grant.ended)
        if token.expires_at is not None and token.expires_at <= self._clock():
            raise OAuthError("invalid_grant", "expired")

    def _use(self, token: Token | None, client: Client) -> None:
        self._check(token, client)
        if token.used:
            kind = "code" if isinstance(token, Code) else "refresh token"
            token.grant.ended = f"a {kind} was used twice"
            raise OAuthError("invalid_grant", token.grant.ended)
        token.used = True

    def _issue(self, grant: Grant, with_refresh: bool) -> dict:
        now, form = self._clock(), self._settings.expires_in
        lives = "offline_access" in grant.scopes and form != "absent"
        access = Token(secrets.token_urlsafe(32), grant, now,
                       now + self._settings.token_seconds if lives else None)
        self.access[access.value] = access
        answer = {"access_token": access.value, "token_type": "bearer"}
        if lives:
            seconds = self._settings.token_seconds
            answer["expires_in"] = str(seconds) if form == "string" else seconds
        if with_refresh:
            refresh = Token(secrets.token_urlsafe(32), grant, now)
            self.refreshes[refresh.value] = refresh
            answer["refresh_token"] = refresh.value
        return answer

    # --- what tokens are worth --------------------------------------------------------

    def bearer(self, value: str) -> Token | None:
        """The access token if it is good now."""
        token = self.access.get(value)
        if token is None or token.revoked or token.grant.ended:
            return None
        expired = token.expires_at is not None and token.expires_at <= self._clock()
        return None if expired else token

    def deauthorize(self, token: Token) -> None:
        """Every token that this user gave this client."""
        for other in (*self.access.values(), *self.refreshes.values()):
            grant = other.grant
            if (grant.client_id, grant.user) == (token.grant.client_id, token.grant.user):
                grant.ended = "deauthorized"

    def expire_now(self, token: Token) -> None:
        token.expires_at = self._clock()


def proves(verifier: str | None, challenge: str | None, method: str) -> bool:
    """RFC 7636: whoever redeems the code is who asked for it."""
    if challenge is None:
        return verifier is None
    if verifier is None:
        return False
    if method == "S256":
        digest = hashlib.sha256(verifier.encode("utf-8")).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    return hmac.compare_digest(verifier.encode("utf-8"), challenge.encode("utf-8"))
