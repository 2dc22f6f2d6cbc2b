"""Two versions on their common rows; the intervals against published values."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldvein.results.comparison import Score, compare, mean_difference, paired_proportions


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), method 10.
        ((36, 12, 2, 0), (0.2000, 0.0569, 0.3404)),
        # Bentur et al. 2009, as worked out by Fagerland, Lydersen and Laake, "Recommended tests and confidence intervals
        # for paired binomial proportions", Statistics in Medicine 33 (2014).
        ((1, 1, 7, 12), (-0.286, -0.507, -0.026)),
    ],
)
def test_the_interval_of_paired_proportions_has_the_published_values(
    table: tuple[int, int, int, int], expected: tuple[float, float, float]
) -> None:
    found = paired_proportions(*table)
    for value, published in zip((found.value, found.low, found.high), expected, strict=True):
        assert isclose(value, published, abs_tol=0.0006)


COUNTS = st.integers(0, 200)


@given(table=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS).filter(any))
def test_the_interval_of_proportions_is_within_bounds_and_has_a_width(table: tuple[int, int, int, int]) -> None:
    found = paired_proportions(*table)
    assert -1 - 1e-12 <= found.low <= found.value <= found.high <= 1 + 1e-12
    assert found.high - found.low > 0.001
    both, first, second, neither = table
    turned = paired_proportions(both, second, first, neither)
    assert isclose(turned.low, -found.high, abs_tol=1e-12)
    assert isclose(turned.high, -found.low, abs_tol=1e-12)


def test_the_interval_of_a_mean_has_the_published_values() -> None:
    """The sleep data of Student 1908: extra hours by two drugs on the same ten patients."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = mean_difference([two - one for one, two in zip(first, second, strict=True)])
    assert found is not None
    assert isclose(found.value, 1.58, abs_tol=1e-9)
    assert isclose(found.low, 0.7001142, abs_tol=2e-4)
    assert isclose(found.high, 2.4598858, abs_tol=2e-4)


@pytest.mark.parametrize(
    ("freedom", "published"),
    [
        (1, 12.706),
        (2, 4.303),
        (7, 2.365),
        (8, 2.306),
        (9, 2.262),
        (20, 2.086),
        (30, 2.042),
        (120, 1.980),
        (10_000, 1.960),
    ],
)
def test_students_distribution_has_the_values_of_its_table(freedom: int, published: float) -> None:
    count = freedom + 1
    differences = [1.0] * (count // 2) + [-1.0] * (count // 2) + [0.0] * (count % 2)
    found = mean_difference(differences)
    assert found is not None
    spread = (sum(value**2 for value in differences) / freedom / count) ** 0.5
    assert isclose(found.high / spread, published, abs_tol=0.0006)


def test_no_interval_is_given_where_it_would_say_nothing() -> None:
    assert mean_difference([]) is None
    assert mean_difference([0.5]) is None
    assert mean_difference([0.0, 0.0, 0.0]) is None


def test_what_got_better_and_what_broke_is_named() -> None:
    def scored(**rows: float) -> dict[str, Score]:
        return {row: Score(score=score, passed=score >= 1) for row, score in rows.items()}

    found = compare(scored(a=0, b=1, c=1, d=0.5, x=1), scored(a=1, b=0, c=1, d=0.75, y=0))
    assert (found.common_rows, found.only_before, found.only_after) == (4, 1, 1)
    assert (found.fixed, found.broken) == (("a",), ("b",))
    assert (found.score_up, found.score_down) == (2, 1)
    assert (found.passed_before, found.passed_after) == (2, 2)
    assert (found.mean_before, found.mean_after) == (0.625, 0.6875)
    assert found.pass_rate is not None
    assert found.score is not None
    assert found.score.value == 0.0625
    better = compare(scored(a=0, b=0, c=0, d=1), scored(a=1, b=1, c=1, d=1))
    assert better.pass_rate is not None
    assert better.pass_rate.value == 0.75
    nothing = compare(scored(a=1), scored(b=1))
    assert (nothing.common_rows, nothing.pass_rate, nothing.score) == (0, None, None)
