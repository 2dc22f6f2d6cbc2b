"""What a tenant wants sanitized beyond the rules of the sanitizer."""

from datetime import datetime

from sqlalchemy import func, select

from goldvein.db.batch import Query, Transaction
from goldvein.db.ids import is_id, new_id
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import AlreadyExists, InvalidField, NotFound
from goldvein.identity.actor import Actor
from goldvein.policy.tables import SanitizerRule
from goldvein.sanitizer import (
    BadExtraRule,
    ExtraRules,
    SanitizerFailed,
    check_rule,
    compile_rules,
    sanitize_text,
    version_with,
)

MAX_RULES = 50

_RULES = SanitizerRule.__table__.c
_FIND_RULES = Query(select(_RULES.type, _RULES.pattern))


def version_in_force(transaction: Transaction) -> str | None:
    """The sanitizer's version that the texts of this transaction need; None when a rule cannot be used.

    For the writer: whoever enters a tenant holds its rules still, since a change of them takes the consent's lock.
    """
    (rules,) = transaction.read((_FIND_RULES, {}))
    try:
        return version_with(compile_rules(rules))
    except BadExtraRule:
        return None


def rules_in_force(session: TenantSession) -> ExtraRules:
    """The compiled rules of the tenant. Raises SanitizerFailed when one no longer compiles: then no text is stored."""
    try:
        return compile_rules([(rule.type, rule.pattern) for rule in list_rules(session)])
    except BadExtraRule:
        raise SanitizerFailed from None


def list_rules(session: TenantSession) -> list[SanitizerRule]:
    """The rules of the tenant, oldest first."""
    return list(session.scalars(select(SanitizerRule).order_by(SanitizerRule.created_at, SanitizerRule.id)))


def add_rule(
    session: TenantSession, actor: Actor, *, kind: str, pattern: str, example: str, now: datetime
) -> SanitizerRule:
    """As admin, add a rule. The example proves that the pattern finds what it should, and is kept nowhere."""
    actor.need_admin()
    try:
        check_rule(kind, pattern, example)
    except BadExtraRule as bad:
        raise InvalidField(field=bad.part, reason=bad.reason) from None
    if sanitize_text(pattern) != pattern:
        raise InvalidField(field="pattern", reason="looks like a secret or personal data; describe its form instead")
    lock_consent(session, exclusive=True)  # two admins at once do not pass the limit; captures and rescans wait
    if (session.scalar(select(func.count()).select_from(SanitizerRule)) or 0) >= MAX_RULES:
        raise InvalidField(field="pattern", reason=f"the organisation already has {MAX_RULES} rules")
    same = select(SanitizerRule).where(SanitizerRule.type == kind, SanitizerRule.pattern == pattern)
    if session.scalar(same) is not None:
        raise AlreadyExists(what="rule", key="type and pattern")
    rule = SanitizerRule(id=new_id(), type=kind, pattern=pattern, created_by=actor.person_id, created_at=now)
    session.add(rule)
    session.flush()
    _record_rule(session, actor, rule, "added", now)
    return rule


def _record_rule(session: TenantSession, actor: Actor, rule: SanitizerRule, change: str, now: datetime) -> None:
    session.record("sanitizer_rule", at=now, people={"actor": actor.person_id}, rule=rule.id, change=change)


def delete_rule(session: TenantSession, actor: Actor, rule_id: str, *, now: datetime) -> None:
    """As admin, take a rule of the tenant back; what the sanitizer removes by itself is no setting."""
    actor.need_admin()
    lock_consent(session, exclusive=True)
    here = select(SanitizerRule).where(SanitizerRule.id == rule_id)
    rule = session.scalar(here) if is_id(rule_id) else None
    if rule is None:
        raise NotFound(what="sanitizer rule")
    _record_rule(session, actor, rule, "deleted", now)
    session.delete(rule)
