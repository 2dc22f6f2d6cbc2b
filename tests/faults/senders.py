"""Clients that repeat, reorder, flood, stall, lie about sizes and hang up."""

import contextlib
import gzip
import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from faults.arena import Run
from faults.catalogue import fault
from faults.invariants import Findings, check, recover
from faults.load import Event, in_batches, new_events, send
from faults.server import Server, read_answer

MEBIBYTE = 1024 * 1024


@fault("one event 32 times at once", in_every_suite=True)
def same_event_at_once(run: Run) -> Findings:
    server = run.serve()
    events = new_events(run, 4)
    for event in events:
        send(server, [event] * 32, connections=32)
        outcomes = [told.outcome for told in event.told]
        if outcomes.count("stored") != 1 or outcomes.count("duplicate") != 31:
            run.notes.append(f"32 at once: {outcomes}")
    recover(run, server)
    return check(run, server)


@fault("two processes, each event to both", in_every_suite=True)
def two_processes(run: Run) -> Findings:
    """Both write to one store at once; one is killed, the other goes on."""
    first, second = run.serve(), run.serve()
    events = new_events(run, 40)
    threads = [threading.Thread(target=send, args=(server, in_batches(run, events))) for server in (first, second)]
    for thread in threads:
        thread.start()
    if run.turn % 2:
        time.sleep(run.random.uniform(0.02, 0.15))
        first.kill()
    for thread in threads:
        thread.join()
    recover(run, second)
    return check(run, second, sole_writer=False)


@fault("out of order and repeated")
def out_of_order(run: Run) -> Findings:
    server = run.serve()
    events = new_events(run, 30)
    for event in events:
        day = run.random.randrange(1, 28)
        event.body["ts"] = f"2026-{run.random.randrange(8, 11):02}-{day:02}T12:00:00+00:00"
    several = events * 3
    run.random.shuffle(several)
    send(server, several, connections=8)
    recover(run, server)
    return check(run, server)


@fault("more than the queue holds", in_every_suite=True)
def queue_overrun(run: Run) -> Findings:
    """The writer stands still while clients go on: what finds no place is told to come back at once."""
    server = run.serve(queue_events=8, failpoint="writer.begun:1:hold")
    events = new_events(run, 60)
    send(server, in_batches(run, events) if run.turn % 2 else events, connections=30)
    statuses = [told.status for event in events for told in event.told]
    if not set(statuses) <= {200, 503} or 503 not in statuses:
        run.notes.append(f"answers to a burst: {sorted(set(statuses), key=str)}")
    recover(run, server)
    return check(run, server)


@fault("bodies beyond every limit", in_every_suite=True)
def oversize(run: Run) -> Findings:
    """Announced, chunked without a length, and compressed to nothing: refused, and the memory stays small."""
    server = run.serve()
    before = server.peak_mebibytes()
    for path, limit in (("/api/track", 256 * 1024), ("/api/track/batch", 8 * MEBIBYTE)):
        body = json.dumps({"tool_input_snippet": "x" * limit}).encode()
        bomb = gzip.compress(bytes(256 * MEBIBYTE // 8), 1)
        for name, answered, allowed in (
            ("announced", _try(server, run, path, body), {413, None}),
            ("chunked", _try(server, run, path, _pieces(64 * MEBIBYTE)), {413, None}),
            ("gzip", _try(server, run, path, bomb, {"Content-Encoding": "gzip"}), {413, 415, 422}),
        ):
            if answered not in allowed:
                run.notes.append(f"{name} to {path}: {answered}")
    grown = server.peak_mebibytes() - before
    if grown > 64:
        run.notes.append(f"{grown:.0f} MiB more for bodies that were refused")
    send(server, new_events(run, 10))
    recover(run, server)
    return check(run, server)


def _try(server: Server, run: Run, path: str, body: object, headers: dict[str, str] | None = None) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    given = {"Authorization": f"Bearer {run.key('bob')}", "Content-Type": "application/json", **(headers or {})}
    try:
        connection.request("POST", path, body=body, headers=given, encode_chunked=not isinstance(body, bytes))  # type: ignore[arg-type]
        return read_answer(connection)[0]
    except (OSError, http.client.HTTPException):  # the server had said no and closed while we were still sending
        return None
    finally:
        connection.close()


def _pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65_536):
        yield b"x" * 65_536


@fault("senders that stall and hang up", in_every_suite=True)
def stalling(run: Run) -> Findings:
    """Half a request on each of many connections; the others' uses pass, and those who hang up can ask again."""
    server = run.serve()
    events = new_events(run, 40)
    stalled = [_half(server, event) for event in events[:20]]
    send(server, events[20:])
    slow = [told.status for event in events[20:] for told in event.told]
    if set(slow) != {200}:
        run.notes.append(f"beside stalled senders: {slow}")
    gone = [_whole_and_gone(server, event) for event in events[:5]]
    for connection in (*stalled, *gone):
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    recover(run, server)
    return check(run, server)


def _request(event: Event) -> tuple[bytes, bytes]:
    body = json.dumps(event.body).encode()
    head = (
        f"POST /api/track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {event.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode(), body


def _half(server: Server, event: Event) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port))
    head, body = _request(event)
    connection.sendall(head + body[: len(body) // 2])
    return connection


def _whole_and_gone(server: Server, event: Event) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(b"".join(_request(event)))
    return connection


@fault("clock that jumps")
def clock_jumps(run: Run) -> Findings:
    """Hours forward and back, between uses and below them: nothing is lost, nothing is stored twice."""
    clock = run.folder / "clock"
    clock.write_text("0")
    server = run.serve(clock=clock)
    for seconds in run.random.sample((-7200, -61, -1, 0, 2, 59, 3600, 86_000), 4):
        _set(clock, seconds)
        send(server, in_batches(run, new_events(run, 8)))
    refused = [told for event in run.events for told in event.told if told.status != 200]
    run.notes.extend(f"at another hour: {told}" for told in refused[:3])
    _set(clock, 0)
    recover(run, server)
    return check(run, server)


def _set(clock: Path, seconds: int) -> None:
    new = clock.with_suffix(".new")
    new.write_text(str(seconds))
    new.replace(clock)
