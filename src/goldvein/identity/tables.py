from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, IdentityOwned, Json, UtcTime
from goldvein.db.ids import new_id, random_id


class Tenant(Base):
    """An organisation. Its capture switch is not here: it is derived from consent events.

    How many days something is kept is null where the installation's own setting holds.
    """

    __tablename__ = "tenants"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(200))
    is_demo: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcTime)
    pending_retention_days: Mapped[int | None]
    event_retention_days: Mapped[int | None]
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Person(Base):
    """A human being who signs in; what they may do in a tenant is in their membership."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=random_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Membership(IdentityOwned, Base):
    """A person in a tenant. Rows of other slices refer to people through it, so they cannot name a stranger.

    `erased_at`: their account was deleted here. The row stays, since consent events refer to it, and says nothing of
    them but a random id.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'member')", name="role"),
        CheckConstraint("display IN ('pseudonym', 'name')", name="display"),
        Index("ix_memberships_person_id", "person_id"),
    )

    person_id: Mapped[str] = mapped_column(Id, ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    display: Mapped[str] = mapped_column(String(20), default="pseudonym")
    accepted_at: Mapped[datetime | None] = mapped_column(UtcTime)
    deactivated_at: Mapped[datetime | None] = mapped_column(UtcTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ApiKey(IdentityOwned, HasId, Base):
    """A bearer key. `secret_hash` is a keyed hash: a stolen database opens no door."""

    __tablename__ = "api_keys"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "created_by"], ["memberships.tenant_id", "memberships.person_id"]),
        CheckConstraint("(kind = 'personal') = (person_id IS NOT NULL)", name="personal_has_person"),
        CheckConstraint("kind IN ('personal', 'service')", name="kind"),
        UniqueConstraint("public_id"),
    )

    public_id: Mapped[str] = mapped_column(String(12))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[str | None] = mapped_column(Id)
    created_by: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[list[str]] = mapped_column(Json)
    requires_signature: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    rotated_at: Mapped[datetime | None] = mapped_column(UtcTime)


class WebSession(IdentityOwned, HasId, Base):
    """A signed-in browser; the cookie holds the token, the row its hash."""

    __tablename__ = "web_sessions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        UniqueConstraint("token_hash"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    person_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)


class OneTimeLink(IdentityOwned, HasId, Base):
    """A link that works once: to sign in, accept an invitation, set a new password, choose an organisation."""

    __tablename__ = "one_time_links"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        CheckConstraint("purpose IN ('login', 'invitation', 'reset', 'choice')", name="purpose"),
        UniqueConstraint("token_hash"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    person_id: Mapped[str] = mapped_column(Id)
    purpose: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
