"""Every reader has every change once, in order, whatever happens meanwhile. See also test/long."""

from __future__ import annotations

from soak import soak
from stack_fixtures import StackMaker


def test_writers_readers_and_faults(run_stack: StackMaker, cluster) -> None:
    done = soak(run_stack, cluster, writers=16, readers=8, seconds=6, fault_every=1.4)
    assert sum(reader.connections for reader in done.readers) > len(done.readers)
