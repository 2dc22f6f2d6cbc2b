"""What an answer must satisfy, as its author writes it: pure. Where it is checked is the evaluation, not here."""

import json
from dataclasses import dataclass
from typing import Any, Final

from goldvein.sanitizer.extra import BadExtraRule, compile_pattern
from goldvein.skills.json_schema import BadSchema, check_schema

KINDS: Final = ("contains", "regex", "json_schema", "rubric")
MAX_VALUE_BYTES: Final = 4 * 1024
MAX_ASSERTIONS: Final = 10  # of one skill, and of one example


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertion:
    """One condition; a skill's hold for each of its examples."""

    kind: str  # contains | regex | json_schema | rubric
    value: str  # the text, the pattern (RE2), the schema as canonical JSON, the rubric


class BadAssertion(Exception):
    """An assertion that is refused; the reason quotes nothing of it."""


def read_assertion(kind: str, value: str) -> Assertion:
    """Check an assertion and give it in its one form: a schema with sorted keys and without spaces.

    A pattern is RE2, searched anywhere in the answer, so that its time is linear in it.
    """
    if kind not in KINDS:
        raise BadAssertion(f"the kind is one of {', '.join(KINDS)}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        size = 0
    if not value.strip() or not 1 <= size <= MAX_VALUE_BYTES or "\x00" in value:
        raise BadAssertion(f"the value is a text of 1 to {MAX_VALUE_BYTES} bytes of UTF-8, without NUL")
    match kind:
        case "regex":
            _check_pattern(value)
        case "json_schema":
            value = _canonical_schema(value)
    return Assertion(kind=kind, value=value)


def _check_pattern(value: str) -> None:
    try:
        compile_pattern(value)
    except BadExtraRule as bad:
        raise BadAssertion(f"the pattern {bad.reason}") from None


def _canonical_schema(value: str) -> str:
    try:
        schema = json.loads(value, parse_constant=_refuse, object_pairs_hook=_once)
        check_schema(schema)
        return json.dumps(schema, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    except BadSchema as bad:
        reason = str(bad)
    except (ValueError, RecursionError):
        reason = "is not JSON, or names a field twice"
    raise BadAssertion(f"the schema {reason}" if reason.startswith(("is", "has")) else reason)


def _refuse(_constant: str) -> None:
    raise ValueError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError
    return named
