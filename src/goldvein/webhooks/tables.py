from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, Json, TenantOwned, UtcTime


class Webhook(TenantOwned, HasId, Base):
    """Where a person wants to be told. Its signing secret is derived from the server's key and its id, not stored."""

    __tablename__ = "webhooks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        Index("ix_webhooks_person", "tenant_id", "person_id"),
    )

    person_id: Mapped[str] = mapped_column(Id)
    url: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class WebhookDelivery(TenantOwned, HasId, Base):
    """One message to one webhook, and what became of it. Of the answer only its status is kept."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "webhook_id"], ["webhooks.tenant_id", "webhooks.id"], ondelete="CASCADE"),
        CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name="state"),
        Index("ix_webhook_deliveries_webhook", "tenant_id", "webhook_id", "id"),
    )

    webhook_id: Mapped[str] = mapped_column(Id)
    event_type: Mapped[str] = mapped_column(String(60))
    data: Mapped[dict[str, object]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(60))
    last_status: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
