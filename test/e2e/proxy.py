"""A TCP proxy in front of one port that can fall silent without closing anything."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit, urlunsplit

import ports
from balancer import splice


class Proxy:
    """Serves while it is a context. Connections live on while it is silent, but nothing passes."""

    def __init__(self, port: int):
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", ports.any_free()))
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self.speak()

    def before(self, url: str) -> str:
        """The same URL through the proxy."""
        parts = urlsplit(url)
        login = parts.netloc.rsplit("@", 1)[0]
        port = self._listener.getsockname()[1]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))

    def fall_silent(self) -> None:
        self._open.clear()

    def speak(self) -> None:
        self._open.set()

    def cut(self) -> None:
        """Ends every connection."""
        with self._lock:
            pairs = set(self._pairs)
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it has ended by itself

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        with client, server:
            try:
                splice(client, server, self._open)
            except OSError:
                pass  # both ends are closed below
            finally:
                with self._lock:
                    self._pairs.discard(pair)
