from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, TenantOwned, UtcTime
from goldvein.skills.assertions import KINDS


class Incident(TenantOwned, HasId, Base):
    """Somebody reported that an example held what the sanitizer should have removed. It holds no text.

    No foreign key to the example: an incident outlives what it is about.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "reported_by"], ["memberships.tenant_id", "memberships.person_id"]),
    )

    example_id: Mapped[str] = mapped_column(Id)
    skill_id: Mapped[str] = mapped_column(Id)
    source: Mapped[str] = mapped_column(String(20))
    sanitizer_version: Mapped[str | None] = mapped_column(String(40))
    erased_examples: Mapped[int]
    reported_by: Mapped[str] = mapped_column(Id)
    reported_at: Mapped[datetime] = mapped_column(UtcTime)


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


class ImportedExample(TenantOwned, Base):
    """By what an imported example is known when its file comes again: a keyed hash of its sanitized texts.

    It goes with the example: what its author deleted can be imported again.
    """

    __tablename__ = "imported_examples"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["tenant_id", "example_id"], ["skill_feedback.tenant_id", "skill_feedback.id"], ondelete="CASCADE"
        ),
        Index("ix_imported_examples_example_id", "tenant_id", "example_id"),
    )

    skill_id: Mapped[str] = mapped_column(Id, primary_key=True)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    example_id: Mapped[str] = mapped_column(Id)


class StoredAssertion(TenantOwned, HasId, Base):
    """What answers must satisfy: those to one example, or without `example_id` those to every example of the skill.

    It goes with its example: what an author asks of a captured one was written looking at its text.
    """

    __tablename__ = "assertions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["tenant_id", "example_id"], ["skill_feedback.tenant_id", "skill_feedback.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["tenant_id", "created_by"], ["memberships.tenant_id", "memberships.person_id"]),
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="kind"),
        Index("ix_assertions_skill_id", "tenant_id", "skill_id"),
        Index("ix_assertions_example_id", "tenant_id", "example_id"),
    )

    skill_id: Mapped[str] = mapped_column(Id)
    example_id: Mapped[str | None] = mapped_column(Id)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    value: Mapped[str] = mapped_column(Text)
    sanitizer_version: Mapped[str] = mapped_column(String(40))
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
