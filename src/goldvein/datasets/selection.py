"""Which examples go into a version, and why the others do not. Pure: a filter and candidates in, reasons out."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from goldvein.examples.review import target
from goldvein.sanitizer.engine import PLACEHOLDER

LEFT_OUT: Final = (
    "not_approved",
    "consent_withdrawn",
    "purpose_missing",
    "no_target",
    "filter_source",
    "filter_quality",
    "filter_date",
    "filter_skill_version",
    "filter_tool",
    "filter_redaction",
    "filter_length",
    "duplicate",
    "near_duplicate",
    "cap_person",
    "cap_skill_version",
    "cap_tool",
    "removed",
)
"""Why an example is not in a version; an example has the first that is true. `removed`: while the version was made."""

DUPLICATES: Final = ("keep", "exact", "near")
"""What becomes of duplicates: all stay; one of those that are the same stays; one of each cluster stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What a dataset takes of the approved examples of its skills. None: any, or no limit.

    Dates are those of the example: from the first, before the second. `max_redaction_percent` is the share of the
    texts' characters that are placeholders; lengths count the characters of input and answer.
    """

    sources: tuple[str, ...] | None = None
    min_quality: int | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    skill_versions: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    max_redaction_percent: int | None = None
    min_chars: int | None = None
    max_chars: int | None = None
    max_per_person: int | None = None
    max_per_skill_version: int | None = None
    max_per_tool: int | None = None
    balance_tools: bool = False
    duplicates: str = "exact"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An approved example, with what the choice hangs on.

    `person_id` is whose use it was, None for a golden example. `purposes` are those its consent record still carries;
    None for a golden example, which stands on its authorship. `kept_split` is its split in the version before.
    """

    example_id: str
    skill_id: str
    source: str
    tool_name: str | None
    person_id: str | None
    session_id: str | None
    skill_digest: str | None
    created_at: datetime
    quality_score: int | None
    example_input: str
    example_output: str
    expected_output: str | None
    output_verdict: str | None
    purposes: frozenset[str] | None
    tenant_consent_id: str | None = None
    person_consent_id: str | None = None
    sanitizer_version: str | None = None
    findings: Mapping[str, int] | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    usage_event_id: str | None = None
    kept_split: str | None = None

    @property
    def answer_from(self) -> str | None:
        """Which text is the answer."""
        if self.expected_output:
            return "expected_output"
        return "example_output" if self.answer is not None else None

    @property
    def answer(self) -> str | None:
        """The target; None: it can be evaluated with an assertion, never trained on."""
        return target(
            expected_output=self.expected_output,
            example_output=self.example_output,
            output_verdict=self.output_verdict,
        )

    @property
    def compared_text(self) -> str:
        """What is compared to find duplicates: what was asked and what is the answer, or was answered."""
        return f"{self.example_input}\n{self.answer or self.example_output}"


def reason_to_leave_out(candidate: Candidate, chosen: Filter, purposes: Collection[str]) -> str | None:
    """Why this example cannot or should not be in a version for these purposes; None: nothing speaks against it."""
    if candidate.purposes is not None and not candidate.purposes:
        return "consent_withdrawn"
    if candidate.purposes is not None and not set(purposes) <= candidate.purposes:
        return "purpose_missing"
    if "training" in purposes and candidate.answer is None:
        return "no_target"
    return next((reason for reason, fails in _FILTERS.items() if fails(candidate, chosen)), None)


def _not_among(value: str | None, some: Collection[str] | None) -> bool:
    return some is not None and value not in some


def _outside(value: float, least: float | None, most: float | None) -> bool:
    return (least is not None and value < least) or (most is not None and value > most)


def _quality_too_low(candidate: Candidate, chosen: Filter) -> bool:
    score = candidate.quality_score
    return chosen.min_quality is not None and (score is None or score < chosen.min_quality)


def _out_of_time(candidate: Candidate, chosen: Filter) -> bool:
    at, first, end = candidate.created_at, chosen.created_from, chosen.created_before
    return (first is not None and at < first) or (end is not None and at >= end)


def _too_redacted(candidate: Candidate, chosen: Filter) -> bool:
    return _outside(redaction_percent(candidate.compared_text), None, chosen.max_redaction_percent)


_FILTERS: Final[Mapping[str, Callable[[Candidate, Filter], bool]]] = {
    "filter_source": lambda candidate, chosen: _not_among(candidate.source, chosen.sources),
    "filter_quality": _quality_too_low,
    "filter_date": _out_of_time,
    "filter_skill_version": lambda candidate, chosen: _not_among(candidate.skill_digest, chosen.skill_versions),
    "filter_tool": lambda candidate, chosen: _not_among(candidate.tool_name, chosen.tools),
    "filter_redaction": _too_redacted,
    "filter_length": lambda candidate, chosen: _outside(
        len(candidate.compared_text) - 1, chosen.min_chars, chosen.max_chars
    ),
}


def redaction_percent(text: str) -> float:
    """Which part of a text's characters are placeholders."""
    placeholders = sum(len(found.group()) for found in PLACEHOLDER.finditer(text))
    return 100 * placeholders / len(text) if text else 0.0


def over_caps(candidates: Sequence[Candidate], chosen: Filter, *, seed: int) -> dict[str, str]:
    """The examples that are too many of a person, a skill version or a tool, by id, each with its reason.

    Those of the version before come first, then the best, then an order that the seed gives, so that a freeze done
    again takes the same ones.
    """
    caps = (
        ("cap_person", chosen.max_per_person, lambda candidate: candidate.person_id),
        ("cap_skill_version", chosen.max_per_skill_version, lambda candidate: candidate.skill_digest),
        ("cap_tool", chosen.max_per_tool, lambda candidate: candidate.tool_name),
    )
    left = sorted(candidates, key=lambda candidate: _rank(candidate, seed))
    over: dict[str, str] = {}
    for reason, cap, key_of in caps:
        left = _take(left, reason, cap, key_of, over)
    if chosen.balance_tools:
        held = Counter(candidate.tool_name for candidate in left if candidate.tool_name is not None)
        _take(left, "cap_tool", min(held.values(), default=None), lambda candidate: candidate.tool_name, over)
    return over


def _rank(candidate: Candidate, seed: int) -> tuple[bool, int, bytes]:
    chance = hashlib.sha256(f"{seed}:{candidate.example_id}".encode()).digest()
    return candidate.kept_split is None, -(candidate.quality_score or 0), chance


def _take(
    candidates: Iterable[Candidate],
    reason: str,
    cap: int | None,
    key_of: Callable[[Candidate], str | None],
    over: dict[str, str],
) -> list[Candidate]:
    """Those within the cap; the others are added to `over`."""
    taken: list[Candidate] = []
    held: Counter[str] = Counter()
    for candidate in candidates:
        key = key_of(candidate)
        if cap is not None and key is not None:
            held[key] += 1
            if held[key] > cap:
                over[candidate.example_id] = reason
                continue
        taken.append(candidate)
    return taken
