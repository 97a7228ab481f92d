"""Every reader has every change once, in order, whatever happens meanwhile. See also test/long."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from conftest import StackMaker
from soak import Relay, Soak


def soak(run_stack: StackMaker, cluster, *, writers: int, readers: int, seconds: float,
         fault_every: float) -> Soak:
    relay = Relay(cluster.port)
    # The port alone is changed; the database's name is known once there is one.
    with run_stack({"apid": {"DATABASE_LISTEN_URL": None}}) as stack:
        url = urlsplit(stack.database.url("cti_api"))
        place = url.netloc.rsplit(":", 1)[0] + f":{relay.port}"
        stack.apid.stop()
        stack.apid.add_env(DATABASE_LISTEN_URL=urlunsplit(url._replace(netloc=place)))
        stack.start()
        test = Soak(stack, relay, writers, readers)
        test.run(seconds, fault_every)
        relay.is_silent = False
    relay.close()
    return test


def test_writers_readers_and_faults(run_stack: StackMaker, cluster) -> None:
    done = soak(run_stack, cluster, writers=16, readers=8, seconds=8, fault_every=1.5)
    assert all(reader.connections > 1 for reader in done.readers)
