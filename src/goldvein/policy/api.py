from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from goldvein.identity.access import ActorDep, RuntimeDep
from goldvein.policy import service
from goldvein.policy.tables import SanitizerRule
from goldvein.schemas import Page, RequestBody

router = APIRouter(prefix="/api/settings/sanitizer-rules", tags=["settings"])


class NewRule(RequestBody):
    """A rule to add. The example must be matched; it is not stored."""

    type: str
    pattern: str
    example: str


class RuleOut(BaseModel):
    """A rule of the tenant."""

    id: str
    type: str
    pattern: str
    created_by: str
    created_at: datetime


def _show(rule: SanitizerRule) -> RuleOut:
    return RuleOut(**{name: getattr(rule, name) for name in RuleOut.model_fields})


@router.get("")
def list_rules(actor: ActorDep, runtime: RuntimeDep) -> Page[RuleOut]:
    """List what the tenant wants sanitized beyond the sanitizer's own rules. Admin only; at most 50, one page."""
    actor.need_admin()
    with runtime.database.read(actor.tenant_id) as session:
        return Page(items=[_show(rule) for rule in service.list_rules(session)], next_cursor=None)


@router.post("", status_code=201)
def add_rule(body: NewRule, actor: ActorDep, runtime: RuntimeDep) -> RuleOut:
    """Add a rule; it holds for what is stored from now on. Admin only."""
    with runtime.database.write(actor.tenant_id) as session:
        rule = service.add_rule(
            session, actor, kind=body.type, pattern=body.pattern, example=body.example, now=runtime.now()
        )
        return _show(rule)


@router.delete("/{rule_id}", status_code=204)
def delete_rule(rule_id: str, actor: ActorDep, runtime: RuntimeDep) -> None:
    """Take a rule of the tenant back. Admin only."""
    with runtime.database.write(actor.tenant_id) as session:
        service.delete_rule(session, actor, rule_id, now=runtime.now())
