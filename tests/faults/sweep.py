"""One run after the other: what is run, and what came out of it."""

import importlib
import os
import statistics
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.util import Finalize

from faults.arena import Arena
from faults.catalogue import FAULTS, Fault
from faults.invariants import log_of

for _module in ("consents", "databases", "disks", "kills", "senders", "versions"):
    importlib.import_module(f"faults.{_module}")


_arena: Arena | None = None


@dataclass(frozen=True)
class Planned:
    """One run to do: everything that makes it the same again."""

    fault: str
    store: str
    turn: int
    seed: int

    def __str__(self) -> str:
        return f"{self.fault} / {self.store} / turn {self.turn} / seed {self.seed}"


@dataclass
class Outcome:
    """What one run showed."""

    planned: Planned
    seconds: float = 0.0
    sent: int = 0
    acknowledged: int = 0
    recovery_seconds: list[float] = field(default_factory=list)
    peak_mebibytes: float = 0.0
    findings: dict[str, list[str]] = field(default_factory=dict)
    log: str = ""


def find(name: str) -> Fault:
    """The fault of this name."""
    return next(fault for fault in FAULTS if fault.name == name)


def possible() -> list[Fault]:
    """What can be run here; disks are only made for root."""
    return [fault for fault in FAULTS if not fault.needs_root or os.geteuid() == 0]


def plan(runs: int, seed: int) -> Iterator[Planned]:
    """So many runs, every fault and store in turn by its share."""
    pairs = [(fault, store) for fault in possible() for store in fault.stores]
    whole = sum(fault.share for fault, _ in pairs)
    done = {(fault.name, store): 0 for fault, store in pairs}
    for number in range(runs):
        fault, store = max(pairs, key=lambda pair: number * pair[0].share / whole - done[pair[0].name, pair[1]])
        turn = done[fault.name, store]
        done[fault.name, store] += 1
        yield Planned(fault.name, store, turn, seed * 1_000_003 + number)


def open_arena() -> None:
    """Make the arena of this process of the pool; it is closed at the end of the process."""
    global _arena  # noqa: PLW0603 (one for each process)
    _arena = Arena()
    Finalize(None, _arena.close, exitpriority=10)


def carry_out_here(planned: Planned) -> Outcome:
    """Do one run in this process's arena."""
    assert _arena is not None
    return carry_out(_arena, planned)


def carry_out(arena: Arena, planned: Planned) -> Outcome:
    """Do one run; whatever goes wrong in it is a finding."""
    outcome = Outcome(planned)
    began = time.monotonic()
    try:
        with arena.run(planned.store, planned.seed, planned.turn) as run:
            try:
                outcome.findings = find(planned.fault).story(run).all()
            except Exception:  # noqa: BLE001 (a broken run is one, too)
                outcome.findings = {"other": [traceback.format_exc()]}
            outcome.sent = sum(len(event.told) for event in run.events)
            outcome.acknowledged = sum(len(event.acknowledged) for event in run.events)
            outcome.recovery_seconds = run.recovery_seconds
            outcome.peak_mebibytes = run.peak_mebibytes
            outcome.log = log_of(run) if outcome.findings else ""
    except Exception:  # noqa: BLE001
        outcome.findings.setdefault("other", []).append(traceback.format_exc())
    outcome.seconds = time.monotonic() - began
    return outcome


def count(outcomes: Sequence[Outcome], kind: str) -> int:
    """How many findings of a kind there are."""
    return sum(len(outcome.findings.get(kind, ())) for outcome in outcomes)


def recovery(outcomes: Sequence[Outcome]) -> tuple[float, float] | None:
    """Median and longest time to recover, in seconds; None where nothing had to."""
    seconds = [second for outcome in outcomes for second in outcome.recovery_seconds]
    return (statistics.median(seconds), max(seconds)) if seconds else None


def as_json(outcome: Outcome) -> dict[str, object]:
    """For a file of results."""
    return asdict(outcome)
