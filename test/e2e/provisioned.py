"""An app whose Dialpad is connected, and what Dialpad then has for it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cti import BIN, App, Stack
from login import Browser
from web import eventually, request

from test.sim.client import Simulator, simulator

KINDS = ("call", "sms")


@dataclass(frozen=True)
class Company:
    """One of Dialpad's, of a test's own: Dialpad takes ten subscriptions of a kind for each."""

    id: str
    admin: str
    dialpad: Simulator

    def place(self, scenario: str, **more: Any) -> list[dict]:
        return self.dialpad.place(scenario, company_id=self.id, **more)

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        """At Dialpad, as somebody else with a token would."""
        token = [one["value"] for one in self.dialpad.state()["access_tokens"]
                 if one["company_id"] == self.id and not one["revoked"]][-1]
        answer = request(method, f"{self.dialpad.url}/api/v2{path}",
                         None if body is None else json.dumps(body).encode(),
                         {"Authorization": f"Bearer {token}",
                          "Content-Type": "application/json"})
        assert answer.status == 200, (method, path, answer.status, answer.body)
        return answer.json()


@contextmanager
def dialpad_with_companies(
    count: int, **more: float
) -> Iterator[tuple[Simulator, Iterator[Company]]]:
    with simulator(companies=count, **more) as running:
        running.set(company_per_second=0)
        yield running, (
            Company(one["company_id"], next(u["email"] for u in one["users"] if u["is_admin"]),
                    running)
            for one in running.state()["companies"])


def connect(stack: Stack, company: Company, name: str) -> App:
    app = stack.create_app(name)
    answer = Browser().connect(stack, company.dialpad, app.app_id, company.admin)
    assert answer.status == 200, answer.body
    return app


def connected(stack: Stack, company: Company, name: str) -> App:
    """And provisioned."""
    app = connect(stack, company, name)
    wait_until_provisioned(stack, app)
    return app


def webhook(stack: Stack, app: App) -> dict:
    return stack.admin("GET", f"/apps/{app.app_id}/webhook")


def wait_until_provisioned(stack: Stack, app: App, seconds: float = 30) -> dict:
    eventually(lambda: webhook(stack, app)["state"] == "active", seconds,
               f"an active webhook: {webhook(stack, app)}")
    return webhook(stack, app)


def check_again(stack: Stack, app: App) -> dict:
    """workerd looks at Dialpad once more; its view afterwards."""
    before = webhook(stack, app)["last_checked_at"]
    stack.admin("POST", f"/apps/{app.app_id}/webhook", {})
    eventually(lambda: webhook(stack, app)["last_checked_at"] != before, 30, "another check")
    return webhook(stack, app)


def hooks_of(company: Company, app: App) -> list[dict]:
    return [one for one in company.dialpad.company(company.id)["webhooks"]
            if app.app_id in one["hook_url"]]


def subscriptions_of(company: Company, app: App, kind: str) -> list[dict]:
    return [one for one in company.dialpad.company(company.id)["subscriptions"][kind]
            if app.app_id in one.get("webhook", {}).get("hook_url", "")]


def assert_one_of_each(company: Company, app: App) -> None:
    assert len(hooks_of(company, app)) == 1
    for kind in KINDS:
        assert len(subscriptions_of(company, app, kind)) == 1, kind


def run_job(stack: Stack, name: str) -> None:
    """As an operator would; again where the daemon is running it just now."""

    def run() -> bool:
        done = subprocess.run([BIN / "workerd", "--run-job", name], env=stack.workerd.env,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or "another process" in done.stderr, done.stderr
        return done.returncode == 0

    eventually(run, 30, f"a run of {name}")
