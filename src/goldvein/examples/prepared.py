"""Texts that are sanitized before the transaction that stores them, and again if the rules changed meanwhile."""

from collections.abc import Callable
from typing import Final, TypeVar

from goldvein.db.session import Database, TenantSession, lock_consent
from goldvein.errors import StoreUnavailable
from goldvein.policy import service as policy
from goldvein.sanitizer import ExtraRules, version_with

Prepared = TypeVar("Prepared")
Stored = TypeVar("Stored")

_TRIES: Final = 3


def sanitize_then_store(
    database: Database,
    tenant_id: str,
    *,
    prepare: Callable[[ExtraRules], Prepared],
    store: Callable[[TenantSession, Prepared], Stored],
) -> Stored:
    """Prepare outside of any transaction, then store in one that holds the consent and with it the rules still.

    What was prepared with other rules than those in force is prepared again; after three changes in a row the caller is
    told to come back. `prepare` may run several times, `store` runs once.
    """
    with database.read(tenant_id) as session:
        rules = policy.rules_in_force(session)
    for _ in range(_TRIES):
        prepared = prepare(rules)
        with database.write(tenant_id) as session:
            lock_consent(session, exclusive=False)
            in_force = policy.rules_in_force(session)
            if version_with(in_force) == version_with(rules):
                return store(session, prepared)
        rules = in_force
    raise StoreUnavailable
