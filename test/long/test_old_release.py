"""The daemons of before the last change of the schema, on the schema of today, and beside today's daemons."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cti import BIN, Stack
from migrate import changes
from running import Ground
from upgrade import MainJob

from test.conftest import ROOT


def git(*args: str) -> str:
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this clone has no history to build from: {done.stderr.strip()}")
    return done.stdout.strip()


def commit_before_the_last_change() -> str:
    """CTI_OLD_RELEASE names another one."""
    if "CTI_OLD_RELEASE" in os.environ:
        return os.environ["CTI_OLD_RELEASE"]
    added = git("log", "--reverse", "--format=%H", f"-S{changes()[-1]} [", "--",
                "migrations/sqitch.plan")
    if not added:
        pytest.skip("this clone does not know when the last change came")
    return git("rev-parse", "--verify", added.split()[0] + "^")


@pytest.fixture(scope="module")
def old_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("old_release")
    commit = commit_before_the_last_change()
    git("archive", "-o", str(directory / "source.tar"), commit)
    subprocess.run(["tar", "-xf", "source.tar"], cwd=directory, check=True)
    done = subprocess.run(["make", "BUILD=release", "all"], cwd=directory, env=own_makes_left_out(),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return directory / "build" / "release" / "bin"


def own_makes_left_out() -> dict[str, str]:
    """A make that runs this test has told its children of itself."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def test_old_daemons_work_on_todays_schema_and_are_replaced_one_by_one(
    ground: Ground, old_programs: Path
) -> None:
    with ground.run(Stack, start=False) as stack:
        for daemon in stack.daemons:
            daemon.programs = old_programs
        stack.start()
        job = MainJob(stack, stack.create_app("old customer"))
        job.do()
        for daemon in (stack.workerd, stack.apid, stack.ingestd):
            assert daemon.stop() == 0
            daemon.programs = BIN
            stack.start()
            job.do()
