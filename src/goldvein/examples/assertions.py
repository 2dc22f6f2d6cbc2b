"""The assertions of a skill and of an example: written by its author, read by exports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select

from goldvein.db.session import Database, TenantSession, for_change
from goldvein.errors import InvalidField, NotAllowed, WrongStatus
from goldvein.examples import review, service
from goldvein.examples.prepared import sanitize_then_store
from goldvein.examples.tables import StoredAssertion
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.sanitizer import ExtraRules, sanitize_text, version_with
from goldvein.skills import service as skills
from goldvein.skills.assertions import MAX_ASSERTIONS, Assertion, BadAssertion, read_assertion
from goldvein.skills.tables import Skill


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertions:
    """All assertions of one skill or one example, and the revision of that, which every change counts up."""

    assertions: tuple[Assertion, ...]
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clean:
    """Assertions that may be stored, and the version of the sanitizer that has read them."""

    assertions: tuple[Assertion, ...]
    version: str


def assertions_of_skill(session: TenantSession, actor: Actor, skill_id: str) -> Assertions:
    """Those of a skill, for its author."""
    actor.need("read")
    skill = _own_skill(session, actor, skill_id)
    return Assertions(assertions=of_skill(session, skill.id), revision=skill.revision)


def assertions_of_example(session: TenantSession, actor: Actor, example_id: str) -> Assertions:
    """Those of one example alone, for the author of its skill."""
    actor.need("read")
    example, _ = service.find_example(session, actor, example_id)
    return Assertions(assertions=of_examples(session, [example.id]).get(example.id, ()), revision=example.revision)


def of_skill(session: TenantSession, skill_id: str) -> tuple[Assertion, ...]:
    """What holds for every example of a skill, in the order of its author."""
    here = StoredAssertion.skill_id == skill_id, StoredAssertion.example_id.is_(None)
    rows = session.scalars(select(StoredAssertion).where(*here).order_by(StoredAssertion.position))
    return tuple(Assertion(kind=row.kind, value=row.value) for row in rows)


def of_examples(session: TenantSession, example_ids: Sequence[str]) -> dict[str, tuple[Assertion, ...]]:
    """What holds for each of these examples beyond what holds for all of the skill; only those that have some."""
    here = select(StoredAssertion).where(StoredAssertion.example_id.in_(example_ids))
    found: dict[str, tuple[Assertion, ...]] = {}
    for row in session.scalars(here.order_by(StoredAssertion.example_id, StoredAssertion.position)):
        if row.example_id is not None:
            found[row.example_id] = (*found.get(row.example_id, ()), Assertion(kind=row.kind, value=row.value))
    return found


def put_on_skill(
    database: Database,
    actor: Actor,
    skill_id: str,
    given: Sequence[Assertion],
    *,
    now: datetime,
    expected_revision: int | None = None,
) -> Assertions:
    """As author, put these in the place of a skill's assertions."""
    actor.need("review")
    with database.read(actor.tenant_id) as session:
        _own_skill(session, actor, skill_id)

    def store(session: TenantSession, clean: _Clean) -> Assertions:
        found = _own_skill(session, actor, skill_id)
        here = for_change(select(Skill).where(Skill.id == found.id))
        skill = session.scalars(here).one_or_none() or skills.find_skill(session, skill_id)
        identity.need_revision(skill.revision, expected_revision, {"revision": skill.revision})
        old = StoredAssertion.skill_id == skill.id, StoredAssertion.example_id.is_(None)
        _replace(session, actor, old, clean, now, skill_id=skill.id, example_id=None)
        skill.revision += 1
        skill.updated_at = now
        return Assertions(assertions=clean.assertions, revision=skill.revision)

    return sanitize_then_store(database, actor.tenant_id, prepare=lambda rules: _clean(given, rules), store=store)


def put_on_example(
    database: Database,
    actor: Actor,
    example_id: str,
    given: Sequence[Assertion],
    *,
    now: datetime,
    expected_revision: int | None = None,
) -> Assertions:
    """As author of its skill, put these in the place of an example's assertions; not on one that has no text left."""
    actor.need("review")
    with database.read(actor.tenant_id) as session:
        service.find_example(session, actor, example_id)

    def store(session: TenantSession, clean: _Clean) -> Assertions:
        example, _ = service.find_example(session, actor, example_id, to_change=True)
        identity.need_revision(example.revision, expected_revision, {"status": example.status})
        _need_text(example)
        old = (StoredAssertion.example_id == example.id,)
        _replace(session, actor, old, clean, now, skill_id=example.skill_id, example_id=example.id)
        example.revision += 1
        example.updated_at = now
        return Assertions(assertions=clean.assertions, revision=example.revision)

    return sanitize_then_store(database, actor.tenant_id, prepare=lambda rules: _clean(given, rules), store=store)


def _own_skill(session: TenantSession, actor: Actor, skill_id: str) -> Skill:
    skill = skills.find_skill(session, skill_id)
    if not skills.is_author(session, skill, actor.person_id):
        raise NotAllowed(rule="Only the skill author can see and write its assertions")
    return skill


def _need_text(example: TrainingExample) -> None:
    if review.MOVES[example.status or ""] == {}:
        raise WrongStatus(status=example.status or "", decision="edit", possible="none")


def _clean(given: Sequence[Assertion], rules: ExtraRules) -> _Clean:
    """Check each and sanitize it. Raises InvalidField that names its place.

    A rubric is sanitized. The others are refused when something is found in them: a pattern or a schema with a
    placeholder in it would mean something else, and a text to be contained is compared with sanitized answers.
    """
    if len(given) > MAX_ASSERTIONS:
        raise InvalidField(field="assertions", reason=f"at most {MAX_ASSERTIONS}")
    found = [_clean_one(place, assertion, rules) for place, assertion in enumerate(given)]
    return _Clean(assertions=tuple(found), version=version_with(rules))


def _clean_one(place: int, given: Assertion, rules: ExtraRules) -> Assertion:
    field = f"assertions.{place}"
    try:
        assertion = read_assertion(given.kind, given.value)
    except BadAssertion as bad:
        raise InvalidField(field=field, reason=str(bad)) from None
    value = sanitize_text(assertion.value, rules)
    if value != assertion.value and assertion.kind != "rubric":
        raise InvalidField(
            field=field, reason="looks like a secret or personal data; write its placeholder, such as [REDACTED:email]"
        )
    return Assertion(kind=assertion.kind, value=value)


def _replace(
    session: TenantSession,
    actor: Actor,
    old: Sequence[ColumnElement[bool]],
    clean: _Clean,
    now: datetime,
    *,
    skill_id: str,
    example_id: str | None,
) -> None:
    session.execute(delete(StoredAssertion).where(*old), execution_options={"synchronize_session": False})
    session.add_all(
        StoredAssertion(
            skill_id=skill_id,
            example_id=example_id,
            position=place,
            kind=assertion.kind,
            value=assertion.value,
            sanitizer_version=clean.version,
            created_by=actor.person_id,
            created_at=now,
        )
        for place, assertion in enumerate(clean.assertions)
    )
    session.flush()
