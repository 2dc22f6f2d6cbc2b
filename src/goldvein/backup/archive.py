"""The file of a backup: a tar with what it is, the store's copy, and the server's key. Mode 0600."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from goldvein.errors import NotConfigured

FORMAT: Final = "goldvein-backup-1"
_ABOUT: Final = "backup.json"
_STORE: Final = "store"
_KEY: Final = "server.key"
_MAX_SMALL_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What a backup is of. `journal_ids` are the entries that the journal held when it was made."""

    store: str
    revision: str
    made_at: str
    journal_ids: list[str]
    format: str = FORMAT


def write(target: Path, about: About, store: Path, server_key: bytes | None) -> None:
    """Put the parts together; what is half written never has the target's name. Raises when the target exists."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w") as archive:
                _add(archive, _ABOUT, json.dumps(asdict(about)).encode())
                if server_key is not None:
                    _add(archive, _KEY, server_key)
                with store.open("rb") as copy:
                    _add_stream(archive, _STORE, copy, store.stat().st_size)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(unfinished, target)  # fails where somebody else's file has the name
    finally:
        unfinished.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    _add_stream(archive, name, io.BytesIO(content), len(content))


def _add_stream(archive: tarfile.TarFile, name: str, stream: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, stream)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A backup that is being read."""

    about: About
    server_key: bytes | None
    store: IO[bytes]
    store_bytes: int


@contextmanager
def opened(source: Path) -> Iterator[Opened]:
    """A backup, to be read. Raises NotConfigured for a file that is none."""
    try:
        archive = tarfile.open(source)  # noqa: SIM115 (closed below)
    except (tarfile.TarError, EOFError) as error:
        raise NotConfigured(what=f"{source} is not a backup of goldvein") from error
    with archive:
        try:
            about = About(**json.loads(_small(archive, _ABOUT)))
            key = _small(archive, _KEY) if _KEY in archive.getnames() else None
            stream = archive.extractfile(_STORE)
            size = archive.getmember(_STORE).size
        except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
            raise NotConfigured(what=f"{source} is not a backup of goldvein, or not a whole one") from error
        if stream is None or about.format != FORMAT:
            raise NotConfigured(what=f"{source} is not a backup that this release can read")
        yield Opened(about=about, server_key=key, store=stream, store_bytes=size)


def _small(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(name)
    stream = archive.extractfile(member)
    if stream is None or member.size > _MAX_SMALL_BYTES:
        raise KeyError(name)
    return stream.read()
