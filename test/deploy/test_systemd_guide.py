"""docs/deploy-systemd.md, followed: installed, configured as the page says, each unit run as systemd would."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import ports
import pytest
import unprivileged

from test import pages
from test.conftest import BUILD, ROOT, Database

PAGE = "docs/deploy-systemd.md"
DAEMONS = {"ingestd": "cti_ingest", "workerd": "cti_worker", "apid": "cti_api"}
SECONDS = 60


@dataclass
class Machine:
    """A file system below a directory of ours, on which the page is followed."""

    root: Path
    ports: dict[str, int] = field(default_factory=lambda: {d: ports.any_free() for d in DAEMONS})
    ops: dict[str, int] = field(default_factory=lambda: {d: ports.any_free() for d in DAEMONS})

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        (self.root / path).chmod(0o600)

    def unit(self, name: str) -> list[tuple[str, str]]:
        """Its lines, and those that the page adds to it."""
        text = (self.root / f"usr/local/lib/systemd/system/{name}.service").read_text()
        text = re.sub("(/etc|/usr/local)/", rf"{self.root}\1/", text)
        for added in sorted((self.root / "etc/systemd/system").glob(f"{name}.service.d/*.conf")):
            text += added.read_text()
        return re.findall(r"^(\w+)=(.*)$", text, re.M)

    def shell(self, code: str) -> None:
        """Commands of the page, on this file system instead of the real one, without sudo."""
        code = 'sudo() { "$@"; }\n' + code.replace("/etc/", f"{self.root}/etc/")
        subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True, env={
            "PATH": f"{self.root}/usr/local/bin:{os.environ['PATH']}"})


@dataclass
class Unit:
    """A unit of the machine, run as systemd runs it: its environment, credentials, notifications, user."""

    machine: Machine
    name: str

    def __post_init__(self) -> None:
        self.lines = self.machine.unit(self.name)
        self.home = self.machine.root / "run" / self.name
        for part in ("credentials", "state"):
            (self.home / part).mkdir(parents=True)
            unprivileged.give(self.home / part)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(f"\0{self.home}"[:100])
        self.notify.settimeout(SECONDS)

    def of(self, key: str) -> list[str]:
        return [value for name, value in self.lines if name == key]

    def credentials(self) -> Path:
        for entry in self.of("LoadCredential"):
            name, source = entry.split(":", 1)
            copy = self.home / "credentials" / name
            shutil.copy(source, copy)
            copy.chmod(0o400)
            unprivileged.give(copy)
        return self.home / "credentials"

    def env(self) -> dict[str, str]:
        env = unprivileged.base_env() | {"HOME": "/", "NOTIFY_SOCKET": f"@{self.home}"[:100]}
        for value in self.of("WatchdogSec"):
            env["WATCHDOG_USEC"] = str(int(value) * 1_000_000)
        for path in self.of("EnvironmentFile"):
            if Path(path.removeprefix("-")).exists() or not path.startswith("-"):
                env |= dict(line.split("=", 1) for line in Path(path.removeprefix("-")).read_text().split("\n")
                            if "=" in line)
        for entry in self.of("Environment"):
            name, value = entry.split("=", 1)
            state = value.replace("%d", str(self.credentials())).replace("%S", str(self.home / "state"))
            env[name] = state
        for name in self.of("StateDirectory"):
            (self.home / "state" / name).mkdir(exist_ok=True)
            unprivileged.give(self.home / "state" / name)
        return env

    def start(self) -> subprocess.Popen:
        env = self.env()
        [command] = self.of("ExecStart")
        argv = [re.sub(r"\$\{(\w+)\}", lambda m: env[m[1]], word) for word in shlex.split(command)]
        with open(self.home / "log", "wb") as log:
            return unprivileged.spawn(argv, env=env, stdout=log)

    def said(self) -> str:
        return (self.home / "log").read_text()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="cti-machine-") as name:
        Path(name).chmod(0o755)  # a service's user passes through / and /usr
        yield install(Path(name))


def install(root: Path) -> Machine:
    made = Machine(root)
    subprocess.run([ROOT / "deploy/systemd/install.sh"], check=True, env={
        "PATH": "/usr/bin:/bin", "DESTDIR": str(root), "BUILD_DIR": f"build/{BUILD}/bin"})
    (root / "etc").mkdir()
    for block in pages.to_run(PAGE, "sh"):
        made.shell(block.code)
    return made


@pytest.fixture
def configured(machine: Machine, empty_db: Database) -> Machine:
    """Until before "4. Start"."""
    settings = [b.code for b in pages.blocks(PAGE) if b.kind == "env"]
    password = empty_db.cluster.passwords.get("cti_owner")
    place = f"127.0.0.1:{empty_db.cluster.port}"
    machine.write("etc/cti-server/secrets/pgpass",
                  f"127.0.0.1:{empty_db.cluster.port}:{empty_db.name}:cti_owner:{password}\n")
    machine.write("etc/cti-server/migrate.env",
                  settings[0].replace("localhost/cti", f"{place}/{empty_db.name}"))
    machine.write("etc/cti-server/common.env", settings[1])
    machine.write("etc/cti-server/secrets/dialpad_client_secret", "s" * 40)
    for daemon in DAEMONS:
        machine.write(f"etc/cti-server/{daemon}.env",
                      f"PORT={machine.ports[daemon]}\nOPS_PORT={machine.ops[daemon]}\n")
    return machine


def migrate(machine: Machine) -> None:
    unit = Unit(machine, "cti-migrate")
    assert unit.start().wait(120) == 0, unit.said()


@pytest.fixture
def running(configured: Machine, empty_db: Database) -> Iterator[dict[str, Unit]]:
    migrate(configured)
    for daemon, role in DAEMONS.items():
        configured.write(f"etc/cti-server/secrets/{daemon}_database_url",
                         empty_db.cluster.set_login(role, empty_db.name))
    units = {daemon: Unit(configured, f"cti-{daemon}") for daemon in DAEMONS}
    processes = {daemon: unit.start() for daemon, unit in units.items()}
    yield units
    for process in processes.values():
        process.terminate()
    assert [process.wait(SECONDS) for process in processes.values()] == [0, 0, 0]


def test_migrated_and_started_they_tell_systemd_and_are_ready(
        running: dict[str, Unit], configured: Machine):
    for daemon, unit in running.items():
        heard = ""
        while "READY=1" not in heard:
            try:
                heard += unit.notify.recv(4096).decode()
            except TimeoutError:
                pytest.fail(f"{daemon}: {heard} {unit.said()}")
        url = f"http://127.0.0.1:{configured.ops[daemon]}/readyz"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            assert answer.status == 200, unit.said()
