"""After connecting, refreshing, provisioning and rotating, no secret lies about anywhere."""

from __future__ import annotations

import base64
import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import unprivileged
from cti import BIN, App, Daemon, Stack
from provisioned import Company, check_again, connected, dialpad_with_companies
from web import eventually, request

from test.conftest import Database


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with dialpad_with_companies(1) as (_, companies):
        yield next(companies)


@pytest.fixture
def talkative(run_stack, company: Company) -> Iterator[Stack]:
    """Nothing that could be logged is left out."""
    env = {name: {"LOG_LEVEL": "debug"} for name in ("ingestd", "workerd", "apid")}
    with run_stack(env, dialpad=company.dialpad) as stack:
        yield stack


def command(stack: Stack, *arguments: str) -> str:
    """What workerd says when an operator calls it. Beside the leader's run a job gives way."""

    def run() -> str:
        done = subprocess.run([BIN / "workerd", *arguments], env=stack.workerd.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return done.stdout if done.returncode == 0 else ""

    return eventually(run, 15, " ".join(arguments))


def age(stack: Stack) -> None:
    """The token is no new one, and the last attempt to refresh it long ago."""
    stack.sql("UPDATE dialpad_connections SET connected_at = now() - interval '2 hours',"
              " last_refresh_at = last_refresh_at - interval '1 hour'")


def live(stack: Stack, company: Company) -> tuple[App, str]:
    """A life of an app, with the accidents in which a secret might slip out; what commands said."""
    dialpad = company.dialpad
    app = connected(stack, company, "quiet")
    company.place("missed,text_inbound")
    dialpad.wait_until_delivered()
    assert app.hook.post_body(b"a.b.c").status == 401
    age(stack)
    token = dialpad.state()["access_tokens"][-1]["value"]
    dialpad.fault("/api/v2/webhooks", status=401,
                  body=f'{{"error": {{"message": "token {token} is unknown"}}}}')
    check_again(stack, app)
    stack.admin("POST", f"/apps/{app.app_id}/webhook/rotate", {})
    eventually(lambda: len(stack.sql("SELECT 1 FROM dialpad_webhooks WHERE state = 'retired'")) == 1,
               15, "a rotation")
    refresh = dialpad.state()["refresh_tokens"][-1]["value"]
    dialpad.fault("/oauth2/token", status=500, body=f'{{"error": "not now: {refresh}"}}')
    stack.sql("UPDATE dialpad_connections SET token_expires_at = now()")
    age(stack)
    output = command(stack, "--run-job", "tokens")
    age(stack)
    output += command(stack, "--run-job", "tokens") + command(stack, "--reseal")
    assert stack.admin("GET", f"/apps/{app.app_id}/connection")["refresh_failures"] == 0
    assert len(dialpad.state()["refresh_tokens"]) >= 3
    return app, output


def known_secrets(stack: Stack, company: Company, app: App) -> set[str]:
    state = company.dialpad.state()
    tokens = {one["value"] for kind in ("access_tokens", "refresh_tokens") for one in state[kind]}
    return tokens | set(stack.secrets) | {
        stack.hook(app.app_id, number).secret for number in (1, 2)}


def dump(database: Database) -> str:
    return subprocess.run(["pg_dump", "--enable-row-security", database.superuser_url()],
                          check=True, capture_output=True, text=True).stdout


def assert_without(secrets: set[str], text: str, where: str) -> None:
    for secret in secrets:
        raw = secret.encode()
        shapes = {secret, raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode()}
        assert not any(shape in text for shape in shapes), where


def test_no_log_no_dump_and_no_metric_has_a_secret(talkative: Stack, company: Company):
    app, output = live(talkative, company)
    secrets = known_secrets(talkative, company, app)
    before = dump(talkative.database)
    assert app.app_id in before and company.id in before
    talkative.admin("POST", f"/apps/{app.app_id}/disconnect", {})
    for where, text in {
        "a dump while it is connected": before,
        "a dump afterwards": dump(talkative.database),
        "the log of PostgreSQL": talkative.database.cluster.log.read_text(errors="replace"),
        "what commands print": output,
    }.items():
        assert_without(secrets, text, where)
    for daemon in talkative.daemons:
        assert_without(secrets, daemon.log.read_text(), f"the log of {daemon.name}")
        metrics = request("GET", f"{daemon.ops_url}/metrics").body.decode()
        assert_without(secrets, metrics, f"the metrics of {daemon.name}")
    assert talkative.apid.log_contains("oauth.connected")  # the logs are of that life
    assert talkative.workerd.log_contains("webhook.provisioned")


# Memory


@pytest.fixture
def cores_allowed() -> Iterator[None]:
    """What is started meanwhile may leave a core as large as the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.fixture
def room() -> Iterator[Path]:
    """Where a core would land that goes to its process's own directory."""
    with tempfile.TemporaryDirectory(prefix="cti-core-") as directory:
        unprivileged.give(Path(directory))
        yield Path(directory)


def leaves_core(pid: int) -> bool:
    os.kill(pid, signal.SIGABRT)
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert end.si_status == signal.SIGABRT
    return end.si_code == os.CLD_DUMPED


def may_look_into(pid: int) -> bool:
    """As another process of the same user."""
    looked = subprocess.run(["head", "-c", "1", f"/proc/{pid}/environ"], cwd="/",
                            capture_output=True, **unprivileged.identity())
    return looked.returncode == 0


def limits_of(pid: int) -> str:
    """Words, each followed by one blank."""
    return " ".join(Path(f"/proc/{pid}/limits").read_text().split())


def another(daemon: Daemon, directory: Path, room: Path) -> Daemon:
    """Beside the stack's, which must not crash. AddressSanitizer forbids cores itself."""
    twin = daemon.twin(directory)
    twin.cwd = room
    options = twin.env.get("ASAN_OPTIONS", "")
    twin.set_env({"ASAN_OPTIONS": f"{options}:disable_coredump=0".lstrip(":")})
    twin.start()
    twin.wait_ready()
    return twin


def test_a_daemon_leaves_no_core_and_shows_its_memory_to_nobody(
    stack: Stack, tmp_path: Path, cores_allowed, room: Path
):
    other = unprivileged.spawn(["/bin/sleep", "60"], env=unprivileged.base_env(), cwd=room)
    assert may_look_into(other.pid)
    cores_happen = leaves_core(other.pid)
    other.wait()
    for core in room.iterdir():
        core.unlink()
    for daemon in stack.daemons:
        twin = another(daemon, tmp_path, room)
        assert not may_look_into(twin.pid), twin.name
        assert "Max core file size 0 0 " in limits_of(twin.pid), twin.name
        assert not leaves_core(twin.pid), twin.name
        twin.kill()
        assert list(room.iterdir()) == [], twin.name
    if not cores_happen:
        pytest.skip("nothing leaves a core on this machine: only the looks were tried")
