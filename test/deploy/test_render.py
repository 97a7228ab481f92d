"""The blueprint for Render: it has what each daemon needs, and no secret in it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import ports
import pytest
import unprivileged
import yaml

from test.conftest import BUILD, ROOT, Database

BLUEPRINT = yaml.safe_load((ROOT / "deploy/render/render.yaml").read_text())
SERVICES = {service["name"].removeprefix("cti-"): service for service in BLUEPRINT["services"]}
GROUPS = {group["name"]: group["envVars"] for group in BLUEPRINT["envVarGroups"]}
# A value for what the blueprint leaves to the dashboard, or Render makes up.
MADE_UP = {"DATABASE_URL": "postgresql://cti:pw@db.internal/cti"}


def variables(service: dict) -> dict[str, dict]:
    found = {}
    for entry in service["envVars"]:
        for variable in GROUPS[entry["fromGroup"]] if "fromGroup" in entry else [entry]:
            found[variable["key"]] = variable
    return found


def value_of(name: str, variable: dict) -> str:
    if "value" in variable:
        return variable["value"]
    if name.endswith(("_URL", "_URI")) and name not in MADE_UP:
        return "https://cti.example.com/auth/dialpad/callback"[: 45 if name.endswith("URI") else 23]
    return MADE_UP.get(name, "k" * 44)


@pytest.mark.parametrize("daemon", ["ingestd", "workerd", "apid"])
def test_a_daemon_starts_with_what_the_blueprint_gives_it(daemon: str):
    env = {name: value_of(name, v) for name, v in variables(SERVICES[daemon]).items()}
    done = subprocess.run([ROOT / "build" / BUILD / "bin" / daemon, "--check-config"],
                          env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def deployed(empty_db: Database, tmp_path: Path) -> Database:
    """What the pre-deploy command of the image does, with the one login that Render gives."""
    there = tmp_path / "sqitch"
    there.write_text(f'#!/bin/sh\nshift 2\nexec /usr/bin/sqitch --chdir {ROOT}/migrations "$@"\n')
    there.chmod(0o755)
    done = subprocess.run(["sh", ROOT / "deploy/docker/migrate.sh"], capture_output=True, text=True, check=False,
                          env={"PATH": f"{tmp_path}:{os.defpath}", "DATABASE_URL": empty_db.url(), "HOME": "/"})
    assert done.returncode == 0, done.stdout + done.stderr
    return empty_db


# What somebody sets who starts the services by hand.
BY_HAND = {
    "NODE_ENV": "production", "DB_SSL": "false",
    "DIALPAD_PROD_CLIENT_ID": "id", "DIALPAD_PROD_CLIENT_SECRET": "s" * 44,
    "DIALPAD_PROD_REDIRECT_URI": "https://cti.example.com/auth/dialpad/callback",
    "DIALPAD_PROD_BASE_URL": "https://dialpad.com",
    "DIALPAD_SCOPES": '"webhook calls:list offline_access recordings_export"',
    "DIALPAD_WEBHOOK_SECRET": "w" * 44, "INTERNAL_API_SECRET": "i" * 44,
    "WEBHOOK_MASTER_KEY": "m" * 44, "TOKEN_ENCRYPTION_KEY": "t" * 44, "API_KEY_PEPPER": "p" * 44,
}


def from_the_blueprint(service: dict, database: Database) -> dict[str, str]:
    return {name: value_of(name, v) for name, v in variables(service).items()} | {
        "DATABASE_URL": database.url(), "DRAIN_GRACE_MS": "0"}


def by_hand(service: dict, database: Database) -> dict[str, str]:
    login = urlsplit(database.url())
    return BY_HAND | {
        "DB_ROLE": variables(service)["DB_ROLE"]["value"], "DB_NAME": database.name,
        "DB_HOST": login.hostname, "DB_PORT": str(login.port), "DB_USER": login.username,
        "DB_PASSWORD": login.password}


@pytest.mark.parametrize("environment", [from_the_blueprint, by_hand])
def test_deployed_each_answers_render_on_its_port(
        deployed: Database, tmp_path: Path, environment: Callable[[dict, Database], dict[str, str]]):
    running = []
    try:
        for daemon, service in SERVICES.items():
            port = ports.any_free()
            env = environment(service, deployed) | {"PORT": str(port), "OPS_PORT": str(ports.any_free())}
            with open(tmp_path / daemon, "wb") as log:
                running.append((daemon, service, port, unprivileged.spawn(
                    [str(ROOT / "build" / BUILD / "bin" / daemon)], env=env, stdout=log)))
        for daemon, service, port, _ in running:
            path = service.get("healthCheckPath", "/readyz")
            assert answers(f"http://127.0.0.1:{port}{path}"), (tmp_path / daemon).read_text()
    finally:
        for *_, process in running:
            process.terminate()
        codes = [process.wait(30) for *_, process in running]
    assert codes == [0, 0, 0]


def answers(url: str) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == 200
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("daemon", ["ingestd", "workerd", "apid"])
def test_every_variable_is_one_that_is_known(daemon: str):
    known = set(re.findall(r'"([A-Z][A-Z0-9_]+)"', (ROOT / "common/conf/conf.def").read_text()))
    assert set(variables(SERVICES[daemon])) - known - {"NODE_ENV"} == set()


def test_no_secret_stands_in_the_blueprint():
    for service in SERVICES.values():
        for name, variable in variables(service).items():
            if re.search("SECRET|KEY|PEPPER|DATABASE_URL|CLIENT_ID", name):
                assert "value" not in variable, name


def test_what_must_be_the_same_everywhere_comes_from_one_place():
    for name in ("WEBHOOK_MASTER_KEY", "TOKEN_ENCRYPTION_KEY"):
        holders = [group for group, entries in GROUPS.items() if name in [e["key"] for e in entries]]
        assert len(holders) == 1
        for service in SERVICES.values():
            assert name not in [e.get("key") for e in service["envVars"]]


def test_the_schema_is_brought_up_to_date_once_for_each_deploy():
    assert [s["name"] for s in SERVICES.values() if "preDeployCommand" in s] == ["cti-apid"]


def test_a_stop_leaves_time_for_grace_and_drain():
    for service in SERVICES.values():
        grace_ms = int(variables(service)["DRAIN_GRACE_MS"]["value"])
        assert service["maxShutdownDelaySeconds"] * 1000 > grace_ms + 10_000
