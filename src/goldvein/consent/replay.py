"""Deciding again, from the ledger alone, whether both consents held when each example was captured.

Pure: entries in, exceptions out. What the store holds is compared with it by whoever calls this.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from goldvein.consent import decision


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A consent event as the ledger says it: what the decision reads."""

    id: str
    action: str
    purposes: list[str]
    skill_ids: list[str] | None
    excepted_skill_ids: list[str] | None
    expires_at: datetime | None
    notice_edition: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stands:
    """On which two consent records the ledger says that an example was captured."""

    tenant_record: str | None
    person_record: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Older:
    """The choices that were in force when the ledger began: the tenant's, and people's by commitment."""

    switch: Choice | None = None
    people: Mapping[str, Choice] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Replayed:
    """What a ledger says of captured examples, and each that should not have been captured, with the reason."""

    begins: dict[str, Any] = field(default_factory=dict)
    captured: dict[str, Stands] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)


def replay(entries: Iterable[str], older: Older) -> Replayed:
    """Fold the entries of one ledger, oldest first, and decide on every capture by what stood before it.

    Choices that are older than the ledger are not in it, so the caller says what they were.
    """
    found = Replayed()
    switch, people = older.switch, dict(older.people)
    for text in entries:
        entry: dict[str, Any] = json.loads(text)
        match entry["kind"]:
            case "ledger_begins":
                found.begins = entry
            case "consent" if entry["subject"] == "tenant":
                switch = choice_of(entry)
            case "consent":
                people[entry["person"]] = choice_of(entry)
            case "captured":
                _decide(found, entry, switch, people.get(entry["person"]))
            case "erased":
                found.erased.update(entry["examples"])
    return found


def choice_of(entry: Mapping[str, Any]) -> Choice:
    """The choice in an entry."""
    expires_at = entry["expires_at"]
    return Choice(
        id=entry["record"],
        action=entry["action"],
        purposes=list(entry["purposes"]),
        skill_ids=entry["skills"],
        excepted_skill_ids=entry["excepted_skills"],
        expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
        notice_edition=entry["edition"],
    )


def _decide(found: Replayed, entry: Mapping[str, Any], switch: Choice | None, consent: Choice | None) -> None:
    stands = Stands(tenant_record=entry["tenant_record"], person_record=entry["person_record"])
    for skill_id, examples in entry["examples"].items():
        reason = decide_again(stands, switch, consent, skill_id=skill_id, at=datetime.fromisoformat(entry["at"]))
        for example_id in examples:
            twice = example_id in found.captured or example_id in found.erased
            found.captured[example_id] = stands
            if twice or reason is not None:
                found.refused[example_id] = "captured_twice" if twice else str(reason)


def decide_again(
    stands: Stands, switch: Choice | None, consent: Choice | None, *, skill_id: str, at: datetime
) -> str | None:
    """Why an example should not have been captured; None when both consents held, and are the ones it names."""
    if switch is None or consent is None:
        return "tenant_switch_off" if switch is None else "no_consent"
    use = decision.Use(person_id="somebody", named_person_matches=True, skill_id=skill_id, opted_out=False, at=at)
    decided = decision.decide(switch=switch, consent=consent, use=use)
    if not decided.allowed:
        return decided.reason
    named = (decided.tenant_record_id, decided.person_record_id)
    return None if named == (stands.tenant_record, stands.person_record) else "other_record"
