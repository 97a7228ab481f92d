"""Runs the C tests that need a database, each program on a fresh one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("CTI_BUILD", "asan")
NAMES = sorted(path.stem for path in (ROOT / "test" / "db").glob("t_*.c"))


@pytest.mark.parametrize("name", NAMES)
def test_c_program(name: str, fresh_db) -> None:
    program = ROOT / "build" / BUILD / "test" / name
    run = subprocess.run(
        [program],
        env={
            **os.environ,
            "TEST_DATABASE_URL": fresh_db.superuser_url(),
            # For connection strings that a test makes itself.
            "PGPASSWORD": fresh_db.cluster.passwords.get("postgres") or "",
        },
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        timeout=180, check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:]
