from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from goldvein.db.session import TenantSession
from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.identity.actor import Actor
from goldvein.identity.service import need_revision
from goldvein.paging import CursorParam, LimitParam, decode_cursor, encode_cursor
from goldvein.schemas import ExpectedRevision, Page, RequestBody
from goldvein.skills import service
from goldvein.skills.tables import Skill

router = APIRouter(prefix="/api/skills", tags=["skills"])


class NewSkill(RequestBody):
    """A skill to register."""

    slug: str
    name: str
    description: str = ""
    body: str | None = None


class SkillChange(RequestBody):
    """What to change; what is left out stays."""

    name: str | None = None
    description: str | None = None
    body: str | None = None


class PersonRef(RequestBody):
    """A member of the tenant."""

    person_id: str


class SkillOut(BaseModel):
    """A skill as members see it."""

    id: str
    slug: str
    name: str
    description: str
    author_id: str
    co_author_ids: list[str]
    proposed_author_id: str | None
    version: int | None
    skill_digest: str | None
    is_author: bool
    revision: int
    created_at: datetime
    updated_at: datetime


class VersionOut(BaseModel):
    """One version of a skill's text."""

    number: int
    skill_digest: str
    body: str
    created_by: str
    created_at: datetime


def show_skill(session: TenantSession, actor: Actor, skill: Skill) -> SkillOut:
    """A skill with its newest version and its co-authors."""
    version = service.current_version(session, skill)
    co_authors = service.co_authors(session, skill)
    return SkillOut(
        id=skill.id,
        slug=skill.slug,
        name=skill.name,
        description=skill.description,
        author_id=skill.author_id,
        co_author_ids=co_authors,
        proposed_author_id=skill.proposed_author_id,
        version=version.number if version else None,
        skill_digest=version.digest if version else None,
        is_author=actor.person_id in {skill.author_id, *co_authors},
        revision=skill.revision,
        created_at=skill.created_at,
        updated_at=skill.updated_at,
    )


@router.get("")
def list_skills(
    actor: ActorDep,
    runtime: RuntimeDep,
    mine: Annotated[bool, Query(description="Only those you count as author of.")] = False,
    limit: LimitParam = 50,
    cursor: CursorParam = None,
) -> Page[SkillOut]:
    """List the skills of the tenant by slug."""
    actor.need("read")
    after = decode_cursor(cursor, 1)[0] if cursor else None
    with runtime.database.read(actor.tenant_id) as session:
        authored_by = actor.person_id if mine else None
        found = service.list_skills(session, authored_by=authored_by, limit=limit + 1, after=after)
        items = [show_skill(session, actor, skill) for skill in found[:limit]]
    return Page(items=items, next_cursor=encode_cursor(items[-1].slug) if len(found) > limit else None)


@router.post("", status_code=201)
def create_skill(body: NewSkill, actor: ActorDep, runtime: RuntimeDep) -> SkillOut:
    """Register a skill; you become its author."""
    service.refuse_findings(body=body.body or "")
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.create_skill(session, actor, now=runtime.now(), **body.model_dump())
        return show_skill(session, actor, skill)


@router.get("/{skill_id}")
def get_skill(skill_id: str, actor: ActorDep, runtime: RuntimeDep, response: Response) -> SkillOut:
    """Read one skill, by id or slug."""
    actor.need("read")
    with runtime.database.read(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        response.headers["ETag"] = f'"{skill.revision}"'
        return show_skill(session, actor, skill)


@router.patch("/{skill_id}")
def change_skill(
    skill_id: str, body: SkillChange, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> SkillOut:
    """Change name, description or text; a changed text is a new version. Author only."""
    service.refuse_findings(body=body.body or "")
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        need_revision(skill.revision, if_match, {"revision": skill.revision})
        service.change_skill(session, actor, skill, now=runtime.now(), **body.model_dump())
        return show_skill(session, actor, skill)


@router.get("/{skill_id}/versions")
def list_versions(skill_id: str, actor: ActorDep, runtime: RuntimeDep) -> Page[VersionOut]:
    """List every version of the skill's text, newest first."""
    actor.need("read")
    with runtime.database.read(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        items = [
            VersionOut(
                number=version.number,
                skill_digest=version.digest,
                body=version.body,
                created_by=version.created_by,
                created_at=version.created_at,
            )
            for version in service.versions_of(session, skill.id)
        ]
    return Page(items=items)


@router.post("/{skill_id}/co-authors")
def add_co_author(skill_id: str, body: PersonRef, actor: ActorDep, runtime: RuntimeDep) -> SkillOut:
    """Name a co-author. Author only."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        service.add_co_author(session, actor, skill, body.person_id, now=runtime.now())
        session.flush()
        return show_skill(session, actor, skill)


@router.delete("/{skill_id}/co-authors/{person_id}")
def remove_co_author(skill_id: str, person_id: str, actor: ActorDep, runtime: RuntimeDep) -> SkillOut:
    """Remove a co-author: the author may, and co-authors themselves."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        service.remove_co_author(session, actor, skill, person_id, now=runtime.now())
        return show_skill(session, actor, skill)


@router.post("/{skill_id}/transfer")
def propose_transfer(skill_id: str, body: PersonRef, actor: ActorDep, runtime: RuntimeDep) -> SkillOut:
    """Offer the skill to a new author, who has to accept. Author only."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        service.propose_transfer(session, actor, skill, body.person_id)
        return show_skill(session, actor, skill)


@router.delete("/{skill_id}/transfer")
def end_offer(skill_id: str, actor: ActorDep, runtime: RuntimeDep) -> SkillOut:
    """Take an offered transfer back, or decline one that was offered to you."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        service.end_offer(actor, skill)
        return show_skill(session, actor, skill)


@router.post("/{skill_id}/transfer/accept")
def accept_transfer(skill_id: str, actor: ActorDep, runtime: RuntimeDep) -> SkillOut:
    """Become the author of a skill that was offered to you."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        service.accept_transfer(session, actor, skill, now=runtime.now())
        return show_skill(session, actor, skill)


@router.post("/{skill_id}/successor")
def appoint_successor(skill_id: str, body: PersonRef, actor: ActorDep, runtime: RuntimeDep) -> SkillOut:
    """As admin, give the skill of a deactivated author to another member."""
    with runtime.database.write(actor.tenant_id) as session:
        skill = service.find_skill(session, skill_id)
        service.appoint_successor(session, actor, skill, body.person_id, now=runtime.now())
        return show_skill(session, actor, skill)
