"""Tests of the command line and of the fake Dialpad's server behind it."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from test.sim import jws
from test.sim.app_client import REDIRECT_URI
from test.sim.catalogue import SCENARIOS
from test.sim.client import Simulator
from test.sim.flaky_server import FlakyServer

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "test" / "fixtures" / "dialpad"
KEY = b"a secret of the tests, 32 bytes."

COMMAND = [sys.executable, str(ROOT / "test" / "sim" / "dialpad_sim.py")]


def run(*arguments: str, secret: str | None = KEY.decode()) -> subprocess.CompletedProcess:
    environment = dict(os.environ)
    environment.pop("SIM_HOOK_SECRET", None)
    if secret is not None:
        environment["SIM_HOOK_SECRET"] = secret
    return subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True,
                          text=True, timeout=60)


def test_play_reports_what_was_acknowledged_and_what_is_true(tmp_path):
    report = tmp_path / "report.json"
    with FlakyServer() as server:
        done = run("play", "--url", server.url, "--scenario", "missed,text_delivered",
                   "--calls", "4", "--seed", "x", "--report", str(report))
    assert done.returncode == 0, done.stderr
    assert "10 events, 10 sent, 10 acknowledged, 0 retried, 0 lost" in done.stdout
    told = json.loads(report.read_text())
    assert all(event["acknowledged"] for event in told["events"])
    assert [t["status"] for t in told["truths"]] == ["missed", "success"] * 2
    assert KEY.decode() not in report.read_text()


def test_play_fails_if_an_event_was_lost():
    with FlakyServer(404) as server:
        done = run("play", "--url", server.url, "--scenario", "text_inbound")
    assert done.returncode == 1 and "1 lost" in done.stdout


@pytest.mark.parametrize("arguments", [("--scenario", "nonsense"), ("--scenario", ","),
                                       ("--scenario", "all", "--repeat", "2")])
def test_play_refuses_what_it_does_not_know(arguments):
    assert run("play", "--url", "http://127.0.0.1:1/", *arguments).returncode == 2


def test_play_and_sign_need_the_secret():
    name = str(FIXTURES / "sms_inbound_2024.json")
    for arguments in (("sign", name),
                      ("play", "--url", "http://127.0.0.1:1/", "--scenario", "all")):
        done = run(*arguments, secret=None)
        assert done.returncode == 2 and "SIM_HOOK_SECRET" in done.stderr


def test_sign_signs_a_files_exact_bytes():
    path = FIXTURES / "call_ringing_inbound_2024.json"
    assert run("sign", str(path)).stdout == jws.mint(path.read_bytes(), KEY) + "\n"


def test_list_names_every_scenario():
    assert {line.split()[0] for line in run("list").stdout.splitlines()} == (
        set(SCENARIOS) | {"all", "demo"})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_answers_and_ends_cleanly(number):
    with subprocess.Popen([*COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE,
                          text=True) as server:
        url = server.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
            assert json.load(answer) == {"status": "ok"}
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/elsewhere", timeout=30)
        server.send_signal(number)
        assert server.wait(timeout=30) == 0


def test_the_server_knows_the_app_that_its_options_name():
    arguments = ["serve", "--port", "0", "--companies", "3", "--client-id", "local",
                 "--redirect-uri", REDIRECT_URI, "--token-seconds", "60"]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True,
                          env=os.environ | {"SIM_CLIENT_SECRET": "a secret"}) as server:
        sim = Simulator(server.stdout.readline().split()[-1])
        state = sim.state()
        assert [one["client_id"] for one in state["clients"]] == ["local"]
        assert len(state["companies"]) == 3
        assert sim.control("GET", "/settings")["token_seconds"] == 60
        sim.place("missed", speed=1)  # still going on: the server must not wait for it
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0


@pytest.mark.parametrize("arguments", [("--client-id", "local"), ("--companies", "0"),
                                       ("--companies", "101"), ("--token-seconds", "0")])
def test_serve_refuses_half_an_app_and_odd_numbers(arguments):
    assert run("serve", "--port", "0", *arguments).returncode == 2
