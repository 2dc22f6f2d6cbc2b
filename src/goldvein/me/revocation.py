from fastapi import APIRouter

from goldvein.identity.access import ActorDep, Runtime, RuntimeDep
from goldvein.identity.actor import Actor
from goldvein.me import withdrawal

router = APIRouter(prefix="/api/members", tags=["members and keys"])


@router.post("/{person_id}/revoke-consent", status_code=204)
def revoke_consent(person_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """End a member's consent and erase what was captured from them. Admin only.

    The answer is the same whether they had consented or not: who did is theirs to say.
    """
    revoke(runtime, actor, person_id)


def revoke(runtime: Runtime, actor: Actor, person_id: str) -> None:
    """Revoke in a transaction of its own, for the API and the admin page."""
    with runtime.database.write(actor.tenant_id) as session:
        removed = withdrawal.revoke(session, actor, person_id, now=runtime.now())
    if removed.erased_examples:
        runtime.database.clear_log()
    if removed.consent_changed:
        runtime.metrics.consent_changes.labels(action="revoked").inc()
