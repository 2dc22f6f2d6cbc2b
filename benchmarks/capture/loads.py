"""What the load generator is asked for, what it answers, and the bytes it sends."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from benchmarks.sanitizer.generator import DEFAULT_SEED, generate
from benchmarks.sanitizer.speed import small_texts

SKILLS = tuple(f"skill-{number:02}" for number in range(8))
INPUT_CHARS, OUTPUT_CHARS = 300, 1000
TOOLS = ("Bash", "Read", "Edit", "Grep", "Write", "WebFetch", "mcp__tickets__lookup", "mcp__search__query")
MODELS = ("claude-sonnet-4-5", "claude-opus-4-1", "gpt-5", "gemini-2.5-pro")
SINGLE, BATCH = "/api/track", "/api/track/batch"


@dataclass(frozen=True, kw_only=True)
class Load:
    """One measurement: connections that each send the next request when the last was answered.

    The keys are shared out to the connections in turn. `run` makes the event ids of this load its own.
    """

    port: int
    keys: tuple[str, ...] = field(repr=False)
    connections: int
    run: str
    batch: int = 0
    """Events in a request to the batch route; 0: single requests."""
    snippets: bool = False
    warm_up_seconds: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a load.

    Rate and latencies are of the seconds after the warm-up; everything counted is of the whole load, since the store is
    compared with it.
    """

    events_per_second: float
    latencies_ms: dict[str, float]
    """`p50`, `p99` and `max` of the requests that were answered with 200; empty when none was."""
    statuses: dict[str, int]
    """Requests by what came back: an HTTP status, `unreadable` for a 200 that does not say what became of every event,
    or `lost` for a connection that broke."""
    outcomes: dict[str, int]
    """Events by outcome: `stored`, `duplicate`, `rejected:reason`."""
    captures: dict[str, int]
    """Stored events by what became of the capture: `captured`, `denied:reason`, ..."""
    generator_busy: float
    """The share of the time that the generator itself computed; near 1 it is what limits."""
    body_bytes: int
    """How large an event is on average."""
    server_cpu_us: float | None = None
    """What the server computed for each stored event, in microseconds; other work on the machine does not change it."""

    @property
    def refused(self) -> int:
        """Requests that were not answered with 200."""
        return sum(self.statuses.values()) - self.statuses.get("200", 0)


class Bodies:
    """The events that are sent: a seeded set of uses, each time with another event id.

    The snippets are texts as tools produce them, every fourth with a secret in it, so that the sanitizer has to do
    what it is there for.
    """

    def __init__(self, *, snippets: bool, now: datetime | None = None) -> None:
        random = Random(DEFAULT_SEED)
        texts = small_texts(list(generate(DEFAULT_SEED)), DEFAULT_SEED)
        ts = (now or datetime.now(UTC)).isoformat()
        self._halves = [
            self._halved(self._use(random, ts, text, texts[number - 1], snippets=snippets))
            for number, text in enumerate(texts)
        ]

    @staticmethod
    def _use(random: Random, ts: str, output: str, other: str, *, snippets: bool) -> dict[str, Any]:
        use: dict[str, Any] = {
            "event_id": "",
            "skill_id": random.choice(SKILLS),
            "tool_name": random.choice(TOOLS),
            "ts": ts,
            "hook_event": "PostToolUse",
            "session_id": f"session-{random.randrange(50):04}",
            "model_name": random.choice(MODELS),
            "input_tokens": random.randrange(200, 20_000),
            "output_tokens": random.randrange(10, 4_000),
            "latency_ms": random.randrange(20, 9_000),
        }
        if snippets:
            use |= {"tool_input_snippet": other[:INPUT_CHARS], "tool_output_snippet": output[:OUTPUT_CHARS]}
        return use

    @staticmethod
    def _halved(use: dict[str, Any]) -> tuple[bytes, bytes]:
        """What stands before and after the event id, which is the first field."""
        encoded = json.dumps(use, ensure_ascii=False, separators=(",", ":")).encode()
        before, after = encoded.split(b'"event_id":""', 1)
        return before + b'"event_id":"', b'"' + after

    def event(self, number: int, event_id: str) -> bytes:
        """One event as JSON."""
        before, after = self._halves[number % len(self._halves)]
        return before + event_id.encode() + after

    def body(self, load: Load, number: int) -> bytes:
        """The body of the request with this number."""
        if not load.batch:
            return self.event(number, f"{load.run}:{number:010}")
        numbers = range(number * load.batch, (number + 1) * load.batch)
        return b'{"events":[' + b",".join(self.event(n, f"{load.run}:{n:010}") for n in numbers) + b"]}"

    def mean_bytes(self) -> int:
        """How large an event is, on average."""
        return round(sum(len(before) + len(after) + 20 for before, after in self._halves) / len(self._halves))


def requests(load: Load, bodies: Bodies, numbers: Iterator[int], key: str) -> Iterator[bytes]:
    """Whole HTTP requests for one connection, each with events of its own."""
    path = BATCH if load.batch else SINGLE
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    for number in numbers:
        body = bodies.body(load, number)
        yield b"%b%d\r\n\r\n%b" % (head, len(body), body)


def total(results: Sequence[Result], name: str) -> Counter[str]:
    """One of the counts (`statuses`, `outcomes`, `captures`), over several results."""
    counted: Counter[str] = Counter()
    for result in results:
        counted.update(getattr(result, name))
    return counted
