"""`make install`, and the units it installs, as systemd itself judges them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from test.conftest import BUILD, ROOT

DAEMONS = ("ingestd", "workerd", "apid")
# Of 10; systemd calls up to 2 "OK" and everything above worse.
MOST_EXPOSURE = 20


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("root")
    subprocess.run([ROOT / "deploy/systemd/install.sh"], check=True, env={
        "PATH": "/usr/bin:/bin", "DESTDIR": str(root), "BUILD_DIR": f"build/{BUILD}/bin"})
    return root


def units(installed: Path) -> Path:
    return installed / "usr/local/lib/systemd/system"


def test_it_installs_programs_migrations_units_and_pages(installed: Path):
    for daemon in DAEMONS:
        said = subprocess.run([installed / "usr/local/bin" / daemon, "--version"],
                              capture_output=True, text=True, check=True)
        assert said.stdout.startswith(daemon)
        assert (units(installed) / f"cti-{daemon}.service").is_file()
    share = installed / "usr/local/share"
    assert (share / "cti-server/migrations/sqitch.plan").read_text() == \
        (ROOT / "migrations/sqitch.plan").read_text()
    assert (share / "doc/cti-server/architecture.md").is_file()


def test_no_placeholder_is_left(installed: Path):
    assert not [u for u in units(installed).glob("*.service") if "@PREFIX@" in u.read_text()]


@pytest.mark.parametrize("unit", [f"cti-{d}.service" for d in (*DAEMONS, "migrate")])
def test_systemd_understands_the_unit(installed: Path, unit: str):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                           units(installed) / unit], capture_output=True, text=True, check=False)
    # The programs are not below / here, only below DESTDIR.
    complaints = [line for line in done.stderr.splitlines()
                  if unit in line and "is not executable" not in line]
    assert complaints == []


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_daemon_is_shut_in(installed: Path, daemon: str):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--root={installed}",
         f"--threshold={MOST_EXPOSURE}", f"cti-{daemon}.service"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.parametrize("daemon", DAEMONS)
def test_each_secret_is_a_credential_that_the_daemon_reads_as_a_file(installed: Path, daemon: str):
    text = (units(installed) / f"cti-{daemon}.service").read_text()
    loaded = set(re.findall(r"^LoadCredential=(\w+):/etc/cti-server/secrets/\w+$", text, re.M))
    used = dict(re.findall(r"^Environment=(\w+)_FILE=%d/(\w+)$", text, re.M))
    assert set(used.values()) == loaded
    known = (ROOT / "common/conf/conf.def").read_text()
    assert all(f'"{name}"' in known for name in used)
