"""What apid sends goes to whom it means: the certificate of Dialpad is checked."""

from __future__ import annotations

import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cti import Stack
from login import Browser, query_of
from web import Answer

CALLBACK = "http://127.0.0.1:1/auth/dialpad/callback"


class Counter(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.seen += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def certificate(directory: Path, name: str) -> Path:
    """Its own authority, for one host name; the key is in the same file."""
    path = directory / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", path, "-out",
         directory / "crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + (directory / "crt").read_bytes())
    path.chmod(0o644)
    return path


@pytest.fixture
def readable() -> Iterator[Path]:
    """A directory that apid can read, who may run as another user."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@contextmanager
def tls_server(pem: Path) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    server.seen = 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def exchange(stack: Stack) -> Answer:
    """A callback, which makes apid ask for a token."""
    app_id = stack.admin("POST", "/apps", {"name": "a"})["app_id"]
    browser = Browser()
    state = query_of(browser.begin(stack, app_id))["state"]
    return browser.get(f"{stack.apid.url}/auth/dialpad/callback?code=x&state={state}")


@pytest.mark.parametrize(("name", "is_trusted", "arrives"), [
    ("localhost", True, 1), ("localhost", False, 0), ("dialpad.example", True, 0)])
def test_only_a_certificate_of_a_known_authority_for_this_host_is_accepted(
        run_stack, readable: Path, name: str, is_trusted: bool, arrives: int):
    pem = certificate(readable, name)
    with tls_server(pem) as server:
        env = {
            "DIALPAD_SANDBOX_CLIENT_ID": "x", "DIALPAD_SANDBOX_CLIENT_SECRET": "a-client-secret",
            "DIALPAD_SANDBOX_REDIRECT_URI": CALLBACK,
            "DIALPAD_SANDBOX_BASE_URL": f"https://localhost:{server.server_port}",
            "HTTPS_CA_FILE": str(readable / "crt") if is_trusted else None,
        }
        with run_stack({"apid": env}) as stack:
            assert exchange(stack).status == 502
            assert server.seen == arrives, stack.apid.tail()
            if arrives == 0:
                stack.apid.wait_for_log("certificate")
            else:
                assert not stack.apid.log_contains("certificate")
