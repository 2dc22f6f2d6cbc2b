"""Where rules may match, and which do: a few passes of RE2 find places, the rule's own pattern decides at each.

RE2 reads all alternatives in one pass whose time hardly depends on how many there are, and is linear on any input. It
reads the text in Latin-1, one byte for each character and `?` for what Latin-1 lacks, so that places in the bytes are
places in the text. A place is never a finding: the pattern of the rule is anchored there and reads the text itself.
"""

import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import re2

from goldvein.sanitizer import checks, personal
from goldvein.sanitizer.rules import RULES, Confidence, Rule

KEY_HEAD_CHARS = 2
MAX_NUMBER_GROUPS = 24
LONG_MATCH_CHARS = 256
RE2_MEMORY_BYTES = 1 << 26

_STEMS = (
    r"pass|pwd|pswd|\bpw|secret|token|key|auth|cred|kennwort|contrase|senha|wachtwoord|sig|jwt|session|dsn|cookie|bearer|"
    r"salt|pat|pin|otp|nonce|seed|mnemonic|license|cvv|cvc|psk"
)
_NAME = r"[A-Za-z0-9_.\xf1-]"
# Repeats without a bound keep RE2's automata small; it is linear all the same, and the rules read a bounded piece.
_CLOSED = r"\\*[\"'`]?(?:\]|\}\}|\*\*|</?[a-z]+>)?"
_QUOTE = r"\\*[\"'`]"
_NAMES = (
    rf"(?i)(?:{_STEMS}){_NAME}*"
    rf"(?:{_CLOSED}(?:[ \t]*(?::|=|->|\|\||\?\?|!=|>)|[ \t]*,[ \t]*{_QUOTE}|\([ \t]*{_QUOTE}|"
    rf"[ \t]+{_QUOTE}|\\*[\"']?[ \t]*(?:,(?:\s|\\n)*|(?:\s|\\n)+)\\*[\"']?(?:value|defaultvalue)|"
    r"[ \t]*\{(?:\s|\\n)+(?:value|default)[ \t]*=)"
    rf"|[ \t]+(?:is[ \t]+|was[ \t]+)?[A-Za-z0-9][A-Za-z0-9_./+-]*[0-9])"
    rf"|-[A-Za-z0-9_-]*(?:{_STEMS})[A-Za-z0-9_-]*[ \t]"
)
_NUMBERS = (
    r"[+(]{0,2}[0-9](?:[ ().\xa0/-]{0,3}[0-9]){6,}|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    r"|\b(?:[0-9A-Fa-f]{1,4}:)+[0-9A-Fa-f:]{2}|\b[A-Z]{2}[0-9]{2}[ -]?[A-Z0-9]{4}"
    r"|\b[XYZ]-?[0-9]{7}|\b[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}|\b[A-Z]{2}[ ]?(?:[0-9]{2}[ ]?){3}[A-D]\b"
)
# A number begins after one of these, and never after a letter, a digit, a point or a hyphen.
_BEFORE_NUMBER = frozenset(b" ()\xa0/:+")
_NEVER_BEFORE_NUMBER = frozenset(b"_.-" + string.ascii_letters.encode() + string.digits.encode())

Confirmation = Callable[[str, int, int], bool]
LinearPattern = Any  # RE2's binding carries no types


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """What one rule found in one reading of a text."""

    type: str
    start: int
    end: int
    rule: str
    confidence: Confidence


def readable(text: str) -> bytes:
    """Give the text as RE2 reads it here: a byte for each character."""
    return text.encode("latin-1", "replace")


def compile_linear(expression: str, *, longest: bool = False) -> LinearPattern:
    """Compile an expression for RE2 over Latin-1 bytes."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.longest_match = longest
    options.max_mem = RE2_MEMORY_BYTES
    return re2.compile(expression.encode("latin-1"), options)


def _confirmation(name: str | None) -> Confirmation | None:
    """Find the predicate that a rule names; an unknown name fails at the first use."""
    if name is None:
        return None
    found: Confirmation = getattr(checks, name, None) or getattr(personal, name)
    return found


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule with its predicate found."""

    rule: Rule
    confirm: Confirmation | None
    needed: tuple[bytes, ...]

    def match_at(self, text: str, place: int, resume: dict[str, int] | None = None) -> tuple[Match, int] | None:
        """Try the rule at one place; also gives where the whole match ends, beyond the secret.

        `resume` learns where to go on after a long match that was not confirmed, lest each place in it be tried again.
        """
        matched = self.rule.pattern.match(text, place)
        if matched is None:
            return None
        start, end = matched.span(matched.lastgroup) if matched.lastgroup else matched.span()
        if self.confirm is not None and not self.confirm(text, start, end):
            if resume is not None and matched.end() - place > LONG_MATCH_CHARS:
                resume[self.rule.id] = matched.end()
            return None
        rule = self.rule
        return Match(type=rule.type, start=start, end=end, rule=rule.id, confidence=rule.confidence), matched.end()


class Locators:
    """The compiled passes over a table of rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        ready = [
            _Ready(rule, _confirmation(rule.confirm), tuple(needed.encode() for needed in rule.needs)) for rule in rules
        ]
        families: dict[str, list[_Ready]] = {}
        for entry in ready:
            families.setdefault(entry.rule.family, []).append(entry)
        self._key_heads = _key_heads(families["key"])
        self._keys = compile_linear(_key_expression(families["key"]))
        self._word_heads = _by_head(families["word"], folded=True)
        self._words = compile_linear("(?i)" + _word_expression(families["word"]), longest=True)
        self._tokens = families["token"]
        self._token = compile_linear("|".join(entry.rule.locate or "" for entry in self._tokens))
        self._runs = [(entry, compile_linear(entry.rule.locate or "")) for entry in families["run"]]
        self._number_heads = _by_head(families["number"], folded=False)
        self._numbers = compile_linear(_NUMBERS)
        self._names = compile_linear(_NAMES)

    def names(self, data: bytes) -> Iterator[int]:
        """Yield where a name that may say secret stands before something that joins it to a value."""
        return (match.start() for match in self._names.finditer(data))

    def rule_matches(self, text: str, data: bytes) -> Iterator[Match]:
        """Yield what the rules of the table find."""
        yield from self._key_matches(text, data)
        yield from self._word_matches(text, data)
        yield from self._token_matches(text, data)
        yield from self._run_matches(text, data)
        yield from self._number_matches(text, data)

    def _key_matches(self, text: str, data: bytes) -> Iterator[Match]:
        refused: dict[str, int] = {}
        located = self._keys.search(data)
        while located is not None:
            start = located.start()
            resume = start + 1
            for prefix, entry in self._key_heads.get(data[start : start + KEY_HEAD_CHARS], ()):
                if not data.startswith(prefix, start) or start < refused.get(entry.rule.id, 0):
                    continue
                found = entry.match_at(text, start, refused)
                if found is not None:
                    yield found[0]
                    resume = max(resume, found[1])
                    break
            located = self._keys.search(data, resume)

    def _word_matches(self, text: str, data: bytes) -> Iterator[Match]:
        resume: dict[str, int] = {}
        for located in self._words.finditer(data):
            start = located.start()
            for entry in self._word_heads.get(text[start], ()):
                if start < resume.get(entry.rule.id, 0):
                    continue
                found = entry.match_at(text, start, resume)
                if found is not None:
                    resume[entry.rule.id] = found[1]
                    yield found[0]

    def _token_matches(self, text: str, data: bytes) -> Iterator[Match]:
        for located in self._token.finditer(data):
            for entry in self._tokens:
                for back in entry.rule.backs:
                    place = located.start() - back
                    found = entry.match_at(text, place) if place >= 0 else None
                    if found is not None:
                        yield found[0]
                        break

    def _run_matches(self, text: str, data: bytes) -> Iterator[Match]:
        for entry, expression in self._runs:
            if entry.rule.needs and not any(needed in data for needed in entry.needed):
                continue
            for located in expression.finditer(data):
                start = located.start()
                # The letter of an escape such as \\n is no part of what follows it.
                if start and data[start - 1] == ord("\\"):
                    start += 1
                found = entry.match_at(text, start)
                if found is not None:
                    yield found[0]

    def _number_matches(self, text: str, data: bytes) -> Iterator[Match]:
        for located in self._numbers.finditer(data):
            start, end = located.span()
            resume = start
            for place in _group_starts(data, start, end):
                if place < resume:
                    continue
                for entry in self._number_heads.get(text[place], ()):
                    found = entry.match_at(text, place)
                    if found is not None:
                        yield found[0]
                        resume = found[1]
                        break


def _group_starts(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield where a number may begin in a run of digits and separators."""
    if not start or data[start - 1] not in _NEVER_BEFORE_NUMBER or data[start - 2 : start - 1] == b"\\":
        yield start
    groups = 1
    for place in range(start + 1, end):
        if data[place - 1] in _BEFORE_NUMBER and data[place] not in b" )\xa0/:":
            yield place
            groups += 1
            if groups > MAX_NUMBER_GROUPS:
                return


def _key_heads(entries: list[_Ready]) -> dict[bytes, list[tuple[bytes, _Ready]]]:
    """Index keys by the first characters of their prefixes; longer prefixes first."""
    heads: dict[bytes, list[tuple[bytes, _Ready]]] = {}
    for entry in entries:
        for keyword in entry.rule.keywords:
            prefix = keyword.encode()
            heads.setdefault(prefix[:KEY_HEAD_CHARS], []).append((prefix, entry))
    for listed in heads.values():
        listed.sort(key=lambda pair: -len(pair[0]))
    return heads


def _key_expression(entries: list[_Ready]) -> str:
    """Write one expression for all prefixes, grouped by what must follow."""
    bodies: dict[str, list[str]] = {}
    for entry in entries:
        bodies.setdefault(entry.rule.body, []).extend(entry.rule.keywords)
    return "|".join(f"(?:{'|'.join(map(_literal, prefixes))}){body}" for body, prefixes in bodies.items())


def _literal(text: str) -> str:
    """Escape a literal for RE2."""
    return "".join(c if c.isalnum() or c == "_" or ord(c) > 127 else f"\\x{ord(c):02x}" for c in text)  # noqa: PLR2004 - ASCII


def _word_expression(entries: list[_Ready]) -> str:
    """Write one expression for all keywords and all `locate` expressions."""
    literals = [_literal(keyword) for entry in entries for keyword in entry.rule.keywords]
    return "|".join([*literals, *(entry.rule.locate for entry in entries if entry.rule.locate)])


def _by_head(entries: list[_Ready], *, folded: bool) -> dict[str, list[_Ready]]:
    """Index rules by the characters their matches may begin with."""
    heads: dict[str, list[_Ready]] = {}
    for entry in entries:
        rule = entry.rule
        first = set(rule.heads) | {keyword[0] for keyword in rule.keywords}
        for character in first | {c.swapcase() for c in first} if folded else first:
            heads.setdefault(character, []).append(entry)
    return heads


@lru_cache(maxsize=1)
def locators() -> Locators:
    """Compile the passes at the first use, not at import.

    RE2 builds its automata while it reads. Reading the examples of the table once builds most of them, so that the
    first texts are not slower than the rest.
    """
    made = Locators(RULES)
    examples = "\n".join(f"{rule.example}\n{rule.counter_example}" for rule in RULES)
    for reading in (examples, examples.swapcase(), string.printable * 2):
        data = readable(reading)
        for _ in chain(made.rule_matches(reading, data), made.names(data)):
            pass
    return made
