from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from goldvein.errors import InvalidField
from goldvein.feedback import service
from goldvein.feedback.tables import SkillFeedback
from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.identity.service import need_revision
from goldvein.paging import CursorParam, LimitParam, decode_time_cursor, time_cursor
from goldvein.schemas import ExpectedRevision, Page, RequestBody
from goldvein.skills import service as skills

router = APIRouter(prefix="/api", tags=["feedback"])


class NewFeedback(RequestBody):
    """A vote, a suggestion or a bug report."""

    skill_id: str
    feedback_type: str
    comment: str | None = None
    category: str | None = None
    severity: str | None = None
    usage_event_id: str | None = None


class FeedbackAnswer(RequestBody):
    """What the author says to it, and where it goes."""

    reply: str | None = None
    status: str | None = None


class FeedbackOut(BaseModel):
    """One piece of feedback."""

    id: str
    skill_id: str
    feedback_type: str
    status: str | None
    comment: str | None
    category: str | None
    severity: str | None
    author_reply: str | None
    usage_event_id: str | None
    revision: int
    created_at: datetime


class AggregatesOut(BaseModel):
    """The feedback of a skill in numbers; training examples are never in them."""

    thumbs_up: int
    thumbs_down: int
    suggestions: int
    bug_reports: int
    total: int
    total_votes: int
    percent_positive: int | None


class FeedbackPage(Page[FeedbackOut]):
    """One page of feedback with the numbers of the skill."""

    aggregates: AggregatesOut


def _show(feedback: SkillFeedback) -> FeedbackOut:
    return FeedbackOut.model_validate(feedback, from_attributes=True)


@router.post("/feedback", status_code=201)
def give_feedback(body: NewFeedback, actor: ActorDep, runtime: RuntimeDep) -> FeedbackOut:
    """Leave a vote, a suggestion or a bug report on a skill. A second vote on the same thing replaces the first."""
    actor.need("track")
    with runtime.database.write(actor.tenant_id) as session:
        skill = skills.find_skill(session, body.skill_id)
        given = body.model_dump(exclude={"skill_id"})
        return _show(service.give_feedback(session, actor, skill=skill, now=runtime.now(), **given))


@router.get("/skills/{skill_id}/feedback")
def list_feedback(
    skill_id: str, actor: ActorDep, runtime: RuntimeDep, limit: LimitParam = 50, cursor: CursorParam = None
) -> FeedbackPage:
    """List the feedback of a skill, newest first, with its numbers."""
    actor.need("read")
    after = decode_time_cursor(cursor)
    with runtime.database.read(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        found = service.list_feedback(session, skill.id, limit=limit + 1, after=after)
        aggregates = service.aggregates(session, skill.id)
    items = [_show(feedback) for feedback in found[:limit]]
    next_cursor = time_cursor(items[-1].created_at, items[-1].id) if len(found) > limit else None
    numbers = AggregatesOut.model_validate(aggregates, from_attributes=True)
    return FeedbackPage(items=items, next_cursor=next_cursor, aggregates=numbers)


@router.patch("/feedback/{feedback_id}")
def answer_feedback(
    feedback_id: str, body: FeedbackAnswer, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> FeedbackOut:
    """As author, reply to a suggestion or bug report, or move it to another state."""
    if body.reply is None and body.status is None:
        raise InvalidField(field="reply", reason="give a reply, a status, or both")
    with runtime.database.write(actor.tenant_id) as session:
        current = service.find_written(session, feedback_id, to_change=True)
        need_revision(current.revision, if_match, {"status": current.status})
        answer = body.model_dump()
        return _show(service.answer_feedback(session, actor, feedback_id, now=runtime.now(), **answer))
