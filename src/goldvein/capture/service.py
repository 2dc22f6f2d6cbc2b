"""What the slice knows of reported uses, beside storing them: that is `storing.py`, by way of the writer."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from goldvein.capture.names import need_clean_names
from goldvein.capture.tables import HookTurn, KnownEvent, UsageEvent
from goldvein.db.session import Database, TenantSession
from goldvein.identity.actor import Reporter

HOOK_TURN_LIFETIME = timedelta(days=1)


def forget_bodies(session: TenantSession, person_id: str, event_ids: list[str] | None = None) -> None:
    """Null the keyed hashes that a person's captured texts went into, in all events or in these; part of a withdrawal.

    Of a use that was not captured the hash never held any text.
    """
    own = [
        KnownEvent.person_id == person_id,
        KnownEvent.capture_outcome == literal_column("'captured'"),  # written out: the partial index needs it
        KnownEvent.body_hash.is_not(None),
    ]
    if event_ids is not None:
        own.append(KnownEvent.usage_event_id.in_(event_ids))
    session.execute(
        update(KnownEvent).where(*own).values(body_hash=None), execution_options={"synchronize_session": False}
    )


def forget_member(session: TenantSession, person_id: str) -> None:
    """Take a person out of the uses they reported, at the end of their account: the counts stay, without whose."""
    unsynchronized = {"synchronize_session": False}
    for forget in (
        delete(KnownEvent).where(KnownEvent.person_id == person_id),
        delete(HookTurn).where(HookTurn.reporter_id == person_id),
        update(UsageEvent)
        .where(UsageEvent.person_id == person_id)
        .values(person_id=None, reporter_id=UsageEvent.key_id, session_id=None),
    ):
        session.execute(forget, execution_options=unsynchronized)


def forget_bodies_of(session: TenantSession, event_ids: list[str]) -> None:
    """Null the keyed hashes of these events, whoever's they are: their texts have expired."""
    session.execute(
        update(KnownEvent).where(KnownEvent.usage_event_id.in_(event_ids)).values(body_hash=None),
        execution_options={"synchronize_session": False},
    )


def count_events(session: TenantSession, skill_id: str) -> int:
    """How many uses of a skill were reported."""
    return session.scalar(select(func.count()).select_from(UsageEvent).where(UsageEvent.skill_id == skill_id)) or 0


def remember_turn(
    database: Database, reporter: Reporter, *, session_id: str, prompt_id: str, skill_id: str, now: datetime
) -> None:
    """Remember which skill is at work in this turn; forget turns older than a day."""
    need_clean_names(session_id=session_id, prompt_id=prompt_id)
    own = {"session_id": session_id, "prompt_id": prompt_id}
    try:
        with database.write(reporter.tenant_id) as session:
            _remember_turn(session, reporter, **own, skill_id=skill_id, now=now)
    except IntegrityError:  # parallel calls of one turn: the other one has committed, so this one updates its row
        with database.write(reporter.tenant_id) as session:
            _remember_turn(session, reporter, **own, skill_id=skill_id, now=now)


def _remember_turn(
    session: TenantSession, reporter: Reporter, *, session_id: str, prompt_id: str, skill_id: str, now: datetime
) -> None:
    session.execute(delete(HookTurn).where(HookTurn.seen_at < now - HOOK_TURN_LIFETIME))
    turn = find_turn(session, reporter, session_id=session_id, prompt_id=prompt_id, now=now)
    if turn is None:
        own = {"reporter_id": reporter.reporter_id, "session_id": session_id, "prompt_id": prompt_id}
        session.add(HookTurn(**own, skill_id=skill_id, seen_at=now))
    else:
        turn.skill_id, turn.seen_at = skill_id, now


def find_turn(
    session: TenantSession, reporter: Reporter, *, session_id: str, prompt_id: str, now: datetime
) -> HookTurn | None:
    """What was remembered of a turn within the last day."""
    own = _of_turn(reporter, session_id, prompt_id)
    return session.scalar(select(HookTurn).where(*own, HookTurn.seen_at >= now - HOOK_TURN_LIFETIME))


def forget_turn(session: TenantSession, reporter: Reporter, *, session_id: str, prompt_id: str) -> None:
    """Forget which skill was at work in a turn: it has ended, or another skill has taken over."""
    session.execute(delete(HookTurn).where(*_of_turn(reporter, session_id, prompt_id)))


def _of_turn(reporter: Reporter, session_id: str, prompt_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        HookTurn.reporter_id == reporter.reporter_id,
        HookTurn.session_id == session_id,
        HookTurn.prompt_id == prompt_id,
    )
