"""The soak of the change feed for SOAK_SECONDS (60 unless told), with more of everybody."""

from __future__ import annotations

import os

from soak import soak

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))


def test_the_feed_under_writers_readers_and_faults(run_stack, cluster) -> None:
    soak(run_stack, cluster, writers=64, readers=20, seconds=SECONDS, fault_every=3)
