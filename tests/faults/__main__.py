"""`make faults`: many seeded runs, two at a time, and their counts in docs/reliability.md."""

import argparse
import json
import multiprocessing
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.page import machine, put_between_markers, table
from faults.invariants import MEMORY_MEBIBYTES
from faults.sweep import Outcome, as_json, carry_out_here, count, open_arena, plan, recovery

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
KINDS = ("lost", "doubled", "sums", "unsanitized", "against_consent", "other")


def main() -> int:
    """Run, tell, write; returns 1 if anything was found."""
    given = _arguments()
    runs = list(plan(given.runs, given.seed))
    if given.only:
        runs = [run for run in runs if str(run).startswith(given.only)]
    print(f"{len(runs)} runs, seed {given.seed}")
    began = time.monotonic()
    outcomes = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.workers, mp_context=context, initializer=open_arena) as pool:
        for outcome in pool.map(carry_out_here, runs):
            outcomes.append(outcome)
            _tell(outcome, len(outcomes), len(runs))
    if given.json:
        Path(given.json).write_text(json.dumps([as_json(outcome) for outcome in outcomes]), encoding="utf-8")
    report = _report(outcomes, given.seed, time.monotonic() - began)
    print(report)
    if not given.only:
        put_between_markers(PAGE, "faults", report)
    return int(any(outcome.findings for outcome in outcomes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000), help="the same seed, the same runs")
    parser.add_argument("--workers", type=int, default=2, help="runs at a time")
    parser.add_argument("--only", default="", help="runs whose description begins so; the page stays as it is")
    parser.add_argument("--json", default="", help="a file for every run's outcome")
    return parser.parse_args()


def _tell(outcome: Outcome, number: int, of: int) -> None:
    if outcome.findings:
        print(f"\nFOUND in {outcome.planned}\n{json.dumps(outcome.findings, indent=1)[:4000]}\n{outcome.log[-3000:]}")
    if outcome.findings or number % 25 == 0 or number == of:
        print(f"{number} of {of}; last: {outcome.planned}, {outcome.seconds:.1f} s", flush=True)


def _report(outcomes: Sequence[Outcome], seed: int, seconds: float) -> str:
    by_kind: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        by_kind.setdefault((outcome.planned.fault, outcome.planned.store), []).append(outcome)
    head = (
        "fault",
        "store",
        "runs",
        "answers",
        "acknowledged",
        "lost",
        "twice",
        "other",
        "recovery, median",
        "longest",
    )
    rows = [_row(name, store, found) for (name, store), found in sorted(by_kind.items())]
    rows.append(_row("**all**", "", outcomes))
    peak = max((outcome.peak_mebibytes for outcome in outcomes), default=0.0)
    return (
        f"{len(outcomes):,} runs with seed {seed} in {seconds / 60:.0f} minutes: {machine()}. "
        f"Acknowledged: {sum(outcome.acknowledged for outcome in outcomes):,}. Acknowledged and lost: "
        f"{count(outcomes, 'lost')}. Raw text on a disk: {count(outcomes, 'unsanitized')}. Text without consent: "
        f"{count(outcomes, 'against_consent')}. Most memory of a server: {peak:.0f} MiB (limit {MEMORY_MEBIBYTES:.0f}).\n\n"
        + table(head, rows)
    )


def _row(name: str, store: str, outcomes: Sequence[Outcome]) -> list[str]:
    others = sum(count(outcomes, kind) for kind in KINDS[2:])
    times = recovery(outcomes)
    shown = ["", ""] if times is None else [f"{second * 1000:,.0f} ms" for second in times]
    sent = sum(outcome.sent for outcome in outcomes)
    acknowledged = sum(outcome.acknowledged for outcome in outcomes)
    numbers = (len(outcomes), sent, acknowledged, count(outcomes, "lost"), count(outcomes, "doubled"), others)
    return [name, store, *(f"{number:,}" for number in numbers), *shown]


if __name__ == "__main__":
    sys.exit(main())
