"""The fake Dialpad's HTTP server: sockets in, answers out, a clean end on signals."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .live import Live
from .web.app import App, Dropped
from .web.message import Answer, Request, answer_error
from .world.world import World


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # tests come with many connections at once

    def __init__(self, host: str, port: int, world: World, time_scale: float = 1.0):
        self.live = Live(world, time_scale)
        self.app = App(world, self.live)
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, as one does after a slow answer, is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        super().server_close()
        self.live.stop()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    server: Server

    def _serve(self) -> None:
        """Every request is read to its end first, so that the connection can be kept."""
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, parts.path, parts.query, self.headers, body)
        try:
            self._send(self._answer(request))
        except Dropped:
            self.close_connection = True

    def _answer(self, request: Request) -> Answer:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return answer_error(411, "give a Content-Length")
        return self.server.app.answer(request)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.spread_s:
            self._trickle(answer)
        else:
            self.wfile.write(answer.body)

    def _trickle(self, answer: Answer) -> None:
        for place in range(len(answer.body)):
            self.wfile.write(answer.body[place:place + 1])
            self.wfile.flush()
            time.sleep(answer.spread_s / len(answer.body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *args) -> None:
        """Quiet: a test's output should show the daemons, not this stand-in."""


def serve(server: Server) -> None:
    """Run until SIGTERM or SIGINT. The first line tells where."""

    def stop(_signal: int, _frame: object) -> None:
        # shutdown() waits for the loop below, so it must not run on this thread.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"listening on {server.url}", flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)


@contextmanager
def in_background(companies: int = 2, time_scale: float = 0.05) -> Iterator[Server]:
    """For tests: on a free port, in a thread of this process."""
    server = Server("127.0.0.1", 0, World(companies), time_scale)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
