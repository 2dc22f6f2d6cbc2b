import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.datasets.banding import bands_for
from goldvein.datasets.near_duplicates import (
    Clusters,
    find_clusters,
    find_pairs,
    normalised,
    shingles,
    similarity,
    words,
)

WORDS = [f"w{number}" for number in range(30)]


def clusters(texts: list[str], threshold: float = 0.7) -> Clusters:
    return find_clusters(texts, threshold=threshold, find_pairs=find_pairs)


def share(one: str, other: str) -> float:
    return similarity(shingles(words(one)), shingles(words(other)))


def text(seed: int, count: int = 40) -> list[str]:
    chance = random.Random(seed)  # noqa: S311 (chance must be repeatable here)
    return [f"{chance.randrange(5_000)}x" for _ in range(count)]


def test_case_width_and_spaces_make_no_other_text() -> None:
    found = clusters(["Fix  the\nbuild", "ﬁx the build ", "fix the built"])

    assert found.same_as == [0, 0, 2]


def test_a_changed_word_is_near_and_another_text_is_not() -> None:
    one = text(1)
    changed = [*one[:20], "changed", *one[21:]]

    found = clusters([" ".join(one), " ".join(text(2)), " ".join(changed)])

    assert found.same_as == [0, 1, 2]
    assert found.representative == [0, 1, 0]


def test_clusters_are_transitive_and_known_by_their_first_text() -> None:
    first = text(1)
    second = [*first[:10], "b", *first[11:]]
    third = [*second[:20], "c", *second[21:]]
    fourth = [*third[:30], "d", *third[31:]]

    found = clusters([" ".join(some) for some in (fourth, first, third, second)])

    assert share(" ".join(first), " ".join(fourth)) < 0.7
    assert found.representative == [0, 0, 0, 0]


def test_a_pair_just_below_the_threshold_is_shown_and_not_joined() -> None:
    one = text(1)
    other = ["a", *one[1:12], "b", *one[13:25], "c", *one[26:]]
    just_below = share(" ".join(one), " ".join(other))

    found = clusters([" ".join(one), " ".join(other)])

    assert 0.6 <= just_below < 0.7
    assert found.representative == [0, 1]
    assert [(pair.first, pair.second, pair.similarity) for pair in found.borderline] == [(0, 1, just_below)]


def test_texts_of_few_or_no_words_are_near_only_when_the_same() -> None:
    assert clusters(["yes", "Yes", "yes please", "...", "!", "...", ""]).representative == [0, 0, 2, 3, 4, 3, 6]


def test_scripts_without_spaces_are_read_sign_by_sign() -> None:
    one = "今日は天気がいいから散歩に行きましょうと彼女は笑いながら静かに言いました"
    assert clusters([one, one.replace("静", "優"), "明日は雨が降るそうです"]).representative == [0, 0, 2]


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=14),
    percent=st.integers(50, 95),
)
def test_every_pair_over_the_threshold_is_found_as_by_comparing_all(texts: list[str], percent: int) -> None:
    found = clusters(texts, percent / 100)

    for first, second in itertools.combinations(range(len(texts)), 2):
        over = share(texts[first], texts[second]) >= percent / 100
        same = normalised(texts[first]) == normalised(texts[second])
        if over or same:
            assert found.representative[first] == found.representative[second]
    borderline = {(pair.first, pair.second) for pair in found.borderline}
    assert all(found.representative[first] != found.representative[second] for first, second in borderline)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.lists(st.sampled_from(WORDS[:6]), min_size=4, max_size=9).map(" ".join), max_size=10))
def test_nothing_is_joined_without_a_chain_of_pairs_over_the_threshold(texts: list[str]) -> None:
    found = clusters(texts, 0.6)

    for place, first in enumerate(found.representative):
        reached = {first}
        while (
            more := {
                other
                for known in reached
                for other in range(len(texts))
                if share(texts[known], texts[other]) >= 0.6 or normalised(texts[known]) == normalised(texts[other])
            }
            - reached
        ):
            reached |= more
        assert place in reached


@pytest.mark.parametrize("percent", range(40, 96, 5))
def test_bands_meet_nearly_every_pair_and_stay_few(percent: int) -> None:
    bands, rows = bands_for(percent / 100)

    assert 1 - (1 - (percent / 100) ** rows) ** bands >= 0.995
    assert bands * rows <= 128
