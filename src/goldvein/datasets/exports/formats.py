"""What a format is: which rows fit it, and how they become bytes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from goldvein.datasets.exports.facts import ExportOptions, VersionFacts
from goldvein.datasets.rows import Row

PIECE_BYTES: Final = 1 << 18


class Piece(NamedTuple):
    """Bytes that go to the end of a file of the export."""

    path: str
    data: bytes | bytearray


def nothing_beside(_draft: Mapping[str, Any]) -> Iterator[Piece]:
    """A format whose files of rows are all it has."""
    return iter(())


Render = Callable[[VersionFacts, ExportOptions, Iterable[Row]], Iterator[Piece]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """One way to write a version. `render` is pure, takes rows that fit, in order, and never holds many of them."""

    name: str
    about: str
    purpose: str | None
    """evaluation or training: what the consent of its rows must cover; None: no more than the dataset's own purpose"""
    data_path: str
    """the file of a split, with {split} in it: the n-th row of a split is the n-th record there"""
    misfit: Callable[[Row], str | None]
    render: Render
    usage: str
    """how it is loaded, as Markdown for the card"""
    beside: Callable[[Mapping[str, Any]], Iterator[Piece]] = nothing_beside
    """files that hold no rows, made from the manifest before they are among its files"""
    configs: tuple[tuple[str, str], ...] = ()
    """names and paths of what Hugging Face's `datasets` finds in the folder"""

    def path_of(self, split: str) -> str:
        """The file with the rows of a split."""
        return self.data_path.format(split=split)


def json_lines(data_path: str, rows: Iterable[Row], line_of: Callable[[Row], Any]) -> Iterator[Piece]:
    """One JSON object a line, one file a split."""
    encode_into = msgspec.json.Encoder().encode_into
    buffers: dict[str, bytearray] = {}
    for row in rows:
        buffer = buffers.get(row.split)
        if buffer is None:
            buffer = buffers[row.split] = bytearray()
        encode_into(line_of(row), buffer, -1)
        buffer += b"\n"
        if len(buffer) >= PIECE_BYTES:
            yield Piece(data_path.format(split=row.split), buffer)
            buffers[row.split] = bytearray()
    for split, buffer in buffers.items():
        yield Piece(data_path.format(split=split), buffer)
