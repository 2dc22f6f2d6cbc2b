"""Does a new version of a skill help? Scores by skill version, dataset version, model and row, and how two compare."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import case, delete, func, select

from goldvein.capture.names import need_clean_names
from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import AlreadyExists, InvalidField, NotAllowed
from goldvein.feedback.tables import TrainingExample
from goldvein.identity.actor import Actor
from goldvein.results.comparison import Comparison, Score, compare
from goldvein.results.tables import ResultRun, ResultScore
from goldvein.results.trials import RowResult, number
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill, SkillVersion

TOOLS: Final = ("promptfoo", "inspect")
MAX_ROWS: Final = 2_000  # in one request; a file of more comes in several
MAX_RUNS_SHOWN: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+ -]{0,99}")
_VERSION: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_COUNT: Final = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """What was evaluated, on what, by what, and the file that says so."""

    skill_version: str
    dataset: str
    dataset_version: str
    model: str
    tool: str
    file_digest: str
    rows_in_file: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What became of the rows of one request: stored now, known already, or no example of the skill."""

    run: ResultRun
    stored: int
    duplicate: int
    unknown_rows: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """One evaluation in numbers."""

    run: ResultRun
    skill_version: int | None
    rows: int
    passed: int
    mean_score: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """The newest evaluation of each of two skill versions, by the same model on the same dataset."""

    before: ResultRun
    after: ResultRun
    comparison: Comparison


def import_results(
    session: TenantSession, actor: Actor, skill: Skill, facts: RunFacts, rows: Sequence[RowResult], *, now: datetime
) -> Imported:
    """Store what a result file says of rows of the skill, for its author; the same file twice adds nothing.

    The consent is held still: a row whose example is withdrawn meanwhile has no score afterwards, and none can be given
    to it again. A file that was imported with other facts is refused.
    """
    skills.need_author(session, actor, skill, "Only the skill author can import results")
    _check(facts, rows)
    lock_consent(session, exclusive=False)
    facts = replace(facts, skill_version=_version(session, skill, facts.skill_version, field="skill_version").digest)
    run = _known_run(session, skill, facts)
    if run is None:
        run = _new_run(skill, facts, created_by=actor.person_id, now=now)
        session.add(run)
        session.flush()
    asked = {row.row: row for row in rows}
    known = _examples(session, skill.id, [row for row in asked if is_id(row)])
    here = ResultScore.run_id == run.id, ResultScore.example_id.in_(known)
    held = set(session.scalars(select(ResultScore.example_id).where(*here)))
    new = [asked[example_id] for example_id in known if example_id not in held]
    session.add_all(
        ResultScore(
            run_id=run.id,
            example_id=row.row,
            score=row.score,
            passed=row.passed,
            trials=row.trials,
            output_bytes=row.output_bytes,
        )
        for row in new
    )
    session.flush()
    unknown = tuple(row for row in asked if row not in known)
    return Imported(run=run, stored=len(new), duplicate=len(held), unknown_rows=unknown)


def _check(facts: RunFacts, rows: Sequence[RowResult]) -> None:
    for field in ("dataset", "model"):
        if _NAME.fullmatch(getattr(facts, field)) is None:
            raise InvalidField(
                field=field, reason="1 to 100 of A-Z a-z 0-9 . _ : / @ + - and spaces, a letter or digit first"
            )
    need_clean_names(dataset=facts.dataset, model=facts.model)
    if _VERSION.fullmatch(facts.dataset_version) is None:
        raise InvalidField(field="dataset_version", reason="a number such as 3 or 3.1")
    if facts.tool not in TOOLS:
        raise InvalidField(field="tool", reason=f"one of {', '.join(TOOLS)}")
    if _DIGEST.fullmatch(facts.file_digest) is None:
        raise InvalidField(field="file_digest", reason="sha256: and 64 hex digits")
    if not 1 <= facts.rows_in_file <= _MAX_COUNT:
        raise InvalidField(field="rows_in_file", reason=f"1 to {_MAX_COUNT}")
    if not 1 <= len(rows) <= MAX_ROWS:
        raise InvalidField(field="rows", reason=f"1 to {MAX_ROWS}")
    for row in rows:
        in_bounds = 1 <= row.trials <= _MAX_COUNT and 0 <= row.output_bytes <= _MAX_COUNT
        if number(row.score) is None or not in_bounds or len(row.row) > 100:  # noqa: PLR2004 (longer than any id)
            raise InvalidField(
                field="rows", reason="a score, trials of 1 or more and a size of 0 or more, within bounds"
            )


def _version(session: TenantSession, skill: Skill, named: str, *, field: str) -> SkillVersion:
    """A version of the skill by its digest or its number."""
    by_number = named.isascii() and named.isdigit() and len(named) <= 9  # noqa: PLR2004 (fits an integer column)
    asked = SkillVersion.number == int(named) if by_number else SkillVersion.digest == named
    found = session.scalar(select(SkillVersion).where(SkillVersion.skill_id == skill.id, asked))
    if found is None:
        raise InvalidField(field=field, reason="the digest or the number of a version of this skill")
    return found


def _known_run(session: TenantSession, skill: Skill, facts: RunFacts) -> ResultRun | None:
    """The run that this file made before. Raises AlreadyExists when it was imported as something else."""
    same = ResultRun.file_digest == facts.file_digest, ResultRun.model == facts.model
    known = session.scalar(select(ResultRun).where(ResultRun.skill_id == skill.id, *same))
    if known is not None:
        held = (known.skill_digest, known.dataset, known.dataset_version, known.tool)
        if held != (facts.skill_version, facts.dataset, facts.dataset_version, facts.tool):
            raise AlreadyExists(
                what="result file", key="content, imported for another skill version or dataset version"
            )
    return known


def _new_run(skill: Skill, facts: RunFacts, *, created_by: str, now: datetime) -> ResultRun:
    return ResultRun(
        id=new_id(),
        skill_id=skill.id,
        skill_digest=facts.skill_version,
        dataset=facts.dataset,
        dataset_version=facts.dataset_version,
        model=facts.model,
        tool=facts.tool,
        file_digest=facts.file_digest,
        rows_in_file=facts.rows_in_file,
        created_by=created_by,
        created_at=now,
    )


def _examples(session: TenantSession, skill_id: str, ids: Sequence[str]) -> set[str]:
    """Which of these are examples of the skill that still have their text."""
    here = TrainingExample.id.in_(ids), TrainingExample.skill_id == skill_id, TrainingExample.example_input.is_not(None)
    return set(session.scalars(select(TrainingExample.id).where(*here)))


def list_runs(session: TenantSession, actor: Actor, skill: Skill) -> list[RunSummary]:
    """The evaluations of a skill, newest first, for its author; the last 200."""
    _need_reader(session, actor, skill)
    numbers = {version.digest: version.number for version in skills.versions_of(session, skill.id)}
    passed = func.sum(case((ResultScore.passed, 1), else_=0))
    rows = (
        select(ResultRun, func.count(ResultScore.example_id), passed, func.avg(ResultScore.score))
        .outerjoin(ResultScore, ResultScore.run_id == ResultRun.id)
        .where(ResultRun.skill_id == skill.id)
        .group_by(ResultRun.tenant_id, ResultRun.id)
        .order_by(ResultRun.created_at.desc(), ResultRun.id.desc())
        .limit(MAX_RUNS_SHOWN)
    )
    return [
        RunSummary(
            run=run,
            skill_version=numbers.get(run.skill_digest),
            rows=count,
            passed=int(passed_rows or 0),
            mean_score=None if mean is None else float(mean),
        )
        for run, count, passed_rows, mean in session.execute(rows)
    ]


def _need_reader(session: TenantSession, actor: Actor, skill: Skill) -> None:
    actor.need("read")
    if not skills.is_author(session, skill, actor.person_id):
        raise NotAllowed(rule="Only the skill author can see its results")


def compare_versions(session: TenantSession, actor: Actor, skill: Skill, *, before: str, after: str) -> list[Compared]:
    """Two versions of a skill, by digest or number, for its author: each model and dataset that both have results of.

    Of several evaluations of one version the newest counts. The dataset's versions may differ: rows that both hold are
    compared, and a row is the same example in each.
    """
    _need_reader(session, actor, skill)
    first = _newest(session, skill.id, _version(session, skill, before, field="before").digest)
    second = _newest(session, skill.id, _version(session, skill, after, field="after").digest)
    return [
        Compared(
            before=first[key],
            after=second[key],
            comparison=compare(_scores(session, first[key].id), _scores(session, second[key].id)),
        )
        for key in sorted(first.keys() & second.keys())
    ]


def _newest(session: TenantSession, skill_id: str, digest: str) -> dict[tuple[str, str], ResultRun]:
    """The newest run of a version by dataset and model."""
    here = ResultRun.skill_id == skill_id, ResultRun.skill_digest == digest
    runs = session.scalars(select(ResultRun).where(*here).order_by(ResultRun.created_at, ResultRun.id))
    return {(run.dataset, run.model): run for run in runs}


def _scores(session: TenantSession, run_id: str) -> dict[str, Score]:
    rows = select(ResultScore.example_id, ResultScore.score, ResultScore.passed).where(ResultScore.run_id == run_id)
    return {example_id: Score(score=score, passed=passed) for example_id, score, passed in session.execute(rows)}


def forget_examples(session: TenantSession, example_ids: Sequence[str]) -> None:
    """Erase the scores of examples whose text was erased: they were derived from it."""
    for start in range(0, len(example_ids), MAX_ROWS):  # databases limit how many values a statement names
        of_them = ResultScore.example_id.in_(example_ids[start : start + MAX_ROWS])
        session.execute(delete(ResultScore).where(of_them), execution_options={"synchronize_session": False})
