"""Reading versions: by number, revision or tag; their rows; what differs between two; and their tags."""

import difflib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from goldvein.consent import service as consent
from goldvein.datasets import choices, manifest, owning, publishing, removal
from goldvein.datasets.revising import answer_of
from goldvein.datasets.rows import Row
from goldvein.datasets.splits import SPLITS
from goldvein.datasets.tables import (
    Dataset,
    DatasetContent,
    DatasetDownload,
    DatasetRemoval,
    DatasetRow,
    DatasetTag,
    DatasetVersion,
)
from goldvein.db.ids import new_id
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField, NotFound, StoreUnavailable, VersionSuperseded
from goldvein.identity.actor import Actor

HOLDOUT: Final = "holdout"
_ROWS_AT_ONCE: Final = 1_000
_MAX_NUMBER_DIGITS: Final = 9


def find_version(session: TenantSession, dataset: Dataset, name: str) -> DatasetVersion:
    """A version by `3` (its newest revision), `3.1`, or a tag.

    One from which rows were removed is superseded: VersionSuperseded names the one that stands in its place. Where
    that has not been made yet, StoreUnavailable says to come back.
    """
    number, minor = _numbers(session, dataset, name)
    here = DatasetVersion.dataset_id == dataset.id, DatasetVersion.number == number
    found = list(session.scalars(select(DatasetVersion).where(*here).order_by(DatasetVersion.minor)))
    named = [version for version in found if minor is None or version.minor == minor]
    if not named:
        raise NotFound(what="version of this dataset")
    version, newest = named[-1], found[-1]
    if newest.state == "superseded":
        raise StoreUnavailable
    if version.state == "superseded":
        raise VersionSuperseded(version=version.label, superseded_by=newest.label)
    return version


def _numbers(session: TenantSession, dataset: Dataset, name: str) -> tuple[int, int | None]:
    if name == choices.LATEST:
        newest = publishing.newest_version(session, dataset.id)
        if newest is None or newest.number is None:
            raise NotFound(what="version of this dataset")
        return newest.number, None
    if name[:1].isdigit():
        return version_numbers(name)
    here = DatasetTag.dataset_id == dataset.id, DatasetTag.tag == name
    tag = session.scalar(select(DatasetTag).where(*here)) if name.isprintable() else None
    if tag is None:
        raise NotFound(what="version of this dataset")
    return tag.number, None


def version_numbers(name: str) -> tuple[int, int | None]:
    """`3` and `3.1` as numbers: the revision is None where none is named. `3.0` is the version before any removal."""
    parts = name.split(".")
    readable = all(part.isascii() and part.isdigit() and len(part) <= _MAX_NUMBER_DIGITS for part in parts)
    if not readable or len(parts) > 2:  # noqa: PLR2004 (a number and a revision)
        raise NotFound(what="version of this dataset")
    return int(parts[0]), int(parts[1]) if parts[1:] else None


def is_waiting(session: TenantSession, dataset: Dataset) -> list[int]:
    """The numbers of versions whose revision has not been made yet."""
    rows = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id, DatasetVersion.number.is_not(None))
    newest: dict[int, DatasetVersion] = {}
    for version in session.scalars(rows.order_by(DatasetVersion.minor)):
        newest[version.number or 0] = version
    return [number for number, version in newest.items() if version.state == "superseded"]


def history(session: TenantSession, dataset: Dataset) -> list[DatasetVersion]:
    """Every version and revision, the newest first; superseded ones too."""
    rows = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id, DatasetVersion.number.is_not(None))
    return list(session.scalars(rows.order_by(DatasetVersion.number.desc(), DatasetVersion.minor.desc())))


def need_standing(session: TenantSession, version: DatasetVersion, now: datetime) -> bool:
    """Ask the consent of everybody who has decided since it was last looked at; False when rows had to go.

    The caller holds the consent exclusively. Asked once for a person; for whoever did not decide since, it stands.
    """
    newest = consent.newest_seq(session)
    if newest == version.consent_seq:
        return True
    people = select(DatasetRow.person_id).where(DatasetRow.version_id == version.rows_of).distinct()
    decided = consent.people_decided_since(session, version.consent_seq)
    concerned = decided & {person_id for person_id in session.scalars(people) if person_id is not None}
    version.consent_seq = newest
    return not removal.remove_uncovered(session, concerned, cause="invalidated", now=now)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """A row as exports see it, with its place and what explains it."""

    position: int
    row: Row
    provenance: dict[str, Any]


def read_rows(
    session: TenantSession,
    version: DatasetVersion,
    *,
    splits: tuple[str, ...] | None = None,
    after: int = -1,
    limit: int | None = None,
) -> Iterator[Explained]:
    """Rows with their texts in the order of positions, a thousand at a time: memory does not grow with them."""
    rows = (
        select(DatasetRow, DatasetContent)
        .join(DatasetContent, DatasetContent.content_hash == DatasetRow.content_hash)
        .where(DatasetRow.version_id == version.rows_of, DatasetRow.position > after)
        .order_by(DatasetRow.position)
    )
    if splits is not None:
        rows = rows.where(DatasetRow.split.in_(splits))
    if limit is not None:
        rows = rows.limit(limit)
    for part in session.execute(rows.execution_options(yield_per=_ROWS_AT_ONCE)).partitions():
        for row, content in part:
            yield explained(row, content)
        session.expunge_all()


def explained(row: DatasetRow, content: DatasetContent) -> Explained:
    """A stored row and its texts as exports see them."""
    return Explained(
        position=row.position,
        row=Row(
            example_id=row.example_id,
            content_hash=row.content_hash,
            split=row.split,
            skill=row.skill,
            skill_version=row.skill_version,
            source=row.source,
            tool_name=row.tool_name,
            example_input=content.example_input,
            example_output=content.example_output,
            expected_output=content.expected_output,
            answer=answer_of(row.answer_from, content),
            quality_score=row.quality_score,
        ),
        provenance=manifest.provenance(publishing.facts_of(row)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How a row differs between two versions: added, removed, edited or moved (to another split).

    `reason` says why it was removed, where that is known; `changes` are the lines of a text diff, by text.
    """

    kind: str
    example_id: str
    split_before: str | None = None
    split_after: str | None = None
    reason: str | None = None
    changes: dict[str, list[str]] | None = None

    def as_json(self) -> dict[str, Any]:
        """By the names of its fields."""
        return asdict(self)


_TEXTS: Final = ("example_input", "example_output", "expected_output")


def diff(session: TenantSession, before: DatasetVersion, after: DatasetVersion) -> list[Difference]:
    """What changed from one version to another, by example; texts of edited rows as line diffs."""
    old, new = _by_example(session, before), _by_example(session, after)
    found = [
        Difference(kind="added", example_id=example_id, split_after=row.split)
        for example_id, row in new.items()
        if example_id not in old
    ]
    gone = [example_id for example_id in old if example_id not in new]
    reasons = _reasons(session, before, after)
    found += [
        Difference(
            kind="removed", example_id=example_id, split_before=old[example_id].split, reason=reasons.get(example_id)
        )
        for example_id in gone
    ]
    for example_id, row in new.items():
        earlier = old.get(example_id)
        if earlier is None:
            continue
        splits = {"split_before": earlier.split, "split_after": row.split}
        if earlier.content_hash != row.content_hash:
            changes = _changes(session, earlier.content_hash, row.content_hash)
            found.append(Difference(kind="edited", example_id=example_id, changes=changes, **splits))
        elif earlier.split != row.split:
            found.append(Difference(kind="moved", example_id=example_id, **splits))
    return found


def _by_example(session: TenantSession, version: DatasetVersion) -> dict[str, Any]:
    rows = select(DatasetRow.example_id, DatasetRow.split, DatasetRow.content_hash)
    rows = rows.where(DatasetRow.version_id == version.rows_of).order_by(DatasetRow.position)
    return {row.example_id: row for row in session.execute(rows)}


def _reasons(session: TenantSession, before: DatasetVersion, after: DatasetVersion) -> dict[str, str]:
    """Why rows went, from what each version between the two left out of the one before it."""
    between = select(DatasetVersion.dropped).where(
        DatasetVersion.dataset_id == before.dataset_id,
        DatasetVersion.number > before.number,
        DatasetVersion.number <= after.number,
    )
    reasons: dict[str, str] = {}
    for dropped in session.scalars(between.order_by(DatasetVersion.number, DatasetVersion.minor)):
        reasons |= dropped or {}
    return reasons


def _changes(session: TenantSession, before: str, after: str) -> dict[str, list[str]]:
    contents = session.scalars(select(DatasetContent).where(DatasetContent.content_hash.in_([before, after])))
    by_hash = {content.content_hash: content for content in contents}
    changes = {}
    for name in _TEXTS:
        old, new = ((getattr(by_hash[one], name) or "").splitlines() for one in (before, after))
        if old != new:
            changes[name] = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
    return changes


def tags_of(session: TenantSession, dataset: Dataset) -> list[DatasetTag]:
    """The tags of a dataset, by name; `latest` is none of them, it moves by itself."""
    return list(session.scalars(select(DatasetTag).where(DatasetTag.dataset_id == dataset.id).order_by(DatasetTag.tag)))


def put_tag(session: TenantSession, actor: Actor, id_or_slug: str, tag: str, *, version: str, now: datetime) -> None:
    """As owner, let a tag name a version, from now on its newest revision too."""
    dataset = owning.need_owner(session, actor, id_or_slug, to_change=True)
    name, number = choices.check_tag(tag), find_version(session, dataset, version).number
    here = DatasetTag.dataset_id == dataset.id, DatasetTag.tag == name
    found = session.scalar(select(DatasetTag).where(*here))
    if found is None:
        found = DatasetTag(dataset_id=dataset.id, tag=name)
        session.add(found)
    found.number, found.tagged_by, found.tagged_at = number or 0, actor.person_id, now
    owning.record_change(session, actor, dataset, "tagged", now)


def drop_tag(session: TenantSession, actor: Actor, id_or_slug: str, tag: str, *, now: datetime) -> None:
    """As owner, take a tag away."""
    dataset = owning.need_owner(session, actor, id_or_slug, to_change=True)
    here = DatasetTag.dataset_id == dataset.id, DatasetTag.tag == tag
    found = session.scalar(select(DatasetTag).where(*here)) if tag.isprintable() else None
    if found is None:
        raise NotFound(what="tag")
    session.delete(found)
    owning.record_change(session, actor, dataset, "untagged", now)


def removals_since(session: TenantSession, dataset: Dataset, *, since: int, limit: int) -> list[DatasetRemoval]:
    """What was removed from versions of the dataset, in order; `since` is the last number seen."""
    rows = select(DatasetRemoval).where(DatasetRemoval.dataset_id == dataset.id, DatasetRemoval.seq > since)
    return list(session.scalars(rows.order_by(DatasetRemoval.seq).limit(limit)))


def log_download(
    session: TenantSession,
    actor: Actor,
    version: DatasetVersion,
    *,
    form: str,
    splits: tuple[str, ...],
    terms_hash: str | None,
    now: datetime,
) -> None:
    """Keep who got or looked at what; the ledger keeps it too, and how often a holdout was looked at."""
    session.add(
        DatasetDownload(
            id=new_id(),
            dataset_id=version.dataset_id,
            version_id=version.id,
            person_id=actor.person_id,
            form=form,
            splits=list(splits),
            terms_hash=terms_hash,
            downloaded_at=now,
        )
    )
    people = {"recipient": actor.person_id}
    about: dict[str, Any] = {"dataset": version.dataset_id, "version": version.label}
    if form != HOLDOUT:
        session.record("exported", at=now, people=people, **about, format=form, manifest=version.manifest_hash)
    if HOLDOUT in splits:
        session.record("looked", at=now, people=people, **about, looks=holdout_looks(session, version))


def holdout_looks(session: TenantSession, version: DatasetVersion) -> int:
    """How often the holdout of the version, whatever revision of it, was looked at; this time included."""
    session.flush()
    of_rows = select(DatasetVersion.id).where(DatasetVersion.rows_of == version.rows_of)
    splits = select(DatasetDownload.splits).where(DatasetDownload.version_id.in_(of_rows))
    return sum(HOLDOUT in some for some in session.scalars(splits))


def versions_holding(session: TenantSession, person_id: str) -> dict[str, list[str]]:
    """In which published versions the examples captured from a person are, as `notes 3`, by example."""
    rows = (
        select(DatasetRow.example_id, Dataset.slug, DatasetVersion)
        .join(DatasetVersion, DatasetVersion.rows_of == DatasetRow.version_id)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(DatasetRow.person_id == person_id, DatasetVersion.state == "published")
    )
    found: dict[str, list[str]] = {}
    for example_id, slug, version in session.execute(rows.order_by(Dataset.slug, DatasetVersion.number)):
        found.setdefault(example_id, []).append(f"{slug} {version.label}")
    return found


def downloads_of(session: TenantSession, dataset: Dataset, *, limit: int) -> list[tuple[str, DatasetDownload]]:
    """The export log with the names of the versions, the newest first."""
    rows = select(DatasetDownload, DatasetVersion).join(DatasetVersion, DatasetVersion.id == DatasetDownload.version_id)
    rows = rows.where(DatasetDownload.dataset_id == dataset.id)
    rows = rows.order_by(DatasetDownload.downloaded_at.desc(), DatasetDownload.id.desc()).limit(limit)
    return [(version.label, download) for download, version in session.execute(rows)]


def removal_lists(session: TenantSession, dataset: Dataset, named: set[tuple[int, int]]) -> dict[str, dict[str, Any]]:
    """The signed lists of superseded versions, by their names."""
    rows = select(DatasetVersion).where(
        DatasetVersion.dataset_id == dataset.id, DatasetVersion.number.in_({number for number, _ in named})
    )
    return {
        version.label: version.removal_list
        for version in session.scalars(rows.order_by(DatasetVersion.number, DatasetVersion.minor))
        if version.removal_list is not None and (version.number, version.minor) in named
    }


def label_of(number: int, minor: int) -> str:
    """The name of a version: 3, or 3.1."""
    return f"{number}.{minor}" if minor else str(number)


def splits_asked(split: str | None) -> tuple[str, ...]:
    """Which splits are read: all but the holdout, which must be named."""
    if split is None:
        return tuple(name for name in SPLITS if name != HOLDOUT)
    if split not in SPLITS:
        raise InvalidField(field="split", reason=f"one of {', '.join(SPLITS)}")
    return (split,)


def position_in(cursor: str) -> int:
    """The position in the cursor of a list of rows."""
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > _MAX_NUMBER_DIGITS:
        raise InvalidField(field="cursor", reason="not a cursor of this list")
    return int(cursor)


def as_shown(one: Explained) -> dict[str, Any]:
    """A row with what explains it, by the names of its fields; assertions stand with the skill and the example."""
    shown = asdict(one.row)
    del shown["assertions"]
    return {**shown, "provenance": one.provenance}
