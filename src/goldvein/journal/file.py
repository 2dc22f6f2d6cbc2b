"""The journal's file: one line for each entry, appended and synced, never changed.

A line is the first 16 hex digits of the sha256 of its JSON, a space, and the JSON. Several processes may append: each
holds the file's lock while it does. A line that a power cut tore is ended by whoever comes next, and counted by whoever
reads.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from goldvein.db.ids import is_id

if sys.platform != "win32":
    import fcntl

_CHECKSUM_CHARS: Final = 16
_BEGUN: Final = "begun"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One entry as the journal holds it."""

    id: str
    tenant_id: str
    kind: str
    occurred_at: datetime
    person_id: str | None = None
    actor_id: str | None = None
    skill_ids: list[str] | None = None
    example_ids: list[str] | None = None
    purposes: list[str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What a journal holds: its entries in order, each once, and how many lines could not be read."""

    lines: list[Line]
    damaged: int


def append(path: Path, lines: Sequence[Line]) -> None:
    """Append the lines; when this returns they are on disk. Raises OSError, and then none of them counts as written.

    Makes the file (mode 0600) where there is none; its first line says that the journal begins here, so that an empty
    journal can be told from a lost one.
    """
    data = b"".join(_encoded(_as_json(line)) for line in lines)
    with _opened_alone(path) as descriptor:
        end = os.lseek(descriptor, 0, os.SEEK_END)
        if end == 0:
            data = _encoded({"kind": _BEGUN}) + data
        elif data and os.pread(descriptor, 1, end - 1) != b"\n":
            data = b"\n" + data
        try:
            _write(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, end)
            raise


def read(path: Path) -> Contents | None:
    """Everything in the journal; None when there is none."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if not data:
        return None
    lines: dict[str, Line] = {}
    damaged = 0
    for raw in data.split(b"\n"):
        if not raw:
            continue
        content = _decoded(raw)
        line = _line(content) if content is not None else None
        if line is not None:
            lines.setdefault(line.id, line)
        elif content is None or content.get("kind") != _BEGUN:
            damaged += 1
    return Contents(lines=list(lines.values()), damaged=damaged)


@contextmanager
def _opened_alone(path: Path) -> Iterator[int]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
        if is_new:
            _sync_folder(path.parent)
    finally:
        os.close(descriptor)  # and with it the lock


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on disk only when its folder is."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _as_json(line: Line) -> dict[str, Any]:
    held = {name: value for name, value in asdict(line).items() if value is not None}
    return held | {"occurred_at": line.occurred_at.isoformat()}


def _encoded(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return _checksum(text) + b" " + text + b"\n"


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_CHECKSUM_CHARS].encode()


def _decoded(raw: bytes) -> dict[str, Any] | None:
    checksum, _, text = raw.partition(b" ")
    if checksum != _checksum(text):
        return None
    content = json.loads(text)  # its checksum holds, so it is what we wrote
    return content if isinstance(content, dict) else None


def _line(content: dict[str, Any]) -> Line | None:
    if not is_id(str(content.get("id"))):
        return None
    return Line(**content | {"occurred_at": datetime.fromisoformat(content["occurred_at"])})
