"""Odd HTTP on a socket: each row has its answer, and no request hides in another's body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from ingest import Ingest, new_claims
from ingest_fixtures import IngestMaker
from raw import Reply, exchange, exchange_cut


@dataclass(frozen=True)
class Sender:
    """Builds requests that would be accepted if nothing were odd about them."""

    stack: Ingest

    @property
    def path(self) -> str:
        return self.stack.my_hook().url.removeprefix(self.stack.ingestd.url)

    def body(self) -> bytes:
        """Another event each time, and genuine."""
        return self.stack.my_hook().sign(new_claims()).encode()

    def post(
        self, *headers: str, body: bytes | None = None, line: str = "POST {path} HTTP/1.1"
    ) -> bytes:
        """{n} in a header is the body's length, said as it should be if no header has it."""
        body = self.body() if body is None else body
        if not any("{n}" in header or "Transfer" in header for header in headers):
            headers = (*headers, "Content-Length: {n}")
        head = [line.format(path=self.path), "Host: x"]
        head += [header.replace("{n}", str(len(body))) for header in headers]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def sender(run_ingestd: IngestMaker) -> Iterator[Sender]:
    with run_ingestd({}) as stack:
        yield Sender(stack)


def chunked(body: bytes, extension: bytes = b"", end: bytes = b"\r\n") -> bytes:
    """In two chunks."""
    half = len(body) // 2
    parts = (body[:half], body[half:])
    chunks = [b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts]
    return b"".join(chunks) + b"0\r\n" + end


def smuggled_by_folding(s: Sender) -> bytes:
    """The length stands behind a folded line: who does not see it sees two requests."""
    inner = s.post()
    return s.post("X: y\r\n z", "Content-Length: {n}", body=inner)


def in_chunks(s: Sender, *headers: str, **how: bytes) -> bytes:
    return s.post("Transfer-Encoding: chunked", *headers, body=chunked(s.body(), **how))


def fill(count: int) -> list[str]:
    return [f"X-{number}: y" for number in range(count)]


TOO_LONG = "y" * 17000
Row = tuple[Callable[[Sender], bytes], list[int], bool]
# What is sent; the answers; whether the connection lives on behind them. Each 200 is an
# event in the log, and nothing else is.
ROWS: dict[str, Row] = {
    "nothing odd": (lambda s: s.post(), [200], True),
    # How long is it?
    "no length": (lambda s: s.post("X-Transfer: none", body=b""), [401], False),
    "two equal lengths": (lambda s: s.post(*["Content-Length: {n}"] * 2), [400], False),
    "two lengths": (lambda s: s.post("Content-Length: {n}", "Content-Length: 0"), [400], False),
    "length and chunks": (lambda s: in_chunks(s, "Content-Length: 5"), [400], False),
    "chunks and length": (
        lambda s: s.post("Content-Length: {n}", "Transfer-Encoding: chunked"), [400], False),
    "length and identity": (
        lambda s: s.post("Content-Length: {n}", "Transfer-Encoding: identity"), [400], False),
    "letters": (lambda s: s.post("Content-Length: {n}abc"), [400], False),
    "a plus": (lambda s: s.post("Content-Length: +{n}"), [400], False),
    "a list": (lambda s: s.post("Content-Length: {n}, {n}"), [400], False),
    "a fraction": (lambda s: s.post("Content-Length: {n}.0"), [400], False),
    "hexadecimal": (lambda s: s.post("Content-Length: 0x{n}"), [400], False),
    "negative": (lambda s: s.post("Content-Length: -{n}"), [400], False),
    "astronomical": (lambda s: s.post("Content-Length: {n}" + "0" * 20), [400], False),
    "blanks around it": (lambda s: s.post("Content-Length:   {n}  "), [200], True),
    "a blank before its colon": (lambda s: s.post("Content-Length : {n}"), [200], True),
    # Chunks
    "chunks": (in_chunks, [200], False),
    "chunks and another request": (lambda s: in_chunks(s) + s.post(), [200], False),
    "chunk extensions": (lambda s: in_chunks(s, extension=b";a=b"), [400], False),
    "a trailer": (lambda s: in_chunks(s, end=b"X: y\r\n\r\n"), [200], False),
    "chunks that are none": (
        lambda s: s.post("Transfer-Encoding: chunked", body=b"zz\r\nx\r\n0\r\n\r\n"),
        [400], False),
    "a chunk without end": (
        lambda s: s.post("Transfer-Encoding: chunked", body=b"f" * 16 + b"\r\nx\r\n"),
        [400], False),
    "chunks twice": (lambda s: in_chunks(s, "Transfer-Encoding: chunked"), [400], False),
    "compressed chunks": (
        lambda s: s.post("Transfer-Encoding: gzip, chunked", body=chunked(s.body())),
        [400], False),
    "a coding that nobody knows": (
        lambda s: s.post("Transfer-Encoding: xchunked", body=chunked(s.body())), [400], False),
    # Header lines
    "63 headers": (lambda s: s.post(*fill(61)), [200], True),
    "64 headers": (lambda s: s.post(*fill(62)), [431], False),
    "65 headers, the length last": (lambda s: s.post(*fill(63)), [431], False),
    "a folded header": (lambda s: s.post("Content-Length: {n}", "X: y\r\n z"), [200], False),
    "a request behind a folded header": (smuggled_by_folding, [401], False),
    "a coding behind a folded header": (
        lambda s: s.post("Content-Length: {n}", "X: y\r\n z", "Transfer-Encoding: chunked")
        + s.post(), [200], False),
    "a header without a name": (lambda s: s.post("Content-Length: {n}", ": y"), [200], False),
    "a header without a colon": (lambda s: s.post("junk"), [400], False),
    "a tab in a header": (lambda s: s.post("X: a\tb"), [400], False),
    "a NUL in a header": (lambda s: s.post("X: a\0b"), [400], False),
    "LF without CR": (lambda s: s.post().replace(b"\r\n", b"\n"), [200], False),
    "a header beyond all limits": (lambda s: s.post(f"X: {TOO_LONG}"), [400], False),
    "no Host": (lambda s: s.post().replace(b"Host: x\r\n", b""), [200], True),
    "another method in a header": (
        lambda s: s.post("X-HTTP-Method-Override: GET"), [200], True),
    "an upgrade": (lambda s: s.post("Connection: Upgrade", "Upgrade: websocket"), [400], False),
    "an invitation wanted": (lambda s: s.post("Expect: 100-continue"), [100, 200], True),
    # The request line
    "HTTP/2.0": (lambda s: s.post(line="POST {path} HTTP/2.0"), [400], False),
    "HTTP/1.0": (lambda s: s.post(line="POST {path} HTTP/1.0"), [200], False),
    "no version": (lambda s: s.post(line="POST {path}"), [400], False),
    "HTTP/2's preface": (lambda s: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], False),
    "a TLS greeting": (lambda s: bytes.fromhex("16030100c8010000c40303") + bytes(200), [400], False),
    "a method in small letters": (lambda s: s.post(line="post {path} HTTP/1.1"), [400], False),
    "TRACE": (lambda s: s.post(line="TRACE {path} HTTP/1.1"), [400], False),
    "CONNECT": (lambda s: b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", [400], False),
    "HEAD": (lambda s: b"HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n", [404], False),
    "a preflight": (
        lambda s: s.post("Origin: https://x", "Access-Control-Request-Method: POST",
                         line="OPTIONS {path} HTTP/1.1", body=b""), [405], False),
    "absolute form": (lambda s: s.post(line="POST http://x{path} HTTP/1.1"), [], False),
    "OPTIONS *": (lambda s: b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", [], False),
    "a path beyond all limits": (
        lambda s: s.post(line=f"POST {{path}}/{TOO_LONG} HTTP/1.1"), [400], False),
    "a NUL in the path": (lambda s: s.post(line="POST {path}%00 HTTP/1.1"), [400], False),
    "a line end in the path": (
        lambda s: s.post(line="POST {path}%0d%0aX:%20y HTTP/1.1"), [503], False),
    "a path that climbs": (lambda s: s.post(line="POST /x/..{path} HTTP/1.1"), [400], False),
    "two slashes": (lambda s: s.post(line="POST /{path} HTTP/1.1"), [404], False),
    "a query": (lambda s: s.post(line="POST {path}?a=b HTTP/1.1"), [200], True),
    # Several requests in one go
    "two requests": (lambda s: s.post() + s.post(), [200, 200], True),
    "three requests": (lambda s: s.post() + s.post() + s.post(), [200, 200, 200], True),
    "an empty line before the second": (lambda s: s.post() + b"\r\n" + s.post(), [200, 200], True),
    "garbage behind the first": (lambda s: s.post() + b"garbage\r\n\r\n", [200, 400], False),
    "a second one behind close": (lambda s: s.post("Connection: close") + s.post(), [200], False),
    "a second one behind 401": (lambda s: s.post(body=b"forged") + s.post(), [401], False),
    "a second one behind 404": (
        lambda s: s.post(line="POST /nothing HTTP/1.1") + s.post(), [404], False),
    "a second one behind 503": (
        lambda s: s.post(line="POST /webhooks/x HTTP/1.1") + s.post(), [503], False),
    "a second one behind GET": (
        lambda s: b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n" + s.post(), [404], False),
    "a request in another's body": (lambda s: s.post(body=s.post()), [401], False),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_its_answer(sender: Sender, name: str) -> None:
    build, statuses, lives_on = ROWS[name]
    before = len(sender.stack.log())
    assert exchange(sender.stack.ingestd.url, build(sender)) == Reply(statuses, lives_on)
    assert len(sender.stack.log()) - before == statuses.count(200)


@pytest.mark.parametrize("missing", [1, 20, 300])
def test_a_body_that_ends_early_is_no_event(sender: Sender, missing: int) -> None:
    before = len(sender.stack.log())
    whole = sender.post(body=sender.body() + b" " * 200)
    assert exchange_cut(sender.stack.ingestd.url, whole[:-missing]) == [400]
    assert len(sender.stack.log()) == before


def test_a_connection_that_says_nothing_holds_up_nobody(sender: Sender) -> None:
    assert exchange_cut(sender.stack.ingestd.url, b"") == []
    assert exchange(sender.stack.ingestd.url, sender.post()) == Reply([200], True)
