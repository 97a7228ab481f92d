"""Runs the C unit tests that `make tests` built, each program as one test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("CTI_BUILD", "asan")
NAMES = sorted(path.stem for path in (ROOT / "test" / "unit").glob("t_*.c"))


@pytest.mark.parametrize("name", NAMES)
def test_unit(name: str) -> None:
    program = ROOT / "build" / BUILD / "test" / name
    run = subprocess.run(
        [program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        timeout=120, check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:]
