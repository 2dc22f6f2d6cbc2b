"""The tables, as Markdown. Whether a goal is met is computed here from the medians, never written by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.capture.figures import Goal, Spread, ratios
from benchmarks.capture.loads import Result, total
from benchmarks.capture.measure import (
    BATCH_100,
    BATCH_100_CAPTURE,
    CAPTURE,
    CAPTURE_1,
    NULL_256,
    NULL_CAPTURE,
    PLAIN_32,
    PLAIN_256,
    SILENT,
    SWITCHED_OFF,
    Bursts,
    Case,
    Measured,
)
from benchmarks.page import machine, table

NAME = "bench-capture"  # of the make target and of the markers
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
BUSY_GENERATOR = 0.9
_NOT_MEASURED = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of the benchmark."""

    measured: Mapping[str, Measured]
    """By kind of store."""
    rounds: int
    seconds: float
    versions: Mapping[str, str]
    file_system: str
    fsync_us: float
    pinned: bool
    load_before: float
    """What else the machine was doing: the load before anything was started here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One line of the goals: how it is computed, and what is asked for on each kind of store."""

    title: str
    value: Callable[[Measured], Spread | None]
    goals: Mapping[str, Goal]
    digits: int = 2


def rates(results: Sequence[Result]) -> list[float]:
    """Events a second, round by round."""
    return [result.events_per_second for result in results]


def rate_ratio(of: Case, to: Case) -> Callable[[Measured], Spread | None]:
    """One case's rate divided by another's; None when one of them was not measured or did nothing."""

    def value(measured: Measured) -> Spread | None:
        one, other = rates(measured.cases.get(of, [])), rates(measured.cases.get(to, []))
        return ratios(one, other) if one and other and min(other) > 0 else None

    return value


def latency(case: Case, which: str) -> Callable[[Measured], Spread | None]:
    """A percentile of a case, in milliseconds."""

    def value(measured: Measured) -> Spread | None:
        results = measured.cases.get(case, [])
        found = [result.latencies_ms[which] for result in results if result.latencies_ms]
        return Spread.of(found) if found else None

    return value


def growth_ratio(measured: Measured) -> Spread | None:
    """The rate on the largest store divided by that on the smallest."""
    sizes = sorted(measured.growth)
    if len(sizes) < 2:  # noqa: PLR2004 (one size has not grown)
        return None
    return ratios(rates(measured.growth[sizes[-1]]), rates(measured.growth[sizes[0]]))


def burst_growth(bursts: Bursts | None) -> Spread | None:
    """The second burst's peak divided by the first's: what is bounded does not grow with more of the same."""
    return None if bursts is None else Spread.of([bursts.peaks[1] / bursts.peaks[0]])


def _megabytes(size: Spread | None) -> Spread | None:
    return size and Spread(median=size.median / 1e6, low=size.low / 1e6, high=size.high / 1e6)


def _both(limit: float, *, at_least: bool, unit: str = "") -> dict[str, Goal]:
    return dict.fromkeys(TITLES, Goal(limit=limit, at_least=at_least, unit=unit))


FIGURES = (
    Figure(
        title="events/s without snippets, 256 connections, against the null sink",
        value=rate_ratio(PLAIN_256, NULL_256),
        goals=_both(0.6, at_least=True),
    ),
    Figure(
        title="events/s with capture, 32 connections, against the null sink with the same sanitizer",
        value=rate_ratio(CAPTURE, NULL_CAPTURE),
        goals={"sqlite": Goal(limit=0.6, at_least=True), "postgresql": Goal(limit=0.35, at_least=True)},
    ),
    Figure(
        title="events/s with snippets and the tenant's switch off, against no snippets",
        value=rate_ratio(SWITCHED_OFF, PLAIN_32),
        goals=_both(0.85, at_least=True),
    ),
    Figure(
        title="events/s with snippets and the person's consent off, against no snippets",
        value=rate_ratio(SILENT, PLAIN_32),
        goals=_both(0.85, at_least=True),
    ),
    Figure(
        title="batches of 100 without snippets, against single requests on 32 connections",
        value=rate_ratio(BATCH_100, PLAIN_32),
        goals=_both(3, at_least=True),
    ),
    Figure(
        title="batches of 100 with capture, against single requests on 32 connections",
        value=rate_ratio(BATCH_100_CAPTURE, CAPTURE),
        goals=_both(1.2, at_least=True),
    ),
    Figure(
        title="p50 with capture, 32 connections, ms",
        value=latency(CAPTURE, "p50"),
        goals=_both(10, at_least=False),
        digits=1,
    ),
    Figure(
        title="p99 with capture, 32 connections, ms",
        value=latency(CAPTURE, "p99"),
        goals=_both(40, at_least=False),
        digits=1,
    ),
    Figure(
        title="p50 with capture, alone, ms",
        value=latency(CAPTURE_1, "p50"),
        goals=_both(2, at_least=False),
        digits=1,
    ),
    Figure(
        title="withdrawal under full load, ms",
        value=lambda measured: measured.withdrawals and measured.withdrawals.milliseconds,
        goals=_both(100, at_least=False),
        digits=0,
    ),
    Figure(
        title="growth: events/s on the largest store, against the smallest",
        value=growth_ratio,
        goals=_both(0.85, at_least=True),
    ),
    Figure(
        title="start to first answer, s",
        value=lambda measured: measured.starts and measured.starts.seconds,
        goals=_both(1.5, at_least=False),
    ),
    Figure(
        title="idle memory, MB",
        value=lambda measured: _megabytes(measured.starts and measured.starts.idle_bytes),
        goals=_both(120, at_least=False),
        digits=0,
    ),
    Figure(
        title="most memory in a second burst, against the first",
        value=lambda measured: burst_growth(measured.bursts),
        goals=_both(1.1, at_least=False),
    ),
)


def _spread(spread: Spread, digits: int) -> str:
    middle = f"{spread.median:,.{digits}f}"
    if spread.low == spread.high:
        return middle
    return f"{middle} ({spread.low:,.{digits}f}-{spread.high:,.{digits}f})"


def _verdict(figure: Figure, kind: str, measured: Measured) -> str:
    value = figure.value(measured)
    if value is None:
        return "not measured"
    verdict = "met" if figure.goals[kind].is_met(value.median) else "missed"
    return f"{_spread(value, figure.digits)}: {verdict}"


def goals_table(measured: Mapping[str, Measured]) -> str:
    """The figures to reach, with what was measured and whether it is enough."""
    rows = []
    for figure in FIGURES:
        limits = dict.fromkeys(str(figure.goals[kind]) for kind in measured)
        if len(limits) == 1:
            goal = next(iter(limits))
        else:
            goal = ", ".join(f"{TITLES[kind]} {figure.goals[kind]}" for kind in measured)
        rows.append((figure.title, *(_verdict(figure, kind, each) for kind, each in measured.items()), goal))
    return table(("figure", *(TITLES[kind] for kind in measured), "goal"), rows)


def cases_table(measured: Measured) -> str:
    """Rates and latencies of every case."""
    rows = []
    for case, results in measured.cases.items():
        p50, p99 = (latency(case, which)(measured) for which in ("p50", "p99"))
        cells = [_spread(Spread.of(rates(results)), 0)]
        cells += [_NOT_MEASURED if value is None else _spread(value, 1) for value in (p50, p99)]
        cells.append(_server_cost(results))
        rows.append((case.program, str(case), str(case.connections), *cells, _remarks(results)))
    return table(
        ("program", "events", "connections", "events/s", "p50 ms", "p99 ms", "server CPU us each", "remarks"), rows
    )


def _server_cost(results: Sequence[Result]) -> str:
    known = [result.server_cpu_us for result in results if result.server_cpu_us is not None]
    return _spread(Spread.of(known), 0) if known else _NOT_MEASURED


def _remarks(results: Sequence[Result]) -> str:
    refused = sum(result.refused for result in results)
    busy = max(result.generator_busy for result in results)
    other = {k: v for k, v in total(results, "outcomes").items() if k != "stored"}
    remarks = [f"{refused:,} not answered with 200"] if refused else []
    remarks += [f"{number:,} {outcome}" for outcome, number in other.items()]
    remarks += [f"generator {100 * busy:.0f} % busy"] if busy > BUSY_GENERATOR else []
    return "; ".join(remarks)


def growth_table(measured: Mapping[str, Measured]) -> str:
    """Rates by what the store holds already."""
    sizes = sorted({size for each in measured.values() for size in each.growth})
    rows = [
        (
            f"{size:,}",
            *(
                _spread(Spread.of(rates(each.growth[size])), 0) if size in each.growth else _NOT_MEASURED
                for each in measured.values()
            ),
        )
        for size in sizes
    ]
    return table(("events stored before", *(f"{TITLES[kind]}, events/s" for kind in measured)), rows)


def _sentences(kind: str, measured: Measured) -> list[str]:
    """What does not fit into a table."""
    books = measured.books
    lines = [
        (
            f"{TITLES[kind]}: {books.acknowledged:,} events acknowledged, {books.missing:,} of them not in the store; "
            f"{books.captured:,} acknowledged as captured, {books.missing_captured:,} of them not in the store; "
            f"{books.unanswered:,} requests not answered with 200."
        )
    ]
    if (withdrawals := measured.withdrawals) is not None:
        lines.append(
            f"Withdrawals: while {withdrawals.events_per_second:,.0f} events/s were stored; each erased "
            f"{_spread(withdrawals.erased, 0)} examples; the slowest took {withdrawals.milliseconds.high:,.0f} ms."
        )
    if (bursts := measured.bursts) is not None:
        answers = ", ".join(f"{number:,} x {status}" for status, number in sorted(bursts.statuses.items()))
        lines.append(
            f"Bursts of {bursts.seconds:g} s: {bursts.idle_bytes / 1e6:,.0f} MB before, at most "
            f"{bursts.peaks[0] / 1e6:,.0f} and {bursts.peaks[1] / 1e6:,.0f} MB, {bursts.after_bytes / 1e6:,.0f} MB "
            f"after; answers: {answers}."
        )
    return [" ".join([*lines, *(f"Not measured: {reason}." for reason in measured.absent)])]


def markdown(run: Run) -> str:
    """The report of a run."""
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    cores = "the server on one core, the generator on another" if run.pinned else "no core reserved"
    parts = [
        (
            f"{machine()}; load {run.load_before:.1f} before; {cores}. Stores on {run.file_system}, where writing and "
            f"syncing 4 KiB takes {run.fsync_us:,.0f} us. Versions: {versions}. {run.rounds} rounds of "
            f"{run.seconds:g} s; medians, with the lowest and the highest."
        ),
        "### Capture: the figures to reach",
        goals_table(run.measured),
    ]
    for kind, measured in run.measured.items():
        if measured.cases:
            parts += [f"### Capture on {TITLES[kind]}", cases_table(measured)]
        parts += _sentences(kind, measured)
    if any(each.growth for each in run.measured.values()):
        parts += ["### Capture: growth", growth_table(run.measured)]
    return "\n\n".join(parts)
