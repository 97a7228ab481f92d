"""Alerts and dashboard against what the daemons really export."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import unprivileged
import yaml
from cti import Stack
from hook import payload
from live import subscribed
from web import request

from test.conftest import ROOT

RULES = ROOT / "deploy/prometheus/alerts.yml"
DASHBOARD = json.loads((ROOT / "deploy/grafana/cti-server.json").read_text())
HISTOGRAM = re.compile("_(bucket|sum|count)$")


def alert_queries() -> list[str]:
    return [rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"]
            for rule in group["rules"]]


def dashboard_queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def stack(run_stack) -> Iterator[Stack]:
    """With a spool, which has metrics of its own."""
    with tempfile.TemporaryDirectory(prefix="cti-spool-", dir="/var/tmp") as spool:
        unprivileged.give(Path(spool))
        with run_stack({"ingestd": {"INGEST_SPOOL_DIR": spool}}) as running:
            yield running


@pytest.fixture(scope="module")
def exported(stack: Stack) -> dict[str, str]:
    """Each daemon's metrics, after a webhook good and bad, a request and a change that was told."""
    app = stack.create_app("watched")
    with subscribed(app) as reader:
        assert app.hook.post(payload("call_connected_seed")).status == 200
        assert reader.message()["type"] == "call.started"
    request("POST", app.hook.url, b"x.y.z")
    app.wait_for("/api/calls/" + str(payload("call_connected_seed")["call_id"]))
    return {d.name: request("GET", f"{d.ops_url}/metrics").body.decode() for d in stack.daemons}


def names(exported: dict[str, str]) -> dict[str, set[str]]:
    """The labels of each metric."""
    found: dict[str, set[str]] = {}
    for name, labels in re.findall(r"^(cti_\w+)(?:\{(.*)\})? ", "\n".join(exported.values()), re.M):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@pytest.mark.parametrize("queries", [alert_queries(), dashboard_queries()], ids=["alerts", "dashboard"])
def test_every_metric_and_label_that_is_asked_for_is_exported(
        exported: dict[str, str], queries: list[str]):
    known = names(exported)
    for query in queries:
        for name, labels in re.findall(r"(cti_\w+)(?:\{(.*?)\})?", query):
            assert name in known, query
            assert set(re.findall(r"(\w+)=", labels)) <= known[name], query


def test_what_an_alert_counts_is_exported_before_it_happens(exported: dict[str, str]):
    """Prometheus sees no increase in a series that begins with one."""
    told = "\n".join(exported.values())
    for query in alert_queries():
        for name, label, values in re.findall(r'increase\((cti_\w+)\{(\w+)=~?"([\w|]+)"', query):
            for value in values.split("|"):
                assert re.search(rf'^{name}\{{.*\b{label}="{value}"', told, re.M), (query, value)


def test_every_label_a_panel_or_alert_sorts_by_is_exported(exported: dict[str, str]):
    known = names(exported)
    for query in alert_queries() + dashboard_queries():
        for by, name in re.findall(r"by \(([\w, ]+)\) \(+(?:\w+\()?(cti_\w+)", query):
            labels = set(by.split(", ")) - {"instance"}
            assert labels <= known[name], query


@pytest.mark.parametrize("daemon", ["ingestd", "workerd", "apid"])
def test_promtool_has_nothing_to_say_about_the_metrics(exported: dict[str, str], daemon: str):
    done = subprocess.run(["promtool", "check", "metrics"], input=exported[daemon],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_alerts_ring_when_they_should_and_not_before():
    done = subprocess.run(["promtool", "test", "rules", RULES.with_name("alerts_test.yml")],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test_and_is_explained():
    rules = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    tested = RULES.with_name("alerts_test.yml").read_text()
    page = (ROOT / "docs/operations.md").read_text()
    for rule in rules:
        assert re.search(rf"alertname: {rule}\n\s+exp_alerts:\n\s+- exp_labels", tested), rule
        assert f"### {rule}\n" in page, rule
