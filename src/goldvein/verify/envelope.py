"""Signed documents: one form for checkpoints, receipts and manifests (DSSE, with Ed25519).

The signature covers the type of the document as well as its bytes, so that one cannot be passed off as another, and
the bytes as they were signed, so that nobody has to write JSON the same way again to check it.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PublicKeys = Mapping[str, bytes]
"""Raw Ed25519 public keys by their id."""


class DoesNotFit(Exception):
    """A document is not what it says it is; the text names the entry, the checkpoint or the signature."""


def key_id_of(public_key: bytes) -> str:
    """The short name of a public key: the beginning of its sha256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def public_key_of(seed: bytes) -> bytes:
    """The public key of a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, payload_type: str, payload: bytes) -> dict[str, Any]:
    """The envelope of a document."""
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(_signed_bytes(payload_type, payload))
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id_of(public_key_of(seed)), "sig": base64.b64encode(signature).decode()}],
    }


def opened(envelope: Any, payload_type: str, keys: PublicKeys) -> tuple[dict[str, Any], str]:
    """The document in an envelope, once a signature of one of these keys holds, and the id of that key.

    Raises DoesNotFit for anything else.
    """
    what = payload_type.removeprefix("application/vnd.goldvein.").partition("+")[0]
    try:
        if envelope["payloadType"] != payload_type:
            raise DoesNotFit(f"this is no {what}")
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [
            (str(one["keyid"]), base64.b64decode(one["sig"], validate=True)) for one in envelope["signatures"]
        ]
    except (KeyError, TypeError, ValueError):
        raise DoesNotFit(f"the {what} is not a signed document") from None
    key_id = _signed_by(_signed_bytes(payload_type, payload), signatures, keys)
    if key_id is None:
        named = ", ".join(sorted(key_id for key_id, _ in signatures)) or "nobody"
        raise DoesNotFit(f"the signature of the {what} does not hold (it names the key {named})")
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise DoesNotFit(f"the {what} is signed, and holds no JSON object")
    return document, key_id


def _signed_by(signed: bytes, signatures: Sequence[tuple[str, bytes]], keys: PublicKeys) -> str | None:
    for key_id, signature in signatures:
        try:
            Ed25519PublicKey.from_public_bytes(keys[key_id]).verify(signature, signed)
        except (KeyError, ValueError, InvalidSignature):
            continue
        return key_id
    return None


def _signed_bytes(payload_type: str, payload: bytes) -> bytes:
    """What DSSE signs: type and document, each with its length before it."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
