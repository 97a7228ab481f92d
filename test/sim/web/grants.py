"""POST /oauth2/token and POST /oauth2/deauthorize."""

import base64
import binascii
from urllib.parse import unquote

from ..world.oauth import Client, OAuthError
from .call import Call
from .message import Answer, Request, answer_json

NEVER_STORED = {"Cache-Control": "no-store"}


def token(call: Call) -> Answer:
    """JSON as Dialpad describes it, or a form as RFC 6749 does: both are taken."""
    try:
        return answer_json(200, redeemed(call, given_in(call.request)), NEVER_STORED)
    except OAuthError as error:
        return refused(error)


def refused(error: OAuthError) -> Answer:
    return answer_json(error.status, {"error": error.code,
                                      "error_description": error.description}, NEVER_STORED)


def given_in(request: Request) -> dict:
    if request.content_type.startswith("application/x-www-form-urlencoded"):
        return request.form()
    given = request.json()
    if given is None or not all(isinstance(value, str) for value in given.values()):
        raise OAuthError("invalid_request", "the body is no JSON object of texts")
    return given


def redeemed(call: Call, given: dict) -> dict:
    oauth, kind = call.world.oauth, given.get("grant_type")
    client = client_of(call, given)
    if kind == "authorization_code":
        return oauth.redeem(client, str(given.get("code")), given.get("redirect_uri"),
                            given.get("code_verifier"))
    if kind == "refresh_token":
        return oauth.refresh(client, str(given.get("refresh_token")))
    raise OAuthError("unsupported_grant_type", "authorization_code or refresh_token")


def client_of(call: Call, given: dict) -> Client:
    """Its id and secret in the body, or in a Basic header."""
    scheme, _, coded = call.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return call.world.oauth.authenticate(given.get("client_id"),
                                             given.get("client_secret"))
    try:
        name, _, secret = base64.b64decode(coded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "the Basic header cannot be read", 401) from None
    return call.world.oauth.authenticate(unquote(name), unquote(secret))


def deauthorize(call: Call) -> Answer:
    call.world.oauth.deauthorize(call.token)
    return Answer(204)
