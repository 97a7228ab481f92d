"""README.md: what `make run` starts, and the commands for it, as they are printed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ports
import pytest
import unprivileged
from settings import DEFAULT_PORTS, OPS_OFFSET

from test import pages
from test.conftest import BUILD, ROOT

STEPS = pages.to_run("README.md", "sh")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Iterator[Path]:
    """A directory that looks like the checkout while `make run` runs in it."""
    here = tmp_path_factory.mktemp("checkout")
    (here / "test").symlink_to(ROOT / "test")
    names = ("APID_PORT", "INGESTD_PORT", "WORKERD_PORT", "PG_PORT", "SIM_PORT")
    env = unprivileged.base_env() | {name: str(free_pair()) for name in names} | {
        "RUN_DIR": str(here / ".run"), "BUILD_DIR": f"build/{BUILD}/bin", "DEMO": "1"}
    server = subprocess.Popen([sys.executable, ROOT / "deploy/local/run.py"], env=env, cwd=ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = []
        for line in server.stdout:
            said.append(line)
            if line.startswith("ready"):
                break
        assert said and said[-1].startswith("ready"), "".join(said)
        yield here
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
    assert server.returncode == 0
    taken = [env[name] for name in names if not ports.is_free(int(env[name]))]
    assert not taken, "somebody still listens there"


def free_pair() -> int:
    """A port, and the one that is 100 above it, for health and metrics."""
    while True:
        port = ports.any_free()
        if ports.is_free(port + 100):
            return port


def run(code: str, where: Path) -> str:
    done = subprocess.run(["bash", "-euo", "pipefail"], input=code, cwd=where, env=unprivileged.base_env(),
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, code + done.stdout + done.stderr
    return done.stdout


def test_the_calls_of_the_demo_can_be_read(checkout: Path):
    answer = json.loads(run(STEPS[0].code, checkout))
    assert 1 <= len(answer["calls"]) <= 3


def test_an_event_of_ones_own_can_be_sent(checkout: Path):
    assert json.loads(run(STEPS[0].code.splitlines()[0] + "\n" + STEPS[1].code, checkout)) == {"received": True}


def test_these_are_all_the_commands_there_are():
    assert len(STEPS) == 2


def test_the_ports_are_those_that_it_takes():
    told = re.findall(r"`(\w+_PORT)`\s\((\d+)\)", pages.text_of("README.md"))
    assert {name: int(port) for name, port in told} == DEFAULT_PORTS
    assert f"port + {OPS_OFFSET}" in pages.text_of("README.md")
