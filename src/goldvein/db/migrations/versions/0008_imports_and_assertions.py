"""What imported examples are known by.

Code of the release before runs on this schema: it never reads the new tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0003"
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
    if op.get_bind().dialect.name == "postgresql":
        _keep_tenants_apart("imported_examples")


def _keep_tenants_apart(table: str) -> None:
    condition = "tenant_id = goldvein_tenant()"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")
