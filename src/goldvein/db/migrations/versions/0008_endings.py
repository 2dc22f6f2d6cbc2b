"""The end of accounts and of organisations, and reported leaks.

Nothing is filled in: nobody's account was deleted before. A server of the release before goes on working; it reads a
deleted account as a deactivated one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("memberships", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tenants", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "incidents",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("example_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("sanitizer_version", sa.String(length=40), nullable=True),
        sa.Column("erased_examples", sa.Integer(), nullable=False),
        sa.Column("reported_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_incidents_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reported_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_incidents_tenant_id_reported_by"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incidents")),
    )
    if op.get_bind().dialect.name == "postgresql":
        condition = "tenant_id = goldvein_tenant()"
        op.execute("ALTER TABLE incidents ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE incidents FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON incidents USING ({condition}) WITH CHECK ({condition})")
