#!/usr/bin/python3
"""Rules that a compiler does not check: layout, layers, banned calls, sizes, generated documents."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    "Makefile", "README.md", "ingestd", "workerd", "apid", "common", "migrations", "deploy", "test",
    "docs",
}

# A layer may include itself and the layers below it.
LAYERS = {
    "common/base": 0,
    "common/json": 1, "common/crypto": 1, "common/conf": 1, "common/db": 1, "common/https": 1,
    "common/dialpad": 2, "common/http": 2, "common/records": 2, "common/run": 2,
    "ingestd": 3, "workerd": 3, "apid": 3,
}
DAEMONS = {"ingestd", "workerd", "apid"}

# Libraries that exactly one module wraps.
WRAPPED = {
    "civetweb.h": "common/http/",
    "libpq-fe.h": "common/db/",
    "cjson/cJSON.h": "common/json/json_in.c",
    "curl/curl.h": "common/https/https.c",
    "jwt.h": "common/crypto/jws_make.c",
}

BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|strncpy|gets|atoi|atol|strtok|rand|localtime|gmtime|alloca"
    r"|system|popen|setlocale)\s*\("
)
HEADER_WORDS = ("Use:", "Owns:", "Threads:", "Errors:")
MOST_LINES = 450


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def folder(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "common" else parts[0]


def check_top_level() -> Iterator[str]:
    for name in {path.split("/")[0] for path in tracked()}:
        if name not in TOP_LEVEL and not name.startswith("."):
            yield f"{name}: not a part of the top level"


def check_includes(path: str, text: str) -> Iterator[str]:
    own = folder(path)
    for included in re.findall(r'#include [<"]([^>"]+)[>"]', text):
        wrapper = WRAPPED.get(included)
        if wrapper and not path.startswith(wrapper):
            yield f"{path}: only {wrapper} includes {included}"
        other = folder(included)
        if own not in LAYERS or other not in LAYERS or own == other:
            continue
        if LAYERS[other] > LAYERS[own]:
            yield f"{path}: includes {included}, which is above it"
        if own in DAEMONS and other in DAEMONS:
            yield f"{path}: includes {included}, another daemon's"


def check_text(path: str, text: str) -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        yield f"{path}: {len(lines)} lines; does it still have one job?"
    for number, line in enumerate(lines, 1):
        code = line.split("/*")[0]
        if BANNED.search(code) and not line.lstrip().startswith("*"):
            yield f"{path}:{number}: banned call: {line.strip()}"
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end of the line"
    if path.endswith(".h") and not path.startswith("test/"):
        for word in HEADER_WORDS:
            if word not in text.split("#ifndef")[0]:
                yield f"{path}: its head does not say «{word}»"


def check_layout(paths: list[str]) -> Iterator[str]:
    run = subprocess.run(
        ["clang-format", "--dry-run", *paths], cwd=ROOT, capture_output=True, text=True, check=False
    )
    places = re.findall(r"^([^:\n]+:\d+):\d+: warning", run.stderr, re.M)
    for place in places[:20]:
        yield f"{place}: layout differs; run `make format`"


def check_configuration_page() -> Iterator[str]:
    for binary in [ROOT / "build" / os.environ.get("CTI_BUILD", "asan") / "bin" / "apid"]:
        if not binary.exists():
            continue
        run = subprocess.run([binary, "--config-markdown"], capture_output=True, text=True, check=True)
        page = ROOT / "docs" / "configuration.md"
        if not page.exists() or page.read_text() != run.stdout:
            yield f"docs/configuration.md differs from what {binary} prints; run `make docs`"


def main() -> int:
    paths = tracked("*.c", "*.h", "*.def")
    faults = list(check_top_level())
    for path in paths:
        text = (ROOT / path).read_text()
        faults += check_includes(path, text)
        faults += check_text(path, text)
    faults += check_layout([p for p in paths if not p.endswith(".def")])
    faults += check_configuration_page()
    for fault in faults:
        print(f"lint: {fault}", file=sys.stderr)
    return 1 if faults else 0


sys.exit(main())
