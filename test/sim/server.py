"""The fake Dialpad's HTTP server: one table of routes, JSON out, a clean end on signals."""

import json
import signal
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict


def healthz(_request: BaseHTTPRequestHandler) -> Answer:
    return Answer(200, {"status": "ok"})


ROUTES: dict[tuple[str, str], Callable[[BaseHTTPRequestHandler], Answer]] = {
    ("GET", "/healthz"): healthz,
}


def route(request: BaseHTTPRequestHandler) -> Answer:
    path = urlsplit(request.path).path
    handler = ROUTES.get((request.command, path))
    if handler is None:
        return Answer(404, {"error": f"no route {request.command} {path}"})
    return handler(request)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        """Every request is read to its end first, so that the connection can be kept."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = route(self)
        body = json.dumps(answer.body).encode("utf-8")
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *args) -> None:
        """Quiet: a test's output should show the daemons, not this stand-in."""


def serve(host: str, port: int) -> None:
    """Run until SIGTERM or SIGINT. Port 0 takes a free one; the first line tells which."""
    server = ThreadingHTTPServer((host, port), Handler)

    def stop(_signal: int, _frame: object) -> None:
        # shutdown() waits for the loop below, so it must not run on this thread.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)
