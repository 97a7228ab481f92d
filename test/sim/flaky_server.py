"""A tiny webhook receiver that fails on demand, to test the courier against."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_UP = "close the connection without an answer"
STAY_SILENT = "answer too late"
SILENCE_S = 2.0


class FlakyServer:
    """Answers each body with the next entry of `script`, and 200 once that is used up.

    An entry is a status, HANG_UP or STAY_SILENT. The script is kept for each body apart,
    so that the order of arrival does not matter.
    """

    def __init__(self, *script: int | str):
        self.bodies: list[str] = []
        self.connections: set[tuple] = set()
        self._script = script
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}/hook"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "FlakyServer":
        self._thread.start()
        return self

    def __exit__(self, *_exception) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def next_answer(self, body: str, peer: tuple) -> int | str:
        with self._lock:
            self.bodies.append(body)
            self.connections.add(peer)
            turn = self._seen.get(body, 0)
            self._seen[body] = turn + 1
        return self._script[turn] if turn < len(self._script) else 200

    def _handler(self) -> type:
        flaky = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
                answer = flaky.next_answer(body, self.client_address)
                if answer == STAY_SILENT:
                    time.sleep(SILENCE_S)
                if isinstance(answer, str):
                    self.close_connection = True
                    return
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args) -> None:
                """Quiet."""

        return Handler
