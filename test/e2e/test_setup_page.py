"""The commands in docs/dialpad-setup.md work as they are printed."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import unprivileged
from cti import Stack
from provisioned import Company, connected, dialpad_with_companies

from test.conftest import ROOT

PAGE = (ROOT / "docs" / "dialpad-setup.md").read_text()
[DEFINITION] = re.findall(r"^admin\(\) .*$", PAGE, re.M)


def printed() -> list[str]:
    """In the order of the page, but nothing comes after a disconnect."""
    found = re.findall(r"`(admin [^`]+)`", PAGE) + re.findall(r"^(admin [^#\n]+)", PAGE, re.M)
    once = [one.replace(r"\|", "|").strip() for one in dict.fromkeys(found) if "GET …" not in one]
    return sorted((one for one in once if one != DEFINITION), key=lambda one: "disconnect" in one)


@pytest.fixture
def company():
    with dialpad_with_companies(1) as (_, companies):
        yield next(companies)


def test_each_command_does_what_it_is_printed_for(run_stack, company: Company):
    commands = printed()
    assert len(commands) > 12 and "disconnect" in commands[-1]
    with run_stack(dialpad=company.dialpad) as stack:
        app = connected(stack, company, "reader")
        [call] = company.place("missed")
        company.dialpad.wait_until_delivered()
        app.wait_for(f"/api/calls/{call['call_id']}")
        for command in commands:
            said = run(stack, app.app_id, command.replace("dialpad_id=…", f"dialpad_id={call['call_id']}"))
            assert said.get("status", 200) < 400, (command, said)
            if "api_key" in said:
                stack._shown.append(said["api_key"])


def run(stack: Stack, app_id: str, command: str) -> dict:
    done = subprocess.run(
        ["sh", "-eu"], input=f"{DEFINITION}\n{command}", capture_output=True, text=True, timeout=60,
        check=True, env=unprivileged.base_env() | {
            "CTI_URL": stack.apid.url, "CTI_ADMIN": stack.admin_secret, "app": app_id})
    return json.loads(done.stdout)


def test_the_look_at_a_hook_that_gets_no_events(stack: Stack):
    [command] = re.findall(r"`(curl -i -X POST [^`]+)`", PAGE)
    app = stack.create_app("deaf")
    done = subprocess.run(
        ["sh", "-eu"], input=DEFINITION + "\n" + command.replace(r"\|", "|"), capture_output=True,
        text=True, timeout=60, check=True, env=unprivileged.base_env() | {
            "CTI_URL": stack.apid.url, "CTI_ADMIN": stack.admin_secret, "app": app.app_id})
    assert done.stdout.startswith("HTTP/1.1 401"), done.stdout
