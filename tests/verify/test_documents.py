"""Every way to change a ledger or a receipt is seen, and named by where it is."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from goldvein.verify import merkle
from goldvein.verify.documents import (
    CHECKPOINT,
    RECEIPT,
    Checkpoint,
    check_consistency,
    check_ledger,
    check_receipt,
    commitment,
    public_keys,
    read_checkpoint,
)
from goldvein.verify.envelope import DoesNotFit, key_id_of, opened, public_key_of, sign

SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
KEYS = {key_id_of(public_key_of(SEED)): public_key_of(SEED)}
TENANT, PERSON, PERSON_KEY = "acme", "bob", b"k" * 32
AT = "2026-03-01T12:00:00Z"

Rows = list[dict[str, Any]]


def ledger(count: int, *, word: str = "x") -> tuple[Rows, Checkpoint]:
    peaks: merkle.Peaks = ()
    rows: Rows = []
    for size in range(count):
        entry = json.dumps({"seq": size + 1, "kind": "member", "word": f"{word}{size}"})
        peaks = merkle.grown(peaks, size, merkle.leaf_hash(entry.encode()))
        rows.append({"seq": size + 1, "entry": entry, "hash": peaks[-1].hex()})
    return rows, read_checkpoint(signed(count, merkle.root_of(peaks)), KEYS)


def signed(size: int, root: bytes, *, seed: bytes = SEED) -> dict[str, Any]:
    said = {"tenant_id": TENANT, "size": size, "root": root.hex(), "at": AT}
    return sign(seed, CHECKPOINT, json.dumps(said).encode())


def rehashed(rows: Rows) -> Rows:
    """What somebody with access to the store makes of their changes: numbers and hashes that fit each other."""
    peaks: merkle.Peaks = ()
    for size, row in enumerate(rows):
        row["seq"] = size + 1
        row["entry"] = json.dumps(json.loads(row["entry"]) | {"seq": size + 1})
        peaks = merkle.grown(peaks, size, merkle.leaf_hash(row["entry"].encode()))
        row["hash"] = peaks[-1].hex()
    return rows


def test_a_ledger_as_it_was_signed_fits() -> None:
    for count in (0, 1, 2, 7, 8, 33):
        rows, checkpoint = ledger(count)
        check_ledger(rows, checkpoint)
        check_ledger(rows, checkpoint, earlier=checkpoint)


def test_any_byte_of_any_entry_and_of_its_hash_is_seen_and_the_entry_named() -> None:
    rows, checkpoint = ledger(6)
    flipped = 0
    for number, row in enumerate(rows, 1):
        for name in ("entry", "hash"):
            for place in range(len(row[name])):
                for bit in (1, 2, 16):
                    changed = copy.deepcopy(rows)
                    text = row[name]
                    changed[number - 1][name] = text[:place] + chr(ord(text[place]) ^ bit) + text[place + 1 :]
                    with pytest.raises(DoesNotFit, match=f"^entry {number}: "):
                        check_ledger(changed, checkpoint)
                    flipped += 1
    assert flipped > 1_500


CHANGES: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "deleted": (lambda rows: rows[:3] + rows[4:], "^entry 4: in its place stands entry 5"),
    "deleted at the beginning": (lambda rows: rows[1:], "^entry 1: "),
    "inserted": (lambda rows: [*rows[:3], copy.deepcopy(rows[1]), *rows[3:]], "^entry 4: "),
    "swapped": (lambda rows: [*rows[:3], rows[4], rows[3], *rows[5:]], "^entry 4: "),
    "swapped texts": (
        lambda rows: [
            *rows[:3],
            rows[3] | {"entry": rows[4]["entry"]},
            rows[4] | {"entry": rows[3]["entry"]},
            *rows[5:],
        ],
        "^entry 4: ",
    ),
    "number changed": (lambda rows: [*rows[:3], rows[3] | {"seq": "4"}, *rows[4:]], "^entry 4: "),
    "cut off": (lambda rows: rows[:-2], "there are 7 entries, and the checkpoint of .* over 9"),
    "empty": (lambda _: [], "there are 0 entries"),
    "appended": (lambda rows: rehashed([*rows, copy.deepcopy(rows[0])]), "there are 10 entries"),
    "rewritten": (
        lambda rows: rehashed([*rows[:4], rows[4] | {"entry": '{"kind":"key"}'}, *rows[5:]]),
        "the checkpoint of .* was signed over other entries",
    ),
    "deleted and rehashed": (lambda rows: rehashed([*rows[:4], *rows[5:], rows[4]]), "the checkpoint of"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_ledger_does_not_fit(change: str) -> None:
    rows, checkpoint = ledger(9)
    make, named = CHANGES[change]
    with pytest.raises(DoesNotFit, match=named):
        check_ledger(make(copy.deepcopy(rows)), checkpoint)


def test_a_ledger_rolled_back_and_signed_again_does_not_fit_what_was_kept() -> None:
    """The server itself is the liar: its signatures hold, and only what somebody kept tells."""
    _, kept = ledger(9)
    shorter, rolled_back = ledger(5)
    check_ledger(shorter, rolled_back)
    with pytest.raises(DoesNotFit, match="cut off or rolled back"):
        check_ledger(shorter, rolled_back, earlier=kept)
    rewritten, longer = ledger(12, word="y")
    check_ledger(rewritten, longer)
    with pytest.raises(DoesNotFit, match=f"the earlier checkpoint of {AT} was signed over other entries"):
        check_ledger(rewritten, longer, earlier=kept)


def test_consistency_is_checked_without_the_entries() -> None:
    rows, later = ledger(12)
    _, earlier = ledger(5)
    leaves = [merkle.leaf_hash(row["entry"].encode()) for row in rows]

    def part(start: int, end: int) -> bytes:
        peaks: merkle.Peaks = ()
        for size, leaf in enumerate(leaves[start:end]):
            peaks = merkle.grown(peaks, size, leaf)
        return merkle.root_of(peaks)

    proof = [step.hex() for step in merkle.consistency_proof(5, 12, part)]
    check_consistency(earlier, later, proof)
    _, other = ledger(5, word="y")
    for first, second, steps in ((other, later, proof), (later, earlier, proof), (earlier, later, proof[1:])):
        with pytest.raises(DoesNotFit):
            check_consistency(first, second, steps)


def test_a_signature_of_another_key_or_over_another_type_does_not_hold() -> None:
    root = b"r" * 32
    with pytest.raises(DoesNotFit, match="signature of the checkpoint"):
        read_checkpoint(signed(3, root, seed=OTHER_SEED), KEYS)
    passed_off = sign(SEED, RECEIPT, b'{"record":{}}')
    with pytest.raises(DoesNotFit, match="no checkpoint"):
        read_checkpoint(passed_off, KEYS)
    with pytest.raises(DoesNotFit, match="signature of the checkpoint"):
        read_checkpoint(passed_off | {"payloadType": CHECKPOINT}, KEYS)
    envelope = signed(3, root)
    for name in ("payload", "payloadType"):
        with pytest.raises(DoesNotFit):
            read_checkpoint(envelope | {name: envelope[name][:-1] + "A"}, KEYS)
    claimed = {key_id_of(public_key_of(SEED)): public_key_of(OTHER_SEED).hex()}
    with pytest.raises(DoesNotFit, match="signature"):
        read_checkpoint(envelope, public_keys(claimed))


@pytest.mark.parametrize(
    "envelope",
    [None, [], "text", {}, {"payloadType": CHECKPOINT}, {"payloadType": CHECKPOINT, "payload": "!", "signatures": []}],
)
def test_what_is_no_envelope_is_refused_in_words(envelope: Any) -> None:
    with pytest.raises(DoesNotFit):
        opened(envelope, CHECKPOINT, KEYS)


PROCESSING = {
    "privacy_notice": "sha256:n",
    "purposes": [{"purpose": "training"}],
    "services": "all skills",
    "services_excepted": ["s1"],
}


def receipt(**changes: Any) -> dict[str, Any]:
    """A signed receipt of the fourth entry of seven; `changes` are made before it is signed."""
    person = commitment(PERSON_KEY, TENANT, PERSON)
    said = {"record": "r1", "person": person, "at": AT, "action": "given", "notice": "sha256:n"}
    said |= {"purposes": ["training"], "skills": None, "excepted_skills": ["s1"]}
    texts = [json.dumps({"seq": number, **said}) for number in range(1, 8)]
    leaves = [merkle.leaf_hash(text.encode()) for text in texts]

    def part(start: int, end: int) -> bytes:
        peaks: merkle.Peaks = ()
        for size, leaf in enumerate(leaves[start:end]):
            peaks = merkle.grown(peaks, size, leaf)
        return merkle.root_of(peaks)

    record = {
        "record_id": "r1",
        "pii_principal_id": PERSON,
        "pii_processing": PROCESSING,
        "events": [{"event_time": AT, "event_state": "given"}],
    }
    place: dict[str, Any] = {
        "seq": 4,
        "entry": texts[3],
        "proof": [step.hex() for step in merkle.inclusion_proof(3, 7, part)],
        "checkpoint": signed(7, part(0, 7)),
        "commitment_key": PERSON_KEY.hex(),
    }
    document = {"record": record | changes.pop("record", {}), "ledger": place | changes}
    return sign(SEED, RECEIPT, json.dumps(document).encode())


def test_a_receipt_holds_and_says_where_it_stands() -> None:
    found = check_receipt(receipt(), KEYS)
    assert (found.seq, found.record["record_id"], found.checkpoint and found.checkpoint.size) == (4, "r1", 7)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seq": 3}, "entry 3 does not stand"),
        ({"entry": '{"seq":4}'}, "does not say what a receipt says"),
        ({"proof": []}, "entry 4 does not stand"),
        ({"commitment_key": "00" * 32}, "says something else"),
        ({"checkpoint": signed(7, b"x" * 32)}, "entry 4 does not stand"),
        ({"checkpoint": signed(7, b"x" * 32, seed=OTHER_SEED)}, "signature of the checkpoint"),
        ({"record": {"record_id": "r2"}}, "says something else"),
        ({"record": {"pii_principal_id": "alice"}}, "says something else"),
        ({"record": {"events": [{"event_time": AT, "event_state": "withdrawn"}]}}, "says something else"),
        ({"record": {"pii_processing": PROCESSING | {"privacy_notice": "sha256:m"}}}, "says something else"),
        ({"record": {"pii_processing": PROCESSING | {"purposes": []}}}, "says something else"),
        ({"record": {"pii_processing": PROCESSING | {"services": ["s1"]}}}, "says something else"),
        ({"record": {"pii_processing": PROCESSING | {"services_excepted": []}}}, "says something else"),
    ],
)
def test_a_receipt_that_the_server_signed_wrongly_is_seen(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(DoesNotFit, match=named):
        check_receipt(receipt(**changes), KEYS)
