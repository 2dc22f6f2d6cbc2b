"""The ledger, and the keys of what stands for people in it.

Nothing is filled in for what happened before: the ledger of each tenant begins with an entry that says how much there
was, and names by one digest which captured examples. Code of the release before runs on this schema, but writes no
entries: `goldvein consent replay` names what it captured.
"""

import hashlib
from datetime import UTC, datetime

import rfc8785
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("record_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_ledger_entries_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_ledger_entries")),
    )
    op.create_index("ix_ledger_entries_record", "ledger_entries", ["tenant_id", "record_id"])
    op.create_table(
        "commitment_keys",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_commitment_keys_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("pk_commitment_keys")),
    )
    _begin_ledgers()
    if op.get_bind().dialect.name == "postgresql":
        _protect_on_postgresql()
    else:
        _append_only_on_sqlite()


def _begin_ledgers() -> None:
    """One entry for each tenant that there is; the role that migrates is bound by the policies too."""
    connection = op.get_bind()
    tenants = sa.table("tenants", sa.column("id", sa.Uuid(as_uuid=False)))
    _enter("*")
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for tenant_id in list(connection.scalars(sa.select(tenants.c.id))):
        _enter(tenant_id)
        entry = rfc8785.dumps({"seq": 1, "at": now, "kind": "ledger_begins", **_what_there_is(tenant_id)})
        connection.execute(
            sa.table(
                "ledger_entries",
                sa.column("tenant_id", sa.Uuid(as_uuid=False)),
                sa.column("seq", sa.BigInteger()),
                sa.column("entry", sa.Text()),
                sa.column("peaks", sa.LargeBinary()),
            )
            .insert()
            .values(tenant_id=tenant_id, seq=1, entry=entry.decode(), peaks=hashlib.sha256(b"\x00" + entry).digest())
        )


def _what_there_is(tenant_id: str) -> dict[str, str | int]:
    connection = op.get_bind()
    examples, events = _tenant_table("skill_feedback", "source"), _tenant_table("consent_events")
    captured = sa.select(examples.c.id).where(
        examples.c.tenant_id == tenant_id, examples.c.source == "usage_capture"
    )
    ids = sorted(connection.scalars(captured))
    records = sorted(connection.scalars(sa.select(events.c.id).where(events.c.tenant_id == tenant_id)))
    return {
        "reason": "upgrade",
        "consent_events": len(records),
        "events_sha256": _digest(records),
        "captured_examples": len(ids),
        "examples_sha256": _digest(ids),
    }


def _tenant_table(name: str, *texts: str) -> sa.TableClause:
    ids = (sa.column(column, sa.Uuid(as_uuid=False)) for column in ("tenant_id", "id"))
    return sa.table(name, *ids, *(sa.column(column, sa.String()) for column in texts))


def _digest(ids: list[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _enter(tenant_id: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        setting = sa.text("SELECT set_config('goldvein.tenant_id', :tenant, true)")
        op.get_bind().execute(setting, {"tenant": tenant_id})


def _protect_on_postgresql() -> None:
    condition = "tenant_id = goldvein_tenant()"
    for table in ("ledger_entries", "commitment_keys"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entries"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger_entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _append_only_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_entries_refuse_{change.lower()} BEFORE {change} ON ledger_entries"
            " BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only'); END"
        )
