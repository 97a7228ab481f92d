"""docs/openapi.yaml and apid say the same; web.request checks each answer of all the other tests."""

from __future__ import annotations

import json
import re
import subprocess

import contract
import jsonschema
import pytest
from cti import BIN, App, Stack
from web import request

METHODS = ("get", "post", "patch", "put", "delete")
# Served, and no part of the API: a mistake in the setup of a webhook, told so.
NOT_DESCRIBED = {("POST", "/webhooks/**")}


def described() -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, item in contract.spec()["paths"].items()
            for method in METHODS if method in item}


def served() -> set[tuple[str, str]]:
    table = subprocess.run([BIN / "apid", "--routes"], capture_output=True, text=True, check=True)
    routes = {tuple(line.split()[:2]) for line in table.stdout.splitlines()}
    return routes - NOT_DESCRIBED


def test_every_route_is_described_and_every_described_one_exists():
    assert served() == described()


def test_the_description_is_served_as_it_was_written(stack: Stack):
    assert request("GET", f"{stack.apid.url}/openapi.json").json() == contract.spec()


def test_the_page_names_every_operation_and_loads_nothing(stack: Stack):
    page = request("GET", f"{stack.apid.url}/docs")
    text = page.body.decode()
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for item in contract.spec()["paths"].values():
        for method in METHODS:
            assert method not in item or f"id='{item[method]['operationId']}'" in text
    assert "<script" not in text and "http://" not in text and "src=" not in text


def test_every_operation_has_an_id_of_its_own():
    """Else the links of the page lead to another one."""
    ids = [item[method]["operationId"] for item in contract.spec()["paths"].values()
           for method in METHODS if method in item]
    assert sorted(ids) == sorted(set(ids))


def test_every_reference_leads_somewhere():
    spec = contract.spec()
    for target in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(spec)):
        node = spec
        for part in target.split("/"):
            node = node[part]


@pytest.mark.parametrize("name", sorted(contract.spec()["components"]["schemas"]))
def test_a_schema_is_one_and_its_example_fits(name: str):
    schema = contract.spec()["components"]["schemas"][name]
    jsonschema.Draft202012Validator.check_schema(schema)
    if "example" in schema:
        whole = {"$ref": f"#/components/schemas/{name}"}
        assert contract._fault_of_json(whole, json.dumps(schema["example"]).encode()) is None


def test_every_query_parameter_of_a_list_is_taken(app: App):
    """And an unknown one is refused with exactly the names that are described."""
    for path in ("/api/calls", "/api/calls/active", "/api/messages", "/api/voicemails"):
        listed = [contract._resolved(p)["name"]
                  for p in contract.operation("GET", path)["parameters"]]
        refused = app.get(f"{path}?nonsense=1")
        assert refused.status == 400
        allowed = refused.json()["detail"].split("allowed: ")[1].split(", ")
        assert sorted(allowed) == sorted(listed), path


def test_every_choice_of_a_parameter_is_described(app: App):
    """A value that there is not is refused with exactly the ones that are described."""
    for path in ("/api/calls", "/api/calls/active", "/api/messages"):
        parameters = [contract._resolved(p) for p in contract.operation("GET", path)["parameters"]]
        choices = {p["name"]: p["schema"]["enum"] for p in parameters if "enum" in p["schema"]}
        assert choices.pop("order") == ["desc", "asc"]
        for name, described in choices.items():
            detail = app.get(f"{path}?{name}=nonsense").json()["detail"]
            assert sorted(detail.split("none of: ")[1].split(", ")) == sorted(described), detail
            assert all(app.get(f"{path}?{name}={one}").status == 200 for one in described)


@pytest.mark.parametrize("name", ["Call", "Message", "Voicemail", "Problem", "NewApp"])
def test_what_people_look_for_first_has_an_example(name: str):
    assert contract.spec()["components"]["schemas"][name]["example"]


@pytest.mark.parametrize(("status", "kind", "body", "says"), [
    (200, "application/json", b'{"calls": [], "total": 0}', "'limit' is a required"),
    (200, "application/json", b"[]", "is not of type 'object'"),
    (200, "text/plain", b"calls", "instead of application/json"),
    (204, "", b"", "is not described"),
    (400, "application/json", b"{}", "instead of application/problem+json"),
])
def test_an_answer_that_does_not_fit_is_found(status: int, kind: str, body: bytes, says: str):
    assert says in contract.fault("GET", "/api/calls", status, kind, body)
