"""Starts other processes as an unprivileged user when we are root.

PostgreSQL refuses to run as root and the daemons have no reason to, so whoever runs the
project as root (in a container, say) gets both started as the user `postgres`, which the
PostgreSQL package brings along. For everybody else, all of this changes nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
PASSED_ON = ("PATH", "LANG", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")

_libc = ctypes.CDLL(None, use_errno=True)


def run_as() -> pwd.struct_passwd | None:
    """The user whom spawned processes run as; None means as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise RuntimeError(
            "root needs the user 'postgres' (package postgresql) to run the servers as"
        ) from None


def base_env() -> dict[str, str]:
    """The few of our own variables that a child may see; never a secret."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {"PATH": os.defpath, "LANG": "C.UTF-8"} | kept


def may(test: str, path: Path) -> bool:
    """Asks `test -x path` (or -r, -w) in the name of the unprivileged user."""
    asked = subprocess.run(["test", test, str(path)], cwd="/", **identity())
    return asked.returncode == 0


def give(path: Path) -> None:
    """Makes the unprivileged user the owner of `path`."""
    user = run_as()
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | Path = "/",
    stdin: int = subprocess.DEVNULL,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.STDOUT,
    dies_with_us: signal.Signals | None = None,
    keep_user: bool = False,
) -> subprocess.Popen:
    """Starts argv[0] (a path) with exactly this environment, in a session of its own.

    `dies_with_us` is the signal that the kernel sends it should we be killed. It goes by
    the thread that calls spawn, so call it from one that lives as long as the program.
    `keep_user` leaves it our user, for what has to read the checkout.
    """
    with _executable(argv[0], keep_user) as (executable, fds):
        return subprocess.Popen(
            list(argv),
            executable=executable,
            pass_fds=fds,
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=_tie(dies_with_us) if dies_with_us else None,
            **({} if keep_user else identity()),
        )


def identity() -> dict:
    """What subprocess wants to be told to run something as the unprivileged user."""
    user = run_as()
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _tie(signum: signal.Signals):
    """Runs in the child, after the change of user, which would undo this."""

    def tie() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signum))

    return tie


@contextlib.contextmanager
def _executable(path: str, keep_user: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What to execute so that it works although the user cannot reach `path`.

    A checkout below a directory of mode 0700 is out of the user's reach, but not out of
    ours: we open the file, and the child executes the descriptor, for which only the
    file's own permissions count. The child keeps the descriptor, because a script's
    interpreter opens the script through it.
    """
    if keep_user or run_as() is None or may("-x", Path(path)):
        yield path, ()
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{fd}", (fd,)
    finally:
        os.close(fd)
