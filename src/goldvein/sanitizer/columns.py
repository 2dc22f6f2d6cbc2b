"""Personal data in tables: the name of a column is the label of every value under it.

CSV and TSV with a line of names, tables of Markdown, and the columns that an SQL statement lists before its values.
What stands in such a column counts if it has the form of what the name says.
"""

import re
from collections.abc import Iterator

from goldvein.sanitizer import personal
from goldvein.sanitizer.labels import BIRTH, OTHER, PHONE, label_in
from goldvein.sanitizer.linear import Linear
from goldvein.sanitizer.matching import Match

MAX_NAMES_CHARS = 2048
MAX_CELL_CHARS = 64
MIN_PHONE_DIGITS = 6

_SEPARATORS = ",;\t|"
_NAME = r"[A-Za-z\x80-\xff?_\"' .()/#-]"
_TABLES = Linear(
    rf"(?m)^{_NAME}*[A-Za-z?\"]{_NAME}*(?:[,;|\t]{_NAME}+)+\r?$|^[ \t]*\|{_NAME}+(?:\|{_NAME}+)+\|[ \t]*\r?$"
    r"|(?i)\)[ \t\r\n]*values[ \t\r\n]*\("
)
_CELLS = {
    sign: re.compile(rf'(?P<cell>(?:"[^"\n]{{0,4096}}"|[^{re.escape(sign)}"\n]){{0,512}}+)(?:{re.escape(sign)}|\Z)')
    for sign in _SEPARATORS
}
_SQL_VALUE = re.compile(
    r"[ \t\r\n]{0,64}(?P<cell>'(?:[^'\\]|''|\\.){0,4096}'|[^,()']{0,256})[ \t\r\n]{0,64}(?P<end>[,)])"
)
_NEXT_ROW = re.compile(r"[ \t\r\n]{0,64},[ \t\r\n]{0,64}\(")
_DIGIT = re.compile("[0-9]")
_PHONE = re.compile(r"[+(]{0,2}[0-9][0-9 ().\u00a0/-]{4,24}(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6})?")
_WRITTEN_DAY = re.compile(r"[\w ,.'/-]{0,24}(?:19|20)[0-9]{2}[\w ,./:-]{0,24}")


def find_in_columns(text: str, data: bytes) -> Iterator[Match]:
    """Yield values of columns whose names say that they are someone's data. Each row is read once."""
    done = 0
    for start, end in _TABLES.spans(data):
        if start < done:
            continue
        if text[end - 1] == "(":
            names_at = text.rfind("(", max(0, start - MAX_NAMES_CHARS), start) + 1
            kinds = _kinds(text[names_at:start].split(","))
            if kinds:
                yield from _sql_rows(text, end, kinds)
            continue
        line = text[start:end]
        if len(line) > MAX_NAMES_CHARS:
            continue
        sign = max(_SEPARATORS, key=line.count)
        if not _begins_rows(text, end + 1, sign, line.count(sign)):
            continue
        kinds = _kinds(line.split(sign))
        if kinds:
            done = _end_of_rows(text, end + 1, sign, line.count(sign))
            yield from _rows(text, end + 1, done, sign, kinds)


def _kinds(names: list[str]) -> dict[int, frozenset[str]]:
    """Tell which columns hold what, by their place."""
    found = ((place, label_in(name)) for place, name in enumerate(names) if len(name) <= MAX_CELL_CHARS)
    return {place: kinds for place, kinds in found if kinds and OTHER not in kinds}


def _begins_rows(text: str, start: int, sign: str, count: int) -> bool:
    """Tell whether the next line can be a row: as many separators, and a digit there or below a line of hyphens."""
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    return line.count(sign) >= count and (_DIGIT.search(line) is not None or not line.strip("|-: \t\r"))


def _end_of_rows(text: str, start: int, sign: str, count: int) -> int:
    """Give the place after the last line with as many separators as the line of names; quotes may hold more of them."""
    place = start
    while place < len(text):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        if text.count(sign, place, end) < count:
            break
        place = end + 1
    return place


def _rows(text: str, start: int, end: int, sign: str, kinds: dict[int, frozenset[str]]) -> Iterator[Match]:
    """Yield the values of the columns, line by line."""
    place = start
    for line in text[start:end].split("\n"):
        for number, cell in enumerate(_CELLS[sign].finditer(line)):
            if number in kinds:
                yield from _value(text, place + cell.start("cell"), place + cell.end("cell"), kinds[number])
        place += len(line) + 1


def _sql_rows(text: str, start: int, kinds: dict[int, frozenset[str]]) -> Iterator[Match]:
    """Yield the values of the columns, one bracket after the other."""
    place, number = start, 0
    while cell := _SQL_VALUE.match(text, place):
        if number in kinds:
            yield from _value(text, cell.start("cell"), cell.end("cell"), kinds[number])
        place, number = cell.end(), number + 1
        if cell["end"] == ")":
            row = _NEXT_ROW.match(text, place)
            if row is None:
                return
            place, number = row.end(), 0


def _value(text: str, start: int, end: int, kinds: frozenset[str]) -> Iterator[Match]:
    """Yield a value without its quotes, if it has the form of its column."""
    value = text[start:end]
    start += len(value) - len(value.lstrip(" \t\"'"))
    value = value.strip(" \t\r\"'")
    found = _type_of(value, kinds) if value and len(value) <= MAX_CELL_CHARS else None
    if found is not None:
        yield Match(type=found, start=start, end=start + len(value), rule="table_column", confidence="high")


def _type_of(value: str, kinds: frozenset[str]) -> str | None:
    """Tell what a value is under these labels; nothing if its form is another."""
    if PHONE in kinds:
        is_phone = _PHONE.fullmatch(value) and sum(sign.isdigit() for sign in value) >= MIN_PHONE_DIGITS
        return "phone" if is_phone else None
    if BIRTH in kinds:
        return (
            "birth_date" if _WRITTEN_DAY.fullmatch(value) or (value[:1].isdigit() and personal.is_date(value)) else None
        )
    return "national_id" if personal.is_national_id(value, kinds) else None
