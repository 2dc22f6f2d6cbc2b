"""Storing a batch of uses: duplicates, the consent decision, quotas, and all rows of it in one transaction.

Everything here runs in the writer's thread, for one tenant at a time. Whatever a bug does to the capture of a use, the
use itself is stored: as `failed(internal_error)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain

import msgspec
import structlog
from sqlalchemy import bindparam, select

from goldvein.capture.outcomes import Capture, Recorded
from goldvein.capture.prices import PRICES_AS_OF, estimate_cost
from goldvein.capture.tables import KnownEvent, TokenMeasurement, UsageEvent
from goldvein.capture.uses import Prepared, Report
from goldvein.consent import decision, ledger
from goldvein.consent import service as consent
from goldvein.db.batch import BulkInsert, Query, Row, Transaction
from goldvein.db.ids import is_id
from goldvein.errors import EventConflict, NotFound
from goldvein.examples import service as examples
from goldvein.examples.findings import count_findings
from goldvein.identity.server_key import ServerKey
from goldvein.policy import service as policy
from goldvein.sanitizer import EXTRA_RULE, NAMES_MARK, Sanitized
from goldvein.skills import service as skills

log = structlog.get_logger()

QUOTA_WINDOW = timedelta(days=1)

Outcome = Recorded | Exception
"""What became of one use: recorded, or the error it is answered with."""

_EVENTS = BulkInsert(
    UsageEvent.__table__,
    "id",
    "skill_id",
    "person_id",
    "key_id",
    "reporter_id",
    "door",
    "tool_name",
    "hook_event",
    "session_id",
    "skill_version_id",
    "skill_digest",
    "latency_ms",
    "capture_outcome",
    "capture_reason",
    "occurred_at",
    "received_at",
)
_MEASUREMENTS = BulkInsert(
    TokenMeasurement.__table__,
    "usage_event_id",
    "model_name",
    "input_tokens",
    "output_tokens",
    "estimated_cost_usd",
    "prices_as_of",
)
_KNOWN = BulkInsert(
    KnownEvent.__table__,
    "event_hash",
    "usage_event_id",
    "person_id",
    "body_hash",
    "capture_outcome",
    "capture_reason",
    "received_at",
)
_known, _events = KnownEvent.__table__.c, UsageEvent.__table__.c
_FIND_KNOWN = Query(
    select(
        _known.event_hash, _known.usage_event_id, _known.body_hash, _known.capture_outcome, _known.capture_reason
    ).where(_known.event_hash.in_(bindparam("hashes", expanding=True)))
)
_FIND_STORED = Query(
    select(_events.id, _events.capture_outcome, _events.capture_reason).where(
        _events.id.in_(bindparam("ids", expanding=True))
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotas:
    """How much is captured at most; 0 is no limit."""

    pending_per_skill: int
    per_person_day: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _First:
    """The first report of an event_id, and how it was answered."""

    usage_event_id: str
    body_hash: bytes | None
    capture: Capture


@dataclass(kw_only=True, slots=True)
class _Room:
    """How many captures the quotas still allow, counted down within the batch; None: no limit."""

    in_skill: dict[str, int] | None
    of_person: dict[tuple[str, str], int] | None

    def take(self, skill_id: str, person_id: str) -> bool:
        """Take one place, if there is one under both quotas."""
        in_skill = 1 if self.in_skill is None else self.in_skill.get(skill_id, 0)
        of_person = 1 if self.of_person is None else self.of_person.get((skill_id, person_id), 0)
        if in_skill < 1 or of_person < 1:
            return False
        if self.in_skill is not None:
            self.in_skill[skill_id] = in_skill - 1
        if self.of_person is not None:
            self.of_person[skill_id, person_id] = of_person - 1
        return True


@dataclass(kw_only=True, slots=True)
class _Rows:
    """The new rows of one tenant. Examples stand by their person: what is said of a person and batch is said once."""

    events: list[Row] = field(default_factory=list)
    measurements: list[Row] = field(default_factory=list)
    known: list[Row] = field(default_factory=list)
    examples: dict[str, list[Row]] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class _Tenant:
    """One tenant's part of a batch: what the transaction read, and the rows it will write."""

    server_key: ServerKey
    skills: dict[str, str]
    versions: dict[tuple[str, str], str]
    known: dict[bytes, _First]
    switch: consent.InForce | None
    consents: dict[str, consent.InForce]
    room: _Room
    sanitizer_version: str | None
    rows: _Rows = field(default_factory=_Rows)

    def store(self, use: Prepared) -> Recorded:
        """Add the rows of one use; raises NotFound and EventConflict, and adds nothing then."""
        skill_id = self.skills.get(use.report.use.skill or "")
        if skill_id is None:
            raise NotFound(what="skill")
        first = next((self.known[name] for name in use.event_hashes if name in self.known), None)
        if first is not None:
            return self._repeated(use, first, skill_id)
        capture, example = self._decide(use, skill_id)
        self._add(use, skill_id, capture)
        findings: dict[str, int] = {}
        if example is not None and use.report.reporter.person_id is not None and use.texts is not None:
            self.rows.examples.setdefault(use.report.reporter.person_id, []).append(example)
            findings = _nameless(count_findings(use.texts), use.texts)
        return Recorded(usage_event_id=use.usage_event_id, outcome="stored", capture=capture, findings=findings)

    def _repeated(self, use: Prepared, first: _First, skill_id: str) -> Recorded:
        if first.usage_event_id == use.usage_event_id:  # our own, of a commit whose outcome was unknown
            return Recorded(usage_event_id=first.usage_event_id, outcome="stored", capture=first.capture)
        if first.body_hash is not None:
            body = fingerprint(use.report, skill_id, with_texts=first.capture.outcome == "captured")
            if not self.server_key.recognises(first.body_hash, "event-body", body):
                raise EventConflict
        return Recorded(usage_event_id=first.usage_event_id, outcome="duplicate", capture=first.capture)

    def _decide(self, use: Prepared, skill_id: str) -> tuple[Capture, Row | None]:
        if use.texts is None:
            return use.otherwise, None
        try:
            return self._capture(use, use.texts, skill_id)
        except Exception:  # a bug in capturing costs the capture, never the event
            log.exception("capture_failed", door=use.report.door)
            return Capture(outcome="failed", reason="internal_error"), None

    def _capture(self, use: Prepared, texts: tuple[Sanitized, Sanitized], skill_id: str) -> tuple[Capture, Row | None]:
        report, person_id = use.report, use.report.reporter.person_id
        decided = decision.decide(
            switch=self.switch,
            consent=self.consents.get(person_id) if person_id is not None else None,
            use=asked(report, skill_id, names_reporter=use.names_reporter),
        )
        if not decided.allowed or person_id is None:
            return Capture(outcome="denied", reason=decided.reason), None
        if texts[0].version.partition(NAMES_MARK)[0] != self.sanitizer_version:
            # The tenant's rules have changed since: what a new rule has not read is not stored.
            return Capture(outcome="failed", reason="sanitizer_failed"), None
        said = report.use
        row = examples.captured_row(
            decision=decided,
            skill_id=skill_id,
            person_id=person_id,
            usage_event_id=use.usage_event_id,
            tool_name=said.tool_name,
            skill_version_id=self._version(report, skill_id),
            skill_digest=said.skill_digest,
            texts=texts,
            now=report.received_at,
        )
        if not self.room.take(skill_id, person_id):
            return Capture(outcome="none", reason="quota"), None
        return Capture(outcome="captured"), row

    def _version(self, report: Report, skill_id: str) -> str | None:
        digest = report.use.skill_digest
        return self.versions.get((skill_id, digest)) if digest else None

    def _add(self, use: Prepared, skill_id: str, capture: Capture) -> None:
        report, said, reporter = use.report, use.report.use, use.report.reporter
        self.rows.events.append(
            (
                use.usage_event_id,
                skill_id,
                reporter.person_id,
                reporter.key_id,
                reporter.reporter_id,
                report.door,
                said.tool_name,
                said.hook_event,
                said.session_id,
                self._version(report, skill_id),
                said.skill_digest,
                said.latency_ms,
                capture.outcome,
                capture.reason,
                said.occurred_at,
                report.received_at,
            )
        )
        if said.model_name is not None and (said.input_tokens is not None or said.output_tokens is not None):
            cost = estimate_cost(said.model_name, said.input_tokens, said.output_tokens)
            as_of = PRICES_AS_OF if cost is not None else None
            self.rows.measurements.append(
                (use.usage_event_id, said.model_name, said.input_tokens, said.output_tokens, cost, as_of)
            )
        if use.event_hashes:
            body = fingerprint(report, skill_id, with_texts=capture.outcome == "captured")
            body_hash = self.server_key.digest("event-body", body)
            first = _First(usage_event_id=use.usage_event_id, body_hash=body_hash, capture=capture)
            self.known.update(dict.fromkeys(use.event_hashes, first))
            self.rows.known.append(
                (
                    use.event_hashes[0],
                    use.usage_event_id,
                    reporter.person_id,
                    body_hash,
                    capture.outcome,
                    capture.reason,
                    report.received_at,
                )
            )


def _nameless(findings: dict[str, int], texts: Sequence[Sanitized]) -> dict[str, int]:
    """The counts without the types that a tenant made up: a metric is no place for its words, nor for ever more."""
    own = {found.type for text in texts for found in text.findings if found.rule == EXTRA_RULE}
    if not own:
        return findings
    ours = {kind: number for kind, number in findings.items() if kind not in own}
    return {**ours, EXTRA_RULE: sum(findings[kind] for kind in own)}


def store_uses(
    transaction: Transaction, server_key: ServerKey, quotas: Quotas, tenant_id: str, uses: Sequence[Prepared]
) -> list[Outcome]:
    """Store the uses of one tenant; what became of each, in order, once the transaction has committed.

    1. The tenant is entered, which holds its consent. 2. Skills, versions and known events are read, and where there
    are texts, the consent and how much room the quotas leave. 3. Each use is decided on by itself. 4. All new rows are
    inserted, known events in the order of their hashes, so that two writers never wait for each other in a circle.
    5. The ledger keeps what was captured: last, since its end is held until the commit.
    """
    transaction.enter(tenant_id)
    tenant = _read(transaction, server_key, quotas, uses)
    outcomes: list[Outcome] = []
    for use in uses:
        try:
            outcomes.append(tenant.store(use))
        except (NotFound, EventConflict) as error:
            outcomes.append(error)
    rows = tenant.rows
    transaction.insert(_EVENTS, rows.events)
    transaction.insert(_MEASUREMENTS, rows.measurements)
    transaction.insert(_KNOWN, sorted(rows.known))
    transaction.insert(examples.CAPTURED, list(chain.from_iterable(rows.examples.values())))
    facts = [examples.captured_fact(person_id, captured) for person_id, captured in rows.examples.items()]
    ledger.append_in_batch(transaction, tenant_id, facts)
    return outcomes


def _read(transaction: Transaction, server_key: ServerKey, quotas: Quotas, uses: Sequence[Prepared]) -> _Tenant:
    names = {use.report.use.skill or "" for use in uses}
    ids = [name for name in names if is_id(name)]
    digests = {use.report.use.skill_digest for use in uses} - {None}
    hashes = [name for use in uses for name in use.event_hashes]
    by_slug, by_id, versions, known = transaction.read(
        (skills.BY_SLUG, {"slugs": sorted(names.difference(ids))}),
        (skills.BY_ID, {"ids": ids}),
        (skills.BY_DIGEST, {"digests": sorted(digests, key=str)}),
        (_FIND_KNOWN, {"hashes": hashes}),
    )
    skill_ids: dict[str, str] = dict([*by_slug, *by_id])
    with_texts = [use for use in uses if use.texts is not None]
    people = sorted({use.report.reporter.person_id for use in with_texts if use.report.reporter.person_id is not None})
    switch: consent.InForce | None = None
    consents: dict[str, consent.InForce] = {}
    room = _Room(in_skill=None, of_person=None)
    sanitizer_version: str | None = None
    if people:
        wanted = sorted({skill_ids[name] for use in with_texts if (name := use.report.use.skill or "") in skill_ids})
        switch, consents = consent.in_force(transaction, people)
        sanitizer_version = policy.version_in_force(transaction)
        room = _room(transaction, quotas, wanted, people, with_texts)
    return _Tenant(
        server_key=server_key,
        skills=skill_ids,
        versions={(skill_id, digest): version_id for skill_id, digest, version_id in versions},
        known={row[0]: _first(row) for row in known},
        switch=switch,
        consents=consents,
        room=room,
        sanitizer_version=sanitizer_version,
    )


def _first(row: Row) -> _First:
    _, usage_event_id, body_hash, outcome, reason = row
    return _First(usage_event_id=usage_event_id, body_hash=body_hash, capture=Capture(outcome=outcome, reason=reason))


def _room(
    transaction: Transaction,
    quotas: Quotas,
    skill_ids: Sequence[str],
    people: Sequence[str],
    uses: Sequence[Prepared],
) -> _Room:
    """Count what there is. Processes that capture for one skill do so one after the other, or they would overbook."""
    if not skill_ids or not (quotas.pending_per_skill or quotas.per_person_day):
        return _Room(in_skill=None, of_person=None)
    transaction.lock(*(f"quota:{skill_id}" for skill_id in skill_ids))
    since = min(use.report.received_at for use in uses) - QUOTA_WINDOW
    pending, of_day = examples.count_captured(transaction, skill_ids=skill_ids, people=people, since=since)
    in_skill = {skill_id: quotas.pending_per_skill - pending.get(skill_id, 0) for skill_id in skill_ids}
    pairs = [(skill_id, person_id) for skill_id in skill_ids for person_id in people]
    of_person = {pair: quotas.per_person_day - of_day.get(pair, 0) for pair in pairs}
    return _Room(
        in_skill=in_skill if quotas.pending_per_skill else None, of_person=of_person if quotas.per_person_day else None
    )


def find_stored(transaction: Transaction, tenant_id: str, uses: Sequence[Prepared]) -> dict[str, Recorded]:
    """Which of these uses the store holds, by the ids that we gave them: after a commit of unknown outcome."""
    transaction.enter(tenant_id)
    (found,) = transaction.read((_FIND_STORED, {"ids": [use.usage_event_id for use in uses]}))
    return {
        event_id: Recorded(usage_event_id=event_id, outcome="stored", capture=Capture(outcome=outcome, reason=reason))
        for event_id, outcome, reason in found
    }


def asked(report: Report, skill_id: str, *, names_reporter: bool) -> decision.Use:
    """What the consent decision is asked about this use."""
    return decision.Use(
        person_id=report.reporter.person_id,
        named_person_matches=names_reporter,
        skill_id=skill_id,
        opted_out=report.opted_out,
        at=report.received_at,
    )


def fingerprint(report: Report, skill_id: str, *, with_texts: bool) -> bytes:
    """What makes two reports of one event_id the same: all that the client said, and not when the server heard it.

    The snippets count only when they were captured: of a use that was not, nothing is kept that depends on its text.

    A hook's event carries no time of its own (its `occurred_at` is the time of receipt), so there it does not count.
    """
    said = msgspec.structs.replace(report.use, skill=skill_id)
    if not with_texts:
        said = msgspec.structs.replace(
            said, tool_input_snippet=None, tool_output_snippet=None, replaced_nuls=0, dropped_oversize=False
        )
    ts = said.occurred_at if report.door == "track" else None
    fields = msgspec.structs.asdict(said) | {"occurred_at": ts}
    return msgspec.json.encode(fields)


def event_hashes(server_key: ServerKey, report: Report) -> tuple[bytes, ...]:
    """Under which keyed hashes this event_id may be known, the one in use first; none without an event_id."""
    event_id = report.use.event_id
    if not event_id:
        return ()
    return tuple(server_key.digests("event-id", report.reporter.reporter_id, event_id))
