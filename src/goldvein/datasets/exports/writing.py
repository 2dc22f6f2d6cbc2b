"""Writes an export: a folder, or that folder as a zip. Streamed: what is in memory does not grow with the rows.

1. A row of a split that was not asked for is counted and goes nowhere: the holdout first of all.
2. Placeholders get their stand-ins, if these were asked for.
3. A row that does not fit the format is named in `skipped.jsonl` with the reason.
4. The others are rendered, and explained in `provenance.jsonl`, in the same order.
5. The card and the manifest are written last, and the signature over the manifest, if the caller signs.

The same version with the same options gives the same bytes (of Parquet: with the same version of pyarrow).
"""

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

from goldvein.datasets.exports import card, manifest
from goldvein.datasets.exports.facts import ExportOptions, VersionFacts
from goldvein.datasets.exports.formats import PIECE_BYTES, Format
from goldvein.datasets.exports.placeholders import row_with_stand_ins
from goldvein.datasets.rows import Row
from goldvein.errors import InvalidField

Sign = Callable[[bytes], bytes]
"""From the bytes of the manifest to those of its envelope, of the type `manifest.PAYLOAD_TYPE`."""

_ZIP_LEVEL: Final = 1  # packing takes longer than all the rest, at this level already
_STORED: Final = frozenset({".parquet"})  # compressed already


class ExplainedRow(NamedTuple):
    """A row, and what explains it: consent records or `authored`, sanitizer version, reviewer, event.

    The provenance may come as JSON that has been written already (`msgspec.Raw`).
    """

    row: Row
    provenance: Mapping[str, Any] | msgspec.Raw


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An export that stands in its folder."""

    folder: Path
    manifest: dict[str, Any]
    digest: str
    """sha256 of manifest.json"""


class Explanation(msgspec.Struct, frozen=True, gc=False):
    """A line of `provenance.jsonl`: which record of which file it explains, and by what."""

    example_id: str
    content_hash: str
    split: str
    file: str
    record: int
    source: str
    skill: str
    skill_version: str | None
    quality_score: int | None
    provenance: Mapping[str, Any] | msgspec.Raw


class Skip(msgspec.Struct, frozen=True, gc=False):
    """A line of `skipped.jsonl`."""

    example_id: str
    split: str
    reason: str


class Files:
    """The files of an export while they grow: their digests, sizes and numbers of rows."""

    def __init__(self, folder: Path, open_files: ExitStack) -> None:
        self._folder = folder
        self._open_files = open_files
        self._handles: dict[str, BinaryIO] = {}
        self._digests: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}

    def append(self, path: str, data: bytes | bytearray) -> None:
        """Put bytes at the end of a file, which begins to exist with the first."""
        if path not in self._handles:
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._handles[path] = self._open_files.enter_context(target.open("xb"))
            self._digests[path], self._sizes[path] = hashlib.sha256(), 0
        self._handles[path].write(data)
        self._digests[path].update(data)
        self._sizes[path] += len(data)

    def described(self) -> dict[str, dict[str, Any]]:
        """What the manifest says of each file."""
        return {
            path: {"sha256": digest.hexdigest(), "bytes": self._sizes[path]}
            for path, digest in sorted(self._digests.items())
        }


def write_export(
    folder: Path,
    export_format: Format,
    facts: VersionFacts,
    rows: Iterable[ExplainedRow],
    options: ExportOptions | None = None,
    *,
    sign: Sign | None = None,
) -> Written:
    """Write a version into a folder that does not exist yet; if anything fails, nothing stands there.

    A version made for evaluation is refused in a format to train on.
    """
    options = options or ExportOptions()
    if export_format.purpose == "training" and facts.purpose == "evaluation":
        raise InvalidField(field="format", reason="one to evaluate with: this dataset was made for evaluation")
    with new_folder(folder) as work:
        with ExitStack() as open_files:
            files, counts = Files(work, open_files), manifest.Counts()
            sorting = _Sorting(export_format, options, files, counts)
            for piece in export_format.render(facts, options, sorting.fitting(rows)):
                files.append(*piece)
            sorting.end()
            draft = manifest.draft(export_format, facts, options, counts, files.described())
        finished, digest = seal(work, draft, export_format, sign)
    return Written(folder=folder, manifest=finished, digest=digest)


class new_folder:  # noqa: N801 (it reads as the verb it is)
    """A folder that appears under its name only once everything is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._work = folder

    def __enter__(self) -> Path:
        if self._folder.exists():
            raise InvalidField(field="folder", reason="one that does not exist yet")
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own, so that what a killed export left behind is in nobody's way.
        self._work = Path(tempfile.mkdtemp(prefix=f".{self._folder.name}.", dir=self._folder.parent))
        return self._work

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._work.rename(self._folder)
        else:
            shutil.rmtree(self._work)


def seal(folder: Path, draft: dict[str, Any], export_format: Format, sign: Sign | None) -> tuple[dict[str, Any], str]:
    """Write what is made from the manifest, the manifest, and the signature; gives the manifest and its digest."""
    with ExitStack() as open_files:
        files = Files(folder, open_files)
        for piece in export_format.beside(draft):
            files.append(*piece)
        files.append(manifest.CARD, card.render(draft, export_format))
    finished = {**draft, "files": {**draft["files"], **files.described()}}
    content = manifest.canonical(finished)
    (folder / manifest.MANIFEST).write_bytes(content)
    if sign is not None:
        (folder / manifest.SIGNATURE).write_bytes(sign(content))
    return finished, hashlib.sha256(content).hexdigest()


class _Sorting:
    """Which rows go out: names the others, explains these, counts all."""

    def __init__(self, export_format: Format, options: ExportOptions, files: Files, counts: manifest.Counts) -> None:
        self._format = export_format
        self._options = options
        self._files = files
        self._counts = counts
        self._encode_into = msgspec.json.Encoder().encode_into
        self._explained, self._skipped = bytearray(), bytearray()

    def fitting(self, rows: Iterable[ExplainedRow]) -> Iterator[Row]:
        """The rows that fit, as they go out."""
        wanted, counts, misfit = frozenset(self._options.splits), self._counts, self._format.misfit
        surrogates = self._options.placeholders == "surrogate"
        paths = {split: self._format.path_of(split) for split in wanted}
        for row, provenance in rows:
            if row.split not in wanted:
                counts.held_back[row.split] += 1
                continue
            reason = misfit(row)
            if reason is not None:
                counts.skipped[reason] += 1
                self._add(self._skipped, Skip(row.example_id, row.split, reason))
                continue
            counts.by_split[row.split] += 1
            counts.by_source[row.source] += 1
            explanation = Explanation(
                row.example_id,
                row.content_hash,
                row.split,
                paths[row.split],
                counts.by_split[row.split],
                row.source,
                row.skill,
                row.skill_version,
                row.quality_score,
                provenance,
            )
            self._add(self._explained, explanation)
            yield row_with_stand_ins(row) if surrogates else row

    def _add(self, buffer: bytearray, line: msgspec.Struct) -> None:
        self._encode_into(line, buffer, -1)
        buffer += b"\n"
        if len(buffer) >= PIECE_BYTES:
            self.end()

    def end(self) -> None:
        """Hand over what waits; both files exist from then on, if empty."""
        self._files.append(manifest.PROVENANCE, self._explained)
        self._files.append(manifest.SKIPPED, self._skipped)
        self._explained, self._skipped = bytearray(), bytearray()


def zip_chunks(folder: Path) -> Iterator[bytes]:
    """The folder as a zip, in pieces, without a second copy on disk. The same files give the same bytes (same zlib)."""
    waiting = _Waiting()
    with zipfile.ZipFile(waiting, "w", compresslevel=_ZIP_LEVEL) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.compression = zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
            name = path.relative_to(folder).as_posix()
            # Opened by its name a member has the same time always: the first of 1980.
            with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    yield from waiting.take()
            yield from waiting.take()
    yield from waiting.take()


def zip_file(folder: Path, target: Path) -> None:
    """The folder as a zip file, beside it or elsewhere."""
    with target.open("xb") as file:
        file.writelines(zip_chunks(folder))


class _Waiting:
    """What the archive has written and nobody has taken yet."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits longer than until it is taken."""

    def close(self) -> None:
        """The pieces stay to be taken."""

    def take(self) -> list[bytes]:
        taken, self._pieces = self._pieces, []
        return taken
