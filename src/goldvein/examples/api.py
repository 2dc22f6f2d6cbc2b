from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from goldvein.db.session import TenantSession
from goldvein.examples import assertions, golden_import, service
from goldvein.examples.review import MOVES
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.access import ActorDep, Runtime, RuntimeDep
from goldvein.paging import CursorParam, LimitParam, decode_time_cursor, time_cursor
from goldvein.schemas import ExpectedRevision, Page, RequestBody
from goldvein.skills import service as skills
from goldvein.skills.assertions import Assertion
from goldvein.wire import error_object

router = APIRouter(prefix="/api", tags=["training examples"])


class NewExample(RequestBody):
    """A golden example."""

    example_input: str
    example_output: str
    expected_output: str | None = None
    quality_score: int | None = None


class ImportBatch(RequestBody):
    """Golden examples to import: 1 to 100 objects, each as for one golden example with texts of up to 64 KiB."""

    items: list[dict[str, Any]]


class ImportResult(BaseModel):
    """What became of one of them; `error` as every error, for one that is rejected."""

    outcome: str
    example_id: str | None = None
    reason: str | None = None
    error: Any = None


class ImportResults(BaseModel):
    """What became of each, in order."""

    results: list[ImportResult]


class AssertionBody(RequestBody):
    """What an answer must satisfy: `contains`, `regex` (RE2), `json_schema` or `rubric`."""

    kind: str
    value: str


class AssertionsBody(RequestBody):
    """All assertions, in their order: up to 10, each of up to 4 KiB."""

    assertions: list[AssertionBody]


class AssertionsOut(BaseModel):
    """All assertions, as they are stored, and the revision of what they belong to."""

    assertions: list[Assertion]
    revision: int


class ExampleChange(RequestBody):
    """What to change; what is left out stays. An empty expected output or note removes it."""

    example_input: str | None = None
    example_output: str | None = None
    expected_output: str | None = None
    review_notes: str | None = None
    quality_score: int | None = None


class Review(RequestBody):
    """The author's decision."""

    decision: str
    quality_score: int | None = None
    output_verdict: str | None = None
    expected_output: str | None = None
    notes: str | None = None


class ExampleOut(BaseModel):
    """A training example as its viewer may see it. `decisions` is what its author can decide next."""

    id: str
    skill_id: str
    source: str
    status: str
    status_reason: str | None
    user: str | None
    example_input: str | None
    example_output: str | None
    expected_output: str | None
    quality_score: int | None
    output_verdict: str | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    review_notes: str | None
    sanitizer_version: str | None
    findings: dict[str, int] | None
    tool_name: str | None
    usage_event_id: str | None
    skill_digest: str | None
    skill_version_id: str | None
    revision: int
    created_at: datetime
    updated_at: datetime
    decisions: list[str]


_TEXT_FIELDS = ("example_input", "example_output", "expected_output", "review_notes", "tool_name", "findings")


def show_example(listed: service.Listed) -> ExampleOut:
    """An example without what its viewer may not see."""
    example = listed.example
    values: dict[str, Any] = {
        name: getattr(example, name)
        for name in ExampleOut.model_fields
        if name not in {"user", "decisions"} and (listed.shows_text or name not in _TEXT_FIELDS)
    }
    hidden = {} if listed.shows_text else dict.fromkeys((*_TEXT_FIELDS, "usage_event_id"))
    return ExampleOut(**{**values, **hidden}, user=listed.user, decisions=list(MOVES[example.status or ""]))


def _show_to_author(session: TenantSession, runtime: Runtime, example: TrainingExample) -> ExampleOut:
    membership = identity.member(session, example.user_id)
    user = service.user_display(session, runtime.server_key, example, membership)
    return show_example(service.Listed(example=example, user=user, shows_text=True))


@router.get("/skills/{skill_id}/training-examples")
def list_examples(  # noqa: PLR0917 (the framework passes query parameters by name)
    skill_id: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    status: Annotated[str | None, Query()] = None,
    source: Annotated[str | None, Query()] = None,
    limit: LimitParam = 50,
    cursor: CursorParam = None,
) -> Page[ExampleOut]:
    """List the examples of a skill, newest first. For its authors; for admins without captured text and person."""
    after = decode_time_cursor(cursor)
    with runtime.database.read(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        found = service.list_examples(
            session,
            runtime.server_key,
            actor,
            skill,
            limit=limit + 1,
            status=status,
            source=source,
            after=after,
        )
    items = [show_example(listed) for listed in found[:limit]]
    next_cursor = time_cursor(items[-1].created_at, items[-1].id) if len(found) > limit else None
    return Page(items=items, next_cursor=next_cursor)


@router.get("/skills/{skill_id}/training-examples/count")
def count_examples(skill_id: str, actor: ActorDep, runtime: RuntimeDep) -> dict[str, dict[str, int]]:
    """Count the examples of a skill by status and by source; for every member."""
    actor.need("read")
    with runtime.database.read(actor.tenant_id) as session:
        return service.count_examples(session, skills.find_skill(session, skill_id).id)


@router.post("/skills/{skill_id}/training-examples", status_code=201)
def create_golden(skill_id: str, body: NewExample, actor: ActorDep, runtime: RuntimeDep) -> ExampleOut:
    """Add a golden example. Author only; sanitized, and approved at once."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        source = "web" if actor.channel == "web" else "api"
        example = service.create_golden(session, actor, skill, source=source, now=runtime.now(), **body.model_dump())
        return _show_to_author(session, runtime, example)


@router.post("/skills/{skill_id}/training-examples/import")
def import_examples(skill_id: str, body: ImportBatch, actor: ActorDep, runtime: RuntimeDep) -> ImportResults:
    """Add up to 100 golden examples. Author only; each has its own outcome, and what is known already adds nothing."""
    found = golden_import.import_golden(
        runtime.database, runtime.server_key, actor, skill_id, body.items, now=runtime.now()
    )
    runtime.metrics.sanitizer_failures.inc(sum(one.reason == "not_sanitized" for one in found))
    return ImportResults(
        results=[
            ImportResult(
                outcome=one.outcome,
                example_id=one.example_id,
                reason=one.reason,
                error=None if one.error is None else error_object(one.error)["error"],
            )
            for one in found
        ]
    )


@router.get("/training-examples/{example_id}")
def get_example(example_id: str, actor: ActorDep, runtime: RuntimeDep, response: Response) -> ExampleOut:
    """Read one example. Author only."""
    actor.need("read")
    with runtime.database.read(actor.tenant_id) as session:
        example, _ = service.find_example(session, actor, example_id)
        response.headers["ETag"] = f'"{example.revision}"'
        return _show_to_author(session, runtime, example)


@router.patch("/training-examples/{example_id}")
def edit_example(
    example_id: str, body: ExampleChange, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> ExampleOut:
    """Edit texts and score. Author only; the former texts are kept as a revision."""
    given = body.model_dump(exclude_unset=True)
    clear_quality = "quality_score" in given and given["quality_score"] is None
    quality_score = given.pop("quality_score", None)
    with runtime.database.write(actor.tenant_id) as session:
        example = service.edit_example(
            session,
            actor,
            example_id,
            given,
            now=runtime.now(),
            quality_score=quality_score,
            clear_quality=clear_quality,
            expected_revision=if_match,
        )
        session.flush()
        return _show_to_author(session, runtime, example)


@router.delete("/training-examples/{example_id}", status_code=204)
def delete_example(example_id: str, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None) -> None:
    """Delete an example with its texts. Author only."""
    with runtime.database.write(actor.tenant_id) as session:
        service.delete_example(session, actor, example_id, now=runtime.now(), expected_revision=if_match)
    runtime.database.clear_log()


@router.post("/training-examples/{example_id}/review")
def review_example(
    example_id: str, body: Review, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> ExampleOut:
    """Approve, reject, quarantine or reopen. Author only; a second decision on the same state is a 409."""
    with runtime.database.write(actor.tenant_id) as session:
        example = service.review_example(
            session, actor, example_id, now=runtime.now(), expected_revision=if_match, **body.model_dump()
        )
        session.flush()
        shown = _show_to_author(session, runtime, example)
    runtime.metrics.reviews.labels(decision=body.decision).inc()
    return shown


@router.get("/skills/{skill_id}/assertions")
def get_skill_assertions(skill_id: str, actor: ActorDep, runtime: RuntimeDep, response: Response) -> AssertionsOut:
    """Read what every answer of the skill must satisfy. Author only."""
    with runtime.database.read(actor.tenant_id) as session:
        found = assertions.assertions_of_skill(session, actor, skill_id)
    response.headers["ETag"] = f'"{found.revision}"'
    return _show_assertions(found)


@router.put("/skills/{skill_id}/assertions")
def put_skill_assertions(
    skill_id: str, body: AssertionsBody, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> AssertionsOut:
    """Put these in the place of the skill's assertions. Author only; a rubric is sanitized."""
    put = assertions.put_on_skill(
        runtime.database, actor, skill_id, _given(body), now=runtime.now(), expected_revision=if_match
    )
    return _show_assertions(put)


@router.get("/training-examples/{example_id}/assertions")
def get_example_assertions(example_id: str, actor: ActorDep, runtime: RuntimeDep, response: Response) -> AssertionsOut:
    """Read what the answer to one example must satisfy beside that. Author only."""
    with runtime.database.read(actor.tenant_id) as session:
        found = assertions.assertions_of_example(session, actor, example_id)
    response.headers["ETag"] = f'"{found.revision}"'
    return _show_assertions(found)


@router.put("/training-examples/{example_id}/assertions")
def put_example_assertions(
    example_id: str, body: AssertionsBody, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> AssertionsOut:
    """Put these in the place of the example's assertions. Author only; they go with the example's text."""
    put = assertions.put_on_example(
        runtime.database, actor, example_id, _given(body), now=runtime.now(), expected_revision=if_match
    )
    return _show_assertions(put)


def _given(body: AssertionsBody) -> list[Assertion]:
    return [Assertion(kind=one.kind, value=one.value) for one in body.assertions]


def _show_assertions(found: assertions.Assertions) -> AssertionsOut:
    return AssertionsOut(assertions=list(found.assertions), revision=found.revision)
