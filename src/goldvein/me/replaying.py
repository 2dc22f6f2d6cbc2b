"""Doing again what the journal tells and a restored store does not know: no restore turns a no into a yes.

A line whose row is in the store was there when the store was copied, and is left alone. Any other is newer than the
copy: whatever it withdrew or erased is withdrawn and erased again, whatever was captured in the copy.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from goldvein.capture import skill_deletion
from goldvein.consent import service as consent
from goldvein.db.session import TenantSession
from goldvein.errors import InvalidField, NotAllowed, NotFound, StaleRevision
from goldvein.examples import service as examples
from goldvein.identity import service as identity
from goldvein.identity.access import Runtime
from goldvein.identity.actor import Actor
from goldvein.journal import file
from goldvein.journal import service as journal
from goldvein.journal.file import Line
from goldvein.me import tenant_deletion, withdrawal
from goldvein.skills import service as skills

_SCOPES: Final = frozenset({"me", "review", "admin"})

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What a replay did: entries done again, entries of organisations that the store does not have."""

    applied: int
    strangers: int


def replay_own(runtime: Runtime) -> Replayed:
    """At a start: catch up with the journal, replay what it knows and the store does not, and make it whole again.

    Costs one reading of the journal. A store that was restored with other tools is caught here, too.
    """
    contents = file.read(runtime.settings.journal_path)
    replayed = Replayed(applied=0, strangers=0)
    if contents is not None:
        replayed = replay(runtime, contents.lines)
        if contents.damaged:
            log.warning("journal_has_damaged_lines", count=contents.damaged)
    if replayed.applied:
        log.warning("journal_replayed", count=replayed.applied)
    journal.catch_up(runtime.database, runtime.settings.journal_path, runtime.now())
    lost = journal.complete(runtime.database, runtime.settings.journal_path)
    if contents is not None and lost:
        log.warning("journal_completed", count=lost)
    return replayed


def replay(runtime: Runtime, lines: Iterable[Line]) -> Replayed:
    """Do again what the store does not know, entry by entry, each in a transaction of its own; safe to run again."""
    asked = list(lines)
    with runtime.database.read_across_tenants() as session:
        tenants = {tenant.id for tenant in identity.find_tenants(session)}
        known = journal.known_ids(session, (line.id for line in asked))
    unknown = [line for line in asked if line.id not in known]
    applied = 0
    for line in unknown:
        if line.tenant_id in tenants:
            with runtime.database.write(line.tenant_id) as session, journal.replaying(session, line, runtime.now()):
                _do_again(session, line)
            applied += 1
    if applied:
        runtime.database.clear_log()
    return Replayed(applied=applied, strangers=len(unknown) - applied)


def _do_again(session: TenantSession, line: Line) -> None:
    match line.kind:
        case "withdrawn" | "revoked" | "invalidated" | "erased":
            _take_out(session, line)
        case "account_deleted":
            _forget(session, line)
        case "leak":
            _erase_leak(session, line)
        case "tenant_deleted":
            _delete_tenant(session, line)
        case "example_deleted":
            author = _found(session, line.actor_id, role="member")
            examples.delete_again(
                session, author.person_id if author else None, line.example_ids or [], line.occurred_at
            )
        case "skill_deleted":
            _delete_skills(session, line)
        case _:
            _switch_off(session, line)


def _take_out(session: TenantSession, line: Line) -> None:
    """As it was done first; where the admin who did it is not in the copy, as if the person had."""
    person, admin = _found(session, line.person_id, role="member"), _found(session, line.actor_id, role="admin")
    if person is None:
        return  # not a member yet when the copy was made: nothing of them is in it
    if line.kind == "erased" and line.skill_ids is None:
        _erase(session, person, line)
    elif line.kind == "revoked" and admin is not None:
        withdrawal.revoke(session, admin, person.person_id, now=line.occurred_at)
    elif line.kind == "invalidated" and admin is not None:
        consent.invalidate_again(session, admin, person.person_id, now=line.occurred_at)
    else:
        with contextlib.suppress(InvalidField):  # there is no consent whose purposes could be fewer
            withdrawal.withdraw(session, person, now=line.occurred_at, skill_ids=line.skill_ids, purposes=line.purposes)


def _erase(session: TenantSession, person: Actor, line: Line) -> None:
    erased: list[str | None] = [None] if line.example_ids is None else [*line.example_ids]
    for example_id in erased:
        with contextlib.suppress(NotFound):  # captured after the copy
            withdrawal.erase(session, person, now=line.occurred_at, example_id=example_id)


def _forget(session: TenantSession, line: Line) -> None:
    """As it was done first. Where the copy does not let go of the account, at least nothing captured is left of it."""
    person, actor = _found(session, line.person_id, role="member"), _found(session, line.actor_id, role="admin")
    if person is None:
        return
    try:
        withdrawal.forget_again(session, actor or person, person.person_id, now=line.occurred_at)
    except NotAllowed as error:  # a skill was theirs then, or nobody else was admin
        log.warning("account_not_deleted_again", person_id=person.person_id, exc_info=error)
        withdrawal.withdraw(session, person, now=line.occurred_at)


def _erase_leak(session: TenantSession, line: Line) -> None:
    """As it was reported; where the copy does not let the reporter see it, it is deleted."""
    reporter = _found(session, line.actor_id, role="member")
    for example_id in line.example_ids or []:
        try:
            if reporter is not None:
                withdrawal.report_leak(session, reporter, example_id, now=line.occurred_at)
                continue
        except StaleRevision:  # its text is gone already
            continue
        except (NotAllowed, NotFound):
            log.warning("leak_not_reported_again", example_id=example_id)
        examples.delete_again(session, None, [example_id], line.occurred_at)


def _delete_tenant(session: TenantSession, line: Line) -> None:
    admin = _found(session, line.actor_id, role="admin")
    if admin is None:
        journal.hold(session, line.occurred_at)  # ended by an admin of later days: the operator looks at it
    else:
        tenant_deletion.delete_tenant(session, admin, confirm=identity.tenant_of(session).name, now=line.occurred_at)


def _delete_skills(session: TenantSession, line: Line) -> None:
    for skill_id in line.skill_ids or []:
        with contextlib.suppress(NotFound):
            skill = skills.find_skill(session, skill_id)
            author = _as_person(session, skill.author_id, role="member")
            skill_deletion.delete_skill(session, author, skill, confirm=skill.slug, now=line.occurred_at)


def _switch_off(session: TenantSession, line: Line) -> None:
    admin = _found(session, line.actor_id, role="admin")
    if admin is None:
        journal.hold(session, line.occurred_at)  # an admin of later days said no: the operator looks at it
    else:
        consent.switch_capture(session, admin, on=False, now=line.occurred_at)


def _found(session: TenantSession, person_id: str | None, *, role: str) -> Actor | None:
    """The person as one who acts, if the copy has them."""
    if person_id is None:
        return None
    try:
        return _as_person(session, person_id, role=role)
    except NotFound:
        return None


def _as_person(session: TenantSession, person_id: str, *, role: str) -> Actor:
    identity.member(session, person_id)
    return Actor(
        tenant_id=session.tenant_id,
        person_id=person_id,
        role=role,
        scopes=_SCOPES,
        channel="cli",
        credential_id="",
    )
