"""Taking a person out of everything. This is the one file an auditor reads.

Withdrawing says no from now on and erases what was captured: all of it, or what was captured at some skills. Erasing
alone removes what was captured and leaves the consent as it is. Deleting an account does both, and takes the person's
name out of everything else. Reporting a leak erases one example, whoever it is of. Each happens in one transaction:
either all of it is true, or none of it.
"""

from dataclasses import dataclass
from datetime import datetime

from goldvein import failpoints
from goldvein.capture import service as capture
from goldvein.consent import ledger
from goldvein.consent import service as consent
from goldvein.consent.tables import ConsentEvent
from goldvein.datasets import removal
from goldvein.db.ids import is_id
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import InvalidField, NotAllowed, NotFound
from goldvein.examples import service as examples
from goldvein.examples.tables import Incident
from goldvein.feedback import service as feedback
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.journal import service as journal
from goldvein.results import service as results
from goldvein.skills import service as skills
from goldvein.webhooks import service as webhooks

_EVENTS_AT_ONCE = 1_000  # databases limit how many values a statement names


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What a withdrawal, a revocation or an erasure did."""

    event: ConsentEvent | None
    erased_examples: int

    @property
    def consent_changed(self) -> bool:
        """Whether there was a consent to end or to narrow."""
        return self.event is not None


def withdraw(
    session: TenantSession,
    actor: Actor,
    *,
    now: datetime,
    skill_ids: list[str] | None = None,
    purposes: list[str] | None = None,
    expected_seq: int | None = None,
) -> Removed:
    """Withdraw consent, with any key or session of the person, and erase what was captured from them.

    1. The tenant's consent is locked exclusively: no capture is between its decision and its commit. 2. The event is
    appended. 3. Every captured example of the person loses its texts, notes, score, findings, revisions and assertions
    and becomes `withdrawn`, which no decision leads out of and no export reads. 4. How evaluations scored it is
    erased, and the keyed hashes of what they sent are nulled. 5. Their rows leave every dataset version and draft, with
    the copies of their texts; versions that held one are superseded. 6. The ledger keeps the event and the ids of what
    was erased. 7. The journal is told, so that no restore brings any of it back.

    For some skills: the consent goes on for the others, and 3. to 5. reach the examples of these skills. For some
    purposes: nothing is erased, but from now on what is stored does not stand for them, and its rows leave the versions
    that were frozen for them; without evaluation and training nothing would be left, so that is a withdrawal of all.
    """
    event = consent.append_withdrawal(
        session, actor, now=now, skill_ids=skill_ids, purposes=purposes, expected_seq=expected_seq
    )
    failpoints.reach("withdrawal.appended")
    if event is not None:
        journal.record(session, "withdrawn", now=now, person_id=actor.person_id, skill_ids=skill_ids, purposes=purposes)
    if purposes is not None and (event is None or event.purposes):
        removal.remove_uncovered(session, [actor.person_id], cause="withdrawn", now=now)
        return Removed(event=event, erased_examples=0)
    erased = _erase(session, actor, actor.person_id, now, cause="withdrawn", skill_ids=skill_ids)
    if event is None and erased:
        journal.record(session, "erased", now=now, person_id=actor.person_id, skill_ids=skill_ids)
    failpoints.reach("withdrawal.erased")
    return Removed(event=event, erased_examples=erased)


def revoke(session: TenantSession, actor: Actor, person_id: str, *, now: datetime) -> Removed:
    """As admin, end somebody's consent and erase what was captured from them, without reading any of it."""
    event = consent.append_revocation(session, actor, person_id, now=now)
    erased = _erase(session, actor, person_id, now, cause="revoked")
    if event is not None or erased:
        journal.record(session, "revoked", now=now, person_id=person_id, actor_id=actor.person_id)
    return Removed(event=event, erased_examples=erased)


def erase(session: TenantSession, actor: Actor, *, now: datetime, example_id: str | None = None) -> Removed:
    """Erase what was captured from the person, all of it or one example; the consent stays as it is."""
    actor.need("me")
    if example_id is not None and not is_id(example_id):
        raise NotFound(what="training example captured from you")
    lock_consent(session, exclusive=True)
    erased = _erase(session, actor, actor.person_id, now, cause="erased", example_id=example_id)
    if example_id is not None and erased == 0:
        raise NotFound(what="training example captured from you")
    if erased:
        ids = None if example_id is None else [example_id]
        journal.record(session, "erased", now=now, person_id=actor.person_id, example_ids=ids)
    return Removed(event=None, erased_examples=erased)


def delete_account(session: TenantSession, actor: Actor, *, confirm: str, now: datetime) -> Removed:
    """Delete one's own account in this tenant: a withdrawal of all, and nothing says any more who they were.

    `confirm` repeats their address. Golden examples and reviews stay, of a deleted account; its skills have to be
    transferred or deleted before, and the last admin cannot go.
    """
    actor.need("me")
    if confirm.strip().lower() != identity.person_of(session, actor.person_id).email:
        raise InvalidField(field="confirm", reason="repeat the address of your account")
    event = consent.append_withdrawal(session, actor, now=now)
    return _forget(session, actor, actor.person_id, now, event, cause="account_deleted")


def erase_member(session: TenantSession, actor: Actor, person_id: str, *, now: datetime) -> Removed:
    """As admin, delete the account of somebody who left, without reading anything of it."""
    actor.need_admin()
    membership = identity.member(session, person_id)
    if membership.deactivated_at is None:
        raise NotAllowed(rule="Only the account of a deactivated member can be erased by an admin")
    event = consent.append_revocation(session, actor, person_id, now=now)
    return _forget(session, actor, person_id, now, event, cause="account_erased")


def _forget(
    session: TenantSession, actor: Actor, person_id: str, now: datetime, event: ConsentEvent | None, *, cause: str
) -> Removed:
    """1. What was captured is erased. 2. Their feedback goes, 3. and their name from uses, skills and the members.

    4. The key of their commitments is destroyed: what the ledger says of them is then of nobody. 5. They are told
    nothing any more. 6. The journal knows the id of whom no restore may bring back.
    """
    erased = _erase(session, actor, person_id, now, cause=cause)
    feedback.forget_member(session, person_id)
    capture.forget_member(session, person_id)
    skills.forget_member(session, person_id)
    identity.forget_member(session, actor, person_id, now)
    ledger.forget_person(session, person_id)
    webhooks.forget_member(session, person_id)
    journal.record(session, "account_deleted", now=now, person_id=person_id, actor_id=actor.person_id)
    return Removed(event=event, erased_examples=erased)


def forget_again(session: TenantSession, actor: Actor, person_id: str, *, now: datetime) -> Removed:
    """After a restore: delete the account that was deleted before, by its person or by an admin."""
    if actor.person_id == person_id:
        event = consent.append_withdrawal(session, actor, now=now)
    else:
        event = consent.append_revocation(session, actor, person_id, now=now)
    return _forget(session, actor, person_id, now, event, cause="account_erased")


def report_leak(session: TenantSession, actor: Actor, example_id: str, *, now: datetime) -> Incident:
    """Erase the text of an example that holds what should have been removed, and open an incident.

    For whoever may see it: the skill's authors, and the person it was captured from. Copies of it (the same input and
    output at the same skill) go with it. The report holds no text: saying what leaked would leak it again.
    """
    lock_consent(session, exclusive=True)
    example = examples.find_leaking(session, actor, example_id)
    copies = examples.erase_leaking(session, example, now)
    results.forget_examples(session, [copy.id for copy in copies])
    removal.remove_examples(session, [copy.id for copy in copies], cause="leak", now=now)
    for copy in copies:
        if copy.usage_event_id is not None:
            capture.forget_bodies(session, copy.user_id, [copy.usage_event_id])
        ledger.record_erased(
            session,
            at=now,
            cause="leak",
            person_id=copy.user_id if copy.source == "usage_capture" else None,
            actor_id=actor.person_id,
            example_ids=[copy.id],
        )
    journal.record(session, "leak", now=now, actor_id=actor.person_id, example_ids=[example.id])
    return examples.open_incident(session, actor, example, erased=len(copies), now=now)


def _erase(
    session: TenantSession,
    actor: Actor,
    person_id: str,
    now: datetime,
    *,
    cause: str,
    example_id: str | None = None,
    skill_ids: list[str] | None = None,
) -> int:
    erased = examples.erase_captured(session, person_id, now, example_id=example_id, skill_ids=skill_ids)
    results.forget_examples(session, list(erased))
    if example_id is None and skill_ids is None:
        capture.forget_bodies(session, person_id)
    else:
        event_ids = list(erased.values())
        for start in range(0, len(event_ids), _EVENTS_AT_ONCE):
            capture.forget_bodies(session, person_id, event_ids[start : start + _EVENTS_AT_ONCE])
    removal.remove_examples(session, erased, cause=cause, now=now)
    ledger.record_erased(
        session, at=now, cause=cause, person_id=person_id, actor_id=actor.person_id, example_ids=list(erased)
    )
    return len(erased)
