"""Starts processes, waits until they are ready, notices when one dies, stops them."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import logs
import unprivileged

READY_SECONDS = 30
STOP_SECONDS = 15  # a daemon finishes what it has begun within that time

# Never through a proxy that the environment may name: all of this is on this machine.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServiceFailed(Exception):
    """A service died or never got ready; the text has the end of its log."""


@dataclass
class Service:
    """One process. `obstacle` says why it is not ready yet, or None when it is."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    obstacle: Callable[[], str | None]
    keep_user: bool = False
    process: subprocess.Popen | None = field(default=None, repr=False)

    def start(self) -> None:
        with logs.open_fresh(self.log) as log:
            self.process = unprivileged.spawn(
                self.argv,
                env=self.env,
                stdout=log,
                dies_with_us=signal.SIGTERM,
                keep_user=self.keep_user,
            )

    def failure(self) -> ServiceFailed | None:
        """What to tell the user if it is no longer running."""
        code = self.process.poll() if self.process else None
        if code is None:
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
        return ServiceFailed(f"{self.name} {how}; the end of {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        return logs.tail(self.log)


class Services:
    """All processes of one run."""

    def __init__(self) -> None:
        self._started: list[Service] = []

    def start(self, service: Service) -> None:
        self._started.append(service)
        service.start()

    def check(self) -> None:
        """Raises if any of them has died."""
        for service in self._started:
            failure = service.failure()
            if failure:
                raise failure

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self._started)
        while waiting:
            self.check()
            obstacle = waiting[0].obstacle()
            if obstacle is None:
                waiting.pop(0)
            elif time.monotonic() > deadline:
                late = waiting[0]
                raise ServiceFailed(
                    f"{late.name} is not ready after {READY_SECONDS} s: {obstacle}\n"
                    f"the end of {late.log}:\n{late.tail()}"
                )
            else:
                time.sleep(0.05)

    def stop(self) -> list[str]:
        """Asks all to end, waits, and kills those that will not; returns their names."""
        running = [s for s in self._started if s.process and s.process.poll() is None]
        for service in running:
            service.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        killed = []
        for service in running:
            try:
                service.process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                service.process.kill()
                service.process.wait()
                killed.append(service.name)
        self._started.clear()
        return killed


def http_obstacle(url: str) -> Callable[[], str | None]:
    """Ready once a GET answers 200."""

    def obstacle() -> str | None:
        try:
            with opener.open(url, timeout=5):
                return None
        except urllib.error.HTTPError as e:
            return f"{url} answers {e.code} {e.read(500).decode(errors='replace')}"
        except OSError as e:
            return f"{url}: {e}"

    return obstacle


def port_obstacle(port: int) -> Callable[[], str | None]:
    """Ready once somebody listens."""

    def obstacle() -> str | None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return None
        except OSError as e:
            return f"port {port}: {e}"

    return obstacle
