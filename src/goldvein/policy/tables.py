from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, TenantOwned, UtcTime


class SanitizerRule(TenantOwned, HasId, Base):
    """A pattern that this tenant wants removed beside what the sanitizer removes anyway. It can only add."""

    __tablename__ = "sanitizer_rules"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "created_by"], ["memberships.tenant_id", "memberships.person_id"]),
        UniqueConstraint("tenant_id", "type", "pattern"),
    )

    type: Mapped[str] = mapped_column(String(40))
    pattern: Mapped[str] = mapped_column(String(500))
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
