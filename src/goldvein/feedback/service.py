"""Votes, suggestions and bug reports on a skill. Training examples share the table and never the aggregates."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession, for_change
from goldvein.errors import Conflict, InvalidField, NotFound
from goldvein.feedback import kinds
from goldvein.feedback.tables import BugReport, SkillFeedback, Suggestion, ThumbsDown, ThumbsUp
from goldvein.identity.actor import Actor
from goldvein.policy import service as policy
from goldvein.sanitizer import ExtraRules, sanitize_text, version_with
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill

MAX_COMMENT_CHARS = 2_000
MIN_WRITTEN_CHARS = 10
MAX_REPLY_CHARS = 2_000

_CLASSES: dict[str, type[SkillFeedback]] = {
    "thumbs_up": ThumbsUp,
    "thumbs_down": ThumbsDown,
    "suggestion": Suggestion,
    "bug_report": BugReport,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Aggregates:
    """The feedback of a skill in numbers. `total` counts every kind but training examples."""

    thumbs_up: int
    thumbs_down: int
    suggestions: int
    bug_reports: int

    @property
    def total_votes(self) -> int:
        """Up and down together."""
        return self.thumbs_up + self.thumbs_down

    @property
    def total(self) -> int:
        """Every piece of feedback."""
        return self.total_votes + self.suggestions + self.bug_reports

    @property
    def percent_positive(self) -> int | None:
        """The share of thumbs up among the votes; None without a vote."""
        return kinds.percent_positive(self.thumbs_up, self.thumbs_down)


def give_feedback(
    session: TenantSession,
    actor: Actor,
    *,
    skill: Skill,
    feedback_type: str,
    now: datetime,
    comment: str | None = None,
    category: str | None = None,
    severity: str | None = None,
    usage_event_id: str | None = None,
) -> SkillFeedback:
    """Record a vote or a written report. A second vote of the same person on the same thing replaces the first."""
    if feedback_type not in _CLASSES:
        raise InvalidField(field="feedback_type", reason=f"one of {', '.join(_CLASSES)}")
    if usage_event_id is not None and not is_id(usage_event_id):
        raise InvalidField(field="usage_event_id", reason="the id of a usage event")
    rules = policy.rules_in_force(session)
    comment = _clean_text(rules, "comment", comment, least=0, most=MAX_COMMENT_CHARS)
    if feedback_type in kinds.VOTES:
        if category is not None or severity is not None:
            raise InvalidField(field="category", reason="votes have no category and no severity")
        _drop_earlier_vote(session, actor, skill, usage_event_id)
        status = None
    else:
        _check_written(comment, category, severity)
        status = "pending"
    feedback = _CLASSES[feedback_type](
        id=new_id(),
        skill_id=skill.id,
        user_id=actor.person_id,
        usage_event_id=usage_event_id,
        status=status,
        comment=comment,
        sanitizer_version=version_with(rules) if comment else None,
        category=category,
        severity=severity,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    session.add(feedback)
    try:
        session.flush()
    except IntegrityError as error:
        if "unique" in str(error.orig).lower():
            raise  # a vote on the same thing was faster
        # The foreign key knows the events; this slice does not.
        unknown = InvalidField(field="usage_event_id", reason="no such usage event of this skill")
        raise unknown from None
    return feedback


def _check_written(comment: str | None, category: str | None, severity: str | None) -> None:
    if comment is None or len(comment) < MIN_WRITTEN_CHARS:
        raise InvalidField(field="comment", reason=f"{MIN_WRITTEN_CHARS} to {MAX_COMMENT_CHARS} characters")
    if category not in kinds.CATEGORIES:
        raise InvalidField(field="category", reason=f"one of {', '.join(kinds.CATEGORIES)}")
    if severity not in kinds.SEVERITIES:
        raise InvalidField(field="severity", reason=f"one of {', '.join(kinds.SEVERITIES)}")


def _clean_text(rules: ExtraRules, field: str, text: str | None, *, least: int, most: int) -> str | None:
    """Trim, check the length as it was written, then sanitize: text from outside is never stored as it came."""
    text = (text or "").strip().replace("\x00", "\u2400")
    if not least <= len(text) <= most:
        raise InvalidField(field=field, reason=f"{least} to {most} characters")
    return sanitize_text(text, rules) if text else None


def _drop_earlier_vote(session: TenantSession, actor: Actor, skill: Skill, usage_event_id: str | None) -> None:
    same = (
        SkillFeedback.feedback_type.in_(kinds.VOTES),
        SkillFeedback.skill_id == skill.id,
        SkillFeedback.user_id == actor.person_id,
        SkillFeedback.usage_event_id.is_(None)
        if usage_event_id is None
        else SkillFeedback.usage_event_id == usage_event_id,
    )
    session.execute(delete(SkillFeedback).where(*same), execution_options={"synchronize_session": False})


def forget_member(session: TenantSession, person_id: str) -> None:
    """Remove the votes, wishes and reports of a person, at the end of their account; golden examples stay."""
    own = SkillFeedback.user_id == person_id, SkillFeedback.feedback_type != kinds.TRAINING_EXAMPLE
    session.execute(delete(SkillFeedback).where(*own), execution_options={"synchronize_session": False})


def aggregates(session: TenantSession, skill_id: str) -> Aggregates:
    """Count the feedback of a skill by kind."""
    rows = (
        select(SkillFeedback.feedback_type, func.count())
        .where(SkillFeedback.skill_id == skill_id, SkillFeedback.feedback_type.in_((*kinds.VOTES, *kinds.WRITTEN)))
        .group_by(SkillFeedback.feedback_type)
    )
    counts = {row[0]: row[1] for row in session.execute(rows)}
    return Aggregates(
        thumbs_up=counts.get("thumbs_up", 0),
        thumbs_down=counts.get("thumbs_down", 0),
        suggestions=counts.get("suggestion", 0),
        bug_reports=counts.get("bug_report", 0),
    )


def list_feedback(
    session: TenantSession, skill_id: str, *, limit: int, after: tuple[datetime, str] | None = None
) -> list[SkillFeedback]:
    """Votes and written feedback of a skill, newest first. `after` is the time and id of the last one seen."""
    feedback_types = SkillFeedback.feedback_type.in_((*kinds.VOTES, *kinds.WRITTEN))
    rows = select(SkillFeedback).where(SkillFeedback.skill_id == skill_id, feedback_types)
    if after is not None:
        rows = rows.where(older_than(*after))
    return list(session.scalars(rows.order_by(SkillFeedback.created_at.desc(), SkillFeedback.id.desc()).limit(limit)))


def older_than(created_at: datetime, feedback_id: str) -> ColumnElement[bool]:
    """The keyset condition for `newest first`, written out so that both databases use the index."""
    same_time = and_(SkillFeedback.created_at == created_at, SkillFeedback.id < feedback_id)
    return or_(SkillFeedback.created_at < created_at, same_time)


def find_written(session: TenantSession, feedback_id: str, *, to_change: bool = False) -> SkillFeedback:
    """A suggestion or bug report by id; `to_change` holds the row until the transaction ends."""
    rows = select(SkillFeedback)
    here = rows.where(SkillFeedback.id == feedback_id, SkillFeedback.feedback_type.in_(kinds.WRITTEN))
    found = session.scalar(for_change(here) if to_change else here) if is_id(feedback_id) else None
    if found is None:
        raise NotFound(what="feedback")
    return found


def answer_feedback(
    session: TenantSession,
    actor: Actor,
    feedback_id: str,
    *,
    now: datetime,
    reply: str | None = None,
    status: str | None = None,
) -> SkillFeedback:
    """As author, reply to a suggestion or bug report, move it to another state, or both."""
    feedback = find_written(session, feedback_id, to_change=True)
    skill = skills.find_skill(session, feedback.skill_id)
    skills.need_author(session, actor, skill, "Only the skill author can answer feedback")
    if reply is not None:
        rules = policy.rules_in_force(session)
        feedback.author_reply = _clean_text(rules, "reply", reply, least=1, most=MAX_REPLY_CHARS)
        if feedback.sanitizer_version != version_with(rules):
            feedback.sanitizer_version = None  # the comment beside it waits for a rescan
        feedback.replied_by = actor.person_id
        feedback.replied_at = now
    if status is not None:
        if status not in kinds.WRITTEN_STATUSES:
            raise InvalidField(field="status", reason=f"one of {', '.join(kinds.WRITTEN_STATUSES)}")
        if status not in kinds.WRITTEN_MOVES[feedback.status or ""]:
            raise Conflict
        feedback.status = status
    feedback.revision += 1
    feedback.updated_at = now
    return feedback
