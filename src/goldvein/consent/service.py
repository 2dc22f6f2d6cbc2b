"""Choices about capture: recording them, and reading what is in force."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import bindparam, func, select

from goldvein.consent import decision, ledger
from goldvein.consent.notices import (
    NoticeInForce,
    builtin_notice,
    edition_in_force,
    find_notice,
    keep_notice,
    notice_chosen,
    notice_in_force,
    publish_notice,
    was_shown,
)
from goldvein.consent.tables import ConsentEvent, NoticePublication
from goldvein.db.batch import Query, Transaction
from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import InvalidField, JSONValue, NotAllowed, NotFound, StaleRevision
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.journal import service as journal


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


_PEOPLE_AT_ONCE = 500  # databases limit how many values a statement names


def _batched(values: Iterable[str], size: int) -> Iterator[list[str]]:
    some = iter(values)
    while part := list(islice(some, size)):
        yield part


def consent_histories(session: TenantSession, people: Collection[str]) -> dict[str, list[ConsentEvent]]:
    """All events of each of these people, oldest first: what is asked set-wise, when many examples stand on them."""
    found: dict[str, list[ConsentEvent]] = {person_id: [] for person_id in people}
    for some in _batched(found, _PEOPLE_AT_ONCE):
        of_some = ConsentEvent.subject == "person", ConsentEvent.person_id.in_(some)
        for event in session.scalars(select(ConsentEvent).where(*of_some).order_by(ConsentEvent.seq)):
            found[str(event.person_id)].append(event)
    return found


def newest_seq(session: TenantSession) -> int:
    """The number of the tenant's newest consent event. Whoever holds the consent knows: none is newer."""
    return session.scalar(select(func.max(ConsentEvent.seq))) or 0


def people_decided_since(session: TenantSession, seq: int) -> set[str]:
    """Whose events are newer than this number."""
    newer = select(ConsentEvent.person_id).where(ConsentEvent.subject == "person", ConsentEvent.seq > seq).distinct()
    return {person_id for person_id in session.scalars(newer) if person_id is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class InForce:
    """What the decision reads of a consent event."""

    id: str
    action: str
    purposes: list[str]
    skill_ids: list[str] | None
    excepted_skill_ids: list[str] | None
    expires_at: datetime | None
    notice_edition: int | None


_EVENTS = ConsentEvent.__table__.c
_NAMES = tuple(one.name for one in fields(InForce))
_READ = (_EVENTS.person_id, *(_EVENTS[name] for name in _NAMES))
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
    switch, consents, holds = transaction.read(
        (_SWITCH_IN_FORCE, {}), (_CONSENTS_IN_FORCE, {"people": list(people)}), (journal.FIND_HOLD, {})
    )
    # Restored without the journal: whatever the switch says, it may have been off since.
    found = {row[0]: _in_force(row) for row in (*(() if holds else switch), *consents)}
    return found.pop(None, None), found


def _in_force(row: tuple[object, ...]) -> InForce:
    return InForce(**dict(zip(_NAMES, row[1:], strict=True)))  # type: ignore[arg-type]  # the columns' own types


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


def record_holds(session: TenantSession, person_id: str, record_id: str, skill_id: str) -> bool:
    """Whether a captured example of this person and skill, stored under this record, may still be promoted."""
    return bool(decision.standing_purposes(record_id, consent_history(session, person_id), skill_id))


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
    current = latest.seq if latest else 0
    if expected_seq is not None and expected_seq != current:
        raise StaleRevision(current={"training_data_capture_enabled": capture_is_on(session), "revision": current})
    if on == (latest is not None and latest.action == "switched_on"):
        return None
    if not on:
        journal.record(session, "switched_off", now=now, actor_id=actor.person_id)
    return _append_switch(session, actor, now, on=on)


def _append_switch(session: TenantSession, actor: Actor, now: datetime, *, on: bool) -> ConsentEvent:
    action = "switched_on" if on else "switched_off"
    return _append(session, actor, now, notice=notice_in_force(session), subject="tenant", action=action)


def publish(
    session: TenantSession,
    actor: Actor,
    *,
    language: str,
    text: str,
    purposes: Sequence[str],
    wider: bool,
    now: datetime,
    expected_number: int | None = None,
) -> NoticePublication:
    """As admin, put a notice in force. Where capture is on, the switch is recorded again, under what is now asked.

    So the decision needs no look at notices: the switch's event says what edition a consent must have reached.
    """
    row = publish_notice(
        session,
        actor,
        language=language,
        text=text,
        purposes=purposes,
        wider=wider,
        now=now,
        expected_number=expected_number,
    )
    switch = switch_event(session)
    if switch is not None and switch.action == "switched_on" and switch.notice_edition != row.edition:
        _append_switch(session, actor, now, on=True)
    return row


def give_consent(
    session: TenantSession,
    actor: Actor,
    *,
    now: datetime,
    lifetime: timedelta,
    purposes: Sequence[str] | None = None,
    notice_version: str | None = None,
    skill_ids: list[str] | None = None,
    same_skills: bool = False,
    expected_seq: int | None = None,
) -> ConsentEvent:
    """Record that the person said yes to a notice in force. Needs a browser session or a key with scope `me`.

    `notice_version`, when given, must be of a notice in force: a yes to another text is a Conflict with the one that
    is. `skill_ids` are added to those that a consent in force is limited to, or no longer excepted from one for all;
    where neither is so they are what it is for. Without them it is for all, or with `same_skills` for those it was
    for. `purposes` are what it is for from now on, for all its skills; without them they stay as they are where
    skills are named, and are else those of the simple choice.
    """
    actor.need("me")
    lock_consent(session, exclusive=True)
    notice = notice_chosen(session, notice_version)
    latest = consent_event(session, actor.person_id)
    _need_seq(session, latest, expected_seq, now)
    there = latest if latest is not None and decision.is_in_force(latest, now, notice.edition) else None
    coverage = _widened(latest, there, skill_ids, same_skills=same_skills)
    cleaned = _purposes_of(notice, there, purposes, adds_skills=skill_ids is not None)
    if (
        there is not None
        and skill_ids is not None
        and cleaned != there.purposes
        and coverage.skill_ids != frozenset(skill_ids)
    ):
        raise InvalidField(
            field="purposes",
            reason="the consent in force has others: leave them out, or choose them for all its skills",
        )
    taken = sorted(set(there.purposes) - set(cleaned)) if there is not None else []
    if taken:
        journal.record(session, "withdrawn", now=now, person_id=actor.person_id, purposes=taken)
    renews = latest is not None and (decision.leaves_consent(latest) or latest.action == "expired")
    return _append(
        session,
        actor,
        now,
        notice=notice,
        person_id=actor.person_id,
        action="renewed" if renews else "given",
        purposes=cleaned,
        coverage=coverage,
        expires_at=now + lifetime,
    )


def _widened(
    latest: ConsentEvent | None, there: ConsentEvent | None, skill_ids: list[str] | None, *, same_skills: bool
) -> decision.Coverage:
    if skill_ids is not None:
        before = decision.coverage_of(there) if there is not None else decision.Coverage()
        adds = before.skill_ids is not None or before.excepted >= frozenset(skill_ids)
        return before.joined(skill_ids) if adds else decision.Coverage(skill_ids=frozenset(skill_ids))
    if same_skills and latest is not None and decision.leaves_consent(latest):
        return decision.coverage_of(latest)
    return decision.Coverage()


def _purposes_of(
    notice: NoticeInForce, there: ConsentEvent | None, purposes: Sequence[str] | None, *, adds_skills: bool
) -> list[str]:
    if purposes is None:
        return there.purposes if there is not None and adds_skills else notice.simple_purposes
    cleaned = decision.clean_purposes(purposes)
    if cleaned is None or not set(cleaned) <= set(notice.purposes):
        raise InvalidField(field="purposes", reason=f"at least one of {', '.join(notice.purposes)}")
    return cleaned


def refuse_consent(
    session: TenantSession, actor: Actor, *, now: datetime, notice_version: str | None, expected_seq: int | None = None
) -> ConsentEvent | None:
    """Record that the person said no to the notice in force; None when they have said so already.

    It erases nothing. Where a consent is in force it is refused with InvalidField: that one is withdrawn.
    """
    lock_consent(session, exclusive=True)
    notice = notice_chosen(session, notice_version)
    latest = consent_event(session, actor.person_id)
    _need_seq(session, latest, expected_seq, now)
    if decision.is_in_force(latest, now, notice.edition):
        raise InvalidField(field="decision", reason="a consent is in force: withdraw it, which also erases")
    if latest is not None and latest.action == "refused" and latest.notice_edition == notice.edition:
        return None
    return _append(session, actor, now, notice=notice, person_id=actor.person_id, action="refused")


def append_withdrawal(
    session: TenantSession,
    actor: Actor,
    *,
    now: datetime,
    skill_ids: list[str] | None = None,
    purposes: Sequence[str] | None = None,
    expected_seq: int | None = None,
) -> ConsentEvent | None:
    """Record that the person said no: to all, or for these skills or purposes; None when there was nothing to withdraw.

    Only `goldvein.me.withdrawal` calls this: in the same transaction it erases what stood on the consent.
    """
    lock_consent(session, exclusive=True)
    latest = consent_event(session, actor.person_id)
    _need_seq(session, latest, expected_seq, now)
    if skill_ids is not None:
        return _narrow(session, actor, latest, now=now, skill_ids=skill_ids)
    if purposes is not None and not _leaves_none(latest, purposes):
        return _narrow(session, actor, latest, now=now, purposes=purposes)
    if not decision.can_be_withdrawn(consent_history(session, actor.person_id)):
        return None
    notice = notice_in_force(session)
    return _append(session, actor, now, notice=notice, person_id=actor.person_id, action="withdrawn")


def _leaves_none(latest: ConsentEvent | None, purposes: Sequence[str]) -> bool:
    """Whether nothing that captures is left without these purposes: then all of the consent is withdrawn."""
    if decision.clean_purposes(purposes) is None:
        raise InvalidField(field="purposes", reason=f"at least one of {', '.join(decision.PURPOSES)}")
    if latest is None or not decision.leaves_consent(latest):
        reason = "no consent is in force that could be narrowed: withdraw everything, or erase"
        raise InvalidField(field="purposes", reason=reason)
    return not (set(latest.purposes) - set(purposes)) & set(decision.SIMPLE_PURPOSES)


def _narrow(
    session: TenantSession,
    actor: Actor,
    latest: ConsentEvent | None,
    *,
    now: datetime,
    skill_ids: Sequence[str] = (),
    purposes: Sequence[str] = (),
) -> ConsentEvent | None:
    """The rest of a consent goes on as it was: under its notice, until its end."""
    if latest is None or not decision.leaves_consent(latest):
        return None
    coverage = decision.coverage_of(latest)
    left = [purpose for purpose in latest.purposes if purpose not in purposes]
    if left == latest.purposes and not any(coverage.holds(skill_id) for skill_id in skill_ids):
        return None
    return _append(
        session,
        actor,
        now,
        notice=latest,
        person_id=actor.person_id,
        action="withdrawn",
        purposes=left,
        coverage=coverage.without(skill_ids),
        expires_at=latest.expires_at,
    )


def append_revocation(session: TenantSession, actor: Actor, person_id: str, *, now: datetime) -> ConsentEvent | None:
    """As admin, end the consent of somebody else; None when there was none. There is no way for an admin to give.

    Only `goldvein.me.withdrawal` calls this: in the same transaction it erases what stood on the consent.
    """
    actor.need_admin()
    identity.member(session, person_id)
    if person_id == actor.person_id:
        raise NotAllowed(rule="Your own consent is withdrawn in your preferences, not revoked")
    lock_consent(session, exclusive=True)
    if not decision.can_be_withdrawn(consent_history(session, person_id)):
        return None
    return _append(session, actor, now, notice=notice_in_force(session), person_id=person_id, action="revoked")


def invalidate_notice(session: TenantSession, actor: Actor, version: str, *, now: datetime) -> int:
    """As admin, say that consents to this text do not count: whoever's consent stands on it must choose again.

    For a text that turns out to be wrong. What was captured from these people can no more be approved or exported;
    returns how many they are. A later consent to another text is not touched.
    """
    actor.need_admin()
    lock_consent(session, exclusive=True)
    notice = find_notice(session, version)
    held = [event for event in latest_events(session) if event.notice_version == notice.version]
    held = [event for event in held if decision.leaves_consent(event)]
    for event in held:
        journal.record(session, "invalidated", now=now, person_id=event.person_id, actor_id=actor.person_id)
        _append(session, actor, now, notice=event, person_id=event.person_id, action="invalidated")
    return len(held)


def invalidate_again(session: TenantSession, actor: Actor, person_id: str, *, now: datetime) -> None:
    """After a restore: what an admin said of the consent of this person holds."""
    lock_consent(session, exclusive=True)
    event = consent_event(session, person_id)
    if event is not None and decision.leaves_consent(event):
        _append(session, actor, now, notice=event, person_id=person_id, action="invalidated")


def record_expired(session: TenantSession, now: datetime) -> int:
    """Record of each consent that has ended by itself that it has; returns how many.

    The decision does not wait for this. Once it is recorded, a clock that is set back brings no consent back.
    """
    lock_consent(session, exclusive=True)
    ended = expired_events(session, now)
    for event in ended:
        _append(session, None, now, notice=event, person_id=event.person_id, action="expired")
    return len(ended)


def expired_events(session: TenantSession, now: datetime) -> list[ConsentEvent]:
    """The consents that have ended by themselves, and of which it is not recorded yet."""
    held = [event for event in latest_events(session) if decision.leaves_consent(event)]
    return [event for event in held if event.expires_at is not None and event.expires_at <= now]


def latest_events(session: TenantSession) -> list[ConsentEvent]:
    """The latest event of each person who ever chose."""
    newest = select(func.max(ConsentEvent.seq)).where(ConsentEvent.subject == "person").group_by(ConsentEvent.person_id)
    return list(session.scalars(select(ConsentEvent).where(ConsentEvent.seq.in_(newest)).order_by(ConsentEvent.seq)))


def person_state(session: TenantSession, person_id: str, now: datetime) -> tuple[bool, int]:
    """`training_data_consent` as it reads now, and the number of the event it comes from (0: there is none)."""
    latest = consent_event(session, person_id)
    return decision.is_in_force(latest, now, edition_in_force(session)), latest.seq if latest else 0


def should_ask(session: TenantSession, actor: Actor, skill_id: str, notice: NoticeInForce, now: datetime) -> bool:
    """Whether this person may be asked, unasked, about this skill now."""
    return capture_is_on(session) and decision.should_ask(
        consent=consent_event(session, actor.person_id),
        skill_id=skill_id,
        at=now,
        edition=notice.edition,
        was_asked=was_shown(session, actor.person_id, notice.version, skill_id),
    )


def find_visible_notice(session: TenantSession, version: str) -> tuple[str, str, str]:
    """A notice of this tenant, also one of the past: version, language, text. The built-in one is there for all."""
    if version == builtin_notice()[0]:
        return version, "en", builtin_notice()[1]
    found = find_notice(session, version)
    return found.version, found.language, found.text


def _need_seq(session: TenantSession, latest: ConsentEvent | None, expected: int | None, now: datetime) -> None:
    current = latest.seq if latest else 0
    if expected is None or expected == current:
        return
    state: dict[str, JSONValue] = {
        "training_data_consent": decision.is_in_force(latest, now, edition_in_force(session)),
        "revision": current,
    }
    if latest is not None:
        state |= {
            "action": latest.action,
            "channel": latest.channel,
            "purposes": [*latest.purposes],
            "occurred_at": latest.occurred_at.isoformat(),
        }
    raise StaleRevision(current=state)


def _append(
    session: TenantSession,
    actor: Actor | None,
    now: datetime,
    *,
    notice: NoticeInForce | ConsentEvent,
    action: str,
    subject: str = "person",
    person_id: str | None = None,
    purposes: list[str] | None = None,
    coverage: decision.Coverage | None = None,
    expires_at: datetime | None = None,
) -> ConsentEvent:
    """The one place where events are made. `notice`: what it is under; for the rest of a consent, as that was."""
    newest = session.scalar(select(func.max(ConsentEvent.seq))) or 0
    coverage = coverage or decision.Coverage()
    if isinstance(notice, NoticeInForce):
        keep_notice(session, notice, now)
        version, edition = notice.version, notice.edition
    else:
        version, edition = notice.notice_version, notice.notice_edition  # type: ignore[assignment]  # older rows: None
    event = ConsentEvent(
        id=new_id(),
        seq=newest + 1,
        subject=subject,
        person_id=person_id,
        action=action,
        actor_id=actor.person_id if actor else None,
        channel=actor.channel if actor else "system",
        notice_version=version,
        notice_edition=edition,
        purposes=purposes or [],
        skill_ids=None if coverage.skill_ids is None else sorted(coverage.skill_ids),
        excepted_skill_ids=sorted(coverage.excepted) or None,
        expires_at=expires_at,
        occurred_at=now,
    )
    session.add(event)
    session.flush()
    ledger.record_consent(session, event)
    return event
