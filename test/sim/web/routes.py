"""Every route: who may use it, how often, and who answers."""

from collections.abc import Callable
from dataclasses import dataclass

from ..spec.operations import match
from . import api, authorize, grants
from .call import Call
from .controls import oauth, plays, state, trouble
from .message import Answer, answer_json


@dataclass(frozen=True)
class Route:
    handler: Callable[[Call], Answer]
    bearer: bool = False  # needs an access token
    admin: bool = False  # of a company's admin
    scope: str | None = None
    per_minute: int | None = None  # for one company


def healthz(_call: Call) -> Answer:
    return answer_json(200, {"status": "ok"})


def of_api(handler: Callable[[Call], Answer], per_minute: int = 1200, **more) -> Route:
    return Route(handler, bearer=True, per_minute=per_minute, **more)


def subscription_routes(kind: str) -> dict[tuple[str, str], Route]:
    path = f"/api/v2/subscriptions/{kind}"
    return {
        ("GET", path): of_api(api.list_subscriptions),
        ("POST", path): of_api(api.create_subscription),
        ("GET", path + "/{id}"): of_api(api.get_subscription),
        ("PATCH", path + "/{id}"): of_api(api.patch_subscription),
        ("DELETE", path + "/{id}"): of_api(api.delete_subscription),
    }


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/healthz"): Route(healthz),
    ("GET", "/oauth2/authorize"): Route(authorize.show),
    ("POST", "/oauth2/authorize"): Route(authorize.submit),
    ("POST", "/oauth2/token"): Route(grants.token),
    ("POST", "/oauth2/deauthorize"): Route(grants.deauthorize, bearer=True),
    ("GET", "/api/v2/users/{id}"): of_api(api.user),
    ("GET", "/api/v2/company"): of_api(api.company, admin=True),
    ("GET", "/api/v2/offices"): of_api(api.offices),
    ("GET", "/api/v2/webhooks"): of_api(api.list_webhooks),
    ("POST", "/api/v2/webhooks"): of_api(api.create_webhook, per_minute=100),
    ("GET", "/api/v2/webhooks/{id}"): of_api(api.get_webhook),
    ("PATCH", "/api/v2/webhooks/{id}"): of_api(api.patch_webhook),
    ("DELETE", "/api/v2/webhooks/{id}"): of_api(api.delete_webhook),
    **subscription_routes("call"),
    **subscription_routes("sms"),
    ("GET", "/api/v2/call"): of_api(api.list_calls, admin=True, scope="calls:list"),
    ("GET", "/api/v2/call/{id}"): of_api(api.get_call, per_minute=10),
    ("GET", "/sim/state"): Route(state.state),
    ("GET", "/sim/settings"): Route(state.show_settings),
    ("POST", "/sim/settings"): Route(state.change_settings),
    ("POST", "/sim/clients"): Route(oauth.register_client),
    ("POST", "/sim/tokens"): Route(oauth.change_tokens),
    ("POST", "/sim/scopes"): Route(oauth.change_scopes),
    ("POST", "/sim/calls"): Route(plays.place_calls),
    ("POST", "/sim/texts"): Route(plays.send_text),
    ("GET", "/sim/truths"): Route(plays.truths),
    ("GET", "/sim/deliveries"): Route(plays.deliveries),
    ("GET", "/sim/faults"): Route(trouble.show_faults),
    ("POST", "/sim/faults"): Route(trouble.add_fault),
    ("DELETE", "/sim/faults"): Route(trouble.clear_faults),
    ("GET", "/sim/requests"): Route(trouble.requests),
    ("DELETE", "/sim/requests"): Route(trouble.forget_requests),
    ("GET", "/sim/violations"): Route(trouble.violations),
    ("DELETE", "/sim/violations"): Route(trouble.forget_violations),
}


def find(method: str, path: str) -> tuple[str, Route, dict[str, str]] | None:
    """The route's name, as in "GET /api/v2/call/{id}", the route, and the path's values."""
    for (wanted, template), route in ROUTES.items():
        values = match(template, path) if wanted == method else None
        if values is not None:
            return f"{method} {template}", route, values
    return None
