"""Notices of a tenant, requests, and every kind of consent event.

What is stored was chosen under the built-in notice: edition 1. A server of the release before goes on working; what it
records has no edition, so this release reads it as outdated until it is renewed: a no, never a yes. On SQLite the table
of events is made anew, since constraints cannot be changed there; the examples that refer to it are checked at the end.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_OLD_COLUMNS = (
    "tenant_id, id, seq, subject, person_id, action, actor_id, channel, notice_version, purposes, skill_ids,"
    " expires_at, occurred_at"
)
_CHECKS = {
    "action": "(subject = 'tenant' AND action IN ('switched_on', 'switched_off')) OR (subject = 'person' AND action IN"
    " ('given', 'refused', 'renewed', 'withdrawn', 'revoked', 'expired', 'invalidated'))",
    "channel": "channel IN ('web', 'api', 'cli', 'mcp', 'system')",
    "given_expires": "action NOT IN ('given', 'renewed') OR expires_at IS NOT NULL",
    "only_a_yes_lasts": "action IN ('given', 'renewed', 'withdrawn') OR expires_at IS NULL",
    "a_yes_has_purposes": "subject <> 'person' OR (expires_at IS NULL) = (CAST(purposes AS TEXT) = '[]')",
    "only_time_has_no_actor": "(action = 'expired') = (actor_id IS NULL)",
    "system_is_nobody": "(channel = 'system') = (actor_id IS NULL)",
    "all_but": "excepted_skill_ids IS NULL OR skill_ids IS NULL",
}
_CHANNEL = "channel IN ('web', 'api', 'cli', 'mcp')"
_OWN_CHOICES = "('given', 'refused', 'renewed', 'withdrawn')"


def upgrade() -> None:
    _create_publications()
    _create_requests()
    if op.get_bind().dialect.name == "postgresql":
        _change_events_on_postgresql()
        _protect_on_postgresql()
    else:
        _change_events_on_sqlite()
        _protect_on_sqlite()


def _create_publications() -> None:
    op.create_table(
        "notice_publications",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("purposes", _JSON, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("published_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1 AND edition >= 1", name=op.f("ck_notice_publications_counted")),
        sa.CheckConstraint(_CHANNEL, name=op.f("ck_notice_publications_channel")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_notice_publications_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version"],
            ["notices.tenant_id", "notices.version"],
            name=op.f("fk_notice_publications_tenant_id_version"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "published_by"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_notice_publications_tenant_id_published_by"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notice_publications")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_notice_publications_tenant_id_number")),
    )


def _create_requests() -> None:
    op.create_table(
        "consent_requests",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("notice_version", sa.String(length=80), nullable=False),
        sa.Column("skill_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(_CHANNEL, name=op.f("ck_consent_requests_channel")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_consent_requests_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_consent_requests_tenant_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_version"],
            ["notices.tenant_id", "notices.version"],
            name=op.f("fk_consent_requests_tenant_id_notice_version"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consent_requests")),
    )
    op.create_index("ix_consent_requests_person", "consent_requests", ["tenant_id", "person_id", "notice_version"])


def _change_events_on_postgresql() -> None:
    # The default fills the rows that are there; it goes, so that rows of an older server have no edition.
    op.add_column("consent_events", sa.Column("notice_edition", sa.Integer(), nullable=True, server_default="1"))
    op.alter_column("consent_events", "notice_edition", server_default=None)
    op.add_column("consent_events", sa.Column("excepted_skill_ids", _JSON, nullable=True))
    op.alter_column("consent_events", "actor_id", nullable=True)
    for name in ("action", "channel", "given_expires"):
        op.execute(f"ALTER TABLE consent_events DROP CONSTRAINT ck_consent_events_{name}")
    for name, condition in _CHECKS.items():
        op.execute(f"ALTER TABLE consent_events ADD CONSTRAINT ck_consent_events_{name} CHECK ({condition})")


def _change_events_on_sqlite() -> None:
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TABLE consent_events_before AS SELECT * FROM consent_events")
    op.drop_table("consent_events")
    op.create_table(
        "consent_events",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("notice_version", sa.String(length=80), nullable=False),
        sa.Column("notice_edition", sa.Integer(), nullable=True),
        sa.Column("purposes", _JSON, nullable=False),
        sa.Column("skill_ids", _JSON, nullable=True),
        sa.Column("excepted_skill_ids", _JSON, nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(subject = 'person') = (person_id IS NOT NULL)", name=op.f("ck_consent_events_subject_has_person")
        ),
        *(sa.CheckConstraint(text, name=op.f(f"ck_consent_events_{name}")) for name, text in _CHECKS.items()),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_consent_events_tenant_id")),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                ["memberships.tenant_id", "memberships.person_id"],
                name=op.f(f"fk_consent_events_tenant_id_{column}"),
            )
            for column in ("actor_id", "person_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_version"],
            ["notices.tenant_id", "notices.version"],
            name=op.f("fk_consent_events_tenant_id_notice_version"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consent_events")),
        sa.UniqueConstraint("tenant_id", "seq", name=op.f("uq_consent_events_tenant_id_seq")),
    )
    op.create_index("ix_consent_events_subject", "consent_events", ["tenant_id", "subject", "person_id", "seq"])
    op.execute(
        f"INSERT INTO consent_events ({_OLD_COLUMNS}, notice_edition)"
        f" SELECT {_OLD_COLUMNS}, 1 FROM consent_events_before ORDER BY tenant_id, seq"
    )
    op.drop_table("consent_events_before")


def _protect_on_postgresql() -> None:
    condition = "tenant_id = goldvein_tenant()"
    for table in ("notice_publications", "consent_requests"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")
    for table in ("notices", "notice_publications", "consent_requests"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE FUNCTION refuse_choice_for_others() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.action IN {_OWN_CHOICES} AND NEW.actor_id IS DISTINCT FROM NEW.person_id"
        " THEN RAISE EXCEPTION 'a choice is made by its person alone'; END IF;"
        " IF NEW.action = 'revoked' AND NEW.actor_id = NEW.person_id"
        " THEN RAISE EXCEPTION 'a revocation is made by somebody else'; END IF;"
        " RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER own_choice BEFORE INSERT ON consent_events"
        " FOR EACH ROW EXECUTE FUNCTION refuse_choice_for_others()"
    )


def _protect_on_sqlite() -> None:
    for table in ("notices", "notice_publications", "consent_requests", "consent_events"):
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER consent_events_own_choice BEFORE INSERT ON consent_events"
        f" WHEN NEW.action IN {_OWN_CHOICES} AND NEW.actor_id IS NOT NEW.person_id"
        " BEGIN SELECT RAISE(ABORT, 'a choice is made by its person alone'); END"
    )
    op.execute(
        "CREATE TRIGGER consent_events_no_own_revocation BEFORE INSERT ON consent_events"
        " WHEN NEW.action = 'revoked' AND NEW.actor_id = NEW.person_id"
        " BEGIN SELECT RAISE(ABORT, 'a revocation is made by somebody else'); END"
    )
