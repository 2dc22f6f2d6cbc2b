"""What a worker can do: a handler for each kind of job, and how patiently it is tried again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MAX_ERROR_CHARS: Final = 60
_JITTER: Final = 0.2  # so that what failed together does not come back together


class JobFailed(Exception):
    """A handler gives up for now; `code` is one of the handler's own words, never text from outside."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class JobHopeless(JobFailed):
    """Trying again would change nothing: the job is dead at once."""


def exponential(*, first_seconds: float, factor: float, times: int, most_seconds: float) -> tuple[float, ...]:
    """How long to wait after each failure, longer and longer."""
    return tuple(min(first_seconds * factor**number, most_seconds) for number in range(times))


DELAYS: Final = exponential(first_seconds=5, factor=4, times=7, most_seconds=6 * 3_600)
"""Eight attempts in about eight hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A job as its handler sees it."""

    id: str
    kind: str
    tenant_id: str | None
    payload: Mapping[str, str]
    attempts: int
    is_last_attempt: bool


Handler = Callable[[Task], Iterator[None]]
"""Does the work in steps and yields after each: at a step the worker rests, keeps its lease and may stop.

A step takes one transaction of at most 50 ms, since on SQLite everybody else waits for it. A job may be taken up again
from its beginning at any time (its worker was killed, or lost its lease to another), so a handler reads state anew,
copes with what is gone, and does nothing twice that it finds done.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of job. `waits` is for those that wait for somebody else's computer: they get a thread of their own."""

    handler: Handler
    delays: tuple[float, ...] = DELAYS
    every: timedelta | None = None
    waits: bool = False

    @property
    def most_attempts(self) -> int:
        """How often it is tried before it is dead. What is periodic is tried for ever."""
        return len(self.delays) + 1

    def delay(self, attempts: int, chance: float) -> timedelta:
        """How long to wait after so many failed attempts; `chance` (0 to 1) spreads it by a fifth either way."""
        seconds = self.delays[min(attempts, len(self.delays)) - 1] if self.delays else 0.0
        if self.every is not None:
            seconds = min(seconds, self.every.total_seconds())
        return timedelta(seconds=seconds * (1 - _JITTER + 2 * _JITTER * chance))


Kinds = Mapping[str, Kind]
