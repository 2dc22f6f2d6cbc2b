"""The revision of a superseded version: 3.1 after 3, with the same rows and splits without what was removed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from goldvein import failpoints
from goldvein.consent.ledger import signing_seed
from goldvein.datasets import choices, manifest, planning, publishing
from goldvein.datasets.manifest import digest_rows
from goldvein.datasets.splits import Leakage, Member
from goldvein.datasets.statistics import describe
from goldvein.datasets.tables import Dataset, DatasetContent, DatasetRemoval, DatasetRow, DatasetVersion
from goldvein.db.ids import new_id
from goldvein.db.session import Database, TenantSession, for_change, lock_consent
from goldvein.errors import StoreUnavailable
from goldvein.examples.review import target
from goldvein.identity.server_key import ServerKey
from goldvein.verify.envelope import sign

_TRIES: Final = 5


def revise_all(database: Database, server_key: ServerKey, tenant_id: str, now: datetime) -> int:
    """Make every revision that is missing in a tenant; returns how many. Safe to run again, and by several at once."""
    with database.read(tenant_id) as session:
        waiting = [(version.dataset_id, version.number) for version in _waiting(session)]
    made = [revise(database, server_key, tenant_id, dataset_id, number, now=now) for dataset_id, number in waiting]
    return sum(made)


def _waiting(session: TenantSession) -> list[DatasetVersion]:
    """Superseded versions after which none has come."""
    superseded = session.scalars(select(DatasetVersion).where(DatasetVersion.state == "superseded"))
    published = select(DatasetVersion.rows_of).where(DatasetVersion.state == "published")
    there = set(session.scalars(published))
    newest = {
        version.rows_of: version
        for version in sorted(superseded, key=lambda version: version.minor)
        if version.rows_of not in there
    }
    return list(newest.values())


def revise(
    database: Database, server_key: ServerKey, tenant_id: str, dataset_id: str, number: int | None, *, now: datetime
) -> bool:
    """Make the revision of a version, if it is missing; False when it is there.

    What is left is read beside everybody else; the revision appears in a short transaction, unless another removal has
    come in between: then again.
    """
    for _ in range(_TRIES):
        with database.read(tenant_id) as session:
            last = _last(session, dataset_id, number)
            if last is None or last.state == "published":
                return False
            left = _what_is_left(session, last)
        failpoints.reach("revision.publishing")
        with database.write(tenant_id) as session:
            lock_consent(session, exclusive=False)
            if _publish(session, server_key, left, now):
                return True
    raise StoreUnavailable


def _last(session: TenantSession, dataset_id: str, number: int | None) -> DatasetVersion | None:
    here = DatasetVersion.dataset_id == dataset_id, DatasetVersion.number == number
    return session.scalar(select(DatasetVersion).where(*here).order_by(DatasetVersion.minor.desc()).limit(1))


def _what_is_left(session: TenantSession, last: DatasetVersion) -> DatasetVersion:
    """The revision as it would be, without its name and signature; not added to the session."""
    before = manifest.read_content(last.manifest or "")
    digest = digest_rows(map(publishing.facts_of, publishing.rows_of(session, last.rows_of)))
    leakage = _leakage(session, last.rows_of, before["threshold_percent"] / 100)
    content = {
        **before,
        **digest.said(),
        "leakage": publishing.said_of(leakage, allowed=before["leakage"]["allowed"]),
    }
    statistics = describe(planning.described(publishing.rows_of(session, last.rows_of)))
    return DatasetVersion(
        id=new_id(),
        dataset_id=last.dataset_id,
        state="published",
        number=last.number,
        minor=last.minor + 1,
        rows_of=last.rows_of,
        removals=last.removals,
        row_count=digest.count,
        purposes=last.purposes,
        consent_seq=last.consent_seq,
        content_hash=choices.hash_of(content),
        statistics=statistics,
        borderline=[],
        dropped={},
        manifest=manifest.canonical(content).decode(),
        frozen_by=last.frozen_by,
    )


def _leakage(session: TenantSession, rows_id: str, threshold: float) -> Leakage:
    rows = select(
        DatasetRow.example_id, DatasetRow.cluster, DatasetRow.person_id, DatasetRow.session_id, DatasetRow.split
    ).where(DatasetRow.version_id == rows_id)
    found = list(session.execute(rows.order_by(DatasetRow.position)))
    members = [
        Member(example_id=row.example_id, cluster=row.cluster, person=row.person_id, session=row.session_id)
        for row in found
    ]

    def texts_of(places: Sequence[int]) -> list[str]:
        texts = _texts(session, rows_id, {found[place].example_id for place in places})
        return [texts[found[place].example_id] for place in places]

    return planning.leakage_of(members, [row.split for row in found], texts_of, threshold)


def _texts(session: TenantSession, rows_id: str, example_ids: set[str]) -> dict[str, str]:
    rows = (
        select(DatasetRow.example_id, DatasetRow.answer_from, DatasetContent)
        .join(DatasetContent, DatasetContent.content_hash == DatasetRow.content_hash)
        .where(DatasetRow.version_id == rows_id, DatasetRow.example_id.in_(example_ids))
    )
    return {
        row[0]: f"{row[2].example_input}\n{answer_of(row[1], row[2]) or row[2].example_output}"
        for row in session.execute(rows)
    }


def answer_of(answer_from: str | None, content: Any) -> str | None:
    """The answer of a row among its texts."""
    return target(
        expected_output=content.expected_output if answer_from == "expected_output" else None,
        example_output=content.example_output,
        output_verdict="good" if answer_from == "example_output" else None,
    )


def _publish(session: TenantSession, server_key: ServerKey, left: DatasetVersion, now: datetime) -> bool:
    """Sign the revision, and the list of what was removed from the version before; False: more was removed since."""
    # Held before the versions are read: whoever makes the same revision meanwhile has then made it, and it is seen.
    dataset = session.scalars(for_change(select(Dataset).where(Dataset.id == left.dataset_id))).one()
    here = DatasetVersion.dataset_id == left.dataset_id, DatasetVersion.number == left.number
    rows = select(DatasetVersion).where(*here).order_by(DatasetVersion.minor.desc()).limit(1)
    last = session.scalars(for_change(rows)).one()
    if last.state == "published":
        return True
    if last.removals != left.removals:
        return False
    removed = _removed_from(session, last)
    listed = manifest.removal_list(
        tenant_id=session.tenant_id,
        dataset_id=dataset.id,
        version=last.label,
        superseded_by=left.label,
        at=now,
        removed=removed,
    )
    last.removal_list = sign(signing_seed(server_key), manifest.REMOVAL_LIST, listed)
    signed = publishing.sign_version(
        session,
        server_key,
        dataset,
        label=left.label,
        content=manifest.read_content(left.manifest or ""),
        content_hash=left.content_hash or "",
        frozen_by=left.frozen_by,
        previous=last,
        now=now,
        removed={"version": last.label, "count": len(removed), "list": manifest.sha256(listed)},
    )
    left.manifest, left.manifest_hash, left.statement = signed.manifest, signed.manifest_hash, signed.statement
    left.frozen_at = now
    session.add(left)
    session.flush()
    session.record(
        "frozen",
        at=now,
        dataset=dataset.id,
        version=left.label,
        rows=left.row_count,
        content=left.content_hash,
        manifest=left.manifest_hash,
    )
    return True


def _removed_from(session: TenantSession, version: DatasetVersion) -> list[str]:
    rows = select(DatasetRemoval.example_id).where(
        DatasetRemoval.dataset_id == version.dataset_id,
        DatasetRemoval.number == version.number,
        DatasetRemoval.minor == version.minor,
    )
    return list(session.scalars(rows.order_by(DatasetRemoval.seq)))
