"""Rules that a tenant adds to the table: a type and a pattern in RE2, whose time is linear in the text.

Every repeat has an upper bound. RE2 reads a text once for each match, so an open repeat (`x(.*y)?`) would make it
quadratic after all; with bounds, how far a match looks ahead is bounded by the size of its program.
"""

import hashlib
import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from goldvein.sanitizer.views import View

EXTRA_RULE = "extra_rule"  # how a finding names its rule when it is one of a tenant's
MAX_TYPE_CHARS = 40
MAX_PATTERN_CHARS = 500
MAX_EXAMPLE_CHARS = 500
MAX_COMPILED_BYTES = 1 << 20
MAX_PROGRAM_STEPS = 1_000

_TYPE = re.compile(r"[a-z](?:[a-z_]{0,38}[a-z])?")
_OPEN_REPEAT = re.compile(
    r"\\Q(?:[^\\]|\\(?!E))*(?:\\E)?|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|(?P<open>[*+]|\{\d+,\})", re.DOTALL
)
_TEXTS_WITHOUT_FINDING = ("", " ", "a", "0", "-", ".", "\n")
_PLACEHOLDERS = ("[REDACTED:email]", "[REDACTED:phone_12]", "[REDACTED:api_key_3]")


class BadExtraRule(Exception):
    """A tenant's rule is refused: `part` names the part of it that is wrong, the reason quotes nothing of it."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtraRule:
    """A compiled rule of a tenant. `pattern` is as it was written; two rules with the same one are equal."""

    type: str
    pattern: str
    compiled: Any  # google-re2 ships no types


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtraRules:
    """All rules of a tenant, and a digest of them that becomes part of the sanitizer's version; empty without rules."""

    rules: tuple[ExtraRule, ...] = ()
    digest: str = ""


NO_EXTRA_RULES = ExtraRules()


def compile_rules(rules: Sequence[tuple[str, str]]) -> ExtraRules:
    """Compile the stored (type, pattern) pairs of a tenant. Raises BadExtraRule, and then nothing may be stored."""
    return _compile_all(tuple(sorted(set(rules)))) if rules else NO_EXTRA_RULES


@lru_cache(maxsize=256)
def _compile_all(rules: tuple[tuple[str, str], ...]) -> ExtraRules:
    digest = hashlib.sha256(repr(rules).encode()).hexdigest()[:8]
    compiled = (ExtraRule(type=kind, pattern=pattern, compiled=compile_pattern(pattern)) for kind, pattern in rules)
    return ExtraRules(rules=tuple(compiled), digest=digest)


def check_rule(kind: str, pattern: str, example: str) -> None:
    """Raise BadExtraRule unless this is a rule that can be added.

    1. The type is a word that a placeholder can carry. 2. The pattern is short, compiles in the memory it is given,
    and has no open repeat. 3. It matches its example, nothing empty, no single character, and nothing in a placeholder.
    """
    if not _TYPE.fullmatch(kind):
        raise BadExtraRule("type", f"1 to {MAX_TYPE_CHARS} of a-z and _, with a letter at both ends")
    if not 1 <= len(pattern) <= MAX_PATTERN_CHARS:
        raise BadExtraRule("pattern", f"1 to {MAX_PATTERN_CHARS} characters")
    if not pattern.isprintable():
        raise BadExtraRule("pattern", "has an invisible character; write its escape in its place")
    if not 1 <= len(example) <= MAX_EXAMPLE_CHARS:
        raise BadExtraRule("example", f"1 to {MAX_EXAMPLE_CHARS} characters")
    if any(match["open"] for match in _OPEN_REPEAT.finditer(pattern)):
        raise BadExtraRule("pattern", "has a repeat without an upper bound; write {1,100} for +, {0,100} for *")
    compiled = compile_pattern(pattern)
    if any(_has_empty_match(compiled, text) for text in (*_TEXTS_WITHOUT_FINDING, example)):
        raise BadExtraRule("pattern", "matches an empty text")
    if any(compiled.fullmatch(sign) for sign in string.printable):
        raise BadExtraRule("pattern", "matches a single character; make it narrower")
    if any(compiled.search(text) for text in (*_PLACEHOLDERS, f"[REDACTED:{kind}]")):
        raise BadExtraRule("pattern", "matches inside a placeholder such as [REDACTED:email]; make it narrower")
    if not any(_matches(compiled, _encodable(example))):
        raise BadExtraRule("example", "is not matched by the pattern")


def find_extra(
    text: str, views: Iterable[View], extra_rules: ExtraRules, need_time: Callable[[], None]
) -> Iterator[tuple[str, int, int]]:
    """Yield (type, start, end) of what the rules of a tenant find, in the text and in other views of it.

    `need_time` is asked at each match and after each rule; it raises when the time for this text is over.
    """
    for view in (None, *views):
        encodable = _encodable(text if view is None else view.text)
        for rule in extra_rules.rules:
            for start, end in _matches(rule.compiled, encodable):
                need_time()
                if view is None:
                    yield rule.type, start, end
                elif not view.joins or view.crosses_join(start, end):
                    yield rule.type, *view.input_span(start, end)
            need_time()


def _encodable(text: str) -> str:
    """Half surrogates cannot be encoded; each becomes one question mark, so that the places stay."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _matches(compiled: Any, text: str) -> Iterator[tuple[int, int]]:
    for match in compiled.finditer(text):
        start, end = match.span()
        if start < end:
            yield start, end


def _has_empty_match(compiled: Any, text: str) -> bool:
    return any(match.start() == match.end() for match in compiled.finditer(_encodable(text)))


def compile_pattern(pattern: str) -> Any:
    """A pattern in RE2, within the memory and the steps it is given; raises BadExtraRule for others."""
    options = re2.Options()
    options.max_mem = MAX_COMPILED_BYTES
    options.log_errors = False  # it would quote the pattern
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise BadExtraRule("pattern", _reason(error)) from None
    if compiled.programsize > MAX_PROGRAM_STEPS:
        raise BadExtraRule("pattern", f"needs {compiled.programsize} steps, of at most {MAX_PROGRAM_STEPS}")
    return compiled


def _reason(error: Exception) -> str:
    """What RE2 says is wrong, without the part that it quotes."""
    said = error.args[0] if error.args else b""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return text.partition(":")[0].strip() or "is not in the syntax of RE2"
