"""Storing reported uses: the event, its measurement, the decision and the example, in one transaction."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from goldvein.capture.formats import CapturedUse
from goldvein.capture.outcomes import Capture, CaptureOutcome, Recorded
from goldvein.capture.prices import PRICES_AS_OF, estimate_cost
from goldvein.capture.tables import HookTurn, TokenMeasurement, UsageEvent
from goldvein.consent import service as consent
from goldvein.consent.decision import Decision, Use
from goldvein.db.ids import new_id
from goldvein.db.session import Database, TenantSession, lock_consent
from goldvein.errors import EventConflict, GoldveinError, InvalidField
from goldvein.examples import service as examples
from goldvein.identity import service as identity
from goldvein.identity.actor import Reporter
from goldvein.identity.server_key import ServerKey
from goldvein.policy import service as policy
from goldvein.sanitizer import ExtraRules, Sanitized, SanitizerFailed, TextTooLong, sanitize_many, sanitize_text
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill

log = structlog.get_logger()

HOOK_TURN_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One use as it arrived, with who reported it and through which door."""

    reporter: Reporter
    use: CapturedUse
    door: str
    received_at: datetime
    opted_out: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prepared:
    """What is known before the storing transaction: the sanitized texts, or why there are none."""

    texts: tuple[Sanitized, Sanitized] | None
    otherwise: Capture


def record_use(database: Database, server_key: ServerKey, report: Report, *, names: bool = False) -> Recorded:
    """Store one use and answer what became of it; when this returns, it is on disk.

    `names`: the sanitizer also looks for people's names and street addresses.

    1. Names that look like secrets are refused. 2. Outside of any lock: if consent, as it stands, does not already
    say no, the snippets are sanitized; a failing sanitizer drops them. 3. In one transaction: the duplicate is found,
    the consent is locked and decided on again, and event, measurement and example are stored together.
    """
    use = report.use
    _need_clean_names(
        tool_name=use.tool_name, hook_event=use.hook_event, session_id=use.session_id, model_name=use.model_name
    )
    try:
        prepared = _prepare(database, report, names=names)
        return _commit(database, server_key, report, prepared)
    except GoldveinError:
        raise
    except Exception:  # a bug in capturing costs the capture, never the event
        log.exception("capture_failed", door=report.door)
    return _commit(database, server_key, report, _without_texts("failed", "internal_error"))


def _commit(database: Database, server_key: ServerKey, report: Report, prepared: _Prepared) -> Recorded:
    try:
        with database.write(report.reporter.tenant_id) as session:
            return _store(session, server_key, report, prepared)
    except IntegrityError:
        # The same event, reported twice at once: the other one has committed, so this one is now a duplicate.
        with database.write(report.reporter.tenant_id) as session:
            return _store(session, server_key, report, prepared)


def _without_texts(outcome: CaptureOutcome, reason: str | None) -> _Prepared:
    return _Prepared(texts=None, otherwise=Capture(outcome=outcome, reason=reason))


def _need_clean_names(**names: str | None) -> None:
    for name, value in names.items():
        if value is not None and not _is_clean(value):
            raise InvalidField(field=name, reason="looks like a secret or personal data; send a plain name")


@lru_cache(maxsize=4096)  # tools, models and sessions repeat, so that the hot path does not pay for this
def _is_clean(name: str) -> bool:
    return sanitize_text(name) == name


def _prepare(database: Database, report: Report, *, names: bool) -> _Prepared:
    use = report.use
    if use.dropped_oversize:
        return _without_texts("none", "oversize_snippet")
    if not use.tool_input_snippet or not use.tool_output_snippet:
        return _without_texts("none", "no_snippets")
    with database.read(report.reporter.tenant_id) as session:
        skill = skills.find_skill(session, use.skill or "")
        expected = _decide(session, report, skill)
        if not expected.allowed:
            return _without_texts("denied", expected.reason)
        try:
            extra_rules = policy.rules_in_force(session)
        except SanitizerFailed:
            return _without_texts("failed", "sanitizer_failed")
    return _sanitized(use.tool_input_snippet, use.tool_output_snippet, extra_rules, names=names)


def _sanitized(tool_input: str, tool_output: str, extra_rules: ExtraRules, *, names: bool) -> _Prepared:
    try:
        first, second = sanitize_many([tool_input, tool_output], extra_rules, names=names)
    except TextTooLong:
        return _without_texts("failed", "text_too_long")
    except SanitizerFailed:
        return _without_texts("failed", "sanitizer_failed")
    return _Prepared(texts=(first, second), otherwise=Capture(outcome="captured"))


def _decide(session: TenantSession, report: Report, skill: Skill) -> Decision:
    reporter = report.reporter
    use = Use(
        person_id=reporter.person_id,
        named_person_matches=_names_reporter(session, report),
        skill_id=skill.id,
        opted_out=report.opted_out,
        at=report.received_at,
    )
    return consent.decide(session, use)


def _names_reporter(session: TenantSession, report: Report) -> bool:
    """Whether the payload names nobody, or the owner of the key (by id or address)."""
    named, person_id = report.use.user_id, report.reporter.person_id
    if named is None or named == person_id:
        return True
    return person_id is not None and named.lower() == identity.person_of(session, person_id).email


def _store(session: TenantSession, server_key: ServerKey, report: Report, prepared: _Prepared) -> Recorded:
    lock_consent(session, exclusive=False)
    use, reporter = report.use, report.reporter
    skill = skills.find_skill(session, use.skill or "")
    first = _first_report(session, server_key, report)
    if first is not None:
        body = fingerprint(report, skill.id, with_texts=first.capture_outcome == "captured")
        if first.body_hash is not None and not server_key.recognises(first.body_hash, "event-body", body):
            raise EventConflict
        return _recorded(first, outcome="duplicate")
    decision = _decide(session, report, skill) if prepared.texts is not None else None
    capture = _capture_of(prepared, decision)
    body = fingerprint(report, skill.id, with_texts=capture.outcome == "captured")
    version = skills.find_version(session, skill.id, use.skill_digest) if use.skill_digest else None
    event = UsageEvent(
        id=new_id(),
        skill_id=skill.id,
        person_id=reporter.person_id,
        key_id=reporter.key_id,
        reporter_id=reporter.reporter_id,
        event_hash=_event_hash(server_key, report) if use.event_id else None,
        body_hash=server_key.digest("event-body", body) if use.event_id else None,
        door=report.door,
        tool_name=use.tool_name,
        hook_event=use.hook_event,
        session_id=use.session_id,
        skill_version_id=version.id if version else None,
        skill_digest=use.skill_digest,
        latency_ms=use.latency_ms,
        capture_outcome=capture.outcome,
        capture_reason=capture.reason,
        occurred_at=use.occurred_at,
        received_at=report.received_at,
    )
    session.add(event)
    session.flush()
    _store_measurement(session, event, use)
    if capture.outcome != "captured":
        return _recorded(event, outcome="stored")
    assert prepared.texts is not None  # noqa: S101 (captured needs both)
    assert decision is not None  # noqa: S101
    assert reporter.person_id is not None  # noqa: S101
    example = examples.store_captured(
        session,
        decision=decision,
        skill_id=skill.id,
        person_id=reporter.person_id,
        usage_event_id=event.id,
        tool_name=use.tool_name,
        skill_version_id=event.skill_version_id,
        skill_digest=use.skill_digest,
        texts=prepared.texts,
        now=report.received_at,
    )
    session.flush()
    return _recorded(event, outcome="stored", findings=example.findings)


def _capture_of(prepared: _Prepared, decision: Decision | None) -> Capture:
    if decision is None:
        return prepared.otherwise
    if not decision.allowed:
        return Capture(outcome="denied", reason=decision.reason)
    return Capture(outcome="captured")


def _recorded(event: UsageEvent, *, outcome: str, findings: dict[str, int] | None = None) -> Recorded:
    capture = Capture(outcome=event.capture_outcome, reason=event.capture_reason)  # type: ignore[arg-type]  # CHECKed
    return Recorded(usage_event_id=event.id, outcome=outcome, capture=capture, findings=findings or {})  # type: ignore[arg-type]


def fingerprint(report: Report, skill_id: str, *, with_texts: bool) -> bytes:
    """What makes two reports of one event_id the same: all that the client said, and not when the server heard it.

    The snippets count only when they were captured: of a use that was not, nothing is kept that depends on its text.

    A hook's event carries no time of its own (its `occurred_at` is the time of receipt), so there it does not count.
    """
    use = report.use
    said = {name: getattr(use, name) for name in use.__struct_fields__ if name not in {"skill", "occurred_at"}}
    if not with_texts:
        said |= {"tool_input_snippet": None, "tool_output_snippet": None, "replaced_nuls": 0, "dropped_oversize": False}
    said |= {"skill_id": skill_id, "ts": use.occurred_at.isoformat() if report.door == "track" else None}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


def _event_hash(server_key: ServerKey, report: Report) -> bytes:
    return server_key.digest("event-id", report.reporter.reporter_id, report.use.event_id or "")


def _first_report(session: TenantSession, server_key: ServerKey, report: Report) -> UsageEvent | None:
    if not report.use.event_id:
        return None
    hashes = server_key.digests("event-id", report.reporter.reporter_id, report.use.event_id)
    same = UsageEvent.reporter_id == report.reporter.reporter_id, UsageEvent.event_hash.in_(hashes)
    return session.scalar(select(UsageEvent).where(*same))


def _store_measurement(session: TenantSession, event: UsageEvent, use: CapturedUse) -> None:
    if use.model_name is None or (use.input_tokens is None and use.output_tokens is None):
        return
    cost = estimate_cost(use.model_name, use.input_tokens, use.output_tokens)
    session.add(
        TokenMeasurement(
            usage_event_id=event.id,
            model_name=use.model_name,
            input_tokens=use.input_tokens,
            output_tokens=use.output_tokens,
            estimated_cost_usd=cost,
            prices_as_of=PRICES_AS_OF if cost is not None else None,
        )
    )


def forget_bodies(session: TenantSession, person_id: str, event_ids: list[str] | None = None) -> None:
    """Null the keyed hashes of what a person sent, in all their events or in these; part of a withdrawal."""
    own = [UsageEvent.person_id == person_id, UsageEvent.body_hash.is_not(None)]
    if event_ids is not None:
        own.append(UsageEvent.id.in_(event_ids))
    session.execute(update(UsageEvent).where(*own).values(body_hash=None))


def count_events(session: TenantSession, skill_id: str) -> int:
    """How many uses of a skill were reported."""
    return session.scalar(select(func.count()).select_from(UsageEvent).where(UsageEvent.skill_id == skill_id)) or 0


def remember_turn(
    database: Database, reporter: Reporter, *, session_id: str, prompt_id: str, skill_id: str, now: datetime
) -> None:
    """Remember which skill is at work in this turn; forget turns older than a day."""
    _need_clean_names(session_id=session_id, prompt_id=prompt_id)
    own = {"session_id": session_id, "prompt_id": prompt_id}
    try:
        with database.write(reporter.tenant_id) as session:
            _remember_turn(session, reporter, **own, skill_id=skill_id, now=now)
    except IntegrityError:  # parallel calls of one turn: the other one has committed, so this one updates its row
        with database.write(reporter.tenant_id) as session:
            _remember_turn(session, reporter, **own, skill_id=skill_id, now=now)


def _remember_turn(
    session: TenantSession, reporter: Reporter, *, session_id: str, prompt_id: str, skill_id: str, now: datetime
) -> None:
    session.execute(delete(HookTurn).where(HookTurn.seen_at < now - HOOK_TURN_LIFETIME))
    turn = find_turn(session, reporter, session_id=session_id, prompt_id=prompt_id, now=now)
    if turn is None:
        own = {"reporter_id": reporter.reporter_id, "session_id": session_id, "prompt_id": prompt_id}
        session.add(HookTurn(**own, skill_id=skill_id, seen_at=now))
    else:
        turn.skill_id, turn.seen_at = skill_id, now


def find_turn(
    session: TenantSession, reporter: Reporter, *, session_id: str, prompt_id: str, now: datetime
) -> HookTurn | None:
    """What was remembered of a turn within the last day."""
    own = _of_turn(reporter, session_id, prompt_id)
    return session.scalar(select(HookTurn).where(*own, HookTurn.seen_at >= now - HOOK_TURN_LIFETIME))


def forget_turn(session: TenantSession, reporter: Reporter, *, session_id: str, prompt_id: str) -> None:
    """Forget which skill was at work in a turn: it has ended, or another skill has taken over."""
    session.execute(delete(HookTurn).where(*_of_turn(reporter, session_id, prompt_id)))


def _of_turn(reporter: Reporter, session_id: str, prompt_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        HookTurn.reporter_id == reporter.reporter_id,
        HookTurn.session_id == session_id,
        HookTurn.prompt_id == prompt_id,
    )
