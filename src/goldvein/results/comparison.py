"""Two skill versions on the rows that both have answered: what got better, what broke, and how sure that is. Pure.

Shares of passed rows: the interval for the difference of paired proportions that combines Wilson's score intervals,
method 10 of R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
paired data", Statistics in Medicine 17 (1998), 2635-2650. It has a width also when nothing differs, and stays within -1
and 1.

Mean scores: Student's interval for the mean of paired differences. Where all differences are equal it would have no
width, which says nothing, so there is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

_Z: Final = 1.959963984540054  # 97.5 % of the normal distribution lies below
_EXACT_T: Final = (12.706204736, 4.302652730, 3.182446305, 2.776445105, 2.570581836, 2.446911851, 2.364624252)


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """How one row was answered."""

    score: float
    passed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A difference, and between what it lies with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Another version (after) beside one (before); differences are after minus before."""

    common_rows: int
    only_before: int
    only_after: int
    fixed: tuple[str, ...]
    """rows that pass now and did not"""
    broken: tuple[str, ...]
    """rows that passed and do not now"""
    score_up: int
    score_down: int
    passed_before: int
    passed_after: int
    mean_before: float
    mean_after: float
    pass_rate: Interval | None
    score: Interval | None
    """None where no interval can be given: fewer than two rows, or the same difference in all of them"""


def compare(before: Mapping[str, Score], after: Mapping[str, Score]) -> Comparison:
    """Compare on the common rows; the others are only counted."""
    common = sorted(before.keys() & after.keys())
    pairs = [(before[row], after[row]) for row in common]
    fixed = tuple(row for row in common if after[row].passed and not before[row].passed)
    broken = tuple(row for row in common if before[row].passed and not after[row].passed)
    both = sum(old.passed and new.passed for old, new in pairs)
    differences = [new.score - old.score for old, new in pairs]
    neither = len(pairs) - both - len(fixed) - len(broken)
    return Comparison(
        common_rows=len(pairs),
        only_before=len(before) - len(pairs),
        only_after=len(after) - len(pairs),
        fixed=fixed,
        broken=broken,
        score_up=sum(difference > 0 for difference in differences),
        score_down=sum(difference < 0 for difference in differences),
        passed_before=both + len(broken),
        passed_after=both + len(fixed),
        mean_before=_mean([old.score for old, _ in pairs]),
        mean_after=_mean([new.score for _, new in pairs]),
        pass_rate=paired_proportions(both, len(fixed), len(broken), neither) if pairs else None,
        score=mean_difference(differences),
    )


def paired_proportions(both: int, first_only: int, second_only: int, neither: int) -> Interval:
    """The share of the first minus that of the second; method 10 of Newcombe, see above."""
    total = both + first_only + second_only + neither
    first, second = both + first_only, both + second_only
    first_low, first_high = _wilson(first, total)
    second_low, second_high = _wilson(second, total)
    share_1, share_2 = first / total, second / total
    correlation = _correlation(both, first_only, second_only, neither)
    difference = share_1 - share_2
    down = _combined(share_1 - first_low, second_high - share_2, correlation)
    up = _combined(first_high - share_1, share_2 - second_low, correlation)
    return Interval(value=difference, low=difference - down, high=difference + up)


def _wilson(count: int, total: int) -> tuple[float, float]:
    centre = (count + _Z * _Z / 2) / (total + _Z * _Z)
    half = _Z * sqrt(count * (total - count) / total + _Z * _Z / 4) / (total + _Z * _Z)
    return max(0.0, centre - half), min(1.0, centre + half)


def _correlation(both: int, first_only: int, second_only: int, neither: int) -> float:
    """How the two go together, with the correction for continuity where they do; 0 where a margin is empty."""
    margins = (both + first_only) * (second_only + neither) * (both + second_only) * (first_only + neither)
    if margins == 0:
        return 0.0
    agreement: float = both * neither - first_only * second_only
    if agreement > 0:
        agreement = max(agreement - (both + first_only + second_only + neither) / 2, 0)
    return agreement / sqrt(margins)


def _combined(one: float, other: float, correlation: float) -> float:
    return sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def mean_difference(differences: Sequence[float]) -> Interval | None:
    """The mean of paired differences with Student's interval; None for fewer than two, and when all are equal."""
    count = len(differences)
    if count < 2:  # noqa: PLR2004 (one difference has no spread)
        return None
    mean = _mean(differences)
    variance = sum((difference - mean) ** 2 for difference in differences) / (count - 1)
    half = _student(count - 1) * sqrt(variance / count)
    return Interval(value=mean, low=mean - half, high=mean + half) if half > 0 else None


def _student(freedom: int) -> float:
    """97.5 % of Student's distribution lies below.

    From a table for few degrees of freedom, else the expansion 26.7.5 of Abramowitz and Stegun, Handbook of
    Mathematical Functions, which is then right to four digits.
    """
    if freedom <= len(_EXACT_T):
        return _EXACT_T[freedom - 1]
    z = _Z
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum(term / float(freedom) ** power for power, term in enumerate(terms))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
