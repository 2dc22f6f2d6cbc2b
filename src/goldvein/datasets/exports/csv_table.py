"""A table for spreadsheets, in which no cell is a formula."""

import unicodedata
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Final

import msgspec

from goldvein.datasets.exports.facts import ExportOptions, VersionFacts
from goldvein.datasets.exports.formats import PIECE_BYTES, Format, Piece
from goldvein.datasets.rows import Assertion, Row

COLUMNS: Final = (
    "example_id",
    "split",
    "skill",
    "skill_version",
    "source",
    "tool_name",
    "example_input",
    "example_output",
    "expected_output",
    "answer",
    "quality_score",
    "assertions",
)
_FORMULA_SIGNS: Final = frozenset("=+-@|%\u2212")
_PROTECTOR: Final = "'"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet might take it for a formula.

    That is where its first visible sign begins one (also in its full-width or small form), where it begins with a tab
    or a line end, and where it begins with an apostrophe: so taking one leading apostrophe away gives the text back.
    """
    if not text:
        return text
    first = text[0]
    if first.isascii() and first.isalnum():
        return text
    return _PROTECTOR + text if first in "'\t\r\n" or _begins_formula(text) else text


def _begins_formula(text: str) -> bool:
    for sign in text:
        if unicodedata.category(sign) not in _INVISIBLE:
            return unicodedata.normalize("NFKC", sign)[0] in _FORMULA_SIGNS
    return False


def plain_text(cell: str) -> str:
    """What `safe_cell` was given."""
    return cell.removeprefix(_PROTECTOR)


def head() -> bytes:
    """How a table begins: the mark of UTF-8, which spreadsheets need, and the names of the columns."""
    return ("\ufeff" + line(COLUMNS)).encode()


def line(cells: Iterable[str]) -> str:
    """One record, every cell in quotes, ended by CRLF (RFC 4180)."""
    return ",".join(['"' + cell.replace('"', '""') + '"' for cell in cells]) + "\r\n"


def render(_facts: VersionFacts, _options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """One table a split."""
    buffers: dict[str, bytearray] = {}
    values = attrgetter(*COLUMNS)
    for row in rows:
        buffer = buffers.get(row.split)
        if buffer is None:
            buffer = buffers[row.split] = bytearray(head())
        buffer += line(map(_cell, values(row))).encode()
        if len(buffer) >= PIECE_BYTES:
            yield Piece(FORMAT.path_of(row.split), buffer)
            buffers[row.split] = bytearray()
    for split, buffer in buffers.items():
        yield Piece(FORMAT.path_of(split), buffer)


def _cell(value: str | int | tuple[Assertion, ...] | None) -> str:
    if isinstance(value, tuple):
        return msgspec.json.encode(value).decode() if value else ""
    return "" if value is None else safe_cell(str(value))


FORMAT = Format(
    name="csv",
    about="Tables for spreadsheets, in which no cell is a formula",
    purpose=None,
    data_path="{split}.csv",
    misfit=lambda _: None,
    render=render,
    usage="""\
```python
import csv

with open("FOLDER/test.csv", encoding="utf-8-sig", newline="") as file:
    rows = [{name: cell.removeprefix("'") for name, cell in row.items()} for row in csv.DictReader(file)]
```

A cell that a spreadsheet could take for a formula has an apostrophe before it, and so has one that begins with an
apostrophe: take one away. An empty cell stands for nothing; assertions are JSON. Spreadsheets cut
cells at 32,767 characters, the file does not.""",
)
