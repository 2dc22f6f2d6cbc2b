"""What imported examples are known by, and what answers must satisfy.

Code of the release before runs on this schema: it never reads the new tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imported_examples",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("example_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "example_id"],
            ["skill_feedback.tenant_id", "skill_feedback.id"],
            name=op.f("fk_imported_examples_tenant_id_example_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_imported_examples_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_imported_examples_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "skill_id", "content_hash", name=op.f("pk_imported_examples")),
    )
    op.create_index("ix_imported_examples_example_id", "imported_examples", ["tenant_id", "example_id"])
    op.create_table(
        "assertions",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("example_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("sanitizer_version", sa.String(length=40), nullable=False),
        sa.Column("created_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('contains', 'regex', 'json_schema', 'rubric')", name=op.f("ck_assertions_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_assertions_tenant_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "example_id"],
            ["skill_feedback.tenant_id", "skill_feedback.id"],
            name=op.f("fk_assertions_tenant_id_example_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_assertions_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_assertions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assertions")),
    )
    op.create_index("ix_assertions_skill_id", "assertions", ["tenant_id", "skill_id"])
    op.create_index("ix_assertions_example_id", "assertions", ["tenant_id", "example_id"])
    if op.get_bind().dialect.name == "postgresql":
        _keep_tenants_apart("imported_examples")
        _keep_tenants_apart("assertions")


def _keep_tenants_apart(table: str) -> None:
    condition = "tenant_id = goldvein_tenant()"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")
