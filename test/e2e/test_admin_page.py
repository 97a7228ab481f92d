"""The commands in docs/admin.md, run one after the other as they are printed."""

from __future__ import annotations

import json
import re
import subprocess

import contract
import pytest
import unprivileged
from cti import Stack
from tasks import finished
from web import eventually

from test import pages

NUMBER = "+13345521280"


def printed() -> list[str]:
    return [block.code for block in pages.to_run("docs/admin.md", "sh")]


class Reader:
    """Somebody with the page, a shell, and an app that has got a call."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.app = stack.create_app("reader")
        self.app.hook.post({"call_id": 7, "state": "ringing", "direction": "inbound",
                            "external_number": NUMBER, "event_timestamp": 1_800_000_000_000})
        self.app.wait_for("/api/calls/7")
        [self.event] = stack.admin("GET", f"/apps/{self.app.app_id}/events")["events"]

    def run(self, command: str, secret: str | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["sh", "-eu"], input=command, capture_output=True, text=True, timeout=60, check=False,
            env=unprivileged.base_env() | {
                "CTI_URL": self.stack.apid.url, "CTI_ADMIN": secret or self.stack.admin_secret,
                "CTI_APP_ID": self.app.app_id, "CTI_EVENT": self.event["event_id"]})


@pytest.fixture
def reader(own_stack: Stack) -> Reader:
    return Reader(own_stack)


def test_the_examples_work_from_the_first_to_the_last(reader: Reader) -> None:
    stack, app = reader.stack, reader.app
    stack.admin("PATCH", f"/apps/{app.app_id}", {"accepts_bare": True})
    answers = {}
    for command in printed():
        done = reader.run(command)
        assert done.returncode == 0, command + done.stdout + done.stderr
        answers[command] = json.loads(done.stdout)
        if "api_key" in answers[command]:
            stack._shown.append(answers[command]["api_key"])
    told = [answer for command, answer in answers.items() if "will_remove" in answer]
    assert [answer["will_remove"]["calls"] for answer in told] == [1, 1]
    task = finished(stack, f"/apps/{app.app_id}/erase", "erasures", told[1]["id"])
    assert task["result"]["calls"] == 1
    eventually(lambda: app.get("/api/calls/7").status == 404, 20, "no call any more")


def test_without_the_secret_none_of_them_looks_like_success(reader: Reader) -> None:
    for command in printed():
        assert reader.run(command, secret="x" * 32).returncode != 0, command
    assert reader.app.get("/api/calls/7").status == 200


def test_every_route_about_apps_keys_and_events_is_told() -> None:
    """By the last part of its path that is a word."""
    page = pages.text_of("docs/admin.md")
    for path, item in contract.spec()["paths"].items():
        tags = {tag for method in item.values() if isinstance(method, dict)
                for tag in method.get("tags", [])}
        if path.startswith("/internal/") and tags & {"Apps", "Keys", "Events"}:
            assert "/" + re.findall(r"/([a-z][\w-]*)", path)[-1] in page, path
