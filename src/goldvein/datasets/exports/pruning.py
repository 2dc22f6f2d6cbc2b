"""A copy of an export without rows that were withdrawn since: it needs no server, only the folder and their ids."""

import csv
import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from goldvein.datasets.exports import csv_table, find_format, manifest
from goldvein.datasets.exports.parquet import records_without
from goldvein.datasets.exports.writing import Files, Written, new_folder, seal

_LONGEST_CELL: Final = 1 << 24


def prune(folder: Path, target: Path, withdrawn: frozenset[str]) -> Written:
    """Write the export again without these examples, to a folder that does not exist yet.

    The export must be untouched (`goldvein verify export`). The copy is the export as it would have been without them,
    but for the manifest, which names the one it was made from and how many rows are gone; it is not signed.
    """
    content = (folder / manifest.MANIFEST).read_bytes()
    draft = json.loads(content)
    export_format = find_format(draft["format"])
    with new_folder(target) as work:
        with ExitStack() as open_files:
            files, counts = Files(work, open_files), manifest.Counts()
            counts.held_back.update(draft["counts"]["held_back"])
            _copy_explanations(folder, files, withdrawn, counts)
            _copy_skipped(folder, files, withdrawn, counts)
            for path in sorted(draft["files"]):
                for piece in _records_kept(folder, path, withdrawn):
                    if piece:
                        files.append(path, piece)
            draft |= {
                "files": files.described(),
                "counts": counts.as_json(),
                "pruned": {
                    "of": f"sha256:{hashlib.sha256(content).hexdigest()}",
                    "rows": draft["counts"]["rows"] - counts.by_split.total(),
                },
            }
        finished, digest = seal(work, draft, export_format, None)
    return Written(folder=target, manifest=finished, digest=digest)


def _lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Each line, and the object in it."""
    with path.open("rb") as lines:
        for line in lines:
            yield line, msgspec.json.decode(line)


def _copy_explanations(folder: Path, files: Files, withdrawn: frozenset[str], counts: manifest.Counts) -> None:
    files.append(manifest.PROVENANCE, b"")
    for _, found in _lines(folder / manifest.PROVENANCE):
        if found["example_id"] not in withdrawn:
            counts.by_split[found["split"]] += 1
            counts.by_source[found["source"]] += 1
            found["record"] = counts.by_split[found["split"]]
            files.append(manifest.PROVENANCE, msgspec.json.encode(found) + b"\n")


def _copy_skipped(folder: Path, files: Files, withdrawn: frozenset[str], counts: manifest.Counts) -> None:
    files.append(manifest.SKIPPED, b"")
    for line, found in _lines(folder / manifest.SKIPPED):
        if found["example_id"] not in withdrawn:
            counts.skipped[found["reason"]] += 1
            files.append(manifest.SKIPPED, line)


def _records_kept(folder: Path, path: str, withdrawn: frozenset[str]) -> Iterator[bytes]:
    """What is left of a file of records; nothing of other files, which are made again."""
    match Path(path).suffix:
        case ".parquet":
            yield from records_without(str(folder / path), "example_id", withdrawn)
        case ".csv":
            yield from _csv_kept(folder / path, withdrawn)
        case ".jsonl" if path not in {manifest.PROVENANCE, manifest.SKIPPED}:
            yield from _lines_kept(folder, path, withdrawn)


def _lines_kept(folder: Path, path: str, withdrawn: frozenset[str]) -> Iterator[bytes]:
    """The n-th line is the n-th record of its file in the provenance: a line need not say whose it is."""
    ids = (found["example_id"] for _, found in _lines(folder / manifest.PROVENANCE) if found["file"] == path)
    with (folder / path).open("rb") as lines:
        for line, example_id in zip(lines, ids, strict=True):
            if example_id not in withdrawn:
                yield line


def _csv_kept(path: Path, withdrawn: frozenset[str]) -> Iterator[bytes]:
    csv.field_size_limit(_LONGEST_CELL)
    kept = 0
    with path.open(encoding="utf-8-sig", newline="") as source:
        for cells in csv.DictReader(source):
            if csv_table.plain_text(cells["example_id"]) in withdrawn:
                continue
            if kept == 0:
                yield csv_table.head()
            kept += 1
            yield csv_table.line(cells.values()).encode()
