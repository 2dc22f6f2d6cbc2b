"""The skills of an organisation; one skill: overview and feedback."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from goldvein.capture import service as capture
from goldvein.consent import service as consent
from goldvein.consent.api import languages_of
from goldvein.consent.notices import notice_in_force, record_shown
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField
from goldvein.examples import service as examples
from goldvein.feedback import kinds
from goldvein.feedback import service as feedback
from goldvein.feedback.service import Aggregates
from goldvein.feedback.tables import SkillFeedback
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, RuntimeDep
from goldvein.identity.actor import Actor
from goldvein.identity.service import need_revision
from goldvein.paging import decode_cursor, decode_time_cursor, encode_cursor, time_cursor
from goldvein.results import service as results
from goldvein.results.service import Compared, RunSummary
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill
from goldvein.web.forms import FilledForm, SentForm, need_id, plain, refused, revision_of
from goldvein.web.rendering import render
from goldvein.web.viewer import Viewer, ViewerDep, see_other

router = APIRouter()

_RUNS_A_PAGE = 10
_MOST_OWN_SKILLS, _SKILLS_A_PAGE, _FEEDBACK_A_PAGE = 200, 50, 20


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillHead:
    """A skill as it stands at the top of each of its pages, with the numbers every member may see."""

    id: str
    slug: str
    name: str
    description: str
    is_author: bool
    lists_examples: bool
    by_status: dict[str, int]
    uses: int
    aggregates: Aggregates

    @property
    def example_count(self) -> int:
        """How many training examples there are, whatever their status."""
        return sum(self.by_status.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class _WrittenView:
    """One piece of feedback, and where its author can move it next."""

    row: SkillFeedback
    moves: list[str]


class _FeedbackForm(SentForm):
    """A vote, a suggestion or a bug report."""

    feedback_type: str = ""
    comment: str = ""
    category: str = ""
    severity: str = ""


class _AnswerForm(SentForm):
    """What the author says to a report, and where it goes."""

    revision: str = ""
    reply: str = ""
    status: str = ""


def skill_head(session: TenantSession, actor: Actor, skill: Skill) -> SkillHead:
    """The skill with its numbers, as this person may see it."""
    is_author = skills.is_author(session, skill, actor.person_id)
    return SkillHead(
        id=skill.id,
        slug=skill.slug,
        name=skill.name,
        description=skill.description,
        is_author=is_author,
        lists_examples=is_author or actor.is_admin,
        by_status=examples.count_examples(session, skill.id)["status"],
        uses=capture.count_events(session, skill.id),
        aggregates=feedback.aggregates(session, skill.id),
    )


@router.get("/skills")
def list_skills(request: Request, viewer: ViewerDep, runtime: RuntimeDep, cursor: str | None = None) -> Response:
    """Show my skills, then the others of the organisation, a page at a time."""
    actor = viewer.actor
    after = decode_cursor(cursor, 1)[0] if cursor else None
    with runtime.database.read(actor.tenant_id) as session:
        mine = skills.list_skills(session, authored_by=actor.person_id, limit=_MOST_OWN_SKILLS, after=None)
        found = skills.list_skills(session, authored_by=None, limit=_SKILLS_A_PAGE + 1, after=after)
        shown = found[:_SKILLS_A_PAGE]
        own_ids = {skill.id for skill in mine}
        my_heads = [skill_head(session, actor, skill) for skill in mine]
        others = [skill_head(session, actor, skill) for skill in shown if skill.id not in own_ids]
    next_cursor = encode_cursor(shown[-1].slug) if len(found) > _SKILLS_A_PAGE else None
    return render(request, "skills.html", mine=my_heads, others=others, next_cursor=next_cursor)


@router.get("/skills/{slug}")
def show_skill(request: Request, viewer: ViewerDep, runtime: RuntimeDep, slug: str) -> Response:
    """Show what a skill is, who wrote it, and its numbers; once, and where nobody said no, ask for consent."""
    with runtime.database.read(viewer.actor.tenant_id) as session:
        skill = skills.find_skill(session, slug)
        head = skill_head(session, viewer.actor, skill)
        version = skills.current_version(session, skill)
        author_ids = [skill.author_id, *skills.co_authors(session, skill)]
        authors = [identity.shown_name(session, person_id) for person_id in author_ids]
        notice = notice_in_force(session, languages_of(request))
        asks = consent.should_ask(session, viewer.actor, skill.id, notice, runtime.now())
        runs = results.list_runs(session, viewer.actor, skill)[:_RUNS_A_PAGE] if head.is_author else []
        compared = _newest_compared(session, viewer.actor, skill, runs)
    if asks:
        record_shown(runtime.database, viewer.actor, notice, runtime.now(), skill_id=head.id)
    return render(
        request,
        "skill_overview.html",
        skill=head,
        version=version,
        authors=authors,
        asks=asks,
        runs=runs,
        compared=compared,
        tab="overview",
    )


def _newest_compared(session: TenantSession, actor: Actor, skill: Skill, runs: list[RunSummary]) -> list[Compared]:
    """The version that was evaluated last, beside the one that was before it."""
    digests = list(dict.fromkeys(summary.run.skill_digest for summary in runs))
    if len(digests) < 2:  # noqa: PLR2004 (two are compared)
        return []
    return results.compare_versions(session, actor, skill, before=digests[1], after=digests[0])


@router.get("/skills/{slug}/feedback")
def show_feedback(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, slug: str, cursor: str | None = None
) -> Response:
    """Show the feedback on a skill with the forms to give some."""
    return _feedback_page(request, viewer, runtime, slug, cursor=cursor)


@router.post("/skills/{slug}/feedback")
def give_feedback(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, slug: str, sent: Annotated[_FeedbackForm, Form()]
) -> Response:
    """Store a vote or a written report; what was typed stays in the form when something is wrong with it."""
    viewer.actor.need("track")
    try:
        with runtime.database.write(viewer.actor.tenant_id) as session:
            skill = skills.find_skill(session, slug)
            feedback.give_feedback(
                session,
                viewer.actor,
                skill=skill,
                feedback_type=sent.feedback_type,
                now=runtime.now(),
                comment=plain(sent.comment) or None,
                category=sent.category or None,
                severity=sent.severity or None,
            )
    except InvalidField as error:
        return _feedback_page(request, viewer, runtime, slug, form=refused(sent.typed(), error))
    return see_other(f"/skills/{slug}/feedback", done="feedback_given")


def _feedback_page(
    request: Request,
    viewer: Viewer,
    runtime: Runtime,
    slug: str,
    *,
    cursor: str | None = None,
    form: FilledForm | None = None,
) -> Response:
    after = decode_time_cursor(cursor or None)
    with runtime.database.read(viewer.actor.tenant_id) as session:
        skill = skills.find_skill(session, slug)
        head = skill_head(session, viewer.actor, skill)
        found = feedback.list_feedback(session, skill.id, limit=_FEEDBACK_A_PAGE + 1, after=after)
    shown = found[:_FEEDBACK_A_PAGE]
    refused_kind = form.value("feedback_type") if form else ""
    return render(
        request,
        "skill_feedback.html",
        status=422 if form else 200,
        skill=head,
        tab="feedback",
        items=[_WrittenView(row=row, moves=_moves(row)) for row in shown],
        next_cursor=_next_cursor(found, shown),
        vote_form=form if form and refused_kind not in kinds.WRITTEN else FilledForm(),
        written_form=form if form and refused_kind in kinds.WRITTEN else FilledForm(),
        votes=kinds.VOTES,
        written=kinds.WRITTEN,
        categories=kinds.CATEGORIES,
        severities=kinds.SEVERITIES,
    )


def _moves(row: SkillFeedback) -> list[str]:
    possible = kinds.WRITTEN_MOVES.get(row.status or "", frozenset())
    return [status for status in kinds.WRITTEN_STATUSES if status in possible]


def _next_cursor(found: list[SkillFeedback], shown: list[SkillFeedback]) -> str | None:
    return time_cursor(shown[-1].created_at, shown[-1].id) if len(found) > len(shown) else None


@router.post("/feedback/{feedback_id}/answer")
def answer_feedback(
    viewer: ViewerDep, runtime: RuntimeDep, feedback_id: str, sent: Annotated[_AnswerForm, Form()]
) -> Response:
    """As author, reply, move to another state, or both."""
    expected = revision_of(sent.revision)
    if not sent.reply.strip() and not sent.status:
        raise InvalidField(field="reply", reason="give a reply, a status, or both")
    with runtime.database.write(viewer.actor.tenant_id) as session:
        current = feedback.find_written(session, need_id(feedback_id, "feedback"))
        slug = skills.find_skill(session, current.skill_id).slug
        need_revision(current.revision, expected, {"status": current.status})
        feedback.answer_feedback(
            session,
            viewer.actor,
            feedback_id,
            now=runtime.now(),
            reply=plain(sent.reply) if sent.reply.strip() else None,
            status=sent.status or None,
        )
    return see_other(f"/skills/{slug}/feedback", fragment=f"feedback-{feedback_id}", done="feedback_answered")
