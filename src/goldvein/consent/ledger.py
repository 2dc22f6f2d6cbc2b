"""The tenant's ledger: what happened to consent, captures and access, in an order that nobody can change unseen.

Whatever is recorded in a transaction (`session.record`) becomes entries of the ledger in the same transaction, or
neither is committed. docs/ledger.md lists the kinds of entries and what each says.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785
from sqlalchemy import bindparam, delete, select

from goldvein.consent.tables import CommitmentKey, ConsentEvent, ConsentRequest, LedgerEntry, NoticePublication
from goldvein.db.batch import BulkInsert, Query, Transaction
from goldvein.db.session import LEDGER_LOCK, Fact, TenantSession, TenantViolation, keeps_facts, lock_ledger
from goldvein.errors import InvalidField, JSONValue
from goldvein.identity.server_key import ServerKey
from goldvein.verify import merkle
from goldvein.verify.documents import CHECKPOINT, commitment
from goldvein.verify.envelope import key_id_of, public_key_of, sign

KINDS: Final = (
    "ledger_begins",
    "notice",
    "requested",
    "consent",
    "captured",
    "erased",
    "reviewed",
    "rescanned",
    "exported",
    "dataset",
    "frozen",
    "superseded",
    "looked",
    "member",
    "key",
    "skill",
    "sanitizer_rule",
    "incident",
    "ledger_sealed",
)
IDS_AT_ONCE: Final = 1_000
"""How many examples one entry names at most, so that a page of entries has a bounded size."""

_KEY_BYTES = 32
_EMPTY: Final = (0, b"")
_SIGNING = "ledger-signing"
_FORGOTTEN = "forgotten people"
_SEALED = '"kind":"ledger_sealed"'
# Ids, states, versions and digests: nothing that a person could have written fits through here.
_CLOSED = re.compile(r"[A-Za-z0-9._:+-]{0,200}")


def timestamp(at: datetime) -> str:
    """A time as entries and receipts write it: RFC 3339, UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


_CONSENT, _ACCESS = "consent", "access"
_ABOUT_CONSENT: Final = ("requested", "consent", "captured", "erased")


def _side(kind: str, role: str) -> str:
    """Whether a person stands in an entry as one who consents, or as one who acts.

    The two have different commitments. An admin knows whom they invited and when; were it the same value, they could
    read from the entries that follow what that person chose.
    """
    return _CONSENT if role == "person" and kind in _ABOUT_CONSENT else _ACCESS


@keeps_facts
def append(session: TenantSession, facts: Sequence[Fact]) -> None:
    """Add entries at the end of the ledger, in this order; no other lock may be taken after this.

    1. The end of the ledger is held. 2. The newest entry is read: its number, and the peaks to grow from. 3. Each entry
    gets the next number, and people's commitments in place of their ids.
    """
    lock_ledger(session)
    newest = _newest(session)
    people = _people_of(facts)
    held = session.scalars(select(CommitmentKey).where(CommitmentKey.person_id.in_(people))) if people else ()
    keys = {row.person_id: row.key for row in held}
    forgotten = session.info.get(_FORGOTTEN, ())
    for person_id, key in _new_keys(people, keys).items():
        keys[person_id] = key
        if person_id not in forgotten:
            session.add(CommitmentKey(person_id=person_id, key=key))
    if newest is not None and _SEALED in newest.entry:
        raise TenantViolation("the ledger is sealed: its tenant was deleted")
    end = (newest.seq, newest.peaks) if newest is not None else _EMPTY
    for seq, entry, peaks, record_id in _rows(end, facts, _commitments(session.tenant_id, keys)):
        session.add(LedgerEntry(seq=seq, entry=entry, peaks=peaks, record_id=record_id))


_ENTRIES, _KEYS = LedgerEntry.__table__.c, CommitmentKey.__table__.c
_FIND_END = Query(select(_ENTRIES.seq, _ENTRIES.peaks).order_by(_ENTRIES.seq.desc()).limit(1))
_FIND_KEYS = Query(select(_KEYS.person_id, _KEYS.key).where(_KEYS.person_id.in_(bindparam("people", expanding=True))))
_ADD_ENTRIES = BulkInsert(LedgerEntry.__table__, "seq", "entry", "peaks", "record_id")
_ADD_KEYS = BulkInsert(CommitmentKey.__table__, "person_id", "key")


def append_in_batch(transaction: Transaction, tenant_id: str, facts: Sequence[Fact]) -> None:
    """The same for the writer of captured uses, after it has added all its other rows of this tenant."""
    if not facts:
        return
    people = _people_of(facts)
    transaction.lock(LEDGER_LOCK)
    newest, held = transaction.read((_FIND_END, {}), (_FIND_KEYS, {"people": people}))
    keys: dict[str, bytes] = dict(held)
    new = _new_keys(people, keys)
    transaction.insert(_ADD_KEYS, list(new.items()))
    end = (newest[0][0], newest[0][1]) if newest else _EMPTY
    transaction.insert(_ADD_ENTRIES, list(_rows(end, facts, _commitments(tenant_id, keys | new))))


def _people_of(facts: Sequence[Fact]) -> list[str]:
    return sorted({person_id for fact in facts for person_id in fact.people.values() if person_id is not None})


def _new_keys(people: Sequence[str], keys: Mapping[str, bytes]) -> dict[str, bytes]:
    """A key for whoever has none yet. The end of the ledger is held, so nobody else makes one for them."""
    return {person_id: secrets.token_bytes(_KEY_BYTES) for person_id in people if person_id not in keys}


def _rows(
    end: tuple[int, bytes], facts: Sequence[Fact], commitments: Mapping[tuple[str, str], str]
) -> Iterator[tuple[int, str, bytes, str | None]]:
    """Number, text, peaks and record of each new entry, from the number and peaks of the last one."""
    size, peaks = end[0], merkle.split(end[1])
    for fact in facts:
        entry = entry_of(size + 1, fact, commitments)
        peaks = merkle.grown(peaks, size, merkle.leaf_hash(entry))
        size += 1
        record = fact.values.get("record")
        yield size, entry.decode(), merkle.joined(peaks), record if isinstance(record, str) else None


def entry_of(seq: int, fact: Fact, commitments: Mapping[tuple[str, str], str]) -> bytes:
    """The canonical form of an entry. Raises TenantViolation when something in it might be text."""
    people: dict[str, JSONValue] = {
        role: None if person_id is None else commitments[_side(fact.kind, role), person_id]
        for role, person_id in fact.people.items()
    }
    said: dict[str, JSONValue] = {"seq": seq, "at": timestamp(fact.at), "kind": fact.kind, **people, **fact.values}
    if fact.kind not in KINDS or not _is_closed(said):
        raise TenantViolation("a ledger keeps ids, states and numbers of kinds that it knows, and no text")
    return rfc8785.dumps(said)


def _is_closed(value: JSONValue) -> bool:
    if isinstance(value, str):
        return _CLOSED.fullmatch(value) is not None
    if isinstance(value, dict):
        return all(_is_closed(held) for pair in value.items() for held in pair)
    if isinstance(value, list):
        return all(map(_is_closed, value))
    return not isinstance(value, float)


def _newest(session: TenantSession) -> LedgerEntry | None:
    return session.scalar(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1))


def _commitments(tenant_id: str, keys: Mapping[str, bytes]) -> dict[tuple[str, str], str]:
    """What stands for these people, on each side."""
    return {
        (side, person_id): commitment(_key_of_side(key, side), tenant_id, person_id)
        for person_id, key in keys.items()
        for side in (_CONSENT, _ACCESS)
    }


def _key_of_side(key: bytes, side: str) -> bytes:
    return hmac.digest(key, side.encode(), hashlib.sha256)


def consent_key(session: TenantSession, person_id: str) -> bytes | None:
    """What opens a person's commitments in entries about consent; None when it never was, or was destroyed."""
    key = session.scalar(select(CommitmentKey.key).where(CommitmentKey.person_id == person_id))
    return None if key is None else _key_of_side(key, _CONSENT)


def forget_person(session: TenantSession, person_id: str) -> None:
    """Destroy the key of a person's commitments: what the ledger says of them then is of nobody.

    For the erasure of an account. What this transaction records of them stands under a key that is kept nowhere.
    """
    session.execute(delete(CommitmentKey).where(CommitmentKey.person_id == person_id))
    session.info.setdefault(_FORGOTTEN, set()).add(person_id)


def record_consent(session: TenantSession, event: ConsentEvent) -> None:
    """Have the ledger keep a choice of a person or its end, or a choice of an admin about the switch."""
    session.record(
        "consent",
        at=event.occurred_at,
        people={"person": event.person_id, "actor": _other(event.actor_id, event.person_id)},
        record=event.id,
        subject=event.subject,
        action=event.action,
        channel=event.channel,
        notice=event.notice_version,
        edition=event.notice_edition,
        purposes=list(event.purposes),
        skills=None if event.skill_ids is None else list(event.skill_ids),
        excepted_skills=list(event.excepted_skill_ids or ()),
        expires_at=None if event.expires_at is None else timestamp(event.expires_at),
    )


def _other(actor_id: str | None, person_id: str | None) -> str | None:
    """The actor (None: time alone), unless it is the person: two commitments would tell that they are one."""
    return None if actor_id == person_id else actor_id


def record_published(session: TenantSession, row: NoticePublication) -> None:
    """Have the ledger keep that a notice was put in force."""
    session.record(
        "notice",
        at=row.published_at,
        people={"actor": row.published_by},
        notice=row.version,
        language=row.language,
        edition=row.edition,
        purposes=list(row.purposes),
        channel=row.channel,
    )


def record_requested(session: TenantSession, row: ConsentRequest) -> None:
    """Have the ledger keep that a person was shown a notice."""
    session.record(
        "requested",
        at=row.occurred_at,
        people={"person": row.person_id},
        notice=row.notice_version,
        skill=row.skill_id,
        channel=row.channel,
    )


def record_erased(
    session: TenantSession,
    *,
    at: datetime,
    cause: str,
    person_id: str | None,
    actor_id: str | None,
    example_ids: Sequence[str],
) -> None:
    """Have the ledger keep which captured examples lost their texts, and why. What no person did has no actor."""
    for start in range(0, len(example_ids), IDS_AT_ONCE):
        part = list(example_ids[start : start + IDS_AT_ONCE])
        people = {"person": person_id, "actor": _other(actor_id, person_id)}
        session.record("erased", at=at, people=people, cause=cause, count=len(part), examples=list(part))


def signing_seed(server_key: ServerKey) -> bytes:
    """What checkpoints and receipts are signed with: it hangs on the newest server secret, and is kept nowhere else."""
    return server_key.digest(_SIGNING)


def public_keys(server_key: ServerKey) -> dict[str, str]:
    """Every public key that ever signed here, in hexadecimal digits by id, the one in use first."""
    keys = [public_key_of(seed) for seed in server_key.digests(_SIGNING)]
    return {key_id_of(key): key.hex() for key in keys}


def checkpoint(
    session: TenantSession, server_key: ServerKey, now: datetime, *, since: int | None = None
) -> tuple[dict[str, Any], list[str] | None]:
    """What the ledger is now, signed; with the proof that it begins with its first `since` entries."""
    newest = _newest(session)
    signed = _signed(session, server_key, now, newest)
    if since is None:
        return signed, None
    size = newest.seq if newest is not None else 0
    if not 1 <= since <= size:
        raise InvalidField(field="since", reason=f"a number of entries, 1 to {size}")
    return signed, [step.hex() for step in merkle.consistency_proof(since, size, _Subtrees(session))]


def _signed(session: TenantSession, server_key: ServerKey, now: datetime, newest: LedgerEntry | None) -> dict[str, Any]:
    root = merkle.root_of(merkle.split(newest.peaks) if newest is not None else ())
    said: dict[str, JSONValue] = {
        "tenant_id": session.tenant_id,
        "size": newest.seq if newest is not None else 0,
        "root": root.hex(),
        "at": timestamp(now),
    }
    return sign(signing_seed(server_key), CHECKPOINT, rfc8785.dumps(said))


@dataclass(frozen=True, kw_only=True, slots=True)
class Included:
    """An entry with the proof that it stands in the ledger a checkpoint was signed over."""

    seq: int
    entry: str
    proof: list[str]
    checkpoint: dict[str, Any]


def find_included(session: TenantSession, server_key: ServerKey, record_id: str, now: datetime) -> Included | None:
    """The entry about a consent event; None when the event is older than the ledger."""
    rows = select(LedgerEntry).where(LedgerEntry.record_id == record_id).order_by(LedgerEntry.seq).limit(1)
    row, newest = session.scalar(rows), _newest(session)
    if row is None or newest is None:
        return None
    proof = merkle.inclusion_proof(row.seq - 1, newest.seq, _Subtrees(session))
    return Included(
        seq=row.seq,
        entry=row.entry,
        proof=[step.hex() for step in proof],
        checkpoint=_signed(session, server_key, now, newest),
    )


class _Subtrees:
    """The roots that a proof needs, each from two rows: the peaks before its last entry, and that entry."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def __call__(self, start: int, end: int) -> bytes:
        # What the peaks before the last entry hold beyond `start` is the beginning of this subtree.
        before = merkle.split(self._row(end - 1).peaks)[start.bit_count() :] if end > 1 else ()
        last = merkle.leaf_hash(self._row(end).entry.encode())
        return merkle.root_of(merkle.grown(before, end - 1 - start, last))

    def _row(self, seq: int) -> LedgerEntry:
        return self._session.scalars(select(LedgerEntry).where(LedgerEntry.seq == seq)).one()


def list_entries(session: TenantSession, *, limit: int, after: int = 0) -> list[LedgerEntry]:
    """Entries from the beginning; `after` is the last number seen."""
    rows = select(LedgerEntry).where(LedgerEntry.seq > after).order_by(LedgerEntry.seq).limit(limit)
    return list(session.scalars(rows))


def every_entry(session: TenantSession) -> Iterator[LedgerEntry]:
    """All entries, read a thousand at a time."""
    after = 0
    while rows := list_entries(session, limit=1_000, after=after):
        after = rows[-1].seq
        yield from rows
        session.expunge_all()


def said_by(row: LedgerEntry) -> dict[str, Any]:
    """What an entry says."""
    said: dict[str, Any] = json.loads(row.entry)
    return said


def records_in(session: TenantSession) -> set[str]:
    """The ids of the consent events that the ledger keeps."""
    return {record for record in session.scalars(select(LedgerEntry.record_id)) if record is not None}


def consent_commitments(session: TenantSession) -> dict[str, str]:
    """What stands for each person in entries about consent, by person."""
    return {
        row.person_id: commitment(_key_of_side(row.key, _CONSENT), session.tenant_id, row.person_id)
        for row in session.scalars(select(CommitmentKey))
    }


def first_misfit(session: TenantSession) -> int | None:
    """The number of the first entry that is not what its hashes say; None when the ledger fits together."""
    peaks: merkle.Peaks = ()
    for size, row in enumerate(every_entry(session)):
        peaks = merkle.grown(peaks, size, merkle.leaf_hash(row.entry.encode()))
        if row.seq != size + 1 or row.peaks != merkle.joined(peaks):
            return size + 1
    return None


def entry_hash(row: LedgerEntry) -> str:
    """The hash that changes when an entry does: the last of its peaks."""
    return row.peaks[-merkle.HASH_BYTES :].hex()
