"""Secrets in tables: the name stands at the head of a column, or in the cell before the value.

Read are tables of comma-separated values (also with semicolons or tabs), of Markdown, of database consoles with their
borders, columns aligned by blanks, and the two lists of an SQL INSERT. A table is looked at only if one of its heads or
cells says secret; each of its lines is read once.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import pairwise

from goldvein.sanitizer.checks import is_filler, is_numbered_words
from goldvein.sanitizer.context import Strength, can_be_secret, classify_name
from goldvein.sanitizer.matching import INSERT, INSERTED, TABLE_CELL, Match, Reading

MAX_CELLS = 64
MAX_HEAD_CHARS = 48
MAX_LINE_CHARS = 8_192
MAX_ROWS = 4_096
MIN_PASSWORD_CHARS = 4
MIN_COLUMNS = 2
_INSERTED = re.compile(
    r"(?i)insert[ ]{1,4}into[ ][^()]{1,128}\((?P<names>[^()]{1,2048})\)[ \t\r\n]{0,32}values?[ \t\r\n]{0,32}"
)
_ROW = re.compile(r"[ \t\r\n,]{0,32}\((?P<values>(?:'(?:[^'\\]|''|\\.){0,4096}+'|[^()']){1,8192}+)\)")
_SQL_CELL = re.compile(
    r"[ \t\r\n]{0,32}(?:[NnEeXx]?'(?P<quoted>(?:[^'\\]|''|\\.){0,4096}+)'|[^,']{0,1024})[ \t\r\n]{0,32}(?:,|\Z)"
)
_RULER = re.compile(r"[ \t]{0,64}[-=+|:\u2500-\u257f \t]{3,8192}\Z")
_BORDER = re.compile("[|\u2502\u2503\u2551]")
# Lists of names in code have commas, too: their lines are indented, end in a comma, or import something.
_CODE = re.compile(r"\A[ \t]|,[ \t]{0,8}\Z|'|\A(?:from|import|use|using|require|export|return|def|local)\b")
_COLUMN = re.compile(r"\S{1,512}(?:[ ]\S{1,512}){0,16}")
_HEAD = re.compile(r"[^\W\d][\w .()/#-]{0,47}\Z")
_LOGIN_HEAD = re.compile(r"(?i)(?:user|login|email|e-mail|account|benutzer|usuario|host|name|url)")
_SYMBOLS = frozenset("#^!%*+?@~&")
_CELL_TRIM = " \t\"'`*"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cell:
    """A cell's content without blanks, quotes and marks, and where it stands."""

    text: str
    start: int
    end: int


def find_table_secrets(reading: Reading) -> Iterator[Match]:
    """Yield the cells of a table that belong to a name that says secret."""
    text, data, occurring = reading.text, reading.data, reading.occurring
    resume = 0
    for begin, end in TABLE_CELL.spans(data):
        if end <= resume:
            continue
        start = _line_start(text, begin)
        resume = yield from _read_table(text, start)
    for begin, _ in INSERT.spans(data) if INSERTED in occurring else ():
        yield from _inserted(text, begin)


def _line(text: str, start: int) -> tuple[str, int]:
    """Give the line that begins here, and where the next one does."""
    end = text.find("\n", start)
    end = end if end >= 0 else len(text)
    escaped = text.find("\\n", start, end)
    if escaped >= 0:
        return text[start:escaped].removesuffix("\\r"), escaped + 2
    return text[start:end].rstrip("\r"), end + 1


def _line_start(text: str, place: int) -> int:
    """Find where the line begins, of which a break may be an escape in a string."""
    begin = text.rfind("\n", 0, place + 1) + 1
    escaped = text.rfind("\\n", begin, place + 2)
    if escaped >= 0:
        return escaped + 2
    quote = text.rfind('"', begin, place) if "\\n" in text[place : place + MAX_LINE_CHARS] else -1
    return quote + 1 if quote >= 0 else begin


def _read_table(text: str, start: int) -> Generator[Match, None, int]:
    """Read the table whose head is this line, or, if it has none, this line as name and value; gives where to go on."""
    head, position = _line(text, start)
    if len(head) > MAX_LINE_CHARS:
        return position
    cells = _cells(head, start)
    columns = _secret_columns(cells)
    kind = _kind(head)
    if sum(1 for cell in cells if cell.text) < MIN_COLUMNS or not columns or (kind == "," and _CODE.search(head)):
        return position
    rows = 0
    alike = any(_LOGIN_HEAD.match(cell.text) for cell in cells)
    while position < len(text) and rows < MAX_ROWS:
        line, after = _line(text, position)
        if _RULER.match(line):
            position = after
            continue
        row = _cells(line, position, like=(head, start)) if 0 < len(line) <= MAX_LINE_CHARS else []
        if len(row) != len(cells) or _kind(line) != kind:
            break
        for column, strength in columns.items():
            yield from _found(row[column], strength, alike=alike)
        position = after
        rows += 1
    if not rows or kind == "|":
        yield from _pairs(cells)
    return _line(text, start)[1] if not rows else position


def _kind(line: str) -> str:
    """Tell what parts the cells of a line: a border, a tab, a semicolon, a comma, or blanks."""
    if _BORDER.search(line):
        return "|"
    for sign in "\t;,":
        if sign in line:
            return sign
    return " "


def _cells(line: str, offset: int, like: tuple[str, int] | None = None) -> list[_Cell]:
    """Part a line into cells; a line under a head whose columns blanks part is parted as its head is."""
    kind = _kind(like[0] if like else line)
    if kind == "|":
        edges = [match.start() for match in _BORDER.finditer(line)]
        stripped = line.strip()
        if not _BORDER.match(stripped[:1]):
            edges.insert(0, -1)
        if not _BORDER.match(stripped[-1:]):
            edges.append(len(line))
        spans = [(left + 1, right) for left, right in pairwise(edges)]
    elif kind == " ":
        spans = [match.span() for match in _COLUMN.finditer(line)]
    else:
        spans = _separated(line, kind)
    return [_trimmed(line, start, end, offset) for start, end in spans[:MAX_CELLS]]


def _separated(line: str, sign: str) -> list[tuple[int, int]]:
    """Part a line at a sign, but not within quotes."""
    spans: list[tuple[int, int]] = []
    start, quoted = 0, False
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == sign and not quoted:
            spans.append((start, place))
            start = place + 1
    return [*spans, (start, len(line))]


def _trimmed(line: str, start: int, end: int, offset: int) -> _Cell:
    """Leave out blanks, quotes and marks around a cell's content."""
    while start < end and line[start] in _CELL_TRIM:
        start += 1
    while start < end and line[end - 1] in _CELL_TRIM:
        end -= 1
    return _Cell(text=line[start:end], start=offset + start, end=offset + end)


def _secret_columns(cells: list[_Cell]) -> dict[int, Strength]:
    """Give the columns whose head says secret; none if one of the heads is no head."""
    columns: dict[int, Strength] = {}
    for place, cell in enumerate(cells):
        if cell.text and not _HEAD.match(cell.text):
            continue
        strength = _strength(cell.text)
        if strength is not None:
            columns[place] = strength
    return columns


def _strength(name: str) -> Strength | None:
    """Classify a name of a few words."""
    if len(name) > MAX_HEAD_CHARS:
        return None
    return classify_name(name.rstrip(":").replace(" ", "_"))


def _found(cell: _Cell, strength: Strength, *, alike: bool) -> Iterator[Match]:
    """Yield the cell if it can be a secret."""
    if _is_secret_cell(cell.text, strength, alike=alike):
        yield Match(type=strength.value, start=cell.start, end=cell.end, rule="table_cell", confidence="medium")


def _is_secret_cell(value: str, strength: Strength, *, alike: bool) -> bool:
    """Tell a secret from a type, a remark and a number; among logins, any word can be a password."""
    if any(sign in value for sign in " (<{$[") or len(value) < MIN_PASSWORD_CHARS or is_filler(value):
        return False
    if not can_be_secret(value, strength, quoted=True):
        return False
    if alike and strength is Strength.PASSWORD:
        return True
    telling = any(character.isdigit() or character in _SYMBOLS for character in value)
    return telling and not (is_numbered_words(value) and value.isalnum())


def _pairs(cells: list[_Cell]) -> Iterator[Match]:
    """Read a line as names with their values behind them."""
    for name, value in pairwise(cells):
        strength = _strength(name.text) if _HEAD.match(name.text) else None
        if strength is not None:
            yield from _found(value, strength, alike=False)


def _inserted(text: str, start: int) -> Iterator[Match]:
    """Read the values of an INSERT under the names of its columns."""
    head = _INSERTED.match(text, start)
    if head is None:
        return
    columns = {
        place: strength
        for place, name in enumerate(head["names"].split(","))
        if (strength := classify_name(name.strip(" \t\r\n\"'`[]"))) is not None
    }
    position = head.end()
    row = _ROW.match(text, position)
    while row is not None:
        for place, cell in enumerate(_SQL_CELL.finditer(text, row.start("values"), row.end("values"))):
            strength = columns.get(place)
            if (
                strength is not None
                and cell["quoted"] is not None
                and can_be_secret(cell["quoted"], strength, quoted=True)
            ):
                begin, end = cell.span("quoted")
                yield Match(type=strength.value, start=begin, end=end, rule="sql_insert", confidence="medium")
        row = _ROW.match(text, row.end())
