#!/usr/bin/python3
"""What apid serves of docs/openapi.yaml: render.py OUT_DIR writes openapi.json and openapi.html.

The page works without JavaScript and without the Internet.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).resolve().parent / "openapi.yaml"
METHODS = ("get", "post", "patch", "put", "delete")
STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem }
section { border-top: 1px solid #8886; margin-top: 2rem }
h3 code { font-size: 1em }
.method { font-weight: 700 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8883 }
nav ul { columns: 2; list-style: none; padding: 0 }
"""


class Page:
    """The HTML of one description."""

    def __init__(self, spec: dict):
        self.spec = spec

    def resolve(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            found: Any = self.spec
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def operations(self) -> Iterator[tuple[str, str, dict, list]]:
        for path, item in self.spec["paths"].items():
            for method in METHODS:
                if method in item:
                    parameters = item.get("parameters", []) + item[method].get("parameters", [])
                    yield method.upper(), path, item[method], [self.resolve(p) for p in parameters]

    def text(self) -> str:
        info = self.spec["info"]
        parts = [
            "<!doctype html><html lang=en><meta charset=utf-8>",
            "<meta name=viewport content='width=device-width'>",
            f"<title>{words(info['title'])}: API</title><style>{STYLE}</style>",
            f"<h1>{words(info['title'])}: API</h1><p>{words(info['summary'])}</p>",
            paragraphs(info["description"]),
            "<p>For programs: <a href=/openapi.json>openapi.json</a>.</p>",
            self._contents(),
        ]
        for tag in self.spec["tags"]:
            parts.append(f"<h2>{words(tag['name'])}</h2>{paragraphs(tag.get('description', ''))}")
            parts += [self._operation(*op) for op in self.operations() if tag["name"] in op[2]["tags"]]
        parts.append("<h2>Objects</h2>")
        parts += [self._object(name) for name in self.spec["components"]["schemas"]]
        return "\n".join(parts)

    def _contents(self) -> str:
        items = (f"<li><a href='#{op['operationId']}'><code>{method} {words(path)}</code></a>"
                 for method, path, op, _ in self.operations())
        return f"<nav><ul>{''.join(items)}</ul></nav>"

    def _operation(self, method: str, path: str, op: dict, parameters: list) -> str:
        parts = [
            f"<section id='{op['operationId']}'>",
            f"<h3><code><span class=method>{method}</span> {words(path)}</code></h3>",
            f"<p>{words(op['summary'])}.</p>{paragraphs(op.get('description', ''))}",
            self._parameters(parameters),
        ]
        if "requestBody" in op:
            parts.append(f"<p>Body: {self._content(op['requestBody'])}</p>")
        parts.append("<table>")
        for status, answer in op["responses"].items():
            answer = self.resolve(answer)
            parts.append(f"<tr><th>{'errors' if status == 'default' else status}"
                         f"<td>{words(answer['description'])}<td>{self._content(answer)}")
        return "".join(parts) + "</table></section>"

    def _parameters(self, parameters: list) -> str:
        rows = (f"<tr><th><code>{words(p['name'])}</code><td>{self._kind(p['schema'])}"
                f"<td>{words(p.get('description', ''))}" for p in parameters)
        return f"<table>{''.join(rows)}</table>" if parameters else ""

    def _content(self, holder: dict) -> str:
        return ", ".join(self._kind(c["schema"]) for c in holder.get("content", {}).values())

    def _object(self, name: str) -> str:
        schema = self.spec["components"]["schemas"][name]
        rows = "".join(
            f"<tr><th><code>{words(key)}</code><td>{self._kind(value)}"
            f"<td>{words(self.resolve(value).get('description', ''))}"
            for key, value in self._members(schema).items())
        example = schema.get("example")
        shown = f"<pre>{words(json.dumps(example, indent=2))}</pre>" if example else ""
        return (f"<section id='{name}'><h3>{words(name)}</h3>{paragraphs(schema.get('description', ''))}"
                f"<p>{self._kind(schema)}</p><table>{rows}</table>{shown}</section>")

    def _members(self, schema: dict) -> dict:
        schema = self.resolve(schema)
        members: dict = {}
        for part in schema.get("allOf", []):
            members |= self._members(part)
        return members | schema.get("properties", {})

    def _kind(self, schema: dict) -> str:
        """A type in a few words, with a link where it is described elsewhere."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return f"<a href='#{name}'>{words(name)}</a>"
        if "enum" in schema:
            return ", ".join(f"<code>{words(json.dumps(v).strip(chr(34)))}</code>" for v in schema["enum"])
        if "anyOf" in schema:
            return " or ".join(self._kind(s) for s in schema["anyOf"])
        kinds = schema.get("type", "object" if "allOf" in schema else "anything")
        kind = " or ".join(kinds) if isinstance(kinds, list) else kinds
        if "items" in schema:
            kind = f"{words(kind)} of {self._kind(schema['items'])}"
        limits = [f"{word} {schema[key]}" for key, word in
                  (("minimum", "from"), ("maximum", "to"), ("default", "default")) if key in schema]
        return kind + (f" <small>({words(', '.join(limits))})</small>" if limits else "")


def words(text: Any) -> str:
    """Escaped, with `code` as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(str(text)))


def paragraphs(text: str) -> str:
    return "".join(f"<p>{words(part)}</p>" for part in text.strip().split("\n\n") if part)


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    spec = yaml.safe_load(SOURCE.read_text())
    (out / "openapi.json").write_text(json.dumps(spec, separators=(",", ":"), ensure_ascii=False))
    (out / "openapi.html").write_text(Page(spec).text())


main()
