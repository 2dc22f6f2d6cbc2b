"""Comparing the store with the ledger: every captured example is there, with two consents that held.

What `goldvein consent replay` does. The ledger decides; the store is only held against it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import select

from goldvein.consent import ledger
from goldvein.consent import service as consent
from goldvein.consent.replay import Choice, Older, Replayed, Stands, decide_again, replay
from goldvein.consent.tables import ConsentEvent
from goldvein.db.session import TenantSession
from goldvein.feedback.tables import TrainingExample


@dataclass(frozen=True, kw_only=True, slots=True)
class Unproved:
    """What does not fit, and why. `subject` is an example, an entry or the whole ledger."""

    subject: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """How many captures were decided again, by the ledger and by consent events older than it, and what did not fit."""

    from_ledger: int
    older_than_ledger: int
    unproved: list[Unproved]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """A captured example as the store holds it."""

    id: str
    person_id: str
    skill_id: str
    captured_at: datetime
    stands: Stands
    has_text: bool


def prove(session: TenantSession) -> Proof:
    """Decide again on every captured example of the tenant.

    1. Entries that do not fit their hashes are named, and nothing is decided from them. 2. The ledger is replayed.
    3. Every captured example in the store must be in the ledger with the records it names, without text once it was
    erased; and every one in the ledger must be in the store, or erased. 4. What is older than the ledger must be what
    the ledger began with, and is decided again from the consent events of then.
    """
    misfit = ledger.first_misfit(session)
    if misfit is not None:
        altered = Unproved(subject=f"entry {misfit}", reason="does_not_fit_its_hashes")
        return Proof(from_ledger=0, older_than_ledger=0, unproved=[altered])
    in_ledger = ledger.records_in(session)
    events = [event for event in consent.every_event(session) if event.id not in in_ledger]
    found = replay((row.entry for row in ledger.every_entry(session)), _in_force(session, events))
    held = {example.id: example for example in _held(session)}
    older = [example for example in held.values() if example.id not in found.captured]
    unproved = [Unproved(subject=example_id, reason=reason) for example_id, reason in found.refused.items()]
    unproved += _against_store(found, held)
    unproved += _of_beginning(found, [event.id for event in events], [example.id for example in older])
    if found.begins.get("captured_examples"):
        unproved += _of_older(events, older)
    return Proof(from_ledger=len(found.captured), older_than_ledger=len(older), unproved=unproved)


def _in_force(session: TenantSession, events: Sequence[ConsentEvent]) -> Older:
    """What these events left in force, by commitment."""
    named = ledger.consent_commitments(session)
    switch: Choice | None = None
    people: dict[str, Choice] = {}
    for event in events:
        if event.person_id is None:
            switch = _choice(event)
        elif event.person_id in named:
            people[named[event.person_id]] = _choice(event)
    return Older(switch=switch, people=people)


def _choice(event: ConsentEvent) -> Choice:
    return Choice(
        id=event.id,
        action=event.action,
        purposes=event.purposes,
        skill_ids=event.skill_ids,
        excepted_skill_ids=event.excepted_skill_ids,
        expires_at=event.expires_at,
        notice_edition=event.notice_edition,
    )


def _held(session: TenantSession) -> Iterable[_Held]:
    rows = select(
        TrainingExample.id,
        TrainingExample.user_id,
        TrainingExample.skill_id,
        TrainingExample.created_at,
        TrainingExample.tenant_consent_id,
        TrainingExample.person_consent_id,
        TrainingExample.example_input.is_not(None),
    ).where(TrainingExample.source == "usage_capture")
    for row_id, person_id, skill_id, captured_at, tenant_record, person_record, has_text in session.execute(rows):
        yield _Held(
            id=row_id,
            person_id=person_id,
            skill_id=skill_id,
            captured_at=captured_at,
            stands=Stands(tenant_record=tenant_record, person_record=person_record),
            has_text=has_text,
        )


def _against_store(found: Replayed, held: dict[str, _Held]) -> Iterable[Unproved]:
    for example_id, stands in found.captured.items():
        example = held.get(example_id)
        if example is None and example_id not in found.erased:
            yield Unproved(subject=example_id, reason="not_in_store")
        elif example is not None and example.stands != stands:
            yield Unproved(subject=example_id, reason="other_record_in_store")
    for example_id in sorted(found.erased & held.keys()):
        if held[example_id].has_text:
            yield Unproved(subject=example_id, reason="text_after_erasure")


def _of_beginning(found: Replayed, events: list[str], older: list[str]) -> Iterable[Unproved]:
    """What is not in the ledger must be what the ledger says was there when it began: nothing can be added to that."""
    gone = found.erased - found.captured.keys()
    if found.begins.get("events_sha256") != _digest(events):
        yield Unproved(subject="consent events", reason="not_in_ledger")
    if not found.begins.get("captured_examples"):
        yield from (Unproved(subject=example_id, reason="not_in_ledger") for example_id in older)
    elif found.begins.get("examples_sha256") != _digest({*older, *gone}):
        yield Unproved(subject="examples older than the ledger", reason="not_what_it_began_with")


def _digest(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def _of_older(events: Sequence[ConsentEvent], older: Sequence[_Held]) -> Iterable[Unproved]:
    of_switch = [event for event in events if event.person_id is None]
    of_person = {
        person_id: list(own)
        for person_id, own in groupby(
            sorted((event for event in events if event.person_id is not None), key=attrgetter("person_id", "seq")),
            key=attrgetter("person_id"),
        )
    }
    for example in older:
        switch = _then(of_switch, example.stands.tenant_record, example.captured_at)
        given = _then(of_person.get(example.person_id, []), example.stands.person_record, example.captured_at)
        reason = decide_again(example.stands, switch, given, skill_id=example.skill_id, at=example.captured_at)
        if reason is not None:
            yield Unproved(subject=example.id, reason=reason)


def _then(events: Sequence[ConsentEvent], named: str | None, at: datetime) -> Choice | None:
    """The record an example names, or what had replaced it before the example was captured.

    Only what was strictly before counts: consent events carry a time and no place among the captures.
    """
    place = next((place for place, event in enumerate(events) if event.id == named), None)
    if place is None:
        return None
    before = [events[place], *(event for event in events[place + 1 :] if event.occurred_at < at)]
    return _choice(before[-1])
