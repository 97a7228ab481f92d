"""deploy/docker/Dockerfile, built without an engine: Debian's buildah, on a base of Debian's debootstrap.

Needs root, and the machine's own Debian source. Some minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from test.conftest import ROOT

DAEMONS = ("ingestd", "workerd", "apid")
TARGETS = (*DAEMONS, "migrate", "all")
# What an image may weigh, in MiB. A daemon's holds the program and its libraries; the others Debian and sqitch.
MOST_MIB = dict.fromkeys(DAEMONS, 25) | {"migrate": 320, "all": 320}


def mebibytes(root: Path) -> float:
    return sum(p.lstat().st_size for p in root.rglob("*") if p.is_file() and not p.is_symlink()) / 2**20


def source() -> str:
    """The Debian source that this machine itself uses."""
    for line in Path("/etc/apt/sources.list.d/debian.sources").read_text().splitlines():
        if line.startswith("URIs:"):
            return line.split()[1]
    raise LookupError("no Debian source")


class Buildah:
    """With its images in a directory of its own."""

    def __init__(self, directory: Path):
        self.directory = directory

    def run(self, *args: str) -> str:
        done = subprocess.run(
            ["buildah", "--storage-driver", "vfs", "--root", str(self.directory / "images"),
             "--runroot", str(self.directory / "run"), *args],
            cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {
                "BUILDAH_ISOLATION": "chroot"})
        assert done.returncode == 0, f"buildah {args}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def make_base(self) -> str:
        """debian:bookworm-slim by another way."""
        tree = self.directory / "base"
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(tree), source()],
                       check=True, stdout=subprocess.DEVNULL)
        for name in ("sources.list.d", "apt.conf.d"):
            shutil.copytree(f"/etc/apt/{name}", tree / "etc/apt" / name, dirs_exist_ok=True)
        container = self.run("from", "scratch")
        self.run("add", "--quiet", container, str(tree), "/")
        self.run("commit", "--quiet", "--rm", container, "localhost/base")
        shutil.rmtree(tree)
        return "localhost/base"

    def build(self, target: str, base: str) -> None:
        self.run("bud", "--isolation", "chroot", "--layers", "--build-arg", f"BASE={base}",
                 "-f", "deploy/docker/Dockerfile", "--target", target, "-t", f"localhost/cti-{target}", ".")

    def files(self, target: str) -> Path:
        """Where the image's files are."""
        return Path(self.run("mount", self.run("from", f"localhost/cti-{target}")))


@pytest.fixture(scope="module")
def buildah(tmp_path_factory) -> Iterator[Buildah]:
    if os.geteuid() != 0:
        pytest.skip("buildah needs root here")
    directory = tmp_path_factory.mktemp("images")
    tool = Buildah(directory)
    base = tool.make_base()
    for target in TARGETS:
        tool.build(target, base)
    yield tool
    tool.run("umount", "--all")
    shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_is_small(buildah: Buildah, target: str, capsys):
    size = mebibytes(buildah.files(target))
    with capsys.disabled():
        print(f"\nimage of {target}: {size:.1f} MiB")
    assert size < MOST_MIB[target]


@pytest.mark.parametrize("target", DAEMONS)
def test_a_daemons_image_holds_nothing_but_it_and_it_runs(buildah: Buildah, target: str):
    root = buildah.files(target)
    names = [path.name for path in root.rglob("*") if path.is_file()]
    assert not {"sh", "bash", "dash", "apt", "perl"} & set(names)
    said = subprocess.run(["chroot", "--userspec=65532:65532", str(root), f"/bin/{target}", "--version"],
                          capture_output=True, text=True, check=True)
    assert said.stdout.startswith(target)


def test_the_migrations_image_says_what_it_needs(buildah: Buildah):
    root = buildah.files("migrate")
    done = subprocess.run(["chroot", "--userspec=65532:65532", str(root), "/bin/sh", "/migrate"],
                          capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert done.returncode != 0 and "DATABASE_URL" in done.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_the_image_of_all_runs_each(buildah: Buildah, name: str):
    root = buildah.files("all")
    said = subprocess.run(["chroot", "--userspec=65532:65532", str(root), f"/bin/{name}", "--version"],
                          capture_output=True, text=True, check=True)
    assert said.stdout.startswith(name)
