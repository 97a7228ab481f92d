"""Tests of faults on demand, rate limits and the other controls."""

import http.client
import threading
import time

import pytest

from test.sim.app_client import AppClient
from test.sim.client import Simulator
from test.sim.web.limits import Limits

ME = "/api/v2/users/me"
NO_ANSWER = (http.client.RemoteDisconnected, ConnectionResetError)


def test_an_answer_of_choice_comes_as_often_as_asked(app, sim):
    sim.fault("/api/v2/users/*", times=2, status=429, headers={"Retry-After": "7"})
    replies = [app.call("GET", ME) for _ in range(3)]
    assert [reply.status for reply in replies] == [429, 429, 200]
    assert replies[0].headers["Retry-After"] == "7"


def test_faults_meet_only_their_path_and_method(app, sim):
    sim.fault("/api/v2/webhooks", method="POST", status=500)
    assert app.call("GET", "/api/v2/webhooks").status == 200
    assert app.call("GET", ME).status == 200
    given = {"hook_url": "http://127.0.0.1:1/"}
    assert app.call("POST", "/api/v2/webhooks", given).status == 500
    assert sim.company()["webhooks"] == []  # it was not carried out


def test_wrong_json_is_no_json(app, sim):
    sim.wrong_json(ME)
    reply = app.call("GET", ME)
    assert reply.status == 200
    with pytest.raises(ValueError):
        reply.json


def test_a_dropped_request_is_not_carried_out(app, sim):
    sim.fault("/api/v2/webhooks", "drop")
    with pytest.raises(NO_ANSWER):
        app.call("POST", "/api/v2/webhooks", {"hook_url": "http://127.0.0.1:1/"})
    assert sim.company()["webhooks"] == []
    assert [one["status"] for one in sim.requests("POST", "/api/v2/webhooks")] == [None]


def test_a_lost_token_answer_leaves_the_refresh_token_used(app, sim):
    sim.fault("/oauth2/token", "lost")
    with pytest.raises(NO_ANSWER):
        app.refresh(app.tokens["refresh_token"])
    assert [token["used"] for token in sim.state()["refresh_tokens"]] == [True, False]
    assert app.refresh(app.tokens["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["slow", "trickle"])
def test_slow_answers_are_right_but_late(app, sim, kind):
    sim.fault(ME, kind, seconds=0.3)
    begun = time.monotonic()
    assert app.ok("GET", "/users/me")["is_admin"]
    assert time.monotonic() - begun >= 0.25


def test_a_slow_answer_holds_up_nobody_else(app, sim):
    sim.fault(ME, "slow", seconds=5)
    threading.Thread(target=app.call, args=("GET", ME), daemon=True).start()
    while sim.control("GET", "/faults")["faults"]:
        time.sleep(0.01)
    begun = time.monotonic()
    assert app.call("GET", ME).status == 200
    assert time.monotonic() - begun < 4


def test_faults_can_be_taken_back(app, sim):
    sim.fault("/api/v2/*", times=100)
    sim.clear_faults()
    assert app.call("GET", ME).status == 200


@pytest.mark.parametrize("path, body", [
    ("/faults", {"path": ME, "kind": "nonsense"}), ("/faults", {"kind": "drop"}),
    ("/faults", {"path": ME, "kind": "drop", "often": 2}),
    ("/settings", {"token_minutes": 1}), ("/settings", {"token_seconds": "1"}),
    ("/settings", {"expires_in": "never"}), ("/settings", {"token_seconds": -1}),
    ("/tokens", {"kind": "access"}), ("/tokens", {"kind": "all", "how": "revoke"}),
    ("/calls", {"scenario": "nonsense"}), ("/calls", {}),
    ("/calls", {"scenario": "missed", "speed": 0.5}),
    ("/texts", {"text": "hello", "direction": "all"})])
def test_controls_refuse_what_they_do_not_know(app, path, body):
    assert app.call("POST", f"/sim{path}", body).status == 400


def test_a_company_has_20_requests_a_second(app, sim):
    sim.set(company_per_second=3)
    statuses = [app.call("GET", ME).status for _ in range(30)]
    assert statuses[:3] == [200] * 3 and 429 in statuses
    other = AppClient(sim).connect(sim.state()["companies"][1]["users"][0]["email"])
    assert other.call("GET", ME).status == 200


def test_single_calls_can_be_asked_for_ten_times_a_minute(app, sim):
    (truth,) = sim.place("missed")
    path = f"/api/v2/call/{truth['call_id']}"
    assert [app.call("GET", path).status for _ in range(11)] == [200] * 10 + [429]
    assert app.call("GET", ME).status == 200


def test_a_window_slides_and_refused_requests_do_not_count():
    now = 0.0
    limits = Limits(lambda: now)
    rules = (("company", 1.0, 2),)
    assert [limits.admits(*rules) for _ in range(3)] == [True, True, False]
    now = 0.9
    assert not limits.admits(*rules)
    now = 1.0
    assert [limits.admits(*rules) for _ in range(3)] == [True, True, False]


def test_requests_are_counted_without_their_secrets(app, sim):
    sim.forget_requests()
    app.call("GET", f"{ME}?apikey=secret")
    assert sim.requests() == [{"method": "GET", "path": ME, "status": 200}]


def test_many_requests_at_once_are_answered(app, sim):
    sim.set(company_per_second=0)
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(app.call("GET", ME).status))
               for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50


def test_no_answer_shows_a_secret_of_the_client(sim: Simulator, app):
    assert "the app's secret" not in str(sim.state())
