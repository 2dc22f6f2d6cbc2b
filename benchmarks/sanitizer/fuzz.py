"""Hostile texts, made from a seed, and what must hold for each of them: `make fuzz-sanitizer`.

FUZZ_SECONDS says how long (600), FUZZ_SEED with which texts. What breaks is made as small as it goes and printed; the
smallest texts belong into tests/sanitizer/test_fuzzed.py. Texts are pieces of rule examples and of the benchmark's own
set, spliced, mutated, written in other ways, nested in JSON and repeated; nothing in them is real.
"""

import base64
import json
import os
import re
import string
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.sanitizer.generator import generate
from benchmarks.sanitizer.samples import coin
from goldvein.sanitizer import MAX_TEXT_CHARS, Sanitized, SanitizerFailed, TextTooLong, sanitize, sanitize_many
from goldvein.sanitizer.explain import explain
from goldvein.sanitizer.rules import RULES

DEFAULT_SECONDS = 600
DEFAULT_SEED = 1
REPEATED_SHARE = 0.02
LONG_PIECE_CHARS = 20_000
KILOBYTE = 1_024
REDUCED_OF_A_KIND = 3
SHORT_CHARS = 16_384  # a longer text may cost more time than the sanitizer gives itself; that is counted, not a crash
MAX_REDUCING_SECONDS = 20
MAX_DEPTH = 8
LAST_OF_FOUR_DIGITS = 0xFFFF
SHOWN_CHARS = 400
TOLD_EVERY_SECONDS = 60

_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z_]+(?:_[0-9]+)?\]")
_NESTED_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z_0-9]{0,50}\[REDACTED:")
_JSON_QUOTE = re.compile(r'\\*"')
_ODD_SIGNS = (
    "\u200b\u200d\u2060\ufeff\u00ad\u202e\u2066\u0301\u0308\u20e3\ufe0f\u0130\u1e9e\u2028\x00\x07\x1b\x7f\x85"
    "\U0001f511\U0001d7d8\U000e0041\uff10\uff21\u0660\u00a0\u3000"
)
_PIECES = (
    "[REDACTED:email]", "[REDACTED:email_2]", "[REDACTED:", "REDACTED:a]", "[REDACTED:[REDACTED:email]]", "[REDACTED:a_999999]",
    "password", "token: ", "api_key=", '"', "'", "\\", '\\"', "\\\\", "\\n", "\n", "\r\n", "\t", " ", ":", "=", "@", "://", "&", "?token=",
    "{", "}", "[", "]", ",", "(", ")", "<", ">", "`", "#", ";", "|", "%3D", "\\u003d", "\\u00", "\\ud83d", "&#x3D;", "=3D", "=\n", "\x1b[0m",
    "-----", "BEGIN ", " PRIVATE KEY", "END ", "Bearer ", "Basic ", "Cookie: a=", "mysql -p", "-u a:", "export ", "name: ", "value: ",
    "12345678", "4242424242424242", "8.8.4.4", "+49 30 5557 4242", "a@b.example", "eyJ", "sk-", "ghp_", "AKIA", "xoxb-", "null", "true", "...",
    "[truncated]", ";base64,", "pin=", "| a | b |\n|---|---|\n", "a,b,password\n1,2,",
)  # fmt: skip


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


_WRITINGS: tuple[Callable[[str], str], ...] = (
    _escaped,
    _hex,
    urllib.parse.quote,
    lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text if ord(sign) <= LAST_OF_FOUR_DIGITS),
    lambda text: base64.b64encode(text.encode()).decode(),
    "\u200b".join,
    lambda text: "\x1b[31m".join(text[place : place + 9] for place in range(0, len(text), 9)),
    lambda text: "\n".join(text[place : place + 76] for place in range(0, len(text), 76)),
    lambda text: text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    lambda text: text.upper(),
    lambda text: text[::-1],
)


@dataclass(kw_only=True, slots=True)
class Tally:
    """What was tried, and what came of it."""

    texts: int = 0
    refused: int = 0
    longest: int = 0
    slowest: tuple[float, int, str] = (0.0, 0, "")
    slowest_kilobyte: tuple[float, int, str] = (0.0, 0, "")
    broken: dict[str, str] = field(default_factory=dict)
    times_broken: Counter[str] = field(default_factory=Counter)


class Fuzzer:
    """Makes texts from chance."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._sources = [rule.example for rule in RULES] + [rule.counter_example for rule in RULES]
        self._sources += [sample.text for sample in generate()]

    def text(self) -> str:
        """Make one text: most are short, one in fifty is up to 256 KiB."""
        random = self.random
        text = random.choice((self._pieces, self._mutated, self._spliced, self._written, self._nested, self._signs))()
        if random.random() < REPEATED_SHARE:
            wanted = random.choice((8_192, 32_768, 65_536, MAX_TEXT_CHARS))
            piece = text[: random.choice((2, 7, 31, 200))] or "a"
            text = (piece * (wanted // len(piece) + 1))[:wanted]
        return text.encode("utf-8", "replace").decode()[:MAX_TEXT_CHARS]

    def _source(self) -> str:
        return self.random.choice(self._sources)[:4_000]

    def _pieces(self) -> str:
        random = self.random
        chosen = [random.choice(_PIECES) for _ in range(random.randrange(1, 30))]
        for _ in range(random.randrange(3)):
            chosen.insert(random.randrange(len(chosen) + 1), self._slice(self._source(), 60))
        return "".join(chosen)

    def _slice(self, text: str, most: int) -> str:
        start = self.random.randrange(len(text) + 1)
        return text[start : start + self.random.randrange(most + 1)]

    def _mutated(self) -> str:
        random, text = self.random, self._source()
        for _ in range(random.randrange(1, 8)):
            start = random.randrange(len(text) + 1)
            end = min(len(text), start + random.randrange(12))
            inserted = random.choice(
                (
                    "",
                    random.choice(_PIECES),
                    random.choice(_ODD_SIGNS),
                    text[start:end] * 2,
                    random.choice(string.printable),
                )
            )
            text = text[:start] + inserted + text[end:]
        return text

    def _spliced(self) -> str:
        random = self.random
        parts = [self._slice(self._source(), 400) for _ in range(random.randrange(2, 5))]
        return random.choice(("", " ", "\n", ",", '"', "\\n", "&")).join(parts)

    def _written(self) -> str:
        text = self._slice(self._source(), 300)
        for _ in range(self.random.randrange(1, 4)):
            text = self.random.choice(_WRITINGS)(text)[:LONG_PIECE_CHARS]
        return self._slice(self._source(), 60) + text + self._slice(self._source(), 60)

    def _nested(self) -> str:
        value: object = self._value()
        for _ in range(self.random.randrange(1, MAX_DEPTH)):
            written = json.dumps(value, ensure_ascii=coin(self.random), indent=self.random.choice((None, None, 2)))
            if len(written) > LONG_PIECE_CHARS:
                break
            value = self.random.choice(
                (written, {"stdout": written}, [value], {self._key(): value}, {"content": [{"text": written}]})
            )
        return json.dumps(value, ensure_ascii=coin(self.random))

    def _key(self) -> str:
        return self.random.choice(
            ("password", "token", "api_key", "pin", "note", "a", "", "Authorization", self._slice(self._source(), 20))
        )

    def _value(self) -> object:
        random = self.random
        leaves = (
            self._slice(self._source(), 200),
            self._mutated()[:500],
            4242424242424242,
            123456,
            None,
            True,
            -1.5e3,
            "".join(random.choices(_PIECES, k=5)),
        )
        kind = random.randrange(4)
        if kind == 0:
            return random.choice(leaves)
        if kind == 1:
            return [random.choice(leaves) for _ in range(random.randrange(5))]
        return {self._key(): random.choice(leaves) for _ in range(random.randrange(5))}

    def _signs(self) -> str:
        random = self.random
        signs = [
            chr(
                random.choice(
                    (
                        random.randrange(0x80),
                        random.randrange(0x300),
                        random.randrange(0xD800),
                        random.randrange(0xE000, 0x110000),
                    )
                )
            )
            for _ in range(random.randrange(120))
        ]
        for _ in range(random.randrange(4)):
            signs.insert(random.randrange(len(signs) + 1), self._slice(self._source(), 80))
        return "".join(signs)


def faults(text: str) -> Iterator[str]:
    """Name what does not hold for a text."""
    try:
        once = sanitize(text)
        twice = sanitize(once.text)
    except SanitizerFailed:
        if len(text) <= SHORT_CHARS:
            yield "it failed"
        return
    except TextTooLong:
        if len(text) * 2 <= MAX_TEXT_CHARS:  # placeholders may be longer than what they stand for
            yield "too long"
        return
    except Exception as error:  # noqa: BLE001 (this is what is looked for)
        yield f"raised {type(error).__name__}"
        return
    if twice.text != once.text or twice.findings:
        yield "the second time changed it"
    yield from _misplaced(text, once)
    if _is_json(text) and not _is_json(once.text):
        yield "JSON came out broken"
    if "[REDACTED:" not in text and _NESTED_PLACEHOLDER.search(once.text):
        yield "a placeholder in a placeholder"
    yield from _misnumbered([text[: len(text) // 2], text[len(text) // 2 :], text[: len(text) // 3]])


def _misplaced(text: str, result: Sanitized) -> Iterator[str]:
    """Check that findings lie in the text one after the other, and that what is between them is untouched."""
    position = 0
    for found in result.findings:
        if not position <= found.start < found.end <= len(text):
            yield "findings overlap or lie outside"
            return
        position = found.end
    for match in _PLACEHOLDER.finditer(text):
        if any(found.start < match.end() and match.start() < found.end for found in result.findings):
            yield "a finding in a placeholder"
            return
    try:
        told = list(explain(text, result))
    except Exception:  # noqa: BLE001 (this is what is looked for)
        yield "explaining failed"
        return
    rest, position = result.text, 0
    for found, explanation in zip(result.findings, told, strict=True):
        kept = text[position : found.start]
        before, _, rest = (
            rest.partition(explanation.placeholder) if not kept else _after(rest, kept, explanation.placeholder)
        )
        if _JSON_QUOTE.fullmatch(before):
            rest = rest.removeprefix(before)
        elif before:
            yield "the text between findings changed"
            return
        position = found.end
    if rest != text[position:]:
        yield "the text between findings changed"


def _after(rest: str, kept: str, placeholder: str) -> tuple[str, str, str]:
    """Take what was kept off the beginning, then split at the placeholder; what is wrong shows in the first part."""
    if not rest.startswith(kept):
        return "changed", "", rest
    return rest[len(kept) :].partition(placeholder)


def _misnumbered(texts: list[str]) -> Iterator[str]:
    """Check that over several texts one value has one placeholder, and one placeholder one value."""
    try:
        results = sanitize_many(texts)
    except (SanitizerFailed, TextTooLong):
        return
    placeholders: dict[tuple[str, str], str] = {}
    values: dict[str, str] = {}
    given = {match[0] for text in texts for match in _PLACEHOLDER.finditer(text)}
    for text, result in zip(texts, results, strict=True):
        for explanation in explain(text, result):
            found = explanation.finding
            value = text[found.start : found.end]
            named = placeholders.setdefault((found.type, value), explanation.placeholder)
            if named != explanation.placeholder or values.setdefault(explanation.placeholder, value) != value:
                yield "numbers differ between texts"
                return
            if explanation.placeholder in given:
                yield "a new number was taken"
                return


def _is_json(text: str) -> bool:
    """Tell JSON. A number alone is no JSON here: as a text, it is replaced like in any text, without quotes."""
    try:
        return not isinstance(json.loads(text), int | float)
    except (ValueError, RecursionError):
        return False


def reduced(text: str, fault: str) -> str:
    """Take parts out of a text for as long as it breaks in the same way."""
    until = time.monotonic() + MAX_REDUCING_SECONDS
    size = max(1, len(text) // 2)
    while size:
        place = 0
        while place < len(text) and time.monotonic() < until:
            shorter = text[:place] + text[place + size :]
            if fault in faults(shorter):
                text = shorter
            else:
                place += size
        size //= 2
    return text


def try_one(text: str, tally: Tally) -> None:
    """Try one text; its own time is that of sanitizing it once."""
    started = time.thread_time()
    try:
        sanitize(text)
    except (SanitizerFailed, TextTooLong) as error:
        tally.refused += 1
        print(f"refused ({type(error).__name__}): {len(text):,} characters, {text[:80]!r}", flush=True)
    except Exception:  # noqa: BLE001 (counted below, with its name)
        tally.refused += 1
    seconds = time.thread_time() - started
    tally.texts += 1
    tally.longest = max(tally.longest, len(text))
    tally.slowest = max(tally.slowest, (seconds, len(text), text[:80]))
    if len(text) >= KILOBYTE:
        tally.slowest_kilobyte = max(tally.slowest_kilobyte, (seconds / len(text) * KILOBYTE, len(text), text[:80]))
    for fault in faults(text):
        tally.times_broken[fault] += 1
        if fault not in tally.broken or tally.times_broken[fault] <= REDUCED_OF_A_KIND:
            smallest = reduced(text, fault)
            tally.broken[f"{fault} ({tally.times_broken[fault]})"] = smallest
            print(f"{fault}: {smallest[:SHOWN_CHARS]!r}", flush=True)


def report(tally: Tally, seconds: float, seed: int) -> None:
    """Print the counts and the slowest texts."""
    print(f"{tally.texts:,} texts in {seconds:.0f} s (seed {seed}), the longest of {tally.longest:,} characters")
    print(f"broken: {dict(tally.times_broken) or 'none'}; refused: {tally.refused} (time or length)")
    print(f"slowest: {tally.slowest[0] * 1_000:.1f} ms for {tally.slowest[1]:,} characters, {tally.slowest[2]!r}")
    print(
        f"slowest for its length: {tally.slowest_kilobyte[0] * 1_000:.2f} ms a KB, {tally.slowest_kilobyte[1]:,} characters, {tally.slowest_kilobyte[2]!r}"
    )


def main() -> int:
    """Try texts until the time is over; 1 when one of them broke something."""
    seconds = float(os.environ.get("FUZZ_SECONDS", DEFAULT_SECONDS))
    seed = int(os.environ.get("FUZZ_SEED", DEFAULT_SEED))
    fuzzer, tally = Fuzzer(seed), Tally()
    started = told = time.monotonic()
    while (now := time.monotonic()) - started < seconds:
        if now - told > TOLD_EVERY_SECONDS:
            told = now
            print(f"... {tally.texts:,} texts, {sum(tally.times_broken.values())} broken", flush=True)
        try_one(fuzzer.text(), tally)
    report(tally, time.monotonic() - started, seed)
    return 1 if tally.times_broken else 0


if __name__ == "__main__":
    sys.exit(main())
