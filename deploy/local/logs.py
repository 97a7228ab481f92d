"""The log files of what is started here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def open_fresh(path: Path) -> BinaryIO:
    """An empty log; the one of the run before is kept as NAME.old."""
    if path.exists():
        os.replace(path, path.with_name(path.name + ".old"))
    return open(path, "wb")


def tail(path: Path, lines: int = 20) -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or f"({path} is empty)"
