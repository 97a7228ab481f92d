"""deploy/docker/compose.yml: what it asks for is in the example, and each daemon starts with what it gives."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from test import pages
from test.conftest import BUILD, ROOT

TEXT = (ROOT / "deploy/docker/compose.yml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
EXAMPLE = (ROOT / "deploy/docker/compose.env.example").read_text()
ROLES = {"ingestd": "cti_ingest", "workerd": "cti_worker", "apid": "cti_api"}


def filled_in(text: str) -> str:
    return re.sub(r"\$\{(\w+)(?::\?)?\}", "k" * 44, text)


def test_each_value_it_asks_for_has_a_line_in_the_example():
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == set(re.findall(r"^(\w+)=", EXAMPLE, re.M))


def test_the_secrets_that_apid_makes_are_those_that_are_asked_for():
    made = subprocess.run([ROOT / "build" / BUILD / "bin/apid", "--generate-secrets"],
                          capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^(\w+)=.", made, re.M)) | {"OWNER_PASSWORD"} == set(
        re.findall(r"^(\w+)=", EXAMPLE, re.M))


@pytest.mark.parametrize("daemon", ROLES)
def test_a_daemon_is_told_what_it_knows_and_has_its_own_role(daemon: str):
    env = SERVICES[daemon]["environment"]
    assert set(env) - pages.settings_of(daemon) == set()
    assert env["DB_ROLE"] == ROLES[daemon]


@pytest.mark.parametrize("daemon", ["ingestd", "workerd", "apid"])
def test_a_daemon_starts_with_what_it_is_given(daemon: str):
    env = {name: filled_in(value) for name, value in SERVICES[daemon]["environment"].items()}
    done = subprocess.run([ROOT / "build" / BUILD / "bin" / daemon, "--check-config"],
                          env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("daemon", ["ingestd", "workerd", "apid"])
def test_a_daemon_has_no_rights_and_waits_for_the_schema(daemon: str):
    service = SERVICES[daemon]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_only_webhooks_and_the_api_are_reached_and_only_from_this_machine():
    reached = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert reached == {"ingestd": ["127.0.0.1:4001:4001"], "apid": ["127.0.0.1:4000:4000"]}


@pytest.mark.parametrize("service", ["ingestd", "workerd", "apid", "migrate"])
def test_an_image_is_a_target_of_the_dockerfile(service: str):
    build = SERVICES[service]["build"]
    assert build["target"] == service
    dockerfile = (ROOT / "deploy/docker" / build["context"] / build["dockerfile"]).read_text()
    assert f" AS {build['target']}\n" in dockerfile
