from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, Id, TenantOwned, UtcTime


class ExampleRevision(TenantOwned, Base):
    """The texts of an example as they were before an edit: sanitized, and erased with the example."""

    __tablename__ = "example_revisions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "example_id"], ["skill_feedback.tenant_id", "skill_feedback.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["tenant_id", "edited_by"], ["memberships.tenant_id", "memberships.person_id"]),
    )

    example_id: Mapped[str] = mapped_column(Id, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    example_input: Mapped[str] = mapped_column(Text)
    example_output: Mapped[str] = mapped_column(Text)
    expected_output: Mapped[str | None] = mapped_column(Text)
    review_notes: Mapped[str | None] = mapped_column(Text)
    edited_by: Mapped[str] = mapped_column(Id)
    edited_at: Mapped[datetime] = mapped_column(UtcTime)
