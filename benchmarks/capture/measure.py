"""What is measured, and in which order: everything that is compared is taken in turn, round by round."""

import http.client
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from benchmarks.capture.figures import Spread
from benchmarks.capture.filling import fill
from benchmarks.capture.generator import Generator
from benchmarks.capture.loads import BATCH, Load, Result, total
from benchmarks.capture.servers import NULL_SINK, ONE_COMMIT, REAL, Server, ask, serving
from benchmarks.capture.stores import Store, Stored, Stores

PROGRAMS = {"goldvein": REAL, "null sink": NULL_SINK, "one commit each": ONE_COMMIT}
BURST_FOLD = 10
MOST_CONNECTIONS = 256
WITHDRAWALS = 10
BETWEEN_WITHDRAWALS_SECONDS = 0.6
IDLE_SECONDS = 1.0
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One line of the table: a load on one of the programs."""

    program: str = "goldvein"
    connections: int
    people: str = "consenting"
    batch: int = 0
    snippets: bool = False

    def __str__(self) -> str:
        """How the table calls it, without program and connections."""
        what = "snippets" if self.snippets else "no snippets"
        whose = {"consenting": "", "silent": ", person's consent off", "switched_off": ", tenant's switch off"}
        return f"{what}{whose[self.people]}{f', batches of {self.batch:,}' if self.batch else ''}"


NULL_256 = Case(program="null sink", connections=256)
PLAIN_256 = Case(connections=256)
ONE_COMMIT_256 = Case(program="one commit each", connections=256)
PLAIN_32 = Case(connections=32)
SWITCHED_OFF = Case(connections=32, people="switched_off", snippets=True)
SILENT = Case(connections=32, people="silent", snippets=True)
NULL_CAPTURE = Case(program="null sink", connections=32, snippets=True)
CAPTURE = Case(connections=32, snippets=True)
ONE_COMMIT_CAPTURE = Case(program="one commit each", connections=32, snippets=True)
CAPTURE_256 = Case(connections=256, snippets=True)
PLAIN_1 = Case(connections=1)
CAPTURE_1 = Case(connections=1, snippets=True)
SINGLES = (
    *(NULL_256, PLAIN_256, ONE_COMMIT_256, PLAIN_32, SWITCHED_OFF, SILENT, NULL_CAPTURE, CAPTURE, ONE_COMMIT_CAPTURE),
    *(CAPTURE_256, PLAIN_1, CAPTURE_1),
)
# As many connections as keep the server busy, and no more: what is on its way is in its memory.
_CONNECTIONS_OF_BATCH = {1: 32, 100: 8, 1000: 2}
BATCHES = tuple(
    Case(connections=connections, batch=batch, snippets=snippets)
    for snippets in (False, True)
    for batch, connections in _CONNECTIONS_OF_BATCH.items()
)
BATCH_100, BATCH_100_CAPTURE = BATCHES[1], BATCHES[4]


@dataclass(kw_only=True, slots=True)
class Books:
    """What was acknowledged by the servers of one store, against what lies in it afterwards."""

    acknowledged: int = 0
    captured: int = 0
    unanswered: int = 0
    missing: int = 0
    missing_captured: int = 0

    def close(self, results: Sequence[Result], before: Stored, after: Stored) -> None:
        """Enter what a store should hold more than before, and what of that is not there."""
        acknowledged, captured = total(results, "outcomes")["stored"], total(results, "captures")["captured"]
        self.acknowledged += acknowledged
        self.captured += captured
        self.unanswered += total(results, "statuses").total() - total(results, "statuses")["200"]
        self.missing += max(0, acknowledged - (after.events - before.events))
        self.missing_captured += max(0, captured - (after.captured - before.captured))


@dataclass(frozen=True, kw_only=True, slots=True)
class Starts:
    """Starts on a store that is there: time to the first answer, and memory after a moment without work."""

    seconds: Spread
    idle_bytes: Spread | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawals:
    """How long a withdrawal takes for the person, and how much it erased."""

    milliseconds: Spread
    erased: Spread
    events_per_second: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bursts:
    """Memory of a server before, and at most during, two bursts of many times its connections, one after the other."""

    seconds: float
    idle_bytes: int
    peaks: tuple[int, int]
    after_bytes: int
    statuses: dict[str, int]


@dataclass(kw_only=True, slots=True)
class Measured:
    """Everything measured on one kind of store."""

    cases: dict[Case, list[Result]] = field(default_factory=dict)
    growth: dict[int, list[Result]] = field(default_factory=dict)
    starts: Starts | None = None
    withdrawals: Withdrawals | None = None
    bursts: Bursts | None = None
    books: Books = field(default_factory=Books)
    absent: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What the measurements share."""

    stores: Stores
    generator: Generator
    server_core: int | None
    rounds: int
    seconds: float
    say: Callable[[str], None]
    warm_up_seconds: float = 0.5

    def load(self, server: Server, store: Store, case: Case, *, seconds: float | None = None) -> Load:
        """The load of a case, with event ids of its own."""
        keys = getattr(store.keys, case.people)
        return Load(
            port=server.port,
            keys=(keys,) if isinstance(keys, str) else keys,
            connections=case.connections,
            run=secrets.token_hex(6),
            batch=case.batch,
            snippets=case.snippets,
            warm_up_seconds=self.warm_up_seconds,
            seconds=seconds or self.seconds,
        )

    def send(self, server: Server, store: Store, case: Case) -> Result:
        """Take a case once, with what it cost the server."""
        before = server.cpu_seconds()
        result = self.generator.send(self.load(server, store, case))
        after, stored = server.cpu_seconds(), result.outcomes.get("stored", 0)
        if before is None or after is None or not stored:
            return result
        return replace(result, server_cpu_us=1e6 * (after - before) / stored)


def _there_and_back(cases: Sequence[Case], rounds: int) -> Iterator[Case]:
    """Every case once a round, every other round backwards, so that no case always comes after the same one."""
    for number in range(rounds):
        yield from cases if number % 2 == 0 else reversed(cases)


def measure_cases(bench: Bench, kind: str, cases: Sequence[Case], measured: Measured) -> None:
    """Take every case on servers that run side by side, each with a store of its own; only one of them has work."""
    names = dict.fromkeys(case.program for case in cases)
    with ExitStack() as running:
        stores = {name: bench.stores.make(kind, name.replace(" ", "-")) for name in names}
        servers = {
            name: running.enter_context(serving(stores[name], core=bench.server_core, program=PROGRAMS[name]))
            for name in names
        }
        usable = _answered(servers["goldvein"], stores["goldvein"], cases, measured)
        before = {name: store.count() for name, store in stores.items()}
        taken: dict[str, list[Result]] = {name: [] for name in names}
        for case in _there_and_back(usable, bench.rounds):
            result = bench.send(servers[case.program], stores[case.program], case)
            measured.cases.setdefault(case, []).append(result)
            taken[case.program].append(result)
            bench.say(f"{kind}, {case.program}, {case}, {case.connections}: {result.events_per_second:,.0f}/s")
        for name, store in stores.items():
            if name != "null sink":
                measured.books.close(taken[name], before[name], store.count())
    for store in stores.values():
        bench.stores.remove(store)


def _answered(server: Server, store: Store, cases: Sequence[Case], measured: Measured) -> Sequence[Case]:
    """The cases whose route this server has."""
    if not any(case.batch for case in cases):
        return cases
    status, _ = ask(server.port, "POST", BATCH, key=store.keys.silent, body='{"events":[]}')
    if status not in {http.client.NOT_FOUND, http.client.METHOD_NOT_ALLOWED}:
        return cases
    measured.absent.append(f"batches: this server has no {BATCH}")
    return [case for case in cases if not case.batch]


def measure_starts(bench: Bench, kind: str, measured: Measured) -> None:
    """Start the server again and again on one store."""
    store = bench.stores.make(kind, "starts")
    seconds, memory = [], []
    for _ in range(bench.rounds + 2):
        with serving(store, core=bench.server_core) as server:
            seconds.append(server.start_seconds)
            time.sleep(IDLE_SECONDS)
            memory.append(server.resident_bytes())
    known = [size for size in memory if size is not None]
    measured.starts = Starts(seconds=Spread.of(seconds), idle_bytes=Spread.of(known) if known else None)
    bench.say(f"{kind}, start: {measured.starts.seconds.median:.2f} s")
    bench.stores.remove(store)


def measure_withdrawals(bench: Bench, kind: str, measured: Measured) -> None:
    """Withdraw and give again while everybody's uses are captured; the load goes on meanwhile."""
    store = bench.stores.make(kind, "withdrawals")
    seconds = WITHDRAWALS * (BETWEEN_WITHDRAWALS_SECONDS + 0.2)
    with serving(store, core=bench.server_core) as server:
        before = store.count()
        bench.generator.begin(bench.load(server, store, CAPTURE, seconds=seconds))
        taken = [_withdraw(server, store.keys.consenting[0]) for _ in range(WITHDRAWALS)]
        result = bench.generator.result()
        measured.books.close([result], before, store.count())
    measured.withdrawals = Withdrawals(
        milliseconds=Spread.of([milliseconds for milliseconds, _ in taken]),
        erased=Spread.of([erased for _, erased in taken]),
        events_per_second=result.events_per_second,
    )
    bench.say(f"{kind}, withdrawal: {measured.withdrawals.milliseconds.median:.0f} ms")
    bench.stores.remove(store)


def _withdraw(server: Server, key: str) -> tuple[float, int]:
    """Let some be captured, withdraw, give again: how many milliseconds the withdrawal took, and what it erased."""
    time.sleep(BETWEEN_WITHDRAWALS_SECONDS)
    began = time.perf_counter()
    status, answer = ask(server.port, "POST", "/api/me/consent", key=key, body='{"decision":"withdraw"}')
    milliseconds = 1000 * (time.perf_counter() - began)
    if status != http.client.OK:
        raise RuntimeError(f"a withdrawal was answered with {status}: {answer.decode()}")
    again, _ = ask(server.port, "POST", "/api/me/consent", key=key, body='{"decision":"give"}')
    if again != http.client.OK:
        raise RuntimeError(f"a consent was answered with {again}")
    return milliseconds, json.loads(answer)["erased_examples"]


def measure_bursts(bench: Bench, kind: str, measured: Measured, *, seconds: float) -> None:
    """Two bursts of ten times as many connections as the largest case has, all capturing, none ever pausing."""
    store = bench.stores.make(kind, "bursts")
    with serving(store, core=bench.server_core) as server:
        before, idle = store.count(), server.resident_bytes()
        results, peaks = [], []
        for _ in range(2):
            burst = Case(connections=BURST_FOLD * MOST_CONNECTIONS, snippets=True)
            bench.generator.begin(bench.load(server, store, burst, seconds=seconds))
            peaks.append(_peak(server, seconds))
            results.append(bench.generator.result())
        time.sleep(IDLE_SECONDS)
        after = server.resident_bytes()
        measured.books.close(results, before, store.count())
    if idle is None or after is None:
        measured.absent.append("memory under a burst: this system does not tell it")
    else:
        statuses = dict(total(results, "statuses"))
        measured.bursts = Bursts(
            seconds=seconds, idle_bytes=idle, peaks=(peaks[0], peaks[1]), after_bytes=after, statuses=statuses
        )
        bench.say(f"{kind}, bursts: at most {max(peaks) / 1e6:.0f} MB")
    bench.stores.remove(store)


def _peak(server: Server, seconds: float) -> int:
    """The most memory the server was seen to hold in this time."""
    most, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        most = max(most, server.resident_bytes() or 0)
        time.sleep(_SAMPLE_SECONDS)
    return most


def measure_growth(bench: Bench, kind: str, sizes: Sequence[int], measured: Measured) -> None:
    """The same load on stores that differ in what they hold already; their servers run side by side."""
    with ExitStack() as running:
        stores, servers = {}, {}
        for size in sizes:
            stores[size] = bench.stores.make(kind, f"with-{size}")
            fill(stores[size], size)
            bench.say(f"{kind}: filled with {size:,} events")
        for size, store in stores.items():
            servers[size] = running.enter_context(serving(store, core=bench.server_core))
        before = {size: store.count() for size, store in stores.items()}
        for number in range(bench.rounds):
            for size in sizes if number % 2 == 0 else reversed(sizes):
                result = bench.send(servers[size], stores[size], PLAIN_32)
                measured.growth.setdefault(size, []).append(result)
                bench.say(f"{kind}, {size:,} events stored: {result.events_per_second:,.0f}/s")
        for size, store in stores.items():
            measured.books.close(measured.growth[size], before[size], store.count())
    for store in stores.values():
        bench.stores.remove(store)
