"""Compact JWS (RFC 7515) as Dialpad signs its webhook bodies: the whole body is the token.

The key is the secret's raw UTF-8 bytes. The payload segment is the event itself: no iat,
exp or jti is added. `mint` takes exact bytes, so a test can sign claims that are no JSON.
"""

import base64
import hashlib
import hmac
import json

# Dialpad signs with HS256 only. The other two exist to see them refused.
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}

# Nobody has published Dialpad's header bytes; `alg` is documented and `typ` is customary.
DEFAULT_HEADER = b'{"alg":"HS256","typ":"JWT"}'


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sign(signing_input: bytes, key: bytes, alg: str) -> bytes:
    """The signature bytes; empty for the algorithm `none`."""
    if alg == "none":
        return b""
    return hmac.new(key, signing_input, DIGESTS[alg]).digest()


def mint(claims: bytes, key: bytes, *, alg: str = "HS256", header: bytes | None = None,
         spoil_signature: bool = False) -> str:
    """Sign exact claim bytes.

    `alg` is named in the header and used for the signature, unless `header` gives other
    header bytes. `spoil_signature` flips one bit of an otherwise good signature.
    """
    if header is None:
        header = DEFAULT_HEADER.replace(b"HS256", alg.encode("ascii"))
    signing_input = f"{base64url(header)}.{base64url(claims)}"
    signature = sign(signing_input.encode("ascii"), key, alg)
    if spoil_signature:
        signature = bytes([signature[0] ^ 1]) + signature[1:]
    return f"{signing_input}.{base64url(signature)}"


def claim_bytes(claims: dict) -> bytes:
    """The bytes that are signed for an event: compact JSON, non-ASCII escaped."""
    return json.dumps(claims, separators=(",", ":")).encode("ascii")
