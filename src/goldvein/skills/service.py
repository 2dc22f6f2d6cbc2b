"""Skills, their versions and their authors."""

import hashlib
import re
from datetime import datetime
from functools import lru_cache

from sqlalchemy import bindparam, delete, func, or_, select

from goldvein.db.batch import Query
from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession
from goldvein.errors import AlreadyExists, InvalidField, NotAllowed, NotFound, SkillBodyHasFindings
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.sanitizer import Finding, sanitize
from goldvein.skills.tables import CoAuthor, Skill, SkillVersion

MAX_DESCRIPTION_CHARS = 2_000
MAX_BODY_CHARS = 100_000
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")


_NAMED_AT_MOST = 20


def digest_of(body: str) -> str:
    """The version of a skill's text: sha256 over its UTF-8 bytes."""
    return "sha256:" + hashlib.sha256(body.encode("utf-8")).hexdigest()


def create_skill(
    session: TenantSession,
    actor: Actor,
    *,
    slug: str,
    name: str,
    now: datetime,
    description: str = "",
    body: str | None = None,
) -> Skill:
    """Register a skill; whoever registers it is its author."""
    actor.need("review")
    if _SLUG.fullmatch(slug) is None or is_id(slug):
        raise InvalidField(
            field="slug", reason="1 to 100 of a-z 0-9 . _ -, beginning and ending with a letter or digit"
        )
    if session.scalar(select(Skill).where(Skill.slug == slug)) is not None:
        raise AlreadyExists(what="skill", key="slug")
    skill = Skill(
        id=new_id(),
        slug=slug,
        name=identity.clean_name("name", name),
        description=_clean_description(description),
        author_id=actor.person_id,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    refuse_findings(slug=slug, description=skill.description)
    session.add(skill)
    session.flush()
    _record_skill(session, actor, skill, "created", person_id=actor.person_id, now=now)
    if body is not None:
        add_version(session, actor, skill, body, now)
    return skill


def find_skill(session: TenantSession, id_or_slug: str) -> Skill:
    """A skill of this tenant by id or slug; what belongs to another tenant does not exist."""
    skill = None
    if is_id(id_or_slug):
        skill = session.scalar(select(Skill).where(Skill.id == id_or_slug))
    elif _SLUG.fullmatch(id_or_slug):
        skill = session.scalar(select(Skill).where(Skill.slug == id_or_slug))
    if skill is None:
        raise NotFound(what="skill")
    return skill


# For the writer, which looks many up at once.
_SKILLS, _VERSIONS = Skill.__table__.c, SkillVersion.__table__.c
BY_SLUG = Query(select(_SKILLS.slug, _SKILLS.id).where(_SKILLS.slug.in_(bindparam("slugs", expanding=True))))
BY_ID = Query(select(_SKILLS.id, _SKILLS.id).where(_SKILLS.id.in_(bindparam("ids", expanding=True))))
BY_DIGEST = Query(
    select(_VERSIONS.skill_id, _VERSIONS.digest, _VERSIONS.id).where(
        _VERSIONS.digest.in_(bindparam("digests", expanding=True))
    )
)


def list_skills(session: TenantSession, *, authored_by: str | None, limit: int, after: str | None) -> list[Skill]:
    """Skills by slug; all of the tenant, or those a person counts as author of. `after` is the last slug seen."""
    rows = select(Skill).order_by(Skill.slug).limit(limit)
    if authored_by is not None:
        co_authored = select(CoAuthor.skill_id).where(CoAuthor.person_id == authored_by)
        rows = rows.where(or_(Skill.author_id == authored_by, Skill.id.in_(co_authored)))
    return list(session.scalars(rows if after is None else rows.where(Skill.slug > after)))


def is_author(session: TenantSession, skill: Skill, person_id: str) -> bool:
    """Whether the person counts as author of the skill: its author, or a co-author."""
    return skill.author_id == person_id or person_id in co_authors(session, skill)


def need_author(session: TenantSession, actor: Actor, skill: Skill, rule: str) -> None:
    """Raise NotAllowed with the rule unless the actor counts as author."""
    actor.need("review")
    if not is_author(session, skill, actor.person_id):
        raise NotAllowed(rule=rule)


def co_authors(session: TenantSession, skill: Skill) -> list[str]:
    """The ids of the co-authors."""
    return list(session.scalars(select(CoAuthor.person_id).where(CoAuthor.skill_id == skill.id)))


def change_skill(
    session: TenantSession,
    actor: Actor,
    skill: Skill,
    *,
    now: datetime,
    name: str | None = None,
    description: str | None = None,
    body: str | None = None,
) -> Skill:
    """Change name, description or text; a changed text is a new version."""
    need_author(session, actor, skill, "Only the skill author can change the skill")
    if name is not None:
        skill.name = identity.clean_name("name", name)
    if description is not None:
        skill.description = _clean_description(description)
    refuse_findings(description=skill.description)
    if body is not None:
        add_version(session, actor, skill, body, now)
    skill.revision += 1
    skill.updated_at = now
    return skill


def _clean_description(description: str) -> str:
    description = description.strip()
    if len(description) > MAX_DESCRIPTION_CHARS or "\x00" in description:
        raise InvalidField(field="description", reason=f"at most {MAX_DESCRIPTION_CHARS} characters, without NUL")
    return description


def add_version(session: TenantSession, actor: Actor, skill: Skill, body: str, now: datetime) -> SkillVersion:
    """Put a text in force: its version is made when it is new. A text with findings is refused with the places."""
    if not 1 <= len(body) <= MAX_BODY_CHARS or "\x00" in body:
        raise InvalidField(field="body", reason=f"1 to {MAX_BODY_CHARS} characters, without NUL")
    refuse_findings(body=body)
    digest = digest_of(body)
    skill.current_digest = digest
    known = find_version(session, skill.id, digest)
    if known is not None:
        return known
    newest = session.scalar(select(func.max(SkillVersion.number)).where(SkillVersion.skill_id == skill.id))
    version = SkillVersion(
        id=new_id(),
        skill_id=skill.id,
        number=(newest or 0) + 1,
        digest=digest,
        body=body,
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(version)
    session.flush()
    return version


def refuse_findings(**texts: str) -> None:
    """Raise SkillBodyHasFindings naming each place; a skill's own text is never altered, so it must be clean.

    Routes call this before they open a transaction: a long text would hold the write lock; inside, the answer is known.
    """
    found = [
        {"field": name, "type": finding.type, "line": text.count("\n", 0, finding.start) + 1}
        for name, text in texts.items()
        for finding in _findings(text)
    ]
    if found:
        raise SkillBodyHasFindings(findings=found)  # type: ignore[arg-type]  # a list of JSON objects


@lru_cache(maxsize=8)
def _findings(text: str) -> tuple[Finding, ...]:
    return sanitize(text).findings


def find_version(session: TenantSession, skill_id: str, digest: str) -> SkillVersion | None:
    """The version of a skill with this digest."""
    here = SkillVersion.skill_id == skill_id, SkillVersion.digest == digest
    return session.scalar(select(SkillVersion).where(*here))


def current_version(session: TenantSession, skill: Skill) -> SkillVersion | None:
    """The version in force; None when no text was ever registered."""
    return None if skill.current_digest is None else find_version(session, skill.id, skill.current_digest)


def versions_of(session: TenantSession, skill_id: str) -> list[SkillVersion]:
    """All versions, newest first."""
    rows = select(SkillVersion).where(SkillVersion.skill_id == skill_id).order_by(SkillVersion.number.desc())
    return list(session.scalars(rows))


def _record_skill(
    session: TenantSession, actor: Actor, skill: Skill, change: str, *, person_id: str, now: datetime
) -> None:
    """Have the ledger keep who counts as author of a skill: they see what was captured for it."""
    people = {"person": person_id, "actor": actor.person_id}
    session.record("skill", at=now, people=people, skill=skill.id, change=change)


def add_co_author(session: TenantSession, actor: Actor, skill: Skill, person_id: str, *, now: datetime) -> None:
    """Name a co-author; only the author may."""
    _need_first_author(actor, skill)
    if not identity.is_active(identity.member(session, person_id)):
        raise NotAllowed(rule="A co-author is an active member of the tenant")
    if not is_author(session, skill, person_id):
        session.add(CoAuthor(skill_id=skill.id, person_id=person_id))
        _record_skill(session, actor, skill, "co_author_added", person_id=person_id, now=now)


def remove_co_author(session: TenantSession, actor: Actor, skill: Skill, person_id: str, *, now: datetime) -> None:
    """Take a co-author's place back; the author may, and the co-author themselves."""
    actor.need("review")
    if actor.person_id not in {skill.author_id, person_id}:
        raise NotAllowed(rule="Only the skill author can remove a co-author")
    if is_id(person_id) and person_id in co_authors(session, skill):
        session.execute(delete(CoAuthor).where(CoAuthor.skill_id == skill.id, CoAuthor.person_id == person_id))
        _record_skill(session, actor, skill, "co_author_removed", person_id=person_id, now=now)


def propose_transfer(session: TenantSession, actor: Actor, skill: Skill, person_id: str) -> None:
    """Offer the skill to a new author, who has to accept."""
    _need_first_author(actor, skill)
    if not identity.is_active(identity.member(session, person_id)) or person_id == actor.person_id:
        raise NotAllowed(rule="The new author is another active member of the tenant")
    skill.proposed_author_id = person_id
    skill.revision += 1


def end_offer(actor: Actor, skill: Skill) -> None:
    """Take an offered transfer back, as the author, or decline it, as the one it was offered to."""
    actor.need("review")
    if actor.person_id not in {skill.author_id, skill.proposed_author_id}:
        raise NotAllowed(rule="Only the skill author and whom it was offered to can end an offer")
    skill.proposed_author_id = None
    skill.revision += 1


def accept_transfer(session: TenantSession, actor: Actor, skill: Skill, *, now: datetime) -> None:
    """Become the author of a skill that was offered."""
    actor.need("review")
    if skill.proposed_author_id != actor.person_id:
        raise NotAllowed(rule="This skill was not offered to you")
    _set_author(session, skill, actor.person_id)
    _record_skill(session, actor, skill, "transferred", person_id=actor.person_id, now=now)


def appoint_successor(session: TenantSession, actor: Actor, skill: Skill, person_id: str, *, now: datetime) -> None:
    """As admin, give the skill of a deactivated author to another member, not to oneself."""
    actor.need_admin()
    if identity.is_active(identity.member(session, skill.author_id)):
        raise NotAllowed(rule="A successor can be appointed only for a deactivated author")
    if person_id == actor.person_id:
        raise NotAllowed(rule="An admin cannot appoint themselves")
    if not identity.is_active(identity.member(session, person_id)):
        raise NotAllowed(rule="The successor is an active member of the tenant")
    _set_author(session, skill, person_id)
    _record_skill(session, actor, skill, "successor_appointed", person_id=person_id, now=now)


def forget_member(session: TenantSession, person_id: str) -> None:
    """Take a person out of the skills of others, at the end of their account.

    Raises NotAllowed while they are the author of one: nobody else could review, export or delete what it holds.
    """
    own = select(Skill.slug).where(Skill.author_id == person_id).order_by(Skill.slug)
    if slugs := list(session.scalars(own.limit(_NAMED_AT_MOST))):
        rule = f"First transfer or delete the skills whose author this account is: {', '.join(slugs)}"
        raise NotAllowed(rule=rule)
    session.execute(delete(CoAuthor).where(CoAuthor.person_id == person_id))
    for skill in session.scalars(select(Skill).where(Skill.proposed_author_id == person_id)):
        skill.proposed_author_id = None


def _set_author(session: TenantSession, skill: Skill, person_id: str) -> None:
    skill.author_id = person_id
    skill.proposed_author_id = None
    skill.revision += 1
    session.execute(delete(CoAuthor).where(CoAuthor.skill_id == skill.id, CoAuthor.person_id == person_id))


def _need_first_author(actor: Actor, skill: Skill) -> None:
    actor.need("review")
    if skill.author_id != actor.person_id:
        raise NotAllowed(rule="Only the skill author can do this")
