from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.results import service
from goldvein.results.trials import RowResult
from goldvein.schemas import Page, RequestBody
from goldvein.skills import service as skills

router = APIRouter(prefix="/api/skills/{skill_id}/results", tags=["results"])


class RowBody(RequestBody):
    """How one row was answered: the mean over its trials. No text of an answer is sent."""

    row: str
    score: float
    passed: bool
    trials: int = 1
    output_bytes: int = 0


class ResultsBody(RequestBody):
    """Results of one model from one file: up to 2,000 rows of it."""

    skill_version: str
    dataset: str
    dataset_version: str
    model: str
    tool: str
    file_digest: str
    rows_in_file: int
    rows: list[RowBody]


class ImportedOut(BaseModel):
    """What became of the rows; `unknown_rows` are no examples of the skill, or have no text any more."""

    run_id: str
    stored: int
    duplicate: int
    unknown_rows: list[str]


class RunOut(BaseModel):
    """One evaluation in numbers. `rows` have a score now; `rows_in_file` had one in the file."""

    run_id: str
    skill_digest: str
    skill_version: int | None
    dataset: str
    dataset_version: str
    model: str
    tool: str
    file_digest: str
    rows_in_file: int
    rows: int
    passed: int
    mean_score: float | None
    created_at: datetime


class ComparedOut(BaseModel):
    """Two evaluations on their common rows; every difference is after minus before."""

    dataset: str
    model: str
    dataset_version_before: str
    dataset_version_after: str
    comparison: dict[str, Any]


@router.post("")
def import_results(skill_id: str, body: ResultsBody, actor: ActorDep, runtime: RuntimeDep) -> ImportedOut:
    """Store scores of an evaluation. Author only; the same file twice adds nothing."""
    given = body.model_dump()
    rows = [RowResult(**row) for row in given.pop("rows")]
    with runtime.database.write(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        done = service.import_results(session, actor, skill, service.RunFacts(**given), rows, now=runtime.now())
        return ImportedOut(
            run_id=done.run.id, stored=done.stored, duplicate=done.duplicate, unknown_rows=list(done.unknown_rows)
        )


@router.get("")
def list_results(skill_id: str, actor: ActorDep, runtime: RuntimeDep) -> Page[RunOut]:
    """List the evaluations of a skill, newest first, the last 200. Author only."""
    with runtime.database.read(actor.tenant_id) as session:
        found = service.list_runs(session, actor, skills.find_skill(session, skill_id))
        return Page(items=[show_run(summary) for summary in found])


def show_run(summary: service.RunSummary) -> RunOut:
    """One evaluation as its author sees it."""
    run = summary.run
    of_run = {name: getattr(run, name) for name in RunOut.model_fields if hasattr(run, name)}
    of_all = {name: getattr(summary, name) for name in ("skill_version", "rows", "passed", "mean_score")}
    return RunOut(run_id=run.id, **of_run, **of_all)


@router.get("/comparison")
def compare_results(
    skill_id: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    before: Annotated[str, Query(description="A version of the skill: its digest or its number.")] = "",
    after: Annotated[str, Query(description="Another one.")] = "",
) -> Page[ComparedOut]:
    """Compare two versions of a skill on the rows that both have answered. Author only."""
    with runtime.database.read(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        found = service.compare_versions(session, actor, skill, before=before, after=after)
        return Page(
            items=[
                ComparedOut(
                    dataset=one.after.dataset,
                    model=one.after.model,
                    dataset_version_before=one.before.dataset_version,
                    dataset_version_after=one.after.dataset_version,
                    comparison=asdict(one.comparison),
                )
                for one in found
            ]
        )
