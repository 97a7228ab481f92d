"""docs/openapi.yaml as a judge: every answer of apid that a test gets has to fit it."""

from __future__ import annotations

import json
import re
from functools import cache
from urllib.parse import urlsplit

import jsonschema
import yaml

from test.conftest import ROOT

# Where apid listens, by test; an answer from elsewhere is not judged.
APID_URLS: set[str] = set()


@cache
def spec() -> dict:
    return yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())


@cache
def _patterns() -> list[tuple[re.Pattern, str]]:
    """Paths without a parameter first."""
    paths = sorted(spec()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]


@cache
def _validator(schema_text: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(schema_text) | {"components": spec()["components"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def _resolved(node: dict) -> dict:
    while "$ref" in node:
        found = spec()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def operation(method: str, path: str) -> dict | None:
    """What the description says of a request; None when it does not know it."""
    path = path.rstrip("/") or "/"
    name = "get" if method == "HEAD" else method.lower()
    for pattern, known in _patterns():
        if pattern.fullmatch(path) and name in spec()["paths"][known]:
            return spec()["paths"][known][name]
    return None


def fault(method: str, path: str, status: int, content_type: str, body: bytes) -> str | None:
    """Why an answer does not fit; None when it does."""
    if _is_of_the_gate(method, status) and not body:
        return None
    described = operation(method, path)
    if described is None:
        return _fault_of_unknown(status, content_type, body)
    answers = described["responses"]
    answer = answers.get(str(status)) or (answers.get("default") if status >= 400 else None)
    if answer is None:
        return f"status {status} is not described"
    kinds = _resolved(answer).get("content", {})
    kind = content_type.split(";")[0]
    if not body and (method == "HEAD" or not kinds or 300 <= status < 400):
        return None
    if kind not in kinds:
        return f"{kind or 'no content type'} instead of {' or '.join(kinds)}"
    return _fault_of_json(kinds[kind]["schema"], body) if kind.endswith("json") else None


def _is_of_the_gate(method: str, status: int) -> bool:
    """A redirect to https, or the answer to a pre-flight: on any path, described in its text."""
    return status == 308 or (method == "OPTIONS" and status == 204)


def _fault_of_unknown(status: int, content_type: str, body: bytes) -> str | None:
    """There is no such endpoint: a problem, or misdirected, or a method that is not taken."""
    if status < 400:
        return f"answered {status}, and is not described"
    if content_type.split(";")[0] != "application/problem+json":
        return f"{content_type} instead of application/problem+json"
    return _fault_of_json({"$ref": "#/components/schemas/Problem"}, body) if body else None


def _fault_of_json(schema: dict, body: bytes) -> str | None:
    errors = _validator(json.dumps(schema)).iter_errors(json.loads(body))
    worst = jsonschema.exceptions.best_match(errors)
    return f"{worst.json_path}: {worst.message[:300]}" if worst else None


def check(method: str, url: str, status: int, content_type: str, body: bytes) -> None:
    """Fails the test whose answer from apid does not fit."""
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" not in APID_URLS:
        return
    found = fault(method, parts.path, status, content_type, body)
    assert found is None, f"{method} {parts.path} does not fit docs/openapi.yaml: {found}"
