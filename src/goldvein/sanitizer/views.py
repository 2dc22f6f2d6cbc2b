"""Other readings of a text: what a terminal, a shell or a parser would make of it.

A secret may be written with escapes, colours, invisible or wide characters, in two string literals, or broken by the
edge of a terminal. A view undoes these and keeps a map back, so that what is found in the view is redacted in the text
as it was written.
"""

import base64
import binascii
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from goldvein.sanitizer.checks import has_digit, is_made_of_words, looks_random, remembered
from goldvein.sanitizer.linear import Linear
from goldvein.sanitizer.matching import (
    QUOTED_PRINTABLE,
    WRAP,
    WRITTEN_OTHERWISE,
    WRITTEN_OTHERWISE_HINT,
    Numbers,
    Reading,
)

MAX_BASE64_RUNS = 64
MAX_LEVELS = 3
NEAR_CHARS = 256
GAP = "\n"
MIN_WRAPPED_LINE_CHARS = 40
MAX_WRAPPED_LINE_CHARS = 512
MIN_WRAPPED_RUN_CHARS = 16
SAME_START_CHARS = 4
MAX_WRAPPED_RUN_CHARS = 256
# More than is read of a line after a break: the run itself, and what may follow it to the end of the line.
READ_AFTER_BREAK_CHARS = 384
MANY_BREAKS = 32
# How far from a located break is read: the line before it, and what is written before the next with its beginning.
READ_BEFORE_BREAK_CHARS = 520
READ_BEHIND_BREAK_CHARS = 1024
MIN_BROKEN_OFF_CHARS = 6
_PROBED_BASE64_CHARS = 24
BYTE_CHARS = 3  # %41
_LAST_OF_ASCII = "\x7f"
_LAST_CODE_POINT = 0x10FFFF
_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF

_INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
)
_WIDE = (*range(0xFF01, 0xFF5F), *range(0x1D400, 0x1D800))
_BLANKS = (0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_DOUBLE_QUOTES = (0xAB, 0xBB, *range(0x201C, 0x2020), 0x300C, 0x300D)
_SINGLE_QUOTES = (*range(0x2018, 0x201C), 0x2039, 0x203A)
# Signs that each stand for one other, so that a run of them keeps its length and is read at once.
_MEANT = {
    **dict.fromkeys(_BLANKS, " "),
    **dict.fromkeys(_DOUBLE_QUOTES, '"'),
    **dict.fromkeys(_SINGLE_QUOTES, "'"),
    **{code: meant for code in _WIDE if (meant := unicodedata.normalize("NFKC", chr(code))) != chr(code)},
}
# Ranges, since a class of a thousand signs beyond 16 bits is compared one by one.
_RUN_OF_MEANT = re.compile(
    r"[\uff01-\uff5e\U0001d400-\U0001d7ff\u00a0\u2000-\u200a\u202f\u205f\u3000\u00ab\u00bb\u201c-\u201f\u300c\u300d"
    r"\u2018-\u201b\u2039\u203a]{1,262144}+"
)
_RUN_OF_INVISIBLE = re.compile(f"(?P<nothing>[{_INVISIBLE}]{{1,262144}}+)")
_WRITTEN_OTHERWISE = re.compile(
    rf"""
    (?P<nothing>
        [{_INVISIBLE}]
      | (?:\x1b|\\u001[bB]|\\x1[bB]|\\033|\\e)(?:\[[0-9;:?]{{0,24}}[A-Za-z]|\][^\x07\x1b\n]{{0,256}}(?:\x07|\x1b\\))
      | (?:\\|(?<![`^\n])[`^])\r?\n[ \t]{{0,16}}(?=\S) | \\\\\\n
      | (?<!\\)(?P<quote>["'])
        (?:(?:[ \t]{{0,8}}\+|[ \t]{{1,8}}(?:\+\+|<>|\.\.?|&|\|\|))[ \t]{{0,8}}(?:[\\_]?\r?\n[ \t]{{0,64}})?
          |[ \t]{{0,8}}(?:\.[ \t]{{1,8}}|[\\.]?[ ]?\r?\n[ \t]{{0,64}}(?:(?:\+\+?|<>|\.\.?|&|\|\|)[ \t]{{0,8}})?))
        (?P=quote)
    )
    | \\(?:u\{{(?P<braced>[0-9a-fA-F]{{1,6}})\}}|u(?P<unit>[0-9a-fA-F]{{4}})|U(?P<long>[0-9a-fA-F]{{8}}))
    | (?:\\x|%(?:(?=[0-7])|(?<=%[0-9A-Fa-f]{{2}}%)|(?=[0-9A-Fa-f]{{2}}%[0-9A-Fa-f]{{2}})))
      (?P<byte>[0-9a-fA-F]{{2}})
    | %u(?P<percent>[0-9a-fA-F]{{4}}) | \\(?P<octal>[0-3][0-7]{{2}})(?![0-9])
    | (?P<entity>&(?:\#[0-9]{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z]{{2,8}});)
    | \\(?P<slash>/)
    """,
    re.VERBOSE,
)
_QUOTED_PRINTABLE_TOO = re.compile(
    _WRITTEN_OTHERWISE.pattern + r"| (?P<soft>=\r?\n) | =(?P<quoted>[0-9A-F]{2})", re.VERBOSE
)
_CODES = {"braced": 16, "unit": 16, "long": 16, "byte": 16, "percent": 16, "quoted": 16, "octal": 8}
_BYTES_IN_A_ROW = re.compile(r"(?:%[0-9A-Fa-f]{2}){2,87381}+")
_QUOTED_BYTE = re.compile(r"=[0-9A-F]{2}|=\r?\n")
_BASE64_RUN = Linear(r"[A-Za-z0-9+/_-]{24,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{4,})*={0,2}")
_BASE64_NEIGHBOURS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")
_PRINTABLE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]{12,65536}")
_RUN_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=.~%-"
_LINE_END = re.compile(
    r"(?:[ \t]{0,64}(?P<edge>[|\u2502\u2503\u2551\xa6])[ \t]{0,16})?(?:\r?\n|\\{1,7}r\\{1,7}n|\\{1,7}n)"
)
_STRING_BEGIN = re.compile(r"(?<!\\)\"")
_DECORATION = re.compile(
    r"[+-](?!-)|(?:[ \t\xa0]|\\{1,7}t){0,16}(?:[0-9]{1,6}(?:[:|\u2502\u2192]|(?=[ \t\\]))"
    r"(?:[ \t\xa0]|\\{1,7}t){0,4}[|\u2502]?[ ]{0,4}"
    r"|(?:(?:[>|\u2502\u2503\u2551\xa6#*;%]{1,4}|//|--(?=[ \t]))(?:[ \t\xa0]|\\{1,7}t){0,8}){0,4})"
)
_DIGITS = re.compile(r"[0-9]{1,6}")
_BLANK_SIGNS = re.compile(r"[ \t\xa0]{1,64}|\\{1,7}t")
_INDENT = re.compile(r"[ \t]{0,16}")
_REST_END = re.compile(r"\\{0,7}[\"'`,;]|[ \t]{0,64}\r?(?:\Z|\n|\\{1,7}[nr])")
_RUN_AFTER = re.compile(r"[A-Za-z0-9_+/=.~%-]{1,256}")
_EDGES = frozenset(" \t|\xa6\u2502\u2503\u2551")
# What begins a line and is no rest of a token: a time, a whole digest, the end of an armour, a path, a word, a name
# that is assigned.
_NO_TOKEN = re.compile(
    r"[0-9a-f]{40}(?:[0-9a-f]{24})?(?=\s|\Z)|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}:[0-9]{2}|-----|/(?:[\w.-]{0,64}/|[a-z.-]{1,64}(?:\s|\Z))"
    r"|(?P<word>[A-Za-z]?[a-z]{1,24}(?=[ ,;:).]|\Z)|[0-9a-f]{7,12}(?=[ ]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,64})[ ]?(?:[:(]|=(?!={0,2}[\"'](?:[,;)\s]|\Z)))"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A text read in another way; `begins` and `ends` give, for parts of it, where they stand in what it was read from.

    `joins`: where lines were joined on a guess. A finding counts only if it crosses one of them.
    """

    text: str
    marks: tuple[int, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]
    joins: tuple[int, ...] = ()
    below: "View | None" = None

    def input_span(self, start: int, end: int) -> tuple[int, int]:
        """Find the span of the input that reads as this span of the view."""
        first = bisect_right(self.marks, start) - 1
        last = bisect_right(self.marks, end - 1) - 1
        span = self._place_below(first, start)[0], self._place_below(last, end - 1)[1]
        return self.below.input_span(*span) if self.below else span

    def _place_below(self, part: int, place: int) -> tuple[int, int]:
        """Find where one character of the view was read from."""
        offset = place - self.marks[part]
        if self.ends[part] < 0:
            begin = self.begins[part] + offset
            return begin, begin + 1
        return self.begins[part], self.ends[part]

    def crosses_join(self, start: int, end: int) -> bool:
        """Tell whether a span of the view holds a join."""
        place = bisect_right(self.joins, start)
        return place < len(self.joins) and self.joins[place] < end


Part = tuple[str, int, int]  # the text, where it begins, where it ends; -1 for a part that keeps its length


def other_views(reading: Reading, read: Callable[[str, Numbers], Reading]) -> Iterator[tuple[View, Reading]]:
    """Yield the text with its escapes undone, level by level, and with its wrapped lines joined."""
    below: Reading = reading
    view: View | None = None
    for _ in range(MAX_LEVELS):
        plain = _plain_view(below, view)
        if plain is None:
            break
        view, below = plain, read(plain.text, reading.numbers)
        yield view, below
    for wrapped, wrapped_view in ((reading, None), (below, view)) if view else ((reading, None),):
        joined = _unwrapped_view(wrapped, wrapped_view)
        if joined is not None:
            yield joined, read(joined.text, reading.numbers)


def _plain_view(reading: Reading, below: View | None) -> View | None:
    """Read the text with escapes undone and literals joined; None when nothing in it is written otherwise."""
    text = reading.text
    if WRITTEN_OTHERWISE not in reading.occurring and text.isascii():
        return None
    parts: list[Part] = []
    position = 0
    places, expression = _places(reading)
    for begin in places:
        is_run = text[begin] > _LAST_OF_ASCII
        place = max(begin, position) if is_run else begin
        row = _BYTES_IN_A_ROW.match(text, begin) if text[begin] == "%" else None
        if row is not None:
            parts += _bytes_in(text, begin, position, row.end())
            position = max(position, row.end())
            continue
        if place < position:
            continue
        match = expression.match(text, place) if not is_run else _run_at(text, place)
        meaning = _meaning(match) if match else None
        if match is None or meaning is None:
            continue
        if position < place:
            parts += _kept(text, position, place)
        position = match.end()
        if meaning:
            parts.append((meaning, place, -1 if is_run else position))
    if not position:
        return None
    parts += _kept(text, position, len(text))
    return _view_of(parts, below=below) if parts else None


def _places(reading: Reading) -> tuple[list[int], re.Pattern[str]]:
    """List, from left to right, where something may be written otherwise; with what is read what begins in ASCII."""
    text, data, occurring, _ = reading
    expression, places = _WRITTEN_OTHERWISE, []
    if WRITTEN_OTHERWISE in occurring:
        places = [start for start, _ in WRITTEN_OTHERWISE_HINT.spans(data)]
        if b"=" in data and QUOTED_PRINTABLE.search(data) is not None:
            expression = _QUOTED_PRINTABLE_TOO
            places += [match.start() for match in _QUOTED_BYTE.finditer(text)]
    if not text.isascii():
        places += [match.start() for match in _RUN_OF_MEANT.finditer(text)]
        places += [match.start() for match in _RUN_OF_INVISIBLE.finditer(text)]
    return sorted(places), expression


def _bytes_in(text: str, begin: int, position: int, end: int) -> list[Part]:
    """Read coded bytes in a row, but for those that stand before a position, and keep what is between."""
    place = begin if begin >= position else begin - (begin - position) // BYTE_CHARS * BYTE_CHARS
    coded = [
        (chr(int(text[at + 1 : at + BYTE_CHARS], 16)), at, at + BYTE_CHARS) for at in range(place, end, BYTE_CHARS)
    ]
    return [*_kept(text, position, place), *coded] if coded else []


def _run_at(text: str, place: int) -> re.Match[str] | None:
    """Read as much as can be read at once of signs that are seen as others, or as nothing."""
    return _RUN_OF_INVISIBLE.match(text, place) or _RUN_OF_MEANT.match(text, place)


def _kept(text: str, start: int, end: int) -> list[Part]:
    """Give an unchanged piece as parts: only what is near a change, since the rest has been read as it is."""
    if end - start <= 2 * NEAR_CHARS:
        return [(text[start:end], start, -1)] if start < end else []
    head = (
        max(text.rfind(" ", start, start + NEAR_CHARS), text.rfind("\n", start, start + NEAR_CHARS)) if start else start
    )
    tail = min(
        place
        for place in (text.find(" ", end - NEAR_CHARS, end), text.find("\n", end - NEAR_CHARS, end), end)
        if place >= 0
    )
    if end == len(text):
        tail = end
    if head < start or (tail == end < len(text)):
        return [(text[start:end], start, -1)]
    parts = [(text[start:head], start, -1), (GAP, head, tail), (text[tail:end], tail, -1)]
    return [part for part in parts if part[0]]


def _view_of(parts: list[Part], *, below: View | None = None, joins: Sequence[int] = ()) -> View:
    """Join the parts; `joins` are the parts that begin after a break left out on a guess."""
    texts = [part[0] for part in parts]
    marks = (0, *accumulate(map(len, texts[:-1])))
    return View(
        text="".join(texts),
        marks=marks,
        begins=tuple([part[1] for part in parts]),
        ends=tuple([part[2] for part in parts]),
        joins=tuple(marks[part] for part in joins if part < len(marks)),
        below=below,
    )


def _meaning(match: re.Match[str]) -> str | None:
    """Give the characters that are meant, perhaps none; None when nothing else is meant than what is written."""
    kind = match.lastgroup
    if kind in {"nothing", "soft"}:
        return ""
    if kind is None:
        return _unless_same(match[0].translate(_MEANT), match[0])
    written = match[kind]
    if kind == "byte":
        return chr(int(written, 16))
    if kind in _CODES:
        code = int(written, _CODES[kind])
        return None if code > _LAST_CODE_POINT or _FIRST_SURROGATE <= code <= _LAST_SURROGATE else chr(code)
    if kind == "slash":
        return "/"
    return _unless_same(html.unescape(written), written)


def _unless_same(meaning: str, written: str) -> str | None:
    return None if meaning == written else meaning


def _unwrapped_view(reading: Reading, below: View | None) -> View | None:
    """Read the text without the breaks that the edge of a terminal, a mail or a box may have put into a token."""
    text = reading.text
    parts: list[Part] = []
    joins: list[int] = []
    position = tried = 0
    located = WRAP.search(reading.data)
    while located is not None:
        tried += 1
        span = (_break_in if tried <= MANY_BREAKS else _break_again)(text, *located)
        if span is None:
            located = WRAP.search(reading.data, located[1])
            continue
        left, right, goes_on = span
        if left > position and goes_on:
            parts += _kept(text, position, left)
            joins.append(len(parts))
            position = right
        located = WRAP.search(reading.data, right)
    if not parts:
        return None
    parts += _kept(text, position, len(text))
    return _view_of(parts, below=below, joins=joins)


def _break_in(text: str, start: int, end: int) -> tuple[int, int, bool] | None:
    """Find the break that was located, with what is written around it, and tell whether a token goes on behind it."""
    span = _break_at(text, start, end)
    return None if span is None else (span[0], span[1], _may_be_wrapped(text, span[0], span[1], sure=span[2]))


def _break_again(text: str, start: int, end: int) -> tuple[int, int, bool] | None:
    """Do the same for a text of many breaks, which repeat themselves: each piece of it is judged once."""
    begin = start - READ_BEFORE_BREAK_CHARS
    if begin < 0:
        return _break_in(text, start, end)
    span = _break_in_piece(text[begin : end + READ_BEHIND_BREAK_CHARS], start - begin, end - begin)
    return None if span is None else (span[0] + begin, span[1] + begin, span[2])


def _break_at(text: str, start: int, end: int) -> tuple[int, int, bool] | None:
    """Find the break that was located, with what is written around it on both lines alike, and whether that is sure.

    It is not when the second line is only indented: lines of code are, too.
    """
    line_end = _LINE_END.search(text, start, end)
    if line_end is None:
        return None
    left, right = line_end.span()
    indent = _INDENT.match(text, right)
    # Most breaks: a letter begins the next line, so that nothing is written before it.
    if line_end["edge"] is None and indent is not None and text[indent.end() : indent.end() + 1].isalpha():
        near = left - MIN_WRAPPED_LINE_CHARS
        sure = indent.end() == right and near >= 0 and text.find("\n", near, left) < 0
        return left, indent.end(), sure
    before, after = _DECORATION.match(text, _line_begin(text, left)), _DECORATION.match(text, right)
    if indent is None or before is None or after is None:
        return None  # none of them can fail, but for the reader of types
    if line_end["edge"]:
        return (left, after.end(), True) if line_end["edge"] == after[0].strip()[:1] else None
    if _same_form(before, after):
        return left, after.end(), True
    return left, indent.end(), indent.end() == right and left - before.start() >= MIN_WRAPPED_LINE_CHARS


_break_in_piece = remembered(_break_in)


def _line_begin(text: str, place: int) -> int:
    """Find where the line begins in which a place stands; a line that begins far before it begins there."""
    low = max(0, place - MAX_WRAPPED_LINE_CHARS)
    begin = max(text.rfind("\n", low, place) + 1, low)
    escaped = text.rfind("\\n", begin, place)
    if escaped >= 0:
        return escaped + 2
    if begin == low and text[place : place + 1] == "\\":
        for match in _STRING_BEGIN.finditer(text, low, place):
            begin = match.end()
    return begin


def _same_form(before: re.Match[str], after: re.Match[str]) -> bool:
    """Tell whether two lines begin alike; the second of two numbered lines has the next number."""
    first, second = (_DIGITS.sub("0", _BLANK_SIGNS.sub("", found[0])) for found in (before, after))
    if first != second or not first:
        return False
    numbers = [_DIGITS.search(found[0]) for found in (before, after)]
    return numbers[0] is None or numbers[1] is None or int(numbers[0][0]) + 1 == int(numbers[1][0])


def _may_be_wrapped(text: str, left: int, right: int, *, sure: bool) -> bool:
    """Tell whether a line ends in, and the next begins with, parts of one token and not with words.

    If that it is a break of the token's is not sure, nothing but the token's end may follow.
    """
    line = text[max(0, left - MAX_WRAPPED_RUN_CHARS) : left]
    before = line[len(line.rstrip(_RUN_SIGNS)) :]
    return bool(before) and _goes_on(before, text[left], text[right : right + READ_AFTER_BREAK_CHARS], sure)


@remembered
def _goes_on(before: str, edge: str, following: str, sure: bool) -> bool:
    """Judge the end of a line, the first sign after it, and the beginning of the next: the same break is read often."""
    ruled_out = _NO_TOKEN.match(following)
    if ruled_out is not None and ruled_out.lastgroup is None:
        return False
    after = _RUN_AFTER.match(following)
    if after is None:
        return False
    if ruled_out is not None:
        told = before.rpartition("=")[2] if ruled_out["word"] else ruled_out["name"]
        # In a box a short rest of a token may look like a word; a name before a sign of assignment may be base64.
        if not looks_random(told) or (ruled_out["word"] and edge not in _EDGES):
            return False
    if not sure and not _is_rest(before, after):
        return False
    run = before + after[0]
    return (
        len(run) >= MIN_WRAPPED_RUN_CHARS
        and not run.isalpha()
        and ("=" in before or has_digit(run))
        and before[:SAME_START_CHARS] != after[0][:SAME_START_CHARS]
        and before[-1] != "="
        and not is_made_of_words(run)
    )


def _is_rest(before: str, after: re.Match[str]) -> bool:
    """Tell whether a line is nothing but the end of what the line before began with, and that looks generated."""
    value = before.rpartition("=")[2]
    return (
        len(value) >= MIN_BROKEN_OFF_CHARS
        and _REST_END.match(after.string, after.end()) is not None
        and not is_made_of_words(after[0])
        and looks_random(value + after[0].rstrip("="))
    )


def base64_readings(reading: Reading) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, decoded) for runs of base64 that hold readable text."""
    text = reading.text
    for count, (start, end) in enumerate(_BASE64_RUN.spans(reading.data)):
        if count >= MAX_BASE64_RUNS:
            return
        # A sign of assignment before the run is no end of another one.
        if text[start - 1 : start] in _BASE64_NEIGHBOURS - {"="} or text[end : end + 1] in _BASE64_NEIGHBOURS:
            continue
        yield from _readable_runs(text, start, end)


def _readable_runs(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield what decodes: all lines of a run together, or all but the last, which may be a word, or each alone."""
    if _decoded(text[start : start + _PROBED_BASE64_CHARS]) is None:
        return
    last = text.rfind("\n", start, end)
    for stop in (end, last) if last >= 0 else (end,):
        decoded = _decoded(text[start:stop])
        if decoded is not None:
            yield start, stop, decoded
            return
    if last >= 0:
        first = text.find("\n", start, end)
        decoded = _decoded(text[start:first])
        if decoded is not None:
            yield start, first, decoded


@remembered
def _decoded(run: str) -> str | None:
    """Decode base64 of either alphabet, with or without padding, to text; None if it is not readable."""
    compact = "".join(run.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
        decoded = data.decode("utf-8", "ignore" if len(run) == _PROBED_BASE64_CHARS else "strict")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if _PRINTABLE.fullmatch(decoded) else None
