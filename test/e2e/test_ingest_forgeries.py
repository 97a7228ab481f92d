"""What is not signed as it should be is refused and never stored, whatever it tries."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator

import pytest
from hook import Hook
from ingest import Ingest, new_claims
from ingest_fixtures import IngestMaker

from test.sim import jws

MAX_BODY = 2 * 1024 * 1024  # the default of INGEST_MAX_BODY_BYTES
NESTED = b"[" * 3000 + b"]" * 3000
OLD_KEY = "the master key that was in use long before"
STEP = 7  # of what is done at every place of a token
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="module")
def ingest(run_ingestd: IngestMaker) -> Iterator[Ingest]:
    with run_ingestd({}) as stack:
        yield stack


class Forger:
    """Has seen genuine bodies of one hook; sometimes it even has the hook's secret."""

    def __init__(self, stack: Ingest):
        self.stack = stack
        self.hook = stack.my_hook()
        self.claims = jws.claim_bytes(new_claims())
        self.genuine = self.hook.sign_bytes(self.claims)
        self.header, self.payload, self.signature = self.genuine.split(".")

    def headed(self, header: bytes) -> str:
        """Signed right, under another header."""
        return self.hook.sign_bytes(self.claims, header=header)

    def signed(self, signing_input: str) -> str:
        """Signed right, whatever the parts are."""
        mac = jws.sign(signing_input.encode(), self.hook.secret.encode(), "HS256")
        return f"{signing_input}.{jws.base64url(mac)}"

    def with_signature(self, signature: str) -> str:
        return f"{self.header}.{self.payload}.{signature}"

    def signed_by(self, secret: str) -> str:
        return Hook(self.hook.url, secret).sign_bytes(self.claims)

    def with_underscore(self) -> str:
        """A genuine body whose signature has a '_' in it."""
        while True:
            token = self.hook.sign(new_claims())
            if "_" in token.rsplit(".", 1)[1]:
                return token

    def other_last_character(self) -> str:
        """The same bytes in another spelling: the last two bits belong to nothing."""
        last = BASE64URL[BASE64URL.index(self.signature[-1]) | 1]
        return self.with_signature(self.signature[:-1] + last)


def in_signature(token: str, old: str, new: bytes) -> bytes:
    head, signature = token.rsplit(".", 1)
    return head.encode() + b"." + signature.encode().replace(old.encode(), new)


def as_json(f: Forger) -> str:
    """RFC 7515's other form."""
    parts = {"protected": f.header, "payload": f.payload, "signature": f.signature}
    return json.dumps(parts)


FORGERIES: dict[str, Callable[[Forger], str | bytes]] = {
    # Another algorithm, said or used
    "none": lambda f: f.hook.sign_bytes(f.claims, alg="none"),
    "none, without the last dot": lambda f: f.hook.sign_bytes(f.claims, alg="none")[:-1],
    "HS384": lambda f: f.hook.sign_bytes(f.claims, alg="HS384"),
    "HS512": lambda f: f.hook.sign_bytes(f.claims, alg="HS512"),
    "said none": lambda f: f.headed(b'{"alg":"none"}'),
    "said None": lambda f: f.headed(b'{"alg":"None"}'),
    "said RS256": lambda f: f.headed(b'{"alg":"RS256"}'),
    "said ES256": lambda f: f.headed(b'{"alg":"ES256"}'),
    "said hs256": lambda f: f.headed(b'{"alg":"hs256"}'),
    "said HS256 with a blank": lambda f: f.headed(b'{"alg":"HS256 "}'),
    "said HS256 with a NUL": lambda f: f.headed(rb'{"alg":"HS256\u0000"}'),
    "said ALG": lambda f: f.headed(b'{"ALG":"HS256"}'),
    "said a list": lambda f: f.headed(b'{"alg":["HS256"]}'),
    "said nothing": lambda f: f.headed(b"{}"),
    "said twice": lambda f: f.headed(b'{"alg":"none","alg":"HS256"}'),
    "a critical extension": lambda f: f.headed(b'{"alg":"HS256","crit":["b64"],"b64":false}'),
    "a header that is no JSON": lambda f: f.headed(b"HS256"),
    "a header of brackets": lambda f: f.headed(NESTED),
    "a header with brackets": lambda f: f.headed(b'{"alg":"HS256","x":' + NESTED + b"}"),
    "an empty header": lambda f: f.signed(f".{f.payload}"),
    # Another key
    "of another hook": lambda f: f.signed_by(f.stack.hook(f.stack.app_id, 2).secret),
    "of another app": lambda f: f.signed_by(
        f.stack.hook("7d444840-9dc0-11d1-b245-5ffdce74fad2").secret),
    "of an old master key": lambda f: f.signed_by(f.stack.my_hook(master_key=OLD_KEY).secret),
    "of the master key itself": lambda f: f.signed_by(f.stack.master_key),
    "of the bare route": lambda f: f.signed_by(f.stack.bare_secret),
    "of the secret's bytes": lambda f: jws.mint(
        f.claims, base64.urlsafe_b64decode(f.hook.secret + "=")),
    "of no key": lambda f: jws.mint(f.claims, b""),
    # Another signature
    "empty signature": lambda f: f.with_signature(""),
    "short signature": lambda f: f.with_signature(f.signature[:-1]),
    "long signature": lambda f: f.with_signature(f.signature + "AA"),
    "signature of zeros": lambda f: f.with_signature("A" * 43),
    "padded": lambda f: f.genuine + "=",
    "stray bits": lambda f: f.other_last_character(),
    "standard alphabet": lambda f: in_signature(f.with_underscore(), "_", b"/"),
    "a byte above ASCII": lambda f: in_signature(f.with_underscore(), "_", b"\xc4"),
    "signature in hexadecimal": lambda f: f.with_signature(
        base64.urlsafe_b64decode(f.signature + "=").hex()),
    "signature of other claims": lambda f: f.with_signature(
        f.hook.sign(new_claims()).rsplit(".", 1)[1]),
    # Another form
    "one part": lambda f: f.payload,
    "two parts": lambda f: f"{f.header}.{f.payload}",
    "four parts": lambda f: f"{f.genuine}.{f.signature}",
    "a dot more": lambda f: f.genuine + ".",
    "dots": lambda f: "..",
    "claims padded, and signed so": lambda f: f.signed(f.header + ".eyJhIjoxfQ=="),
    "claims with stray bits, and signed so": lambda f: f.signed(f.header + ".eyJhIjoxfR"),
    "white space inside": lambda f: f.genuine.replace(".", ".\n"),
    "a NUL behind": lambda f: f.genuine + "\0",
    "a byte order mark": lambda f: b"\xef\xbb\xbf" + f.genuine.encode(),
    "quoted": lambda f: f'"{f.genuine}"',
    "a scheme in front": lambda f: f"Bearer {f.genuine}",
    "JSON form": as_json,
    "unsigned": lambda f: f.claims,
    "compressed": lambda f: gzip.compress(f.genuine.encode()),
    "a thousand dots": lambda f: "." * 1000,
    "as much as may be": lambda f: "a" * MAX_BODY,
    "as many dots as may be": lambda f: "." * MAX_BODY,
    "two megabytes under a wrong signature": lambda f: f.signed_by("x" * 32)[:-43] + "A" * (
        MAX_BODY - 1000),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forgery_is_refused(ingest: Ingest, kind: str) -> None:
    forged = FORGERIES[kind](Forger(ingest))
    body = forged if isinstance(forged, bytes) else forged.encode()
    before = ingest.log()
    answer = ingest.my_hook().post_body(body)
    assert (answer.status, answer.json()) == (401, {"error": "Invalid signature"})
    assert ingest.log() == before


def test_a_body_cut_anywhere_is_refused(ingest: Ingest) -> None:
    token = Forger(ingest).genuine.encode()
    for length in range(0, len(token), STEP):
        assert ingest.my_hook().post_body(token[:length]).status == 401, length


def test_a_body_with_one_bit_changed_anywhere_is_refused(ingest: Ingest) -> None:
    token = Forger(ingest).genuine.encode()
    for place in range(0, len(token), STEP):
        changed = bytearray(token)
        changed[place] ^= 1
        assert ingest.my_hook().post_body(bytes(changed)).status == 401, place


def test_a_body_beyond_the_limit_is_too_large_however_it_is_signed(ingest: Ingest) -> None:
    hook = ingest.my_hook()
    claims = b'{"call_id":1,"x":"' + b"y" * MAX_BODY + b'"}'
    assert hook.post_body(hook.sign_bytes(claims).encode()).status == 413
    assert hook.post_body(b"a" * (MAX_BODY + 1)).status == 413


# What looks odd and is genuine all the same
GENUINE: dict[str, Callable[[Forger], str]] = {
    "more in the header": lambda f: f.headed(b'{"kid":"1","alg":"HS256"}'),
    "blanks in the header": lambda f: f.headed(b' { "alg" : "HS256" } '),
    "blanks around it": lambda f: f" \r\n{f.genuine}\n\t",
}


@pytest.mark.parametrize("kind", GENUINE)
def test_an_unusual_but_genuine_body_is_stored(ingest: Ingest, kind: str) -> None:
    forger = Forger(ingest)
    assert ingest.my_hook().post_body(GENUINE[kind](forger).encode()).status == 200
    assert forger.claims.decode() in ingest.log()


ODD_CLAIMS = {
    "nested deep": b'{"call_id":1,"x":' + NESTED + b"}",
    "nothing but brackets": NESTED,
    "no end to the brackets": b"[" * 3000,
    "a key twice": b'{"call_id":1,"call_id":2,"state":"a","state":"b"}',
    "a token inside a token": jws.mint(b"{}", b"x").encode(),
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("kind", ODD_CLAIMS)
def test_signed_claims_are_stored_byte_for_byte_whatever_they_are(
    ingest: Ingest, kind: str
) -> None:
    claims = ODD_CLAIMS[kind]
    hook = ingest.my_hook()
    assert hook.post_body(hook.sign_bytes(claims).encode()).status == 200
    rows = ingest.sql(
        "SELECT coalesce(payload_raw, convert_to(payload::text, 'UTF8')) FROM event_log"
        " ORDER BY received_at DESC LIMIT 1"
    )
    assert rows == [(claims,)]
