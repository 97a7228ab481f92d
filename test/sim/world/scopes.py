"""What a token's scopes let a body hold.

Events are cut by the scopes of the token that made the subscription, at the time it did;
REST answers by those of the token that asks.
"""

from ..model import Event
from .hooks import Subscription

RECORDING_KEYS = ("recording_url", "admin_recording_urls")


def claims_for(subscription: Subscription, event: Event) -> dict:
    if event.kind == "call":
        return without_recordings(event.claims, subscription.scopes)
    return without_words(event.claims, subscription)


def without_recordings(claims: dict, scopes: frozenset[str]) -> dict:
    if "recordings_export" in scopes:
        return claims
    kept = {name: value for name, value in claims.items() if name not in RECORDING_KEYS}
    return kept | {"recording_details": []}


def without_words(claims: dict, subscription: Subscription) -> dict:
    """For one target message_content_export is enough; for the whole company Dialpad asks
    for message_content_export:all."""
    allowed = "message_content_export:all" in subscription.scopes or (
        subscription.target_id is not None
        and "message_content_export" in subscription.scopes)
    if allowed:
        return claims
    return {name: value for name, value in claims.items()
            if name not in ("text", "text_content")}
