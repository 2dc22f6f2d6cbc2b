"""RE2, as the sanitizer uses it: linear on any input, over the text in Latin-1.

One byte stands for each character, `?` for what Latin-1 lacks, so that places in the bytes are places in the text.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import re2

RE2_MEMORY_BYTES = 1 << 26
PLACES_BETWEEN_LOOKS = 256

_UNANCHORED = re2._Anchor.UNANCHORED  # noqa: SLF001 - see Linear
_NOTHING: frozenset[str] = frozenset()


def _no_limit() -> None:
    """Let the search go on."""


# Asked while places are gone through; whoever searches sets it, and it raises when there is no time left.
NEED_TIME: ContextVar[Callable[[], None]] = ContextVar("NEED_TIME", default=_no_limit)


def readable(text: str) -> bytes:
    """Give the text as RE2 reads it here: a byte for each character."""
    return text.encode("latin-1", "replace")


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = RE2_MEMORY_BYTES
    return options


class Linear:
    """One expression.

    It asks the binding itself: the package's own objects around a match cost more than the search of a short text.
    """

    def __init__(self, expression: str, *, longest: bool = False) -> None:
        options = _options()
        options.longest_match = longest
        self.expression = expression.encode("latin-1")
        self._match = re2.compile(self.expression, options)._regexp.Match  # noqa: SLF001 - see above

    def search(self, data: bytes, place: int = 0) -> tuple[int, int] | None:
        """Find the first match from a place on."""
        span: tuple[int, int] = self._match(_UNANCHORED, data, place, len(data))[0]
        return span if span[0] >= 0 else None

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where it matches, from left to right. It must be an expression that never matches nothing."""
        match, size = self._match, len(data)
        start, end = match(_UNANCHORED, data, 0, size)[0]
        while start >= 0:
            for _ in range(PLACES_BETWEEN_LOOKS):
                yield start, end
                start, end = match(_UNANCHORED, data, end, size)[0]
                if start < 0:
                    return
            NEED_TIME.get()()


class Anywhere:
    """An expression of characters that Latin-1 lacks; it tells only whether it matches somewhere."""

    def __init__(self, expression: str) -> None:
        options = _options()
        options.encoding = re2.Options.Encoding.UTF8
        self._match = re2.compile(expression, options)._regexp.Match  # noqa: SLF001 - see Linear

    def occurs(self, text: str) -> bool:
        """Tell whether it matches."""
        data = text.encode("utf-8", "replace")
        start: int = self._match(_UNANCHORED, data, 0, len(data))[0][0]
        return start >= 0


class LinearSet:
    """Named expressions, and one pass that tells which of them match somewhere."""

    def __init__(self, expressions: Mapping[str, Linear]) -> None:
        compiled = re2.Set.SearchSet(_options())
        for expression in expressions.values():
            compiled.Add(expression.expression)
        compiled.Compile()
        self._names = tuple(expressions)
        self._match = compiled.Match

    def occurring(self, data: bytes) -> frozenset[str]:
        """Name the expressions that match."""
        found = self._match(data)
        return frozenset([self._names[number] for number in found]) if found else _NOTHING
