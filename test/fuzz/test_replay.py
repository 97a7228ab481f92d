"""Runs the kept inputs of each fuzz target through it: whatever was found once stays fixed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("CTI_BUILD", "asan")
NAMES = sorted(path.stem for path in (ROOT / "test" / "fuzz").glob("fuzz_*.c"))


@pytest.mark.parametrize("name", NAMES)
def test_the_kept_inputs_are_harmless(name: str) -> None:
    program = ROOT / "build" / BUILD / "fuzz" / name
    corpus = ROOT / "test" / "fuzz" / "corpus" / name.removeprefix("fuzz_")
    inputs = sorted(corpus.iterdir())
    assert inputs, f"{corpus} is empty"
    run = subprocess.run(
        [program, *inputs], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=60, check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:]
