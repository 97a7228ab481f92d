"""The operations of Dialpad's API description: which one a request is, and what is wrong."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from .schema import DIGITS, Flaw, Schemas

DESCRIPTION = Path(__file__).resolve().parents[2] / "fixtures" / "dialpad" / "openapi.json"

# What the description lacks and Dialpad is known to take or to send all the same.
ALSO = {
    # RFC 6749 wants it, and Dialpad's guide to OAuth has it.
    "schemas.oauth.AuthorizationCodeGrantBodySchema": ("redirect_uri",),
    # Seen in live answers, as an array.
    "schemas.call.CallProto": ("recording_url", "admin_recording_urls"),
}
ALSO_TYPES = {"redirect_uri": {"type": "string"}}
URL_LIST = {"type": "array", "items": {"type": "string"}}

# Browsers go there, and get a page or are sent on; the description says 204.
FOR_BROWSERS = "oauth2.authorize.get"


@dataclass(frozen=True)
class Operation:
    name: str  # as in "GET /api/v2/webhooks/{id}"
    about: dict
    path_values: dict[str, str]

    @property
    def parameters(self) -> list[dict]:
        return self.about.get("parameters", [])


class Spec:
    def __init__(self, description: Path = DESCRIPTION):
        document = json.loads(description.read_text(encoding="utf-8"))
        self._paths = document["paths"]
        by_name = document["components"]["schemas"]
        for schema, names in ALSO.items():
            by_name[schema]["properties"] |= {
                name: ALSO_TYPES.get(name, URL_LIST) for name in names}
        self._schemas = Schemas(by_name)

    def find(self, method: str, path: str) -> Operation | None:
        for template, methods in self._paths.items():
            values = match(template, path)
            if values is not None and method.lower() in methods:
                return Operation(f"{method} {template}", methods[method.lower()], values)
        return None

    def operations(self) -> list[str]:
        return [f"{method.upper()} {template}"
                for template, methods in self._paths.items() for method in methods]

    def request_flaws(self, operation: Operation, query: str, content_type: str,
                      body: bytes) -> list[Flaw]:
        return [*path_flaws(operation), *query_flaws(operation, query),
                *self._body_flaws(operation, content_type, body)]

    def answer_flaws(self, operation: Operation, status: int, body: bytes) -> list[Flaw]:
        """Only successes are described."""
        if status >= 300 or operation.about["operationId"] == FOR_BROWSERS:
            return []
        described = operation.about["responses"].get(str(status))
        if described is None:
            return [Flaw("status", f"{status} is not in the description")]
        if "content" not in described:
            return [Flaw("body", "should be empty")] if body else []
        schema = described["content"]["application/json"]["schema"]
        return list(self._schemas.flaws(schema, json.loads(body), "body"))

    def _body_flaws(self, operation: Operation, content_type: str,
                    body: bytes) -> list[Flaw]:
        if "requestBody" not in operation.about:
            return [Flaw("body", "should be empty", grave=False)] if body else []
        schema = operation.about["requestBody"]["content"]["application/json"]["schema"]
        kind = content_type.split(";")[0].strip().lower()
        flaws, value = [], None
        try:
            if kind == "application/x-www-form-urlencoded":
                flaws.append(Flaw("body", "is a form, not JSON", grave=False))
                value = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
            else:
                value = json.loads(body)
        except ValueError:
            return [Flaw("body", "cannot be read")]
        if kind not in ("application/json", "application/x-www-form-urlencoded"):
            flaws.append(Flaw("Content-Type", "is not application/json", grave=False))
        return flaws + list(self._schemas.flaws(schema, value, "body"))


def match(template: str, path: str) -> dict[str, str] | None:
    """The values of the template's {parts}; None if the path is another one."""
    wanted, given = template.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    values = {}
    for want, have in zip(wanted, given):
        if want.startswith("{"):
            values[want[1:-1]] = have
        elif want != have:
            return None
    return values


def path_flaws(operation: Operation) -> list[Flaw]:
    return [flaw for parameter in operation.parameters if parameter["in"] == "path"
            for flaw in word_flaws(parameter, operation.path_values[parameter["name"]])]


def query_flaws(operation: Operation, query: str) -> list[Flaw]:
    described = {p["name"]: p for p in operation.parameters if p["in"] == "query"}
    if "cursor" in described:  # the introduction gives every list a limit
        described["limit"] = {"name": "limit", "schema": {"type": "integer"}}
    given = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in given]
    flaws = [Flaw(f"query.{name}", "is missing") for name, parameter in described.items()
             if parameter.get("required") and name not in names]
    flaws += [Flaw(f"query.{name}", "is given twice")
              for name in sorted(set(names)) if names.count(name) > 1]
    for name, value in given:
        if name in described:
            flaws += word_flaws(described[name], value)
        else:
            flaws.append(Flaw(f"query.{name}", "is not in the description", grave=False))
    return flaws


def word_flaws(parameter: dict, word: str) -> list[Flaw]:
    """A parameter in a URL is text, whatever it stands for."""
    schema, where = parameter["schema"], f"{parameter.get('in', 'query')}.{parameter['name']}"
    if schema["type"] == "integer" and not DIGITS.fullmatch(word):
        return [Flaw(where, "is no integer")]
    if schema["type"] == "boolean" and word not in ("true", "false"):
        return [Flaw(where, "is no boolean")]
    if "enum" in schema and word not in schema["enum"]:
        return [Flaw(where, "is none of the words allowed")]
    return []
