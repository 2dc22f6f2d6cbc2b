"""Where rules may match, and which do: a few passes of RE2 find places, the rule's own pattern decides at each.

RE2 reads all alternatives in one pass whose time hardly depends on how many there are. A place is never a finding: the
pattern of the rule is anchored there and reads the text itself.

Before the other passes, one over several of the expressions together tells which of them have anything to find: in most
texts that is few. What counts repeats (keys, tokens, base64) stays out of it, and so do words and names: together their
automata would be so many that unseen text is read slowly.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from goldvein.sanitizer import checks, personal
from goldvein.sanitizer.linear import Linear, LinearSet, readable
from goldvein.sanitizer.rules import RULES, Confidence, Rule

KEY_HEAD_CHARS = 2
LEFT_EDGE_CHARS = 6  # the longest escape behind which a key begins inside a word
WORD_HEAD_CHARS = 5
MAX_KEY_CHARS = 1024
MAX_GROUPS_IN_VAIN = 24
NEVER = r"(?!)"
# How far around its place a rule of the family of numbers reads.
NUMBER_BEFORE_CHARS = 64
NUMBER_AFTER_CHARS = 128
LONG_MATCH_CHARS = 256
MAX_WORD_BEGINNINGS = 4096

_STEMS = (
    r"pass|pwd|pswd|\bpw|secret|token|key|auth|cred|kennwort|contrase|senha|wachtwoord|sig|jwt|session|dsn|"
    r"cookie|bearer|"
    r"salt|pat|pin|otp|nonce|seed|mnemonic|license|cvv|cvc|psk|mdp|clave|parola|has[l?]o|heslo|salasana|adgangskode|"
    r"l[o\xf6]senord|jelszo|sifre|kodeord|lozinka|geslo|sifra|pasahitza|contrasenya|kata[ ]sandi|"
    r"lykilor|rootpw|bindpw|userpw|adminpw|privkey|_code"
)
_NAME = r"[A-Za-z0-9_.\xf1-]"
# Repeats without a bound keep RE2's automata small; it is linear all the same, and the rules read a bounded piece.
_CLOSED = r"\\*[\"'`]?(?:\[[0-9]*\]|\)?\]|\}\}|\*\*|</?[a-z]+>|\)|[ \t]+as[ \t]+string)?"
_QUOTE = r"\\*[\"'`]"
_NAMES = (
    rf"(?i)(?:{_STEMS}){_NAME}*"
    rf"(?:{_CLOSED}(?:[ \t]*(?::|=|->|<-|\|\||\?\?|\?=|!=|>)|[ \t]*,[ \t]*{_QUOTE}|[({{][ \t]*{_QUOTE}|"
    rf"[ \t]+{_QUOTE}|\\*[\"']?[ \t]*(?:,(?:\s|\\n)*|(?:\s|\\n)+)\\*[\"']?[a-z]*value|"
    r"[ \t]*\{(?:\s|\\n)+(?:value|default)[ \t]*=)"
    rf"|[ \t]+(?:is[ \t]+|was[ \t]+)?[A-Za-z0-9][A-Za-z0-9_./+-]*[0-9])"
    rf"|-[A-Za-z0-9_-]*(?:{_STEMS})[A-Za-z0-9_-]*[ \t]"
)
_NUMBERS = (
    r"[+(]{0,2}[0-9](?:[ ().\xa0?/-]{0,3}[0-9]){6,}|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    r"|\b(?:[0-9A-Fa-f]{1,4}:)+[0-9A-Fa-f:]{2}|\b[A-Za-z]{2}[0-9]{2}[ \xa0-]?[A-Za-z0-9]{4}"
    r"|\b[A-Z]{1,5}[ -]?[0-9]{4}|\b[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}|\b[A-Z]{3} [A-Z]{3} [0-9]{2}[A-Z]"
    r"|\b[A-Z]{2}[ -]?(?:[0-9]{2}[ -]?){3}[A-Z]\b|\b[0-9]{6}[A-FU-Y+][0-9]{3}|\b[12] ?[0-9]{2} ?[0-9]{2} ?2[AB]"
    r"|\b[0-9]{4}\?[0-9]{1,2}\?[0-9]"
)
# What `views.py` undoes, and where the edge of a terminal may have broken a token.
_UNDONE = (
    r"(?:%[0-9A-Fa-f]{2})+|%u[0-9A-Fa-f]{4}|\\u\{?[0-9A-Fa-f]{2}|\\U000|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}|\\/|\\{1,3}\r?\n|\x1b"
    r"|\\e\[|&#|&[A-Za-z]{2,8};|\xad"
    r"|[\"'](?:(?:[ \t]*\+|[ \t]+(?:\+\+|<>|\.\.?|&|\|\|))[ \t]*(?:[\\_]?\r?\n[ \t]*)?|"
    r"[ \t]*(?:\.[ \t]{1,8}|[\\.]?[ ]?\r?\n[ \t]*(?:(?:\+\+?|<>|\.\.?|&|\|\|)[ \t]*)?))[\"']"
)
WRITTEN_OTHERWISE_HINT = Linear(_UNDONE + r"|=3D|=\r?\n|[`^]\r?\n")
QUOTED_PRINTABLE = Linear(r"=3D|=20\r?\n|(?i:quoted-printable)|[A-Za-z0-9._/+-]=\r?\n[A-Za-z0-9._/+-]")
# Whether there is any of it: an equals sign, or the last of several backticks, at the end of a line means nothing.
_ANY_UNDONE = Linear(f"{_UNDONE}|{QUOTED_PRINTABLE.expression.decode()}" + r"|(?:\A|[^`^\n])[`^]\r?\n[ \t]*\S")
# What a mail, a comment, a listing or the box of a terminal writes at the end of a line and before the next counts as
# part of the break; one side has a digit or a sign of assignment, or it is no token, and so has no word with a
# blank after it. Signs of boxes read as `?`.
_RUN = r"[A-Za-z0-9_+/=.~%-]"
_BREAK = (
    r"(?:[ \t]*[|?\xa6][ \t]*)?(?:\r?\n|\\+r\\+n|\\+n)"
    r"(?:[ \t]|\\+t|\xa0)*(?:(?:[>|?\xa6#*;+%:-]+|//|[0-9]+(?:[:|?]|[ \t]|\\+t))(?:[ \t]|\\+t)*)*"
)
_REST = rf"{_RUN}(?:{_RUN}*[0-9A-Z+/=_%.-]|{_RUN}*(?:[\"'`,;)\r\n\\]|[ \t]*[|?\xa6]|\z))"
WRAP = Linear(rf"[0-9=]{_RUN}*{_BREAK}{_REST}|{_RUN}{_BREAK}{_RUN}*[0-9]")
# What the name of a column has in it if it says secret, what an INSERT writes before its values, tags that say secret.
CELL_STEMS = (
    r"pass(?:word|wd|phrase|code|wort)?|pwd|pw|secret|token|(?:api|access|private|secret|client|auth|license|signing)"
    r"[ _-]?key|key|credential|kennwort|contrase\xf1a|senha|wachtwoord|psk|pin"
)
VALUES_LISTED = Linear(r"(?i)\)[ \t\r\n]*values?[ \t\r\n]*\(")
_TAG_STEMS = (
    r"saml|certificate|pass|pwd|pswd|secret|token|key|auth|cred|kennwort|senha|sig|jwt|session|csrf|xsrf|dsn|salt|otp"
)
TAG = Linear(
    rf"(?i)<(?:[A-Za-z][^<>]*)?(?:{_TAG_STEMS})[^<>]*>|<(?:key|name|[a-z-]*name)>[^<>]*(?:{_TAG_STEMS})[^<>]*</"
)
# A run that is no word: digits and letters in turn, the middle of a UUID, or a key of a web framework. It may be what
# is named nearby.
OPAQUE = Linear(
    r"[A-Za-z][0-9]+[A-Za-z]+[0-9A-Z][A-Za-z0-9+/=_-]*|(?:[@#$%^!*][a-z0-9&()_=+-]+){4}"
    r"|-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-"
)
# The passes that a reading may have nothing for; beside these, the rules of the family of runs by their names.
NUMBERS, WRITTEN_OTHERWISE = "numbers", "written otherwise"
VALUES, MARKUP, NAMED_NEARBY = "values", "markup", "named nearby"

_BACKSLASH = ord("\\")
# A number begins after one of these, and never after a letter, a digit, a point or a hyphen.
_GROUP_START = re.compile(rb"(?<=[ ()\xa0/:+])[^ )\xa0/:]")
_LETTERS_AND_DIGITS = re.compile(rb"[A-Za-z0-9]{1,262144}+")
_NEVER_BEFORE_NUMBER = frozenset(b"_.-" + string.ascii_letters.encode() + string.digits.encode())

Confirmation = Callable[[str, int, int], bool]
Numbers = dict[str, tuple["_Ready", int, int, int] | None]  # what matched, from where to where, and where to go on


class Match(NamedTuple):
    """What one rule found in one reading of a text."""

    type: str
    start: int
    end: int
    rule: str
    confidence: Confidence


class Reading(NamedTuple):
    """A text to search, the same for RE2, and which passes have anything to find in it.

    `numbers` remembers what pieces of text with a number in it gave, for all readings of an example: texts repeat
    themselves, and each is read again when something in it was replaced.
    """

    text: str
    data: bytes
    occurring: frozenset[str]
    numbers: "Numbers"


def _confirmation(name: str | None) -> Confirmation | None:
    """Find the predicate that a rule names; an unknown name fails at the first use."""
    if name is None:
        return None
    found: Confirmation = getattr(checks, name, None) or getattr(personal, name)
    return found


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule with its predicate found, and its pattern's `match`, which most places asked fail at once."""

    rule: Rule
    confirm: Confirmation | None
    match: Callable[[str, int], re.Match[str] | None]

    def span_at(self, text: str, place: int, resume: dict[str, int] | None = None) -> tuple[int, int, int] | None:
        """Try the rule at one place: where the secret begins and ends, and where the whole match ends."""
        matched = self.match(text, place)
        return None if matched is None else self.span_of(matched, text, place, resume)

    def span_of(
        self, matched: re.Match[str], text: str, place: int, resume: dict[str, int] | None = None
    ) -> tuple[int, int, int] | None:
        """Confirm what the rule's pattern matched at a place, and give the same.

        `resume` learns where to go on after a long match that was not confirmed, lest each place in it be tried again.
        """
        start, end = matched.span(matched.lastindex or 0)
        if self.confirm is not None and not self.confirm(text, start, end):
            if resume is not None and matched.end() - place > LONG_MATCH_CHARS:
                resume[self.rule.id] = matched.end()
            return None
        return start, end, matched.end()

    def span_behind(self, text: str, place: int) -> tuple[int, int, int] | None:
        """Do the same right behind a key that was found, as if the text began there: keys may be run together."""
        piece = text[place : place + MAX_KEY_CHARS]
        span = self.span_at(piece, 0)
        if span is None or (span[2] == len(piece) and len(piece) == MAX_KEY_CHARS):
            return None
        return span[0] + place, span[1] + place, span[2] + place

    def match_of(self, start: int, end: int) -> Match:
        """Make what was found from where it stands."""
        rule = self.rule
        return Match(rule.type, start, end, rule.id, rule.confidence)


class Locators:
    """The compiled passes over a table of rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        ready = [_Ready(rule, _confirmation(rule.confirm), rule.pattern.match) for rule in rules]
        families: dict[str, list[_Ready]] = {}
        for entry in ready:
            families.setdefault(entry.rule.family, []).append(entry)
        self._key_prefixes = _key_index(families["key"])
        self._keys = Linear(_key_expression(families["key"]))
        self._word_begins = _WordBegins(families["word"])
        self._words = Linear("(?i)" + _word_expression(families["word"]), longest=True)
        self._token_heads = _by_head(families["token"])
        self._headless_tokens = [entry for entry in families["token"] if not entry.rule.heads]
        self._token = Linear("|".join(entry.rule.locate or "" for entry in families["token"]))
        self._runs = {entry.rule.id: (entry, Linear(entry.rule.locate or "")) for entry in families["run"]}
        self._number_rules = families["number"]
        # For each rule: it and those after it as one expression, of which the last group tells which matched.
        alternatives = [_without_groups(entry.rule.pattern) + "()" for entry in self._number_rules]
        self._numbers_from = [
            re.compile("|".join([*alternatives[first:], NEVER])) for first in range(len(alternatives) + 1)
        ]
        self._numbers = Linear(_NUMBERS)
        self._names = Linear(_NAMES)
        self._occurring = LinearSet(
            {
                NUMBERS: self._numbers,
                WRITTEN_OTHERWISE: _ANY_UNDONE,
                VALUES: VALUES_LISTED,
                MARKUP: TAG,
                NAMED_NEARBY: OPAQUE,
                **{
                    name: Linear("|".join(map(_literal, entry.rule.needs))) if entry.rule.needs else expression
                    for name, (entry, expression) in self._runs.items()
                },
            }
        )

    def read(self, text: str, numbers: Numbers | None = None) -> Reading:
        """Prepare a text, or a reading of one, for the passes."""
        data = readable(text)
        return Reading(text, data, self._occurring.occurring(data), {} if numbers is None else numbers)

    def names(self, reading: Reading) -> Iterator[tuple[int, int]]:
        """Yield where a name that may say secret stands before something that joins it to a value."""
        return self._names.spans(reading.data)

    def rule_matches(self, reading: Reading) -> list[Match]:
        """List what the rules of the table find."""
        text, data, occurring, _ = reading
        found: list[Match] = []
        self._find_keys(text, data, found)
        self._find_words(text, data, found)
        self._find_tokens(text, data, found)
        if not self._runs.keys().isdisjoint(occurring):
            for name, (entry, expression) in self._runs.items():
                if name in occurring:
                    _find_runs(entry, expression, reading, found)
        if NUMBERS in occurring:
            self._find_numbers(reading, found)
        return found

    def _find_keys(self, text: str, data: bytes, found: list[Match]) -> None:
        refused: dict[str, int] = {}
        before = -1
        located = self._keys.search(data)
        while located is not None:
            start = located[0]
            resume = start + 1
            for prefix, entry in self._key_prefixes.get(data[start : start + KEY_HEAD_CHARS], ()):
                if not data.startswith(prefix, start) or (refused and start < refused.get(entry.rule.id, 0)):
                    continue
                span = entry.span_at(text, start, refused)
                if span is None and start == before:
                    span = entry.span_behind(text, start)
                if span is not None:
                    found.append(entry.match_of(span[0], span[1]))
                    resume = before = max(resume, span[2])
                    break
            else:
                resume = _beyond_run(data, start, resume)
            located = self._keys.search(data, resume)

    def _find_words(self, text: str, data: bytes, found: list[Match]) -> None:
        resume: dict[str, int] = {}
        for start, _ in self._words.spans(data):
            for entry in self._word_begins[text[start : start + WORD_HEAD_CHARS].lower()]:
                if resume and start < resume.get(entry.rule.id, 0):
                    continue
                if entry.rule.needs and not any(need in text for need in entry.rule.needs):
                    resume[entry.rule.id] = len(text)
                    continue
                matched = entry.match(text, start)
                if matched is None:
                    continue
                span = entry.span_of(matched, text, start, resume)
                if span is not None:
                    resume[entry.rule.id] = span[2]
                    found.append(entry.match_of(span[0], span[1]))

    def _find_tokens(self, text: str, data: bytes, found: list[Match]) -> None:
        for start, _ in self._token.spans(data):
            for entry in self._token_heads.get(text[start], self._headless_tokens):
                for back in entry.rule.backs:
                    place = start - back
                    span = entry.span_at(text, place) if place >= 0 else None
                    if span is not None:
                        found.append(entry.match_of(span[0], span[1]))
                        break

    def _find_numbers(self, reading: Reading, found: list[Match]) -> None:
        text, data, _, known = reading
        for start, end in self._numbers.spans(data):
            resume, in_vain = start, 0
            for place in _group_starts(data, start, end):
                if place < resume:
                    continue
                if in_vain > MAX_GROUPS_IN_VAIN:
                    break
                in_vain += 1
                begin = place - NUMBER_BEFORE_CHARS
                piece = text[max(0, begin) : place + NUMBER_AFTER_CHARS]
                if begin < 0:
                    matched, begin = self._number_at(piece, place), 0
                elif piece in known:
                    matched = known[piece]
                else:
                    matched = known[piece] = self._number_at(piece, NUMBER_BEFORE_CHARS)
                if matched is not None:
                    entry, left, right, after = matched
                    found.append(entry.match_of(begin + left, begin + right))
                    resume, in_vain = begin + after, 0

    def _number_at(self, piece: str, place: int) -> tuple[_Ready, int, int, int] | None:
        """Try the rules of numbers at a place of a piece; the first that matches and is confirmed counts."""
        first = 0
        while (matched := self._numbers_from[first].match(piece, place)) is not None:
            first += matched.lastindex or 0
            entry = self._number_rules[first - 1]
            found = entry.span_at(piece, place)
            if found is not None:
                return entry, *found
        return None


def _find_runs(entry: _Ready, expression: Linear, reading: Reading, found: list[Match]) -> None:
    text, data, _, _ = reading
    for start, _ in expression.spans(data):
        # The letter of an escape such as \\n is no part of what follows it.
        escaped = start > 0 and data[start - 1] == _BACKSLASH
        span = entry.span_at(text, start + escaped)
        if span is not None:
            found.append(entry.match_of(span[0], span[1]))


def _beyond_run(data: bytes, start: int, resume: int) -> int:
    """Give where the next key may begin: in a run of letters and digits none does (`rule.LEFT`), but near its start."""
    if start < LEFT_EDGE_CHARS or not data[start - LEFT_EDGE_CHARS : start].isalnum():
        return resume
    run = _LETTERS_AND_DIGITS.match(data, start)
    return max(resume, run.end()) if run else resume


def _group_starts(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield where a number may begin in a run of digits and separators."""
    if not start or data[start - 1] not in _NEVER_BEFORE_NUMBER or data[start - 2 : start - 1] == b"\\":
        yield start
    yield from (match.start() for match in _GROUP_START.finditer(data, start + 1, end))


def _key_index(entries: list[_Ready]) -> dict[bytes, list[tuple[bytes, _Ready]]]:
    """List keys with their prefixes, longer prefixes first, by the first characters."""
    prefixes: dict[bytes, list[tuple[bytes, _Ready]]] = {}
    for entry in entries:
        for keyword in entry.rule.keywords:
            prefixes.setdefault(keyword[:KEY_HEAD_CHARS].encode(), []).append((keyword.encode(), entry))
    return {head: sorted(known, key=lambda row: -len(row[0])) for head, known in prefixes.items()}


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


def _without_groups(pattern: re.Pattern[str]) -> str:
    """Write the expression so that it can stand beside others: flags within, no named groups."""
    flags = "i" if pattern.flags & re.IGNORECASE else ""
    flags += "m" if pattern.flags & re.MULTILINE else ""
    expression = re.sub(r"\A\(\?[im]+\)", "", pattern.pattern)
    return f"(?{flags}:{re.sub(r'[(][?]P<[a-z]+>', '(?:', expression)})"


def _by_head(entries: list[_Ready]) -> dict[str, list[_Ready]]:
    """Index rules by the characters their matches may begin with; a rule that does not say is under each."""
    heads = {character for entry in entries for character in entry.rule.heads}
    return {head: [entry for entry in entries if head in (entry.rule.heads or head)] for head in heads}


class _WordBegins(dict[str, list[_Ready]]):
    """The rules whose words may begin so; filled where a word was located, which are not many."""

    def __init__(self, entries: list[_Ready]) -> None:
        super().__init__()
        self._entries = [(entry, _beginnings(entry.rule)) for entry in entries]

    def __missing__(self, beginning: str) -> list[_Ready]:
        found = [entry for entry, begins in self._entries if beginning.startswith(begins)]
        if len(self) < MAX_WORD_BEGINNINGS:
            self[beginning] = found
        return found


def _beginnings(rule: Rule) -> tuple[str, ...]:
    """Give the first characters of what a rule may match, in lower case."""
    keywords = (keyword[:WORD_HEAD_CHARS].lower() for keyword in rule.keywords)
    return tuple(chain(rule.begins.split(), rule.heads.lower(), keywords))


@lru_cache(maxsize=1)
def locators() -> Locators:
    """Compile the passes at the first use, not at import.

    RE2 builds its automata while it reads. Reading the examples of the table once builds most of them, so that the
    first texts are not slower than the rest.
    """
    made = Locators(RULES)
    examples = "\n".join(f"{rule.example}\n{rule.counter_example}" for rule in RULES)
    for reading in (examples, examples.swapcase(), string.printable * 2):
        read = made.read(reading)
        for _ in chain(made.rule_matches(read), made.names(read)):
            pass
    return made
