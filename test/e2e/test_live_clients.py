"""The feed through what people really use: a client library, a browser, a proxy."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import ports
import pytest
import unprivileged
from cti import App, Stack
from hook import payload
from web import eventually

from test.conftest import ROOT

RINGING = payload("call_ringing_inbound_2024")
EXAMPLES = ROOT / "docs" / "examples"
SEED_SNIPPET = ROOT / "test" / "fixtures" / "seed_socket.js"
NGINX = """\
daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 200; }}
http {{
	access_log off;
	client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/a; uwsgi_temp_path {dir}/b; scgi_temp_path {dir}/c;
	map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
	server {{
		listen 127.0.0.1:{port};
		location / {{
			proxy_pass http://127.0.0.1:{apid};
			proxy_http_version 1.1;
			proxy_set_header Host $http_host;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
			proxy_read_timeout 60s;
		}}
		location /examples/ {{ alias {dir}/site/; types {{ text/html html; text/javascript js; }} }}
	}}
}}
"""


def change(app: App, call_id: int, state: str = "ringing") -> None:
    later = RINGING["event_timestamp"] + len(state)
    claims = RINGING | {"call_id": call_id, "state": state, "event_timestamp": later}
    assert app.hook.post(claims).status == 200


@contextlib.contextmanager
def nginx(stack: Stack) -> Iterator[str]:
    """A URL under which it serves the examples, and apid."""
    port = ports.any_free()
    with tempfile.TemporaryDirectory(prefix="cti-nginx-") as name:
        os.chmod(name, 0o755)
        unprivileged.give(Path(name))
        shutil.copytree(EXAMPLES, f"{name}/site")
        conf = Path(name) / "nginx.conf"
        conf.write_text(NGINX.format(dir=name, port=port, apid=stack.apid.port))
        binary = shutil.which("nginx", path=os.defpath + ":/usr/sbin")
        assert binary, "nginx is missing: make deps"
        process = unprivileged.spawn([binary, "-c", str(conf), "-e", f"{name}/error.log"],
                                     env=unprivileged.base_env())
        try:
            eventually(lambda: not ports.is_free(port), 20, "nginx listens")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def proxied(stack: Stack) -> Iterator[str]:
    with nginx(stack) as url:
        yield url


@pytest.fixture(params=["directly", "through nginx"])
def base_url(request: pytest.FixtureRequest, stack: Stack) -> str:
    return stack.apid.url if request.param == "directly" else request.getfixturevalue("proxied")


# A client library

WS_PROGRAM = """
const WebSocket = require("ws");
const socket = new WebSocket(process.env.URL, { headers: { "x-app-api-key": process.env.KEY } });
const seen = [];
let pongs = 0;
socket.on("open", () => { socket.send('{"type":"subscribe"}'); socket.ping("are you there"); });
socket.on("pong", (data) => { if (String(data) === "are you there") pongs += 1; });
socket.on("message", (data) => {
	const { type, data: body } = JSON.parse(data);
	if (type === "ready") { if (body.subscribed) console.log("ready"); return; }
	seen.push([type, body.call_id]);
	if (seen.length === 3) socket.close(1000, "enough");
});
socket.on("close", (code) => console.log(JSON.stringify({ seen, pongs, code })));
socket.on("error", (error) => console.log(JSON.stringify({ error: String(error) })));
"""


def test_the_client_library_ws(stack: Stack, app: App, base_url: str) -> None:
    env = unprivileged.base_env() | {
        "URL": base_url.replace("http", "ws", 1) + "/ws",
        "KEY": app.api_key,
        "NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs",
    }
    process = subprocess.Popen(["node", "-e", WS_PROGRAM], env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    change(app, 1)
    change(app, 2)
    stack.wait_until_done()
    change(app, 1, "hangup")
    told = json.loads(process.stdout.readline())
    assert process.wait(20) == 0
    assert told["pongs"] == 1 and told["code"] == 1000, told
    assert sorted(told["seen"]) == [["call.ended", 1], ["call.started", 1], ["call.started", 2]]


# A browser


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A web server of another origin than apid's, and the directory that it serves."""
    directory = tmp_path_factory.mktemp("site")
    handler = functools.partial(QuietHandler, directory=str(directory))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", directory
    server.shutdown()


def console(driver: object) -> list[str]:
    """What the page has logged since the last look."""
    return [line["message"] for line in driver.get_log("browser")]


def shown_calls(driver: object) -> dict[str, str]:
    """Status by call id, as the example's table shows it."""
    return dict(driver.execute_script(
        "return [...document.querySelectorAll('#calls tr')]"
        ".map((row) => [row.dataset.callId, row.lastChild.textContent])"))


def connect_example(driver: object, page: str, url: str, key: str) -> None:
    driver.get(page)
    driver.execute_script(
        "const form = document.getElementById('settings');"
        "form.elements.url.value = arguments[0]; form.elements.key.value = arguments[1];"
        "form.requestSubmit();", url, key)
    eventually(lambda: state(driver) == "live", 30, f"live, not {state(driver)} {console(driver)}")


def gaps(driver: object) -> str:
    return driver.execute_script("return document.getElementById('gaps').textContent")


def state(driver: object) -> str:
    return driver.execute_script("return document.getElementById('state').textContent")


def test_the_example_lists_follows_resumes_and_shows_a_gap(
    own_stack: Stack, browser: object
) -> None:
    app, apid = own_stack.create_app("example"), own_stack.apid
    change(app, 1)
    own_stack.wait_until_done()
    with nginx(own_stack) as url:
        connect_example(browser, f"{url}/examples/live.html", url, app.api_key)
        eventually(lambda: shown_calls(browser) == {"1": "ringing"}, 20, "the list")
        change(app, 2)
        eventually(lambda: "2" in shown_calls(browser), 20, "the second call")

        apid.stop()
        eventually(lambda: "reconnecting" in state(browser), 20, "the loss is shown")
        change(app, 1, "hangup")
        change(app, 3)
        own_stack.wait_until_done()
        apid.start()
        apid.wait_ready()
        shown = {"1": "missed", "2": "ringing", "3": "ringing"}
        eventually(lambda: shown_calls(browser) == shown, 20, "what came meanwhile")
        assert browser.execute_script("return window.live.seen") == 3
        assert gaps(browser) == ""

        apid.stop()
        change(app, 4)
        own_stack.wait_until_done()
        own_stack.sql("DELETE FROM change_feed WHERE app_id = %s", app.app_id)
        apid.start()
        apid.wait_ready()
        eventually(lambda: "4" in shown_calls(browser), 20, "what the list has")
        eventually(lambda: "read the lists" in gaps(browser), 20, "that there was a gap")
        browser.execute_script("window.live.stop()")


def test_the_snippet_of_old_works_with_a_live_token(
    stack: Stack, app: App, base_url: str, browser: object, site: tuple[str, Path]
) -> None:
    origin, directory = site
    made = stack.admin("POST", f"/apps/{app.app_id}/live-token", {"origins": [origin]})
    address = f"{base_url.replace('http', 'ws', 1)}/ws?token={made['token']}"
    (directory / "snippet.html").write_text(
        "<script>const process = { env: { REACT_APP_CTI_WS_SERVER: "
        f"{json.dumps(address)} }} }};</script>\n<script>\n{SEED_SNIPPET.read_text()}</script>\n"
        "<script>window.socket = subscribeToCallEvents();</script>")
    console(browser)
    browser.get(f"{origin}/snippet.html")
    eventually(lambda: browser.execute_script("return window.socket.readyState") == 1, 20, "open")
    change(app, 1)
    stack.wait_until_done()
    change(app, 1, "hangup")
    lines: list[str] = []

    def both_logged() -> bool:
        lines.extend(console(browser))
        return any("New call:" in line for line in lines) and any(
            "Call ended:" in line for line in lines)

    eventually(both_logged, 20, "both lines in the console")
