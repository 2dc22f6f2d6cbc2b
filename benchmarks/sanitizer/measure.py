"""Running the tools: on the same texts, in turn, so that what else the machine does falls on all of them."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.sanitizer.peers import OWN, TEXT_LIMIT_SECONDS, Tool
from benchmarks.sanitizer.samples import Sample
from benchmarks.sanitizer.scorer import Score, add_to
from benchmarks.sanitizer.speed import (
    KIBIBYTE,
    TABLE,
    WORST_INPUTS,
    long_texts,
    repeated,
    rule_pieces,
    small_texts,
    worst_input,
)

BATCH = 100
ROUNDS = 5
ROUNDS_OF_WORST = {OWN: 9}
ROUNDS_OF_WORST_FOR_PEERS = 3
LEAST_MS_FOR_GROWTH = 2.0


@dataclass(kw_only=True, slots=True)
class Times:
    """How long a tool takes."""

    us_per_kib: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    ms_per_64_kib: list[float] = field(default_factory=list)
    worst_ms: dict[str, tuple[float, float]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def median_us(self) -> float:
        """For 1 KiB: the median of the rounds' medians."""
        return statistics.median(self.medians)

    @property
    def p99_us(self) -> float:
        """For 1 KiB: one text in a hundred takes longer, over all rounds."""
        return sorted(self.us_per_kib)[int(len(self.us_per_kib) * 0.99)]

    @property
    def slowest(self) -> tuple[str, float]:
        """The input that takes longest at 64 KiB, and how long."""
        name = max(self.worst_ms, key=lambda name: self.worst_ms[name][1])
        return name, self.worst_ms[name][1]

    @property
    def growth(self) -> tuple[str, float]:
        """The largest factor from 32 to 64 KiB, of the inputs that take long enough to be timed."""
        factors = {
            name: long / short
            for name, (short, long) in self.worst_ms.items()
            if long >= LEAST_MS_FOR_GROWTH and short < 1000 * TEXT_LIMIT_SECONDS
        }
        name = max(factors, key=lambda name: factors[name], default="")
        return name, factors.get(name, 0.0)


def measure_rules(tool: Tool) -> Times:
    """Take the times of one tool on what our rules must and must not find, repeated: for each rule, its slowest input.

    All ten inputs of a rule are read once; the slowest is then timed at both sizes, nine times.
    """
    times = Times()
    for rule in TABLE:
        pieces = rule_pieces(rule)
        answer = tool.ask([repeated(piece, 64 * KIBIBYTE) for piece in pieces.values()])
        taken = dict(zip(pieces, answer.seconds, strict=True))
        times.refused += [name for name, output in zip(pieces, answer.outputs, strict=True) if output is None]
        slowest = max(taken, key=lambda name: taken[name])
        texts = [repeated(pieces[slowest], size * KIBIBYTE) for size in (32, 64)]
        times.worst_ms[slowest] = _worst(tool, texts)
    return times


def _turns(tools: Sequence[Tool], number: int) -> Iterator[Tool]:
    """The tools, each time beginning with the next one."""
    start = number % len(tools)
    yield from (*tools[start:], *tools[:start])


def measure_removal(tools: Sequence[Tool], samples: Sequence[Sample]) -> dict[str, Score]:
    """Score every tool on the samples, batch by batch."""
    scores = {tool.name: Score() for tool in tools}
    for number, start in enumerate(range(0, len(samples), BATCH)):
        batch = samples[start : start + BATCH]
        for tool in _turns(tools, number):
            outputs = tool.ask([sample.text for sample in batch]).outputs
            for sample, output in zip(batch, outputs, strict=True):
                add_to(scores[tool.name], sample, output)
    return scores


def measure_speed(tools: Sequence[Tool], samples: Sequence[Sample], seed: int) -> dict[str, Times]:
    """Take the times of every tool, round by round."""
    times = {tool.name: Times() for tool in tools}
    small, long = small_texts(samples, seed), long_texts(samples, seed)
    for number in range(ROUNDS):
        for tool in _turns(tools, number):
            taken = [second * 1e6 for second in tool.ask(small, with_outputs=False).seconds]
            times[tool.name].us_per_kib += taken
            times[tool.name].medians.append(statistics.median(taken))
            times[tool.name].ms_per_64_kib += [second * 1e3 for second in tool.ask(long, with_outputs=False).seconds]
    for number, name in enumerate(WORST_INPUTS):
        texts = [worst_input(name, size * KIBIBYTE) for size in (32, 64)]
        for tool in _turns(tools, number):
            times[tool.name].worst_ms[name] = _worst(tool, texts)
    return times


def _worst(tool: Tool, texts: list[str]) -> tuple[float, float]:
    """The medians of a tool on the shorter and the longer text, in milliseconds; the two alternate."""
    rounds = ROUNDS_OF_WORST.get(tool.name, ROUNDS_OF_WORST_FOR_PEERS)
    taken: list[list[float]] = []
    for _ in range(rounds):
        taken.append(tool.ask(texts, with_outputs=False).seconds)
        if sum(map(sum, taken)) > TEXT_LIMIT_SECONDS:
            break
    short, long = (statistics.median(seconds) * 1e3 for seconds in zip(*taken, strict=True))
    return short, long
