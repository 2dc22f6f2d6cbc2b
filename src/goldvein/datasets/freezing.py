"""Freezing a version: read and computed beside everybody else, written in small pieces, published at once.

1. What would be in it is planned in a snapshot (`planning.py`). 2. Its rows and texts are written into a draft, which
nobody sees, in transactions of a few milliseconds; each of them leaves out what was erased meanwhile. 3. One short
transaction holds the consent, asks again about everybody who has decided something since, gives the draft its number,
signs it and tells the ledger. When a removal has reached the draft meanwhile, 3. is done again with what is left.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, select

from goldvein import failpoints
from goldvein.consent import service as consent
from goldvein.datasets import choices, manifest, owning, planning, publishing, removal
from goldvein.datasets.manifest import RowFacts, digest_rows
from goldvein.datasets.planning import Plan, PlannedRow, Progress, no_progress
from goldvein.datasets.statistics import Described, describe
from goldvein.datasets.tables import Dataset, DatasetContent, DatasetRow, DatasetVersion
from goldvein.db.batch import BatchConnection, BulkInsert, Query, Transaction
from goldvein.db.ids import new_id
from goldvein.db.session import Database, TenantSession, for_change, lock_consent
from goldvein.errors import (
    AlreadyFreezing,
    NoTerms,
    NothingToFreeze,
    SplitsLeak,
    StaleRevision,
    StoreUnavailable,
)
from goldvein.feedback.tables import SkillFeedback
from goldvein.identity.actor import Actor
from goldvein.identity.server_key import ServerKey
from goldvein.settings import Settings

_ROWS_AT_ONCE: Final = 250
_CHARS_AT_ONCE: Final = 500_000  # of texts: what one transaction writes in a few milliseconds
_CHECKPOINT_EVERY: Final = 16  # pieces, so that SQLite's log never has much to move at a commit
_PUBLISH_TRIES: Final = 5
_LOOSE: Final = {"synchronize_session": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """What a freeze did. `version` is None after a dry run; `is_new` is False when nothing had changed."""

    version: DatasetVersion | None
    is_new: bool
    plan: Plan
    statistics: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """What is being written: the planned rows with what is stored of each."""

    version_id: str
    dataset: Dataset
    plan: Plan
    facts: list[RowFacts]
    numbers: list[tuple[int, int, int]]
    """characters of input and answer, percent redacted"""
    content: dict[str, Any]
    content_hash: str
    statistics: dict[str, Any]
    previous: DatasetVersion | None


def freeze(
    database: Database,
    server_key: ServerKey,
    settings: Settings,
    actor: Actor,
    id_or_slug: str,
    *,
    now: datetime,
    dry_run: bool = False,
    allow_leakage: bool = False,
    tell: Progress = no_progress,
) -> Frozen:
    """As owner, freeze the next version, or only see what it would be.

    Refused without terms, without a row, and when something leaks over splits, unless that is allowed. When nothing
    has changed since the newest version, that one is the answer.
    """
    with database.read(actor.tenant_id) as session:
        dataset = owning.need_owner(session, actor, id_or_slug)
        if dataset.terms is None:
            raise NoTerms
        draft = _draft(session, dataset, settings, allow_leakage=allow_leakage, tell=tell)
        session.expunge_all()
    newest, statistics = draft.previous, draft.statistics
    if dry_run:
        return Frozen(version=None, is_new=True, plan=draft.plan, statistics=statistics)
    if not draft.plan.rows:
        raise NothingToFreeze
    leakage = draft.plan.leakage
    if not leakage.is_none and not allow_leakage:
        raise SplitsLeak(pairs=leakage.pairs, persons=leakage.persons, sessions=leakage.sessions)
    if newest is not None and newest.state == "published" and newest.content_hash == draft.content_hash:
        return Frozen(version=newest, is_new=False, plan=draft.plan, statistics=statistics)
    failpoints.reach("freeze.planned")
    with _only_one(database, dataset.id):
        _discard_drafts(database, actor.tenant_id, dataset.id)
        _begin(database, actor, draft, now)
        try:
            _write_rows(database, actor.tenant_id, draft, tell)
            version = _publish(database, server_key, actor, draft, now, allow_leakage=allow_leakage)
        except BaseException:
            _discard_drafts(database, actor.tenant_id, dataset.id)
            raise
    return Frozen(version=version, is_new=True, plan=draft.plan, statistics=version.statistics or {})


def _draft(
    session: TenantSession, dataset: Dataset, settings: Settings, *, allow_leakage: bool, tell: Progress
) -> _Draft:
    skills = owning.need_skills(session, dataset)
    previous = publishing.newest_version(session, dataset.id)
    kept = _splits_of(session, previous)
    terms = choices.read_terms(dataset.terms or {})
    plan = planning.make_plan(session, dataset, terms, skills=skills, kept=kept, settings=settings, tell=tell)
    slug_of = {skill_id: slug for slug, skill_id in plan.skills.items()}
    facts = [_facts(row, slug_of) for row in plan.rows]
    content = publishing.content_of(
        dataset, plan.purposes, digest_rows(facts), plan.leakage, allowed_leakage=allow_leakage
    )
    draft = _Draft(
        version_id=new_id(),
        dataset=dataset,
        plan=plan,
        facts=facts,
        numbers=[_numbers(row) for row in plan.rows],
        content=content,
        content_hash=choices.hash_of(content),
        statistics={},
        previous=previous,
    )
    return replace(draft, statistics=describe(_described(draft)))


def _splits_of(session: TenantSession, version: DatasetVersion | None) -> dict[str, str]:
    if version is None:
        return {}
    rows = select(DatasetRow.example_id, DatasetRow.split).where(DatasetRow.version_id == version.rows_of)
    return {row[0]: row[1] for row in session.execute(rows)}


def _facts(row: PlannedRow, slug_of: dict[str, str]) -> RowFacts:
    one = row.candidate
    return RowFacts(
        example_id=one.example_id,
        content_hash=manifest.hash_of_texts(one.example_input, one.example_output, one.expected_output),
        split=row.split,
        cluster=row.cluster,
        skill=slug_of[one.skill_id],
        skill_version=one.skill_digest,
        source=one.source,
        tool_name=one.tool_name,
        answer_from=one.answer_from,
        quality_score=one.quality_score,
        tenant_consent_id=one.tenant_consent_id,
        person_consent_id=one.person_consent_id,
        sanitizer_version=one.sanitizer_version,
        findings=one.findings,
        reviewed_by=one.reviewed_by,
        reviewed_at=one.reviewed_at,
        usage_event_id=one.usage_event_id,
    )


def _numbers(row: PlannedRow) -> tuple[int, int, int]:
    one = row.candidate
    return len(one.example_input), len(one.answer or one.example_output), planning.redacted(one)


def _described(draft: _Draft, written: Collection[str] | None = None) -> Iterator[Described]:
    """The planned rows as the statistics read them: all, or those that were written."""
    for row, facts, numbers in zip(draft.plan.rows, draft.facts, draft.numbers, strict=True):
        if written is not None and facts.example_id not in written:
            continue
        yield Described(
            split=row.split,
            cluster=row.cluster,
            source=facts.source,
            skill=facts.skill,
            skill_version=facts.skill_version,
            tool_name=facts.tool_name,
            person=row.candidate.person_id,
            quality_score=facts.quality_score,
            has_answer=facts.answer_from is not None,
            input_chars=numbers[0],
            answer_chars=numbers[1],
            redaction_percent=numbers[2],
        )


_freezing: set[str] = set()
_freezing_guard = threading.Lock()


@contextmanager
def _only_one(database: Database, dataset_id: str) -> Iterator[None]:
    """One freeze of a dataset at a time, in all processes: whatever draft there is then is one that was given up."""
    with _freezing_guard:
        if dataset_id in _freezing:
            raise AlreadyFreezing
        _freezing.add(dataset_id)
    try:
        with database.alone(f"freeze:{dataset_id}") as is_alone:
            if not is_alone:
                raise AlreadyFreezing
            yield
    finally:
        with _freezing_guard:
            _freezing.discard(dataset_id)


def _begin(database: Database, actor: Actor, draft: _Draft, now: datetime) -> None:
    with database.write(actor.tenant_id) as session:
        session.add(
            DatasetVersion(
                id=draft.version_id,
                dataset_id=draft.dataset.id,
                state="draft",
                minor=0,
                rows_of=draft.version_id,
                removals=0,
                row_count=0,
                purposes=draft.plan.purposes,
                consent_seq=draft.plan.consent_seq,
                frozen_by=actor.person_id,
                frozen_at=now,
            )
        )


_EXAMPLES, _CONTENTS = SkillFeedback.__table__.c, DatasetContent.__table__.c
# No more conditions: PostgreSQL would take the index of one of them, and look at every example of the tenant.
_STILL_THERE = Query(
    select(_EXAMPLES.id).where(
        _EXAMPLES.id.in_(bindparam("examples", expanding=True)), _EXAMPLES.example_input.is_not(None)
    )
)
_KNOWN = Query(select(_CONTENTS.content_hash).where(_CONTENTS.content_hash.in_(bindparam("hashes", expanding=True))))
_ADD_CONTENTS = BulkInsert(
    DatasetContent.__table__, "content_hash", "example_input", "example_output", "expected_output"
)
_FACTS: Final = tuple(RowFacts.__dataclass_fields__)
_ADD_ROWS = BulkInsert(
    DatasetRow.__table__,
    "version_id",
    "position",
    "person_id",
    "skill_id",
    "session_id",
    "input_chars",
    "answer_chars",
    "redacted_percent",
    *_FACTS,
)


def _write_rows(database: Database, tenant_id: str, draft: _Draft, tell: Progress) -> None:
    connection = BatchConnection(database)
    try:
        written = 0
        for number, piece in enumerate(_pieces(draft.plan.rows), start=1):
            with connection.transaction() as transaction:
                transaction.enter(tenant_id)
                _write_piece(transaction, draft, piece)
            failpoints.reach("freeze.written")
            written += len(piece)
            tell("writing", written, len(draft.plan.rows))
            if database.is_sqlite and number % _CHECKPOINT_EVERY == 0:
                database.checkpoint()
    finally:
        connection.close()


def _pieces(rows: Sequence[PlannedRow]) -> Iterator[range]:
    """Positions of rows that are written together."""
    start = chars = 0
    for position, row in enumerate(rows):
        one = row.candidate
        chars += len(one.example_input) + len(one.example_output) + len(one.expected_output or "")
        if chars >= _CHARS_AT_ONCE or position - start + 1 >= _ROWS_AT_ONCE:
            yield range(start, position + 1)
            start, chars = position + 1, 0
    if start < len(rows):
        yield range(start, len(rows))


def _write_piece(transaction: Transaction, draft: _Draft, piece: range) -> None:
    """Write some rows: none of an example that was erased since it was read. The transaction holds the consent."""
    facts = [draft.facts[position] for position in piece]
    there, known = transaction.read(
        (_STILL_THERE, {"examples": [one.example_id for one in facts]}),
        (_KNOWN, {"hashes": sorted({one.content_hash for one in facts})}),
    )
    still_there, contents = {row[0] for row in there}, {row[0] for row in known}
    new_contents: dict[str, tuple[Any, ...]] = {}
    rows = []
    for position, one in zip(piece, facts, strict=True):
        if one.example_id not in still_there:
            continue
        candidate = draft.plan.rows[position].candidate
        if one.content_hash not in contents:
            texts = candidate.example_input, candidate.example_output, candidate.expected_output
            new_contents[one.content_hash] = (one.content_hash, *texts)
        mine = position, candidate.person_id, candidate.skill_id, candidate.session_id, *draft.numbers[position]
        rows.append((draft.version_id, *mine, *(getattr(one, name) for name in _FACTS)))
    transaction.insert(_ADD_CONTENTS, list(new_contents.values()))
    transaction.insert(_ADD_ROWS, rows)


def _publish(
    database: Database, server_key: ServerKey, actor: Actor, draft: _Draft, now: datetime, *, allow_leakage: bool
) -> DatasetVersion:
    for _ in range(_PUBLISH_TRIES):
        found = _look_again(database, actor.tenant_id, draft, allow_leakage=allow_leakage)
        if not found.row_count:
            raise NothingToFreeze
        failpoints.reach("freeze.publishing")
        with database.write(actor.tenant_id) as session:
            lock_consent(session, exclusive=False)
            version = _publish_in(session, server_key, actor, draft=draft, found=found, now=now)
        if version is not None:
            return version
        _remove_uncovered(database, actor.tenant_id, draft, now)
    raise StoreUnavailable


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """The draft as it is: how often it has lost rows, and what is to be signed of the rest."""

    removals: int
    row_count: int
    content: dict[str, Any]
    content_hash: str
    statistics: dict[str, Any]
    missing: set[str]
    consent_seq: int


def _look_again(database: Database, tenant_id: str, draft: _Draft, *, allow_leakage: bool) -> _Found:
    """Compute what is signed from what was written, whatever has become of it since."""
    with database.read(tenant_id) as session:
        version = session.scalars(select(DatasetVersion).where(DatasetVersion.id == draft.version_id)).one()
        removals, consent_seq = version.removals, version.consent_seq
        written = set(session.scalars(select(DatasetRow.example_id).where(DatasetRow.version_id == draft.version_id)))
    missing = {one.example_id for one in draft.facts} - written
    content, statistics = draft.content, draft.statistics
    if missing:
        digest = digest_rows(one for one in draft.facts if one.example_id in written)
        content = publishing.content_of(
            draft.dataset, draft.plan.purposes, digest, draft.plan.leakage, allowed_leakage=allow_leakage
        )
        statistics = describe(_described(draft, written))
    return _Found(
        removals=removals,
        row_count=len(written),
        content=content,
        content_hash=choices.hash_of(content),
        statistics=statistics,
        missing=missing,
        consent_seq=consent_seq,
    )


def _publish_in(
    session: TenantSession, server_key: ServerKey, actor: Actor, *, draft: _Draft, found: _Found, now: datetime
) -> DatasetVersion | None:
    """Publish the draft, if everything is as it was looked at; None: it has to be looked at again.

    Short, because the consent and the dataset are held: who has decided since is asked, nobody else.
    """
    version = session.scalars(for_change(select(DatasetVersion).where(DatasetVersion.id == draft.version_id))).one()
    decided, consent_seq = consent.people_decided_since(session, found.consent_seq), consent.newest_seq(session)
    if version.removals != found.removals or decided & _people(draft):
        return None
    dataset = owning.need_owner(session, actor, draft.dataset.id, to_change=True)
    if dataset.revision != draft.dataset.revision:
        raise StaleRevision(current={"revision": dataset.revision})
    owning.need_skills(session, dataset)
    newest = publishing.newest_version(session, dataset.id)
    number = (newest.number or 0) + 1 if newest is not None else 1
    signed = publishing.sign_version(
        session,
        server_key,
        dataset,
        label=str(number),
        content=found.content,
        content_hash=found.content_hash,
        frozen_by=actor.person_id,
        previous=newest,
        now=now,
    )
    version.state, version.number = "published", number
    version.row_count = found.row_count
    version.consent_seq = consent_seq
    version.content_hash = found.content_hash
    version.manifest, version.manifest_hash = signed.manifest, signed.manifest_hash
    version.statement = signed.statement
    version.statistics = found.statistics
    version.borderline = [pair for pair in draft.plan.borderline if not found.missing & set(pair["examples"])]
    version.dropped = _dropped(draft, found.missing)
    session.flush()
    session.record(
        "frozen",
        at=now,
        people={"actor": actor.person_id},
        dataset=dataset.id,
        version=version.label,
        rows=found.row_count,
        content=found.content_hash,
        manifest=signed.manifest_hash,
    )
    return version


def _people(draft: _Draft) -> set[str]:
    return {row.candidate.person_id for row in draft.plan.rows if row.candidate.person_id is not None}


def _dropped(draft: _Draft, missing: Iterable[str]) -> dict[str, str]:
    """Why examples of the version before are not in this one; those that were removed from it are on its list."""
    before = draft.plan.kept_before
    planned = {row.candidate.example_id for row in draft.plan.rows}
    dropped = {example_id: draft.plan.left_out.get(example_id, "not_approved") for example_id in before - planned}
    return dropped | dict.fromkeys(before & set(missing), "removed")


def _remove_uncovered(database: Database, tenant_id: str, draft: _Draft, now: datetime) -> None:
    """Somebody has decided meanwhile: the rows that no longer stand go, and what was decided has been looked at."""
    with database.write(tenant_id) as session:
        lock_consent(session, exclusive=True)
        version = session.scalars(select(DatasetVersion).where(DatasetVersion.id == draft.version_id)).one()
        decided = consent.people_decided_since(session, version.consent_seq) & _people(draft)
        removal.remove_uncovered(session, decided, cause="withdrawn", now=now)
        version.consent_seq = consent.newest_seq(session)


def _discard_drafts(database: Database, tenant_id: str, dataset_id: str) -> None:
    """Take away what freezes of this dataset have left that were given up, a piece at a time."""
    more = True
    while more:
        with database.write(tenant_id) as session:
            lock_consent(session, exclusive=True)  # nobody writes a row meanwhile that refers to a text taken here
            more = _discard_piece(session, dataset_id)


def _discard_piece(session: TenantSession, dataset_id: str) -> bool:
    drafts = DatasetVersion.dataset_id == dataset_id, DatasetVersion.state == "draft"
    draft_ids = list(session.scalars(select(DatasetVersion.id).where(*drafts)))
    if not draft_ids:
        return False
    rows = select(DatasetRow.version_id, DatasetRow.position, DatasetRow.content_hash)
    some = list(session.execute(rows.where(DatasetRow.version_id.in_(draft_ids)).limit(_ROWS_AT_ONCE)))
    if not some:
        session.execute(delete(DatasetVersion).where(*drafts), execution_options=_LOOSE)
        return False
    for draft_id in draft_ids:
        positions = [row.position for row in some if row.version_id == draft_id]
        here = DatasetRow.version_id == draft_id, DatasetRow.position.in_(positions)
        session.execute(delete(DatasetRow).where(*here), execution_options=_LOOSE)
    removal.erase_contents(session, {row.content_hash for row in some})
    return True
