"""Datasets: what they are made of, their versions with rows and texts, who may read them, and what was removed.

The texts are copies of approved examples, sanitized as those are; a withdrawal deletes them here in its own transaction.
Code of the release before does not know these tables: stop its servers before the first dataset is frozen, or a
withdrawal that one of them takes would leave the copies here.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_TABLES = (
    "datasets",
    "dataset_skills",
    "dataset_grants",
    "dataset_readers",
    "dataset_versions",
    "dataset_tags",
    "dataset_contents",
    "dataset_rows",
    "dataset_removals",
    "dataset_downloads",
)


def upgrade() -> None:
    op.create_table(
        "dataset_contents",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("content_hash", sa.String(length=80), nullable=False),
        sa.Column("example_input", sa.Text(), nullable=False),
        sa.Column("example_output", sa.Text(), nullable=False),
        sa.Column("expected_output", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_contents_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "content_hash", name=op.f("pk_dataset_contents")),
    )
    op.create_table(
        "dataset_rows",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("example_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill", sa.String(length=100), nullable=False),
        sa.Column("skill_version", sa.String(length=80), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("tool_name", sa.String(length=200), nullable=True),
        sa.Column("session_id", sa.String(length=200), nullable=True),
        sa.Column("content_hash", sa.String(length=80), nullable=False),
        sa.Column("answer_from", sa.String(length=20), nullable=True),
        sa.Column("split", sa.String(length=12), nullable=False),
        sa.Column("cluster", sa.Integer(), nullable=False),
        sa.Column("input_chars", sa.Integer(), nullable=False),
        sa.Column("answer_chars", sa.Integer(), nullable=False),
        sa.Column("redacted_percent", sa.Integer(), nullable=False),
        sa.Column("quality_score", sa.Integer(), nullable=True),
        sa.Column("tenant_consent_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("person_consent_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("sanitizer_version", sa.String(length=40), nullable=True),
        sa.Column(
            "findings",
            _JSON,
            nullable=True,
        ),
        sa.Column("reviewed_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("usage_event_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.CheckConstraint(
            "answer_from IN ('expected_output', 'example_output')", name=op.f("ck_dataset_rows_answer_from")
        ),
        sa.CheckConstraint("split IN ('train', 'validation', 'test', 'holdout')", name=op.f("ck_dataset_rows_split")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "content_hash"],
            ["dataset_contents.tenant_id", "dataset_contents.content_hash"],
            name=op.f("fk_dataset_rows_tenant_id_content_hash"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_rows_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "version_id", "position", name=op.f("pk_dataset_rows")),
    )
    op.create_index("ix_dataset_rows_content", "dataset_rows", ["tenant_id", "content_hash"], unique=False)
    op.create_index("ix_dataset_rows_example", "dataset_rows", ["tenant_id", "example_id"], unique=False)
    op.create_index("ix_dataset_rows_person", "dataset_rows", ["tenant_id", "person_id"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("owner_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column(
            "filter",
            _JSON,
            nullable=False,
        ),
        sa.Column(
            "shares",
            _JSON,
            nullable=False,
        ),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("threshold_percent", sa.Integer(), nullable=False),
        sa.Column(
            "terms",
            _JSON,
            nullable=True,
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('evaluation', 'training', 'sharing_outside_tenant')", name=op.f("ck_datasets_purpose")
        ),
        sa.CheckConstraint("threshold_percent BETWEEN 50 AND 100", name=op.f("ck_datasets_threshold_percent")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_datasets_tenant_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_datasets_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("uq_datasets_tenant_id_slug")),
    )
    op.create_table(
        "dataset_grants",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("granted_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "granted_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_dataset_grants_tenant_id_granted_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_dataset_grants_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_dataset_grants_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_grants_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "skill_id", "person_id", name=op.f("pk_dataset_grants")),
    )
    op.create_table(
        "dataset_readers",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dataset_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("added_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "added_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_dataset_readers_tenant_id_added_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dataset_id"],
            ["datasets.tenant_id", "datasets.id"],
            name=op.f("fk_dataset_readers_tenant_id_dataset_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_dataset_readers_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_readers_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "dataset_id", "person_id", name=op.f("pk_dataset_readers")),
    )
    op.create_table(
        "dataset_removals",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dataset_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("minor", sa.Integer(), nullable=False),
        sa.Column("example_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cause IN ('withdrawn', 'revoked', 'invalidated', 'erased', 'account_deleted', 'account_erased', 'leak', 'deleted')",
            name=op.f("ck_dataset_removals_cause"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dataset_id"],
            ["datasets.tenant_id", "datasets.id"],
            name=op.f("fk_dataset_removals_tenant_id_dataset_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_removals_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "dataset_id", "seq", name=op.f("pk_dataset_removals")),
    )
    op.create_table(
        "dataset_skills",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dataset_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dataset_id"],
            ["datasets.tenant_id", "datasets.id"],
            name=op.f("fk_dataset_skills_tenant_id_dataset_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_dataset_skills_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_skills_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "dataset_id", "skill_id", name=op.f("pk_dataset_skills")),
    )
    op.create_table(
        "dataset_tags",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dataset_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tag", sa.String(length=50), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tagged_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tagged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dataset_id"],
            ["datasets.tenant_id", "datasets.id"],
            name=op.f("fk_dataset_tags_tenant_id_dataset_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tagged_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_dataset_tags_tenant_id_tagged_by"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_tags_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "dataset_id", "tag", name=op.f("pk_dataset_tags")),
    )
    op.create_table(
        "dataset_versions",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dataset_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("minor", sa.Integer(), nullable=False),
        sa.Column("rows_of", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("removals", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("purposes", _JSON, nullable=False),
        sa.Column("consent_seq", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=80), nullable=True),
        sa.Column("manifest_hash", sa.String(length=80), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=True),
        sa.Column(
            "statement",
            _JSON,
            nullable=True,
        ),
        sa.Column(
            "statistics",
            _JSON,
            nullable=True,
        ),
        sa.Column(
            "borderline",
            _JSON,
            nullable=True,
        ),
        sa.Column(
            "dropped",
            _JSON,
            nullable=True,
        ),
        sa.Column(
            "removal_list",
            _JSON,
            nullable=True,
        ),
        sa.Column("frozen_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'draft') = (number IS NULL)", name=op.f("ck_dataset_versions_only_drafts_have_no_number")
        ),
        sa.CheckConstraint(
            "(state = 'draft') = (manifest IS NULL)",
            name=op.f("ck_dataset_versions_only_drafts_have_no_manifest"),
        ),
        sa.CheckConstraint("state IN ('draft', 'published', 'superseded')", name=op.f("ck_dataset_versions_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dataset_id"],
            ["datasets.tenant_id", "datasets.id"],
            name=op.f("fk_dataset_versions_tenant_id_dataset_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "frozen_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_dataset_versions_tenant_id_frozen_by"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_versions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dataset_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "dataset_id",
            "number",
            "minor",
            name=op.f("uq_dataset_versions_tenant_id_dataset_id_number_minor"),
        ),
    )
    op.create_index("ix_dataset_versions_rows", "dataset_versions", ["tenant_id", "rows_of"], unique=False)
    op.create_table(
        "dataset_downloads",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dataset_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column(
            "splits",
            _JSON,
            nullable=False,
        ),
        sa.Column("terms_hash", sa.String(length=80), nullable=True),
        sa.Column("downloaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dataset_id"],
            ["datasets.tenant_id", "datasets.id"],
            name=op.f("fk_dataset_downloads_tenant_id_dataset_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_dataset_downloads_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["dataset_versions.tenant_id", "dataset_versions.id"],
            name=op.f("fk_dataset_downloads_tenant_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_dataset_downloads_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dataset_downloads")),
    )
    op.create_index("ix_dataset_downloads_version", "dataset_downloads", ["tenant_id", "version_id"], unique=False)

    if op.get_bind().dialect.name == "postgresql":
        condition = "tenant_id = goldvein_tenant()"
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")
