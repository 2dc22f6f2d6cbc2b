"""Why something was redacted: which rule, where, beside which name. Made from what is left, never from the value."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from goldvein.sanitizer.context import classify_name
from goldvein.sanitizer.engine import PLACEHOLDER, Finding, Sanitized
from goldvein.sanitizer.rules import RULES

MAX_NAME_DISTANCE_CHARS = 256
_NAME = re.compile(r"[A-Za-z0-9_.\u00f1-]{2,64}")
_ADDED_QUOTE = re.compile(r"\\{0,262144}+\"")
_NOT_OF_THE_TABLE = {
    "context_password": "stands beside a name that says password",
    "context_secret": "stands beside a name that says secret, and is no word, path or reference",
    "context_token": "stands beside a name that may say secret, and looks generated",
    "named_nearby": "looks generated, and a name that says secret stands a few words, a tag or a line before it",
    "table_column": "stands in a column of a table whose name says what it is",
    "table_cell": "stands under, or behind, a name of a table that says secret",
    "sql_insert": "is what an INSERT puts into a column whose name says secret",
    "markup_value": "is what a tag gives to a name that says secret",
    "told_password": "is told behind a word for password",
    "repeated_secret": "is a secret that was recognised elsewhere in the same text",
    "extra_rule": "pattern that the organisation added",
    "person_name": "name of a person, as a language model reads the line",
    "street_address": "street address by its form",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """One finding for whoever asks why. Lines and columns count from 1, in characters of the input.

    `description` says what the rule looks for; `name` is the name that pointed at the value, if one did. `before`,
    `placeholder` and `after` are the line of the sanitized text in which the placeholder stands.
    """

    finding: Finding
    line: int
    column: int
    chars: int
    lines: int
    description: str
    name: str | None
    before: str
    placeholder: str
    after: str


def explain(text: str, sanitized: Sanitized) -> Iterator[Explanation]:
    """Explain the findings of a text, in their order. `text` is the one that `sanitized` was made from."""
    breaks = [match.start() for match in re.finditer("\n", text)]
    position = written = 0
    for finding in sanitized.findings:
        written += finding.start - position
        quote = _ADDED_QUOTE.match(sanitized.text, written)
        placeholder = PLACEHOLDER.match(sanitized.text, written)
        if placeholder is None and quote is not None:  # one that a JSON number got, which has become a string
            placeholder = PLACEHOLDER.match(sanitized.text, quote.end())
        assert placeholder is not None  # noqa: S101 (each finding has its own, or the two do not belong together)
        line = bisect_left(breaks, finding.start)
        yield Explanation(
            finding=finding,
            line=line + 1,
            column=finding.start - (breaks[line - 1] if line else -1),
            chars=finding.end - finding.start,
            lines=bisect_left(breaks, finding.end) - line + 1,
            description=_descriptions().get(finding.rule, finding.rule),
            name=_pointing_name(sanitized.text, placeholder.start()) if finding.rule.startswith("context_") else None,
            before=sanitized.text[sanitized.text.rfind("\n", 0, placeholder.start()) + 1 : placeholder.start()],
            placeholder=placeholder[0],
            after=sanitized.text[placeholder.end() :].partition("\n")[0],
        )
        position = finding.end
        written = placeholder.end() + (len(quote[0]) if quote is not None and quote.end() == placeholder.start() else 0)


@lru_cache(maxsize=1)
def _descriptions() -> dict[str, str]:
    return _NOT_OF_THE_TABLE | {rule.id: rule.description for rule in RULES}


def _pointing_name(text: str, place: int) -> str | None:
    """Find the nearest name before a place that says secret; None where it is written in another way or far off."""
    names = [match[0].rstrip(".-") for match in _NAME.finditer(text, max(0, place - MAX_NAME_DISTANCE_CHARS), place)]
    return next((name for name in reversed(names) if classify_name(name) is not None), None)
