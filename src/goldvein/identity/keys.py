"""The form of an API key: `gv_live_` or `gv_test_`, 12 characters of id, 32 of secret, 6 of checksum.

The prefix lets secret scanners find a leaked key, the checksum lets them (and us) tell one from look-alikes without
asking the database.
"""

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"gv_(?:live|test)_([0-9A-Za-z]{12})([0-9A-Za-z]{32})([0-9A-Za-z]{6})")

SCOPES: Final = ("track", "read", "review", "export", "me", "admin")
SIGNATURE_TOLERANCE_SECONDS: Final = 300
SIGNING_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (a prefix, not a secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyToken:
    """A key as its owner holds it."""

    public_id: str
    text: str = field(repr=False)


def new_token(kind: str, material: bytes | None = None) -> KeyToken:
    """Make a key; `kind` is `live` or `test`. `material` (32 bytes or more) makes it repeatable: for the demo."""
    random = hashlib.sha512(material or secrets.token_bytes(64)).digest()
    digits = _base62(int.from_bytes(random, "big"), 44)
    body = f"gv_{kind}_{digits}"
    return KeyToken(public_id=digits[:12], text=body + _checksum(body))


def parse_token(text: str) -> KeyToken | None:
    """Read a key; None when the form or the checksum is wrong. Says nothing about whether the key exists."""
    match = _FORM.fullmatch(text)
    if match is None or not hmac.compare_digest(match[3], _checksum(text[:-6])):
        return None
    return KeyToken(public_id=match[1], text=text)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits += _ALPHABET[digit]
    return digits


def signing_secret(raw: bytes) -> str:
    """How a signing secret is shown to its owner (Standard Webhooks form)."""
    return SIGNING_SECRET_PREFIX + base64.b64encode(raw).decode()


def signature(raw_secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The Standard Webhooks signature over `id.timestamp.raw-body`."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(raw_secret, signed, hashlib.sha256).digest()).decode()


def signature_flaw(  # the checks of one request, in order
    raw_secrets: list[bytes], *, message_id: str, timestamp: str, signatures: str, body: bytes, now: float
) -> str | None:
    """Why the signature headers do not hold; None when they do.

    1. All three headers are there. 2. The time is an integer within the tolerance. 3. One of the space-separated
    signatures is, whole and exactly, that of the raw body under one of the secrets.
    """
    if not (message_id and timestamp and signatures):
        return "webhook-id, webhook-timestamp and webhook-signature are needed"
    if re.fullmatch(r"[0-9]{1,12}", timestamp) is None:
        return "webhook-timestamp is not a Unix time in seconds"
    if abs(now - int(timestamp)) > SIGNATURE_TOLERANCE_SECONDS:
        return f"webhook-timestamp is more than {SIGNATURE_TOLERANCE_SECONDS} seconds off"
    expected = [signature(secret, message_id, timestamp, body).encode() for secret in raw_secrets]
    given = [candidate.encode() for candidate in signatures.split(" ")]
    if not any(hmac.compare_digest(left, right) for left in expected for right in given):
        return "no signature matches the raw body"
    return None
