"""Clients: what they send, over how many connections, and what they were told."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from faults.server import ANSWER_SECONDS, Server, read_answer

if TYPE_CHECKING:
    from faults.arena import Run

WITH_TEXTS = ("bob", "erin", "service")


@dataclass(frozen=True)
class Told:
    """One answer to one sending of an event; status None: the connection broke before there was any."""

    status: int | None
    outcome: str = ""
    stored_id: str = ""
    capture: str = ""
    reason: str | None = None

    @property
    def is_acknowledged(self) -> bool:
        return self.status == 200 and self.outcome in {"stored", "duplicate"}


@dataclass
class Event:
    """One use that a client reports, perhaps several times."""

    body: dict[str, Any]
    sender: str
    key: str
    told: list[Told] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Told]:
        return [told for told in self.told if told.is_acknowledged]


def raw_secrets(run: "Run", number: int) -> str:
    """What must never reach a disk: each piece carries the run's mark."""
    token = ("ghp_" + run.mark + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA2")[:40]
    return f"mail {run.mark}.{number}@mail.example, token {token}"


def new_events(
    run: "Run", number: int, *, senders: Sequence[str] = (*WITH_TEXTS, "bob", "bob", "nothing")
) -> list[Event]:
    """Uses of several people, most with texts; `nothing` is bob without texts. The run remembers them."""
    made = []
    for _ in range(number):
        place = next(run.numbers)
        sender = run.random.choice(senders)
        body: dict[str, Any] = {
            "event_id": f"e{place}",
            "skill_id": "release-notes",
            "tool_name": "Bash",
            "ts": datetime.now(UTC).isoformat(),
            "model_name": "claude-sonnet-4-5",
            "input_tokens": place,
        }
        if sender != "nothing":
            word = f"said by {sender}{run.mark} about {raw_secrets(run, place)}"
            body |= {"tool_input_snippet": f"Question {word}", "tool_output_snippet": f"Answer {word}"}
        event = Event(body=body, sender=sender, key=run.key("bob" if sender == "nothing" else sender))
        run.events.append(event)
        made.append(event)
    return made


class Load:
    """Clients at work on several connections; each takes the next event when it has its answer."""

    def __init__(
        self,
        server: Server,
        events: Iterable[Event | list[Event]],
        *,
        connections: int = 4,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._server = server
        self._seconds = seconds
        self._queue: SimpleQueue[Event | list[Event]] = SimpleQueue()
        for event in events:
            self._queue.put(event)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until everything has been sent and answered, or will never be."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=self._seconds)
        with contextlib.suppress(Empty), contextlib.closing(connection):
            while True:
                _send(connection, self._queue.get_nowait())


def send(server: Server, events: Iterable[Event | list[Event]], **options: Any) -> None:
    """Send events and wait for the answers; a list is one batch of one sender."""
    Load(server, events, **options).wait()


def in_batches(run: "Run", events: Sequence[Event]) -> list[Event | list[Event]]:
    """Some of the events by themselves, some in batches of a few, each batch from one sender."""
    by_key: dict[str, list[Event]] = {}
    for event in events:
        by_key.setdefault(event.key, []).append(event)
    sent: list[Event | list[Event]] = []
    for of_key in by_key.values():
        rest = list(of_key)
        while rest:
            size = run.random.choice((1, 1, 1, 2, 5))
            sent.append(rest[0] if size == 1 else rest[:size])
            del rest[:size]
    run.random.shuffle(sent)
    return sent


def _send(connection: http.client.HTTPConnection, events: Event | list[Event]) -> None:
    batch = events if isinstance(events, list) else [events]
    path = "/api/track/batch" if isinstance(events, list) else "/api/track"
    body = {"events": [event.body for event in batch]} if isinstance(events, list) else events.body
    headers = {"Authorization": f"Bearer {batch[0].key}", "Content-Type": "application/json"}
    try:
        connection.request("POST", path, body=json.dumps(body), headers=headers)
        status, _, content = read_answer(connection)
    except (OSError, http.client.HTTPException):
        connection.close()
        for event in batch:
            event.told.append(Told(status=None))
        return
    answers = content["results"] if status == 200 and isinstance(events, list) else [content] * len(batch)
    for event, answer in zip(batch, answers, strict=True):
        event.told.append(_told(status, answer))


def _told(status: int, answer: dict[str, Any]) -> Told:
    capture = answer.get("capture", {})
    return Told(
        status=status,
        outcome=answer.get("outcome", ""),
        stored_id=answer.get("event_id", "").replace("-", ""),
        capture=capture.get("outcome", ""),
        reason=capture.get("reason") if capture else answer.get("reason") or answer.get("error", {}).get("code"),
    )
