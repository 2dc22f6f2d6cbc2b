"""What is known of consent before a use is stored: enough to say no, never enough to say yes.

The decision that counts is taken in the storing transaction. Here it is only asked whether sanitizing a text is worth
the time, from what was read up to a second ago where that says no.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from goldvein.capture.outcomes import Capture
from goldvein.capture.storing import asked
from goldvein.capture.uses import Report
from goldvein.consent import decision
from goldvein.consent import service as consent
from goldvein.consent.notices import edition_in_force
from goldvein.consent.tables import ConsentEvent
from goldvein.db.session import Database
from goldvein.identity import service as identity
from goldvein.policy import service as policy
from goldvein.sanitizer import NO_EXTRA_RULES, ExtraRules, SanitizerFailed
from goldvein.short_cache import ShortCache
from goldvein.skills import service as skills

MAX_ENTRIES: Final = 10_000
NO_SECONDS: Final = 1.0
YES_SECONDS: Final = 10.0  # it costs at most a text sanitized in vain: the transaction decides
FULL_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Switch:
    """The tenant: its switch, and what it wants sanitized beside the rest; None when its rules cannot be used."""

    event: ConsentEvent | None
    rules: ExtraRules | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What is expected to become of a use's texts, as far as is known."""

    refused: Capture | None
    """Why nothing will be captured; None when it may be."""
    names_reporter: bool = True
    """Whether the payload names its reporter, or nobody."""
    rules: ExtraRules = NO_EXTRA_RULES
    """What the tenant wants sanitized too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    """One person and one skill, by the name under which the skill was asked for."""

    skill_id: str
    email: str
    consent: ConsentEvent | None


class Standings:
    """Asks whether a use with texts would be captured, as far as is known."""

    def __init__(self, database: Database, threads: Executor) -> None:
        self._database = database
        self._threads = threads
        self._switches: ShortCache[str, _Switch] = ShortCache(most=MAX_ENTRIES)
        self._standings: ShortCache[tuple[str, str, str], _Standing] = ShortCache(most=MAX_ENTRIES)
        self._full: ShortCache[tuple[str, str, str], bool] = ShortCache(most=MAX_ENTRIES)
        database.watch(frozenset({"consent_events", "sanitizer_rules"}), self._switches.clear)
        database.watch(frozenset({"consent_events", "skills", "people"}), self._standings.clear)
        database.watch(frozenset({"skill_feedback"}), self._full.clear)

    async def expected(self, report: Report) -> Expected:
        """What would become of the texts of this use.

        Raises NotFound for an unknown skill.
        """
        reporter = report.reporter
        switch = self._switches.get(reporter.tenant_id) or await self._load_switch(reporter.tenant_id)
        if reporter.person_id is None or switch.event is None or switch.event.action != "switched_on":
            return Expected(refused=_denied(switch, None, report, "", names_reporter=True))
        key = (reporter.tenant_id, reporter.person_id, report.use.skill or "")
        standing = self._standings.get(key) or await self._load_standing(key, report)
        named = report.use.user_id
        names_reporter = named is None or named == reporter.person_id or named.lower() == standing.email
        refused = _denied(switch, standing.consent, report, standing.skill_id, names_reporter=names_reporter)
        if refused is None and self._full.get(key):
            refused = Capture(outcome="none", reason="quota")
        if refused is None and switch.rules is None:
            refused = Capture(outcome="failed", reason="sanitizer_failed")
        return Expected(refused=refused, names_reporter=names_reporter, rules=switch.rules or NO_EXTRA_RULES)

    def note_full(self, report: Report) -> None:
        """The transaction found no room under the quotas: nothing of this pair is sanitized for a moment."""
        key = (report.reporter.tenant_id, report.reporter.person_id or "", report.use.skill or "")
        self._full.put(key, value=True, seconds=FULL_SECONDS)

    async def _load_switch(self, tenant_id: str) -> _Switch:
        def read() -> tuple[_Switch, float]:
            with self._database.read(tenant_id) as session:
                try:
                    rules = policy.rules_in_force(session)
                except SanitizerFailed:
                    rules = None
                return _Switch(event=consent.switch_event(session), rules=rules), NO_SECONDS

        found = await self._switches.load(tenant_id, read, self._threads)
        assert found is not None  # noqa: S101 (it reads something or raises)
        return found

    async def _load_standing(self, key: tuple[str, str, str], report: Report) -> _Standing:
        def read() -> tuple[_Standing, float]:
            tenant_id, person_id, name = key
            with self._database.read(tenant_id) as session:
                skill = skills.find_skill(session, name)
                event = consent.consent_event(session, person_id)
                edition = edition_in_force(session)
                email = identity.person_of(session, person_id).email
            standing = _Standing(skill_id=skill.id, email=email, consent=event)
            use = asked(report, skill.id, names_reporter=True)
            says_yes = decision.consent_refusal(event, use, edition) is None
            return standing, YES_SECONDS if says_yes else NO_SECONDS

        found = await self._standings.load(key, read, self._threads)
        assert found is not None  # noqa: S101 (it reads something or raises)
        return found


def _denied(
    switch: _Switch, event: ConsentEvent | None, report: Report, skill_id: str, *, names_reporter: bool
) -> Capture | None:
    decided = decision.decide(
        switch=switch.event, consent=event, use=asked(report, skill_id, names_reporter=names_reporter)
    )
    return None if decided.allowed else Capture(outcome="denied", reason=decided.reason)
