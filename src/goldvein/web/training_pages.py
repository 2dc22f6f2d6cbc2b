"""The training tab of a skill: golden examples by hand, the list, and the review of one example."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel

from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import Conflict, InvalidField, StaleRevision, WrongStatus
from goldvein.examples import service as examples
from goldvein.examples.review import MOVES
from goldvein.examples.service import Listed
from goldvein.feedback import kinds
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime, RuntimeDep
from goldvein.identity.service import need_revision
from goldvein.me import endings
from goldvein.paging import decode_time_cursor, time_cursor
from goldvein.skills import service as skills
from goldvein.web.forms import FilledForm, SentForm, need_id, plain, refused, revision_of, whole_number
from goldvein.web.rendering import render
from goldvein.web.skill_pages import skill_head
from goldvein.web.viewer import Viewer, ViewerDep, local_path, see_other

router = APIRouter()

_EXAMPLES_A_PAGE = 20
_EDITABLE = ("example_input", "example_output", "expected_output", "review_notes")
_SAVE = "save"


class _Filter(BaseModel):
    """What the list is narrowed to; empty means all."""

    status: str = ""
    source: str = ""
    cursor: str = ""


class _GoldenForm(SentForm):
    """A golden example."""

    example_input: str = ""
    example_output: str = ""
    expected_output: str = ""
    quality_score: str = ""


class _ReviewForm(SentForm):
    """A decision from the list, and the page of the list to come back to."""

    decision: str = ""
    revision: str = ""
    next: str = ""


class _ExampleForm(SentForm):
    """Every text of an example, and the button that was pressed."""

    action: str = _SAVE
    revision: str = ""
    example_input: str = ""
    example_output: str = ""
    expected_output: str = ""
    review_notes: str = ""
    quality_score: str = ""
    output_verdict: str = ""


@router.get("/skills/{slug}/training")
def show_training(
    request: Request, viewer: ViewerDep, runtime: RuntimeDep, slug: str, narrowed: Annotated[_Filter, Query()]
) -> Response:
    """Show the training examples: to authors all, to admins without captured text, to others their number."""
    return _training_page(request, viewer, runtime, slug, narrowed=narrowed)


@router.post("/skills/{slug}/training")
def add_golden(
    request: Request,
    viewer: ViewerDep,
    runtime: RuntimeDep,
    slug: str,
    sent: Annotated[_GoldenForm, Form()],
) -> Response:
    """Add a golden example; what was typed stays in the form when something is wrong with it."""
    typed = sent.typed()
    try:
        with runtime.database.write(viewer.actor.tenant_id) as session:
            example = examples.create_golden(
                session,
                viewer.actor,
                skills.find_skill(session, slug),
                source="web",
                now=runtime.now(),
                example_input=typed["example_input"],
                example_output=typed["example_output"],
                expected_output=typed["expected_output"] or None,
                quality_score=whole_number("quality_score", sent.quality_score),
            )
    except InvalidField as error:
        return _training_page(request, viewer, runtime, slug, form=refused(typed, error))
    return see_other(f"/skills/{slug}/training", fragment=f"example-{example.id}", done="golden_added")


def _training_page(
    request: Request,
    viewer: Viewer,
    runtime: Runtime,
    slug: str,
    *,
    narrowed: _Filter | None = None,
    form: FilledForm | None = None,
) -> Response:
    narrowed = narrowed or _Filter()
    after = decode_time_cursor(narrowed.cursor or None)
    found: list[Listed] = []
    with runtime.database.read(viewer.actor.tenant_id) as session:
        skill = skills.find_skill(session, slug)
        head = skill_head(session, viewer.actor, skill)
        if head.lists_examples:
            found = examples.list_examples(
                session,
                runtime.server_key,
                viewer.actor,
                skill,
                limit=_EXAMPLES_A_PAGE + 1,
                status=narrowed.status or None,
                source=narrowed.source or None,
                after=after,
            )
    shown = found[:_EXAMPLES_A_PAGE]
    last = shown[-1].example if len(found) > len(shown) else None
    return render(
        request,
        "skill_training.html",
        status=422 if form else 200,
        skill=head,
        tab="training",
        listed=shown,
        moves=MOVES,
        narrowed=narrowed,
        next_cursor=time_cursor(last.created_at, last.id) if last else None,
        form=form or FilledForm(),
        most=examples.MAX_GOLDEN_CHARS,
    )


@router.get("/training-examples/{example_id}")
def show_example(request: Request, viewer: ViewerDep, runtime: RuntimeDep, example_id: str) -> Response:
    """Show one example with every text to edit and the decisions that are possible now."""
    return _example_page(request, viewer, runtime, example_id)


@router.post("/training-examples/{example_id}/report-leak")
def report_leak(viewer: ViewerDep, runtime: RuntimeDep, example_id: str) -> Response:
    """Report that an example holds what should have been removed: it is erased, and the admins know."""
    incident = endings.report(runtime, viewer.actor, need_id(example_id, "training example"))
    return see_other(f"/training-examples/{example_id}", done="leak_reported", count=incident.erased_examples)


@router.post("/training-examples/{example_id}/review")
def review_example(
    request: Request,
    viewer: ViewerDep,
    runtime: RuntimeDep,
    example_id: str,
    sent: Annotated[_ReviewForm, Form()],
) -> Response:
    """Decide with one button of the list; a decision on another state than the one shown gets the state as it is."""
    expected = revision_of(sent.revision)
    try:
        with runtime.database.write(viewer.actor.tenant_id) as session:
            example = examples.review_example(
                session,
                viewer.actor,
                need_id(example_id, "training example"),
                decision=sent.decision,
                now=runtime.now(),
                expected_revision=expected,
            )
            slug = skills.find_skill(session, example.skill_id).slug
    except (StaleRevision, WrongStatus) as conflict:
        return _example_page(request, viewer, runtime, example_id, conflict=conflict)
    runtime.metrics.reviews.labels(decision=sent.decision).inc()
    back = local_path(sent.next) if sent.next else f"/skills/{slug}/training"
    return see_other(back, fragment=f"example-{example_id}", done=f"example_{sent.decision}")


@router.post("/training-examples/{example_id}")
def change_example(
    request: Request,
    viewer: ViewerDep,
    runtime: RuntimeDep,
    example_id: str,
    sent: Annotated[_ExampleForm, Form()],
) -> Response:
    """Save what was edited and, with another button than Save, decide: both or neither."""
    typed, action, expected = sent.typed(), sent.action, revision_of(sent.revision)
    try:
        with runtime.database.write(viewer.actor.tenant_id) as session:
            lock_consent(session, exclusive=False)  # before any row: a withdrawal takes the consent first, then rows
            example, skill = examples.find_example(session, viewer.actor, need_id(example_id, "training example"))
            need_revision(example.revision, expected, {"status": example.status})
            changed = _save(session, viewer, runtime, example, typed)
            if action != _SAVE:
                examples.review_example(
                    session,
                    viewer.actor,
                    example_id,
                    decision=action,
                    now=runtime.now(),
                    output_verdict=sent.output_verdict or None,
                )
    except InvalidField as error:
        return _example_page(request, viewer, runtime, example_id, form=refused(typed, error))
    except (StaleRevision, WrongStatus) as conflict:
        unsaved = FilledForm(values=typed)
        return _example_page(request, viewer, runtime, example_id, conflict=conflict, unsaved=unsaved)
    if action == _SAVE:
        done = "example_saved" if changed else "example_unchanged"
        return see_other(f"/training-examples/{example_id}", done=done)
    runtime.metrics.reviews.labels(decision=action).inc()
    return see_other(f"/skills/{skill.slug}/training", fragment=f"example-{example_id}", done=f"example_{action}")


def _save(
    session: TenantSession, viewer: Viewer, runtime: Runtime, example: TrainingExample, typed: dict[str, str]
) -> bool:
    """Store what differs from what is stored; False when nothing does.

    A text whose line ends alone differ is left as it is: browsers rewrite them.
    """
    texts = {name: typed[name] for name in _EDITABLE if typed[name] != plain(getattr(example, name) or "")}
    quality_score = whole_number("quality_score", typed["quality_score"])
    if not texts and quality_score == example.quality_score:
        return False
    examples.edit_example(
        session,
        viewer.actor,
        example.id,
        {name: text or None for name, text in texts.items()},
        now=runtime.now(),
        quality_score=quality_score,
        clear_quality=quality_score is None,
    )
    return True


def _example_page(
    request: Request,
    viewer: Viewer,
    runtime: Runtime,
    example_id: str,
    *,
    form: FilledForm | None = None,
    conflict: Conflict | None = None,
    unsaved: FilledForm | None = None,
) -> Response:
    viewer.actor.need("read")
    with runtime.database.read(viewer.actor.tenant_id) as session:
        example, skill = examples.find_example(session, viewer.actor, need_id(example_id, "training example"))
        membership = identity.member(session, example.user_id)
        user = examples.user_display(session, runtime.server_key, example, membership)
    status = 422 if form else 200
    return render(
        request,
        "training_example.html",
        status=409 if conflict else status,
        skill=skill,
        example=example,
        user=user,
        form=form or FilledForm(values=_stored(example)),
        decisions=list(MOVES[example.status or ""]),
        conflict=conflict.message if conflict else "",
        unsaved=_differing(unsaved, example) if unsaved and MOVES[example.status or ""] else {},
        verdicts=kinds.VERDICTS,
    )


def _stored(example: TrainingExample) -> dict[str, str]:
    texts = {name: getattr(example, name) or "" for name in (*_EDITABLE, "output_verdict")}
    return {**texts, "quality_score": "" if example.quality_score is None else str(example.quality_score)}


def _differing(unsaved: FilledForm, example: TrainingExample) -> dict[str, str]:
    """What was typed and is not what is stored now, so that nobody has to write it twice.

    Not asked for an example that was withdrawn meanwhile: what was typed holds the text that is to be gone.
    """
    stored = _stored(example)
    typed = {name: unsaved.value(name) for name in stored}
    return {name: text for name, text in typed.items() if text and text != plain(stored[name])}
