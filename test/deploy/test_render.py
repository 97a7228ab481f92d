"""The blueprint for Render: it has what each daemon needs, and no secret in it."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from test.conftest import BUILD, ROOT

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
