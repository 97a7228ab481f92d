"""The code blocks of the pages that people read, and what becomes of each in the tests.

A fence names what stands in it. What can be run is of a kind in RUNNABLE; `env` are values for the
reader to fill in, and the rest is to be looked at. A runnable block is run by the test that RUN_BY names
for its page, which takes it from here, or its first line stands in NOT_RUN with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from test.conftest import ROOT

RUNNABLE = ("sh", "js", "python", "sql")
SHOWN = ("env", "json", "text")

RUN_BY = {
    "README.md": "test/docs/test_readme.py",
    "docs/admin.md": "test/e2e/test_admin_page.py",
    "docs/api.md": "test/e2e/test_api_page.py",
    "docs/deploy-kubernetes.md": "test/deploy/test_kubernetes.py",
    "docs/deploy-systemd.md": "test/deploy/test_systemd_guide.py",
    "docs/dialpad-setup.md": "test/e2e/test_setup_page.py",
    "docs/limits.md": "test/e2e/test_other_pages.py",
    "docs/live.md": "test/e2e/test_other_pages.py",
    "docs/operations.md": "test/long/test_restore.py",
    "migrations/README.md": "test/db/test_migrations.py",
}

CI = "it is what CI runs, and what runs this test"
BENCH = "minutes on a machine of one's own; the page shows what the last run printed"
NOT_RUN = {
    "make run     # PostgreSQL in a private directory, the daemons, a fake Dialpad, demo calls; Ctrl-C ends it":
        "the test starts what `make run` starts after it has built: deploy/local/run.py",
    "make test": CI,
    "make && test/bench/ingest              # about five minutes": BENCH,
    "make && test/bench/process             # about fifteen minutes": BENCH,
    "make && test/bench/live                # about five minutes; --sockets 2000 --rounds 2 takes two": BENCH,
    "make && make build/release/bench/key_check && test/bench/keys      # half a minute": BENCH,
    "make && test/bench/api                 # about four minutes": BENCH,
    "for target in ingestd workerd apid migrate; do":
        "no container engine here: test/long/test_images.py builds the same targets with buildah",
    "kubectl -n cti delete job migrate --ignore-not-found":
        "needs a cluster; the test renders the overlay and holds it against the schemas of the API",
    "make deps-build && make && sudo make install          # below /usr/local; PREFIX= and DESTDIR= are heeded":
        "the test does what `make install` does, below a directory of its own",
    "ALTER ROLE cti_ingest PASSWORD '…';   -- likewise cti_worker, cti_api":
        "a password of one's own; the tests give theirs in the same way (deploy/local/cluster.py)",
    "sqitch --chdir migrations add call_tags --requires records -n 'Tags that clients put on calls'":
        "it would add a change to this checkout",
    "/usr/bin/python3 -m pytest test/db": CI,
    "sudo -u postgres createuser --createrole --pwprompt cti_owner":
        "asks for a password; the test's server has this owner and this database",
    'psql -U cti_owner -h localhost cti -c "\\password cti_ingest" -c "\\password cti_worker" -c "\\password cti_api"':
        "asks for passwords; the test gives them by SQL",
    "make && sudo make install && sudo systemctl daemon-reload":
        "needs systemd as the first process; test/e2e/test_upgrade.py does it in this order",
    "sudo systemctl enable --now cti-ingestd cti-workerd cti-apid":
        "needs systemd as the first process; the test runs each unit as systemd would",
}


@dataclass(frozen=True)
class Block:
    kind: str
    code: str

    @property
    def first_line(self) -> str:
        return self.code.split("\n", 1)[0]


def found(*patterns: str) -> list[str]:
    return sorted(str(p.relative_to(ROOT)) for pattern in patterns for p in ROOT.glob(pattern))


def pages() -> list[str]:
    """Those with something to do for the reader."""
    return ["README.md", "migrations/README.md", *found("docs/*.md")]


def all_pages() -> list[str]:
    return pages() + found("docs/adr/*.md", ".github/*.md", "test/*/README.md", "test/fixtures/*/README.md")


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def blocks(page: str) -> list[Block]:
    return [Block(kind, code)
            for kind, code in re.findall(r"^```(\w*)\n(.*?)^```$", text_of(page), re.M | re.S)]


def to_run(page: str, *kinds: str) -> list[Block]:
    """What the page's test has to run, of these kinds."""
    return [b for b in blocks(page) if b.kind in kinds and b.first_line not in NOT_RUN]


def settings_of(daemon: str) -> set[str]:
    """What a daemon can be told, as docs/configuration.md lists it."""
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", text_of("docs/configuration.md"), re.M)
    return {name for name, daemons in rows if daemons == "all" or daemon in daemons.split(", ")}


def inline(page: str) -> Iterator[str]:
    """The code within sentences and tables."""
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.M | re.S)
    for code in re.findall(r"`([^`]+)`", text):
        yield " ".join(code.replace("\\|", "|").split())
