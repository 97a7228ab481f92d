"""A second server that follows a Cluster by streaming replication, read-only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import ports
import unprivileged
from cluster import SUPERUSER, Cluster, ClusterError


class Standby(Cluster):
    """Started, stopped and removed as any Cluster; with the logins that its primary has now."""

    def __init__(self, directory: Path, primary: Cluster):
        super().__init__(directory, port=ports.any_free(), fsync=primary.fsync)
        self._primary = primary
        shutil.copy(primary.passwords.path, self.passwords.path)
        self.passwords = type(self.passwords)(self.passwords.path)

    def _init(self, home: Path) -> None:
        """A copy of the primary that knows where it came from (-R)."""
        done = subprocess.run(
            [self.programs / "pg_basebackup", "-D", str(home / "data"), "-R", "-c", "fast",
             "-h", "127.0.0.1", "-p", str(self._primary.port), "-U", SUPERUSER],
            env=unprivileged.base_env() | {"PGPASSWORD": self.passwords.get(SUPERUSER)},
            capture_output=True, text=True, **unprivileged.identity(),
        )
        if done.returncode != 0:
            raise ClusterError(f"pg_basebackup failed:\n{done.stderr}")

    def _make_owner(self) -> None:
        """The primary's."""

    def pause(self) -> None:
        """It neither answers nor refuses from now on."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        """To the server and every process of its sessions."""
        children = Path(f"/proc/{self.pid()}/task/{self.pid()}/children").read_text().split()
        for pid in (self.pid(), *map(int, children)):
            os.kill(pid, number)
