from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, Json, TenantOwned, UtcTime


class Notice(TenantOwned, Base):
    """A text with which consent is or was asked; its version is the sha256 of the text. Append-only."""

    __tablename__ = "notices"

    version: Mapped[str] = mapped_column(String(80), primary_key=True)
    language: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class NoticePublication(TenantOwned, HasId, Base):
    """A notice was put in force in a language; the latest one of a language is in force there. Append-only.

    `purposes` are those the text asks for. `edition` counts how often the tenant has asked for more than before.
    """

    __tablename__ = "notice_publications"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "version"], ["notices.tenant_id", "notices.version"]),
        ForeignKeyConstraint(["tenant_id", "published_by"], ["memberships.tenant_id", "memberships.person_id"]),
        CheckConstraint("number >= 1 AND edition >= 1", name="counted"),
        CheckConstraint("channel IN ('web', 'api', 'cli', 'mcp')", name="channel"),
        UniqueConstraint("tenant_id", "number"),
    )

    number: Mapped[int] = mapped_column(BigInteger)
    language: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(80))
    purposes: Mapped[list[str]] = mapped_column(Json)
    edition: Mapped[int]
    published_by: Mapped[str] = mapped_column(Id)
    channel: Mapped[str] = mapped_column(String(20))
    published_at: Mapped[datetime] = mapped_column(UtcTime)


class ConsentRequest(TenantOwned, HasId, Base):
    """A notice was shown to a person: the consent event `requested`. Append-only.

    In a table of its own, since being asked changes nothing: the latest consent event stays a person's state, and a
    page that shows the notice makes no other form stale. `skill_id` is set where they were asked about one skill.
    """

    __tablename__ = "consent_requests"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "notice_version"], ["notices.tenant_id", "notices.version"]),
        CheckConstraint("channel IN ('web', 'api', 'cli', 'mcp')", name="channel"),
        Index("ix_consent_requests_person", "tenant_id", "person_id", "notice_version"),
    )

    person_id: Mapped[str] = mapped_column(Id)
    notice_version: Mapped[str] = mapped_column(String(80))
    skill_id: Mapped[str | None] = mapped_column(Id)
    channel: Mapped[str] = mapped_column(String(20))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)


class ConsentEvent(TenantOwned, HasId, Base):
    """One choice: of a person about their own uses, or of an admin about the tenant's switch.

    Append-only (triggers refuse update and delete). The latest event of a subject, by `seq`, is its state; there is
    no other place where consent is kept. `purposes`, `skill_ids`, `excepted_skill_ids` and `expires_at` are what is
    consented to after this event (`skill_ids` null: every skill but the excepted ones). `notice_edition` is null in
    rows of a server that knew no editions, and counts as outdated. A trigger refuses a choice by anyone but the person,
    and a revocation by the person.
    """

    __tablename__ = "consent_events"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "actor_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "notice_version"], ["notices.tenant_id", "notices.version"]),
        CheckConstraint("(subject = 'person') = (person_id IS NOT NULL)", name="subject_has_person"),
        CheckConstraint(
            "(subject = 'tenant' AND action IN ('switched_on', 'switched_off')) OR (subject = 'person' AND action IN"
            " ('given', 'refused', 'renewed', 'withdrawn', 'revoked', 'expired', 'invalidated'))",
            name="action",
        ),
        CheckConstraint("channel IN ('web', 'api', 'cli', 'mcp', 'system')", name="channel"),
        CheckConstraint("action NOT IN ('given', 'renewed') OR expires_at IS NOT NULL", name="given_expires"),
        CheckConstraint("action IN ('given', 'renewed', 'withdrawn') OR expires_at IS NULL", name="only_a_yes_lasts"),
        CheckConstraint(
            "subject <> 'person' OR (expires_at IS NULL) = (CAST(purposes AS TEXT) = '[]')", name="a_yes_has_purposes"
        ),
        CheckConstraint("(action = 'expired') = (actor_id IS NULL)", name="only_time_has_no_actor"),
        CheckConstraint("(channel = 'system') = (actor_id IS NULL)", name="system_is_nobody"),
        CheckConstraint("excepted_skill_ids IS NULL OR skill_ids IS NULL", name="all_but"),
        UniqueConstraint("tenant_id", "seq"),
        Index("ix_consent_events_subject", "tenant_id", "subject", "person_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[str | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[str | None] = mapped_column(Id)
    channel: Mapped[str] = mapped_column(String(20))
    notice_version: Mapped[str] = mapped_column(String(80))
    notice_edition: Mapped[int | None]
    purposes: Mapped[list[str]] = mapped_column(Json)
    skill_ids: Mapped[list[str] | None] = mapped_column(Json)
    excepted_skill_ids: Mapped[list[str] | None] = mapped_column(Json)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)


class LedgerEntry(TenantOwned, Base):
    """One entry of the tenant's ledger. Append-only (triggers refuse update, delete and truncate).

    `entry` is what was hashed, byte for byte: canonical JSON (RFC 8785) without any text of a person. `peaks` are the
    roots of the complete subtrees of the Merkle tree up to this entry, largest first: what the next entry is added to,
    and what every proof is made from. `record_id` only finds an entry again; the entry itself says it, too.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ix_ledger_entries_record", "tenant_id", "record_id"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry: Mapped[str] = mapped_column(Text)
    peaks: Mapped[bytes] = mapped_column(LargeBinary)
    record_id: Mapped[str | None] = mapped_column(Id)


class CommitmentKey(TenantOwned, Base):
    """What a person's commitments in the ledger are made with. Without this row nobody can tell whom they mean."""

    __tablename__ = "commitment_keys"

    person_id: Mapped[str] = mapped_column(Id, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
