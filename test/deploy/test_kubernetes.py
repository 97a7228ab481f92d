"""The Kubernetes manifests as kubectl renders them, against the schemas of the API, and against our rules."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from functools import cache

import pytest
import yaml

from test import pages
from test.conftest import BUILD, ROOT

OVERLAYS = ("sandbox", "production")
NPM = ROOT / "build" / "npm" / "node_modules"
DAEMONS = {"ingestd": 4001, "workerd": 4002, "apid": 4000}

# KEDA's kind is no part of Kubernetes: what of it we use, in a small schema of our own.
SCALED_OBJECT = {
    "scaleTargetRef": dict, "minReplicaCount": int, "maxReplicaCount": int, "cooldownPeriod": int,
    "triggers": list,
}


@cache
def rendered(overlay: str) -> tuple[dict, ...]:
    done = subprocess.run(["kubectl", "kustomize", ROOT / "deploy/kubernetes/overlays" / overlay],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, *kinds: str) -> list[dict]:
    return [o for o in rendered(overlay) if o["kind"] in kinds]


def workloads(overlay: str) -> dict[str, dict]:
    return {o["metadata"]["name"]: o for o in of_kind(overlay, "Deployment", "StatefulSet")}


def container(workload: dict) -> dict:
    [only] = workload["spec"]["template"]["spec"]["containers"]
    return only


def refused(objects: list[dict]) -> list[str]:
    done = subprocess.run(["node", ROOT / "test/deploy/kubernetes.mjs", NPM], input=json.dumps(objects),
                          capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_fits_the_schema_of_its_api(overlay: str):
    assert refused([o for o in rendered(overlay) if o["kind"] != "ScaledObject"]) == []


def test_the_check_against_the_schemas_finds_a_mistake():
    [deployment] = [o for o in of_kind("sandbox", "Deployment") if o["metadata"]["name"] == "apid"]
    wrong = json.loads(json.dumps(deployment))
    wrong["spec"]["replicas"] = "two"
    assert "replicas" in refused([wrong])[0]


def test_the_scaled_object_has_what_keda_wants():
    [scaled] = of_kind("production", "ScaledObject")
    assert scaled["apiVersion"] == "keda.sh/v1alpha1"
    assert {key: type(value) for key, value in scaled["spec"].items()} == SCALED_OBJECT
    for trigger in scaled["spec"]["triggers"]:
        assert trigger["type"] == "prometheus"
        assert {type(v) for v in trigger["metadata"].values()} == {str}
        assert {"serverAddress", "query", "threshold"} <= set(trigger["metadata"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_three_daemons_run_with_the_least_rights(overlay: str):
    assert set(workloads(overlay)) == set(DAEMONS)
    for workload in [*workloads(overlay).values(), *of_kind(overlay, "Job")]:
        pod, only = workload["spec"]["template"]["spec"], container(workload)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]}}
        assert set(only["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_liveness_never_asks_for_the_database_and_readiness_does(overlay: str):
    for name, workload in workloads(overlay).items():
        only = container(workload)
        ports = {p["name"]: p["containerPort"] for p in only["ports"]}
        assert ports == {"http": DAEMONS[name], "ops": DAEMONS[name] + 100}
        assert only["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "ops"}
        assert only["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "ops"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_serves_on_until_the_endpoints_know_that_it_goes(overlay: str):
    for workload in workloads(overlay).values():
        pod, only = workload["spec"]["template"]["spec"], container(workload)
        env = {e["name"]: e.get("value") for e in only["env"]}
        probe = only["readinessProbe"]
        unready_ms = probe["periodSeconds"] * probe["failureThreshold"] * 1000
        grace_ms, drain_ms = int(env.get("DRAIN_GRACE_MS", 0)), 10_000
        assert grace_ms > unready_ms or workload["metadata"]["name"] == "workerd"
        assert pod["terminationGracePeriodSeconds"] * 1000 > grace_ms + drain_ms


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_come_by_reference_and_ingestd_gets_no_more_than_it_needs(overlay: str):
    for workload in workloads(overlay).values():
        for entry in container(workload)["env"]:
            secret = re.search("SECRET|KEY|PEPPER|URL", entry["name"])
            assert not secret or "secretKeyRef" in entry["valueFrom"], entry["name"]
    names = {e["name"] for e in container(workloads(overlay)["ingestd"])["env"]}
    assert names - {"INGEST_SPOOL_DIR"} == {
        "DRAIN_GRACE_MS", "DATABASE_URL", "WEBHOOK_MASTER_KEY", "DIALPAD_WEBHOOK_SECRET"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_scaled_has_no_number_of_its_own_that_an_apply_would_bring_back(overlay: str):
    scaled = {o["spec"]["scaleTargetRef"]["name"]
              for o in of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject")}
    assert scaled == {"ingestd", "apid"} | ({"workerd"} if overlay == "production" else set())
    for name in scaled:
        assert "replicas" not in workloads(overlay)[name]["spec"]
    for scaler in of_kind(overlay, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert target["kind"] == workloads(overlay)[target["name"]]["kind"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_one_pod_at_a_time_may_be_evicted_also_where_there_is_only_one(overlay: str):
    budgets = {o["metadata"]["name"]: o["spec"] for o in of_kind(overlay, "PodDisruptionBudget")}
    assert set(budgets) == set(DAEMONS)
    for name, budget in budgets.items():
        assert budget == {"maxUnavailable": 1, "selector": workloads(overlay)[name]["spec"]["selector"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_is_reached_at_its_ports_alone_and_reaches_what_it_needs(overlay: str):
    dialpad, database, names = {443}, {5432}, {53}
    for name, workload in workloads(overlay).items():
        labels = workload["spec"]["template"]["metadata"]["labels"]
        rules = [o["spec"] for o in of_kind(overlay, "NetworkPolicy")
                 if o["spec"]["podSelector"]["matchLabels"].items() <= labels.items()]
        assert {kind for rule in rules for kind in rule["policyTypes"]} == {"Ingress", "Egress"}
        own = {DAEMONS[name] + 100} | (set() if name == "workerd" else {DAEMONS[name]})
        assert open_ports(rules, "ingress") == own
        assert open_ports(rules, "egress") == names | database | (set() if name == "ingestd" else dialpad)


def open_ports(rules: list[dict], way: str) -> set[int]:
    return {port["port"] for rule in rules for allowed in rule.get(way, []) for port in allowed["ports"]}


def test_a_spool_has_a_claim_for_each_pod():
    ingestd = workloads("production")["ingestd"]
    assert ingestd["kind"] == "StatefulSet"
    [claim] = ingestd["spec"]["volumeClaimTemplates"]
    only = container(ingestd)
    mounts = {m["name"]: m["mountPath"] for m in only["volumeMounts"]}
    env = {e["name"]: e.get("value") for e in only["env"]}
    assert mounts[claim["metadata"]["name"]] == env["INGEST_SPOOL_DIR"]
    assert "volumes" not in ingestd["spec"]["template"]["spec"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_webhooks_go_to_ingestd_and_admins_do_not_come_in(overlay: str):
    [ingress] = of_kind(overlay, "Ingress")
    paths = {p["path"]: p["backend"]["service"]["name"]
             for rule in ingress["spec"]["rules"] for p in rule["http"]["paths"]}
    assert paths["/webhooks"] == "ingestd"
    assert {paths[p] for p in ("/api", "/auth", "/ws")} == {"apid"}
    assert not any(path.startswith("/internal") or path == "/" for path in paths)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_setting_is_one_that_the_daemons_know(overlay: str):
    known = set(re.findall(r'"([A-Z][A-Z0-9_]+)"', (ROOT / "common/conf/conf.def").read_text()))
    [config] = of_kind(overlay, "ConfigMap")
    names = set(config["data"]) | {e["name"] for w in workloads(overlay).values()
                                   for e in container(w)["env"]}
    assert names - known == set()


@pytest.fixture(scope="module")
def secrets(tmp_path_factory) -> dict[str, dict[str, str]]:
    """The Secrets that docs/deploy-kubernetes.md makes, by its own commands; their names are the keys."""
    [block] = pages.to_run("docs/deploy-kubernetes.md", "sh")
    where = tmp_path_factory.mktemp("secrets")
    only_say = 'kubectl() { command kubectl "$@" --dry-run=client -o yaml && echo ---; }\n'
    done = subprocess.run(["bash", "-euo", "pipefail"], input=only_say + block.code, cwd=where, text=True,
                          capture_output=True, check=False, env={
                              "PATH": f"{ROOT / 'build' / BUILD / 'bin'}:{os.environ['PATH']}", "HOME": str(where)})
    assert done.returncode == 0, done.stderr
    return {o["metadata"]["name"]: {k: base64.b64decode(v).decode() for k, v in o["data"].items()}
            for o in yaml.safe_load_all(done.stdout) if o and o["kind"] == "Secret"}


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_daemon_starts_with_what_manifests_and_secrets_give_it(secrets, daemon: str):
    only = container(workloads("production")[daemon])
    env = {}
    for source in only["envFrom"]:
        if "configMapRef" in source:
            env |= of_kind("production", "ConfigMap")[0]["data"]
        else:
            env |= secrets[source["secretRef"]["name"]]
    for entry in only["env"]:
        if "valueFrom" in entry:
            wanted = entry["valueFrom"]["secretKeyRef"]
            if not (wanted.get("optional") and wanted["key"] not in secrets[wanted["name"]]):
                env[entry["name"]] = secrets[wanted["name"]][wanted["key"]]
        else:
            env[entry["name"]] = entry["value"]
    assert daemon == "ingestd" or "DIALPAD_PROD_CLIENT_SECRET" in env
    done = subprocess.run([ROOT / "build" / BUILD / "bin" / daemon, "--check-config"],
                          env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kubectl_and_npm_are_there():
    assert shutil.which("kubectl") and NPM.is_dir(), "run make deps"
