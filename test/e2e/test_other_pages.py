"""The commands in docs/limits.md and live.md, run as they are printed."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import unprivileged
from cti import App, Stack

from test import pages


@pytest.fixture
def app(own_stack: Stack) -> App:
    return own_stack.create_app("reader")


def run(stack: Stack, app: App, code: str) -> str:
    [key] = stack.admin("GET", f"/apps/{app.app_id}/api-keys")["api_keys"][:1]
    env = {"CTI_URL": stack.apid.url, "CTI_ADMIN": stack.admin_secret, "CTI_APP_ID": app.app_id,
           "CTI_KEY_ID": key["key_id"]}
    done = subprocess.run(["sh", "-eu"], input=code, capture_output=True, text=True, timeout=60,
                          check=False, env=unprivileged.base_env() | env)
    assert done.returncode == 0, code + done.stdout + done.stderr
    for secret in re.findall(r'"(?:api_key|token|secret)": *"([^"]+)"', done.stdout):
        stack._shown.append(secret)
    return done.stdout


def code_of(page: str, number: int) -> str:
    return pages.to_run(page, "sh")[number].code


def test_docs_limits(own_stack: Stack, app: App):
    """The second command is run first: it replaces the only key there is, so that there is room for one."""
    replaced = json.loads(run(own_stack, app, code_of("docs/limits.md", 1)))
    assert replaced["api_key"]
    own_stack.admin("DELETE", f"/apps/{app.app_id}/api-keys/{replaced['key_id']}")
    assert json.loads(run(own_stack, app, code_of("docs/limits.md", 0)))["api_key"]
    assert run(own_stack, app, code_of("docs/limits.md", 2))
    assert own_stack.admin("GET", f"/apps/{app.app_id}")["allowed_origins"] == ["https://app.example"]
    assert len(pages.to_run("docs/limits.md", "sh")) == 3


def test_docs_live(own_stack: Stack, app: App):
    [only] = pages.to_run("docs/live.md", "sh")
    assert json.loads(run(own_stack, app, only.code))["token"]
