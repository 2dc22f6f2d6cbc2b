"""Jobs, the journal of withdrawals and erasures, what is needed to remove what is old, and webhooks.

Code of the release before runs on this schema: it never reads the new tables. What cannot be got right: what it withdraws
or erases on this schema is in no journal.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_OWN = "tenant_id = goldvein_tenant()"
_ACROSS_TENANTS = "current_setting('goldvein.tenant_id') = '*'"


def upgrade() -> None:
    _create_jobs()
    _create_journal()
    _prepare_retention()
    _create_webhooks()


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("payload", _JSON, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=60), nullable=True),
        sa.Column("lease", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=True),
        sa.Column("periodic_kind", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'dead')", name=op.f("ck_jobs_state")),
        sa.CheckConstraint(
            "(state = 'running') = (lease IS NOT NULL AND leased_until IS NOT NULL)", name=op.f("ck_jobs_lease")
        ),
        sa.CheckConstraint(
            "every_seconds IS NULL OR state IN ('queued', 'running')", name=op.f("ck_jobs_periodic_goes_on")
        ),
        sa.CheckConstraint("(every_seconds IS NULL) = (periodic_kind IS NULL)", name=op.f("ck_jobs_periodic")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_jobs_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("periodic_kind", name=op.f("uq_jobs_periodic_kind")),
    )
    op.create_index("ix_jobs_due", "jobs", ["state", "run_after"])
    # A tenant's transaction queues its own; a worker, which has no tenant yet, finds all of them.
    _protect("jobs", f"{_ACROSS_TENANTS} OR {_OWN}")


def _create_journal() -> None:
    op.create_table(
        "journal_entries",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("skill_ids", _JSON, nullable=True),
        sa.Column("example_ids", _JSON, nullable=True),
        sa.Column("purposes", _JSON, nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('withdrawn', 'revoked', 'invalidated', 'erased', 'account_deleted', 'leak', 'tenant_deleted',"
            " 'example_deleted', 'skill_deleted', 'switched_off', 'held')",
            name=op.f("ck_journal_entries_kind"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_journal_entries_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_journal_entries")),
    )
    for name, column, condition in (("not_written", "id", "written_at IS NULL"), ("held", "tenant_id", "kind = 'held'")):
        where = sa.text(condition)
        op.create_index(
            f"ix_journal_entries_{name}", "journal_entries", [column], sqlite_where=where, postgresql_where=where
        )
    # Whoever catches up with the file finds the entries of all tenants.
    _protect("journal_entries", f"{_ACROSS_TENANTS} OR {_OWN}")


def _prepare_retention() -> None:
    # Added in place: on SQLite a copy of a table would lose the partial indexes' conditions to the reflection.
    op.add_column("tenants", sa.Column("pending_retention_days", sa.Integer(), nullable=True))
    op.add_column("tenants", sa.Column("event_retention_days", sa.Integer(), nullable=True))
    where = sa.text("usage_event_id IS NOT NULL")
    op.create_index(
        "ix_skill_feedback_event",
        "skill_feedback",
        ["tenant_id", "usage_event_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "retention_counts",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=30), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_retention_counts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "day", "what", name=op.f("pk_retention_counts")),
    )
    _protect("retention_counts", _OWN)


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_webhooks_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_webhooks_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_person", "webhooks", ["tenant_id", "person_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("webhook_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("event_type", sa.String(length=60), nullable=False),
        sa.Column("data", _JSON, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=60), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name=op.f("ck_webhook_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "webhook_id"],
            ["webhooks.tenant_id", "webhooks.id"],
            name=op.f("fk_webhook_deliveries_tenant_id_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_webhook_deliveries_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_webhook", "webhook_deliveries", ["tenant_id", "webhook_id", "id"])
    for table in ("webhooks", "webhook_deliveries"):
        _protect(table, _OWN)


def _protect(table: str, condition: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")
