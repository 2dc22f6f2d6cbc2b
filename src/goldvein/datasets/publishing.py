"""From a digest of rows to a version that is signed: what freezing and revising have in common."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from goldvein.consent import ledger
from goldvein.datasets import manifest
from goldvein.datasets.manifest import RowFacts, RowsDigest
from goldvein.datasets.splits import Leakage
from goldvein.datasets.tables import Dataset, DatasetRow, DatasetVersion
from goldvein.db.session import TenantSession
from goldvein.identity.server_key import ServerKey
from goldvein.verify.envelope import sign

ROWS_AT_ONCE: Final = 1_000


def content_of(
    dataset: Dataset,
    purposes: list[str],
    digest: RowsDigest,
    leakage: Leakage,
    *,
    allowed_leakage: bool,
) -> dict[str, Any]:
    """All that makes a version what it is: the same content gives the same hash."""
    return {
        "purpose": dataset.purpose,
        "purposes": purposes,
        "terms": dataset.terms,
        "filter": dataset.filter,
        "shares": dataset.shares,
        "seed": dataset.seed,
        "threshold_percent": dataset.threshold_percent,
        "leakage": said_of(leakage, allowed=allowed_leakage),
        **digest.said(),
    }


def said_of(leakage: Leakage, *, allowed: bool) -> dict[str, Any]:
    """What a manifest says of leakage; whoever froze a version that leaks had to allow it."""
    return {
        "pairs": leakage.pairs,
        "persons": leakage.persons,
        "sessions": leakage.sessions,
        "allowed": allowed and not leakage.is_none,
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A manifest with its hash and the statement over it."""

    manifest: str
    manifest_hash: str
    statement: dict[str, Any]


def sign_version(
    session: TenantSession,
    server_key: ServerKey,
    dataset: Dataset,
    *,
    label: str,
    content: Mapping[str, Any],
    content_hash: str,
    frozen_by: str,
    previous: DatasetVersion | None,
    now: datetime,
    removed: Mapping[str, Any] | None = None,
) -> Signed:
    """Write the manifest of a version and sign it, with the ledger as it is in this transaction."""
    checkpoint, _ = ledger.checkpoint(session, server_key, now)
    document = manifest.canonical(
        {
            "kind": manifest.KIND,
            "tenant_id": session.tenant_id,
            "dataset": {"id": dataset.id, "slug": dataset.slug, "name": dataset.name},
            "version": label,
            "frozen_at": ledger.timestamp(now),
            "frozen_by": frozen_by,
            "content": content,
            "content_hash": content_hash,
            "previous": None
            if previous is None
            else {"version": previous.label, "content_hash": previous.content_hash},
            "removed": removed,
            "ledger_checkpoint": checkpoint,
        }
    )
    manifest_hash = manifest.sha256(document)
    statement = manifest.statement(
        slug=dataset.slug,
        version=label,
        manifest_hash=manifest_hash,
        rows_sha256=content["rows"]["sha256"],
        content_hash=content_hash,
    )
    envelope = sign(ledger.signing_seed(server_key), manifest.PAYLOAD_TYPE, statement)
    return Signed(manifest=document.decode(), manifest_hash=manifest_hash, statement=envelope)


def newest_version(session: TenantSession, dataset_id: str) -> DatasetVersion | None:
    """The newest version of a dataset, with or without its latest revision; None when nothing was frozen."""
    rows = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id, DatasetVersion.number.is_not(None))
    return session.scalar(rows.order_by(DatasetVersion.number.desc(), DatasetVersion.minor.desc()).limit(1))


def rows_of(session: TenantSession, rows_id: str) -> Iterator[DatasetRow]:
    """The rows under an id, without their texts, in the order of positions; a thousand at a time."""
    rows = select(DatasetRow).where(DatasetRow.version_id == rows_id).order_by(DatasetRow.position)
    for part in session.scalars(rows.execution_options(yield_per=ROWS_AT_ONCE)).partitions():
        yield from part
        session.expunge_all()


def facts_of(row: DatasetRow) -> RowFacts:
    """What explains a written row."""
    return RowFacts(**{name: getattr(row, name) for name in RowFacts.__dataclass_fields__})
