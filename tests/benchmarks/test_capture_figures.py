"""The arithmetic of the capture benchmark: what a percentile, a ratio and a verdict are."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.capture.figures import Goal, Spread, overlap, percentile, ratios
from benchmarks.capture.loads import Result
from benchmarks.capture.measure import (
    CAPTURE,
    NULL_256,
    NULL_CAPTURE,
    PLAIN_256,
    Books,
    Bursts,
    Case,
    Measured,
    _there_and_back,
)
from benchmarks.capture.report import FIGURES, cases_table, goals_table
from benchmarks.capture.stores import Stored


def result(rate: float = 100.0, **changes: Any) -> Result:
    made = Result(
        events_per_second=rate,
        latencies_ms={"p50": 1.0, "p99": 2.0, "max": 3.0},
        statuses={"200": 10},
        outcomes={"stored": 10},
        captures={"captured": 4, "none:no_snippets": 6},
        generator_busy=0.2,
        body_bytes=300,
    )
    return replace(made, **changes)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_percentile_of_one_to_a_hundred_is_its_own_number(share: float, expected: float) -> None:
    assert percentile([float(number) for number in range(1, 101)], share) == expected


def test_a_percentile_is_a_value_that_was_measured_also_of_few() -> None:
    assert percentile([1.0, 9.0], 0.5) == 1.0
    assert percentile([1.0, 9.0], 0.99) == 9.0
    assert percentile([7.0], 0.99) == 7.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("span", "expected"),
    [((2.0, 3.0), 1.0), ((0.0, 2.0), 0.5), ((9.0, 13.0), 0.25), ((0.0, 20.0), 0.45), ((10.5, 11.0), 0.0)],
)
def test_an_answer_counts_for_the_window_in_which_its_work_was_done(span: tuple[float, float], expected: float) -> None:
    assert overlap(1.0, 10.0, of=span) == pytest.approx(expected)


def test_long_calls_in_step_give_the_true_rate_wherever_the_window_lies() -> None:
    spans = [(3.0 * number, 3.0 * number + 3.0) for number in range(10)]  # 1,000 events every three seconds
    for start in (3.0, 4.0, 4.4, 5.9):
        events = sum(1000 * overlap(start, start + 8.0, of=span) for span in spans)
        assert events / 8.0 == pytest.approx(1000 / 3)


def test_a_ratio_is_taken_round_by_round_and_not_of_the_medians() -> None:
    assert ratios([100.0, 10.0, 60.0], [200.0, 20.0, 80.0]) == Spread(median=0.5, low=0.5, high=0.75)
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_goals_say_when_they_are_met() -> None:
    assert Goal(limit=0.6, at_least=True).is_met(0.6)
    assert not Goal(limit=0.6, at_least=True).is_met(0.599)
    assert Goal(limit=10, at_least=False).is_met(9.99)
    assert not Goal(limit=10, at_least=False).is_met(10)


def line(text: str, begin: str) -> str:
    return next(found for found in text.splitlines() if found.startswith(f"| {begin}"))


def test_verdicts_are_computed_from_what_was_measured_on_each_kind_of_store() -> None:
    rounds = {
        PLAIN_256: [result(700), result(500), result(600)],
        NULL_256: [result(1000), result(1000), result(1000)],
        CAPTURE: [result(40)],
        NULL_CAPTURE: [result(100)],
    }
    table = goals_table({"sqlite": Measured(cases=rounds), "postgresql": Measured(cases=rounds)})
    assert "| 0.60 (0.50-0.70): met | 0.60 (0.50-0.70): met | at least 0.6 |" in line(table, "events/s without")
    capture = line(table, "events/s with capture")
    assert "| 0.40: missed | 0.40: met | SQLite at least 0.6, PostgreSQL at least 0.35 |" in capture


def test_one_good_round_does_not_meet_a_goal_and_one_bad_round_does_not_miss_it() -> None:
    against = [result(1000)] * 3
    for rounds, verdict in (([900, 590, 580], "missed"), ([610, 100, 620], "met")):
        measured = Measured(cases={PLAIN_256: [result(rate) for rate in rounds], NULL_256: against})
        assert f"): {verdict} |" in line(goals_table({"sqlite": measured}), "events/s without snippets, 256")


def test_what_was_not_measured_is_not_met() -> None:
    for found in goals_table({"sqlite": Measured()}).splitlines()[2:]:
        assert "not measured" in found
        assert ": met" not in found
    assert len(FIGURES) == len(goals_table({"sqlite": Measured()}).splitlines()) - 2


def test_a_case_without_any_answer_shows_no_latency_and_says_how_many_were_refused() -> None:
    nothing = result(0.0, latencies_ms={}, statuses={"503": 7, "lost": 2}, outcomes={}, generator_busy=0.99)
    shown = line(cases_table(Measured(cases={CAPTURE: [nothing]})), "goldvein")
    assert "| 0 | - | - | - | 9 not answered with 200; generator 99 % busy |" in shown


def test_growing_memory_misses_its_goal() -> None:
    grown = Bursts(seconds=1.0, idle_bytes=50, peaks=(100, 120), after_bytes=120, statuses={})
    assert "1.20: missed" in line(goals_table({"sqlite": Measured(bursts=grown)}), "most memory")


def test_an_acknowledged_event_that_is_not_in_the_store_is_reported() -> None:
    books = Books()
    books.close([result(), result()], Stored(events=5, captured=1), Stored(events=24, captured=8))
    assert (books.acknowledged, books.missing) == (20, 1)
    assert (books.captured, books.missing_captured) == (8, 1)


def test_events_stored_without_an_acknowledgement_do_not_make_up_for_lost_ones_elsewhere() -> None:
    books = Books()
    refused = result(statuses={"200": 10, "503": 3})
    books.close([refused], Stored(events=0, captured=0), Stored(events=13, captured=4))
    books.close([result()], Stored(events=0, captured=0), Stored(events=9, captured=4))
    assert (books.missing, books.unanswered) == (1, 3)


def test_each_round_goes_the_other_way_round() -> None:
    cases = [Case(connections=number) for number in (1, 2, 3)]
    assert [case.connections for case in _there_and_back(cases, 3)] == [1, 2, 3, 3, 2, 1, 1, 2, 3]
