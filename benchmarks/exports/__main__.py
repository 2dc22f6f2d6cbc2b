"""`make bench-export`: exports and the bare loops, in turns; writes the table of docs/benchmarks.md."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.exports.sources import SOURCES
from benchmarks.exports.work import WORK
from benchmarks.page import PAGE, ROOT, machine, put_between_markers, table

NAME = "bench-export"
BARE = {"chat-jsonl": "bare-lines", "huggingface": "bare-parquet"}
GOALS = {"chat-jsonl": 0.4, "huggingface": 0.5}
MOST_MB = 300

Figures = dict[str, list[dict[str, float]]]


def measure(source: str, rows: int, rounds: int, work: Path) -> Figures:
    """Each piece of work once a round, each in a process and a folder of its own."""
    found: Figures = {what: [] for what in WORK}
    for turn in range(rounds):
        for what in WORK:
            folder = work / "export"
            command = [sys.executable, "-m", "benchmarks.exports.work", what, source, str(rows), str(folder)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            found[what].append(json.loads(done.stdout))
            shutil.rmtree(folder, ignore_errors=True)
            print(f"{turn + 1}/{rounds} {what}: {found[what][-1]}", flush=True)
    return found


def report(source: str, rows: int, found: Figures) -> str:
    """The table, with medians; a ratio is of processor time within a round."""
    lines = []
    for what, runs in found.items():
        speed = rows / statistics.median(run["processor"] for run in runs)
        wall = rows / statistics.median(run["seconds"] for run in runs)
        peak = max(run["peak_mb"] for run in runs)
        size = statistics.median(run["bytes"] for run in runs) / 1e6
        lines.append([what, f"{wall:,.0f}", f"{speed:,.0f}", _ratio(what, found), f"{peak:.0f}", f"{size:,.0f}"])
    head = [
        "work",
        "rows/s on the wall",
        "rows/s of processor time",
        "against the bare loop (goal)",
        "peak MB",
        "MB written",
    ]
    about = (
        f"{rows:,} rows of 2,000 characters, source: {source}, {len(found['read'])} rounds, medians. A ratio is of"
        f" processor time; having the rows (`read`) costs next to nothing. Memory may be {MOST_MB} MB at most."
    )
    return f"{about}\n\n{table(head, lines)}\n\n{machine()}."


def _ratio(what: str, found: Figures) -> str:
    if what not in BARE:
        return ""
    pairs = zip(found[BARE[what]], found[what], strict=True)
    ratio = statistics.median(bare["processor"] / run["processor"] for bare, run in pairs)
    return f"{ratio:.2f} ({GOALS[what]}, {'met' if ratio >= GOALS[what] else 'missed'})"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="make bench-export", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", choices=sorted(SOURCES), default="generated")
    parser.add_argument("--no-page", action="store_true", help="print only")
    chosen = parser.parse_args()
    (ROOT / ".bench").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / ".bench") as work:
        text = report(chosen.source, chosen.rows, measure(chosen.source, chosen.rows, chosen.rounds, Path(work)))
    print(text)
    if not chosen.no_page:
        put_between_markers(PAGE, NAME, text)


if __name__ == "__main__":
    main()
