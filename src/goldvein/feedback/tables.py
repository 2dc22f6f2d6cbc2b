from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, Json, TenantOwned, UtcTime
from goldvein.feedback import kinds


def _one_of(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


_EVERY_KIND = (*kinds.VOTES, *kinds.WRITTEN, kinds.TRAINING_EXAMPLE)
_IS_VOTE = f"feedback_type IN ({_one_of(kinds.VOTES)})"
_IS_WRITTEN = f"feedback_type IN ({_one_of(kinds.WRITTEN)})"
_IS_EXAMPLE = f"feedback_type = '{kinds.TRAINING_EXAMPLE}'"


def _unique_where(name: str, *columns: str, where: str) -> Index:
    condition = text(where)
    return Index(
        f"uq_skill_feedback_{name}",
        "tenant_id",
        *columns,
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _index_where(name: str, *columns: str, where: str) -> Index:
    condition = text(where)
    return Index(f"ix_skill_feedback_{name}", "tenant_id", *columns, sqlite_where=condition, postgresql_where=condition)


class SkillFeedback(TenantOwned, HasId, Base):
    """What people say of a skill: one table, told apart by `feedback_type`; constraints say what each kind has."""

    __tablename__ = "skill_feedback"
    __mapper_args__ = {"polymorphic_on": "feedback_type"}  # noqa: RUF012 (SQLAlchemy's own form)
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(
            ["tenant_id", "skill_id", "usage_event_id"],
            ["usage_events.tenant_id", "usage_events.skill_id", "usage_events.id"],
        ),
        ForeignKeyConstraint(["tenant_id", "replied_by"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "reviewed_by"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "skill_version_id"], ["skill_versions.tenant_id", "skill_versions.id"]),
        ForeignKeyConstraint(["tenant_id", "tenant_consent_id"], ["consent_events.tenant_id", "consent_events.id"]),
        ForeignKeyConstraint(["tenant_id", "person_consent_id"], ["consent_events.tenant_id", "consent_events.id"]),
        CheckConstraint(f"feedback_type IN ({_one_of(_EVERY_KIND)})", name="feedback_type"),
        CheckConstraint(
            f"({_IS_VOTE} AND status IS NULL)"
            f" OR ({_IS_WRITTEN} AND status IN ({_one_of(kinds.WRITTEN_STATUSES)}))"
            f" OR ({_IS_EXAMPLE} AND status IN ({_one_of(kinds.EXAMPLE_STATUSES)}))",
            name="status",
        ),
        CheckConstraint(
            f"NOT ({_IS_WRITTEN}) OR (comment IS NOT NULL AND category IN ({_one_of(kinds.CATEGORIES)})"
            f" AND severity IN ({_one_of(kinds.SEVERITIES)}))",
            name="written",
        ),
        CheckConstraint(
            f"({_IS_EXAMPLE}) OR (example_input IS NULL AND example_output IS NULL AND expected_output IS NULL"
            " AND quality_score IS NULL AND source IS NULL AND output_verdict IS NULL)",
            name="only_examples_have_texts",
        ),
        CheckConstraint(f"NOT ({_IS_EXAMPLE}) OR source IN ({_one_of(kinds.SOURCES)})", name="source"),
        CheckConstraint(
            f"NOT ({_IS_EXAMPLE}) OR (status IN ('withdrawn', 'expired')) = (example_input IS NULL)",
            name="only_ended_ones_have_no_text",
        ),
        CheckConstraint(
            "status NOT IN ('withdrawn', 'expired') OR (example_output IS NULL AND expected_output IS NULL"
            " AND review_notes IS NULL AND findings IS NULL)",
            name="ended_ones_keep_nothing",
        ),
        CheckConstraint(
            "source <> 'usage_capture' OR (usage_event_id IS NOT NULL AND tenant_consent_id IS NOT NULL"
            " AND person_consent_id IS NOT NULL)",
            name="captured_stands_on_consent",
        ),
        CheckConstraint(
            f"quality_score IS NULL OR quality_score BETWEEN {kinds.MIN_QUALITY} AND {kinds.MAX_QUALITY}",
            name="quality_score",
        ),
        CheckConstraint(
            f"output_verdict IS NULL OR output_verdict IN ({_one_of(kinds.VERDICTS)})", name="output_verdict"
        ),
        Index("ix_skill_feedback_list", "tenant_id", "skill_id", "feedback_type", "created_at", "id"),
        Index("ix_skill_feedback_user", "tenant_id", "user_id", "feedback_type"),
        # What limits how much is captured: see capture/storing.py.
        _index_where("pending_captures", "skill_id", where="status = 'pending' AND source = 'usage_capture'"),
        # Whether anything refers to an event: asked when events are removed by their age.
        _index_where("event", "usage_event_id", where="usage_event_id IS NOT NULL"),
        _index_where("captures_of_day", "skill_id", "user_id", "created_at", where="source = 'usage_capture'"),
        _unique_where("example_of_event", "usage_event_id", where=f"{_IS_EXAMPLE} AND usage_event_id IS NOT NULL"),
        _unique_where("vote_on_skill", "skill_id", "user_id", where=f"{_IS_VOTE} AND usage_event_id IS NULL"),
        _unique_where("vote_on_event", "usage_event_id", "user_id", where=f"{_IS_VOTE} AND usage_event_id IS NOT NULL"),
    )

    feedback_type: Mapped[str] = mapped_column(String(30))
    skill_id: Mapped[str] = mapped_column(Id)
    user_id: Mapped[str] = mapped_column(Id)
    usage_event_id: Mapped[str | None] = mapped_column(Id)
    status: Mapped[str | None] = mapped_column(String(20))
    status_reason: Mapped[str | None] = mapped_column(String(20))
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    comment: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(String(30))
    severity: Mapped[str | None] = mapped_column(String(30))
    author_reply: Mapped[str | None] = mapped_column(Text)
    replied_by: Mapped[str | None] = mapped_column(Id)
    replied_at: Mapped[datetime | None] = mapped_column(UtcTime)

    example_input: Mapped[str | None] = mapped_column(Text)
    example_output: Mapped[str | None] = mapped_column(Text)
    expected_output: Mapped[str | None] = mapped_column(Text)
    quality_score: Mapped[int | None]
    source: Mapped[str | None] = mapped_column(String(20))
    output_verdict: Mapped[str | None] = mapped_column(String(20))
    reviewed_by: Mapped[str | None] = mapped_column(Id)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    review_notes: Mapped[str | None] = mapped_column(Text)
    sanitizer_version: Mapped[str | None] = mapped_column(String(40))
    findings: Mapped[dict[str, int] | None] = mapped_column(Json)
    tool_name: Mapped[str | None] = mapped_column(String(200))
    skill_version_id: Mapped[str | None] = mapped_column(Id)
    skill_digest: Mapped[str | None] = mapped_column(String(80))
    tenant_consent_id: Mapped[str | None] = mapped_column(Id)
    person_consent_id: Mapped[str | None] = mapped_column(Id)


class ThumbsUp(SkillFeedback):
    """A vote for the skill, with an optional comment."""

    __mapper_args__ = {"polymorphic_identity": "thumbs_up"}  # noqa: RUF012


class ThumbsDown(SkillFeedback):
    """A vote against the skill, with an optional comment."""

    __mapper_args__ = {"polymorphic_identity": "thumbs_down"}  # noqa: RUF012


class Suggestion(SkillFeedback):
    """A wish, with a category and a severity; its author may reply and move it through its states."""

    __mapper_args__ = {"polymorphic_identity": "suggestion"}  # noqa: RUF012


class BugReport(SkillFeedback):
    """A report of what went wrong; handled like a suggestion."""

    __mapper_args__ = {"polymorphic_identity": "bug_report"}  # noqa: RUF012


class TrainingExample(SkillFeedback):
    """A golden or a captured example. Its texts are sanitized; a withdrawn one has none left.

    A captured example names the consent events that were in force when it was stored. `findings` counts what the
    sanitizer removed, by type. `status_reason` says what a rescan did to it: `rescan` found something in
    it, `rescan_failed` could not read it.
    """

    __mapper_args__ = {"polymorphic_identity": "training_example"}  # noqa: RUF012
