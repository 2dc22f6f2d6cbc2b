from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from goldvein.db.base import Base, HasId, Id, TenantOwned, UtcTime


class Skill(TenantOwned, HasId, Base):
    """A prompt with tools that people use; it has one author, who may name co-authors.

    `current_digest` is the version in force: usually the newest, an older one when its text was put back.
    """

    __tablename__ = "skills"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "author_id"], ["memberships.tenant_id", "memberships.person_id"]),
        ForeignKeyConstraint(["tenant_id", "proposed_author_id"], ["memberships.tenant_id", "memberships.person_id"]),
        UniqueConstraint("tenant_id", "slug"),
    )

    slug: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000), default="")
    author_id: Mapped[str] = mapped_column(Id)
    proposed_author_id: Mapped[str | None] = mapped_column(Id)
    current_digest: Mapped[str | None] = mapped_column(String(80))
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class CoAuthor(TenantOwned, Base):
    """A person who counts as author of a skill beside its author."""

    __tablename__ = "skill_co_authors"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"]),
    )

    skill_id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(Id, primary_key=True)


class SkillVersion(TenantOwned, HasId, Base):
    """One state of a skill's text (SKILL.md), known by the digest of its content; numbered 1, 2, 3 ..."""

    __tablename__ = "skill_versions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "skill_id"], ["skills.tenant_id", "skills.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "created_by"], ["memberships.tenant_id", "memberships.person_id"]),
        UniqueConstraint("tenant_id", "skill_id", "digest"),
        UniqueConstraint("tenant_id", "skill_id", "number"),
        Index("ix_skill_versions_digest", "tenant_id", "digest"),
    )

    skill_id: Mapped[str] = mapped_column(Id)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(80))
    body: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
