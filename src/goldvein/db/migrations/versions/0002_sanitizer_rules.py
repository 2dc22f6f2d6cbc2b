"""Rules that a tenant adds to the sanitizer, and why an example is in its status.

Code of the release before runs on this schema: it never reads the new table, and the new column may be empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sanitizer_rules",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("pattern", sa.String(length=500), nullable=False),
        sa.Column("created_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_sanitizer_rules_tenant_id_created_by"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_sanitizer_rules_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sanitizer_rules")),
        sa.UniqueConstraint(
            "tenant_id", "type", "pattern", name=op.f("uq_sanitizer_rules_tenant_id_type_pattern")
        ),
    )
    # Added in place: on SQLite a copy of the table would lose the partial indexes' conditions to the reflection.
    op.add_column("skill_feedback", sa.Column("status_reason", sa.String(length=20), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        condition = "tenant_id = goldvein_tenant()"
        op.execute("ALTER TABLE sanitizer_rules ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE sanitizer_rules FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON sanitizer_rules USING ({condition}) WITH CHECK ({condition})")
