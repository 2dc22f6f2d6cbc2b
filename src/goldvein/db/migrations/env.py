"""Alembic's entry point; called by `goldvein.db.migrate` with an open connection, never on its own."""

from alembic import context

from goldvein import failpoints

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transactional_ddl=True,
    on_version_apply=lambda **_: failpoints.reach("migration.step"),
)
with context.begin_transaction():
    context.run_migrations()
