"""README and docs: every command is run by a test, and nothing is named that is not there."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import pytest

from test import pages
from test.conftest import BUILD, ROOT

DAEMONS = ("ingestd", "workerd", "apid")
# First words of a line that is meant to be typed.
TYPED = re.compile(r"^\s*(sudo|make|curl|git|apid|workerd|ingestd|kubectl|docker|psql|sqitch|systemctl)\s")

# ingestd's, and Dialpad's.
OTHERS_ROUTES = ("/webhooks/", "/api/v2/")
# Settings and variables, metrics, roles and the like; not the end of a name that is shortened by "…".
NAME = r"(?<![\w…])(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|cti_[a-z_]+)(?![\w…])"
PLACEHOLDERS = {"NAME"}
SOURCES = (".c", ".h", ".def", ".py", ".sh", ".sql", ".yml", ".yaml", ".service")


@pytest.mark.parametrize("page", pages.pages())
def test_a_block_says_what_it_is_and_commands_are_marked_as_such(page: str):
    for block in pages.blocks(page):
        assert block.kind in pages.RUNNABLE + pages.SHOWN, block
        if block.kind in pages.SHOWN:
            assert not [line for line in block.code.splitlines() if TYPED.match(line)], block
    assert len(re.findall(r"^```", pages.text_of(page), re.M)) == 2 * len(pages.blocks(page))
    outside = re.sub(r"^```.*?^```$", "", pages.text_of(page), flags=re.M | re.S)
    assert not re.findall(r"(?<=\n\n)(?:    |\t)\S.*", outside), "indented: use a fence"


@pytest.mark.parametrize("page", pages.pages())
def test_a_command_is_run_or_it_is_said_why_not(page: str):
    wanted = pages.to_run(page, *pages.RUNNABLE)
    if wanted:
        test = ROOT / pages.RUN_BY[page]
        assert page.removeprefix("docs/") in test.read_text(), f"{test} runs nothing of {page}"


def test_no_reason_is_given_for_what_no_page_says():
    lines = {block.first_line for page in pages.pages() for block in pages.blocks(page)}
    assert set(pages.NOT_RUN) - lines == set()


@cache
def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][\w-]*)[\w .:-]*:", text, re.M)) | {
        name for line in re.findall(r"^\.PHONY:(.*)", text, re.M) for name in line.split()}


def said_in(page: str) -> list[str]:
    return [*pages.inline(page), *(b.code for b in pages.blocks(page) if b.kind == "sh")]


@pytest.mark.parametrize("page", pages.pages())
def test_a_target_of_make_exists(page: str):
    for code in said_in(page):
        for words in re.findall(r"(?:^|&& |sudo )make((?: [A-Z_]+=\S*| [\w/.-]+)+)", code, re.M):
            for target in [w for w in words.split() if "=" not in w and not w.startswith("build/")]:
                assert target in make_targets(), code


@cache
def help_of(daemon: str) -> str:
    return subprocess.run([ROOT / "build" / BUILD / "bin" / daemon, "--help"],
                          capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("page", pages.pages())
def test_an_option_of_a_daemon_exists(page: str):
    for code in said_in(page):
        for daemon, option in re.findall(r"\b(ingestd|workerd|apid) (--[\w-]+)", code):
            assert f" {option} " in help_of(daemon) or f" {option}\n" in help_of(daemon), code


def test_a_job_that_is_run_by_hand_exists():
    jobs = re.search(r"--run-job NAME\s+run one job and end: ([\w ]+)", help_of("workerd"))
    assert jobs
    for page in pages.pages():
        for job in re.findall(r"--run-job ([a-z]+)", " ".join(said_in(page))):
            assert job in jobs[1].split(), page


@pytest.mark.parametrize("page", pages.pages())
def test_a_route_that_is_named_exists(page: str):
    known = subprocess.run([ROOT / "build" / BUILD / "bin" / "apid", "--routes"], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    routes = {line.rsplit(" ", 1)[0] for line in known}
    for code in pages.inline(page):
        named = re.match(r"((?:GET|POST|PATCH|PUT|DELETE)) (/[^?\s]*|…/[^?\s]*)", code)
        if named and not named[2].startswith(OTHERS_ROUTES):
            assert is_one(routes, named[1], named[2]), code


def is_one(routes: set[str], method: str, path: str) -> bool:
    """The path may be shortened to its end, behind "…"."""
    if path.startswith("…"):
        return any(r.startswith(method) and r.endswith(path[1:]) for r in routes)
    return f"{method} {path}" in routes


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages.all_pages())
def test_a_link_leads_somewhere(page: str):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", pages.text_of(page)):
        if target.startswith(("http://", "https://")):
            continue
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), f"{target}#{anchor}"


@pytest.mark.parametrize("page", pages.all_pages())
def test_a_file_of_ours_that_is_named_exists(page: str):
    ours = r"(?:apid|common|deploy|docs|ingestd|migrations|test|workerd)/[\w./*-]*[\w*/]"
    for code in pages.inline(page):
        if re.fullmatch(ours, code):
            assert list(ROOT.glob(code.rstrip("/"))) or list(ROOT.glob(code + ".*")), code


@cache
def words_of_the_sources() -> set[str]:
    places = (*DAEMONS, "common", "deploy", "migrations", "test")
    files = [p for place in places for p in (ROOT / place).rglob("*") if p.is_file() and p.suffix in SOURCES]
    return {word for p in [*files, ROOT / "Makefile"] for word in re.findall(NAME, p.read_text())}


@pytest.mark.parametrize("page", pages.all_pages())
def test_a_setting_metric_or_role_that_is_named_exists(page: str):
    for code in [*pages.inline(page), *(b.code for b in pages.blocks(page) if b.kind in ("sh", "env"))]:
        for name in re.findall(NAME, code):
            assert {name, name.removesuffix("_FILE")} & (words_of_the_sources() | PLACEHOLDERS), code
