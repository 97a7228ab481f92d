"""Webhooks and event subscriptions of one company, and which of them an event goes to.

Dialpad documents the caps (100 subscriptions of a kind, 10 of them for the whole company).
INVENTED: the refusals' statuses and words; that a deleted webhook leaves its subscriptions
behind, without a webhook and without effect; that a subscription for a target gets the legs
whose target or entry point it is.
"""

from dataclasses import dataclass, field
from typing import Iterator

from ..cast import Cast
from ..model import Event
from .refusal import Refusal

MOST_OF_A_KIND = 100
MOST_FOR_COMPANY = 10
KINDS = ("call", "sms")


@dataclass
class Webhook:
    id: int
    hook_url: str
    secret: str | None = field(repr=False)

    def as_json(self) -> dict:
        shown = {"id": str(self.id), "hook_url": self.hook_url}
        if self.secret is not None:  # in clear, as Dialpad does
            shown["signature"] = {"algo": "HS256", "type": "jwt", "secret": self.secret}
        return shown


@dataclass
class Subscription:
    """`scopes` are those of the token that made it: they decide what its events hold."""

    id: int
    kind: str
    webhook: Webhook
    scopes: frozenset[str]
    options: dict  # as given: enabled, call_states, direction, status, …
    target_type: str | None = None
    target_id: int | None = None

    def wants(self, event: Event, is_update: bool) -> bool:
        """`is_update`: an event about the same text was told before."""
        if not self.options["enabled"] or not self._concerns(event.claims):
            return False
        return self._wants_call(event) if self.kind == "call" else self._wants_text(
            event, is_update)

    def _concerns(self, claims: dict) -> bool:
        if self.target_id is None:
            return True
        ends = (claims["target"], claims.get("entry_point_target") or {})
        return any(end.get("id") == self.target_id for end in ends)

    def _wants_call(self, event: Event) -> bool:
        states = self.options.get("call_states") or ["all"]
        if self.options.get("group_calls_only") and event.claims["group_id"] is None:
            return False
        return "all" in states or event.state in states

    def _wants_text(self, event: Event, is_update: bool) -> bool:
        if event.claims["is_internal"] and not self.options["include_internal"]:
            return False
        if is_update and not self.options["status"]:
            return False
        return self.options["direction"] in ("all", event.claims["direction"])

    def as_json(self, webhooks: dict[int, Webhook]) -> dict:
        shown = {"id": str(self.id), **self.options}
        if self.webhook.id in webhooks:
            shown["webhook"] = self.webhook.as_json()
        if self.target_id is not None:
            shown.update(target_type=self.target_type, target_id=str(self.target_id))
        return shown


DEFAULTS = {
    "call": {"enabled": True, "group_calls_only": False},
    "sms": {"enabled": True, "include_internal": False, "status": False},
}
OPTIONS = {
    "call": ("enabled", "call_states", "group_calls_only"),
    "sms": ("enabled", "direction", "include_internal", "status"),
}


class Hooks:
    def __init__(self, cast: Cast):
        self._cast = cast
        self._next_id = cast.company_id  # ids need only be int64s that nobody else has
        self.webhooks: dict[int, Webhook] = {}
        self.subscriptions: dict[str, dict[int, Subscription]] = {kind: {} for kind in KINDS}

    # --- webhooks ---------------------------------------------------------------------

    def create_webhook(self, given: dict) -> Webhook:
        webhook = Webhook(self._new_id(), checked_url(given.get("hook_url")),
                          checked_secret(given.get("secret")))
        self.webhooks[webhook.id] = webhook
        return webhook

    def webhook(self, webhook_id: int) -> Webhook:
        if webhook_id not in self.webhooks:
            raise Refusal(404, f"no webhook {webhook_id}")
        return self.webhooks[webhook_id]

    def change_webhook(self, webhook_id: int, given: dict) -> Webhook:
        webhook = self.webhook(webhook_id)
        url, secret = given.get("hook_url"), given.get("secret")
        if url is not None:
            webhook.hook_url = checked_url(url)
        if secret is not None:
            webhook.secret = checked_secret(secret)
        return webhook

    def delete_webhook(self, webhook_id: int) -> Webhook:
        webhook = self.webhook(webhook_id)
        del self.webhooks[webhook_id]
        return webhook

    # --- subscriptions ----------------------------------------------------------------

    def subscribe(self, kind: str, given: dict, scopes: frozenset[str]) -> Subscription:
        target = self._target(given)
        self._check_caps(kind, target)
        options = DEFAULTS[kind] | self._options(kind, given)
        subscription = Subscription(self._new_id(), kind, self._endpoint(given), scopes,
                                    options, *target)
        self.subscriptions[kind][subscription.id] = subscription
        return subscription

    def subscription(self, kind: str, subscription_id: int) -> Subscription:
        if subscription_id not in self.subscriptions[kind]:
            raise Refusal(404, f"no {kind} subscription {subscription_id}")
        return self.subscriptions[kind][subscription_id]

    def change_subscription(self, kind: str, subscription_id: int,
                            given: dict) -> Subscription:
        subscription = self.subscription(kind, subscription_id)
        target_type, target_id = self._target(given)
        webhook = subscription.webhook
        if endpoint_of(given) is not None:
            webhook = self._endpoint(given)
        if target_id is not None:
            subscription.target_type, subscription.target_id = target_type, target_id
        subscription.webhook = webhook
        subscription.options |= self._options(kind, given)
        return subscription

    def unsubscribe(self, kind: str, subscription_id: int) -> Subscription:
        subscription = self.subscription(kind, subscription_id)
        del self.subscriptions[kind][subscription_id]
        return subscription

    def shown(self, subscription: Subscription) -> dict:
        return subscription.as_json(self.webhooks)

    def receivers(self, event: Event, is_update: bool) -> Iterator[Subscription]:
        for subscription in self.subscriptions[event.kind].values():
            if (subscription.webhook.id in self.webhooks
                    and subscription.wants(event, is_update)):
                yield subscription

    # --- their parts ------------------------------------------------------------------

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _options(self, kind: str, given: dict) -> dict:
        return {name: given[name] for name in OPTIONS[kind] if given.get(name) is not None}

    def _endpoint(self, given: dict) -> Webhook:
        endpoint = endpoint_of(given)
        if endpoint is None:
            raise Refusal(400, "endpoint_id is missing")
        return self.webhook(int(endpoint))

    def _target(self, given: dict) -> tuple[str | None, int | None]:
        """Both or none; none is the whole company."""
        target_type, target_id = given.get("target_type"), given.get("target_id")
        if (target_type is None) != (target_id is None):
            raise Refusal(400, "target_type and target_id go together")
        if target_id is None:
            return None, None
        for target in self._cast.targets:
            if (target.id, api_type(target.type)) == (int(target_id), target_type):
                return target_type, target.id
        raise Refusal(404, f"no {target_type} {target_id}")

    def _check_caps(self, kind: str, target: tuple[str | None, int | None]) -> None:
        present = self.subscriptions[kind].values()
        for_company = sum(one.target_id is None for one in present)
        if len(present) >= MOST_OF_A_KIND:
            raise Refusal(400, f"there are {MOST_OF_A_KIND} {kind} subscriptions already")
        if target[1] is None and for_company >= MOST_FOR_COMPANY:
            raise Refusal(400, f"there are {MOST_FOR_COMPANY} {kind} subscriptions for the "
                               "whole company already")


def api_type(payload_type: str) -> str:
    """Payloads say call_center, the API says callcenter."""
    return payload_type.replace("_", "")


def endpoint_of(given: dict) -> int | str | None:
    """`webhook_id` is the name it had before; it still works."""
    endpoint = given.get("endpoint_id")
    return given.get("webhook_id") if endpoint is None else endpoint


def checked_url(url: object) -> str:
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise Refusal(400, "hook_url must be a URL")
    return url


def checked_secret(secret: str | None) -> str | None:
    if secret is not None and ("\n" in secret or "\r" in secret):
        raise Refusal(400, "secret must be a single line")
    return secret or None
