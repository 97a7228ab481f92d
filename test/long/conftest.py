"""Tests that take minutes: `make test-long`. They use the kit of the end-to-end tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
pytest.register_assert_rewrite("cti", "feed", "ingest", "kept", "list_plans", "outage",
                               "provisioned", "running", "truth", "web")

from ingest_fixtures import run_ingestd, spool_dir  # noqa: E402, F401
from running import ground  # noqa: E402, F401
from stack_fixtures import run_stack  # noqa: E402, F401
