"""TCP ports on this machine: which are taken, which is free."""

from __future__ import annotations

import os
import random
import socket
from collections import deque
from collections.abc import Mapping


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as s:
        # As servers do: connections of a former server that linger are no obstacle.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except OSError:
            return False
        return True


# Below the ports that the system gives to outgoing connections.
LOWEST, LANE_SIZE, LANES = 20000, 3000, 4
_given: deque[int] = deque(maxlen=1000)


def any_free(host: str = "127.0.0.1") -> int:
    """A free port, not one of the last thousand: who was given one may use it later, or again."""
    lowest = LOWEST + LANE_SIZE * _lane()
    while True:
        port = random.randrange(lowest, lowest + LANE_SIZE)
        if port not in _given and is_free(port, host):
            _given.append(port)
            return port


def _lane() -> int:
    """Ports of its own for each of the processes that pytest-xdist tests with."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % LANES


def complaints(wanted: Mapping[str, int]) -> list[str]:
    """One sentence for each port that cannot be used.

    A port's name is its variable, or how it is computed from one ("APID_PORT + 100").
    """
    found = []
    owners: dict[int, str] = {}
    for name, port in wanted.items():
        if not 0 < port < 65536:
            found.append(f"{name} is {port}, which is no port number")
        elif port in owners:
            found.append(f"{name} and {owners[port]} are both {port}: change one of them")
        elif not is_free(port):
            found.append(f"port {port} ({name}) is in use: change {name.split()[0]}")
        owners.setdefault(port, name)
    return found
