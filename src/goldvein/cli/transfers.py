"""What the imports share: reading with a progress bar, sending in batches, and waiting when the server says so."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from goldvein.terminal import console
from goldvein_client import ClientError

TRIES: Final = 8
_COME_BACK: Final = frozenset({"too_many_requests", "store_unavailable", "timeout", "unreachable"})

JSONObject = dict[str, Any]
Call = Callable[[list[JSONObject]], list[JSONObject]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One record of a file: what is sent for it, or why nothing is. `size` is how far it takes the reading."""

    number: int
    size: int
    item: JSONObject | None = None
    sent_bytes: int = 0
    reason: str = ""
    message: str = ""


@contextmanager
def opened(file: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """A file, or standard input for `-`, and its size if it has one."""
    if file == "-":
        yield sys.stdin.buffer, None
        return
    with Path(file).open("rb") as stream:
        yield stream, Path(file).stat().st_size


@contextmanager
def progress(total: int | None, *, doing: str = "Importing") -> Iterator[Callable[[int], None]]:
    """A bar on standard error, and only for a person."""
    out = console(stderr=True)
    columns = (TextColumn(doing), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)


def batches(entries: Iterable[Entry], *, most: int, max_bytes: int) -> Iterator[list[Entry]]:
    """Entries in their order, as many as one request takes."""
    held: list[Entry] = []
    size = 0
    for entry in entries:
        if held and (len(held) >= most or size + entry.sent_bytes > max_bytes):
            yield held
            held, size = [], 0
        held.append(entry)
        size += entry.sent_bytes
    if held:
        yield held


def send(call: Call, field: str, entries: list[Entry], tell: Callable[[Entry, JSONObject], None]) -> None:
    """Send entries in one request, in halves where the server takes fewer at once, and again when it says so.

    `field` is the name of their list in the request: it is what the server finds fault with when there are too many.
    """
    if not entries:
        return
    try:
        results = _with_patience(call, [entry.item or {} for entry in entries])
    except ClientError as error:
        too_many = error.details.get("field") == field or error.code == "too_large"
        if not too_many or len(entries) == 1:
            raise
        middle = len(entries) // 2
        send(call, field, entries[:middle], tell)
        send(call, field, entries[middle:], tell)
        return
    again = []
    for entry, result in zip(entries, results, strict=True):
        if result["outcome"] == "rejected" and result.get("reason") in _COME_BACK:
            again.append(entry)
        else:
            tell(entry, result)
    send(call, field, again, tell)


def _with_patience(call: Call, items: list[JSONObject]) -> list[JSONObject]:
    """Whatever was stored of a request whose answer was lost is a duplicate the next time."""
    for tried in range(1, TRIES + 1):
        try:
            return call(items)
        except ClientError as error:
            if error.code not in _COME_BACK or (tried == TRIES and error.code != "too_many_requests"):
                raise
            time.sleep(min(60, float(error.details.get("retry_after_seconds", tried))))
    return _with_patience(call, items)
