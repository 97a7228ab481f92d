"""Checks JSON values against the schemas of OpenAPI 3.0, as far as Dialpad uses them.

Stricter than the standard in one way: a name that a schema does not know is a flaw, though
a harmless one. More lenient in another: a 64-bit integer may be a string of digits, which
is how Dialpad writes them. A keyword that is not understood is refused when the schemas are
loaded, so that nothing goes unchecked unnoticed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNDERSTOOD = {"$ref", "type", "format", "nullable", "enum", "required", "properties", "items",
              "oneOf", "default"}
PLAIN_TYPES = {"string": str, "boolean": bool, "object": dict, "array": list}
DIGITS = re.compile(r"-?\d{1,19}")


@dataclass(frozen=True)
class Flaw:
    """`what` never quotes a value: it may be a secret."""

    where: str
    what: str
    grave: bool = True  # Dialpad would refuse it; else it would pass over it


class Schemas:
    def __init__(self, by_name: dict[str, dict]):
        self._by_name = by_name
        for schema in by_name.values():
            refuse_unknown_keywords(schema)

    def flaws(self, schema: dict, value: object, where: str) -> Iterator[Flaw]:
        schema = self._resolve(schema)
        if value is None:
            if not schema.get("nullable"):
                yield Flaw(where, "is null")
        elif "oneOf" in schema:
            yield from self._best_of(schema["oneOf"], value, where)
        elif not has_type(schema, value):
            yield Flaw(where, f"is no {schema['type']}")
        elif "enum" in schema and value not in schema["enum"]:
            yield Flaw(where, "is none of the words allowed")
        elif isinstance(value, dict):
            yield from self._object_flaws(schema, value, where)
        elif isinstance(value, list):
            for place, item in enumerate(value):
                yield from self.flaws(schema["items"], item, f"{where}[{place}]")

    def _resolve(self, schema: dict) -> dict:
        if "$ref" not in schema:
            return schema
        target = self._by_name[schema["$ref"].rsplit("/", 1)[1]]
        return target | {name: schema[name] for name in ("nullable",) if name in schema}

    def _best_of(self, choices: list[dict], value: object, where: str) -> Iterator[Flaw]:
        """The flaws that are left by the choice that fits best."""
        results = [list(self.flaws(choice, value, where)) for choice in choices]
        yield from min(results, key=lambda found: (sum(f.grave for f in found), len(found)))

    def _object_flaws(self, schema: dict, value: dict, where: str) -> Iterator[Flaw]:
        for name in schema.get("required", ()):
            if value.get(name) is None:
                yield Flaw(f"{where}.{name}", "is missing")
        properties = schema.get("properties", {})
        for name, part in value.items():
            if name in properties:
                yield from self.flaws(properties[name], part, f"{where}.{name}")
            else:
                yield Flaw(f"{where}.{name}", "is not in the description", grave=False)


def has_type(schema: dict, value: object) -> bool:
    kind = schema["type"]
    if kind in PLAIN_TYPES:
        return isinstance(value, PLAIN_TYPES[kind])
    if isinstance(value, str):
        return schema.get("format") == "int64" and DIGITS.fullmatch(value) is not None
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (kind == "number" and isinstance(value, float))


def refuse_unknown_keywords(schema: dict) -> None:
    unknown = set(schema) - UNDERSTOOD
    if unknown:
        raise ValueError(f"the checker does not understand {', '.join(sorted(unknown))}")
    parts = [*schema.get("properties", {}).values(), *schema.get("oneOf", ())]
    for part in (*parts, *([schema["items"]] if "items" in schema else ())):
        refuse_unknown_keywords(part)
