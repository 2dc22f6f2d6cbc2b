"""The arithmetic of the report: percentiles, spreads, ratios, goals. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of all do not exceed (nearest rank)."""
    if not ascending:
        raise ValueError("there is no percentile of nothing")
    return ascending[max(math.ceil(share * len(ascending)), 1) - 1]


def overlap(start: float, end: float, *, of: tuple[float, float]) -> float:
    """The share of the span `of` that lies between start and end, 0 to 1.

    An answer counts for the window in which its work was done: one that was half under way at the window's edge is
    half an answer. For long calls (a batch of a thousand) whole ones would be as wrong as one of them is large.
    """
    begun, ended = of
    if ended <= begun:
        return 1.0 if start <= ended <= end else 0.0
    return max(0.0, min(end, ended) - max(start, begun)) / (ended - begun)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The median of some rounds, with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of one value for each round."""
        return cls(median=statistics.median(values), low=min(values), high=max(values))


def ratios(of: Sequence[float], to: Sequence[float]) -> Spread:
    """Round by round, one divided by the other: what else the machine did in a round falls on both."""
    return Spread.of([one / other for one, other in zip(of, to, strict=True)])


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A figure to reach: at least so much, or less than so much."""

    limit: float
    at_least: bool
    unit: str = ""

    def is_met(self, value: float) -> bool:
        """Whether a measured median reaches it."""
        return value >= self.limit if self.at_least else value < self.limit

    def __str__(self) -> str:
        """As it stands in the table."""
        return f"{'at least' if self.at_least else 'under'} {self.limit:g}{self.unit}"
