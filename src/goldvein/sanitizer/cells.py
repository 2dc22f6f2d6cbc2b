"""The one reader of tables: which cells stand under which names.

Read are tables of comma-separated values (also with semicolons or tabs), of Markdown, of database consoles with their
borders, columns aligned by blanks, and what an SQL INSERT lists. Whether a name says something, `columns.py` knows.
A line is looked at only if it is nothing but names, or one of its cells says secret; each line is read once.
"""

import re
from collections.abc import Generator, Iterator
from itertools import pairwise
from typing import NamedTuple

from goldvein.sanitizer.columns import Columns, columns_of_insert, columns_of_table, secret_pairs
from goldvein.sanitizer.linear import Linear
from goldvein.sanitizer.matching import CELL_STEMS, VALUES, VALUES_LISTED, Match, Reading

MAX_CELLS = 256
MAX_LINE_CHARS = 8_192
MAX_NAMES_CHARS = 2_048

_NAME = r"[A-Za-z\x80-\xff?_\"' .()/#-]"
# A cell that is nothing but a name of a few words and says secret, or a line that is nothing but names with a digit in
# the line below, where anyone's data has one. They are looked for by themselves: in one set with the other passes they
# cost four times as much.
_SECRET_CELL = (
    r"(?im)(?:^|[|,;\t]|[ ][ ]|\?|\\n)[ \"'`*]*[A-Za-z0-9.()/_ -]*"
    rf"(?:{CELL_STEMS})s?[ \"'`*:]*(?:[|,;\t]|[ ][ ]|\?|\r?$|\\n|\\r)"
)
_SAYS_SECRET = Linear(_SECRET_CELL)
_HEADS = Linear(
    rf"(?m)(?:^{_NAME}*[A-Za-z?\"]{_NAME}*(?:[,;|\t]{_NAME}+)+|^[ \t]*\|{_NAME}+(?:\|{_NAME}+)+\|[ \t]*)\r?\n"
    rf"(?:[-=+|:?\t ]*\n)?[^\n0-9]*[0-9]|{_SECRET_CELL}"
)
# Lists of names in code have commas, too: their lines are indented, end in a comma, or import something.
_CODE = re.compile(r"\A[ \t]|,[ \t]{0,8}\Z|'|\w\(|\A(?:from|import|use|using|require|export|return|def|local)\b")
_RULER = re.compile(r"[-=+|:\u2500-\u257f \t]{3,8256}+\Z")
_BORDER = re.compile("[|\u2502\u2503\u2551]")
_COLUMN = re.compile(r"\S{1,512}(?:[ ]\S{1,512}){0,16}")
_MARKS = {sign: re.compile(f'[{sign}"]') for sign in "\t;,"}
_DIGIT = re.compile("[0-9]")
_VALUE = re.compile(
    r"[ \t\r\n]{0,64}+(?:[NnEeXx]?'(?P<quoted>(?:[^'\\]|''|\\.){0,4096}+)'|(?P<bare>[^,()']{0,256}+))"
    r"[ \t\r\n]{0,64}+(?P<end>[,)])"
)
_NEXT_ROW = re.compile(r"[ \t\r\n,]{0,64}\(")

Span = tuple[int, int]


class _Line(NamedTuple):
    """A line of the text without its break, where it begins, and where the next one does."""

    text: str
    start: int
    after: int


def find_in_tables(reading: Reading) -> Iterator[Match]:
    """Yield the cells that stand under, or behind, a name that says what they are."""
    text, data = reading.text, reading.data
    resume = 0
    while located := _HEADS.search(data, resume):
        begin, end = located
        start = _line_start(text, begin, resume)
        if start < 0:
            resume = end
        else:
            head = _line(text, start)
            kind = _kind(head.text)
            says_secret = (
                not (kind == "," and _CODE.search(head.text))
                and _SAYS_SECRET.search(data[start : start + len(head.text)]) is not None
            )
            resume = yield from _read_table(text, head, kind, says_secret=says_secret)
    for begin, end in VALUES_LISTED.spans(data) if VALUES in reading.occurring else ():
        names_at = text.rfind("(", max(0, begin - MAX_NAMES_CHARS), begin) + 1
        columns = columns_of_insert(text[names_at:begin].split(","))
        if columns:
            yield from _read_values(text, end, columns)


def _line(text: str, start: int) -> _Line:
    """Give the line that begins here."""
    end = text.find("\n", start)
    end = end if end >= 0 else len(text)
    escaped = text.find("\\n", start, end)
    if escaped >= 0:
        return _Line(text[start:escaped].removesuffix("\\r"), start, escaped + 2)
    return _Line(text[start:end].rstrip("\r"), start, end + 1)


def _line_start(text: str, place: int, lowest: int) -> int:
    """Find where the line begins, of which a break may be an escape in a string; -1 if that is too far to the left."""
    limit = max(lowest, place - MAX_LINE_CHARS)
    begin = text.rfind("\n", limit, place + 1) + 1
    if not begin:
        if limit > lowest:
            return -1
        begin = limit
    escaped = text.rfind("\\n", begin, place + 2)
    if escaped >= 0:
        return escaped + 2
    quote = text.rfind('"', begin, place)
    return quote + 1 if quote >= 0 and text.find("\\n", place, place + MAX_LINE_CHARS) >= 0 else begin


def _read_table(text: str, head: _Line, kind: str, *, says_secret: bool) -> Generator[Match, None, int]:
    """Read the table whose names this line holds, or, if it has none, the line as names with values behind them.

    Gives where to go on.
    """
    if len(head.text) > MAX_LINE_CHARS:
        return head.after
    following = _row_line(text, head.after)
    holds_digits = kind != " " and _DIGIT.search(following.text) is not None
    if not says_secret and not holds_digits:
        return head.after
    spans = _cells(head.text, kind)
    cells = [(head.text[start:end], head.start + start) for start, end in spans]
    columns = columns_of_table([name for name, _ in cells], secrets=says_secret, people=holds_digits)
    if not columns:
        return head.after
    line, place, rows = following, head.after, 0
    while line.text and len(line.text) <= MAX_LINE_CHARS:
        row = _cells(line.text, kind)
        if len(row) > len(spans):
            columns = columns.without_secrets()
        if len(row) < len(spans) or not columns:
            break
        for column in columns.places:
            start, end = row[column]
            yield from columns.judge(column, line.text[start:end], line.start + start)
        place, rows = line.after, rows + 1
        line = _row_line(text, place)
    if says_secret and (not rows or kind == "|"):
        yield from secret_pairs(cells)
    return place


def _row_line(text: str, place: int) -> _Line:
    """Give the next line that is no ruler; an empty one at the end."""
    line = _line(text, place)
    while line.after < len(text) and _RULER.match(line.text):
        line = _line(text, line.after)
    return line


def _kind(line: str) -> str:
    """Tell what parts the cells of a line: a border, a tab, a semicolon, a comma, or blanks."""
    if _BORDER.search(line):
        return "|"
    sign = max("\t;,", key=line.count)
    return sign if sign in line else " "


def _cells(line: str, kind: str) -> list[Span]:
    """Part a line into cells."""
    if kind == " ":
        return [match.span() for match in _COLUMN.finditer(line)][:MAX_CELLS]
    if kind != "|":
        return _separated(line, kind)[:MAX_CELLS]
    edges = [match.start() for match in _BORDER.finditer(line)]
    stripped = line.strip()
    if not _BORDER.match(stripped[:1]):
        edges.insert(0, -1)
    if not _BORDER.match(stripped[-1:]):
        edges.append(len(line))
    return [(left + 1, right) for left, right in pairwise(edges[: MAX_CELLS + 1])]


def _separated(line: str, sign: str) -> list[Span]:
    """Part a line at a sign, but not within quotes."""
    spans: list[Span] = []
    start, quoted = 0, False
    for mark in _MARKS[sign].finditer(line):
        if mark[0] == '"':
            quoted = not quoted
        elif not quoted:
            spans.append((start, mark.start()))
            start = mark.end()
    return [*spans, (start, len(line))]


def _read_values(text: str, start: int, columns: Columns) -> Iterator[Match]:
    """Read the values of an INSERT, one bracket after the other."""
    place, number = start, 0
    while value := _VALUE.match(text, place):
        if number in columns.places:
            group = "bare" if value["quoted"] is None else "quoted"
            yield from columns.judge_value(number, value[group], value.start(group), quoted=group == "quoted")
        place, number = value.end(), number + 1
        if value["end"] == ")":
            row = _NEXT_ROW.match(text, place)
            if row is None:
                return
            place, number = row.end(), 0
