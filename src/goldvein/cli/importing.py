"""`goldvein import events`: a backfill of uses from a file, through the server like every other report."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Annotated, Any, Final

import typer

from goldvein.capture.formats import MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command, group
from goldvein.cli.transfers import Entry, batches, opened, progress, send
from goldvein.examples.importing.files import numbered_lines
from goldvein.terminal import complain, count_of, say, say_json
from goldvein_client import Client, ClientError

PANEL = "For everybody"
DEFAULT_BATCH: Final = 200
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024

imports = group("Bring what you have into goldvein.", "goldvein import events uses.ndjson")


def add_to(app: typer.Typer) -> None:
    """Add the commands that import."""
    app.add_typer(imports, name="import", rich_help_panel=PANEL)


@dataclass(kw_only=True, slots=True)
class _Done:
    """What became of the lines so far."""

    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    last_line: int = 0

    def reject(self, line: Entry, reason: str, message: str) -> None:
        self.counts["rejected"] += 1
        self.rejected.append({"line": line.number, "reason": reason, "message": message})

    def take(self, line: Entry, result: dict[str, Any]) -> None:
        if result["outcome"] == "rejected":
            self.reject(line, result["reason"], result["error"]["message"])
            return
        self.counts[result["outcome"]] += 1
        if result["outcome"] == "stored":
            self.counts[result["capture"]["outcome"]] += 1


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
        with opened(file) as (stream, size), progress(size) as advance:
            for lines in batches(_lines(stream, from_line), most=batch, max_bytes=MAX_REQUEST_BYTES):
                sent = [line for line in lines if line.item is not None]
                send(client.track_batch, "events", sent, done.take)
                for line in lines:
                    if line.item is None:
                        done.reject(line, line.reason, line.message)
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


def _lines(stream: IO[bytes], from_line: int) -> Iterator[Entry]:
    for number, raw, size in numbered_lines(stream, MAX_EVENT_BYTES):
        if number >= from_line and raw.strip():
            yield _read(number, raw, size)


def _read(number: int, raw: bytes, size: int) -> Entry:
    if size > MAX_EVENT_BYTES + 1:
        return _rejected(number, size, f"longer than {MAX_EVENT_BYTES} bytes")
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        return _rejected(number, size, "not a JSON object")
    if event.get("event_id") is None:
        event["event_id"] = f"import:{hashlib.sha256(raw.strip()).hexdigest()[:32]}:{number}"
    return Entry(number=number, size=size, sent_bytes=size, item=event)


def _rejected(number: int, size: int, message: str) -> Entry:
    return Entry(number=number, size=size, reason="invalid", message=message)


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
