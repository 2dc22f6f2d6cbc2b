"""Which texts say the same: exactly, once case and spaces are put aside, or nearly. Pure: texts in, clusters out.

Two texts are near-duplicates when the shingles they share (three words in a row) are at least `threshold` of all that
either has. Clusters are transitive, so no pair over the threshold is ever in two of them.

Up to `MAX_PLAIN_TEXTS` every such pair is found, by an index over the rarest shingles of each text: a pair over the
threshold shares one of those. For more, the extra `curation` looks for them with MinHash and banding (`banding.py`);
what it proposes is compared here too, so what is taken for near is near.
"""

import math
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

from goldvein.datasets.groups import Groups

DEFAULT_THRESHOLD_PERCENT: Final = 70
MIN_THRESHOLD_PERCENT: Final = 50
BORDERLINE_PERCENT: Final = 10
"""How far below the threshold a pair is still shown to the reviewer."""
MAX_BORDERLINE_PAIRS: Final = 1_000
MAX_PLAIN_TEXTS: Final = 100_000
WORDS_IN_A_SHINGLE: Final = 3

_MOST_COUNTED: Final = 255
_SIGNS_TO_SPACES = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}
# Scripts that put no space between words: each sign is one.
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

Shingles = frozenset[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two texts by their places, and which part of their shingles they share."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Clusters:
    """What was found. A place is that of a text in the sequence; each list has one item for each text.

    `same_as` is the first text that is the same once normalised, `representative` the first of the cluster: for a text
    that resembles no other, itself. `borderline` are pairs just below the threshold that no cluster holds, the nearest
    first.
    """

    same_as: list[int]
    representative: list[int]
    borderline: list[Pair]


IsSettled = Callable[[int, int], bool]
FindPairs = Callable[[Sequence[str], float, IsSettled], Iterable[Pair]]
"""Finds the pairs at least so similar; those that are settled by the time it meets them may be left out."""


def find_clusters(texts: Sequence[str], *, threshold: float, find_pairs: FindPairs) -> Clusters:
    """Cluster texts.

    1. Texts that are the same when normalised count as one. 2. What is over the threshold is joined; pairs within a
    cluster need no comparison. 3. What is just below is kept for the reviewer.
    """
    same_as = _first_of_each(map(normalised, texts))
    distinct = [place for place, first in enumerate(same_as) if place == first]
    groups, below = Groups(len(distinct)), []
    for pair in find_pairs([texts[place] for place in distinct], _lowest(threshold), groups.are_joined):
        if pair.similarity >= threshold:
            groups.join(pair.first, pair.second)
        else:
            below.append(pair)
    apart = (pair for pair in below if not groups.are_joined(pair.first, pair.second))
    nearest = nsmallest(MAX_BORDERLINE_PAIRS, apart, key=lambda pair: (-pair.similarity, pair.first, pair.second))
    first_of = dict(zip(distinct, (distinct[first] for first in groups.firsts()), strict=True))
    return Clusters(
        same_as=same_as,
        representative=[first_of[first] for first in same_as],
        borderline=[
            Pair(first=distinct[pair.first], second=distinct[pair.second], similarity=pair.similarity)
            for pair in nearest
        ],
    )


def _first_of_each(texts: Iterable[str]) -> list[int]:
    first: dict[str, int] = {}
    return [first.setdefault(text, place) for place, text in enumerate(texts)]


def _lowest(threshold: float) -> float:
    return threshold - BORDERLINE_PERCENT / 100


def normalised(text: str) -> str:
    """The text without what nobody reads as a difference: case, width and form of signs, and spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(text.lower().split())


def words(text: str) -> list[str]:
    """The words of a text, in lower case, without the signs between them."""
    if text.isascii():
        return text.lower().translate(_SIGNS_TO_SPACES).split()
    found: list[str] = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return found


def shingles(of_text: Sequence[str]) -> Shingles:
    """Every three words in a row, as numbers; all words as one where there are fewer. None of a text without words."""
    if len(of_text) < WORDS_IN_A_SHINGLE:
        return frozenset([hash(tuple(of_text))] if of_text else [])
    return frozenset(map(hash, zip(of_text, of_text[1:], of_text[2:], strict=False)))


def find_pairs(texts: Sequence[str], lowest: float, is_settled: IsSettled) -> Iterator[Pair]:
    """Every pair at least so similar. Memory and time grow with the words of all texts: for `MAX_PLAIN_TEXTS` of them.

    Shingles are put in one order for all texts, the rarest first. Of two texts that share `lowest` of their shingles,
    one of the first n - ceil(lowest * n) + 1 of each is the same: only these are looked up.
    """
    known = [array("q", sorted(shingles(words(text)))) for text in texts]
    counted = _Counted(known)
    holders: dict[int, list[int]] = {}
    for second, found in enumerate(known):
        looked_up = counted.rarest(found, len(found) - math.ceil(lowest * len(found)) + 1)
        sharing = {first for shingle in looked_up for first in holders.get(shingle, ())}
        candidates = [first for first in sharing if _sizes_allow(len(known[first]), len(found), lowest)]
        if candidates:
            yield from _compared(known, candidates, second, lowest, is_settled)
        for shingle in looked_up:
            holders.setdefault(shingle, []).append(second)


def _sizes_allow(one: int, other: int, lowest: float) -> bool:
    return min(one, other) >= lowest * max(one, other)


def _compared(
    known: Sequence["array[int]"], candidates: list[int], second: int, lowest: float, is_settled: IsSettled
) -> Iterator[Pair]:
    found = frozenset(known[second])
    for first in sorted(candidates):
        if not is_settled(first, second):
            share = similarity(found, known[first])
            if share >= lowest:
                yield Pair(first=first, second=second, similarity=share)


def similarity(one: Shingles, other: Iterable[int]) -> float:
    """Which part of all their shingles two texts share, 0 to 1. `other` names each of its shingles once."""
    size = shared = 0
    for shingle in other:
        size += 1
        shared += shingle in one
    return shared / (len(one) + size - shared) if shared else 0.0


class _Counted:
    """In how many texts a shingle is, about: never fewer than it says. What is in one text only need not be indexed."""

    def __init__(self, known: Sequence["array[int]"]) -> None:
        cells = bytearray(1 << max(16, (8 * sum(map(len, known))).bit_length()))
        self._mask = mask = len(cells) - 1
        self._cells = cells
        for found in known:
            for shingle in found:
                count = cells[shingle & mask]
                if count < _MOST_COUNTED:
                    cells[shingle & mask] = count + 1

    def rarest(self, found: Iterable[int], count: int) -> list[int]:
        """Of a text's `count` rarest shingles, those that another text may have."""
        cells, mask = self._cells, self._mask
        ordered = sorted((cells[shingle & mask], shingle) for shingle in found)
        return [shingle for held_by, shingle in ordered[:count] if held_by > 1]
