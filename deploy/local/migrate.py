"""Brings a database's schema up to date with sqitch."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import unprivileged

ROOT = Path(__file__).resolve().parents[2]


def changes(root: Path = ROOT) -> list[str]:
    """The names of all changes, in order."""
    plan = (root / "migrations" / "sqitch.plan").read_text()
    return re.findall(r"^(\w+) .*<.*> #", plan, re.M)


def migrate(url: str, root: Path = ROOT, to: str | None = None) -> str:
    """Deploys what is missing, verifying each change; returns what sqitch said.

    `url` is the owner's, with its password, which goes to sqitch by environment. `to` is the
    last change to deploy.
    """
    parts = re.fullmatch(r"postgresql://([^:@/]+):([^@/]+)@([^/]+/\w+)", url)
    if parts is None:
        raise ValueError("migrate needs postgresql://role:password@host:port/db")
    role, password, place = parts.groups()
    done = subprocess.run(
        ["sqitch", "--chdir", str(root / "migrations"), "deploy", "--verify"]
        + (["--to", to] if to else [])
        + [f"db:pg://{role}@{place}"],
        # Without a home, sqitch and psql read nobody's personal settings.
        env=unprivileged.base_env() | {"PGPASSWORD": password, "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"sqitch failed:\n{done.stdout.strip()}")
    return done.stdout
