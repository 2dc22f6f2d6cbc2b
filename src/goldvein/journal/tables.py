from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, IdentityOwned, Json, UtcTime

HELD = "held"
KINDS = (
    "withdrawn",
    "revoked",
    "invalidated",
    "erased",
    "account_deleted",
    "leak",
    "tenant_deleted",
    "example_deleted",
    "skill_deleted",
    "switched_off",
    HELD,
)
_NOT_WRITTEN = text("written_at IS NULL")
_IS_HELD = text("kind = 'held'")


class JournalEntry(IdentityOwned, HasId, Base):
    """A no that no restore may turn into a yes: ids only, written in the transaction of what it tells.

    `written_at` says when its line was on disk in the journal outside the store. The row stays: a line whose row is not
    there is newer than the store, so the store was restored. `held` is no line: while a tenant has one, it was restored
    without the journal, and neither captures nor exports.
    """

    __tablename__ = "journal_entries"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="kind"),
        Index("ix_journal_entries_not_written", "id", sqlite_where=_NOT_WRITTEN, postgresql_where=_NOT_WRITTEN),
        Index("ix_journal_entries_held", "tenant_id", sqlite_where=_IS_HELD, postgresql_where=_IS_HELD),
    )

    kind: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[str | None] = mapped_column(Id)
    actor_id: Mapped[str | None] = mapped_column(Id)
    skill_ids: Mapped[list[str] | None] = mapped_column(Json)
    example_ids: Mapped[list[str] | None] = mapped_column(Json)
    purposes: Mapped[list[str] | None] = mapped_column(Json)
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    written_at: Mapped[datetime | None] = mapped_column(UtcTime)
