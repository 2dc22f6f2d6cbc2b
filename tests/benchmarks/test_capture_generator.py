"""The load generator: what it sends is what a client sends, and it notices what is not an answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.capture.generator import Generator, read_answer, send
from benchmarks.capture.loads import BATCH, Bodies, Load, Result
from goldvein.capture.formats import read_track

CAPTURED = {"event_id": "1", "outcome": "stored", "capture": {"outcome": "captured", "reason": None}}
DENIED = {"event_id": "2", "outcome": "stored", "capture": {"outcome": "denied", "reason": "no_consent"}}
DUPLICATE = {"event_id": "2", "outcome": "duplicate", "capture": {"outcome": "captured", "reason": None}}

Request = tuple[str, str, Any]
Answer = Callable[[int], bytes | None]


def answer(status: int, content: object) -> bytes:
    body = json.dumps(content).encode()
    return b"HTTP/1.1 %d Any\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def generate(answers: Answer, **options: Any) -> tuple[Result, list[Request]]:
    """Send a short load to a server that answers its n-th request as told; None: it hangs up."""
    seen: list[Request] = []
    closed: list[Awaitable[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            seen.append((head.split()[1], head.split("Bearer ")[1].split("\r\n")[0], body))
            told = answers(len(seen))
            if told is None:
                break
            for piece in (told[:30], told[30:]):  # as a network may cut it
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
        writer.close()
        closed.append(writer.wait_closed())

    async def run() -> Result:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = {"keys": ("one", "two"), "connections": 3, "run": "run", "warm_up_seconds": 0.0, "seconds": 0.3}
        load = Load(port=port, **(settings | options))
        try:
            return await send(load, Bodies(snippets=load.snippets))
        finally:
            server.close()
            await asyncio.sleep(0.05)  # the ends of its connections arrive
            await asyncio.gather(*closed, return_exceptions=True)

    return asyncio.run(run()), seen


def test_every_request_is_a_new_event_that_the_server_can_read() -> None:
    result, seen = generate(lambda _: answer(200, CAPTURED), snippets=True)
    ids = [body["event_id"] for _, _, body in seen]
    assert len(ids) > 10
    assert len(set(ids)) == len(ids)
    assert {key for _, key, _ in seen} == {"one", "two"}
    now = datetime.now(UTC)
    for path, _, body in seen:
        assert path == "/api/track"
        read_track(json.dumps(body).encode(), received_at=now, oldest=datetime(2020, 1, 1, tzinfo=UTC))
        assert len(body["tool_input_snippet"] + body["tool_output_snippet"]) == 1300
    assert result.statuses == {"200": len(seen)}
    assert result.outcomes == {"stored": len(seen)}
    assert result.captures == {"captured": len(seen)}
    assert set(result.latencies_ms) == {"p50", "p99", "max"}
    assert result.events_per_second == pytest.approx(len(seen) / 0.3, rel=0.2)


def test_without_snippets_none_are_sent() -> None:
    _, seen = generate(lambda _: answer(200, DENIED))
    assert all("tool_input_snippet" not in body for _, _, body in seen)


def test_an_answer_that_is_not_200_is_counted_and_is_no_event() -> None:
    result, seen = generate(lambda number: answer(200 if number % 2 else 503, DENIED))
    assert result.refused == result.statuses["503"] == len(seen) // 2
    assert result.outcomes["stored"] == result.statuses["200"] == len(seen) - result.refused
    assert result.captures == {"denied:no_consent": result.statuses["200"]}


def test_of_errors_alone_there_is_no_rate_and_no_latency() -> None:
    result, seen = generate(lambda _: answer(429, {"error": {}}))
    assert (result.events_per_second, result.latencies_ms, result.outcomes) == (0.0, {}, {})
    assert result.statuses == {"429": len(seen)}


def test_a_duplicate_is_not_an_event_that_was_stored() -> None:
    result, seen = generate(lambda _: answer(200, DUPLICATE))
    assert result.events_per_second == 0.0
    assert result.outcomes == {"duplicate": len(seen)}


def test_a_broken_connection_is_counted() -> None:
    result, seen = generate(lambda number: answer(200, DENIED) if number <= 5 else None)
    assert result.statuses == {"200": 5, "lost": 3}
    assert len(seen) == 8


def test_a_batch_counts_each_of_its_events() -> None:
    rejected = {"outcome": "rejected", "reason": "invalid"}
    result, seen = generate(lambda _: answer(200, {"results": [CAPTURED, DENIED, rejected, DUPLICATE]}), batch=4)
    ids = [event["event_id"] for _, _, body in seen for event in body["events"]]
    assert len(set(ids)) == len(ids) == 4 * len(seen)
    assert {path for path, _, _ in seen} == {BATCH}
    number = len(seen)
    assert result.outcomes == {"stored": 2 * number, "rejected:invalid": number, "duplicate": number}
    assert result.events_per_second == pytest.approx(2 * number / 0.3, rel=0.2)


@pytest.mark.parametrize("content", [{"results": [CAPTURED]}, {"results": [CAPTURED] * 3}, CAPTURED, {}, "fine"])
def test_a_200_that_does_not_say_what_became_of_every_event_is_not_believed(content: object) -> None:
    result, seen = generate(lambda _: answer(200, content), batch=2)
    assert (result.outcomes, result.latencies_ms) == ({}, {})
    assert result.refused == result.statuses["unreadable"] == len(seen)


def test_an_answer_is_read_when_it_is_complete_and_not_before() -> None:
    whole = answer(200, CAPTURED)
    assert [read_answer(whole[:length]) for length in range(len(whole))] == [None] * len(whole)
    status, body = read_answer(whole) or ("", b"")
    assert (status, json.loads(body)) == ("200", CAPTURED)
    with pytest.raises(ValueError, match="Content-Length"):
        read_answer(b"HTTP/1.1 200 OK\r\n\r\n")


def test_a_generator_that_cannot_send_says_so() -> None:
    with Generator(None) as generator, pytest.raises(RuntimeError, match="ended"):
        generator.send(Load(port=1, keys=("one",), connections=1, run="run", warm_up_seconds=0, seconds=0.1))
