"""Training examples: golden ones by hand, captured ones from use, and their review."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, literal_column, select, update

from goldvein.consent import service as consent
from goldvein.consent.decision import Decision
from goldvein.consent.ledger import record_erased
from goldvein.db.batch import BulkInsert, Query, Transaction
from goldvein.db.ids import is_id, new_id
from goldvein.db.session import Fact, TenantSession, TenantViolation, for_change, lock_consent
from goldvein.errors import InvalidField, JSONValue, NotAllowed, NotFound, StaleRevision, WrongStatus
from goldvein.examples import review
from goldvein.examples.findings import added, count_findings
from goldvein.examples.rescan import TEXTS, bring_up_to_date
from goldvein.examples.tables import ExampleRevision, ImportedExample, Incident, StoredAssertion
from goldvein.feedback import kinds
from goldvein.feedback.service import older_than
from goldvein.feedback.tables import SkillFeedback, TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.identity.server_key import ServerKey
from goldvein.identity.tables import Membership
from goldvein.journal import service as journal
from goldvein.policy import service as policy
from goldvein.sanitizer import Sanitized, sanitize_many
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill, SkillVersion

MAX_GOLDEN_CHARS = 5_000
MAX_EDIT_CHARS = 65_536
MAX_NOTES_CHARS = 2_000


def create_golden(
    session: TenantSession,
    actor: Actor,
    skill: Skill,
    *,
    source: str,
    now: datetime,
    example_input: str,
    example_output: str,
    expected_output: str | None = None,
    quality_score: int | None = None,
) -> TrainingExample:
    """Add a golden example: by the author only, sanitized, approved at once. Never touches the feedback aggregates."""
    skills.need_author(session, actor, skill, "Only the skill author can add training examples")
    texts = {
        "example_input": _within("example_input", example_input, MAX_GOLDEN_CHARS),
        "example_output": _within("example_output", example_output, MAX_GOLDEN_CHARS),
    }
    if expected_output:
        texts["expected_output"] = _within("expected_output", expected_output, MAX_GOLDEN_CHARS)
    sanitized = sanitize_many(list(texts.values()), policy.rules_in_force(session))
    example = golden_row(
        actor,
        skill,
        skills.current_version(session, skill),
        dict(zip(texts, sanitized, strict=True)),
        source=source,
        quality_score=clean_quality(quality_score),
        now=now,
    )
    session.add(example)
    session.flush()
    return example


def golden_row(
    actor: Actor,
    skill: Skill,
    version: SkillVersion | None,
    texts: Mapping[str, Sanitized],
    *,
    source: str,
    quality_score: int | None,
    now: datetime,
) -> TrainingExample:
    """A golden example of these texts, by name: approved by its author, who says that its output is good."""
    return TrainingExample(
        id=new_id(),
        skill_id=skill.id,
        user_id=actor.person_id,
        status="approved",
        source=source,
        output_verdict="good",
        quality_score=quality_score,
        reviewed_by=actor.person_id,
        reviewed_at=now,
        sanitizer_version=texts["example_input"].version,
        findings=count_findings(texts.values()),
        skill_version_id=version.id if version else None,
        skill_digest=version.digest if version else None,
        revision=1,
        created_at=now,
        updated_at=now,
        **{name: sanitized.text for name, sanitized in texts.items()},
    )


_CAPTURED_COLUMNS = (
    "id",
    "feedback_type",
    "skill_id",
    "user_id",
    "usage_event_id",
    "status",
    "source",
    "example_input",
    "example_output",
    "sanitizer_version",
    "findings",
    "tool_name",
    "skill_version_id",
    "skill_digest",
    "tenant_consent_id",
    "person_consent_id",
    "revision",
    "created_at",
    "updated_at",
)
_PLACES = {name: place for place, name in enumerate(_CAPTURED_COLUMNS)}
CAPTURED = BulkInsert(SkillFeedback.__table__, *_CAPTURED_COLUMNS)
"""How the writer stores captured uses; its rows are made by `captured_row` alone."""


def captured_row(
    *,
    decision: Decision,
    skill_id: str,
    person_id: str,
    usage_event_id: str,
    tool_name: str,
    skill_version_id: str | None,
    skill_digest: str | None,
    texts: tuple[Sanitized, Sanitized],
    now: datetime,
) -> tuple[Any, ...]:
    """A captured use as a pending example. The decision was taken in the storing transaction, and is a yes."""
    assert decision.allowed  # noqa: S101 (the constraint captured_stands_on_consent says the same to the database)
    return (
        new_id(),
        kinds.TRAINING_EXAMPLE,
        skill_id,
        person_id,
        usage_event_id,
        "pending",
        "usage_capture",
        texts[0].text,
        texts[1].text,
        texts[0].version,
        count_findings(texts),
        tool_name,
        skill_version_id,
        skill_digest,
        decision.tenant_record_id,
        decision.person_record_id,
        1,
        now,
        now,
    )


def captured_fact(person_id: str, rows: Sequence[tuple[Any, ...]]) -> Fact:
    """What the ledger keeps of the captures of one person in one batch, all decided on in one transaction."""
    examples: dict[str, list[JSONValue]] = {}
    for row in rows:
        examples.setdefault(row[_PLACES["skill_id"]], []).append(row[_PLACES["id"]])
    return Fact(
        kind="captured",
        at=max(row[_PLACES["created_at"]] for row in rows),
        people={"person": person_id},
        values={
            "tenant_record": rows[0][_PLACES["tenant_consent_id"]],
            "person_record": rows[0][_PLACES["person_consent_id"]],
            "examples": dict(sorted(examples.items())),
        },
    )


# The words are written out, or the database would not see that its partial indexes hold these rows.
_ROWS = SkillFeedback.__table__.c
_IS_CAPTURED = _ROWS.source == literal_column("'usage_capture'")
_OF_SKILLS = _ROWS.skill_id.in_(bindparam("skills", expanding=True))
_COUNT_PENDING = Query(
    select(_ROWS.skill_id, func.count())
    .where(_IS_CAPTURED, _ROWS.status == literal_column("'pending'"), _OF_SKILLS)
    .group_by(_ROWS.skill_id)
)
_COUNT_OF_DAY = Query(
    select(_ROWS.skill_id, _ROWS.user_id, func.count())
    .where(_IS_CAPTURED, _OF_SKILLS, _ROWS.user_id.in_(bindparam("people", expanding=True)))
    .where(_ROWS.created_at > bindparam("since"))
    .group_by(_ROWS.skill_id, _ROWS.user_id)
)


def count_captured(
    transaction: Transaction, *, skill_ids: Sequence[str], people: Sequence[str], since: datetime
) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """How many captured examples wait in each skill, and how many came from each person in each skill since then."""
    skills_asked = {"skills": list(skill_ids)}
    pending, of_day = transaction.read(
        (_COUNT_PENDING, skills_asked), (_COUNT_OF_DAY, {**skills_asked, "people": list(people), "since": since})
    )
    return dict(pending), {(skill_id, person_id): count for skill_id, person_id, count in of_day}


def _within(field: str, text: str, most: int) -> str:
    text = text.replace("\x00", "\u2400")
    if not text.strip() or len(text) > most:
        raise InvalidField(field=field, reason=f"1 to {most} characters")
    return text


def clean_quality(score: int | None) -> int | None:
    """A score of 1..10, or none."""
    if score is None or kinds.MIN_QUALITY <= score <= kinds.MAX_QUALITY:
        return score
    raise InvalidField(
        field="quality_score", reason=f"a whole number from {kinds.MIN_QUALITY} to {kinds.MAX_QUALITY}, or empty"
    )


def find_example(
    session: TenantSession, actor: Actor, example_id: str, *, to_change: bool = False
) -> tuple[TrainingExample, Skill]:
    """An example and its skill, for an author of the skill; `to_change` holds the row until the transaction ends."""
    here = select(TrainingExample).where(TrainingExample.id == example_id)
    example = session.scalar(for_change(here) if to_change else here) if is_id(example_id) else None
    if example is None:
        raise NotFound(what="training example")
    skill = skills.find_skill(session, example.skill_id)
    if not skills.is_author(session, skill, actor.person_id):
        raise NotAllowed(rule="Only the skill author can see and review its training examples")
    return example, skill


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """An example with what its viewer may see: for admins, captured rows have neither text nor user."""

    example: TrainingExample
    user: str | None
    shows_text: bool


def list_examples(
    session: TenantSession,
    server_key: ServerKey,
    actor: Actor,
    skill: Skill,
    *,
    limit: int,
    status: str | None = None,
    source: str | None = None,
    after: tuple[datetime, str] | None = None,
) -> list[Listed]:
    """The examples of a skill, newest first, each with its user. For its authors; for admins without captured text."""
    actor.need("read")
    is_author = skills.is_author(session, skill, actor.person_id)
    if not is_author and not actor.is_admin:
        raise NotAllowed(rule="Only the skill author and admins can list training examples")
    _check_filter(status, source)
    rows = select(TrainingExample, Membership).join(Membership, Membership.person_id == TrainingExample.user_id)
    rows = rows.where(TrainingExample.skill_id == skill.id)
    if status is not None:
        rows = rows.where(TrainingExample.status == status)
    if source is not None:
        rows = rows.where(TrainingExample.source == source)
    if after is not None:
        rows = rows.where(older_than(*after))
    rows = rows.order_by(TrainingExample.created_at.desc(), TrainingExample.id.desc()).limit(limit)
    return [
        _listed(session, server_key, example, membership, is_author=is_author)
        for example, membership in session.execute(rows)
    ]


def _check_filter(status: str | None, source: str | None) -> None:
    if status is not None and status not in kinds.EXAMPLE_STATUSES:
        raise InvalidField(field="status", reason=f"one of {', '.join(kinds.EXAMPLE_STATUSES)}")
    if source is not None and source not in kinds.SOURCES:
        raise InvalidField(field="source", reason=f"one of {', '.join(kinds.SOURCES)}")


def _listed(
    session: TenantSession,
    server_key: ServerKey,
    example: TrainingExample,
    membership: Membership,
    *,
    is_author: bool,
) -> Listed:
    if example.source == "usage_capture" and not is_author:
        return Listed(example=example, user=None, shows_text=False)
    user = user_display(session, server_key, example, membership)
    return Listed(example=example, user=user, shows_text=True)


def user_display(
    session: TenantSession, server_key: ServerKey, example: TrainingExample, membership: Membership
) -> str:
    """How the user of an example is shown: golden ones by name; captured ones as that person chose."""
    if example.source == "usage_capture" and membership.display == "pseudonym":
        digest = server_key.stable_digest("pseudonym", example.skill_id, membership.person_id)
        return f"user-{digest.hex()[:8]}"
    return identity.shown_name(session, membership.person_id)


def count_examples(session: TenantSession, skill_id: str) -> dict[str, dict[str, int]]:
    """How many examples a skill has: by status and by source."""
    rows = select(TrainingExample.status, TrainingExample.source, func.count())
    rows = rows.where(TrainingExample.skill_id == skill_id)
    counts: dict[str, dict[str, int]] = {"status": {}, "source": {}}
    for status, source, count in session.execute(rows.group_by(TrainingExample.status, TrainingExample.source)):
        for name, value in (("status", status or ""), ("source", source or "")):
            counts[name][value] = counts[name].get(value, 0) + count
    return counts


def review_example(
    session: TenantSession,
    actor: Actor,
    example_id: str,
    *,
    decision: str,
    now: datetime,
    quality_score: int | None = None,
    output_verdict: str | None = None,
    expected_output: str | None = None,
    notes: str | None = None,
    expected_revision: int | None = None,
) -> TrainingExample:
    """Take the author's decision on an example.

    1. Only an author of the skill. 2. The decision must be possible in the example's status: a second one on the
    same state is a conflict. 3. Approving a captured example needs its consent record still to hold; the consent is
    locked, so no withdrawal slips in between; and the rules in force must have read it. 4. Texts given with the
    decision are sanitized like every other.
    """
    actor.need("review")
    if decision not in review.DECISIONS:
        raise InvalidField(field="decision", reason=f"one of {', '.join(review.DECISIONS)}")
    if output_verdict is not None and output_verdict not in kinds.VERDICTS:
        raise InvalidField(field="output_verdict", reason=f"one of {', '.join(kinds.VERDICTS)}")
    lock_consent(session, exclusive=False)
    example, _ = find_example(session, actor, example_id, to_change=True)
    identity.need_revision(example.revision, expected_revision, {"status": example.status})
    status = review.next_status(example.status or "", decision)
    if status is None:
        possible = ", ".join(review.MOVES[example.status or ""]) or "none"
        raise WrongStatus(status=example.status or "", decision=decision, possible=possible)
    if decision == "approve":
        _need_record_holds(session, example)
        bring_up_to_date(session, example, policy.rules_in_force(session))
        example.output_verdict = output_verdict or "good"
    elif output_verdict is not None:
        example.output_verdict = output_verdict
    edits = {"expected_output": expected_output, "review_notes": notes}
    _edit_texts(session, actor, example, {name: text for name, text in edits.items() if text is not None}, now)
    if quality_score is not None:
        example.quality_score = clean_quality(quality_score)
    example.status = status
    example.status_reason = None
    example.reviewed_by = actor.person_id
    example.reviewed_at = now
    _touch(example, now)
    session.record(
        "reviewed", at=now, people={"actor": actor.person_id}, example=example.id, decision=decision, status=status
    )
    return example


def _need_record_holds(session: TenantSession, example: TrainingExample) -> None:
    if example.source != "usage_capture":
        return  # a golden example stands on its authorship
    record_id = example.person_consent_id
    if record_id is None or not consent.record_holds(session, example.user_id, record_id, example.skill_id):
        raise NotAllowed(rule="The consent this example stands on no longer holds")


def edit_example(
    session: TenantSession,
    actor: Actor,
    example_id: str,
    texts: dict[str, str | None],
    *,
    now: datetime,
    quality_score: int | None = None,
    clear_quality: bool = False,
    expected_revision: int | None = None,
) -> TrainingExample:
    """As author, change any text of an example; the texts are sanitized and the former ones kept as a revision."""
    actor.need("review")
    lock_consent(session, exclusive=False)  # an edit and a withdrawal of the same example come one after the other
    example, _ = find_example(session, actor, example_id, to_change=True)
    identity.need_revision(example.revision, expected_revision, {"status": example.status})
    if review.MOVES[example.status or ""] == {}:
        raise WrongStatus(status=example.status or "", decision="edit", possible="none")
    _edit_texts(session, actor, example, texts, now)
    if quality_score is not None or clear_quality:
        example.quality_score = clean_quality(quality_score)
    _touch(example, now)
    return example


def _edit_texts(
    session: TenantSession, actor: Actor, example: TrainingExample, texts: dict[str, str | None], now: datetime
) -> None:
    cleaned = {name: _clean_edit(name, text) for name, text in texts.items()}
    changed = {name: text for name, text in cleaned.items() if text != getattr(example, name)}
    if not changed:
        return
    extra_rules = policy.rules_in_force(session)
    # Else the version would say that these rules had read former texts, too.
    bring_up_to_date(session, example, extra_rules)
    session.add(
        ExampleRevision(
            example_id=example.id,
            revision=example.revision,
            edited_by=actor.person_id,
            edited_at=now,
            **{name: getattr(example, name) for name in TEXTS},
        )
    )
    after = {name: changed.get(name, getattr(example, name)) for name in TEXTS}
    present = {name: text for name, text in after.items() if text is not None}
    sanitized = dict(zip(present, sanitize_many(list(present.values()), extra_rules), strict=True))
    for name in TEXTS:
        setattr(example, name, sanitized[name].text if name in sanitized else None)
    new = count_findings(sanitized[name] for name in changed if name in sanitized)
    example.findings = added(example.findings or {}, new)


def _clean_edit(name: str, text: str | None) -> str | None:
    if name in {"example_input", "example_output"}:
        return _within(name, text or "", MAX_EDIT_CHARS)
    if not text:
        return None
    return _within(name, text, MAX_NOTES_CHARS if name == "review_notes" else MAX_EDIT_CHARS)


def _touch(example: TrainingExample, now: datetime) -> None:
    example.revision += 1
    example.updated_at = now


Deleted = Callable[[TenantSession, Sequence[str], datetime], None]
_told_of_deletion: list[Deleted] = []


def told_of_deletion(follower: Deleted) -> Deleted:
    """Declare the one function that takes deleted examples out of what was made of them, in a slice above this one."""
    _told_of_deletion[:] = [follower]
    return follower


def tell_of_deletion(session: TenantSession, example_ids: Sequence[str], now: datetime) -> None:
    """Examples are being deleted in this transaction, which holds the consent exclusively."""
    if not _told_of_deletion:
        raise TenantViolation("nobody takes deleted examples out of datasets")
    _told_of_deletion[0](session, example_ids, now)


def delete_example(
    session: TenantSession, actor: Actor, example_id: str, *, now: datetime, expected_revision: int | None = None
) -> None:
    """As author, delete an example with its texts, its revisions and its rows in datasets."""
    actor.need("review")
    lock_consent(session, exclusive=True)  # no freeze is between reading it and writing its row
    example, _ = find_example(session, actor, example_id, to_change=True)
    identity.need_revision(example.revision, expected_revision, {"status": example.status})
    _delete(session, example, actor.person_id, now)
    journal.record(session, "example_deleted", now=now, actor_id=actor.person_id, example_ids=[example.id])


def delete_again(session: TenantSession, actor_id: str | None, example_ids: list[str], now: datetime) -> None:
    """After a restore: delete the examples that were deleted before."""
    lock_consent(session, exclusive=True)
    for example in session.scalars(select(TrainingExample).where(TrainingExample.id.in_(example_ids))):
        _delete(session, example, actor_id, now)


def _delete(session: TenantSession, example: TrainingExample, actor_id: str | None, now: datetime) -> None:
    if example.source == "usage_capture":
        record_erased(
            session,
            at=now,
            cause="deleted_by_author",
            person_id=example.user_id,
            actor_id=actor_id,
            example_ids=[example.id],
        )
    tell_of_deletion(session, [example.id], now)
    session.delete(example)


def erase_captured(
    session: TenantSession,
    person_id: str,
    now: datetime,
    *,
    example_id: str | None = None,
    skill_ids: list[str] | None = None,
) -> dict[str, str]:
    """Null the texts of a person's captured examples and all that was derived from them.

    Returns the usage event of each.

    All of them, or one, or those of these skills.
    Whatever status they are in: nothing of them is left to review, edit, promote or export.
    """
    held: list[ColumnElement[bool]] = [
        TrainingExample.user_id == person_id,
        TrainingExample.source == "usage_capture",
        TrainingExample.status != "withdrawn",
    ]
    if example_id is not None:
        held.append(TrainingExample.id == example_id)
    if skill_ids is not None:
        held.append(TrainingExample.skill_id.in_(skill_ids))
    rows = select(TrainingExample.id, TrainingExample.usage_event_id).where(*held).order_by(TrainingExample.id)
    erased = {row_id: event_id for row_id, event_id in session.execute(rows) if event_id}
    _end(session, held, "withdrawn", now)
    return erased


def expire_pending(session: TenantSession, *, before: datetime, now: datetime, most: int) -> dict[str, str]:
    """Let captured examples that nobody reviewed in time expire: nothing of their text is left, as in a withdrawal.

    At most so many, oldest first; one that was reopened counts from then. Returns the usage event of each.
    """
    lock_consent(session, exclusive=False)
    waiting_since = func.coalesce(TrainingExample.reviewed_at, TrainingExample.created_at)
    old = (
        select(TrainingExample)
        .where(TrainingExample.status == literal_column("'pending'"))  # written out: the partial index needs it
        .where(TrainingExample.source == literal_column("'usage_capture'"), waiting_since < before)
    )
    found = list(session.scalars(for_change(old.order_by(TrainingExample.id).limit(most))))
    of_person: dict[str, list[str]] = {}
    for example in found:
        of_person.setdefault(example.user_id, []).append(example.id)
    for person_id, ids in of_person.items():
        record_erased(session, at=now, cause="expired", person_id=person_id, actor_id=None, example_ids=ids)
    ids = [example.id for example in found]
    _end(session, [TrainingExample.id.in_(ids), TrainingExample.status == "pending"], "expired", now)
    return {example.id: example.usage_event_id or "" for example in found}


def _end(session: TenantSession, held: Sequence[ColumnElement[bool]], status: str, now: datetime) -> None:
    """Null every text of these examples, and all that was derived from it."""
    of_them = select(TrainingExample.id).where(*held)
    for derived in (
        delete(ExampleRevision).where(ExampleRevision.example_id.in_(of_them)),
        delete(StoredAssertion).where(StoredAssertion.example_id.in_(of_them)),
        delete(ImportedExample).where(ImportedExample.example_id.in_(of_them)),
    ):
        session.execute(derived, execution_options={"synchronize_session": False})
    nothing: dict[str, Any] = dict.fromkeys(
        (*TEXTS, "status_reason", "findings", "quality_score", "output_verdict", "tool_name")
    )
    session.execute(
        update(TrainingExample)
        .where(*held)
        .values(**nothing, status=status, revision=TrainingExample.revision + 1, updated_at=now),
        execution_options={"synchronize_session": False},
    )


def find_leaking(session: TenantSession, actor: Actor, example_id: str) -> TrainingExample:
    """An example that somebody who may see it reports: an author of its skill, or whom it was captured from."""
    own = TrainingExample.id == example_id, TrainingExample.user_id == actor.person_id
    captured = session.scalar(select(TrainingExample).where(*own)) if is_id(example_id) else None
    if captured is not None and captured.source == "usage_capture":
        actor.need("me")
        example = captured
    else:
        actor.need("review")
        example, _ = find_example(session, actor, example_id)
    if example.example_input is None:
        raise StaleRevision(current={"status": example.status})
    return example


def erase_leaking(session: TenantSession, example: TrainingExample, now: datetime) -> list[TrainingExample]:
    """Null the texts of an example and of its copies: those of the skill with the same input and output."""
    same: list[ColumnElement[bool]] = [
        TrainingExample.skill_id == example.skill_id,
        TrainingExample.example_input == example.example_input,
        TrainingExample.example_output == example.example_output,
    ]
    copies = list(session.scalars(select(TrainingExample).where(*same).order_by(TrainingExample.id)))
    _end(session, [TrainingExample.id.in_([copy.id for copy in copies])], "withdrawn", now)
    return copies


def open_incident(
    session: TenantSession, actor: Actor, example: TrainingExample, *, erased: int, now: datetime
) -> Incident:
    """Keep that a leak was reported, for the admins."""
    incident = Incident(
        id=new_id(),
        example_id=example.id,
        skill_id=example.skill_id,
        source=example.source or "",
        sanitizer_version=example.sanitizer_version,
        erased_examples=erased,
        reported_by=actor.person_id,
        reported_at=now,
    )
    session.add(incident)
    session.record(
        "incident",
        at=now,
        people={"actor": actor.person_id},
        incident=incident.id,
        example=example.id,
        sanitizer_version=example.sanitizer_version,
        erased=erased,
    )
    return incident


def incidents(session: TenantSession, actor: Actor) -> list[Incident]:
    """The reported leaks of the tenant, newest first; for its admins."""
    actor.need_admin()
    return list(session.scalars(select(Incident).order_by(Incident.reported_at.desc(), Incident.id.desc())))


def count_held(session: TenantSession, person_id: str) -> dict[str, int]:
    """How many examples captured from a person still have their text, by skill."""
    held = (
        TrainingExample.user_id == person_id,
        TrainingExample.source == "usage_capture",
        TrainingExample.example_input.is_not(None),
    )
    rows = select(TrainingExample.skill_id, func.count()).where(*held).group_by(TrainingExample.skill_id)
    return {row[0]: row[1] for row in session.execute(rows)}


def captured_from(session: TenantSession, person_id: str) -> list[TrainingExample]:
    """Every example captured from a person, newest first; withdrawn ones too, which have no text."""
    rows = select(TrainingExample).where(
        TrainingExample.user_id == person_id, TrainingExample.source == "usage_capture"
    )
    return list(session.scalars(rows.order_by(TrainingExample.created_at.desc(), TrainingExample.id.desc())))
