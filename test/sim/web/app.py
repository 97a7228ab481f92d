"""The way of a request: check against the description, fault, token, limits, handler."""

import time
from dataclasses import replace

from ..live import Live
from ..spec.schema import Flaw
from ..world.refusal import Refusal
from ..world.world import World
from . import routes
from .call import Call
from .faults import Fault, Faults
from .limits import Limits
from .message import Answer, Request, answer_error
from .watch import Watch

OF_DIALPAD = ("/api/", "/oauth2/")


class Dropped(Exception):
    """End the connection without an answer."""


class App:
    def __init__(self, world: World, live: Live):
        self.world = world
        self.live = live
        self.faults = Faults()
        self.watch = Watch()
        self._limits = Limits()

    def answer(self, request: Request) -> Answer:
        """Raises Dropped."""
        if not request.path.startswith(OF_DIALPAD):
            return self._routed(request, [])
        try:
            answer = self._watched(request)
        except Dropped:
            self.watch.log(request, None)
            raise
        self.watch.log(request, answer.status)
        return answer

    def _watched(self, request: Request) -> Answer:
        """Every request is held against the description, whatever becomes of it then."""
        operation = self.watch.operation(request)
        grave = self.watch.check_request(operation, request) if operation else []
        fault = self.faults.take(request)
        if fault is not None and fault.kind == "drop":
            raise Dropped
        if fault is not None and fault.kind == "answer":
            return Answer(fault.status, fault.body.encode("utf-8"), headers=fault.headers)
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        answer = self._routed(request, grave)
        if operation is not None:
            self.watch.check_answer(operation, answer)
        return answer if fault is None else after(fault, answer)

    def _routed(self, request: Request, grave: list[Flaw]) -> Answer:
        found = routes.find(request.method, request.path)
        if found is None:
            if request.path.startswith(OF_DIALPAD):
                self.watch.unknown_operation(request)
            return answer_error(404, f"no route {request.method} {request.path}")
        name, route, path_values = found
        call = Call(self, request, path_values)
        try:
            with self.world.lock:
                self._admit(name, route, call)
                read(call, grave)
                return route.handler(call)
        except Refusal as refusal:
            return answer_error(refusal.status, refusal.message)

    def _admit(self, name: str, route: routes.Route, call: Call) -> None:
        """Who it is, how often they came, and what they may do."""
        if not route.bearer:
            return
        call.token = self.world.oauth.bearer(bearer_value(call.request))
        if call.token is None:
            raise Refusal(401, "the access token is unknown, expired or revoked")
        if route.per_minute is not None:
            self._limit(name, route.per_minute, call.company.id)
        if route.admin and not call.token.grant.user.is_admin:
            raise Refusal(403, "this needs a company admin's token")
        if route.scope is not None and route.scope not in call.scopes:
            raise Refusal(403, f"this needs the scope {route.scope}")

    def _limit(self, name: str, per_minute: int, company_id: int) -> None:
        rules = [((company_id, name), 60.0, per_minute)]
        if self.world.settings.company_per_second:
            rules.append((company_id, 1.0, self.world.settings.company_per_second))
        if not self._limits.admits(*rules):
            raise Refusal(429, "rate limit exceeded")


def read(call: Call, grave: list[Flaw]) -> None:
    """OAuth has errors of its own kind, so its handlers look for themselves."""
    if call.request.path.startswith("/oauth2/"):
        return
    if grave:
        raise Refusal(400, f"{grave[0].where} {grave[0].what}")
    given = call.request.json()
    if given is None:
        raise Refusal(400, "the body is no JSON object")
    call.given = given


def after(fault: Fault, answer: Answer) -> Answer:
    if fault.kind == "lost":
        raise Dropped
    if fault.kind == "trickle":
        return replace(answer, spread_s=fault.seconds)
    return answer


def bearer_value(request: Request) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
