"""Deleting a skill with everything that hangs on it: here, because only this slice sees all of it."""

from datetime import datetime

from sqlalchemy import delete, func, select

from goldvein.capture.tables import HookTurn, KnownEvent, TokenMeasurement, UsageEvent
from goldvein.consent.ledger import record_erased
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import InvalidField, NotAllowed
from goldvein.examples.service import tell_of_deletion
from goldvein.examples.tables import ExampleRevision, ImportedExample, StoredAssertion
from goldvein.feedback.kinds import TRAINING_EXAMPLE
from goldvein.feedback.tables import SkillFeedback
from goldvein.identity.actor import Actor
from goldvein.journal import service as journal
from goldvein.skills.tables import CoAuthor, Skill, SkillVersion


def what_goes(session: TenantSession, skill: Skill) -> dict[str, int]:
    """What would be erased together with a skill."""
    counts: dict[str, int] = {}
    kinds = select(SkillFeedback.feedback_type, func.count()).where(SkillFeedback.skill_id == skill.id)
    by_kind = {row[0]: row[1] for row in session.execute(kinds.group_by(SkillFeedback.feedback_type))}
    counts["training_examples"] = by_kind.pop(TRAINING_EXAMPLE, 0)
    counts["feedback"] = sum(by_kind.values())
    for name, table in (("usage_events", UsageEvent), ("versions", SkillVersion)):
        of_skill = select(func.count()).select_from(table).where(table.skill_id == skill.id)
        counts[name] = session.scalar(of_skill) or 0
    return counts


def delete_skill(session: TenantSession, actor: Actor, skill: Skill, *, confirm: str, now: datetime) -> dict[str, int]:
    """Erase a skill, its versions, its examples and feedback with their texts, its usage events, its rows in datasets.

    Only the author; `confirm` repeats the slug. Returns what went with it.
    """
    actor.need("review")
    if skill.author_id != actor.person_id:
        raise NotAllowed(rule="Only the skill author can delete the skill")
    lock_consent(session, exclusive=True)
    gone = what_goes(session, skill)
    if confirm != skill.slug:
        held = ", ".join(f"{count} {name}" for name, count in gone.items())
        raise InvalidField(field="confirm", reason=f"repeat the skill's slug; with it go {held}")
    captured = select(SkillFeedback.id).where(
        SkillFeedback.skill_id == skill.id, SkillFeedback.source == "usage_capture"
    )
    ids = list(session.scalars(captured.order_by(SkillFeedback.id)))
    session.record(
        "skill", at=now, people={"actor": actor.person_id}, skill=skill.id, change="deleted", counts=dict(gone)
    )
    record_erased(session, at=now, cause="skill_deleted", person_id=None, actor_id=actor.person_id, example_ids=ids)
    every = SkillFeedback.skill_id == skill.id, SkillFeedback.feedback_type == TRAINING_EXAMPLE
    tell_of_deletion(session, list(session.scalars(select(SkillFeedback.id).where(*every))), now)
    examples = select(SkillFeedback.id).where(SkillFeedback.skill_id == skill.id)
    events = select(UsageEvent.id).where(UsageEvent.skill_id == skill.id)
    for statement in (
        delete(ExampleRevision).where(ExampleRevision.example_id.in_(examples)),
        delete(StoredAssertion).where(StoredAssertion.skill_id == skill.id),
        delete(ImportedExample).where(ImportedExample.skill_id == skill.id),
        delete(SkillFeedback).where(SkillFeedback.skill_id == skill.id),
        delete(TokenMeasurement).where(TokenMeasurement.usage_event_id.in_(events)),
        delete(KnownEvent).where(KnownEvent.usage_event_id.in_(events)),
        delete(UsageEvent).where(UsageEvent.skill_id == skill.id),
        delete(HookTurn).where(HookTurn.skill_id == skill.id),
        delete(SkillVersion).where(SkillVersion.skill_id == skill.id),
        delete(CoAuthor).where(CoAuthor.skill_id == skill.id),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})
    session.delete(skill)
    journal.record(session, "skill_deleted", now=now, actor_id=actor.person_id, skill_ids=[skill.id])
    return gone
