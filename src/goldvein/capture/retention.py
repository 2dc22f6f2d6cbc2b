"""What is removed by its age: unreviewed captures, usage events, and the ids by which their retries were known.

An event goes when it was reported longer ago than events are kept, and nothing refers to it: an example, also one whose
text is gone, and feedback keep their event, since it is a part of what explains them (law 9). Its measurement goes with
it. The id of an event is known for 30 days longer, and no event may be older than the retention when it comes: so a
retry is either known or refused.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from goldvein.capture import service
from goldvein.capture.tables import HookTurn, KnownEvent, RetentionCount, TokenMeasurement, UsageEvent
from goldvein.db.session import Database, TenantSession, for_change
from goldvein.examples import service as examples
from goldvein.feedback.tables import SkillFeedback
from goldvein.identity import service as identity

KNOWN_LONGER: Final = timedelta(days=30)
WHAT: Final = ("examples_expired", "events_removed", "known_events_removed", "hook_turns_removed")
# Each is written in 10 to 40 ms on SQLite, where everybody else waits for it.
EXAMPLES_AT_ONCE: Final = 100
EVENTS_AT_ONCE: Final = 200
KNOWN_AT_ONCE: Final = 500

_APART: Final = {"synchronize_session": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """How long a tenant keeps what, and what time it is."""

    pending: timedelta
    events: timedelta
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What one step removed."""

    what: str
    count: int


def kept_by(session: TenantSession, *, pending_days: int, event_days: int, now: datetime) -> Kept:
    """What the tenant chose, and where it did not, what holds for the installation."""
    tenant = identity.tenant_of(session)
    return Kept(
        pending=timedelta(days=tenant.pending_retention_days or pending_days),
        events=timedelta(days=tenant.event_retention_days or event_days),
        now=now,
    )


def remove_old(database: Database, tenant_id: str, kept: Kept) -> Iterator[Removed]:
    """Remove what is too old in one tenant, and tell after each transaction what it removed."""
    expired = 0
    try:
        for step in _expire(database, tenant_id, kept):
            expired += step.count
            yield step
    finally:  # also when it is stopped on its way
        if expired:
            database.clear_log()
    yield from _walk(database, tenant_id, kept, _remove_events, "events_removed")
    yield from _walk(database, tenant_id, kept, _remove_known, "known_events_removed")
    yield from _forget_turns(database, tenant_id, kept)


def _expire(database: Database, tenant_id: str, kept: Kept) -> Iterator[Removed]:
    while True:
        with database.write(tenant_id) as session:
            gone = examples.expire_pending(session, before=kept.now - kept.pending, now=kept.now, most=EXAMPLES_AT_ONCE)
            service.forget_bodies_of(session, list(gone.values()))
            _count(session, kept, "examples_expired", len(gone))
        if not gone:
            return
        yield Removed(what="examples_expired", count=len(gone))


_Step = Callable[[TenantSession, Kept, object], tuple[int, object]]


def _walk(database: Database, tenant_id: str, kept: Kept, step: _Step, what: str) -> Iterator[Removed]:
    """Take step after step through a table; each returns what it removed and where it stands, None at the end."""
    after: object = None
    while True:
        with database.write(tenant_id) as session:
            removed, after = step(session, kept, after)
            _count(session, kept, what, removed)
        if after is None:
            return
        yield Removed(what=what, count=removed)


def _remove_events(session: TenantSession, kept: Kept, after: object) -> tuple[int, object]:
    """Ids are made as time goes by: where none of the next ones is too old, none of those after them is."""
    rows = select(UsageEvent.id, UsageEvent.received_at).order_by(UsageEvent.id).limit(EVENTS_AT_ONCE)
    found = session.execute(rows if after is None else rows.where(UsageEvent.id > after)).all()
    before = kept.now - kept.events
    old = [row.id for row in found if row.received_at < before]
    if not old:
        return 0, None
    referred = select(SkillFeedback.usage_event_id).where(SkillFeedback.usage_event_id.in_(old))
    gone = sorted(set(old) - set(session.scalars(referred)))
    held = select(UsageEvent.id).where(UsageEvent.id.in_(gone))
    gone = list(session.scalars(for_change(held)))
    session.execute(delete(TokenMeasurement).where(TokenMeasurement.usage_event_id.in_(gone)), execution_options=_APART)
    session.execute(delete(UsageEvent).where(UsageEvent.id.in_(gone)), execution_options=_APART)
    return len(gone), found[-1].id


def _remove_known(session: TenantSession, kept: Kept, after: object) -> tuple[int, object]:
    """All of them are looked at: they stand in no order of time, and an index would cost every event."""
    rows = select(KnownEvent.event_hash, KnownEvent.received_at).order_by(KnownEvent.event_hash).limit(KNOWN_AT_ONCE)
    found = session.execute(rows if after is None else rows.where(KnownEvent.event_hash > after)).all()
    before = kept.now - kept.events - KNOWN_LONGER
    old = [row.event_hash for row in found if row.received_at < before]
    session.execute(delete(KnownEvent).where(KnownEvent.event_hash.in_(old)), execution_options=_APART)
    return len(old), found[-1].event_hash if found else None


def _forget_turns(database: Database, tenant_id: str, kept: Kept) -> Iterator[Removed]:
    with database.write(tenant_id) as session:
        old = select(HookTurn).where(HookTurn.seen_at < kept.now - service.HOOK_TURN_LIFETIME)
        turns = list(session.scalars(old.limit(EVENTS_AT_ONCE)))
        for turn in turns:
            session.delete(turn)
        _count(session, kept, "hook_turns_removed", len(turns))
    if turns:
        yield Removed(what="hook_turns_removed", count=len(turns))


def _count(session: TenantSession, kept: Kept, what: str, count: int) -> None:
    """Add to what this day has removed, in the transaction that removes it."""
    if not count:
        return
    day = kept.now.date()
    row = session.scalar(
        for_change(select(RetentionCount).where(RetentionCount.day == day, RetentionCount.what == what))
    )
    if row is None:
        session.add(RetentionCount(day=day, what=what, count=count))
    else:
        row.count += count


def counts(session: TenantSession) -> list[RetentionCount]:
    """What was removed on which day, newest first: for the auditor's report."""
    return list(session.scalars(select(RetentionCount).order_by(RetentionCount.day.desc(), RetentionCount.what)))
