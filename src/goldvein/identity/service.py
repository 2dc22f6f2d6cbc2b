"""Tenants, people, memberships, keys, sessions and one-time links."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from goldvein.db.ids import is_id, new_id, random_id
from goldvein.db.session import TenantSession, for_change
from goldvein.errors import AlreadyExists, InvalidField, JSONValue, NotAllowed, NotFound, StaleRevision
from goldvein.identity.actor import Actor, Channel, Reporter, scopes_of
from goldvein.identity.keys import SCOPES, KeyToken, new_token, parse_token, signing_secret
from goldvein.identity.passwords import PASSWORD_RULE, hash_password, is_long_enough, password_holds
from goldvein.identity.server_key import ServerKey
from goldvein.identity.tables import ApiKey, Membership, OneTimeLink, Person, Tenant, WebSession
from goldvein.sanitizer import sanitize

MAX_NAME_CHARS = 200
DELETED, DELETED_TENANT = "deleted account", "deleted organisation"
MAX_KEY_LIFETIME = timedelta(days=3653)
ROTATION_OVERLAP = timedelta(hours=24)
LINK_LIFETIME = {
    "login": timedelta(hours=1),
    "invitation": timedelta(days=7),
    "reset": timedelta(hours=1),
    "choice": timedelta(minutes=10),
}
_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,189}")
MAX_RETENTION_DAYS = 3_650


# Tenants and people


def create_tenant(session: TenantSession, *, name: str, now: datetime, is_demo: bool = False) -> Tenant:
    """Make a tenant; capture is off until its admin switches it on. Needs a session across tenants."""
    tenant = Tenant(id=new_id(), name=clean_name("name", name), is_demo=is_demo, revision=1, created_at=now)
    session.add(tenant)
    session.flush()
    nothing = hashlib.sha256(b"").hexdigest()  # of the ids that there are: none
    session.record(
        "ledger_begins",
        at=now,
        tenant_id=tenant.id,
        reason="tenant_created",
        consent_events=0,
        events_sha256=nothing,
        captured_examples=0,
        examples_sha256=nothing,
    )
    return tenant


def invite(
    session: TenantSession,
    *,
    tenant_id: str,
    email: str,
    name: str,
    role: str,
    now: datetime,
    actor_id: str | None = None,
) -> Membership:
    """Make a membership that waits for its person to accept; `actor_id` is None for the operator.

    Needs a session across tenants.

    A person who already has an account keeps their name and password: the answer does not tell whether they have one.
    """
    if role not in {"admin", "member"}:
        raise InvalidField(field="role", reason="admin or member")
    email, name = clean_email(email), clean_name("name", name)
    person = session.scalar(select(Person).where(Person.email == email))
    if person is None:
        person = Person(id=random_id(), email=email, name=name, created_at=now)
        session.add(person)
        session.flush()
    known = select(Membership).where(Membership.tenant_id == tenant_id, Membership.person_id == person.id)
    membership = session.scalar(known)
    if membership is not None:
        if membership.erased_at is not None:  # they had an account here, and it was deleted: they begin anew
            membership.erased_at = membership.deactivated_at = membership.accepted_at = None
        if membership.accepted_at is not None or membership.deactivated_at is not None:
            raise AlreadyExists(what="member", key="email")
        membership.role = role  # invited again, before accepting
    else:
        membership = Membership(tenant_id=tenant_id, person_id=person.id, role=role, created_at=now, revision=1)
        session.add(membership)
        session.flush()
    _record_member(session, membership, "invited", actor_id, now)
    return membership


def _record_member(
    session: TenantSession, membership: Membership, change: str, actor_id: str | None, now: datetime
) -> None:
    """Have the ledger keep who may do what in the tenant, from here on."""
    people = {"person": membership.person_id, "actor": actor_id}
    session.record("member", at=now, tenant_id=membership.tenant_id, people=people, change=change, role=membership.role)


def members(session: TenantSession) -> list[tuple[Membership, Person]]:
    """The members of the tenant, oldest first; without deleted accounts."""
    rows = select(Membership, Person).join(Person, Person.id == Membership.person_id)
    rows = rows.where(Membership.erased_at.is_(None)).order_by(Membership.created_at)
    return [(membership, person) for membership, person in session.execute(rows)]


def member(session: TenantSession, person_id: str, *, to_change: bool = False) -> Membership:
    """One member of the tenant, or NotFound; `to_change` holds the row until the transaction ends."""
    here = select(Membership).where(Membership.person_id == person_id, Membership.erased_at.is_(None))
    found = session.scalar(for_change(here) if to_change else here) if is_id(person_id) else None
    if found is None:
        raise NotFound(what="member")
    return found


def shown_name(session: TenantSession, person_id: str) -> str:
    """What a person is called on pages and in answers; a deleted account has no name here."""
    erased = select(Membership.erased_at).where(Membership.person_id == person_id)
    return DELETED if session.scalar(erased) is not None else person_of(session, person_id).name


def is_active(membership: Membership) -> bool:
    """Whether the person may act in the tenant."""
    return membership.accepted_at is not None and membership.deactivated_at is None


def change_member(
    session: TenantSession,
    actor: Actor,
    person_id: str,
    *,
    role: str | None,
    active: bool | None,
    now: datetime,
    expected_revision: int | None = None,
) -> Membership:
    """Change a role, deactivate or reactivate. Deactivation ends the person's keys and sessions at once.

    The last active admin can be neither deactivated nor made a member; the tenant is held, so that two admins who
    deactivate each other come one after the other.
    """
    actor.need_admin()
    session.scalars(for_change(select(Tenant).where(Tenant.id == session.tenant_id))).one()
    target = member(session, person_id, to_change=True)
    need_revision(target.revision, expected_revision, {"role": target.role, "revision": target.revision})
    if role is not None:
        if role not in {"admin", "member"}:
            raise InvalidField(field="role", reason="admin or member")
        if role != target.role:
            target.role = role
            _record_member(session, target, "role", actor.person_id, now)
    if active is True and target.deactivated_at is not None:
        target.deactivated_at = None
        _record_member(session, target, "reactivated", actor.person_id, now)
    elif active is False and target.deactivated_at is None:
        target.deactivated_at = now
        _record_member(session, target, "deactivated", actor.person_id, now)
        _end_access(session, actor, person_id, now)
    target.revision += 1
    session.flush()
    _need_admin_left(session)
    return target


def forget_member(session: TenantSession, actor: Actor, person_id: str, now: datetime) -> None:
    """Take a person's name, address, password, sessions and keys out of the tenant: the end of an account.

    What other rows refer to stays under the person's random id. With their last account the person is forgotten in the
    whole store. The last active admin cannot go: an organisation without one could not be governed.
    """
    membership = member(session, person_id, to_change=True)
    membership.erased_at = now
    membership.deactivated_at = membership.deactivated_at or now
    membership.display = "pseudonym"
    membership.revision += 1
    _record_member(session, membership, "erased", actor.person_id, now)
    _end_access(session, actor, person_id, now)
    for key in session.scalars(select(ApiKey).where(ApiKey.person_id == person_id)):
        key.name = DELETED
    session.flush()
    _need_admin_left(session)
    _forget_person(session, person_id)


def forget_tenant(session: TenantSession, now: datetime) -> None:
    """End every access to the tenant, and take its name and those of its members out of the store."""
    tenant = session.scalars(for_change(select(Tenant).where(Tenant.id == session.tenant_id))).one()
    tenant.name, tenant.deleted_at = DELETED_TENANT, now
    held = list(session.scalars(select(Membership).where(Membership.erased_at.is_(None))))
    for membership in held:
        membership.erased_at, membership.deactivated_at, membership.display = now, now, "pseudonym"
    for owned in (WebSession, OneTimeLink):
        session.execute(delete(owned))
    session.execute(update(ApiKey).values(revoked_at=now, name=DELETED))
    for membership in held:
        _forget_person(session, membership.person_id)


def _forget_person(session: TenantSession, person_id: str) -> None:
    """Take name, address and password of somebody without any account out of the store."""
    with session.across_tenants():
        accounts = select(func.count()).select_from(Membership)
        accounts = accounts.where(Membership.person_id == person_id, Membership.erased_at.is_(None))
        if session.scalar(accounts) == 0:
            person = person_of(session, person_id)
            person.email, person.name, person.password_hash = f"{person_id}@deleted.invalid", DELETED, None


def _need_admin_left(session: TenantSession) -> None:
    if not any(row.role == "admin" and is_active(row) for row, _ in members(session)):
        raise NotAllowed(rule="A tenant keeps at least one active admin")


def _end_access(session: TenantSession, actor: Actor, person_id: str, now: datetime) -> None:
    session.execute(delete(WebSession).where(WebSession.person_id == person_id))
    session.execute(delete(OneTimeLink).where(OneTimeLink.person_id == person_id))
    live = ApiKey.person_id == person_id, ApiKey.revoked_at.is_(None)
    for key in session.scalars(select(ApiKey).where(*live).order_by(ApiKey.id)):
        key.revoked_at = now
        _record_key(session, actor, key, "revoked", now)


def tenant_of(session: TenantSession) -> Tenant:
    """The tenant of this session."""
    return session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()


def event_retention_of(session: TenantSession, tenant_id: str) -> int | None:
    """How many days this tenant keeps events, if it chose; for the doors, who have a key and no tenant yet."""
    return session.scalar(select(Tenant.event_retention_days).where(Tenant.id == tenant_id))


def rename_tenant(session: TenantSession, actor: Actor, name: str) -> Tenant:
    """Change the organisation's name."""
    actor.need_admin()
    tenant = tenant_of(session)
    tenant.name = clean_name("name", name)
    tenant.revision += 1
    return tenant


def change_retention(
    session: TenantSession, actor: Actor, *, pending_days: int | None = None, event_days: int | None = None
) -> Tenant:
    """As admin, say how long captured examples wait for a review, or how long usage events are kept."""
    actor.need_admin()
    tenant = tenant_of(session)
    for name, days in (("pending_retention_days", pending_days), ("event_retention_days", event_days)):
        if days is None:
            continue
        if not 1 <= days <= MAX_RETENTION_DAYS:
            raise InvalidField(field=name, reason=f"1 to {MAX_RETENTION_DAYS} days")
        setattr(tenant, name, days)
    tenant.revision += 1
    return tenant


def person_of(session: TenantSession, person_id: str) -> Person:
    """A person by id; the caller has found the id inside the tenant."""
    return session.scalars(select(Person).where(Person.id == person_id)).one()


def choose_display(session: TenantSession, actor: Actor, display: str) -> None:
    """Choose what authors see of one's captured examples: a pseudonym, or the name."""
    actor.need("me")
    if display not in {"pseudonym", "name"}:
        raise InvalidField(field="display", reason="pseudonym or name")
    membership = member(session, actor.person_id)
    membership.display = display
    membership.revision += 1


def find_tenants(session: TenantSession, *, deleted: bool = False) -> list[Tenant]:
    """Every tenant, or every deleted one, oldest first. Needs a session across tenants."""
    wanted = Tenant.deleted_at.is_not(None) if deleted else Tenant.deleted_at.is_(None)
    return list(session.scalars(select(Tenant).where(wanted).order_by(Tenant.created_at)))


def find_memberships(session: TenantSession, email: str) -> list[Membership]:
    """The memberships of an address, newest first. Needs a session across tenants."""
    rows = select(Membership).join(Person, Person.id == Membership.person_id)
    return list(session.scalars(rows.where(Person.email == clean_email(email)).order_by(Membership.created_at.desc())))


def clean_email(email: str) -> str:
    """An address in the form we compare; InvalidField when it cannot be one."""
    email = email.strip().lower()
    if _EMAIL.fullmatch(email) is None or not email.isprintable():
        raise InvalidField(field="email", reason="an e-mail address of at most 254 characters")
    return email


def clean_name(field_name: str, name: str) -> str:
    """A name of 1..200 printable characters in which the sanitizer finds nothing; InvalidField when it is not one."""
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise InvalidField(field=field_name, reason=f"1 to {MAX_NAME_CHARS} printable characters")
    if sanitize(name).findings:
        raise InvalidField(field=field_name, reason="looks like a secret or personal data; choose a plain name")
    return name


# Keys


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key at the only moment its secrets can be seen."""

    row: ApiKey
    token: KeyToken
    signing_secret: str | None = field(repr=False)


def create_key(
    session: TenantSession,
    server_key: ServerKey,
    actor: Actor,
    *,
    name: str,
    scopes: list[str],
    now: datetime,
    kind: str = "personal",
    expires_at: datetime | None = None,
    requires_signature: bool = False,
    token: KeyToken | None = None,
    replaces: bool = False,
) -> NewKey:
    """Make a key for oneself, or, as an admin, a service key.

    A personal key carries at most what its person may do and what the key or session used to make it carries; a
    service key has no person and can only report uses. A key that requires signatures only reports uses too: the
    signature covers the body of a call, not its route. `replaces` is for rotation, which renews the lifetime.
    """
    actor.need("me")
    _check_scopes(actor, kind, scopes)
    if requires_signature and set(scopes) != {"track"}:
        raise InvalidField(field="requires_signature", reason="only for a key whose one scope is track")
    if expires_at is not None and not timedelta() < expires_at - now <= MAX_KEY_LIFETIME:
        raise InvalidField(field="expires_at", reason="a time in the future, at most ten years ahead")
    if not replaces:
        expires_at = _not_beyond_maker(session, actor, expires_at)
    token = token or new_token("live")
    row = ApiKey(
        tenant_id=actor.tenant_id,
        id=new_id(),
        public_id=token.public_id,
        secret_hash=server_key.digest("api-key", token.text),
        kind=kind,
        person_id=actor.person_id if kind == "personal" else None,
        created_by=actor.person_id,
        name=clean_name("name", name)[:100],
        scopes=sorted(set(scopes), key=SCOPES.index),
        requires_signature=requires_signature,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    _record_key(session, actor, row, "made", now)
    secret = signing_secret(server_key.digest("signing", row.id)) if requires_signature else None
    return NewKey(row=row, token=token, signing_secret=secret)


def _record_key(session: TenantSession, actor: Actor, key: ApiKey, change: str, now: datetime) -> None:
    """Have the ledger keep which keys open what, by id."""
    people = {"person": key.person_id, "actor": actor.person_id}
    said: dict[str, JSONValue] = {"key": key.id, "change": change, "key_kind": key.kind, "scopes": list(key.scopes)}
    session.record("key", at=now, tenant_id=key.tenant_id, people=people, **said)


def _not_beyond_maker(session: TenantSession, actor: Actor, expires_at: datetime | None) -> datetime | None:
    """A key made with a key ends with it at the latest: a leaked key that expires cannot make itself eternal."""
    by_key = actor.channel == "api" and is_id(actor.credential_id)
    maker = session.scalar(select(ApiKey).where(ApiKey.id == actor.credential_id)) if by_key else None
    if maker is None or maker.expires_at is None:
        return expires_at
    return min(expires_at or maker.expires_at, maker.expires_at)


def _check_scopes(actor: Actor, kind: str, scopes: list[str]) -> None:
    if not scopes or not set(scopes) <= set(SCOPES):
        raise InvalidField(field="scopes", reason=f"at least one of {', '.join(SCOPES)}")
    if kind == "service":
        actor.need_admin()
        if set(scopes) != {"track"}:
            raise InvalidField(field="scopes", reason="a service key can only have the scope track")
    elif kind != "personal":
        raise InvalidField(field="kind", reason="personal or service")
    elif beyond := set(scopes) - (scopes_of(actor.role) & actor.scopes):
        raise NotAllowed(rule=f"You cannot give a key more than you hold: {', '.join(sorted(beyond))}")


def keys_of(session: TenantSession, person_id: str | None = None) -> list[ApiKey]:
    """The keys of one person, or of the whole tenant; newest first."""
    rows = select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    return list(session.scalars(rows if person_id is None else rows.where(ApiKey.person_id == person_id)))


def revoke_key(session: TenantSession, actor: Actor, key_id: str, now: datetime) -> ApiKey:
    """End a key at once: one's own, or as admin any of the tenant. Revoking twice changes nothing."""
    key = session.scalar(select(ApiKey).where(ApiKey.id == key_id)) if is_id(key_id) else None
    if key is None or (key.person_id != actor.person_id and not actor.is_admin):
        raise NotFound(what="key")
    actor.need("me" if key.person_id == actor.person_id else "admin")
    if key.revoked_at is None:
        key.revoked_at = now
        _record_key(session, actor, key, "revoked", now)
    return key


def rotate_key(session: TenantSession, server_key: ServerKey, actor: Actor, key_id: str, now: datetime) -> NewKey:
    """Replace one's own key by a new one of the same name, scopes and lifetime; the old one works for 24 hours more."""
    actor.need("me")
    own = ApiKey.id == key_id, ApiKey.person_id == actor.person_id
    old = session.scalar(select(ApiKey).where(*own)) if is_id(key_id) else None
    if old is None or not key_is_live(old, now):
        raise NotFound(what="key")
    if old.rotated_at is not None:
        raise AlreadyExists(what="newer key", key="rotation")
    new = create_key(
        session,
        server_key,
        actor,
        name=old.name,
        scopes=old.scopes,
        now=now,
        expires_at=now + (old.expires_at - old.created_at) if old.expires_at is not None else None,
        requires_signature=old.requires_signature,
        replaces=True,
    )
    old.rotated_at = now
    _record_key(session, actor, old, "rotated", now)
    overlap_ends = now + ROTATION_OVERLAP
    old.expires_at = min(old.expires_at or overlap_ends, overlap_ends)
    return new


def key_is_live(key: ApiKey, now: datetime) -> bool:
    """Whether the key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def find_key(session: TenantSession, server_key: ServerKey, text: str, now: datetime) -> ApiKey | None:
    """The live key with this text. Needs a session across tenants; None says nothing about the reason."""
    token = parse_token(text)
    if token is None:
        return None
    key = session.scalar(select(ApiKey).where(ApiKey.public_id == token.public_id))
    if key is None or not server_key.recognises(key.secret_hash, "api-key", text) or not key_is_live(key, now):
        return None
    if key.person_id is None:
        return key
    own = Membership.tenant_id == key.tenant_id, Membership.person_id == key.person_id
    membership = session.scalar(select(Membership).where(*own))
    return key if membership is not None and is_active(membership) else None


def actor_of_key(session: TenantSession, key: ApiKey) -> Actor | None:
    """The person behind a personal key; None for a service key or a deactivated person."""
    if key.person_id is None:
        return None
    return _actor(session, key.tenant_id, key.person_id, frozenset(key.scopes), channel="api", credential_id=key.id)


def reporter_of_key(key: ApiKey) -> Reporter:
    """Whose uses this live key reports."""
    return Reporter(tenant_id=key.tenant_id, person_id=key.person_id, key_id=key.id)


def _actor(
    session: TenantSession,
    tenant_id: str,
    person_id: str,
    scopes: frozenset[str],
    *,
    channel: Channel,
    credential_id: str,
) -> Actor | None:
    own = Membership.tenant_id == tenant_id, Membership.person_id == person_id
    membership = session.scalar(select(Membership).where(*own))
    if membership is None or not is_active(membership):
        return None
    return Actor(
        tenant_id=tenant_id,
        person_id=person_id,
        role=membership.role,
        scopes=scopes & scopes_of(membership.role),
        channel=channel,
        credential_id=credential_id,
    )


# Sign-in: passwords, one-time links, sessions. Single sign-on will end in `start_session`, like these do.


def check_password(session: TenantSession, email: str, password: str) -> list[Membership]:
    """The memberships in which the person may act; empty for a wrong password. Needs a session across tenants."""
    email = email.strip().lower()
    known = _EMAIL.fullmatch(email) is not None and email.isprintable()
    person = session.scalar(select(Person).where(Person.email == email)) if known else None
    holds = password_holds(password, person.password_hash if person else None)
    if person is None or not holds:
        return []
    rows = select(Membership).where(Membership.person_id == person.id).order_by(Membership.created_at)
    return [membership for membership in session.scalars(rows) if is_active(membership)]


def start_session(
    session: TenantSession,
    server_key: ServerKey,
    membership: Membership,
    *,
    now: datetime,
    lifetime: timedelta,
) -> str:
    """Sign a person in to one tenant; returns the token for the cookie."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(WebSession).where(WebSession.expires_at <= now))
    session.add(
        WebSession(
            tenant_id=membership.tenant_id,
            token_hash=server_key.digest("session", token),
            person_id=membership.person_id,
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    return token


def actor_of_session(session: TenantSession, server_key: ServerKey, token: str, now: datetime) -> Actor | None:
    """The person signed in with this cookie, with every scope they may use. Needs a session across tenants."""
    known = WebSession.token_hash.in_(server_key.digests("session", token))
    found = session.scalar(select(WebSession).where(known, WebSession.expires_at > now))
    if found is None:
        return None
    everything = frozenset(SCOPES)
    return _actor(session, found.tenant_id, found.person_id, everything, channel="web", credential_id=found.id)


def sessions_of(session: TenantSession, person_id: str, now: datetime) -> list[WebSession]:
    """The browsers in which a person is signed in, newest first."""
    live = WebSession.person_id == person_id, WebSession.expires_at > now
    return list(session.scalars(select(WebSession).where(*live).order_by(WebSession.created_at.desc())))


def end_session(session: TenantSession, actor: Actor, session_id: str) -> None:
    """Sign out one browser of one's own."""
    own = WebSession.id == session_id, WebSession.person_id == actor.person_id
    if not is_id(session_id) or session.execute(delete(WebSession).where(*own)).rowcount == 0:  # type: ignore[attr-defined]
        raise NotFound(what="session")


def make_link(
    session: TenantSession,
    server_key: ServerKey,
    membership: Membership,
    purpose: str,
    *,
    now: datetime,
    lifetime: timedelta | None = None,
) -> str:
    """A one-time token to sign in, accept an invitation, set a new password or choose an organisation.

    Older ones of its kind end.
    """
    same = OneTimeLink.person_id == membership.person_id, OneTimeLink.tenant_id == membership.tenant_id
    session.execute(delete(OneTimeLink).where(*same, OneTimeLink.purpose == purpose))
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeLink(
            tenant_id=membership.tenant_id,
            token_hash=server_key.digest("link", token),
            person_id=membership.person_id,
            purpose=purpose,
            created_at=now,
            expires_at=now + (lifetime or LINK_LIFETIME[purpose]),
        )
    )
    return token


def open_link(
    session: TenantSession, server_key: ServerKey, token: str, *, now: datetime, use: bool
) -> tuple[OneTimeLink, Membership]:
    """The link with this token and whose it is; with `use`, it is used up. Needs a session across tenants."""
    known = OneTimeLink.token_hash.in_(server_key.digests("link", token))
    link = session.scalar(select(OneTimeLink).where(known, OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > now))
    if link is None:
        raise NotFound(what="link, or it has been used or is too old")
    own = Membership.tenant_id == link.tenant_id, Membership.person_id == link.person_id
    membership = session.scalars(select(Membership).where(*own)).one()
    if use:
        claimed = update(OneTimeLink).where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        if session.execute(claimed.values(used_at=now)).rowcount == 0:  # type: ignore[attr-defined]
            raise NotFound(what="link, or it has been used or is too old")
    return link, membership


def accept_invitation(session: TenantSession, membership: Membership, password: str, now: datetime) -> None:
    """Join the tenant: a new person sets their password, one with an account proves it with theirs.

    Who already belongs to a tenant has an account, even without a password (signed in by links so far): an invitation
    must not become a way into it. Whoever holds the link learns from the answer only that the password is refused.
    """
    person = person_of(session, membership.person_id)
    elsewhere = select(Membership).where(Membership.person_id == person.id, Membership.accepted_at.is_not(None))
    has_account = person.password_hash is not None or session.scalar(elsewhere.limit(1)) is not None
    accepted = password_holds(password, person.password_hash) if has_account else is_long_enough(password)
    if not accepted:
        raise InvalidField(field="password", reason=f"{PASSWORD_RULE}, or the password of your account here")
    if not has_account:
        person.password_hash = hash_password(password)
    membership.accepted_at = now
    _record_member(session, membership, "accepted", membership.person_id, now)


def reset_password(session: TenantSession, membership: Membership, password: str) -> None:
    """Set a new password and sign the person out everywhere."""
    person_of(session, membership.person_id).password_hash = hash_password(password)
    session.execute(delete(WebSession).where(WebSession.person_id == membership.person_id))


def need_revision(current: int, given: int | None, state: dict[str, object]) -> None:
    """Compare-and-set: raise StaleRevision with the state as it is when the caller decided on another one."""
    if given is not None and given != current:
        raise StaleRevision(current=state)  # type: ignore[arg-type]  # states are JSON objects


def count_people(session: TenantSession) -> int:
    """How many people there are at all. Needs a session across tenants."""
    return session.scalar(select(func.count()).select_from(Person)) or 0
