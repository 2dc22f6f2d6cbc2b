"""Bring the store to the schema of this release, and say what is wrong with it.

Migrations run as the role that owns the tables. The server runs as another role: row-level security binds it, and it
can neither change the schema nor touch what is append-only.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from goldvein import failpoints
from goldvein.db.engine import make_engine
from goldvein.db.session import MAINTAIN_SINCE
from goldvein.errors import NotConfigured

_APPEND_ONLY = ("consent_events", "consent_requests", "ledger_entries", "notices", "notice_publications")
TABLES_WITH_TEXTS = ("skill_feedback", "example_revisions", "assertions", "dataset_contents")
_MIGRATION_LOCK = 0x676F6C64  # any fixed number: two migrations at once wait for each other


def config_for(connection: Connection, **attributes: Any) -> Config:
    """The Alembic configuration of this package, bound to an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes.update(attributes)
    return config


def upgrade(migration_url: str, store_url: str) -> str:
    """Apply every missing migration in one transaction, then grant the server's role what it needs.

    Returns the revision now in force. Safe to run again, and by several processes at once.
    """
    engine = make_engine(migration_url)
    try:
        with engine.execution_options(goldvein_write=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL lock_timeout = '10s'"))
                connection.execute(text("SET LOCAL statement_timeout = '15min'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            command.upgrade(config_for(connection), "head")
            failpoints.reach("migration.committing")
            if connection.dialect.name == "postgresql":
                _grant_to_server(connection, make_url(store_url).username)
            return current_revision(connection) or ""
    finally:
        engine.dispose()


def _grant_to_server(connection: Connection, role: str | None) -> None:
    owner = connection.scalar(text("SELECT current_user"))
    if role is None or role == owner:
        return
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
        *(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {{role}}" for table in _APPEND_ONLY),
        *(
            f"GRANT MAINTAIN ON {table} TO {{role}}"
            for table in TABLES_WITH_TEXTS
            if _can_grant_maintenance(connection)
        ),
    ):
        connection.execute(text(statement.format(role=quoted)))


def _can_grant_maintenance(connection: Connection) -> bool:
    """PostgreSQL 17 and later let a role vacuum a table without owning it."""
    version = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    return version is not None and version >= MAINTAIN_SINCE


def current_revision(connection: Connection) -> str | None:
    """The revision the store is at; None for an empty store."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The revision this release needs."""
    directory = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    head = directory.get_current_head()
    assert head is not None  # noqa: S101 (the package ships its migrations)
    return head


def revisions() -> set[str]:
    """Every revision that this release knows."""
    directory = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    return {script.revision for script in directory.walk_revisions()}


def refuse_unsafe_store(engine: Engine, *, allow_owner: bool) -> None:
    """Raise NotConfigured when the schema is not this release's, or when the role is one that policies do not bind."""
    with engine.connect() as connection:
        if current_revision(connection) != newest_revision():
            raise NotConfigured(what="the store does not have this release's schema: run `goldvein migrate`")
        if connection.dialect.name == "postgresql" and not allow_owner and (found := unsafe_role(connection)):
            raise NotConfigured(what=found)


def unsafe_role(connection: Connection) -> str | None:
    """Why this PostgreSQL role must not run the server; None when it may."""
    row = connection.execute(
        text(
            "SELECT rolsuper, rolbypassrls, EXISTS(SELECT 1 FROM pg_class WHERE relname = 'tenants'"
            " AND pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    reasons = ("is a superuser", "has BYPASSRLS", "owns the tables")
    found = [reason for reason, holds in zip(reasons, row, strict=True) if holds]
    if not found:
        return None
    return (
        f"the database role {' and '.join(found)}, so row-level security would not hold;"
        " give GOLDVEIN_DATABASE_URL a role of its own and migrate with GOLDVEIN_MIGRATION_DATABASE_URL"
    )
