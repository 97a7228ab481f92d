"""The code in docs/api.md, run as it is printed."""

from __future__ import annotations

import subprocess
import time

import pytest
import unprivileged
from cti import App, Stack

from test import pages
from test.sim.catalogue import events_by_time, perform

RUNNERS = {
    "sh": ["sh", "-eu"],
    "js": ["node", "--input-type=module"],
    "python": ["/usr/bin/python3", "-"],
}
CALLS = 3


def printed() -> list[tuple[str, str]]:
    return [(block.kind, block.code) for block in pages.to_run("docs/api.md", *RUNNERS)]


@pytest.fixture(scope="module")
def busy_app(stack: Stack) -> App:
    app = stack.create_app("reader")
    plays = perform(["inbound_answered"], CALLS, seed="page", now_ms=time.time_ns() // 1_000_000)
    app.hook.deliver(events_by_time(plays))
    for play in plays:
        for truth in play.truths:
            app.wait_for(f"/api/calls/{truth.call_id}")
    return app


def run(kind: str, code: str, url: str, key: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        RUNNERS[kind], input=code, capture_output=True, text=True, timeout=60, check=False,
        env=unprivileged.base_env() | {"CTI_URL": url, "CTI_API_KEY": key})


@pytest.mark.parametrize("number", range(len(printed())))
def test_an_example_runs_as_it_is_printed(busy_app: App, number: int):
    kind, code = printed()[number]
    done = run(kind, code, busy_app.api_url, busy_app.api_key)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("number", range(len(printed())))
def test_an_example_that_is_refused_does_not_look_like_success(busy_app: App, number: int):
    kind, code = printed()[number]
    done = run(kind, code, busy_app.api_url, "cti_test_nobody_nothing")
    assert done.returncode != 0


def test_the_examples_that_count_see_every_call(busy_app: App):
    counts = [run(kind, code, busy_app.api_url, busy_app.api_key).stdout.strip()
              for kind, code in printed() if ", \"calls\")" in code]
    assert counts == [f"{CALLS} calls"] * 2
