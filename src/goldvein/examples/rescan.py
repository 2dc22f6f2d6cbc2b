"""Taking new rules to what is stored: the texts of examples, their former revisions, comments, replies, assertions.

The texts are read in one transaction, sanitized outside of any, and written in another, if the row is still as it was
read. A withdrawal, edit or review that came between wins: the row is read again, and one without texts is left alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from sqlalchemy import ColumnElement, Select, func, or_, select

from goldvein.db.session import Database, TenantSession, for_change, lock_consent
from goldvein.examples.findings import added, count_findings
from goldvein.examples.tables import ExampleRevision, StoredAssertion
from goldvein.feedback.tables import SkillFeedback, TrainingExample
from goldvein.policy import service as policy
from goldvein.sanitizer import (
    NAMES_MARK,
    ExtraRules,
    Sanitized,
    SanitizerFailed,
    TextTooLong,
    sanitize_many,
    version_with,
)

TEXTS = ("example_input", "example_output", "expected_output", "review_notes")
_ALL_TEXTS = (*TEXTS, "comment", "author_reply")
READ_AT_ONCE = 20
# Five rows are written in about 10 ms, far below the 50 ms that a job may keep other writers of SQLite waiting.
WRITTEN_AT_ONCE = 5

_Place = tuple[int | None, str]  # a former revision, or None for the row itself; the column


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescanned:
    """What one step of a rescan did; steps add up.

    `read` rows were behind; of them `changed` had findings, `reopened` went back to pending, and `failed` could not be
    sanitized. `findings` counts what was replaced, by type.
    """

    read: int = 0
    changed: int = 0
    reopened: int = 0
    failed: int = 0
    findings: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Rescanned") -> "Rescanned":
        """Both together."""
        return Rescanned(
            read=self.read + other.read,
            changed=self.changed + other.changed,
            reopened=self.reopened + other.reopened,
            failed=self.failed + other.failed,
            findings=added(self.findings, other.findings),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """A row as it was read; `sanitized` is None when the sanitizer failed on it."""

    row_id: str
    revision: int
    texts: dict[_Place, str]
    sanitized: dict[_Place, Sanitized] | None = None


def count_behind(session: TenantSession) -> int:
    """How many rows have texts that another version than the one in force has sanitized."""
    version = version_with(policy.rules_in_force(session))
    rows = session.scalar(select(func.count()).select_from(SkillFeedback).where(*_behind(version))) or 0
    old = StoredAssertion.sanitizer_version != version
    return rows + (session.scalar(select(func.count()).select_from(StoredAssertion).where(old)) or 0)


def _behind(version: str) -> list[ColumnElement[bool]]:
    return [
        or_(*(getattr(SkillFeedback, name).is_not(None) for name in _ALL_TEXTS)),
        SkillFeedback.sanitizer_version.is_distinct_from(version),
        # Who looked for names too, looked with all of this version.
        func.coalesce(SkillFeedback.sanitizer_version, "").not_like(f"{version}{NAMES_MARK}%"),
    ]


def rescan(database: Database, tenant_id: str, *, now: Callable[[], datetime]) -> Iterator[Rescanned]:
    """Sanitize what is behind the version in force, and tell after each transaction what it did.

    1. Rows are read a few at a time, without a lock. 2. They are sanitized. 3. Under the consent lock, a row that is
    still as it was read is written: findings are replaced in place, and an example that changed waits for review.
    Rows at the current version are not read, so a rescan that was interrupted goes on where it was. Raises
    SanitizerFailed when a rule of the tenant cannot be used.
    """
    changed = 0
    try:
        for step in chain(_rescan_rows(database, tenant_id, now), _rescan_assertions(database, tenant_id)):
            changed += step.changed
            yield step
    finally:  # also when it is stopped on its way
        if changed:
            database.clear_log()  # the texts as they were are in SQLite's log too


def _rescan_rows(database: Database, tenant_id: str, now: Callable[[], datetime]) -> Iterator[Rescanned]:
    after, again = "", list[str]()
    while True:
        with database.read(tenant_id) as session:
            extra_rules = policy.rules_in_force(session)
            readings = _read(session, version_with(extra_rules), after=after, again=again)
        if not readings and not again:
            return
        if not again:
            after = readings[-1].row_id
        again = []
        for start in range(0, len(readings), WRITTEN_AT_ONCE):
            sanitized = [_sanitized(reading, extra_rules) for reading in readings[start : start + WRITTEN_AT_ONCE]]
            with database.write(tenant_id) as session:
                step, moved_on = _write(session, sanitized, version_with(extra_rules), now())
            again += moved_on
            yield step


def _rescan_assertions(database: Database, tenant_id: str) -> Iterator[Rescanned]:
    """Read assertions again. A rubric loses what is found in it; others would mean something else then, and go.

    So does one that cannot be read. Its author is told by its absence alone: assertions have no status.
    """
    while True:
        with database.read(tenant_id) as session:
            extra_rules = policy.rules_in_force(session)
            version = version_with(extra_rules)
            old = select(StoredAssertion).where(StoredAssertion.sanitizer_version != version)
            rows = list(session.scalars(old.order_by(StoredAssertion.id).limit(READ_AT_ONCE)))
        if not rows:
            return
        sanitized = [(row, _sanitized_value(row, extra_rules)) for row in rows]
        with database.write(tenant_id) as session:
            lock_consent(session, exclusive=False)
            if version_with(policy.rules_in_force(session)) != version:
                continue
            step = Rescanned()
            for row, found in sanitized:
                step += _write_assertion(session, row, found, version)
        yield step


def _sanitized_value(row: StoredAssertion, extra_rules: ExtraRules) -> Sanitized | None:
    try:
        return sanitize_many([row.value], extra_rules)[0]
    except (SanitizerFailed, TextTooLong):
        return None


def _write_assertion(session: TenantSession, read: StoredAssertion, found: Sanitized | None, version: str) -> Rescanned:
    """Write one that is still there; its author puts new rows in the place of old ones, and never changes one."""
    row = session.scalar(for_change(select(StoredAssertion).where(StoredAssertion.id == read.id)))
    if row is None:
        return Rescanned()
    if found is not None and found.text == row.value:
        row.sanitizer_version = version
        return Rescanned(read=1)
    if found is not None and row.kind == "rubric":
        row.value, row.sanitizer_version = found.text, version
    else:
        session.delete(row)
    findings = {} if found is None else count_findings([found])
    return Rescanned(read=1, changed=1, failed=int(found is None), findings=findings)


def _read(session: TenantSession, version: str, *, after: str, again: list[str]) -> list[_Reading]:
    """The next rows that are behind, or those that were changed while they were sanitized."""
    behind = select(SkillFeedback).where(*_behind(version)).order_by(SkillFeedback.id)
    if again:
        behind = behind.where(SkillFeedback.id.in_(again))
    elif after:
        behind = behind.where(SkillFeedback.id > after)
    rows = list(session.scalars(behind.limit(READ_AT_ONCE)))
    revisions = _revisions(session, [row.id for row in rows])
    return [_reading(row, revisions.get(row.id, [])) for row in rows]


def _revisions(session: TenantSession, row_ids: list[str]) -> dict[str, list[ExampleRevision]]:
    """The former revisions of each example."""
    found: dict[str, list[ExampleRevision]] = {}
    for revision in session.scalars(select(ExampleRevision).where(ExampleRevision.example_id.in_(row_ids))):
        found.setdefault(revision.example_id, []).append(revision)
    return found


def _reading(row: SkillFeedback, revisions: list[ExampleRevision]) -> _Reading:
    texts: dict[_Place, str | None] = {(None, name): getattr(row, name) for name in _ALL_TEXTS}
    texts |= {(former.revision, name): getattr(former, name) for former in revisions for name in TEXTS}
    return _Reading(
        row_id=row.id,
        revision=row.revision,
        texts={place: text for place, text in texts.items() if text is not None},
    )


def _sanitized(reading: _Reading, extra_rules: ExtraRules) -> _Reading:
    """Sanitize all texts of a row together, so that a value has the same placeholder in each."""
    try:
        sanitized = sanitize_many(list(reading.texts.values()), extra_rules)
    except (SanitizerFailed, TextTooLong):
        return reading
    return replace(reading, sanitized=dict(zip(reading.texts, sanitized, strict=True)))


def _write(
    session: TenantSession, readings: list[_Reading], version: str, now: datetime
) -> tuple[Rescanned, list[str]]:
    """Write what is still as it was read; gives the ids of the rest, too.

    The consent lock comes first: no withdrawal is between the look at a row and the commit. It also holds the
    tenant's rules still.
    """
    lock_consent(session, exclusive=False)
    if version_with(policy.rules_in_force(session)) != version:
        return Rescanned(), [reading.row_id for reading in readings]
    done, moved_on, touched = Rescanned(), list[str](), list[str]()
    for reading in readings:
        row = session.scalar(for_change(_as_it_was(reading)))
        if row is None:
            moved_on.append(reading.row_id)
        else:
            step = _write_row(session, row, reading, version, now)
            done += step
            if (step.changed or step.failed) and isinstance(row, TrainingExample):
                touched.append(row.id)
    if touched:
        session.record(
            "rescanned",
            at=now,
            version=version,
            examples=list(touched),
            reopened=done.reopened,
            failed=done.failed,
        )
    return done, moved_on


def _as_it_was(reading: _Reading) -> Select[SkillFeedback]:
    """The row, unless somebody has changed it: every change of a text counts the revision up."""
    return select(SkillFeedback).where(SkillFeedback.id == reading.row_id, SkillFeedback.revision == reading.revision)


def _write_row(session: TenantSession, row: SkillFeedback, reading: _Reading, version: str, now: datetime) -> Rescanned:
    if reading.sanitized is None:
        _set_aside(row, now)
        return Rescanned(read=1, failed=1)
    findings = _replace(session, row, reading.texts, reading.sanitized)
    row.sanitizer_version = version
    reopened = _reopen(row, changed=findings is not None)
    if findings is None and not reopened:
        return Rescanned(read=1)
    row.revision += 1
    row.updated_at = now
    return Rescanned(read=1, changed=int(findings is not None), reopened=int(reopened), findings=findings or {})


def _replace(
    session: TenantSession, row: SkillFeedback, texts: dict[_Place, str], sanitized: dict[_Place, Sanitized]
) -> dict[str, int] | None:
    """Put the sanitized texts where they differ; the findings by type, or None when nothing differs."""
    changes = {place: found for place, found in sanitized.items() if found.text != texts[place]}
    if not changes:
        return None
    former = {revision.revision: revision for revision in _revisions(session, [row.id]).get(row.id, [])}
    for (revision, name), found in changes.items():
        setattr(row if revision is None else former[revision], name, found.text)
    if isinstance(row, TrainingExample):
        own = count_findings(found for (revision, _), found in changes.items() if revision is None)
        row.findings = added(row.findings or {}, own)
    return count_findings(changes.values())


def _reopen(row: SkillFeedback, *, changed: bool) -> bool:
    """Let the author look at an example that has changed, or that can be read at last; tells whether it was moved."""
    if not isinstance(row, TrainingExample):
        return False
    if changed and row.status == "pending":
        row.status_reason = "rescan"
    if (changed and row.status == "approved") or row.status_reason == "rescan_failed":
        row.status, row.status_reason = "pending", "rescan"
        return True
    return False


def _set_aside(row: SkillFeedback, now: datetime) -> None:
    """Quarantine an example that cannot be sanitized; what was rejected or is set aside already stays so."""
    if isinstance(row, TrainingExample) and row.status in {"pending", "approved"}:
        row.status, row.status_reason = "quarantined", "rescan_failed"
        row.revision += 1
        row.updated_at = now


def bring_up_to_date(session: TenantSession, example: TrainingExample, extra_rules: ExtraRules) -> None:
    """Before an example that is behind is edited or approved: read all its texts with the rules in force.

    In the transaction of the caller, who holds the row. Raises SanitizerFailed or TextTooLong, and then nothing of the
    decision may be stored: nobody approves what no current rule has read.
    """
    version = version_with(extra_rules)
    if (example.sanitizer_version or "").partition(NAMES_MARK)[0] == version:
        return
    texts = _reading(example, _revisions(session, [example.id]).get(example.id, [])).texts
    sanitized = sanitize_many(list(texts.values()), extra_rules)
    _replace(session, example, texts, dict(zip(texts, sanitized, strict=True)))
    example.sanitizer_version = version
    if example.status_reason == "rescan_failed":
        example.status_reason = None
