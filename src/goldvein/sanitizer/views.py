"""Other readings of a text: what a terminal, a shell or a parser would make of it.

A secret may be written with escapes, colours, invisible characters, or in two string literals. A view undoes these
and keeps a map back, so that what is found in the view is redacted in the text as it was written.
"""

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

MAX_BASE64_RUNS = 64

_HINTS = (
    "%", "\\u", "\\x", "\\\n", "\\\r", "\\\\\\n", "\x1b", "\\033[", "\\e[", "&#", "&quot;", "&amp;", "&lt;",
    "&gt;", "&apos;",
    "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\u2061", "\u2062", "\u2063", "\u2064",
    "\ufeff", "\u00ad",
    '"\n', "'\n", '" \n', "' \n", '" +', "' +", '"+', "'+", '" .', "' .", '" \\', "' \\", "`\n", "^\n",
)  # fmt: skip
_WRITTEN_OTHERWISE = re.compile(
    r"""
    (?P<nothing>
        [\u200b-\u200f\u2060-\u2064\ufeff\u00ad]
      | (?:\x1b|\\u001[bB]|\\x1[bB]|\\033|\\e)\[[0-9;]{0,16}[A-Za-z]
      | [\\`^]\r?\n | \\\\\\n
      | (?<!\\)(?P<quote>["'])[ \t]{0,8}
        (?:\+[ \t]{0,8}(?:\\?\n[ \t]{0,64})?|[\\.]?[ ]?\n[ \t]{0,64}(?:[+.][ \t]{0,8})?|\.[ \t]{1,8})(?P=quote)
    )
    | \\u(?P<unit>[0-9a-fA-F]{4}) | (?:\\x|%)(?P<byte>[0-9a-fA-F]{2})
    | &(?:\#(?P<decimal>[0-9]{2,5})|\#[xX](?P<hexadecimal>[0-9a-fA-F]{2,4})|(?P<entity>quot|amp|lt|gt|apos));
    """,
    re.VERBOSE,
)
_ENTITIES = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'"}
_BASE64_RUN = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{24,8192}+={0,2}(?![A-Za-z0-9+/=_-])")
_PRINTABLE_PARTS = re.compile(r"[\x20-\x7e\t\r\n]{12,8192}")


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A text read in another way; `begins` and `ends` give, for parts of it, where they stand in the input."""

    text: str
    marks: tuple[int, ...]
    begins: tuple[int, ...]
    ends: tuple[int, ...]

    def input_span(self, start: int, end: int) -> tuple[int, int]:
        """Find the span of the input that reads as this span of the view."""
        first = bisect_right(self.marks, start) - 1
        last = bisect_right(self.marks, end - 1) - 1
        return self._input_place(first, start)[0], self._input_place(last, end - 1)[1]

    def _input_place(self, part: int, place: int) -> tuple[int, int]:
        """Find where the input holds one character of the view."""
        offset = place - self.marks[part]
        if self.ends[part] < 0:
            begin = self.begins[part] + offset
            return begin, begin + 1
        return self.begins[part], self.ends[part]


def plain_view(text: str) -> View | None:
    """Read the text with escapes undone and literals joined; None when nothing in it is written otherwise."""
    if not any(hint in text for hint in _HINTS):
        return None
    parts: list[tuple[str, int, int]] = []
    position = 0
    for match in _WRITTEN_OTHERWISE.finditer(text):
        if position < match.start():
            parts.append((text[position : match.start()], position, -1))
        meaning = _meaning(match)
        if meaning:
            parts.append((meaning, match.start(), match.end()))
        position = match.end()
    if not position:
        return None
    if position < len(text):
        parts.append((text[position:], position, -1))
    return _view_of(parts) if parts else None


def _view_of(parts: list[tuple[str, int, int]]) -> View:
    """Join the parts: (text, where it begins in the input, where it ends; -1 for a part that is the input itself)."""
    return View(
        text="".join(part for part, _, _ in parts),
        marks=tuple(accumulate((len(part) for part, _, _ in parts[:-1]), initial=0)),
        begins=tuple(begin for _, begin, _ in parts),
        ends=tuple(end for _, _, end in parts),
    )


def _meaning(match: re.Match[str]) -> str:
    """Give the one character that is meant, or nothing."""
    if match["nothing"] is not None:
        return ""
    if match["entity"]:
        return _ENTITIES[match["entity"]]
    if match["decimal"]:
        return chr(int(match["decimal"]))
    code = match["hexadecimal"] or match["unit"] or match["byte"]
    return chr(int(code, 16))


def base64_readings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, decoded) for runs of base64 that hold readable text."""
    for count, match in enumerate(_BASE64_RUN.finditer(text)):
        if count >= MAX_BASE64_RUNS:
            return
        run = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            decoded = base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if _PRINTABLE_PARTS.fullmatch(decoded):
            yield match.start(), match.end(), decoded
