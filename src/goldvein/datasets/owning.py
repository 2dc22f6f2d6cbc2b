"""Datasets and who may do what with them: the owner, the authors of its skills, and its readers."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, or_, select

from goldvein.consent.decision import PURPOSES
from goldvein.datasets import choices
from goldvein.datasets.near_duplicates import DEFAULT_THRESHOLD_PERCENT, MIN_THRESHOLD_PERCENT
from goldvein.datasets.selection import Filter
from goldvein.datasets.splits import DEFAULT_SHARES, WHOLE
from goldvein.datasets.tables import (
    Dataset,
    DatasetGrant,
    DatasetReader,
    DatasetSkill,
    DatasetTag,
    DatasetVersion,
)
from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession, for_change
from goldvein.errors import AlreadyExists, Conflict, InvalidField, NotAllowed, NotFound
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill

MAX_SKILLS: Final = 50
_OWNER_ONLY: Final = "Only the owner of the dataset can do this"
_READERS_ONLY: Final = "Only the owner of the dataset and its readers can see it"
_SEED_BITS: Final = 31


def create_dataset(
    session: TenantSession,
    actor: Actor,
    *,
    slug: str,
    name: str,
    purpose: str,
    skill_ids: Sequence[str],
    now: datetime,
    chosen: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make a dataset of skills that the actor authors or was granted; whoever makes it owns it.

    `chosen` may hold `filter`, `shares`, `threshold_percent`, `seed` and `terms`, as for a change.
    """
    actor.need("review")
    if purpose not in PURPOSES:
        raise InvalidField(field="purpose", reason=f"one of {', '.join(PURPOSES)}")
    if session.scalar(select(Dataset).where(Dataset.slug == choices.check_slug(slug))) is not None:
        raise AlreadyExists(what="dataset", key="slug")
    skills.refuse_findings(slug=slug, name=name)
    dataset = Dataset(
        id=new_id(),
        slug=slug,
        name=identity.clean_name("name", name),
        purpose=purpose,
        owner_id=actor.person_id,
        filter=choices.as_json(Filter()),
        shares=dict(DEFAULT_SHARES),
        seed=secrets.randbits(_SEED_BITS),
        threshold_percent=DEFAULT_THRESHOLD_PERCENT,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    _choose(dataset, chosen or {})
    session.add(dataset)
    session.flush()
    _take_skills(session, actor, dataset, skill_ids)
    record_change(session, actor, dataset, "created", now)
    return dataset


def find_dataset(session: TenantSession, id_or_slug: str) -> Dataset:
    """A dataset of this tenant by id or slug; what belongs to another tenant does not exist."""
    by = Dataset.id == id_or_slug if is_id(id_or_slug) else Dataset.slug == id_or_slug
    dataset = session.scalar(select(Dataset).where(by)) if id_or_slug.isprintable() else None
    if dataset is None:
        raise NotFound(what="dataset")
    return dataset


def need_owner(session: TenantSession, actor: Actor, id_or_slug: str, *, to_change: bool = False) -> Dataset:
    """The dataset, for its owner; `to_change` holds it until the transaction ends."""
    actor.need("review")
    dataset = find_dataset(session, id_or_slug)
    if dataset.owner_id != actor.person_id:
        raise NotAllowed(rule=_OWNER_ONLY)
    if to_change:
        dataset = session.scalars(for_change(select(Dataset).where(Dataset.id == dataset.id))).one()
    return dataset


def need_reader(session: TenantSession, actor: Actor, id_or_slug: str, *, scope: str = "read") -> Dataset:
    """The dataset, for its owner and readers."""
    actor.need(scope)
    dataset = find_dataset(session, id_or_slug)
    if dataset.owner_id != actor.person_id and not _is_reader(session, dataset, actor.person_id):
        raise NotAllowed(rule=_READERS_ONLY)
    return dataset


def _is_reader(session: TenantSession, dataset: Dataset, person_id: str) -> bool:
    here = DatasetReader.dataset_id == dataset.id, DatasetReader.person_id == person_id
    return session.scalar(select(DatasetReader).where(*here)) is not None


def list_datasets(session: TenantSession, actor: Actor, *, limit: int, after: str | None) -> list[Dataset]:
    """The datasets that the actor owns or reads, by slug; `after` is the last slug seen."""
    actor.need("read")
    read = select(DatasetReader.dataset_id).where(DatasetReader.person_id == actor.person_id)
    rows = select(Dataset).where(or_(Dataset.owner_id == actor.person_id, Dataset.id.in_(read)))
    rows = rows.order_by(Dataset.slug).limit(limit)
    return list(session.scalars(rows if after is None else rows.where(Dataset.slug > after)))


def change_dataset(
    session: TenantSession,
    actor: Actor,
    id_or_slug: str,
    *,
    now: datetime,
    chosen: Mapping[str, Any],
    name: str | None = None,
    skill_ids: Sequence[str] | None = None,
    expected_revision: int | None = None,
) -> Dataset:
    """As owner, change what the next version is made of; frozen versions stay as they are."""
    dataset = need_owner(session, actor, id_or_slug, to_change=True)
    identity.need_revision(dataset.revision, expected_revision, {"revision": dataset.revision})
    if name is not None:
        skills.refuse_findings(name=name)
        dataset.name = identity.clean_name("name", name)
    _choose(dataset, chosen)
    if skill_ids is not None:
        session.execute(delete(DatasetSkill).where(DatasetSkill.dataset_id == dataset.id))
        _take_skills(session, actor, dataset, skill_ids)
    dataset.revision += 1
    dataset.updated_at = now
    record_change(session, actor, dataset, "changed", now)
    return dataset


def _choose(dataset: Dataset, chosen: Mapping[str, Any]) -> None:
    if chosen.get("filter") is not None:
        dataset.filter = choices.as_json(choices.read_filter(chosen["filter"]))
    if chosen.get("shares") is not None:
        dataset.shares = choices.read_shares(chosen["shares"])
    if chosen.get("threshold_percent") is not None:
        if not MIN_THRESHOLD_PERCENT <= chosen["threshold_percent"] <= WHOLE:
            raise InvalidField(field="threshold_percent", reason=f"{MIN_THRESHOLD_PERCENT} to {WHOLE}")
        dataset.threshold_percent = chosen["threshold_percent"]
    if chosen.get("seed") is not None:
        if not 0 <= chosen["seed"] < 1 << _SEED_BITS:
            raise InvalidField(field="seed", reason=f"a whole number below {1 << _SEED_BITS}")
        dataset.seed = chosen["seed"]
    if chosen.get("terms") is not None:
        terms = choices.read_terms(chosen["terms"])
        skills.refuse_findings(licence=terms.licence, recipients=terms.recipients)
        dataset.terms = choices.as_json(terms)


def _take_skills(session: TenantSession, actor: Actor, dataset: Dataset, skill_ids: Sequence[str]) -> None:
    if not 1 <= len(skill_ids) <= MAX_SKILLS:
        raise InvalidField(field="skills", reason=f"1 to {MAX_SKILLS} skills")
    for skill in {(one := skills.find_skill(session, some)).id: one for some in skill_ids}.values():
        if not may_take(session, skill, actor.person_id):
            raise NotAllowed(rule="A dataset takes skills that you author, or whose author granted it to you")
        session.add(DatasetSkill(dataset_id=dataset.id, skill_id=skill.id))
    session.flush()


def may_take(session: TenantSession, skill: Skill, person_id: str) -> bool:
    """Whether a person may make datasets of the examples of a skill."""
    granted = DatasetGrant.skill_id == skill.id, DatasetGrant.person_id == person_id
    return (
        skills.is_author(session, skill, person_id) or session.scalar(select(DatasetGrant).where(*granted)) is not None
    )


def skills_of(session: TenantSession, dataset: Dataset) -> list[Skill]:
    """The skills of a dataset, by slug."""
    taken = select(DatasetSkill.skill_id).where(DatasetSkill.dataset_id == dataset.id)
    return list(session.scalars(select(Skill).where(Skill.id.in_(taken)).order_by(Skill.slug)))


def need_skills(session: TenantSession, dataset: Dataset) -> list[Skill]:
    """The skills of a dataset, of which its owner still is author or grantee; asked at each freeze."""
    found = skills_of(session, dataset)
    lost = [skill.slug for skill in found if not may_take(session, skill, dataset.owner_id)]
    if lost or not found:
        raise NotAllowed(rule="The owner of the dataset authors its skills, or their authors granted it")
    return found


def grant(session: TenantSession, actor: Actor, skill: Skill, person_id: str, *, now: datetime) -> None:
    """As author, let a member take the examples of a skill into their datasets."""
    skills.need_author(session, actor, skill, "Only the skill author can grant its examples to a dataset")
    _need_member(session, person_id)
    here = DatasetGrant.skill_id == skill.id, DatasetGrant.person_id == person_id
    if session.scalar(select(DatasetGrant).where(*here)) is None:
        session.add(DatasetGrant(skill_id=skill.id, person_id=person_id, granted_by=actor.person_id, granted_at=now))
        session.record("dataset", at=now, people=_both(actor, person_id), skill=skill.id, change="granted")


def revoke_grant(session: TenantSession, actor: Actor, skill: Skill, person_id: str, *, now: datetime) -> None:
    """Take a grant back: nothing more is frozen of it; versions that are frozen stay."""
    skills.need_author(session, actor, skill, "Only the skill author can grant its examples to a dataset")
    here = DatasetGrant.skill_id == skill.id, DatasetGrant.person_id == person_id
    found = session.scalar(select(DatasetGrant).where(*here)) if is_id(person_id) else None
    if found is None:
        raise NotFound(what="grant")
    session.delete(found)
    session.record("dataset", at=now, people=_both(actor, person_id), skill=skill.id, change="grant_revoked")


def readers_of(session: TenantSession, dataset: Dataset) -> list[DatasetReader]:
    """The readers of a dataset, the first first."""
    rows = select(DatasetReader).where(DatasetReader.dataset_id == dataset.id)
    return list(session.scalars(rows.order_by(DatasetReader.added_at, DatasetReader.person_id)))


def add_reader(session: TenantSession, actor: Actor, id_or_slug: str, person_id: str, *, now: datetime) -> None:
    """As owner, let a member read and export the versions."""
    dataset = need_owner(session, actor, id_or_slug, to_change=True)
    _need_member(session, person_id)
    if not _is_reader(session, dataset, person_id):
        session.add(DatasetReader(dataset_id=dataset.id, person_id=person_id, added_by=actor.person_id, added_at=now))
        record_change(session, actor, dataset, "reader_added", now, person_id=person_id)


def remove_reader(session: TenantSession, actor: Actor, id_or_slug: str, person_id: str, *, now: datetime) -> None:
    """As owner, take a reader's place back; a reader may leave by themselves."""
    dataset = find_dataset(session, id_or_slug)
    if actor.person_id != person_id:
        dataset = need_owner(session, actor, id_or_slug)
    here = DatasetReader.dataset_id == dataset.id, DatasetReader.person_id == person_id
    found = session.scalar(select(DatasetReader).where(*here)) if is_id(person_id) else None
    if found is None:
        raise NotFound(what="reader of this dataset")
    session.delete(found)
    record_change(session, actor, dataset, "reader_removed", now, person_id=person_id)


def delete_dataset(session: TenantSession, actor: Actor, id_or_slug: str, *, now: datetime) -> None:
    """As owner, delete a dataset of which nothing was ever frozen. Versions stay, for whoever pinned them."""
    dataset = need_owner(session, actor, id_or_slug, to_change=True)
    if session.scalar(select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id).limit(1)) is not None:
        raise Conflict
    for table in (DatasetSkill, DatasetReader, DatasetTag):
        session.execute(delete(table).where(table.dataset_id == dataset.id))
    session.delete(dataset)
    record_change(session, actor, dataset, "deleted", now)


def _need_member(session: TenantSession, person_id: str) -> None:
    if not is_id(person_id) or not identity.is_active(identity.member(session, person_id)):
        raise NotFound(what="member")


def _both(actor: Actor, person_id: str | None) -> dict[str, str | None]:
    return {"actor": actor.person_id, "person": None if person_id == actor.person_id else person_id}


def record_change(
    session: TenantSession,
    actor: Actor,
    dataset: Dataset,
    change: str,
    now: datetime,
    *,
    person_id: str | None = None,
) -> None:
    """Have the ledger keep who may do what, and when what a version is made of was changed."""
    session.record("dataset", at=now, people=_both(actor, person_id), dataset=dataset.id, change=change)
