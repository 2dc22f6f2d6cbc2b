"""Find, resolve, replace. Pure: texts in, texts and findings out.

1. Scan each text: the rules of the table whose keyword occurs, and the names that say secret.
2. Resolve: what overlaps becomes one finding, as wide as all of it, named by its longest part.
3. Replace by placeholders that are numbered over all texts of the example, and scan the result again, until nothing
   more is found: so that sanitizing a second time changes nothing.
4. Rules of a tenant join only then, on the input and on the output: they add, and take no finding away.
Placeholders that are already in a text are left as they are, and nothing is found inside or across one.
"""

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import chain
from time import thread_time
from typing import NamedTuple

from goldvein.sanitizer import checks
from goldvein.sanitizer.cells import find_in_tables
from goldvein.sanitizer.context import find_context_secrets
from goldvein.sanitizer.extra import EXTRA_RULE, NO_EXTRA_RULES, ExtraRules, find_extra
from goldvein.sanitizer.linear import NEED_TIME
from goldvein.sanitizer.markup import find_markup_secrets
from goldvein.sanitizer.matching import MARKUP, NAMED_NEARBY, Match, Numbers, Reading, locators
from goldvein.sanitizer.names import find_names, names_digest
from goldvein.sanitizer.nearby import find_named_nearby
from goldvein.sanitizer.other_scripts import find_told_secrets
from goldvein.sanitizer.rules import Confidence
from goldvein.sanitizer.views import base64_readings, other_views

MAX_TEXT_CHARS = 262_144
NAMES_MARK = "+names."
MAX_ROUNDS = 32
# Generous: a hundred times what the slowest known text takes. The processor's time of this thread, not the wall clock.
TIME_BUDGET_SECONDS = 0.5
TIME_BUDGET_SECONDS_PER_CHAR = 0.00002
NAMES_SECONDS_PER_CHAR = 0.0002
MIN_REPEATED_SECRET_CHARS = 12
MAX_REPEATED_SECRETS = 256
PERSONAL_TYPES = frozenset(
    checks.words("email phone card iban ssn ip_address national_id birth_date bank_account identity_document")
)
NAME_TYPES = frozenset({"person_name", "street_address"})

PLACEHOLDER = re.compile(r"\[REDACTED:([a-z](?:[a-z_]{0,46}[a-z])?)(?:_([0-9]{1,6}))?\]")
# Texts are read all the same, but not the maps that scripts carry of their sources.
_DATA_URI = re.compile(
    r"(?<!text/plain)(?<!yaml)(?<!data:)(?:(?<!/json)|(?<=sourceMappingURL=data:application/json));base64,[A-Za-z0-9+/=\\\n]{64,262144}+"
)
_BARE_NUMBER = re.compile(r"-?[0-9]{1,64}(?:\.[0-9]{1,64})?")
_JSON_WITHOUT_STRINGS = re.compile(r"[\s0-9.,eE+:truefalsn{}\[\]-]{0,256}")
_JSON_AFTER_VALUE = re.compile(r"[ \t\r\n]{0,16}[,}\]]")
_UNICODE_ESCAPE_REST = re.compile(r"u[0-9a-fA-F]{4}")
_JSON_CONTEXT_CHARS = 256
_JSON_NUMBER = re.compile(r"(?<![0-9.eE+-])-?[0-9]{1,64}(?:\.[0-9]{1,64})?(?![0-9.eE+-])")
_JSON_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.){0,262144}+"')
_SPREAD_TYPES = frozenset({"private_key"})


class SanitizerFailed(Exception):
    """The sanitizer failed; the text must be dropped."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class TextTooLong(Exception):
    """The text is longer than the sanitizer reads."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What was found where, by which rule, and how sure that is. Offsets are of the input; no value is kept."""

    type: str
    start: int
    end: int
    rule: str
    confidence: Confidence = "high"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sanitized:
    """A text that may be stored, what was found in it, and the version of the rules that looked."""

    text: str
    findings: tuple[Finding, ...]
    version: str


class _Piece(NamedTuple):
    """A part of the output that is the input unchanged."""

    output_start: int
    output_end: int
    input_start: int


@dataclass(kw_only=True, slots=True)
class _Work:
    """One text of the example on its way."""

    text: str
    findings: list[Match]
    output: str
    pieces: list[_Piece]
    settled: bool = False


def _package_digest() -> str:
    """Take a short digest over the sources of this package: other rules or other code, other version."""
    digest = hashlib.sha256()
    for name, source in sorted(sources(resources.files(__package__))):
        digest.update(name.encode() + b"\0" + source + b"\0")
    return digest.hexdigest()[:12]


def sources(folder: Traversable, above: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield each module in a folder and those below: its path in the package, and its source."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from sources(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield above + entry.name, entry.read_bytes()


SANITIZER_VERSION = f"1-{_package_digest()}"


def version_with(extra_rules: ExtraRules = NO_EXTRA_RULES, *, names: bool = False) -> str:
    """Name the version that looks with these rules and for names too: other rules or models, other version.

    Raises NamesUnavailable when the extra `ner` is not installed.
    """
    version = f"{SANITIZER_VERSION}+{extra_rules.digest}" if extra_rules.rules else SANITIZER_VERSION
    return f"{version}{NAMES_MARK}{names_digest()}" if names else version


def sanitize(text: str, extra_rules: ExtraRules = NO_EXTRA_RULES, *, names: bool = False) -> Sanitized:
    """Replace secrets and personal data in one text. Raises as `sanitize_many` does, and nothing else."""
    return sanitize_many([text], extra_rules, names=names)[0]


def sanitize_text(text: str, extra_rules: ExtraRules = NO_EXTRA_RULES) -> str:
    """Give the sanitized text alone."""
    return sanitize(text, extra_rules).text


def sanitize_many(
    texts: Sequence[str], extra_rules: ExtraRules = NO_EXTRA_RULES, *, names: bool = False
) -> list[Sanitized]:
    """Replace secrets and personal data in the texts of one example, which share their placeholders.

    A type with one distinct value in the example gives `[REDACTED:email]`; with two or more, `[REDACTED:email_1]`,
    `[REDACTED:email_2]` in order of appearance, the same value always under the same number. If the texts already hold
    placeholders of that type, new values are numbered after the highest (one without a number counts as 1). A bare
    JSON number is replaced by a quoted placeholder, so that JSON stays JSON.

    Rules of a tenant come on top: what the table finds, it finds before they look, so they can only widen it.

    With `names`, people's names and street addresses go too, as far as they are recognised: see docs/sanitizer.md.
    That needs the extra `ner` and takes some hundred times as long. It only adds: the rules have their say first.

    Raises NamesUnavailable when `names` is asked for and the extra is not installed.
    Raises TextTooLong over MAX_TEXT_CHARS. Any other failure is SanitizerFailed, without the text: drop the text.
    """
    if any(len(text) > MAX_TEXT_CHARS for text in texts if isinstance(text, str)):
        raise TextTooLong
    version = version_with(extra_rules, names=names)
    sanitized = None
    try:
        with suppress(Exception):  # whatever goes wrong, the caller must fail closed and see no text
            sanitized = _sanitize_example(texts, extra_rules, version, names=names)
    finally:
        checks.forget()
    if sanitized is None:
        # Raised outside the handler: the cause, which may quote the text, is not attached.
        raise SanitizerFailed
    return sanitized


def _sanitize_example(texts: Sequence[str], extra_rules: ExtraRules, version: str, *, names: bool) -> list[Sanitized]:
    """Scan and replace until nothing more is found, then with the tenant's rules; a budget of time ends both."""
    budget = TIME_BUDGET_SECONDS + TIME_BUDGET_SECONDS_PER_CHAR * sum(map(len, texts))
    if names:
        budget += NAMES_SECONDS_PER_CHAR * sum(map(len, texts))
    started = thread_time()

    def need_time() -> None:
        if thread_time() - started > budget:
            raise SanitizerFailed

    works = [_Work(text=text, findings=[], output=text, pieces=[_Piece(0, len(text), 0)]) for text in texts]
    numbers: Numbers = {}
    looking = NEED_TIME.set(need_time)
    try:
        _settle(works, lambda text: _scan(text, numbers), need_time)
        if extra_rules.rules:
            _settle_with_extra(works, extra_rules, numbers, need_time)
        if names:
            _settle_with_names(works, extra_rules, numbers, need_time)
    finally:
        NEED_TIME.reset(looking)
    return [
        Sanitized(text=work.output, findings=tuple(map(_finding, work.findings)), version=version) for work in works
    ]


def _settle(works: list[_Work], scan: Callable[[str], list[Match]], need_time: Callable[[], None]) -> None:
    """Scan and replace until a round finds nothing."""
    for _ in range(MAX_ROUNDS):
        if not [work for work in works if _scan_once(work, scan)]:
            return
        _mark_repeated(works)
        _replace(works)
        need_time()
    raise SanitizerFailed


def _settle_with_extra(
    works: list[_Work], extra_rules: ExtraRules, numbers: Numbers, need_time: Callable[[], None]
) -> None:
    """Add what a tenant's rules find, in the input too, so that what the table took out of it hides no match."""

    def scan_extra(text: str) -> list[Match]:
        return _scan_extra(locators().read(text, numbers), extra_rules, need_time)

    def scan_both(text: str) -> list[Match]:
        return _resolve([*_scan(text, numbers), *scan_extra(text)])

    found = [scan_extra(work.text) for work in works]
    if not any(found) and not any(scan_extra(work.output) for work in works if work.output != work.text):
        return
    for work, added in zip(works, found, strict=True):
        work.findings = _resolve([*work.findings, *added])
        work.settled = False
    _replace(works)
    _settle(works, scan_both, need_time)
    # A rule for single signs makes a text longer than the next reading of it would take.
    if any(len(work.output) > MAX_TEXT_CHARS for work in works):
        raise SanitizerFailed


def _settle_with_names(
    works: list[_Work], extra_rules: ExtraRules, numbers: Numbers, need_time: Callable[[], None]
) -> None:
    """Add people's names and addresses once the rules find nothing more; what that uncovers, the rules read again."""

    def scan_all(text: str) -> list[Match]:
        return _resolve([*_scan(text, numbers), *_scan_extra(locators().read(text, numbers), extra_rules, need_time)])

    known: dict[str, list[tuple[int, int]]] = {}
    for _ in range(MAX_ROUNDS):
        if not _scan_names(works, known):
            return
        _replace(works)
        need_time()
        _settle(works, scan_all, need_time)
    raise SanitizerFailed


def _scan_names(works: list[_Work], known: dict[str, list[tuple[int, int]]]) -> bool:
    """Add the names and addresses of all texts, and wherever else in them these stand."""
    found = [(work, list(find_names(work.output, known))) for work in works]
    values = {work.output[match.start : match.end]: match for work, matches in found for match in matches}
    for work, matches in found:
        repeated = [
            _moved(match, start, start + len(value))
            for value, match in values.items()
            for start in _occurrences(work.output, value)
            if not _is_in_word(work.output, start, start + len(value))
        ]
        starts = [piece.output_start for piece in work.pieces]
        for match in _resolved(work.output, [*matches, *repeated]):
            _add(work, match, starts)
            work.settled = False
    return not all(work.settled for work in works)


def _is_in_word(text: str, start: int, end: int) -> bool:
    """Tell whether letters or digits go on before or after a span."""
    return text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()


def _scan_once(work: _Work, scan: Callable[[str], list[Match]]) -> bool:
    """Scan the output as it is now; new findings go to the work in input offsets."""
    if work.settled:
        return False
    found = scan(work.output)
    work.settled = not found
    if found:
        starts = [piece.output_start for piece in work.pieces]
        for finding in found:
            _add(work, finding, starts)
    return bool(found)


def _add(work: _Work, finding: Match, starts: list[int]) -> None:
    """Translate a finding in the output to the input, piece by piece; `starts` are where the pieces begin."""
    for piece in work.pieces[max(0, bisect_right(starts, finding.start) - 1) :]:
        if piece.output_start >= finding.end:
            break
        start = max(finding.start, piece.output_start) - piece.output_start + piece.input_start
        end = min(finding.end, piece.output_end) - piece.output_start + piece.input_start
        if start < end:
            work.findings.append(_moved(finding, start, end))


def _scan(text: str, numbers: Numbers) -> list[Match]:
    """Collect all findings of one pass, resolved, without what existing placeholders hold."""
    reading = locators().read(text, numbers)
    candidates = _scan_reading(reading)
    if NAMED_NEARBY in reading.occurring:
        candidates += find_named_nearby(reading)
    candidates += _scan_views(reading)
    candidates += _scan_base64(reading)
    return _resolved(text, candidates)


def _resolved(text: str, candidates: list[Match]) -> list[Match]:
    """Resolve candidates; nothing is left of them inside placeholders, images and the syntax of JSON."""
    if not candidates:
        return []
    protected = [match.span() for match in PLACEHOLDER.finditer(text)]
    if ";base64," in text:
        images = [match.span() for match in _DATA_URI.finditer(text)]
        candidates = [found for found in candidates if not _is_inside(found, images)]
    strings = _json_strings(text)
    if strings is not None:
        candidates = [part for found in candidates for part in _inside_strings(found, strings, text)]
    if protected:
        parts = (part for found in candidates for part in _without(found, protected, text))
    else:
        parts = (part for found in candidates for part in _trimmed(found, found.start, found.end, text))
    resolved = _resolve(parts)
    return [finding for finding in resolved if finding.start < finding.end]


def _scan_reading(reading: Reading) -> list[Match]:
    """List candidates of the table of rules, those beside names that say secret, and those known by their place."""
    found = locators().rule_matches(reading)
    found += find_context_secrets(reading.text, locators().names(reading))
    found += find_in_tables(reading)
    if MARKUP in reading.occurring:
        found += find_markup_secrets(reading)
    if not reading.text.isascii():
        found += find_told_secrets(reading)
    return found


def _finding(match: Match) -> Finding:
    return Finding(type=match.type, start=match.start, end=match.end, rule=match.rule, confidence=match.confidence)


def _moved(found: Match, start: int, end: int) -> Match:
    """Give the finding another place."""
    kind, _, _, rule, confidence = found
    return Match(kind, start, end, rule, confidence)


def _scan_views(reading: Reading) -> Iterator[Match]:
    """Yield candidates in the text as a parser or a terminal would read it."""
    for view, viewed in other_views(reading, locators().read):
        for found in chain(_scan_reading(viewed), _scan_base64(viewed)):
            start, end = view.input_span(found.start, found.end)
            if not view.joins or view.crosses_join(found.start, found.end):
                yield _moved(found, start, end)


def _scan_base64(reading: Reading) -> Iterator[Match]:
    """Yield runs of base64 that decode to a text with a secret in it: the whole run goes."""
    for start, end, decoded in base64_readings(reading):
        found = _secret_in(decoded)
        if found is not None:
            yield _moved(found, start, end)


@checks.remembered
def _secret_in(decoded: str) -> Match | None:
    """Give the first secret that a decoded text holds: the views of a text, and it again, hold the same base64."""
    return next((found for found in _scan_reading(locators().read(decoded)) if found.type not in PERSONAL_TYPES), None)


def _scan_extra(reading: Reading, extra_rules: ExtraRules, need_time: Callable[[], None]) -> list[Match]:
    """Collect what the tenant's own rules find outside placeholders; of JSON only its strings and numbers go."""
    text = reading.text
    views = other_views(reading, locators().read)
    candidates = [
        Match(kind, start, end, EXTRA_RULE, "high")
        for kind, start, end in find_extra(text, (view for view, _ in views), extra_rules, need_time)
    ]
    if not candidates:
        return []
    strings = _json_strings(text)
    if strings is not None:
        values = sorted([*((*string, False) for string in strings), *_json_numbers(text, strings)])
        escapes = [match.span() for match in _JSON_ESCAPE.finditer(text)]
        candidates = [part for found in candidates for part in _inside_values(found, values, escapes)]
    protected = [match.span() for match in PLACEHOLDER.finditer(text)]
    return _resolve(part for found in candidates for part in _without(found, protected, text))


def _json_numbers(text: str, strings: list[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """Yield the numbers of a text that is JSON, each marked as whole: half of one cannot go."""
    edges = [0, *chain.from_iterable(strings), len(text)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield from ((*match.span(), True) for match in _JSON_NUMBER.finditer(text, start, end))


def _inside_values(
    finding: Match, values: list[tuple[int, int, bool]], escapes: list[tuple[int, int]]
) -> Iterator[Match]:
    """Yield what a finding covers of strings, with the whole of escapes at its edges, and the numbers it touches."""
    first = bisect_right(values, finding.start, key=lambda value: value[0])
    for place in range(max(0, first - 1), len(values)):
        start, end, whole = values[place]
        if start >= finding.end:
            return
        if end <= finding.start:
            continue
        if whole:
            yield _moved(finding, start, end)
        else:
            yield _moved(
                finding,
                _edge(max(start, finding.start), escapes)[0],
                _edge(min(end, finding.end), escapes)[1],
            )


def _edge(place: int, escapes: list[tuple[int, int]]) -> tuple[int, int]:
    """Give where the escape that this place cuts begins and ends; the place itself when it cuts none."""
    index = bisect_right(escapes, (place, place)) - 1
    if index >= 0 and escapes[index][0] < place < escapes[index][1]:
        return escapes[index]
    return place, place


def _json_strings(text: str) -> list[tuple[int, int]] | None:
    """List the insides of all strings of a text that is JSON; None if it is none."""
    if text.lstrip()[:1] not in {"{", "[", '"'}:
        return None
    with suppress(ValueError, RecursionError):
        json.loads(text)
        return [(match.start() + 1, match.end() - 1) for match in _JSON_STRING.finditer(text)]
    return None


def _inside_strings(finding: Match, strings: list[tuple[int, int]], text: str) -> Iterator[Match]:
    """Keep a finding within the JSON string in which it begins; a document of many lines may fill several strings.

    Outside of strings only a whole number is a value.
    """
    place = bisect_right(strings, (finding.start, len(text))) - 1
    if place >= 0 and finding.start <= strings[place][1]:
        last = len(strings) if finding.type in _SPREAD_TYPES else place + 1
        for begin, end in strings[place:last]:
            if begin < finding.end:
                yield _moved(finding, max(begin, finding.start), min(end, finding.end))
        return
    following = strings[place + 1][0] - 1 if place + 1 < len(strings) else len(text)
    end = min(finding.end, following)
    if _BARE_NUMBER.fullmatch(text, finding.start, end):
        yield _moved(finding, finding.start, end)


def _is_inside(finding: Match, spans: list[tuple[int, int]]) -> bool:
    """Tell whether one of the spans holds the whole finding."""
    return any(left <= finding.start and finding.end <= right for left, right in spans)


def _without(finding: Match, protected: list[tuple[int, int]], text: str) -> Iterator[Match]:
    """Yield the parts of a finding outside placeholders, with quotes and escapes at their edges left out."""
    start = finding.start
    place = bisect_right(protected, (start, start))
    if place and protected[place - 1][1] > start:
        place -= 1
    for left, right in protected[place:]:
        if left >= finding.end:
            break
        if any(character.isalnum() for character in text[start:left]):
            yield from _trimmed(finding, start, left, text)
        start = right
    rest = text[start : finding.end]
    # Beside a placeholder, punctuation alone is what was left around it, not a value.
    if start == finding.start or any(character.isalnum() for character in rest):
        yield from _trimmed(finding, start, finding.end, text)


def _trimmed(finding: Match, start: int, end: int, text: str) -> Iterator[Match]:
    """Move the edges off whitespace, a pair of quotes and half an escape; nothing left gives nothing."""
    if start < end and text[start].isalnum() and text[end - 1].isalnum() and text[start - 1 : start] != "\\":
        yield finding if (start, end) == (finding.start, finding.end) else _moved(finding, start, end)
        return
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if end - start > 1 and text[start] in "\"'`" and text[start] == text[end - 1]:
        start, end = start + 1, end - 1
    if start < end and _odd_backslashes_before(text, start):
        unicode_escape = _UNICODE_ESCAPE_REST.match(text, start)
        start = unicode_escape.end() if unicode_escape else start + 1
    if start < end and _odd_backslashes_before(text, end):
        end -= 1
    if start < end:
        yield _moved(finding, start, end)


def _odd_backslashes_before(text: str, place: int) -> bool:
    """Tell whether the character at `place` is escaped."""
    count = 0
    while count < place and text[place - count - 1] == "\\":
        count += 1
    return count % 2 == 1


def _resolve(candidates: Iterable[Match]) -> list[Match]:
    """Join what overlaps; the surest part names the whole, of equally sure ones the longest, then the first."""
    resolved: list[Match] = []
    weight = (0, 0)
    for finding in sorted(candidates, key=lambda candidate: (candidate.start, -candidate.end)):
        own = (finding.confidence != "low", finding.end - finding.start)
        if not resolved or finding.start >= resolved[-1].end:
            resolved.append(finding)
            weight = own
            continue
        last = resolved[-1]
        named = finding if own > weight else last
        weight = max(weight, own)
        resolved[-1] = _moved(named, last.start, max(last.end, finding.end))
    return resolved


def _mark_repeated(works: list[_Work]) -> None:
    """Find a secret that was recognised once wherever else it stands in the example."""
    values: dict[str, str] = {}
    seen: set[str] = set()
    for work in works:
        for finding in work.findings:
            value = work.text[finding.start : finding.end]
            if value in seen or finding.type in PERSONAL_TYPES or finding.type in NAME_TYPES:
                continue
            seen.add(value)
            if len(values) < MAX_REPEATED_SECRETS and _is_telling(value):
                values[value] = finding.type
    for work in works:
        found = [
            Match(kind, start, start + len(value), "repeated_secret", "high")
            for value, kind in values.items()
            for start in _occurrences(work.text, value)
        ]
        _add_unfound(work, found)


def _is_telling(value: str) -> bool:
    """Tell whether a value found elsewhere can only be this secret."""
    return (
        len(value) >= MIN_REPEATED_SECRET_CHARS
        and any(character.isdigit() for character in value)
        and not value.isdigit()
        and not checks.is_made_of_words(value)
    )


def _occurrences(text: str, value: str) -> Iterator[int]:
    """Yield where a value stands."""
    start = text.find(value)
    while start >= 0:
        yield start
        start = text.find(value, start + len(value))


def _add_unfound(work: _Work, found: list[Match]) -> None:
    """Add the findings that touch neither an earlier one nor a placeholder of the input."""
    taken = sorted(
        [(finding.start, finding.end) for finding in work.findings]
        + [match.span() for match in PLACEHOLDER.finditer(work.text)]
    )
    for finding in found:
        place = bisect_right(taken, (finding.start, len(work.text)))
        before = taken[place - 1][1] if place else 0
        after = taken[place][0] if place < len(taken) else len(work.text)
        if before <= finding.start and finding.end <= after:
            work.findings.append(finding)
            taken.insert(place, (finding.start, finding.end))
            work.settled = False


def _replace(works: list[_Work]) -> None:
    """Write the outputs anew: numbers depend on all findings of all texts."""
    for work in works:
        work.findings.sort(key=lambda finding: finding.start)
    placeholders = _placeholders(works)
    for work in works:
        _render(work, placeholders)


def _placeholders(works: list[_Work]) -> dict[tuple[str, str], str]:
    """Name the placeholder of each distinct (type, value)."""
    highest: dict[str, int] = {}
    for work in works:
        for match in PLACEHOLDER.finditer(work.text):
            highest[match[1]] = max(highest.get(match[1], 0), int(match[2] or 1))
    values: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for work in works:
        for finding in work.findings:
            value = work.text[finding.start : finding.end]
            if (finding.type, value) not in seen:
                seen.add((finding.type, value))
                values.setdefault(finding.type, []).append(value)
    named: dict[tuple[str, str], str] = {}
    for kind, distinct in values.items():
        numbered = len(distinct) > 1 or kind in highest
        for number, value in enumerate(distinct, highest.get(kind, 0) + 1):
            named[kind, value] = f"[REDACTED:{kind}_{number}]" if numbered else f"[REDACTED:{kind}]"
    return named


def _render(work: _Work, placeholders: dict[tuple[str, str], str]) -> None:
    """Build the output and remember which pieces of it are the input."""
    text, parts, pieces = work.text, [], []
    position = written = 0
    for finding in work.findings:
        kept = text[position : finding.start]
        if kept:
            pieces.append(_Piece(written, written + len(kept), position))
        placeholder = placeholders[finding.type, text[finding.start : finding.end]]
        quote = _missing_quote(text, finding)
        inserted = f"{quote}{placeholder}{quote}"
        parts += [kept, inserted]
        written += len(kept) + len(inserted)
        position = finding.end
    rest = text[position:]
    pieces.append(_Piece(written, written + len(rest), position))
    output = "".join([*parts, rest])
    work.settled = work.settled and output == work.output
    work.output, work.pieces = output, pieces


def _missing_quote(text: str, finding: Match) -> str:
    """Give the quote that a JSON number needs when a string takes its place; nothing where none is needed.

    How deep the JSON is escaped is read from the nearest quote before the number.
    """
    if not _BARE_NUMBER.fullmatch(text, finding.start, finding.end) or not _JSON_AFTER_VALUE.match(text, finding.end):
        return ""
    begin = max(0, finding.start - _JSON_CONTEXT_CHARS)
    before = text[begin : finding.start]
    quote = before.rfind('"')
    between = before[quote + 1 :].strip()
    if between[-1:] not in {":", "[", ","} or not _JSON_WITHOUT_STRINGS.fullmatch(between):
        return ""
    if quote < 0:
        # With no string in sight, how the text begins tells whether this is JSON itself and no string of it.
        outermost = between[0] if begin == 0 else text[:_JSON_CONTEXT_CHARS].lstrip()[:1]
        return '"' if outermost in {"[", "{"} else ""
    slashes = quote - len(before[:quote].rstrip("\\"))
    # A quote n levels deep has 2**n - 1 backslashes; more than that are escaped backslashes at the string's end.
    slashes = (slashes ^ (slashes + 1)) >> 1
    if between[0] in "[{":
        return "\\" * (2 * slashes + 1) + '"'
    return "\\" * slashes + '"' if between[0] in ":,]}" else ""
