"""The people of the demo, their organisations and their keys: made once, found again by every later run."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from goldvein.db.session import TenantSession
from goldvein.errors import NotAllowed
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.identity.actor import Actor, scopes_of
from goldvein.identity.keys import KeyToken, new_token
from goldvein.identity.tables import Membership, Tenant

LOGIN_LINK_LIFETIME: Final = timedelta(hours=24)
ACME: Final = "Acme"
GLOBEX: Final = "Globex"
SERVICE_KEY: Final = "nightly-builds"

# Who belongs where, as what. Dana authors nothing; charlie must see nothing of Acme.
_MEMBERS: Final = (
    ("alice", "Alice Moreau", ACME, "member"),
    ("bob", "Bob Tanaka", ACME, "member"),
    ("dana", "Dana Okafor", ACME, "admin"),
    ("charlie", "Charlie Lind", GLOBEX, "admin"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoPerson:
    """One of the people, with what is needed to act as them."""

    name: str
    person_id: str
    tenant_id: str
    api_key: str = field(repr=False)
    login_path: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast:
    """Everybody, and when their organisations were made: the session that is played counts its times from then."""

    people: dict[str, DemoPerson]
    service_key: str = field(repr=False)
    since: datetime


def refuse_real_tenants(runtime: Runtime) -> None:
    """Raise NotAllowed when the store holds an organisation that is not the demo's."""
    with runtime.database.read_across_tenants() as session:
        if not all(tenant.is_demo for tenant in identity.find_tenants(session)):
            raise NotAllowed(rule="This store holds real organisations; give the demo a GOLDVEIN_DATA_DIR of its own")


def gather(runtime: Runtime) -> Cast:
    """Make the people, or find them. The store holds the demo's organisations or none.

    The keys are derived from the server's secret, so that every run has the same ones and stores none of them. Only
    the demo makes keys for others: these people are nobody, and their tenants are marked as a demo.
    """
    now = runtime.now()
    with runtime.database.write_across_tenants() as session:
        by_name = {tenant.name: tenant for tenant in identity.find_tenants(session)}
        tenants = {name: by_name.get(name) or _make_tenant(session, name, now) for name in (ACME, GLOBEX)}
        people, members = {}, {}
        for name, full_name, tenant_name, role in _MEMBERS:
            tenant = tenants[tenant_name]
            member = _find_member(session, tenant, name) or _make_member(
                session, runtime, tenant, name=name, full_name=full_name, role=role
            )
            members[name] = member
            people[name] = _person(session, runtime, member, name)
        if tenants[ACME].name not in by_name:
            _make_service_key(session, runtime, members["dana"])
    return Cast(people=people, service_key=_token(runtime, SERVICE_KEY).text, since=tenants[ACME].created_at)


def _make_tenant(session: TenantSession, name: str, now: datetime) -> Tenant:
    return identity.create_tenant(session, name=name, now=now, is_demo=True)


def _address(name: str, tenant: Tenant) -> str:
    domain = tenant.name.lower()
    return f"{name}@{domain}.example"


def _find_member(session: TenantSession, tenant: Tenant, name: str) -> Membership | None:
    found = identity.find_memberships(session, _address(name, tenant))
    return next((member for member in found if member.tenant_id == tenant.id), None)


def _make_member(
    session: TenantSession, runtime: Runtime, tenant: Tenant, *, name: str, full_name: str, role: str
) -> Membership:
    """A member who has accepted, with a key that carries all that they may do."""
    now = runtime.now()
    address = _address(name, tenant)
    member = identity.invite(session, tenant_id=tenant.id, email=address, name=full_name, role=role, now=now)
    member.accepted_at = now
    identity.create_key(
        session,
        runtime.server_key,
        _actor(member),
        name="demo",
        scopes=sorted(scopes_of(role)),
        now=now,
        token=_token(runtime, name),
    )
    return member


def _make_service_key(session: TenantSession, runtime: Runtime, admin: Membership) -> None:
    identity.create_key(
        session,
        runtime.server_key,
        _actor(admin),
        name=SERVICE_KEY,
        scopes=["track"],
        now=runtime.now(),
        kind="service",
        token=_token(runtime, SERVICE_KEY),
    )


def _actor(member: Membership) -> Actor:
    return Actor(
        tenant_id=member.tenant_id,
        person_id=member.person_id,
        role=member.role,
        scopes=scopes_of(member.role),
        channel="api",
        credential_id="demo",
    )


def _token(runtime: Runtime, name: str) -> KeyToken:
    return new_token("test", material=runtime.server_key.stable_digest("demo-key", name))


def _person(session: TenantSession, runtime: Runtime, member: Membership, name: str) -> DemoPerson:
    link = identity.make_link(
        session, runtime.server_key, member, "login", now=runtime.now(), lifetime=LOGIN_LINK_LIFETIME
    )
    return DemoPerson(
        name=name,
        person_id=member.person_id,
        tenant_id=member.tenant_id,
        api_key=_token(runtime, name).text,
        login_path=f"/login/{link}",
    )
