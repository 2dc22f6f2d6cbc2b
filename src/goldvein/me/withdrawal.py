"""Taking a person out of everything. This is the one file an auditor reads.

Withdrawing says no from now on and erases what was captured. Erasing alone removes what was captured and leaves the
consent as it is. Both happen in one transaction: either all of it is true, or none of it.
"""

from dataclasses import dataclass
from datetime import datetime

from goldvein import failpoints
from goldvein.capture import service as capture
from goldvein.consent import ledger
from goldvein.consent import service as consent
from goldvein.db.ids import is_id
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import NotFound
from goldvein.examples import service as examples
from goldvein.identity.actor import Actor


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What a withdrawal or an erasure did."""

    consent_changed: bool
    erased_examples: int


def withdraw(session: TenantSession, actor: Actor, *, now: datetime, expected_seq: int | None = None) -> Removed:
    """Withdraw consent, with any key or session of the person, and erase what was captured from them.

    1. The tenant's consent is locked exclusively: no capture is between its decision and its commit. 2. The event is
    appended. 3. Every captured example of the person loses its texts, notes, score, findings and revisions and
    becomes `withdrawn`, which no decision leads out of and no export reads. 4. The keyed hashes of what they sent
    are nulled. 5. The ledger keeps the event and the ids of what was erased.
    """
    event = consent.append_withdrawal(session, actor, now=now, expected_seq=expected_seq)
    failpoints.reach("withdrawal.appended")
    erased = _erase(session, actor, now, cause="withdrawn")
    failpoints.reach("withdrawal.erased")
    return Removed(consent_changed=event is not None, erased_examples=erased)


def erase(session: TenantSession, actor: Actor, *, now: datetime, example_id: str | None = None) -> Removed:
    """Erase what was captured from the person, all of it or one example; the consent stays as it is."""
    actor.need("me")
    if example_id is not None and not is_id(example_id):
        raise NotFound(what="training example captured from you")
    lock_consent(session, exclusive=True)
    erased = _erase(session, actor, now, cause="erased", example_id=example_id)
    if example_id is not None and erased == 0:
        raise NotFound(what="training example captured from you")
    return Removed(consent_changed=False, erased_examples=erased)


def _erase(session: TenantSession, actor: Actor, now: datetime, *, cause: str, example_id: str | None = None) -> int:
    erased = examples.erase_captured(session, actor.person_id, now, example_id=example_id)
    capture.forget_bodies(session, actor.person_id, None if example_id is None else list(erased.values()))
    person = actor.person_id
    ledger.record_erased(session, at=now, cause=cause, person_id=person, actor_id=person, example_ids=list(erased))
    return len(erased)
