"""`goldvein import events`: a backfill of uses from a file, through the server like every other report."""

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from goldvein.capture.formats import MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command, group
from goldvein.terminal import complain, console, count_of, say, say_json
from goldvein_client import Client, ClientError

PANEL = "For everybody"
DEFAULT_BATCH: Final = 200
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
TRIES: Final = 8
_COME_BACK: Final = frozenset({"too_many_requests", "store_unavailable", "timeout", "unreachable"})

imports = group("Bring what you have into goldvein.", "goldvein import events uses.ndjson")


def add_to(app: typer.Typer) -> None:
    """Add the commands that import."""
    app.add_typer(imports, name="import", rich_help_panel=PANEL)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """One line of the file as an event, or why it is none."""

    number: int
    size: int
    event: dict[str, Any] | None = None
    flaw: str = ""


@dataclass(kw_only=True, slots=True)
class _Done:
    """What became of the lines so far."""

    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    last_line: int = 0

    def reject(self, line: _Line, reason: str, message: str) -> None:
        self.counts["rejected"] += 1
        self.rejected.append({"line": line.number, "reason": reason, "message": message})


@command(imports, "events", "goldvein import events uses.ndjson", "goldvein import events uses.ndjson --from-line 4001")
@with_client
def import_events(
    client: Client,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Lines of JSON, each as for POST /api/track; - reads standard input.")
    ],
    *,
    from_line: Annotated[
        int, typer.Option(min=1, metavar="N", help="Begin at this line, where it stopped before.", show_default=False)
    ] = 1,
    batch: Annotated[
        int, typer.Option(min=1, max=MAX_BATCH_EVENTS, metavar="N", help="Events in one request.", show_default=False)
    ] = DEFAULT_BATCH,
    as_json: JsonOption = False,
) -> None:
    """Report the uses in a file, as yourself: whose key it is, their consent decides what is captured.

    Run it again and nothing is stored twice: a line without an `event_id` gets one made from its text and number. It
    waits when the server says so. Exit code 1 when a line was rejected; the others are stored.
    """
    done = _Done()
    try:
        with _opened(file) as (stream, size), _progress(size) as advance:
            for lines in _batches(_lines(stream, from_line), batch):
                _send(client, [line for line in lines if line.event is not None], done)
                for line in lines:
                    if line.event is None:
                        done.reject(line, "invalid", line.flaw)
                done.last_line = lines[-1].number
                advance(sum(line.size for line in lines))
    except (ClientError, KeyboardInterrupt):
        if done.last_line:
            complain(
                "stopped",
                f"everything up to line {done.last_line} is done; go on with --from-line {done.last_line + 1}.",
            )
        raise
    _show(done, as_json=as_json)
    if done.rejected:
        raise typer.Exit(1)


@contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], int | None]]:
    if file == "-":
        yield sys.stdin.buffer, None
        return
    with Path(file).open("rb") as stream:
        yield stream, Path(file).stat().st_size


@contextmanager
def _progress(size: int | None) -> Iterator[Any]:
    """A bar over the bytes of the file, on standard error, and only for a person."""
    out = console(stderr=True)
    columns = (TextColumn("Importing"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("", total=size)
        yield lambda number: bar.advance(task, number)


def _lines(stream: IO[bytes], from_line: int) -> Iterator[_Line]:
    for number, raw in enumerate(iter(lambda: stream.readline(MAX_EVENT_BYTES + 2), b""), start=1):
        text, size = raw, len(raw)
        while not text.endswith(b"\n") and (text := stream.readline(MAX_EVENT_BYTES)):  # the rest of a line too long
            size += len(text)
        if number >= from_line and raw.strip():
            yield _read(number, raw, size)


def _read(number: int, raw: bytes, size: int) -> _Line:
    if size > MAX_EVENT_BYTES + 1:
        return _Line(number=number, size=size, flaw=f"longer than {MAX_EVENT_BYTES} bytes")
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        return _Line(number=number, size=size, flaw="not a JSON object")
    if event.get("event_id") is None:
        event["event_id"] = f"import:{hashlib.sha256(raw.strip()).hexdigest()[:32]}:{number}"
    return _Line(number=number, size=size, event=event)


def _batches(lines: Iterator[_Line], most: int) -> Iterator[list[_Line]]:
    held: list[_Line] = []
    size = 0
    for line in lines:
        if held and (len(held) >= most or size + line.size > MAX_REQUEST_BYTES):
            yield held
            held, size = [], 0
        held.append(line)
        size += line.size
    if held:
        yield held


def _send(client: Client, lines: list[_Line], done: _Done) -> None:
    """Send lines in one request, in halves where the server takes fewer at once, and again when it says so."""
    if not lines:
        return
    try:
        results = _with_patience(client, [line.event or {} for line in lines])
    except ClientError as error:
        if error.details.get("field") != "events" or len(lines) == 1:
            raise
        middle = len(lines) // 2
        _send(client, lines[:middle], done)
        _send(client, lines[middle:], done)
        return
    again = []
    for line, result in zip(lines, results, strict=True):
        if result.get("reason") in _COME_BACK and result["outcome"] == "rejected":
            again.append(line)
        elif result["outcome"] == "rejected":
            done.reject(line, result["reason"], result["error"]["message"])
        else:
            done.counts[result["outcome"]] += 1
            if result["outcome"] == "stored":
                done.counts[result["capture"]["outcome"]] += 1
    _send(client, again, done)


def _with_patience(client: Client, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whatever was stored of a request whose answer was lost is a duplicate the next time."""
    for tried in range(1, TRIES + 1):
        try:
            return client.track_batch(events)
        except ClientError as error:
            if error.code not in _COME_BACK or (tried == TRIES and error.code != "too_many_requests"):
                raise
            time.sleep(min(60, float(error.details.get("retry_after_seconds", tried))))
    return _with_patience(client, events)


def _show(done: _Done, *, as_json: bool) -> None:
    names = ("stored", "duplicate", "rejected", "captured", "denied", "none", "failed")
    counts = {name: done.counts[name] for name in names}
    if as_json:
        say_json({**counts, "rejected_lines": done.rejected})
        return
    for line in done.rejected:
        complain(line["reason"], f"line {line['line']}: {line['message']}")
    known, rejected = counts["duplicate"], counts["rejected"]
    say(f"{count_of(counts['stored'], 'use')} stored, {known} known already, {rejected} rejected.")
    captures = ", ".join(f"{counts[name]} {name}" for name in ("captured", "denied", "none", "failed"))
    say(f"Capture, of those stored now: {captures}.")
