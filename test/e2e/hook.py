"""The sender's side of a webhook: its URL, its secret, and signed bodies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from web import Answer, request, request_on

from test.sim import jws
from test.sim.delivery import Courier, Parcel, pack
from test.sim.model import Event

PAYLOADS = Path(__file__).resolve().parents[1] / "fixtures" / "dialpad"


def payload(name: str) -> dict:
    """One of the sample bodies."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def derived_secret(master_key: str, app_id: str, hook: int) -> str:
    """A hook's secret as documented, computed without any code of the daemons."""
    message = f"cti-hook-v1|{app_id}|{hook}".encode("ascii")
    mac = hmac.new(master_key.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode("ascii")


@dataclass(frozen=True)
class Hook:
    url: str
    secret: str

    def sign(self, claims: dict) -> str:
        return self.sign_bytes(jws.claim_bytes(claims))

    def sign_bytes(self, claims: bytes, **knobs) -> str:
        """For claims that are no JSON, and for forgeries: see test/sim/jws.py."""
        return jws.mint(claims, self.secret.encode(), **knobs)

    def post(self, claims: dict) -> Answer:
        return self.post_body(self.sign(claims).encode("ascii"))

    def post_on(self, connection: HTTPConnection, claims: dict) -> Answer:
        return request_on(connection, "POST", self.url, self.sign(claims).encode("ascii"))

    def post_body(self, body: bytes, headers: dict[str, str] | None = None) -> Answer:
        return request("POST", self.url, body, headers)

    def deliver(
        self,
        events: list[Event],
        *,
        repeat: float = 0.0,
        shuffled: bool = False,
        connections: int = 4,
        rate: float | None = None,
        time_scale: float = 0.05,
    ) -> list[Parcel]:
        """Sends them all as Dialpad would; the parcels say which were acknowledged."""
        parcels = pack(events, self.sign, repeat=repeat, shuffled=shuffled, seed="e2e")
        courier = Courier(
            self.url, connections=connections, rate=rate, time_scale=time_scale
        )
        courier.deliver(parcels)
        return parcels
