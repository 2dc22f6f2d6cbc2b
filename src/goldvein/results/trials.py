"""What a result file says of each row: scores and sizes, never a text. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

REASONS: Final[Mapping[str, str]] = {
    "no_row": "names no row of a dataset: not made from an export of goldvein",
    "not_completed": "the call or the check failed, so nothing was judged",
    "no_score": "has no score that is a number, passed or failed",
    "unknown_row": "the row is no example of this skill any more, or never was",
}
"""Why a result is not stored."""

MAX_SCORE: Final = 1e9


class BadResults(Exception):
    """A file that holds no results that can be used; the message quotes nothing of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One answer to one row, judged. Without a reason it has a row and counts."""

    model: str
    row: str = ""
    score: float = 0.0
    passed: bool = False
    output_bytes: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowResult:
    """All answers of one model to one row: the mean of their scores and sizes; passed if more than half of them did."""

    row: str
    score: float
    passed: bool
    trials: int
    output_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """What a file holds: who wrote it, the rows of each model, and how many results count for nothing, by reason."""

    tool: str
    rows: Mapping[str, list[RowResult]]
    unused: Mapping[str, int]


def collect(tool: str, trials: Iterable[Trial]) -> Results:
    """Put the trials of each model and row together."""
    sums: dict[str, dict[str, list[float]]] = {}
    unused: dict[str, int] = {}
    for trial in trials:
        if trial.reason:
            unused[trial.reason] = unused.get(trial.reason, 0) + 1
            continue
        row = sums.setdefault(trial.model, {}).setdefault(trial.row, [0, 0, 0, 0])
        for place, value in enumerate((1, trial.score, trial.passed, trial.output_bytes)):
            row[place] += value
    rows = {model: [_row(name, *row) for name, row in held.items()] for model, held in sums.items()}
    return Results(tool=tool, rows=rows, unused=unused)


def _row(name: str, trials: float, score: float, passed: float, output_bytes: float) -> RowResult:
    return RowResult(
        row=name,
        score=score / trials,
        passed=passed * 2 > trials,
        trials=int(trials),
        output_bytes=round(output_bytes / trials),
    )


def number(value: Any) -> float | None:
    """A score as a number; None for anything else, and for what is not finite or out of all bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= MAX_SCORE and isfinite(value) else None


def size_of(text: Any) -> int:
    """The size of an answer in bytes of UTF-8; 0 for what is no text."""
    return len(text.encode(errors="replace")) if isinstance(text, str) else 0
