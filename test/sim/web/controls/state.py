"""Shows everything that the simulator holds, and its settings."""

from dataclasses import asdict

from ...world.oauth import Token
from ...world.world import Company
from ..call import Call
from ..message import Answer, answer_json


def state(call: Call) -> Answer:
    """Everything, secrets and tokens included, for tests that look for them elsewhere."""
    oauth = call.world.oauth
    return answer_json(200, {
        "companies": [company_state(one) for one in call.world.companies.values()],
        "clients": [{"client_id": one.id, "redirect_uris": one.redirect_uris,
                     "scopes": sorted(one.scopes)} for one in oauth.clients.values()],
        "access_tokens": [token_state(call, one) for one in oauth.access.values()],
        "refresh_tokens": [token_state(call, one) for one in oauth.refreshes.values()],
    })


def company_state(company: Company) -> dict:
    hooks = company.hooks
    return {
        "company_id": str(company.id), "name": company.cast.company_name,
        "users": [{"user_id": str(user.id), "email": user.email, "is_admin": user.is_admin}
                  for user in company.users],
        "webhooks": [webhook.as_json() for webhook in hooks.webhooks.values()],
        "subscriptions": {kind: [hooks.shown(one) for one in found.values()]
                          for kind, found in hooks.subscriptions.items()},
    }


def token_state(call: Call, token: Token) -> dict:
    return {
        "value": token.value, "client_id": token.grant.client_id,
        "company_id": str(token.grant.user.company_id), "email": token.grant.user.email,
        "scopes": sorted(token.grant.scopes), "issued_at": token.issued_at,
        "expires_at": token.expires_at, "revoked": token.revoked, "used": token.used,
        "grant_ended": token.grant.ended,
    }


def show_settings(call: Call) -> Answer:
    return answer_json(200, asdict(call.world.settings))


def change_settings(call: Call) -> Answer:
    call.world.settings.change(call.given)
    return show_settings(call)
