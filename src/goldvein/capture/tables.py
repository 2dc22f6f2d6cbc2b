from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, ExactDecimal, HasId, Id, TenantOwned, UtcTime

# Only of a captured use is the text in the hash of the body; a withdrawal looks for these.
_HOLDS_TEXT = text("capture_outcome = 'captured' AND body_hash IS NOT NULL")


class UsageEvent(TenantOwned, HasId, Base):
    """One reported use of a skill. No text of the use is here, only names, numbers and what became of the capture.

    `reporter_id` is the person of the key, or the key itself when it is a service key. The two hashes are those of the
    release before: `KnownEvent` has them now, and the release after this one drops the columns.
    """

    __tablename__ = "usage_events"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"]),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "key_id"], ["api_keys.tenant_id", "api_keys.id"]),
        ForeignKeyConstraint(["tenant_id", "skill_version_id"], ["skill_versions.tenant_id", "skill_versions.id"]),
        CheckConstraint("capture_outcome IN ('captured', 'denied', 'none', 'failed')", name="capture_outcome"),
        CheckConstraint("(capture_outcome = 'captured') = (capture_reason IS NULL)", name="capture_reason"),
        UniqueConstraint("tenant_id", "reporter_id", "event_hash"),
        # What refers to an event names its skill too, so that feedback on one skill cannot point to a use of another.
        UniqueConstraint("tenant_id", "skill_id", "id"),
        Index("ix_usage_events_person", "tenant_id", "person_id"),
    )

    skill_id: Mapped[str] = mapped_column(Id)
    person_id: Mapped[str | None] = mapped_column(Id)
    key_id: Mapped[str] = mapped_column(Id)
    reporter_id: Mapped[str] = mapped_column(Id)
    event_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    body_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    door: Mapped[str] = mapped_column(String(20))
    tool_name: Mapped[str] = mapped_column(String(200))
    hook_event: Mapped[str | None] = mapped_column(String(200))
    session_id: Mapped[str | None] = mapped_column(String(200))
    skill_version_id: Mapped[str | None] = mapped_column(Id)
    skill_digest: Mapped[str | None] = mapped_column(String(80))
    latency_ms: Mapped[int | None] = mapped_column(BigInteger)
    capture_outcome: Mapped[str] = mapped_column(String(20))
    capture_reason: Mapped[str | None] = mapped_column(String(40))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    received_at: Mapped[datetime] = mapped_column(UtcTime)


class KnownEvent(TenantOwned, Base):
    """An event_id that was used, as a keyed hash over its reporter too, with the answer it got.

    A table of its own, since it outlives the event by 30 days (`retention.py`).
    `body_hash` tells a retry from another event under the same id; it is null once what it was made of is erased.
    """

    __tablename__ = "known_events"
    __table_args__ = (
        Index(
            "ix_known_events_captured",
            "tenant_id",
            "person_id",
            sqlite_where=_HOLDS_TEXT,
            postgresql_where=_HOLDS_TEXT,
        ),
    )

    event_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    usage_event_id: Mapped[str] = mapped_column(Id)
    person_id: Mapped[str | None] = mapped_column(Id)
    body_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    capture_outcome: Mapped[str] = mapped_column(String(20))
    capture_reason: Mapped[str | None] = mapped_column(String(40))
    received_at: Mapped[datetime] = mapped_column(UtcTime)


class RetentionCount(TenantOwned, Base):
    """How much of a tenant was removed by its age on one day: what the auditor's report shows."""

    __tablename__ = "retention_counts"

    day: Mapped[date] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(30), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class TokenMeasurement(TenantOwned, Base):
    """The model and tokens of one use. The cost is an estimate in US dollars; null for a model without a price."""

    __tablename__ = "token_measurements"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "usage_event_id"], ["usage_events.tenant_id", "usage_events.id"], ondelete="CASCADE"
        ),
    )

    usage_event_id: Mapped[str] = mapped_column(Id, primary_key=True)
    model_name: Mapped[str] = mapped_column(String(100))
    input_tokens: Mapped[int | None] = mapped_column(BigInteger)
    output_tokens: Mapped[int | None] = mapped_column(BigInteger)
    estimated_cost_usd: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    prices_as_of: Mapped[str | None] = mapped_column(String(10))


class HookTurn(TenantOwned, Base):
    """Which skill is at work in one turn of an agent's session: ids only, never text, forgotten after a day."""

    __tablename__ = "hook_turns"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
        Index("ix_hook_turns_seen_at", "tenant_id", "seen_at"),
    )

    reporter_id: Mapped[str] = mapped_column(Id, primary_key=True)
    session_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    prompt_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    skill_id: Mapped[str] = mapped_column(Id)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
