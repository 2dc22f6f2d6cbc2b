"""What is checked: a ledger with its checkpoint, a receipt, and what they have to say to each other."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from goldvein.verify import merkle
from goldvein.verify.envelope import DoesNotFit, PublicKeys, key_id_of, opened

CHECKPOINT: Final = "application/vnd.goldvein.checkpoint+json"
RECEIPT: Final = "application/vnd.goldvein.receipt+json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What a server once signed: how many entries a tenant's ledger had, and the root over them."""

    tenant_id: str
    size: int
    root: bytes
    at: str
    key_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """A receipt that holds. `seq` is None when the choice is older than the ledger: then it is signed, no more."""

    record: dict[str, Any]
    seq: int | None
    checkpoint: Checkpoint | None
    key_id: str


def commitment(key: bytes, tenant_id: str, person_id: str) -> str:
    """What stands for a person in a ledger: nobody can tell whom it means without the key it was made with."""
    return hmac.new(key, f"{tenant_id}\n{person_id}".encode(), hashlib.sha256).hexdigest()


def public_keys(named: Mapping[Any, str]) -> dict[str, bytes]:
    """Public keys from their hexadecimal form; the names are made again from the keys, never believed."""
    try:
        keys = [bytes.fromhex(text) for text in named.values()]
    except (AttributeError, TypeError, ValueError):
        raise DoesNotFit("the public keys are not in hexadecimal digits") from None
    return {key_id_of(key): key for key in keys}


def read_checkpoint(envelope: Any, keys: PublicKeys) -> Checkpoint:
    """A checkpoint whose signature holds."""
    document, key_id = opened(envelope, CHECKPOINT, keys)
    match document:
        case {"tenant_id": str(tenant_id), "size": int(size), "root": str(root), "at": str(at)} if size >= 0:
            return Checkpoint(tenant_id=tenant_id, size=size, root=_hash(root, "checkpoint"), at=at, key_id=key_id)
    raise DoesNotFit("the checkpoint is signed, and does not say what a checkpoint says")


def check_ledger(
    entries: Iterable[Mapping[str, Any]], checkpoint: Checkpoint, *, earlier: Checkpoint | None = None
) -> None:
    """Whether these entries, in this order, are what the checkpoint was signed over.

    Each is `{"seq", "entry", "hash"}`. The first that is missing, doubled, moved or altered is named; when all of them
    fit each other and not the checkpoint, the checkpoint is. `earlier` is one that was kept from before: the ledger
    must begin with what it was signed over.
    """
    if earlier is not None and earlier.tenant_id != checkpoint.tenant_id:
        raise DoesNotFit("the earlier checkpoint is of another tenant")
    if earlier is not None and earlier.size > checkpoint.size:
        raise DoesNotFit(
            f"the checkpoint has {checkpoint.size} entries, and the earlier one of {earlier.at} had {earlier.size}:"
            " the ledger was cut off or rolled back"
        )
    peaks: merkle.Peaks = ()
    size = 0
    _need_earlier(earlier, size, peaks)
    for entry in entries:
        peaks = _checked(entry, size, peaks)
        size += 1
        _need_earlier(earlier, size, peaks)
    if size != checkpoint.size:
        raise DoesNotFit(
            f"there are {size} entries, and the checkpoint of {checkpoint.at} was signed over {checkpoint.size}"
        )
    if merkle.root_of(peaks) != checkpoint.root:
        raise DoesNotFit(f"the checkpoint of {checkpoint.at} was signed over other entries: its root does not fit")


def _need_earlier(earlier: Checkpoint | None, size: int, peaks: merkle.Peaks) -> None:
    if earlier is not None and earlier.size == size and merkle.root_of(peaks) != earlier.root:
        raise DoesNotFit(
            f"the earlier checkpoint of {earlier.at} was signed over other entries: one up to {size} has changed since"
        )


def _checked(row: Mapping[str, Any], size: int, peaks: merkle.Peaks) -> merkle.Peaks:
    number = size + 1
    seq, text, stored = row.get("seq"), row.get("entry"), row.get("hash")
    if seq != number or not isinstance(text, str) or not isinstance(stored, str):
        raise DoesNotFit(f"entry {number}: in its place stands entry {seq}")
    try:
        after = merkle.grown(peaks, size, merkle.leaf_hash(text.encode()))
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise DoesNotFit(f"entry {number}: not JSON") from None
    if after[-1] != _hash(stored, f"entry {number}"):
        raise DoesNotFit(f"entry {number}: it was altered, its hash does not fit")
    if not isinstance(said, dict) or said.get("seq") != number:
        raise DoesNotFit(f"entry {number}: it says that it is another")
    return after


def _hash(text: str, what: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != merkle.HASH_BYTES:
        raise DoesNotFit(f"{what}: a hash is not 64 hexadecimal digits")
    return found


def check_consistency(earlier: Checkpoint, later: Checkpoint, proof: Iterable[str]) -> None:
    """Whether the later checkpoint was signed over the earlier one's entries and more; without the entries."""
    steps = [_hash(step, "proof") for step in proof]
    same = earlier.tenant_id == later.tenant_id
    if not same or not merkle.is_consistent(earlier.size, earlier.root, later.size, later.root, steps):
        raise DoesNotFit(
            f"the checkpoint of {later.at} does not begin with the entries of the earlier one of {earlier.at}"
        )


def check_receipt(envelope: Any, keys: PublicKeys) -> Receipt:
    """Whether a receipt was signed, and its choice stands in the ledger that its checkpoint was signed over."""
    document, key_id = opened(envelope, RECEIPT, keys)
    record, ledger = document.get("record"), document.get("ledger")
    if not isinstance(record, dict):
        raise DoesNotFit("the receipt is signed, and holds no record")
    if ledger is None:
        return Receipt(record=record, seq=None, checkpoint=None, key_id=key_id)
    try:
        checkpoint = read_checkpoint(ledger["checkpoint"], keys)
        seq, text = int(ledger["seq"]), str(ledger["entry"])
        proof = [_hash(step, "proof") for step in ledger["proof"]]
        said = json.loads(text)
        opening = bytes.fromhex(ledger["commitment_key"])
        person = commitment(opening, checkpoint.tenant_id, record["pii_principal_id"])
        told = [said[name] for name in ("record", "person", "at", "action", "notice")]
        told += [said["purposes"], "all skills" if said["skills"] is None else said["skills"], said["excepted_skills"]]
        event, processing = record["events"][0], record["pii_processing"]
        shown = [record["record_id"], person, event["event_time"], event["event_state"], processing["privacy_notice"]]
        shown += [[one["purpose"] for one in processing["purposes"]]]
        shown += [processing["services"], processing["services_excepted"]]
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        raise DoesNotFit("the receipt is signed, and does not say what a receipt says") from None
    root = merkle.root_by_inclusion(merkle.leaf_hash(text.encode()), seq - 1, checkpoint.size, proof)
    if root != checkpoint.root:
        raise DoesNotFit(f"entry {seq} does not stand in the ledger that the checkpoint was signed over")
    if said.get("seq") != seq or told != shown:
        raise DoesNotFit(f"entry {seq} of the ledger says something else than the receipt")
    return Receipt(record=record, seq=seq, checkpoint=checkpoint, key_id=key_id)
