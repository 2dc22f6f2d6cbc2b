"""How fast and how surely near-duplicates are found: planted ones among many texts, and all pairs of a sample.

`make bench-curation`; others: BENCH="--texts 200000 --plain".
"""

import argparse
import itertools
import random
import resource
import time
from collections.abc import Sequence
from functools import partial

from goldvein.datasets import banding, near_duplicates
from goldvein.datasets.groups import Groups
from goldvein.datasets.near_duplicates import Clusters, find_clusters, shingles, similarity, words

THRESHOLD = near_duplicates.DEFAULT_THRESHOLD_PERCENT / 100
WORDS_OF_TEXT = 38
PLANTED = 0.2


def corpus(count: int, seed: int = 1) -> tuple[list[str], list[tuple[int, int]]]:
    """Texts of about 244 characters; a fifth of them is an earlier one with up to four words changed, or one more."""
    chance = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(20_000)]
    frequency = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(vocabulary))))
    texts: list[str] = []
    planted: list[tuple[int, int]] = []
    for place in range(count):
        if place > WORDS_OF_TEXT and chance.random() < PLANTED:
            original = chance.randrange(place)
            planted.append((original, place))
            texts.append(changed(texts[original].split(" "), vocabulary, chance))
        else:
            texts.append(" ".join(chance.choices(vocabulary, cum_weights=frequency, k=WORDS_OF_TEXT)))
    return texts, planted


def changed(text: list[str], vocabulary: Sequence[str], chance: random.Random) -> str:
    """The text with a few words replaced, or with one more at its end."""
    count = chance.choice((0, 1, 1, 2, 2, 3, 4))
    for place in chance.sample(range(len(text)), count):
        text[place] = chance.choice(vocabulary)
    return " ".join(text if count else [*text, "indeed"])


def share(texts: Sequence[str], first: int, second: int) -> float:
    """How similar two texts are, compared in full."""
    return similarity(shingles(words(texts[first])), shingles(words(texts[second])))


def recall_of_planted(texts: Sequence[str], planted: Sequence[tuple[int, int]], found: Clusters) -> tuple[int, float]:
    """How many planted pairs are over the threshold, and which part of them is in one cluster."""
    over = [pair for pair in planted if share(texts, *pair) >= THRESHOLD]
    met = sum(found.representative[first] == found.representative[second] for first, second in over)
    return len(over), met / len(over)


def against_brute_force(
    texts: Sequence[str], planted: Sequence[tuple[int, int]], found: Clusters, sample: int
) -> tuple[int, float, float]:
    """Every pair among some texts compared in full: pairs over the threshold, recall, precision.

    The sample is whole families, of a text with what was made of it, or there would be hardly a pair in it. Two texts
    of a cluster are together rightly when a chain of pairs over the threshold joins them.
    """
    families = Groups(len(texts))
    for first, second in planted:
        families.join(first, second)
    by_family: dict[int, list[int]] = {}
    for place, first in enumerate(families.firsts()):
        by_family.setdefault(first, []).append(place)
    firsts = list(by_family)
    random.Random(2).shuffle(firsts)
    places: list[int] = []
    while len(places) < sample and firsts:
        places += by_family[firsts.pop()]
    known = {place: shingles(words(texts[place])) for place in places}
    over = [
        pair for pair in itertools.combinations(places, 2) if similarity(known[pair[0]], known[pair[1]]) >= THRESHOLD
    ]
    right = Groups(len(texts))
    for first, second in over:
        right.join(first, second)
    clusters: dict[int, list[int]] = {}
    for place in places:
        clusters.setdefault(found.representative[place], []).append(place)
    together = [pair for some in clusters.values() for pair in itertools.combinations(some, 2)]
    met = sum(found.representative[first] == found.representative[second] for first, second in over)
    true = sum(right.are_joined(first, second) for first, second in together)
    return len(over), met / len(over), true / len(together)


def main() -> None:
    """Print one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=4_000, help="texts whose pairs are all compared")
    parser.add_argument("--plain", action="store_true", help="without Daft")
    parser.add_argument("--runner", choices=banding.RUNNERS, default=banding.RUNNERS[0])
    chosen = parser.parse_args()
    texts, planted = corpus(chosen.texts)
    find = near_duplicates.find_pairs if chosen.plain else partial(banding.find_pairs, runner=chosen.runner)
    if not chosen.plain:
        find_clusters(texts[:100], threshold=THRESHOLD, find_pairs=find)  # loading the library is no part of it
    wall, cpu = time.perf_counter(), time.process_time()
    found = find_clusters(texts, threshold=THRESHOLD, find_pairs=find)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    over, recall = recall_of_planted(texts, planted, found)
    pairs, sample_recall, precision = against_brute_force(texts, planted, found, chosen.sample)
    print(
        f"{'plain' if chosen.plain else 'Daft, ' + chosen.runner}: {len(texts):,} texts of"
        f" {sum(map(len, texts)) // len(texts)} characters in {wall:.1f} s ({cpu:.1f} s of processors, {memory:,} MB at"
        f" most); {over:,} planted pairs over the threshold, {100 * recall:.2f} % found; of a sample compared in full"
        f" {pairs:,} pairs: {100 * sample_recall:.2f} % found, {100 * precision:.2f} % of what was joined is right"
    )


if __name__ == "__main__":
    main()
