"""What a version holds, in numbers: for its page and its card. Pure; no text and no person in it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

LENGTH_STEPS: Final = (100, 300, 1_000, 3_000, 10_000, 30_000)
"""The upper ends of the bars of lengths, in characters; the last bar is all that is longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """What the statistics read of a row. `person` is whose use it was; None for a golden example."""

    split: str
    cluster: int
    source: str
    skill: str
    skill_version: str | None
    tool_name: str | None
    person: str | None
    quality_score: int | None
    has_answer: bool
    input_chars: int
    answer_chars: int
    redaction_percent: int


def describe(rows: Iterable[Described]) -> dict[str, Any]:
    """Count rows by what tells them apart. Of persons it says how many there are and what the largest share is."""
    names = ("split", "source", "skill", "skill_version", "tool_name", "quality_score")
    by: dict[str, Counter[Any]] = {name: Counter() for name in names}
    people: Counter[str] = Counter()
    clusters: Counter[int] = Counter()
    lengths: dict[str, list[int]] = {"input_chars": [], "answer_chars": []}
    redacted = without_answer = count = 0
    for row in rows:
        count += 1
        for name, counter in by.items():
            counter[getattr(row, name)] += 1
        if row.person is not None:
            people[row.person] += 1
        clusters[row.cluster] += 1
        for name, found in lengths.items():
            found.append(getattr(row, name))
        redacted += row.redaction_percent
        without_answer += not row.has_answer
    return {
        "rows": count,
        "without_answer": without_answer,
        **{f"by_{name}": _named(counter) for name, counter in by.items()},
        "persons": len(people),
        "largest_person_percent": _percent(max(people.values(), default=0), count),
        "clusters": len(clusters),
        "largest_cluster": max(clusters.values(), default=0),
        "redacted_percent": round(redacted / count) if count else 0,
        **{name: _lengths(found) for name, found in lengths.items()},
    }


def _named(counter: Counter[Any]) -> dict[str, int]:
    return dict(sorted(("none" if value is None else str(value), count) for value, count in counter.items()))


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _lengths(found: list[int]) -> dict[str, Any]:
    found.sort()
    bars = Counter(next((str(step) for step in LENGTH_STEPS if chars <= step), "more") for chars in found)
    return {
        "least": found[0] if found else 0,
        "median": found[len(found) // 2] if found else 0,
        "most": found[-1] if found else 0,
        "bars": {name: bars[name] for name in (*map(str, LENGTH_STEPS), "more")},
    }
