"""Performs plays in a company as they happen, and delivers what its subscriptions ask for.

Each event is first learned by the company's archive and then sent, signed with the
webhook's secret, to every subscription that wants it, again and again by Dialpad's policy.
A try is made on a connection of its own: between two events of one company hours may pass.
"""

import threading
import time
from dataclasses import dataclass, field

from . import jws
from .agenda import Agenda
from .delivery import Line, Parcel, Round
from .model import Event, Play
from .policy import ANSWER_TIMEOUT_S
from .world.hooks import Subscription
from .world.scopes import claims_for
from .world.world import Company, World

POSTMEN = 16  # a hook that does not answer holds one for 5 s


@dataclass
class Posting(Parcel):
    """One body for one subscription. The URL stays that of the first try."""

    company_id: int = 0
    subscription_id: int = 0
    url: str = ""
    settled: bool = field(default=False)


def signed(claims: dict, secret: str | None) -> bytes:
    """Without a secret Dialpad sends the bare object."""
    plain = jws.claim_bytes(claims)
    if secret is None:
        return plain
    return jws.mint(plain, secret.encode("utf-8")).encode("ascii")


class Live:
    def __init__(self, world: World, time_scale: float = 1.0):
        self._world = world
        self._time_scale = time_scale
        self._begun = time.monotonic()
        self._stage: Agenda[tuple[Company, Event]] = Agenda()
        self._post: Agenda[tuple[Posting, Round]] = Agenda()
        self.postings: list[Posting] = []
        threading.Thread(target=self._tell_when_due, daemon=True).start()
        for _ in range(POSTMEN):
            threading.Thread(target=self._deliver, daemon=True).start()

    def perform(self, company: Company, play: Play, speed: float | None) -> None:
        """At once without a speed; else as long as the story takes, divided by it."""
        if speed is None:
            for event in play.events:
                self._tell(company, event)
            return
        curtain = time.monotonic()
        for event in play.events:
            self._stage.add((company, event), curtain + event.offset_ms / 1000 / speed)

    @property
    def pending(self) -> int:
        """Events to come and bodies on their way."""
        return self._stage.unsettled + self._post.unsettled

    def stop(self) -> None:
        self._stage.abandon()
        self._post.abandon()

    def _tell_when_due(self) -> None:
        while (told := self._stage.take()) is not None:
            self._tell(*told)
            self._stage.settle()

    def _tell(self, company: Company, event: Event) -> None:
        with self._world.lock:
            is_update = company.archive.learn(event)
            for subscription in company.hooks.receivers(event, is_update):
                self._send(company, subscription, event)

    def _send(self, company: Company, subscription: Subscription, event: Event) -> None:
        webhook = subscription.webhook
        posting = Posting(event, signed(claims_for(subscription, event), webhook.secret),
                          company_id=company.id, subscription_id=subscription.id,
                          url=webhook.hook_url)
        self.postings.append(posting)
        self._post.add((posting, Round(posting)), time.monotonic())

    def _deliver(self) -> None:
        while (job := self._post.take()) is not None:
            posting, tries = job
            line = Line(posting.url, ANSWER_TIMEOUT_S, keep_alive=False)
            wait_s = tries.post(line, self._begun)
            if wait_s is None:
                posting.settled = True
            else:
                self._post.add(job, time.monotonic() + wait_s * self._time_scale)
            self._post.settle()
