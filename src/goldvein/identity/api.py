from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from goldvein.identity import service
from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.identity.service import NewKey
from goldvein.identity.tables import ApiKey, Membership, Person
from goldvein.schemas import ExpectedRevision, Page, RequestBody

router = APIRouter(prefix="/api", tags=["members and keys"])


class MemberOut(BaseModel):
    """A member as the tenant's members see them; the name of an invited person is theirs to bring."""

    person_id: str
    email: str
    name: str | None
    role: str
    state: Literal["invited", "active", "deactivated"]
    revision: int


class Invitation(RequestBody):
    """Whom to invite."""

    email: str
    name: str
    role: Literal["admin", "member"] = "member"


class InvitationOut(BaseModel):
    """The invitation; the link is shown this once."""

    person_id: str
    link: str


class MemberChange(RequestBody):
    """What to change, one field at a time."""

    role: Literal["admin", "member"] | None = None
    active: bool | None = None


class NewKeyRequest(RequestBody):
    """A key to make."""

    name: str = Field(max_length=100)
    scopes: list[str]
    kind: Literal["personal", "service"] = "personal"
    expires_at: AwareDatetime | None = Field(default=None, strict=False)
    requires_signature: bool = False


class KeyOut(BaseModel):
    """A key without its secret."""

    id: str
    name: str
    kind: str
    person_id: str | None
    scopes: list[str]
    requires_signature: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    """A key at the only moment its secrets are shown."""

    api_key: str
    signing_secret: str | None


def show_key(key: ApiKey) -> KeyOut:
    """A key without its secret."""
    return KeyOut.model_validate(key, from_attributes=True)


def show_new_key(new: NewKey) -> NewKeyOut:
    """A key with its secrets."""
    return NewKeyOut(**show_key(new.row).model_dump(), api_key=new.token.text, signing_secret=new.signing_secret)


def show_member(membership: Membership, person: Person) -> MemberOut:
    """A member of the tenant."""
    state: Literal["invited", "active", "deactivated"] = "active"
    if membership.accepted_at is None:
        state = "invited"
    if membership.deactivated_at is not None:
        state = "deactivated"
    return MemberOut(
        person_id=person.id,
        email=person.email,
        name=None if membership.accepted_at is None else person.name,
        role=membership.role,
        state=state,
        revision=membership.revision,
    )


@router.get("/members")
def list_members(actor: ActorDep, runtime: RuntimeDep) -> Page[MemberOut]:
    """List the members of the tenant. Admin only."""
    actor.need_admin()
    with runtime.database.read(actor.tenant_id) as session:
        return Page(items=[show_member(membership, person) for membership, person in service.members(session)])


@router.patch("/members/{person_id}")
def change_member(
    person_id: str, body: MemberChange, actor: ActorDep, runtime: RuntimeDep, if_match: ExpectedRevision = None
) -> MemberOut:
    """Change a role, deactivate or reactivate. Deactivation ends keys and sessions at once. Admin only."""
    actor.need_admin()
    with runtime.database.write(actor.tenant_id) as session:
        changed = service.change_member(
            session,
            actor,
            person_id,
            role=body.role,
            active=body.active,
            now=runtime.now(),
            expected_revision=if_match,
        )
        return show_member(changed, service.person_of(session, person_id))


@router.post("/invitations", status_code=201)
def invite(body: Invitation, actor: ActorDep, runtime: RuntimeDep) -> InvitationOut:
    """Invite a person by a one-time link, shown once; inviting again makes a new link. Admin only."""
    actor.need_admin()
    with runtime.database.write_across_tenants() as session:
        membership = service.invite(
            session, tenant_id=actor.tenant_id, now=runtime.now(), actor_id=actor.person_id, **body.model_dump()
        )
        token = service.make_link(session, runtime.server_key, membership, "invitation", now=runtime.now())
    link = f"{runtime.settings.base_url}/welcome/{token}"
    return InvitationOut(person_id=membership.person_id, link=link)


@router.get("/keys")
def list_keys(actor: ActorDep, runtime: RuntimeDep) -> Page[KeyOut]:
    """List the keys of all members, without secrets. Admin only."""
    actor.need_admin()
    with runtime.database.read(actor.tenant_id) as session:
        return Page(items=[show_key(key) for key in service.keys_of(session)])


@router.delete("/keys/{key_id}")
def revoke_key(key_id: str, actor: ActorDep, runtime: RuntimeDep) -> KeyOut:
    """Revoke any key of the tenant. Admin only; nobody can make a key for someone else."""
    actor.need_admin()
    with runtime.database.write(actor.tenant_id) as session:
        return show_key(service.revoke_key(session, actor, key_id, runtime.now()))
