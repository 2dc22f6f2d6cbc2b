"""The routes with which one ends something of others, or all of one's own: consents, accounts, leaks, organisations."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from goldvein.examples import service as examples
from goldvein.examples.tables import Incident
from goldvein.identity.access import ActorDep, Runtime, RuntimeDep
from goldvein.identity.actor import Actor
from goldvein.me import tenant_deletion, withdrawal
from goldvein.schemas import Page

router = APIRouter(prefix="/api")


class DeletedOut(BaseModel):
    """What the end of an account erased."""

    erased_examples: int


class IncidentOut(BaseModel):
    """A reported leak: which example, under which rules it had been sanitized, and how many copies were erased."""

    id: str
    example_id: str
    skill_id: str
    source: str
    sanitizer_version: str | None
    erased_examples: int
    reported_by: str
    reported_at: datetime


@router.delete("/me", tags=["me"])
def delete_account(
    actor: ActorDep, runtime: RuntimeDep, confirm: Annotated[str, Query(description="The address of the account.")]
) -> DeletedOut:
    """Delete my account in this organisation: everything captured from me, my feedback, my keys, my name."""
    with runtime.database.write(actor.tenant_id) as session:
        removed = withdrawal.delete_account(session, actor, confirm=confirm, now=runtime.now())
    return _finish(runtime, removed)


@router.post("/members/{person_id}/revoke-consent", status_code=204, tags=["members and keys"])
def revoke_consent(person_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """End a member's consent and erase what was captured from them. Admin only.

    The answer is the same whether they had consented or not: who did is theirs to say.
    """
    revoke(runtime, actor, person_id)


def revoke(runtime: Runtime, actor: Actor, person_id: str) -> None:
    """Revoke in a transaction of its own, for the API and the admin page."""
    with runtime.database.write(actor.tenant_id) as session:
        removed = withdrawal.revoke(session, actor, person_id, now=runtime.now())
    _finish(runtime, removed)


@router.delete("/members/{person_id}", status_code=204, tags=["members and keys"])
def erase_member(person_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Delete the account of a deactivated member, without reading anything of it. Admin only."""
    erase(runtime, actor, person_id)


def erase(runtime: Runtime, actor: Actor, person_id: str) -> None:
    """Erase somebody's account in a transaction of its own, for the API and the admin page."""
    with runtime.database.write(actor.tenant_id) as session:
        removed = withdrawal.erase_member(session, actor, person_id, now=runtime.now())
    _finish(runtime, removed)


def _finish(runtime: Runtime, removed: withdrawal.Removed) -> DeletedOut:
    runtime.database.clear_log()
    if removed.event is not None:
        runtime.metrics.consent_changes.labels(action=removed.event.action).inc()
    return DeletedOut(erased_examples=removed.erased_examples)


@router.delete("/settings", status_code=204, tags=["settings"])
def delete_tenant(
    actor: ActorDep, runtime: RuntimeDep, confirm: Annotated[str, Query(description="The name of the organisation.")]
) -> None:
    """Delete the organisation with everything it holds; its ledger is sealed and kept. Admin only."""
    end_tenant(runtime, actor, confirm)


def end_tenant(runtime: Runtime, actor: Actor, confirm: str) -> None:
    """Delete an organisation, for the API and the admin page."""
    with runtime.database.write(actor.tenant_id) as session:
        tenant_deletion.delete_tenant(session, actor, confirm=confirm, now=runtime.now())
    for _ in tenant_deletion.purge(runtime.database):
        pass


@router.post("/training-examples/{example_id}/report-leak", status_code=201, tags=["training examples"])
def report_leak(example_id: str, actor: ActorDep, runtime: RuntimeDep) -> IncidentOut:
    """Erase an example that holds a secret or somebody's data, with its copies, and open an incident.

    For the authors of the skill and for whom it was captured from. The admins see the incident, without any text.
    """
    return show_incident(report(runtime, actor, example_id))


def report(runtime: Runtime, actor: Actor, example_id: str) -> Incident:
    """Report a leak in a transaction of its own, for the API and the pages."""
    with runtime.database.write(actor.tenant_id) as session:
        incident = withdrawal.report_leak(session, actor, example_id, now=runtime.now())
    runtime.database.clear_log()
    return incident


@router.get("/incidents", tags=["settings"])
def list_incidents(actor: ActorDep, runtime: RuntimeDep) -> Page[IncidentOut]:
    """List the reported leaks, newest first, one page. Admin only."""
    with runtime.database.read(actor.tenant_id) as session:
        return Page(items=[show_incident(row) for row in examples.incidents(session, actor)])


def show_incident(row: Incident) -> IncidentOut:
    """An incident as it is answered."""
    return IncidentOut.model_validate(row, from_attributes=True)
