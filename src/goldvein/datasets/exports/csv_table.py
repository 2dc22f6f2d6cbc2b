"""A table for spreadsheets, in which no cell is a formula."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
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


def render(_facts: VersionFacts, _options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """One table a split: UTF-8 with its mark (spreadsheets need it), every cell in quotes, lines end in CRLF."""
    tables: dict[str, tuple[io.StringIO, csv.DictWriter[str]]] = {}
    for row in rows:
        if row.split not in tables:
            text = io.StringIO(newline="")
            tables[row.split] = text, writer(text)
        text, table = tables[row.split]
        table.writerow({name: _cell(getattr(row, name)) for name in COLUMNS})
        if text.tell() >= PIECE_BYTES:
            yield _taken(row.split, text)
    for split, (text, _) in tables.items():
        yield _taken(split, text)


def writer(text: io.StringIO) -> "csv.DictWriter[str]":
    """Begin a table in this buffer; cells are written as they are given."""
    text.write("\ufeff")
    table = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writeheader()
    return table


def _taken(split: str, text: io.StringIO) -> Piece:
    piece = Piece(FORMAT.path_of(split), text.getvalue().encode())
    text.seek(0)
    text.truncate()
    return piece


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
