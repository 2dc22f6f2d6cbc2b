"""Taking rows out of versions, in the transaction that withdraws, erases or deletes what they are copies of.

A published version that held such a row is superseded there and then; what comes after it, the revision, has the same
rows and splits without the removed ones and is made right after the commit (`revising.py`), or by whoever asks next.
Drafts just lose their rows, and the freeze that writes them finds out when it publishes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select

from goldvein.consent import service as consent
from goldvein.consent.decision import standing_purposes
from goldvein.datasets.tables import DatasetContent, DatasetDownload, DatasetRemoval, DatasetRow, DatasetVersion
from goldvein.db.session import TenantSession, for_change
from goldvein.errors import JSONValue
from goldvein.examples.service import told_of_deletion
from goldvein.jobs import service as jobs
from goldvein.webhooks import service as webhooks

CAUSES: Final = (
    "withdrawn",
    "revoked",
    "invalidated",
    "erased",
    "account_deleted",
    "account_erased",
    "leak",
    "deleted",
)
"""What ended it: what the person, an admin or an author did; `leak`: somebody reported what should not be in it."""

REVISE: Final = "datasets.revise"
"""The job that makes the revisions of a tenant."""

REMOVAL: Final = "dataset.removal"
"""The message to the webhooks of those who downloaded a version."""

_TOLD_AT_MOST: Final = 1_000  # the list of removals has them all
_AT_ONCE: Final = 500  # databases limit how many values a statement names
_LOOSE: Final = {"synchronize_session": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Superseded:
    """A version that lost rows, and who had downloaded it."""

    version: DatasetVersion
    examples: list[str]
    downloaders: list[str]


def remove_examples(
    session: TenantSession, example_ids: Iterable[str], *, cause: str, now: datetime
) -> list[Superseded]:
    """Take examples out of every version and draft, with the copies of their texts.

    The caller holds the tenant's consent exclusively, so that no freeze is between reading them and writing them.
    """
    found: list[Any] = []
    for some in batched(example_ids, _AT_ONCE):
        found += _rows_where(session, DatasetRow.example_id.in_(some))
    return _take_away(session, found, cause=cause, now=now)


@told_of_deletion
def remove_deleted(session: TenantSession, example_ids: Sequence[str], now: datetime) -> None:
    """What an author deletes, one example or a skill with all of them, goes the same way."""
    remove_examples(session, example_ids, cause="deleted", now=now)


def remove_uncovered(session: TenantSession, people: Collection[str], *, cause: str, now: datetime) -> list[Superseded]:
    """Take out the rows whose consent records no longer stand for what their version was frozen for.

    For what ends a consent without erasing: a withdrawal for some purposes, a notice that was invalidated.
    """
    histories = consent.consent_histories(session, people)
    found: list[Any] = []
    for person_id, history in histories.items():
        for row in _rows_where(session, DatasetRow.person_id == person_id):
            standing = standing_purposes(row.person_consent_id or "", history, row.skill_id)
            if not set(row.purposes) <= standing:
                found.append(row)
    return _take_away(session, found, cause=cause, now=now)


def _rows_where(session: TenantSession, condition: ColumnElement[bool]) -> list[Any]:
    rows = select(
        DatasetRow.version_id,
        DatasetRow.position,
        DatasetRow.example_id,
        DatasetRow.content_hash,
        DatasetRow.skill_id,
        DatasetRow.person_consent_id,
        DatasetVersion.purposes,
    ).join(DatasetVersion, DatasetVersion.id == DatasetRow.version_id)
    return list(session.execute(rows.where(condition).order_by(DatasetRow.version_id, DatasetRow.position)))


def _take_away(session: TenantSession, found: Sequence[Any], *, cause: str, now: datetime) -> list[Superseded]:
    by_version: dict[str, list[Any]] = {}
    for row in found:
        by_version.setdefault(row.version_id, []).append(row)
    superseded = []
    for rows_of, rows in by_version.items():
        for some in batched(rows, _AT_ONCE):
            here = DatasetRow.version_id == rows_of, DatasetRow.position.in_([row.position for row in some])
            session.execute(delete(DatasetRow).where(*here), execution_options=_LOOSE)
        lost = _supersede(session, rows_of, [row.example_id for row in rows], cause=cause, now=now)
        if lost is not None:
            superseded.append(lost)
            _tell(session, lost, cause=cause, now=now)
    erase_contents(session, {row.content_hash for row in found})
    return superseded


def _tell(session: TenantSession, lost: Superseded, *, cause: str, now: datetime) -> None:
    """Promise the revision, and a message to everybody who has a copy."""
    jobs.enqueue(session, REVISE, now=now)
    told: dict[str, JSONValue] = {
        "dataset_id": lost.version.dataset_id,
        "version": lost.version.label,
        "cause": cause,
        "examples": list(lost.examples[:_TOLD_AT_MOST]),
        "count": len(lost.examples),
    }
    webhooks.announce(session, session.tenant_id, lost.downloaders, REMOVAL, told, now=now)


def erase_contents(session: TenantSession, content_hashes: Iterable[str]) -> None:
    """Erase the texts that no row refers to any more."""
    held = select(DatasetRow.content_hash).where(DatasetRow.content_hash == DatasetContent.content_hash)
    for some in batched(sorted(content_hashes), _AT_ONCE):
        here = DatasetContent.content_hash.in_(some), ~held.exists()
        session.execute(delete(DatasetContent).where(*here), execution_options=_LOOSE)


def _supersede(
    session: TenantSession, rows_of: str, examples: list[str], *, cause: str, now: datetime
) -> Superseded | None:
    """Mark the newest version over these rows; None for a draft.

    When its revision has not been made yet, it is superseded already and the removal joins the others on its list.
    """
    newest = select(DatasetVersion).where(DatasetVersion.rows_of == rows_of).order_by(DatasetVersion.minor.desc())
    version = session.scalars(for_change(newest.limit(1))).one()
    version.removals += 1
    if version.number is None:
        return None
    if version.state == "published":
        version.state, version.superseded_at = "superseded", now
        version.statistics = version.borderline = version.dropped = None
    seq = session.scalar(select(func.max(DatasetRemoval.seq)).where(DatasetRemoval.dataset_id == version.dataset_id))
    for place, example_id in enumerate(examples, start=(seq or 0) + 1):
        session.add(
            DatasetRemoval(
                dataset_id=version.dataset_id,
                seq=place,
                number=version.number,
                minor=version.minor,
                example_id=example_id,
                cause=cause,
                removed_at=now,
            )
        )
    session.flush()
    session.record(
        "superseded", at=now, dataset=version.dataset_id, version=version.label, count=len(examples), cause=cause
    )
    return Superseded(version=version, examples=examples, downloaders=_downloaders(session, version))


def _downloaders(session: TenantSession, version: DatasetVersion) -> list[str]:
    """Who has a copy of the version, or of one that it is a revision of."""
    of_rows = select(DatasetVersion.id).where(DatasetVersion.rows_of == version.rows_of)
    people = select(DatasetDownload.person_id).where(DatasetDownload.version_id.in_(of_rows)).distinct()
    return sorted(session.scalars(people))


def batched(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most so many values."""
    some = iter(values)
    while part := list(islice(some, size)):
        yield part
