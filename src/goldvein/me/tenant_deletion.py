"""Deleting an organisation with everything it holds, but for what proves what was done."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import delete, inspect, select, tuple_

from goldvein.consent import service as consent
from goldvein.db.base import Base, TenantOwned
from goldvein.db.session import Database, TenantSession, lock_consent
from goldvein.errors import InvalidField
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.journal import service as journal

KEPT: Final = frozenset(
    {
        "memberships",
        "consent_events",
        "consent_requests",
        "notices",
        "notice_publications",
        "ledger_entries",
        "journal_entries",
    }
)
"""What stays: the ledger, the journal, the choices with their notices, and the random ids that they refer to."""

ROWS_AT_ONCE: Final = 500


def delete_tenant(session: TenantSession, actor: Actor, *, confirm: str, now: datetime) -> None:
    """End an organisation, as its admin; `confirm` repeats its name.

    1. Capture is switched off: no capture is between its decision and its commit. 2. Nobody can sign in or report any
    more, and nothing names anybody. 3. The ledger gets its last entry, and takes no other. What the organisation held
    is no longer reachable when this commits; `purge` then erases it.
    """
    actor.need_admin()
    lock_consent(session, exclusive=True)
    if confirm != identity.tenant_of(session).name:
        raise InvalidField(field="confirm", reason="repeat the name of the organisation")
    consent.switch_capture(session, actor, on=False, now=now)
    journal.record(session, "tenant_deleted", now=now, actor_id=actor.person_id)
    identity.forget_tenant(session, now)
    session.record("ledger_sealed", at=now, people={"actor": actor.person_id}, reason="tenant_deleted")


def purge(database: Database) -> Iterator[int]:
    """Erase what deleted organisations still hold; tells after each transaction how many rows went.

    Run again after an interruption it goes on where it was; when nothing is left it only looks.
    """
    with database.read_across_tenants() as session:
        tenant_ids = [tenant.id for tenant in identity.find_tenants(session, deleted=True)]
    gone = 0
    try:
        for tenant_id in tenant_ids:
            for owned in _purged():
                for rows in _purge_table(database, tenant_id, owned):
                    gone += rows
                    yield rows
    finally:  # also when it is stopped on its way
        if gone:
            database.clear_log()


def _purged() -> list[type[TenantOwned]]:
    """The mapped classes whose rows go, those first that refer to others."""
    by_table = {
        mapper.local_table: mapper.class_
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantOwned) and mapper.inherits is None
    }
    order = [table for table in reversed(Base.metadata.sorted_tables) if table.name not in KEPT]
    return [by_table[table] for table in order if table in by_table]


def _purge_table(database: Database, tenant_id: str, owned: type[TenantOwned]) -> Iterator[int]:
    columns = [getattr(owned, key.key) for key in inspect(owned).primary_key]
    while True:
        with database.write(tenant_id) as session:
            found = session.execute(select(*columns).limit(ROWS_AT_ONCE)).all()
            if not found:
                return
            own = tuple_(*columns).in_([tuple(row) for row in found])
            session.execute(delete(owned).where(own), execution_options={"synchronize_session": False})
        yield len(found)
