from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, Id, Json, UtcTime
from goldvein.db.ids import new_id

STATES = ("queued", "running", "done", "dead")


class Job(Base):
    """Work that was promised in the transaction that needs it. Of a tenant, or (without one) of the whole store.

    The payload holds ids and nothing else, so a job cannot carry text. A running job is leased: `lease` names the one
    worker that may finish it, and after `leased_until` any other may take it. A job with `every_seconds` comes back
    for ever: its row is the one place where N processes see when it is due, so that they do not run it N times.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'dead')", name="state"),
        CheckConstraint("(state = 'running') = (lease IS NOT NULL AND leased_until IS NOT NULL)", name="lease"),
        CheckConstraint("every_seconds IS NULL OR state IN ('queued', 'running')", name="periodic_goes_on"),
        CheckConstraint("(every_seconds IS NULL) = (periodic_kind IS NULL)", name="periodic"),
        UniqueConstraint("periodic_kind"),
        Index("ix_jobs_due", "state", "run_after"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    tenant_id: Mapped[str | None] = mapped_column(Id, ForeignKey("tenants.id"))
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, str]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10))
    run_after: Mapped[datetime] = mapped_column(UtcTime)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(60))
    lease: Mapped[str | None] = mapped_column(Id)
    leased_until: Mapped[datetime | None] = mapped_column(UtcTime)
    every_seconds: Mapped[int | None]
    periodic_kind: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
