"""Near-duplicates among more texts than one loop should look through: MinHash and banding, with Daft.

Daft is the extra `curation`. It runs in this process, or on a Ray cluster when the setting says so. What it proposes is
compared shingle by shingle, so a pair that is found is as similar as was asked; a few that are may not be found.
"""

import importlib.util
import math
import os
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from goldvein.datasets.near_duplicates import WORDS_IN_A_SHINGLE, IsSettled, Pair, shingles, similarity, words
from goldvein.errors import NotConfigured

RUNNERS: Final = ("native", "ray")
RECALL: Final = 0.995
"""Which part of the pairs that are just so similar as was asked meets in some band."""
_MAX_HASHES: Final = 128
_BANDS_AT_ONCE: Final = 8  # what is in memory is a row for each text and band of these


def is_installed() -> bool:
    """Whether the extra `curation` is there."""
    return importlib.util.find_spec("daft") is not None


def bands_for(lowest: float) -> tuple[int, int]:
    """How many bands, and of how many hashes: as many as can be in a band, so that few pairs meet for nothing.

    Two texts that share s of their shingles agree in a band of r hashes with probability s ** r.
    """
    best = (1, 1)
    for rows in range(1, _MAX_HASHES):
        bands = math.ceil(math.log(1 - RECALL) / math.log(1 - lowest**rows))
        if bands * rows > _MAX_HASHES:
            break
        best = (bands, rows)
    return best


def find_pairs(
    texts: Sequence[str], lowest: float, is_settled: IsSettled, *, runner: str = RUNNERS[0]
) -> Iterator[Pair]:
    """Pairs at least so similar. In each band, texts are compared with the first that agrees with them there."""
    known_place, known = -1, shingles(())
    for first, second in sorted(_candidates(texts, lowest, runner)):
        if is_settled(first, second):
            continue
        if first != known_place:
            known_place, known = first, shingles(words(texts[first]))
        share = similarity(known, shingles(words(texts[second])))
        if share >= lowest:
            yield Pair(first=first, second=second, similarity=share)


def _candidates(texts: Sequence[str], lowest: float, runner: str) -> set[tuple[int, int]]:
    daft = _daft(runner)
    column, functions = daft.col, daft.functions
    bands, rows = bands_for(lowest)
    hashes = functions.minhash(
        column("text"), num_hashes=bands * rows, ngram_size=WORDS_IN_A_SHINGLE, hash_function="xxhash"
    )
    named = {"place": list(range(len(texts))), "text": [" ".join(words(text)) for text in texts]}
    hashed = daft.from_pydict(named).where(column("text") != "").select(column("place"), hashes.alias("hashes"))
    hashed = hashed.collect()
    found: set[tuple[int, int]] = set()
    for start in range(0, bands, _BANDS_AT_ONCE):
        some = functions.slice(column("hashes"), start * rows, min(start + _BANDS_AT_ONCE, bands) * rows)
        banded = hashed.select(column("place"), functions.chunk(some, rows).alias("band")).explode("band")
        banded = banded.select(column("place"), functions.hash(column("band")).alias("band"))
        first_in = banded.groupby("band").agg(
            column("place").min().alias("first"), column("place").count().alias("size")
        )
        met = banded.join(first_in.where(column("size") > 1), on="band").where(column("place") != column("first"))
        pairs = met.select("first", "place").distinct().to_pydict()
        found.update(zip(pairs["first"], pairs["place"], strict=True))
    return found


@cache
def _daft(runner: str) -> Any:
    """The library, set to run here or on the cluster; that can be said once in a process."""
    if not is_installed():
        raise NotConfigured(what="this needs the extra `curation`: pip install 'goldvein[curation]'")
    os.environ["DO_NOT_TRACK"] = "1"  # importing it would tell its makers, over the network
    import daft  # noqa: PLC0415 (an extra, and it takes its time to start)
    import daft.functions  # noqa: PLC0415

    (daft.set_runner_ray if runner == "ray" else daft.set_runner_native)()
    return daft
