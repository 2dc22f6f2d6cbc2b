"""The tables, as Markdown."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.page import machine, table
from benchmarks.sanitizer.external import OTHER_KEYS
from benchmarks.sanitizer.generator import BY_FORM, BY_NAME, ENCODED, PASSWORDS, PERSONAL_DATA, STRUCTURAL
from benchmarks.sanitizer.measure import Times
from benchmarks.sanitizer.peers import OWN
from benchmarks.sanitizer.scorer import Score

NAME = "bench-sanitizer"  # of the make target and of the markers
COLUMNS = (BY_FORM, BY_NAME, PASSWORDS, STRUCTURAL, ENCODED, OTHER_KEYS, PERSONAL_DATA)
WEAK_KINDS = 12
RULES_NAME = "bench-sanitizer-rules"
SLOW_RULES = 10
GOAL_MS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of the benchmark: what was measured with what."""

    seed: int
    versions: Mapping[str, str]
    missing: Mapping[str, str]
    own: Mapping[str, Score]
    own_size: tuple[int, int]
    external: Mapping[str, Score] | None
    times: Mapping[str, Times]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def removal_table(scores: Mapping[str, Score]) -> str:
    """Shares of marked places removed, by category, and what happened to benign texts."""
    present = {category for score in scores.values() for category in score.by_category}
    shown = [category for category in COLUMNS if category in present]
    secrets = [category for category in shown if category != PERSONAL_DATA]
    head = ("tool", "all secrets", *shown, "benign texts altered", "altered of 1,000 characters")
    rows = [
        (
            name,
            _percent(score.share_of(secrets)),
            *(_percent(score.by_category[category].share) for category in shown),
            f"{100 * score.altered_share:.2f} %",
            f"{score.altered_per_thousand:.2f}",
        )
        for name, score in scores.items()
    ]
    failed = [f"{name} failed on {score.failures} texts." for name, score in scores.items() if score.failures]
    return "\n\n".join((table(head, rows), *failed))


def time_table(times: Mapping[str, Times]) -> str:
    """How long the tools take."""
    head = (
        "tool",
        "1 KB, median",
        "1 KB, p99",
        "64 KB mixed, median",
        "64 KB, slowest input",
        "largest growth 32 to 64 KB",
    )
    rows = []
    for name, taken in times.items():
        slowest, slowest_ms = taken.slowest
        grown, factor = taken.growth
        growth = f"x {factor:.2f} ({grown})" if grown else "too fast to tell"
        mixed = f"{statistics.median(taken.ms_per_64_kib):,.1f} ms"
        rows.append(
            (
                name,
                f"{taken.median_us:,.0f} us",
                f"{taken.p99_us:,.0f} us",
                mixed,
                f"{slowest_ms:,.1f} ms ({slowest})",
                growth,
            )
        )
    return table(head, rows)


def rules_table(times: Times) -> str:
    """The slowest inputs made of our rules' examples, and what holds for all of them."""
    slowest = sorted(times.worst_ms.items(), key=lambda item: -item[1][1])
    over = sum(long > GOAL_MS for _, (_, long) in slowest)
    grown, factor = times.growth
    facts = (
        f"{len(slowest)} rules, each with the slowest of its ten inputs. Over {GOAL_MS:.0f} ms at 64 KB: {over}. "
        f"Median: {statistics.median(long for _, (_, long) in slowest):.1f} ms. "
        f"Largest growth from 32 to 64 KB: x {factor:.2f} ({grown}). Inputs refused: {len(times.refused)}."
    )
    rows = [
        (name, f"{short:.1f} ms", f"{long:.1f} ms", f"x {long / short:.2f}")
        for name, (short, long) in slowest[:SLOW_RULES]
    ]
    return "\n\n".join((facts, table(("rule and input", "32 KB", "64 KB", "growth"), rows)))


def rules_markdown(times: Times, version: str) -> str:
    """The report of the rules' inputs."""
    return "\n\n".join((f"{machine()}. Version: {version}.", rules_table(times)))


def weak_kinds(score: Score) -> str:
    """Where a tool leaves most, kind by kind."""
    removed = [
        (tally.share, category, kind, tally.total)
        for (category, kind), tally in score.by_kind.items()
        if tally.share < 1
    ]
    altered = [
        (tally.share, "benign, unaltered", kind, tally.total)
        for kind, tally in score.benign_by_kind.items()
        if tally.share < 1
    ]
    worst = sorted(removed)[:WEAK_KINDS] + sorted(altered)[:WEAK_KINDS]
    return table(
        ("category", "kind", "held", "of"),
        [(category, kind, _percent(share), str(total)) for share, category, kind, total in worst],
    )


def markdown(run: Run) -> str:
    """The report of a run."""
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    parts = [
        f"{machine()}. Versions: {versions}. Seed {run.seed}.",
        *(f"Not compared: {name} does not install here ({reason})." for name, reason in run.missing.items()),
        f"### The project's own set: {run.own_size[0]:,} texts, {run.own_size[1]:,} marked places",
        removal_table(run.own),
    ]
    if run.external is not None:
        parts += ["### An external set", removal_table(run.external)]
    parts += ["### Time", time_table(run.times), f"### Where {OWN} is weakest in its own set", weak_kinds(run.own[OWN])]
    return "\n\n".join(parts)
