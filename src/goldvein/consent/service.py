"""Choices about capture: recording them, and reading what is in force."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from sqlalchemy import bindparam, func, select

from goldvein.consent import decision, ledger
from goldvein.consent.tables import ConsentEvent, Notice
from goldvein.db.batch import Query, Transaction
from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import InvalidField, NotFound, StaleRevision
from goldvein.identity.actor import Actor


@cache
def builtin_notice() -> tuple[str, str]:
    """The notice in force: its version (sha256 of the text) and its text (Markdown)."""
    text = (files("goldvein.consent") / "notice.md").read_text(encoding="utf-8")
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest(), text


def switch_event(session: TenantSession) -> ConsentEvent | None:
    """The latest event of the tenant's switch."""
    rows = select(ConsentEvent).where(ConsentEvent.subject == "tenant").order_by(ConsentEvent.seq.desc())
    return session.scalar(rows.limit(1))


def consent_event(session: TenantSession, person_id: str) -> ConsentEvent | None:
    """The latest event of a person."""
    rows = select(ConsentEvent).where(ConsentEvent.subject == "person", ConsentEvent.person_id == person_id)
    return session.scalar(rows.order_by(ConsentEvent.seq.desc()).limit(1))


def consent_history(session: TenantSession, person_id: str) -> list[ConsentEvent]:
    """All events of a person, oldest first."""
    rows = select(ConsentEvent).where(ConsentEvent.subject == "person", ConsentEvent.person_id == person_id)
    return list(session.scalars(rows.order_by(ConsentEvent.seq)))


@dataclass(frozen=True, kw_only=True, slots=True)
class InForce:
    """What the decision reads of a consent event."""

    id: str
    action: str
    purposes: list[str]
    skill_ids: list[str] | None
    expires_at: datetime | None


_EVENTS = ConsentEvent.__table__.c
_READ = (_EVENTS.person_id, _EVENTS.id, _EVENTS.action, _EVENTS.purposes, _EVENTS.skill_ids, _EVENTS.expires_at)
_LATER = ConsentEvent.__table__.alias("later").c
_NEWEST = select(func.max(_LATER.seq)).where(
    _LATER.tenant_id == _EVENTS.tenant_id, _LATER.subject == "person", _LATER.person_id == _EVENTS.person_id
)
_SWITCH_IN_FORCE = Query(
    select(*_READ).where(_EVENTS.subject == "tenant", _EVENTS.person_id.is_(None)).order_by(_EVENTS.seq.desc()).limit(1)
)
_CONSENTS_IN_FORCE = Query(
    select(*_READ).where(
        _EVENTS.subject == "person",
        _EVENTS.person_id.in_(bindparam("people", expanding=True)),
        _EVENTS.seq == _NEWEST.correlate(ConsentEvent.__table__).scalar_subquery(),
    )
)


def in_force(transaction: Transaction, people: Sequence[str]) -> tuple[InForce | None, dict[str, InForce]]:
    """The latest event of the tenant's switch, and of each of these people who ever chose.

    For the writer: whoever enters a tenant holds its consent, so this is what decides what the transaction stores.
    """
    switch, consents = transaction.read((_SWITCH_IN_FORCE, {}), (_CONSENTS_IN_FORCE, {"people": list(people)}))
    found = {row[0]: _in_force(row) for row in (*switch, *consents)}
    return found.pop(None, None), found


def _in_force(row: tuple[object, ...]) -> InForce:
    names = ("id", "action", "purposes", "skill_ids", "expires_at")
    return InForce(**dict(zip(names, row[1:], strict=True)))  # type: ignore[arg-type]  # the columns' own types


def own_event(session: TenantSession, person_id: str, event_id: str) -> ConsentEvent:
    """A consent event of this person, or NotFound."""
    own = ConsentEvent.id == event_id, ConsentEvent.subject == "person", ConsentEvent.person_id == person_id
    found = session.scalar(select(ConsentEvent).where(*own)) if is_id(event_id) else None
    if found is None:
        raise NotFound(what="consent event of yours")
    return found


def every_event(session: TenantSession) -> list[ConsentEvent]:
    """All events of the tenant and of its people, oldest first."""
    return list(session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq)))


def decide(session: TenantSession, use: decision.Use) -> decision.Decision:
    """Whether this use may be captured, by what is in force in this transaction.

    In the transaction that stores the example, `lock_consent(session, exclusive=False)` must have run before.
    """
    consent = consent_event(session, use.person_id) if use.person_id is not None else None
    return decision.decide(switch=switch_event(session), consent=consent, use=use)


def record_holds(session: TenantSession, person_id: str, record_id: str) -> bool:
    """Whether a captured example of this person, stored under this record, may still be promoted or exported."""
    return decision.record_holds(record_id, consent_history(session, person_id))


def capture_is_on(session: TenantSession) -> bool:
    """The tenant's switch: `training_data_capture_enabled`."""
    event = switch_event(session)
    return event is not None and event.action == "switched_on"


def hold_switch(session: TenantSession) -> None:
    """Let nobody else change the tenant's settings until this transaction ends."""
    lock_consent(session, exclusive=True)


def switch_capture(
    session: TenantSession, actor: Actor, *, on: bool, now: datetime, expected_seq: int | None = None
) -> ConsentEvent | None:
    """Switch capture on or off for the tenant; None when it already was so. Off stops capture at once for all."""
    actor.need_admin()
    lock_consent(session, exclusive=True)
    latest = switch_event(session)
    _need_seq(latest, expected_seq, {"training_data_capture_enabled": capture_is_on(session)})
    if on == (latest is not None and latest.action == "switched_on"):
        return None
    return _append(
        session, actor, now, subject="tenant", person_id=None, action="switched_on" if on else "switched_off"
    )


def give_consent(
    session: TenantSession,
    actor: Actor,
    *,
    now: datetime,
    lifetime: timedelta,
    purposes: Sequence[str] = decision.SIMPLE_PURPOSES,
    notice_version: str | None = None,
    skill_ids: list[str] | None = None,
    expected_seq: int | None = None,
) -> ConsentEvent:
    """Record that the person said yes to the notice in force. Needs a browser session or a key with scope `me`.

    `notice_version`, when given, must be the notice in force: a yes to another text is refused with a Conflict.
    """
    actor.need("me")
    cleaned = decision.clean_purposes(purposes)
    if cleaned is None:
        raise InvalidField(field="purposes", reason=f"at least one of {', '.join(decision.PURPOSES)}")
    version, _ = builtin_notice()
    if notice_version is not None and notice_version != version:
        raise StaleRevision(current={"notice_version": version})
    lock_consent(session, exclusive=True)
    latest = consent_event(session, actor.person_id)
    _need_seq(latest, expected_seq, _state(latest, now))
    return _append(
        session,
        actor,
        now,
        subject="person",
        person_id=actor.person_id,
        action="given",
        purposes=cleaned,
        skill_ids=skill_ids,
        expires_at=now + lifetime,
    )


def append_withdrawal(
    session: TenantSession, actor: Actor, *, now: datetime, expected_seq: int | None = None
) -> ConsentEvent | None:
    """Record that the person said no; None when there was nothing to withdraw.

    Only `goldvein.me.withdrawal` calls this: in the same transaction it erases what stood on the consent.
    """
    lock_consent(session, exclusive=True)
    latest = consent_event(session, actor.person_id)
    _need_seq(latest, expected_seq, _state(latest, now))
    if latest is None or latest.action == "withdrawn":
        return None
    return _append(session, actor, now, subject="person", person_id=actor.person_id, action="withdrawn")


def person_state(session: TenantSession, person_id: str, now: datetime) -> tuple[bool, int]:
    """`training_data_consent` as it reads now, and the number of the event it comes from (0: there is none)."""
    latest = consent_event(session, person_id)
    return decision.covers_simple_purposes(latest, now), latest.seq if latest else 0


def _state(latest: ConsentEvent | None, now: datetime) -> dict[str, bool]:
    return {"training_data_consent": decision.covers_simple_purposes(latest, now)}


def _need_seq(latest: ConsentEvent | None, expected: int | None, state: dict[str, bool]) -> None:
    current = latest.seq if latest else 0
    if expected is not None and expected != current:
        raise StaleRevision(current={**state, "revision": current})


def _notice_in_force(session: TenantSession, now: datetime) -> str:
    """The version of the notice every choice points to; its text is kept with it."""
    version, text = builtin_notice()
    if session.scalar(select(Notice).where(Notice.version == version)) is None:
        session.add(Notice(version=version, language="en", text=text, created_at=now))
        session.flush()
    return version


def _append(
    session: TenantSession,
    actor: Actor,
    now: datetime,
    *,
    subject: str,
    person_id: str | None,
    action: str,
    purposes: list[str] | None = None,
    skill_ids: list[str] | None = None,
    expires_at: datetime | None = None,
) -> ConsentEvent:
    newest = session.scalar(select(func.max(ConsentEvent.seq))) or 0
    notice_version = _notice_in_force(session, now)
    event = ConsentEvent(
        id=new_id(),
        seq=newest + 1,
        subject=subject,
        person_id=person_id,
        action=action,
        actor_id=actor.person_id,
        channel=actor.channel,
        notice_version=notice_version,
        purposes=purposes or [],
        skill_ids=skill_ids,
        expires_at=expires_at,
        occurred_at=now,
    )
    session.add(event)
    session.flush()
    ledger.record_consent(session, event)
    return event
