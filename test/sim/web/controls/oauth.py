"""Registers clients; ends tokens and changes their scopes behind the clients' backs."""

from collections.abc import Iterator

from ...world.oauth import KNOWN_SCOPES, Client, Token
from ...world.refusal import Refusal
from ..call import Call
from ..message import Answer
from .given import NEEDED, done, taken


def register_client(call: Call) -> Answer:
    """A client that exists is changed; its tokens stay as they are."""
    values = taken(call, client_id=NEEDED, client_secret=NEEDED, redirect_uris=NEEDED,
                   scopes=sorted(KNOWN_SCOPES))
    client = Client(values["client_id"], values["client_secret"],
                    tuple(values["redirect_uris"]), frozenset(values["scopes"]))
    call.world.oauth.clients[client.id] = client
    return done()


def tokens_of(call: Call, company_id: str | None, kind: str) -> Iterator[Token]:
    """Of one company, or of all."""
    oauth = call.world.oauth
    for token in (oauth.access if kind == "access" else oauth.refreshes).values():
        if company_id is None or str(token.grant.user.company_id) == str(company_id):
            yield token


def change_tokens(call: Call) -> Answer:
    """Ends tokens: kind access or refresh, how expire or revoke."""
    values = taken(call, kind=NEEDED, how=NEEDED, company_id=None)
    if values["kind"] not in ("access", "refresh") or values["how"] not in (
            "expire", "revoke"):
        raise Refusal(400, "kind is access or refresh, how is expire or revoke")
    for token in tokens_of(call, values["company_id"], values["kind"]):
        if values["how"] == "expire":
            call.world.oauth.expire_now(token)
        else:
            token.revoked = True
    return done()


def change_scopes(call: Call) -> Answer:
    """What the tokens out there may do from now on."""
    values = taken(call, scopes=NEEDED, company_id=None)
    for kind in ("access", "refresh"):
        for token in tokens_of(call, values["company_id"], kind):
            token.grant.scopes = frozenset(values["scopes"])
    return done()
