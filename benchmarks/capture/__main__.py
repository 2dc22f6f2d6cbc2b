"""`python -m benchmarks.capture`: measure the capture path on both kinds of store and write the tables."""

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import sqlalchemy
import uvicorn

from benchmarks.capture.generator import Generator
from benchmarks.capture.measure import (
    BATCHES,
    SINGLES,
    Bench,
    Measured,
    measure_bursts,
    measure_cases,
    measure_growth,
    measure_starts,
    measure_withdrawals,
)
from benchmarks.capture.report import NAME, Run, markdown
from benchmarks.capture.servers import cores
from benchmarks.capture.stores import KINDS, file_system_of, stores_in
from benchmarks.page import PAGE, ROOT, put_between_markers
from goldvein.app import VERSION

PARTS = ("single", "batch", "withdrawal", "start", "burst", "growth")
FULL_BURST_SECONDS = 60
FULL_GROWTH = (10_000, 1_000_000, 10_000_000)
_SYNCS, _SYNCED_BYTES = 200, 4096


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capture", description=__doc__)
    parser.add_argument("--stores", nargs="+", default=list(KINDS), choices=KINDS, help="default: both")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS, help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is taken in turn (default: 3)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement (default: 2)")
    parser.add_argument("--burst-seconds", type=float, default=15.0, help="of each of two bursts (default: 15)")
    parser.add_argument("--growth", type=int, nargs="+", default=list(FULL_GROWTH[:2]), help="sizes of the stores")
    parser.add_argument("--full", action="store_true", help="bursts of a minute, and ten million events")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where the stores lie (default: .bench)")
    parser.add_argument("--print-only", action="store_true", help="leave docs/benchmarks.md as it is")
    arguments = parser.parse_args(given)
    if arguments.full:
        arguments.burst_seconds, arguments.growth = FULL_BURST_SECONDS, list(FULL_GROWTH)
    return arguments


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _sync_us(folder: Path) -> float:
    """How long it takes to write 4 KiB and sync them, in microseconds: the floor under every commit."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(os.urandom(_SYNCED_BYTES))
            file.flush()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return 1e6 * statistics.median(taken)


def _versions(kinds: Sequence[str]) -> dict[str, str]:
    versions = {"goldvein": VERSION, "uvicorn": uvicorn.__version__, "SQLAlchemy": sqlalchemy.__version__}
    if "sqlite" in kinds:
        versions["SQLite"] = sqlite3.sqlite_version
    if "postgresql" in kinds:
        versions["psycopg"] = psycopg.__version__
    return versions


def _measure(bench: Bench, kind: str, arguments: argparse.Namespace) -> Measured:
    measured, parts = Measured(), arguments.parts
    cases = (*(SINGLES if "single" in parts else ()), *(BATCHES if "batch" in parts else ()))
    if "start" in parts:
        measure_starts(bench, kind, measured)
    if cases:
        measure_cases(bench, kind, cases, measured)
    if "withdrawal" in parts:
        measure_withdrawals(bench, kind, measured)
    if "burst" in parts:
        measure_bursts(bench, kind, measured, seconds=arguments.burst_seconds)
    if "growth" in parts:
        measure_growth(bench, kind, arguments.growth, measured)
    return measured


def main(given: Sequence[str] | None = None) -> None:
    """Run everything once and write the tables; a run of some parts or stores is only printed."""
    arguments = _arguments(given)
    load_before = os.getloadavg()[0]
    server_core, generator_core = cores()
    with stores_in(arguments.folder) as stores, Generator(generator_core) as generator:
        bench = Bench(
            stores=stores,
            generator=generator,
            server_core=server_core,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            say=_say,
        )
        fsync_us, file_system = _sync_us(stores.folder), file_system_of(stores.folder)
        measured = {kind: _measure(bench, kind, arguments) for kind in arguments.stores}
        versions = _versions(arguments.stores) | stores.versions()
    run = Run(
        measured=measured,
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        versions=versions,
        file_system=file_system,
        fsync_us=fsync_us,
        pinned=server_core is not None,
        load_before=load_before,
    )
    text = markdown(run)
    print(text)
    whole = set(arguments.parts) == set(PARTS) and set(arguments.stores) == set(KINDS)
    if whole and not arguments.print_only:
        put_between_markers(PAGE, NAME, text)
    elif not whole:
        _say("Only a part was measured: docs/benchmarks.md is left as it is.")


if __name__ == "__main__":
    main()
