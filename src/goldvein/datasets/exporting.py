"""A version goes out: terms accepted, consent asked again, the log written, and then rows streamed into a format."""

import base64
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import select

from goldvein.consent.ledger import signing_seed, timestamp
from goldvein.datasets import choices, manifest, owning, revising, versions
from goldvein.datasets.exports import find_format
from goldvein.datasets.exports.facts import (
    OPEN_SPLITS,
    PLACEHOLDER_CHOICES,
    ExportOptions,
    SkillFacts,
    Terms,
    VersionFacts,
)
from goldvein.datasets.exports.formats import PIECE_BYTES
from goldvein.datasets.exports.manifest import PAYLOAD_TYPE
from goldvein.datasets.exports.writing import ExplainedRow, Written, write_export, zip_chunks
from goldvein.datasets.tables import Dataset, DatasetVersion
from goldvein.db.session import Database, TenantSession, lock_consent
from goldvein.errors import InvalidField, NotAllowed, StoreUnavailable, TermsNotAccepted, VersionSuperseded
from goldvein.identity.actor import Actor
from goldvein.identity.server_key import ServerKey
from goldvein.skills.tables import Skill, SkillVersion
from goldvein.verify.envelope import sign

_TRIES: Final = 3
_LEFT_BEHIND_SECONDS: Final = 3_600  # an export that was cut off; its folder is in nobody's hands any more
_PURPOSES: Final = {"sharing_outside_tenant": "sharing"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What somebody wants to download."""

    dataset: str
    version: str
    format_name: str
    options: ExportOptions
    accept_terms: str | None = None


def options_of(splits: Sequence[str] | None, *, placeholders: str, system: bool) -> ExportOptions:
    """What was asked for; raises InvalidField for a split or a way with placeholders that is none."""
    if placeholders not in PLACEHOLDER_CHOICES:
        raise InvalidField(field="placeholders", reason=f"one of {', '.join(PLACEHOLDER_CHOICES)}")
    chosen: Literal["keep", "surrogate"] = "surrogate" if placeholders == "surrogate" else "keep"
    return ExportOptions(
        splits=OPEN_SPLITS if splits is None else tuple(splits), placeholders=chosen, system_message=system
    )


def export_version(
    database: Database, server_key: ServerKey, actor: Actor, asked: Asked, folder: Path, *, now: datetime
) -> Written:
    """Write a version into a folder that does not exist yet, as its owner or a reader who accepts its terms.

    1. Whoever has decided about their consent since the version was last looked at is asked again; rows that do not
    stand any more make a revision, which is exported in place of the version. 2. The export log and the ledger have
    the download before a row is read. 3. Rows are read in a transaction of their own, as they were when it began.
    """
    find_format(asked.format_name)
    version_id = _admit(database, server_key, actor, asked, now)
    with database.read(actor.tenant_id) as session:
        version = session.scalars(select(DatasetVersion).where(DatasetVersion.id == version_id)).one()
        dataset = owning.find_dataset(session, version.dataset_id)
        facts = facts_of(session, dataset, version)
        counted = _Counted(versions.read_rows(session, version))
        written = write_export(
            folder,
            find_format(asked.format_name),
            facts,
            counted,
            asked.options,
            sign=lambda content: json.dumps(sign(signing_seed(server_key), PAYLOAD_TYPE, content)).encode(),
        )
        if version.state != "published" or counted.rows != version.row_count:
            shutil.rmtree(folder)
            raise VersionSuperseded(version=version.label, superseded_by=f"{version.number}.{version.minor + 1}")
    return written


class _Counted:
    """Rows on their way, counted: a removal that commits meanwhile must not make a version with fewer of them."""

    def __init__(self, rows: Iterator[versions.Explained]) -> None:
        self._rows = rows
        self.rows = 0

    def __iter__(self) -> Iterator[ExplainedRow]:
        for one in self._rows:
            self.rows += 1
            yield ExplainedRow(one.row, one.provenance)


def _admit(database: Database, server_key: ServerKey, actor: Actor, asked: Asked, now: datetime) -> str:
    """Check who asks, the terms and the consents, and log the download; gives the id of the version."""
    for _ in range(_TRIES):
        with database.write(actor.tenant_id) as session:
            lock_consent(session, exclusive=True)
            dataset = owning.need_reader(session, actor, asked.dataset, scope="export")
            version = versions.find_version(session, dataset, asked.version)
            terms_hash = _need_terms(actor, dataset, version, asked.accept_terms, now)
            if versions.need_standing(session, version, now):
                versions.log_download(
                    session,
                    actor,
                    version,
                    form=asked.format_name,
                    splits=asked.options.splits,
                    terms_hash=terms_hash,
                    now=now,
                )
                return version.id
            number = version.number
        revising.revise(database, server_key, actor.tenant_id, dataset.id, number, now=now)
    raise StoreUnavailable


def _need_terms(
    actor: Actor, dataset: Dataset, version: DatasetVersion, accepted: str | None, now: datetime
) -> str | None:
    """The hash of the terms of the version, which a reader has to have read; the owner has written them."""
    terms: dict[str, Any] = manifest.read_content(version.manifest or "")["terms"]
    if choices.is_past(choices.read_terms(terms).delete_by, now):
        raise NotAllowed(rule="The day on which copies of this version are to be deleted is over")
    terms_hash = choices.hash_of(terms)
    if dataset.owner_id != actor.person_id and accepted != terms_hash:
        raise TermsNotAccepted(terms_hash=terms_hash, terms=terms)
    return terms_hash


def facts_of(session: TenantSession, dataset: Dataset, version: DatasetVersion) -> VersionFacts:
    """What exports say of a version: from its manifest, so that it is the same each time."""
    said = json.loads(version.manifest or "{}")
    content = said["content"]
    terms = choices.read_terms(content["terms"])
    return VersionFacts(
        dataset_id=dataset.id,
        dataset=dataset.slug,
        name=said["dataset"]["name"],
        purpose=_PURPOSES.get(content["purpose"], content["purpose"]),
        version=version.label,
        content_hash=said["content_hash"],
        frozen_at=timestamp(version.frozen_at),
        terms=Terms(
            licence=terms.licence,
            allowed_purposes=terms.allowed_purposes,
            recipients=terms.recipients,
            delete_by=_day(terms.delete_by),
            poll_removals=terms.poll_removals,
        ),
        skills=tuple(_skill(session, slug, digests) for slug, digests in content["skills"].items()),
        previous=None if said["previous"] is None else said["previous"]["version"],
        sanitizer_versions=tuple(content["sanitizer_versions"]),
        counts=content["rows"]["by_split"],
        ledger_checkpoint=_checkpoint(said["ledger_checkpoint"]),
    )


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _checkpoint(envelope: dict[str, Any]) -> str:
    said = json.loads(base64.b64decode(envelope["payload"]))
    return f"{said['size']}:{said['root']}"


def _skill(session: TenantSession, slug: str, digests: list[str]) -> SkillFacts:
    """A skill with the newest of its versions that rows of the dataset version were made with."""
    skill = session.scalar(select(Skill).where(Skill.slug == slug))
    if skill is None:
        return SkillFacts(slug=slug, name=slug)
    here = SkillVersion.skill_id == skill.id, SkillVersion.digest.in_(digests)
    newest = session.scalar(select(SkillVersion).where(*here).order_by(SkillVersion.number.desc()).limit(1))
    if newest is None:
        return SkillFacts(slug=slug, name=skill.name)
    return SkillFacts(slug=slug, name=skill.name, version=newest.digest, text=newest.body)


def work_folder(data_dir: Path) -> Path:
    """A new folder for an export on its way; what earlier ones left behind when they were cut off is deleted."""
    parent = data_dir / "exports"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in parent.iterdir():
        if time.time() - left.stat().st_mtime > _LEFT_BEHIND_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=parent))


def zipped(work: Path, folder: Path) -> Iterator[bytes]:
    """The export as a zip, in pieces; its folder goes when the last has been taken, or nobody takes any more."""
    try:
        waiting = bytearray()
        for piece in zip_chunks(folder):
            waiting += piece
            if len(waiting) >= PIECE_BYTES:
                yield bytes(waiting)
                waiting.clear()
        yield bytes(waiting)
    finally:
        shutil.rmtree(work, ignore_errors=True)
