"""Where a cluster's server keeps its data and its socket.

That is DIR/server, unless the server's user cannot get there (a checkout below a
directory of mode 0700, when we are root) or the path does not suit a unix socket. Then it
is a private directory in /var/tmp, and DIR/server is a symbolic link to it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from pathlib import Path

import unprivileged

SHARED_TMP = Path("/var/tmp")
MAX_SOCKET_PATH = 107  # bytes, a limit of the kernel
SOCKET_NAME = "/.s.PGSQL.65535"


def prepare(cluster_dir: Path) -> Path:
    """Makes the directory if need be and returns its real path."""
    link = cluster_dir / "server"
    if link.is_symlink():
        return _keep(Path(os.readlink(link)))
    if link.exists():
        return _keep(link.resolve())
    if _suits(link):
        link.mkdir(mode=0o700)
        unprivileged.give(link)
        return link.resolve()
    home = _elsewhere(cluster_dir)
    if home.exists():
        # Left by a cluster whose DIR was deleted, and its passwords with it.
        shutil.rmtree(_keep(home))
    home.mkdir(mode=0o700)
    unprivileged.give(home)
    link.symlink_to(home)
    return home


def find(cluster_dir: Path) -> Path | None:
    link = cluster_dir / "server"
    return link.resolve() if link.is_dir() else None


def remove(cluster_dir: Path) -> None:
    home = find(cluster_dir)
    if home:
        shutil.rmtree(home)
    (cluster_dir / "server").unlink(missing_ok=True)


def _suits(path: Path) -> bool:
    full = path.parent.resolve() / path.name
    if not re.fullmatch(r"[A-Za-z0-9_./+-]+", str(full)):
        return False  # PostgreSQL's settings give commas, quotes and the like a meaning
    if len(os.fsencode(str(full) + SOCKET_NAME)) > MAX_SOCKET_PATH:
        return False
    return unprivileged.may("-x", full.parent)


def _elsewhere(cluster_dir: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(cluster_dir.resolve())).hexdigest()[:16]
    return SHARED_TMP / f"cti-postgres-{os.geteuid()}-{digest}"


def _keep(home: Path) -> Path:
    """Refuses a directory that is not ours: anybody may put one into /var/tmp."""
    user = unprivileged.run_as()
    owner = user.pw_uid if user else os.geteuid()
    try:
        found = os.lstat(home)
    except FileNotFoundError:
        home.mkdir(mode=0o700)
        unprivileged.give(home)
        return home
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise RuntimeError(f"{home} is not a private directory of the server's user")
    if not unprivileged.may("-x", home):
        raise RuntimeError(
            f"the server's user cannot get to {home} any more: let it through again, "
            f"or delete {home} to start anew"
        )
    return home
