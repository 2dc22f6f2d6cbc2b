from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, Json, TenantOwned, UtcTime


class Dataset(TenantOwned, HasId, Base):
    """What versions are frozen of: skills, a filter, how rows are split, and the terms for whoever gets them.

    `filter`, `shares` and `terms` are kept as the JSON objects of the API; without terms nothing freezes.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "owner_id"], ["memberships.tenant_id", "memberships.person_id"]),
        CheckConstraint("purpose IN ('evaluation', 'training', 'sharing_outside_tenant')", name="purpose"),
        CheckConstraint("threshold_percent BETWEEN 50 AND 100", name="threshold_percent"),
        UniqueConstraint("tenant_id", "slug"),
    )

    slug: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(30))
    owner_id: Mapped[str] = mapped_column(Id)
    filter: Mapped[dict[str, Any]] = mapped_column(Json)
    shares: Mapped[dict[str, int]] = mapped_column(Json)
    seed: Mapped[int] = mapped_column(BigInteger)
    threshold_percent: Mapped[int]
    terms: Mapped[dict[str, Any] | None] = mapped_column(Json)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class DatasetSkill(TenantOwned, Base):
    """A skill whose approved examples a dataset takes."""

    __tablename__ = "dataset_skills"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "dataset_id"], ["datasets.tenant_id", "datasets.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
    )

    dataset_id: Mapped[str] = mapped_column(Id, primary_key=True)
    skill_id: Mapped[str] = mapped_column(Id, primary_key=True)


class DatasetGrant(TenantOwned, Base):
    """The author of a skill lets a person take its approved examples into datasets of theirs."""

    __tablename__ = "dataset_grants"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "granted_by"], ["memberships.tenant_id", "memberships.person_id"]),
    )

    skill_id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id, primary_key=True)
    granted_by: Mapped[str] = mapped_column(Id)
    granted_at: Mapped[datetime] = mapped_column(UtcTime)


class DatasetReader(TenantOwned, Base):
    """A member who may read and export the versions of a dataset."""

    __tablename__ = "dataset_readers"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "dataset_id"], ["datasets.tenant_id", "datasets.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "added_by"], ["memberships.tenant_id", "memberships.person_id"]),
    )

    dataset_id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id, primary_key=True)
    added_by: Mapped[str] = mapped_column(Id)
    added_at: Mapped[datetime] = mapped_column(UtcTime)


class DatasetVersion(TenantOwned, HasId, Base):
    """A frozen version, or a draft on its way there, which nobody sees.

    `number` and `minor` are its name: 3, and 3.1 after a removal. `rows_of` is the id under which its rows stand: the
    revisions of a version share them, and a removal takes rows away from all. `removals` counts how often that has
    happened to the rows. What was decided about consent up to the event `consent_seq` has been looked at. A superseded
    version answers nothing but which one came after it, and its signed list of removals. `dropped` names the examples
    of the version before that are not in this one, with the reason.
    """

    __tablename__ = "dataset_versions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "dataset_id"], ["datasets.tenant_id", "datasets.id"]),
        ForeignKeyConstraint(["tenant_id", "frozen_by"], ["memberships.tenant_id", "memberships.person_id"]),
        CheckConstraint("state IN ('draft', 'published', 'superseded')", name="state"),
        CheckConstraint("(state = 'draft') = (number IS NULL)", name="only_drafts_have_no_number"),
        CheckConstraint("(state = 'draft') = (manifest IS NULL)", name="only_drafts_have_no_manifest"),
        UniqueConstraint("tenant_id", "dataset_id", "number", "minor"),
        Index("ix_dataset_versions_rows", "tenant_id", "rows_of"),
    )

    dataset_id: Mapped[str] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(20))
    number: Mapped[int | None]
    minor: Mapped[int] = mapped_column(default=0)
    rows_of: Mapped[str] = mapped_column(Id)
    removals: Mapped[int] = mapped_column(default=0)
    row_count: Mapped[int] = mapped_column(default=0)
    purposes: Mapped[list[str]] = mapped_column(Json)
    consent_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    content_hash: Mapped[str | None] = mapped_column(String(80))
    manifest_hash: Mapped[str | None] = mapped_column(String(80))
    manifest: Mapped[str | None] = mapped_column(Text)
    statement: Mapped[dict[str, Any] | None] = mapped_column(Json)
    statistics: Mapped[dict[str, Any] | None] = mapped_column(Json)
    borderline: Mapped[list[Any] | None] = mapped_column(Json)
    dropped: Mapped[dict[str, str] | None] = mapped_column(Json)
    removal_list: Mapped[dict[str, Any] | None] = mapped_column(Json)
    frozen_by: Mapped[str] = mapped_column(Id)
    frozen_at: Mapped[datetime] = mapped_column(UtcTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UtcTime)

    @property
    def label(self) -> str:
        """Its name: 3, or 3.1."""
        return f"{self.number}.{self.minor}" if self.minor else str(self.number)


class DatasetTag(TenantOwned, Base):
    """A name for a version that can be moved to another one."""

    __tablename__ = "dataset_tags"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "dataset_id"], ["datasets.tenant_id", "datasets.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "tagged_by"], ["memberships.tenant_id", "memberships.person_id"]),
    )

    dataset_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tag: Mapped[str] = mapped_column(String(50), primary_key=True)
    number: Mapped[int]
    tagged_by: Mapped[str] = mapped_column(Id)
    tagged_at: Mapped[datetime] = mapped_column(UtcTime)


class DatasetContent(TenantOwned, Base):
    """The sanitized texts of rows, once for all versions that hold them; erased with the last of these rows."""

    __tablename__ = "dataset_contents"

    content_hash: Mapped[str] = mapped_column(String(80), primary_key=True)
    example_input: Mapped[str] = mapped_column(Text)
    example_output: Mapped[str] = mapped_column(Text)
    expected_output: Mapped[str | None] = mapped_column(Text)


class DatasetRow(TenantOwned, Base):
    """A row of a version, with what explains it. `person_id` is whose use it was; null for a golden example.

    `answer_from` names the text that is the answer. `cluster` is the position of the first row that resembles it.
    """

    __tablename__ = "dataset_rows"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "content_hash"], ["dataset_contents.tenant_id", "dataset_contents.content_hash"]
        ),
        CheckConstraint("split IN ('train', 'validation', 'test', 'holdout')", name="split"),
        CheckConstraint("answer_from IN ('expected_output', 'example_output')", name="answer_from"),
        Index("ix_dataset_rows_person", "tenant_id", "person_id"),
        Index("ix_dataset_rows_example", "tenant_id", "example_id"),
        Index("ix_dataset_rows_content", "tenant_id", "content_hash"),
    )

    version_id: Mapped[str] = mapped_column(Id, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    example_id: Mapped[str] = mapped_column(Id)
    person_id: Mapped[str | None] = mapped_column(Id)
    skill_id: Mapped[str] = mapped_column(Id)
    skill: Mapped[str] = mapped_column(String(100))
    skill_version: Mapped[str | None] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(20))
    tool_name: Mapped[str | None] = mapped_column(String(200))
    session_id: Mapped[str | None] = mapped_column(String(200))
    content_hash: Mapped[str] = mapped_column(String(80))
    answer_from: Mapped[str | None] = mapped_column(String(20))
    split: Mapped[str] = mapped_column(String(12))
    cluster: Mapped[int]
    input_chars: Mapped[int]
    answer_chars: Mapped[int]
    redacted_percent: Mapped[int]
    quality_score: Mapped[int | None]
    tenant_consent_id: Mapped[str | None] = mapped_column(Id)
    person_consent_id: Mapped[str | None] = mapped_column(Id)
    sanitizer_version: Mapped[str | None] = mapped_column(String(40))
    findings: Mapped[dict[str, int] | None] = mapped_column(Json)
    reviewed_by: Mapped[str | None] = mapped_column(Id)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    usage_event_id: Mapped[str | None] = mapped_column(Id)


class DatasetRemoval(TenantOwned, Base):
    """An example that is no longer in a version: what whoever has a copy polls for. Ids only.

    `number` and `minor` name the version that it was taken out of.
    """

    __tablename__ = "dataset_removals"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "dataset_id"], ["datasets.tenant_id", "datasets.id"]),
        CheckConstraint(
            "cause IN ('withdrawn', 'revoked', 'invalidated', 'erased', 'account_deleted', 'account_erased', 'leak',"
            " 'deleted')",
            name="cause",
        ),
    )

    dataset_id: Mapped[str] = mapped_column(Id, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int]
    minor: Mapped[int]
    example_id: Mapped[str] = mapped_column(Id)
    cause: Mapped[str] = mapped_column(String(20))
    removed_at: Mapped[datetime] = mapped_column(UtcTime)


class DatasetDownload(TenantOwned, HasId, Base):
    """The export log: who got which version, and to which terms they agreed; or who looked at a holdout."""

    __tablename__ = "dataset_downloads"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "dataset_id"], ["datasets.tenant_id", "datasets.id"]),
        ForeignKeyConstraint(["tenant_id", "version_id"], ["dataset_versions.tenant_id", "dataset_versions.id"]),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
        Index("ix_dataset_downloads_version", "tenant_id", "version_id"),
    )

    dataset_id: Mapped[str] = mapped_column(Id)
    version_id: Mapped[str] = mapped_column(Id)
    person_id: Mapped[str] = mapped_column(Id)
    form: Mapped[str] = mapped_column(String(40))
    splits: Mapped[list[str]] = mapped_column(Json)
    terms_hash: Mapped[str | None] = mapped_column(String(80))
    downloaded_at: Mapped[datetime] = mapped_column(UtcTime)
