from datetime import datetime

from sqlalchemy import CheckConstraint, Double, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, TenantOwned, UtcTime


class ResultRun(TenantOwned, HasId, Base):
    """One evaluation: a skill version, answered by a model on the rows of a dataset version, as one file reports it.

    The dataset is named, not referred to: what it is called here stays true when it is renamed or deleted.
    """

    __tablename__ = "result_runs"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "created_by"], ["memberships.tenant_id", "memberships.person_id"]),
        UniqueConstraint("tenant_id", "skill_id", "file_digest", "model"),
        CheckConstraint("tool IN ('promptfoo', 'inspect')", name="tool"),
    )

    skill_id: Mapped[str] = mapped_column(Id)
    skill_digest: Mapped[str] = mapped_column(String(80))
    dataset: Mapped[str] = mapped_column(String(100))
    dataset_version: Mapped[str] = mapped_column(String(20))
    model: Mapped[str] = mapped_column(String(100))
    tool: Mapped[str] = mapped_column(String(20))
    file_digest: Mapped[str] = mapped_column(String(80))
    rows_in_file: Mapped[int]
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ResultScore(TenantOwned, Base):
    """How one row was answered in a run: scores and sizes, never a text. It goes with the example that the row is."""

    __tablename__ = "result_scores"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "run_id"], ["result_runs.tenant_id", "result_runs.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["tenant_id", "example_id"], ["skill_feedback.tenant_id", "skill_feedback.id"], ondelete="CASCADE"
        ),
        Index("ix_result_scores_example_id", "tenant_id", "example_id"),
    )

    run_id: Mapped[str] = mapped_column(Id, primary_key=True)
    example_id: Mapped[str] = mapped_column(Id, primary_key=True)
    score: Mapped[float] = mapped_column(Double)
    passed: Mapped[bool]
    trials: Mapped[int]
    output_bytes: Mapped[int]
