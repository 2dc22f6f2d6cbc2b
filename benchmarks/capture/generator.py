"""The load generator, in a process of its own: `Generator` starts and asks it, `main` is what runs there.

It speaks HTTP/1.1 on raw connections: a client library would cost more than the server that is measured.
"""

import array
import asyncio
import dataclasses
import gc
import itertools
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Self

import msgspec
import uvloop

from benchmarks.capture.figures import overlap, percentile
from benchmarks.capture.loads import Bodies, Load, Result, requests
from benchmarks.page import ROOT

PATIENCE_SECONDS = 30  # for what is still under way when the time is over
_OK = "200"
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


def read_answer(received: bytes) -> tuple[str, bytes] | None:
    """The status and the body of an answer; None while it is not complete."""
    end = received.find(_END_OF_HEAD)
    if end < 0:
        return None
    head = received[:end].lower()
    place = head.find(_LENGTH)
    if place < 0:
        raise ValueError("an answer without Content-Length")
    length = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
    start = end + len(_END_OF_HEAD)
    if len(received) < start + length:
        return None
    return head[9:12].decode(), received[start : start + length]


class _Capture(msgspec.Struct):
    outcome: str
    reason: str | None = None


class _Event(msgspec.Struct):
    outcome: str
    capture: _Capture | None = None
    reason: str | None = None


class _Batch(msgspec.Struct):
    results: list[_Event]


_READ_EVENT = msgspec.json.Decoder(_Event)
_READ_BATCH = msgspec.json.Decoder(_Batch)


def _with_reason(outcome: str, reason: str | None) -> str:
    return f"{outcome}:{reason}" if reason else outcome


class Tally:
    """Counts what comes back. Only an answer that says what became of every event of its request is a 200."""

    def __init__(self, load: Load, *, start: float) -> None:
        self.start = start + load.warm_up_seconds
        self.end = self.start + load.seconds
        self._load = load
        self._events = 0.0
        self._latencies = array.array("d")
        self._statuses: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._captures: Counter[str] = Counter()

    def add(self, status: str, body: bytes, sent: float, answered: float) -> None:
        """Count one answer."""
        events = self._read(body) if status == _OK else None
        self._statuses["unreadable" if status == _OK and events is None else status] += 1
        for event in events or ():
            self._outcomes[_with_reason(event.outcome, event.reason)] += 1
            if event.capture is not None:
                self._captures[_with_reason(event.capture.outcome, event.capture.reason)] += 1
        if events is None:
            return
        stored = sum(1 for event in events if event.outcome == "stored")
        self._events += stored * overlap(self.start, self.end, of=(sent, answered))
        if self.start <= answered <= self.end:
            self._latencies.append(answered - sent)

    def _read(self, body: bytes) -> list[_Event] | None:
        """What became of each event; None when the answer does not say it of every one."""
        try:
            events = _READ_BATCH.decode(body).results if self._load.batch else [_READ_EVENT.decode(body)]
        except msgspec.DecodeError:
            return None
        return events if len(events) == max(self._load.batch, 1) else None

    def lose(self) -> None:
        """Count one request that was never answered."""
        self._statuses["lost"] += 1

    def result(self, *, busy: float, body_bytes: int) -> Result:
        """What became of the load."""
        ascending = sorted(self._latencies)
        shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return Result(
            events_per_second=self._events / self._load.seconds,
            latencies_ms={k: 1000 * percentile(ascending, share) for k, share in shares.items()} if ascending else {},
            statuses=dict(self._statuses),
            outcomes=dict(self._outcomes),
            captures=dict(self._captures),
            generator_busy=busy,
            body_bytes=body_bytes,
        )


class Connection(asyncio.Protocol):
    """One connection in a closed loop, until the time is over."""

    def __init__(self, numbered: Iterator[bytes], tally: Tally) -> None:
        self._requests = numbered
        self._tally = tally
        self._received = b""
        self._sent = 0.0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for `begin`: all connections begin together."""
        self._transport = transport

    def begin(self) -> None:
        """Send the next request."""
        request = next(self._requests)
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take the answer, and go on."""
        self._received += data
        answer = read_answer(self._received)
        if answer is None:
            return
        self._received = b""
        now = time.perf_counter()
        self._tally.add(*answer, self._sent, now)
        self._sent = 0.0
        if now < self._tally.end:
            self.begin()
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Count what was under way."""
        if self._sent:
            self._tally.lose()
        if not self.finished.done():
            self.finished.set_result(None)

    def give_up(self) -> None:
        """Wait no longer; `connection_lost` counts what is missing."""
        self._transport.abort()


async def send(load: Load, bodies: Bodies) -> Result:
    """Send one load."""
    loop = asyncio.get_running_loop()
    numbers = itertools.count()
    tally = Tally(load, start=0.0)

    def connection(place: int) -> Callable[[], Connection]:
        key = load.keys[place % len(load.keys)]
        return lambda: Connection(requests(load, bodies, numbers, key), tally)

    open_ones = [
        (await loop.create_connection(connection(place), "127.0.0.1", load.port))[1]
        for place in range(load.connections)
    ]
    began, computed = time.perf_counter(), time.process_time()
    tally.start = began + load.warm_up_seconds
    tally.end = tally.start + load.seconds
    for one in open_ones:
        one.begin()
    waiting = load.warm_up_seconds + load.seconds + PATIENCE_SECONDS
    _, late = await asyncio.wait([one.finished for one in open_ones], timeout=waiting)
    busy = (time.process_time() - computed) / (time.perf_counter() - began)
    if late:
        for one in open_ones:
            one.give_up()
        await asyncio.wait([one.finished for one in open_ones])
    return tally.result(busy=busy, body_bytes=bodies.mean_bytes())


class Generator:
    """The generator's process, on the core it was given; None: wherever the system puts it."""

    def __init__(self, core: int | None) -> None:
        self._core = core

    def __enter__(self) -> Self:
        arguments = [] if self._core is None else [str(self._core)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        return self

    def begin(self, load: Load) -> None:
        """Start a load; `result` waits for its end."""
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(json.dumps(dataclasses.asdict(load)) + "\n")
        self._process.stdin.flush()

    def result(self) -> Result:
        """Wait for the load that was begun."""
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator has ended; see what it printed above")
        return Result(**json.loads(line))

    def send(self, load: Load) -> Result:
        """Send a load and wait for its end."""
        self.begin(load)
        return self.result()

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def main() -> None:
    """Answer one line of JSON for each line of JSON."""
    if len(sys.argv) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 (not on every system)

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    bodies = {snippets: Bodies(snippets=snippets) for snippets in (False, True)}
    gc.freeze()
    gc.disable()  # a pause of ours would be read as one of the server
    for line in sys.stdin:
        load = Load(**json.loads(line))
        result = uvloop.run(send(load, bodies[load.snippets]))
        print(json.dumps(dataclasses.asdict(result)), flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
