"""Results of evaluations: scores by skill version, dataset version, model and row.

Code of the release before runs on this schema: it never reads the new tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "result_runs",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("skill_digest", sa.String(length=80), nullable=False),
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("dataset_version", sa.String(length=20), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("tool", sa.String(length=20), nullable=False),
        sa.Column("file_digest", sa.String(length=80), nullable=False),
        sa.Column("rows_in_file", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tool IN ('promptfoo', 'inspect')", name=op.f("ck_result_runs_tool")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_result_runs_tenant_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill_id"],
            ["skills.tenant_id", "skills.id"],
            name=op.f("fk_result_runs_tenant_id_skill_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_result_runs_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_result_runs")),
        sa.UniqueConstraint(
            "tenant_id",
            "skill_id",
            "file_digest",
            "model",
            name=op.f("uq_result_runs_tenant_id_skill_id_file_digest_model"),
        ),
    )
    op.create_table(
        "result_scores",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("run_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("example_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("trials", sa.Integer(), nullable=False),
        sa.Column("output_bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "example_id"],
            ["skill_feedback.tenant_id", "skill_feedback.id"],
            name=op.f("fk_result_scores_tenant_id_example_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["result_runs.tenant_id", "result_runs.id"],
            name=op.f("fk_result_scores_tenant_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_result_scores_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "example_id", name=op.f("pk_result_scores")),
    )
    op.create_index("ix_result_scores_example_id", "result_scores", ["tenant_id", "example_id"])
    if op.get_bind().dialect.name == "postgresql":
        condition = "tenant_id = goldvein_tenant()"
        for table in ("result_runs", "result_scores"):
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")
