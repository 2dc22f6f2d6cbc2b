"""What a sanitizer left of what had to go, and what it took of what had to stay.

A marked place has leaked when any run of six of its characters is still in the output. Invisible characters, colour
codes and the sanitizer's own placeholders are left out of the comparison. A run that the rest of the text contains too
counts only when the output has it more often than the rest has.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.sanitizer.samples import Sample

RUN_CHARS = 6
_PLACEHOLDER = re.compile(r"\[REDACTED(?::[a-z][a-z_]*(?:_[0-9]+)?)?\]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|\x1b\\[[0-9;]*m")
_GAP = "\x00"


def _seen(text: str) -> str:
    """The text as a reader sees it."""
    return _INVISIBLE.sub("", text)


def leaks(sample: Sample, output: str) -> list[bool]:
    """For each marked place of a sample, whether some of it is left in the output."""
    kept = _seen(_PLACEHOLDER.sub(_GAP, output))
    place, around = 0, []
    for start, end in sample.spans:
        around.append(sample.text[place:start])
        place = end
    rest = _seen(_GAP.join((*around, sample.text[place:])))
    return [_survives(_seen(sample.text[start:end]), kept, rest) for start, end in sample.spans]


def _survives(secret: str, kept: str, rest: str) -> bool:
    size = min(RUN_CHARS, len(secret))
    runs = {secret[place : place + size] for place in range(len(secret) - size + 1)}
    return any(run in kept and kept.count(run) > rest.count(run) for run in runs)


def altered_chars(text: str, output: str) -> int:
    """How many characters of a text did not come through, none when it is unchanged.

    What a sanitizer keeps it keeps in order, so the pieces between placeholders are looked for one after the other. An
    output that is not made like that counts as altered from end to end.
    """
    if text == output:
        return 0
    place = kept = 0
    for piece in _PLACEHOLDER.split(output):
        found = text.find(piece, place)
        if found < 0:
            return len(text)
        place, kept = found + len(piece), kept + len(piece)
    return len(text) - kept


@dataclass(kw_only=True, slots=True)
class Tally:
    """How much of something there was, and how much of it held."""

    held: int = 0
    total: int = 0

    def add(self, *, held: bool) -> None:
        """Count one more."""
        self.held += held
        self.total += 1

    @property
    def share(self) -> float:
        """The share that held; of nothing, all."""
        return self.held / self.total if self.total else 1.0


@dataclass(kw_only=True, slots=True)
class Score:
    """The figures of one tool on one set."""

    by_category: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_kind: defaultdict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    benign: Tally = field(default_factory=Tally)
    benign_by_kind: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    benign_chars: int = 0
    altered_chars: int = 0
    failures: int = 0
    misses: list[tuple[Sample, str | None]] = field(default_factory=list)

    def share_of(self, categories: Iterable[str]) -> float:
        """The share of marked places removed in these categories together."""
        chosen = [self.by_category[category] for category in categories]
        return Tally(held=sum(t.held for t in chosen), total=sum(t.total for t in chosen)).share

    @property
    def altered_per_thousand(self) -> float:
        """Altered characters of a thousand benign ones."""
        return 1000 * self.altered_chars / self.benign_chars if self.benign_chars else 0.0

    @property
    def altered_share(self) -> float:
        """The share of benign texts that were altered."""
        return 1 - self.benign.share


def add_to(score: Score, sample: Sample, output: str | None) -> None:
    """Count one sample and what a tool made of it; a text it failed on counts against it, whatever the text is."""
    score.failures += output is None
    if sample.is_benign:
        altered = len(sample.text) if output is None else altered_chars(sample.text, output)
        score.benign.add(held=output == sample.text)
        score.benign_by_kind[sample.kind].add(held=output == sample.text)
        score.benign_chars += len(sample.text)
        score.altered_chars += altered
        if output != sample.text:
            score.misses.append((sample, output))
        return
    found = [True] * len(sample.spans) if output is None else leaks(sample, output)
    for leaked in found:
        score.by_category[sample.category].add(held=not leaked)
        score.by_kind[sample.category, sample.kind].add(held=not leaked)
    if any(found):
        score.misses.append((sample, output))


def score_of(samples: Sequence[Sample], outputs: Sequence[str | None]) -> Score:
    """Score the outputs of a tool, one for each sample."""
    score = Score()
    for sample, output in zip(samples, outputs, strict=True):
        add_to(score, sample, output)
    return score
