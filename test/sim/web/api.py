"""The API under /api/v2: small handlers, each for one operation."""

from ..world.people import company_json, office_json
from ..world.refusal import Refusal
from .call import Call
from .message import Answer, answer_json


def user(call: Call) -> Answer:
    wanted = call.path_values["id"]
    if wanted == "me":
        return answer_json(200, call.token.grant.user.as_json())
    for one in call.company.users:
        if str(one.id) == wanted:
            return answer_json(200, one.as_json())
    raise Refusal(404, f"no user {wanted}")


def company(call: Call) -> Answer:
    return answer_json(200, company_json(call.company.cast))


def offices(call: Call) -> Answer:
    return answer_json(200, {"items": [office_json(call.company.cast)]})


# --- webhooks -----------------------------------------------------------------------------


def list_webhooks(call: Call) -> Answer:
    hooks = call.company.hooks
    return page(call, [webhook.as_json() for webhook in hooks.webhooks.values()])


def create_webhook(call: Call) -> Answer:
    return answer_json(200, call.company.hooks.create_webhook(call.given).as_json())


def get_webhook(call: Call) -> Answer:
    return answer_json(200, call.company.hooks.webhook(call.id).as_json())


def patch_webhook(call: Call) -> Answer:
    if not call.path_values["id"].isdigit():  # described as text for this method alone
        raise Refusal(404, f"no webhook {call.path_values['id']}")
    return answer_json(200, call.company.hooks.change_webhook(call.id, call.given).as_json())


def delete_webhook(call: Call) -> Answer:
    return answer_json(200, call.company.hooks.delete_webhook(call.id).as_json())


# --- subscriptions ------------------------------------------------------------------------


def kind_of(call: Call) -> str:
    """call or sms, as the path says."""
    return call.request.path.split("/")[4]


def list_subscriptions(call: Call) -> Answer:
    hooks, query = call.company.hooks, call.request.query
    wanted = query.get("target_type"), query.get("target_id")
    found = [hooks.shown(one) for one in hooks.subscriptions[kind_of(call)].values()
             if wanted[0] in (None, one.target_type)
             and wanted[1] in (None, str(one.target_id))]
    return page(call, found)


def create_subscription(call: Call) -> Answer:
    hooks = call.company.hooks
    return answer_json(200, hooks.shown(
        hooks.subscribe(kind_of(call), call.given, call.scopes)))


def get_subscription(call: Call) -> Answer:
    hooks = call.company.hooks
    return answer_json(200, hooks.shown(hooks.subscription(kind_of(call), call.id)))


def patch_subscription(call: Call) -> Answer:
    hooks = call.company.hooks
    return answer_json(200, hooks.shown(
        hooks.change_subscription(kind_of(call), call.id, call.given)))


def delete_subscription(call: Call) -> Answer:
    hooks = call.company.hooks
    return answer_json(200, hooks.shown(hooks.unsubscribe(kind_of(call), call.id)))


# --- calls --------------------------------------------------------------------------------


def list_calls(call: Call) -> Answer:
    return answer_json(200, call.company.archive.page(
        call.request.query, call.scopes, call.world.now_ms()))


def get_call(call: Call) -> Answer:
    return answer_json(200, call.company.archive.get(
        call.id, call.scopes, call.world.now_ms()))


def page(call: Call, items: list[dict]) -> Answer:
    """One page of a list. The cursor is opaque: here the id of the page's last item."""
    cursor = call.request.query.get("cursor")
    if cursor:
        items = [item for item in items if int(item["id"]) > last_id(cursor)]
    most = call.world.settings.list_page
    most = max(1, min(int(call.request.query.get("limit", most)), most))
    answer: dict = {"items": items[:most]}
    if len(items) > most:
        answer["cursor"] = f"{int(items[most - 1]['id']):x}"
    return answer_json(200, answer)


def last_id(cursor: str) -> int:
    try:
        return int(cursor, 16)
    except ValueError:
        raise Refusal(400, "cursor is not one of ours") from None
