"""The auditor's report: what the store and its ledger say of a period, in sections of plain tables.

Nothing here holds a name or a text of anybody: people stand as the commitments of the ledger, and a count of people
under five is only said to be that.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import func, select

from goldvein.capture.tables import RetentionCount, UsageEvent
from goldvein.consent import ledger, notices
from goldvein.consent import service as consent
from goldvein.consent.decision import PURPOSES, is_in_force
from goldvein.db.session import TenantSession
from goldvein.examples.proof import Proof, prove
from goldvein.examples.tables import Incident
from goldvein.feedback.tables import TrainingExample
from goldvein.identity import service as identity
from goldvein.identity.actor import Actor
from goldvein.identity.server_key import ServerKey
from goldvein.sanitizer import SANITIZER_VERSION
from goldvein.webhooks.tables import WebhookDelivery

FEWEST: Final = 5
"""A smaller count of people would point at them."""

Cell = str | int
_ENDS: Final = ("withdrawn", "revoked")
_CAUSES_OF_ENDS: Final = ("withdrawn", "revoked", "account_deleted", "account_erased")


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """From this moment on, and before that one; UTC."""

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a moment is in it."""
        return self.start <= at < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One table of the report, with what it says and the command that makes its numbers again."""

    name: str
    title: str
    about: str
    command: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All of it. `checkpoint` is the signed state of the ledger that it was made from."""

    tenant_id: str
    tenant_name: str
    period: Period
    made_at: datetime
    version: str
    checkpoint: dict[str, Any]
    public_keys: dict[str, str]
    sections: list[Section]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """What the sections are made from, read once."""

    session: TenantSession
    period: Period
    now: datetime
    entries: list[dict[str, Any]]
    """Those of the ledger in the period."""
    proof: Proof

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """The entries of these kinds."""
        return [entry for entry in self.entries if entry["kind"] in kinds]


def make_report(
    session: TenantSession, server_key: ServerKey, actor: Actor, *, period: Period, now: datetime, version: str
) -> Report:
    """Report on a period; for an admin of the tenant."""
    actor.need_admin()
    tenant = identity.tenant_of(session)
    source = _Source(
        session=session, period=period, now=now, entries=list(_entries(session, period)), proof=prove(session)
    )
    checkpoint, _ = ledger.checkpoint(session, server_key, now)
    return Report(
        tenant_id=tenant.id,
        tenant_name=tenant.name,
        period=period,
        made_at=now,
        version=version,
        checkpoint=checkpoint,
        public_keys=ledger.public_keys(server_key),
        sections=[make(source) for make in SECTIONS],
    )


def _entries(session: TenantSession, period: Period) -> Iterable[dict[str, Any]]:
    for row in ledger.every_entry(session):
        entry = ledger.said_by(row)
        if period.holds(datetime.fromisoformat(entry["at"])):
            yield entry


def masked(count: int) -> Cell:
    """A count of people as it may be told."""
    return count if count == 0 or count >= FEWEST else f"<{FEWEST}"


def _counted(counts: Mapping[str, int]) -> list[tuple[Cell, ...]]:
    return [(name, count) for name, count in sorted(counts.items())]


# The sections


def _summary(source: _Source) -> Section:
    captured = sum(len(ids) for entry in source.of_kind("captured") for ids in entry["examples"].values())
    erased = sum(entry["count"] for entry in source.of_kind("erased"))
    return Section(
        name="summary",
        title="In short",
        about="Captured and erased examples of the period, by the ledger, and what did not hold.",
        command="goldvein verify ledger; goldvein consent replay",
        columns=("figure", "count"),
        rows=[
            ("examples captured", captured),
            ("examples erased", erased),
            ("withdrawals and revocations", sum(entry["action"] in _ENDS for entry in source.of_kind("consent"))),
            ("exports", len(source.of_kind("exported"))),
            ("reported leaks", len(source.of_kind("incident"))),
            ("captures that consent does not carry", len(source.proof.unproved)),
        ],
    )


def _notices(source: _Source) -> Section:
    rows = [
        (ledger.timestamp(row.published_at), row.language, row.edition, ", ".join(row.purposes), row.version)
        for row in notices.publications(source.session)
        if row.published_at < source.period.end
    ]
    in_force = [
        ("in force now", notice.language, notice.edition, ", ".join(notice.purposes), notice.version)
        for notice in notices.notices_in_force(source.session)
    ]
    return Section(
        name="notices",
        title="Notices",
        about="The texts consent was asked with, by the sha256 of each; a higher edition asks for more than before.",
        command="goldvein consent notice list; goldvein consent notice show --version VERSION",
        columns=("when", "language", "edition", "purposes", "version"),
        rows=[*in_force, *rows],
    )


def _switch(source: _Source) -> Section:
    return Section(
        name="switch",
        title="The organisation's switch",
        about="Capture needs it on. Each change, with the entry of the ledger that keeps it.",
        command="goldvein verify ledger --save ledger.jsonl",
        columns=("entry", "when", "action", "channel", "by"),
        rows=[
            (entry["seq"], entry["at"], entry["action"], entry["channel"], _who(entry, "actor"))
            for entry in source.of_kind("consent")
            if entry["subject"] == "tenant"
        ],
    )


def _who(entry: Mapping[str, Any], role: str) -> str:
    """The beginning of a commitment: enough to see who is the same."""
    return (entry.get(role) or "")[:12]


def _consents(source: _Source) -> Section:
    edition = notices.edition_in_force(source.session)
    latest = [event for event in consent.latest_events(source.session) if is_in_force(event, source.now, edition)]
    rows: list[tuple[Cell, ...]] = [("people who consent now", masked(len(latest)))]
    for purpose in PURPOSES:
        held = sum(purpose in event.purposes for event in latest)
        rows.append((f"people who consent now, {purpose}", masked(held)))
    actions = Counter(entry["action"] for entry in source.of_kind("consent") if entry["subject"] == "person")
    rows += [(f"choices in the period, {action}", masked(count)) for action, count in sorted(actions.items())]
    shown = len(source.of_kind("requested"))
    rows.append(("people shown a notice in the period", masked(shown)))
    return Section(
        name="consents",
        title="Consents",
        about="How many people consent, and what was chosen. Counts of people under five are not told.",
        command="goldvein verify ledger --save ledger.jsonl",
        columns=("figure", "people"),
        rows=rows,
    )


def _outcomes(source: _Source) -> Section:
    here = UsageEvent.received_at >= source.period.start, UsageEvent.received_at < source.period.end
    counted = select(UsageEvent.capture_outcome, UsageEvent.capture_reason, func.count()).where(*here)
    found = source.session.execute(counted.group_by(UsageEvent.capture_outcome, UsageEvent.capture_reason)).all()
    rows: list[tuple[Cell, ...]] = sorted((row[0], row[1] or "", row[2]) for row in found)
    rows.append(("stored", "the sum of these", sum(row[2] for row in found)))
    return Section(
        name="outcomes",
        title="What became of reported uses",
        about="Every use that is still stored: captured, denied, none and failed add up to stored.",
        command="goldvein report audit --section outcomes",
        columns=("outcome", "reason", "uses"),
        rows=rows,
    )


def _replay(source: _Source) -> Section:
    proof = source.proof
    rows: list[tuple[Cell, ...]] = [
        ("captures decided again from the ledger", proof.from_ledger),
        ("captures older than the ledger, decided again from consent events", proof.older_than_ledger),
        ("that do not hold", len(proof.unproved)),
    ]
    return Section(
        name="replay",
        title="Replay of consent",
        about="For every captured example ever: did both consents hold at the moment it was captured?",
        command="goldvein consent replay",
        columns=("figure", "count"),
        rows=rows,
    )


def _withdrawals(source: _Source) -> Section:
    erased = source.of_kind("erased")
    rows: list[tuple[Cell, ...]] = [
        (entry["seq"], entry["at"], _named(entry), *_reached(entry, erased))
        for entry in source.of_kind("consent")
        if entry["subject"] == "person" and entry["action"] in _ENDS
    ]
    return Section(
        name="withdrawals",
        title="Withdrawals and revocations",
        about="Each with the examples that it erased, and the seconds between the two entries of the ledger. Erasing is"
        " part of the transaction that ends the consent. A withdrawal for a purpose erases nothing.",
        command="goldvein verify ledger --save ledger.jsonl",
        columns=("entry", "when", "action", "examples erased", "seconds to erasure"),
        rows=rows,
    )


def _named(entry: Mapping[str, Any]) -> str:
    return f"{entry['action']} in part" if entry["purposes"] else str(entry["action"])


def _reached(entry: Mapping[str, Any], erased: Iterable[Mapping[str, Any]]) -> tuple[Cell, Cell]:
    """How many examples went with the end of a consent, and when the last of them did."""
    own = [one for one in erased if one["person"] == entry["person"] and one["cause"] in _CAUSES_OF_ENDS]
    next_of_person = [one for one in own if one["seq"] > entry["seq"]]
    if not next_of_person:
        return 0, ""
    first = next_of_person[0]["at"]
    together = [one for one in next_of_person if one["at"] == first]
    waited = datetime.fromisoformat(first) - datetime.fromisoformat(entry["at"])
    return sum(one["count"] for one in together), int(waited.total_seconds())


def _erasures(source: _Source) -> Section:
    counts: Counter[str] = Counter()
    for entry in source.of_kind("erased"):
        counts[entry["cause"]] += entry["count"]
    return Section(
        name="erasures",
        title="Erased examples by cause",
        about="Captured examples that lost their text in the period.",
        command="goldvein verify ledger --save ledger.jsonl",
        columns=("cause", "examples"),
        rows=_counted(counts),
    )


def _exports(source: _Source) -> Section:
    return Section(
        name="exports",
        title="Exports",
        about="What left the organisation's store, to whom (a commitment), and the digest of its manifest.",
        command="goldvein verify ledger --save ledger.jsonl; goldvein verify export DIR",
        columns=("entry", "when", "of", "version", "format", "manifest", "recipient"),
        rows=[
            (
                entry["seq"],
                entry["at"],
                _first(entry, "dataset", "skill"),
                _first(entry, "version"),
                entry["format"],
                _first(entry, "manifest"),
                _who(entry, "recipient"),
            )
            for entry in source.of_kind("exported")
        ],
    )


def _first(entry: Mapping[str, Any], *names: str) -> str:
    return next((str(entry[name]) for name in names if entry.get(name) is not None), "")


def _versions(source: _Source) -> Section:
    return Section(
        name="versions",
        title="Dataset versions",
        about="Frozen, superseded because an example left them, and looks at a sealed holdout.",
        command="goldvein verify ledger --save ledger.jsonl",
        columns=("entry", "when", "what", "dataset", "version", "count", "cause"),
        rows=[
            (
                entry["seq"],
                entry["at"],
                entry["kind"],
                entry["dataset"],
                entry["version"],
                entry.get("rows", entry.get("count", entry.get("looks", 0))),
                _first(entry, "cause"),
            )
            for entry in source.of_kind("frozen", "superseded", "looked")
        ],
    )


def _told(source: _Source) -> Section:
    here = WebhookDelivery.created_at >= source.period.start, WebhookDelivery.created_at < source.period.end
    counted = select(WebhookDelivery.event_type, WebhookDelivery.state, func.count()).where(*here)
    found = source.session.execute(counted.group_by(WebhookDelivery.event_type, WebhookDelivery.state))
    return Section(
        name="told",
        title="Who was told of removals",
        about="Messages to the webhooks of those who downloaded a version; delivered: their server acknowledged it."
        " Whoever has no webhook polls the list of removals.",
        command="goldvein report audit --section told",
        columns=("event", "state", "messages"),
        rows=sorted((row[0], row[1], row[2]) for row in found),
    )


def _retention(source: _Source) -> Section:
    tenant = identity.tenant_of(source.session)
    days = [
        (name, "days, as the organisation chose" if kept else "the installation's default", kept or "")
        for name, kept in (
            ("unreviewed captures are kept", tenant.pending_retention_days),
            ("usage events are kept", tenant.event_retention_days),
        )
    ]
    first, last = source.period.start.date(), source.period.end.date()
    counted = select(RetentionCount.what, func.sum(RetentionCount.count)).where(
        RetentionCount.day >= first, RetentionCount.day < last
    )
    removed = source.session.execute(counted.group_by(RetentionCount.what).order_by(RetentionCount.what))
    return Section(
        name="retention",
        title="Retention",
        about="How long what is kept, and what was removed by its age in the period.",
        command="goldvein report audit --section retention",
        columns=("what", "how", "count"),
        rows=[*days, *((row[0].replace("_", " "), "in the period", int(row[1])) for row in removed)],
    )


_FIGURES: Final = ("secrets_missed_percent", "personal_missed_percent", "benign_altered_percent")


def _measured() -> list[dict[str, Any]]:
    """What `make bench-sanitizer` measured, by version of the sanitizer."""
    found: list[dict[str, Any]] = json.loads((files("goldvein.reports") / "measured.json").read_text(encoding="utf-8"))
    return found


def _sanitizer(source: _Source) -> Section:
    held = select(TrainingExample.sanitizer_version, func.count()).where(TrainingExample.example_input.is_not(None))
    counts = {row[0] or "": row[1] for row in source.session.execute(held.group_by(TrainingExample.sanitizer_version))}
    leaks = select(Incident.sanitizer_version, func.count()).group_by(Incident.sanitizer_version)
    reported = {row[0] or "": row[1] for row in source.session.execute(leaks)}
    measured = {one["version"]: one for one in _measured()}
    rows: list[tuple[Cell, ...]] = []
    for version in sorted({*counts, *reported, SANITIZER_VERSION}):
        known = measured.get(version.partition("+")[0], {})
        figures = [f"{known[name]} %" if name in known else "not measured" for name in _FIGURES]
        state = "in use" if version == SANITIZER_VERSION else ""
        rows.append((version, state, counts.get(version, 0), reported.get(version, 0), *figures))
    return Section(
        name="sanitizer",
        title="The sanitizer",
        about="Versions that stored examples were sanitized with, leaks that were reported of each, and what the"
        " project's own benchmark measured of it. After an upgrade, stored examples are read again.",
        command="make bench-sanitizer",
        columns=(
            "version",
            "state",
            "examples held",
            "leaks reported",
            "secrets missed",
            "personal missed",
            "benign altered",
        ),
        rows=rows,
    )


def _access(source: _Source) -> Section:
    return Section(
        name="access",
        title="Changes of access",
        about="Members, keys and authorship, as commitments. The same beginning is the same person.",
        command="goldvein verify ledger --save ledger.jsonl",
        columns=("entry", "when", "what", "change", "person", "by"),
        rows=[
            (entry["seq"], entry["at"], entry["kind"], entry["change"], _who(entry, "person"), _who(entry, "actor"))
            for entry in source.of_kind("member", "key", "skill", "sanitizer_rule", "dataset")
        ],
    )


def _exceptions(source: _Source) -> Section:
    rows: list[tuple[Cell, ...]] = [("replay", one.subject, one.reason) for one in source.proof.unproved]
    rows += [("reported leak", entry["example"], entry["at"]) for entry in source.of_kind("incident")]
    failed = [entry for entry in source.of_kind("rescanned") if entry["failed"]]
    rows += [("not sanitized again", str(entry["failed"]), entry["at"]) for entry in failed]
    dead = select(func.count()).select_from(WebhookDelivery).where(WebhookDelivery.state == "dead")
    if count := source.session.scalar(dead):
        rows.append(("told nobody", f"{count} messages", "given up after every retry"))
    begins = [entry for entry in source.of_kind("ledger_begins") if entry["reason"] == "upgrade"]
    rows += [("older than the ledger", str(entry["captured_examples"]), entry["at"]) for entry in begins]
    return Section(
        name="exceptions",
        title="Exceptions",
        about="Everything in this report that needs an explanation. An empty table is the good case.",
        command="goldvein consent replay; goldvein doctor",
        columns=("kind", "what", "reason or time"),
        rows=rows,
    )


SECTIONS: Final[tuple[Callable[[_Source], Section], ...]] = (
    _summary,
    _exceptions,
    _notices,
    _switch,
    _consents,
    _outcomes,
    _replay,
    _withdrawals,
    _erasures,
    _versions,
    _exports,
    _told,
    _retention,
    _sanitizer,
    _access,
)
