from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, Json, TenantOwned, UtcTime


class Notice(TenantOwned, Base):
    """A text that was shown when consent was asked; its version is the sha256 of the text."""

    __tablename__ = "notices"

    version: Mapped[str] = mapped_column(String(80), primary_key=True)
    language: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ConsentEvent(TenantOwned, HasId, Base):
    """One choice: of a person about their own uses, or of an admin about the tenant's switch.

    Append-only (triggers refuse update and delete). The latest event of a subject, by `seq`, is its state; there is
    no other place where consent is kept. `purposes` and `skill_ids` are what is consented to after this event
    (`skill_ids` null: every skill).
    """

    __tablename__ = "consent_events"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "actor_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "notice_version"], ["notices.tenant_id", "notices.version"]),
        CheckConstraint("(subject = 'person') = (person_id IS NOT NULL)", name="subject_has_person"),
        CheckConstraint(
            "(subject = 'tenant' AND action IN ('switched_on', 'switched_off'))"
            " OR (subject = 'person' AND action IN ('given', 'withdrawn'))",
            name="action",
        ),
        CheckConstraint("channel IN ('web', 'api', 'cli')", name="channel"),
        CheckConstraint("action <> 'given' OR expires_at IS NOT NULL", name="given_expires"),
        UniqueConstraint("tenant_id", "seq"),
        Index("ix_consent_events_subject", "tenant_id", "subject", "person_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[str | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[str] = mapped_column(Id)
    channel: Mapped[str] = mapped_column(String(20))
    notice_version: Mapped[str] = mapped_column(String(80))
    purposes: Mapped[list[str]] = mapped_column(Json)
    skill_ids: Mapped[list[str] | None] = mapped_column(Json)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
