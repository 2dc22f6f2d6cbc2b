"""One text of the benchmark, and how a secret is marked while a text is put together around it.

Two characters of the private-use area enclose what must go. Carriers and encodings treat them as having no width;
`finish` takes them out and leaves the places.
"""

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

OPEN, CLOSE = "\ue000", "\ue001"
_MARKS = re.compile(f"([{OPEN}{CLOSE}])")
_SLOT = re.compile(r"\{([a-zA-Z])(\d+)(?:-(\d+))?\}")

ALPHABETS = {
    "d": string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "l": string.ascii_lowercase,
    "L": string.ascii_uppercase,
    "a": string.ascii_lowercase + string.digits,
    "A": string.ascii_uppercase + string.digits,
    "Z": string.ascii_uppercase + "234567",
    "n": string.ascii_letters + string.digits,
    "w": string.ascii_letters + string.digits + "-_",
    "b": string.ascii_letters + string.digits + "+/",
    "u": string.ascii_letters + string.digits + "_",
    "q": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A text, what it is an example of, and the places that must not survive; none in a benign text."""

    category: str
    kind: str
    text: str
    spans: tuple[tuple[int, int], ...]

    @property
    def is_benign(self) -> bool:
        """Whether nothing of the text may change."""
        return not self.spans


def mark(value: str) -> str:
    """Mark a value as one that must go."""
    return f"{OPEN}{value}{CLOSE}"


def unmark(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Take the marks out of a text; returns it with the places they enclosed."""
    plain: list[str] = []
    spans: list[tuple[int, int]] = []
    place = start = 0
    for part in _MARKS.split(text):
        if part == OPEN:
            start = place
        elif part == CLOSE:
            spans.append((start, place))
        else:
            plain.append(part)
            place += len(part)
    return "".join(plain), tuple(span for span in spans if span[0] < span[1])


def finish(category: str, kind: str, text: str) -> Sample:
    """Make the sample of a marked text."""
    plain, spans = unmark(text)
    return Sample(category=category, kind=kind, text=plain, spans=spans)


def map_between_marks(text: str, change: Callable[[str], str]) -> str:
    """Change a marked text part by part, so that the marks stay around what they enclose."""
    return "".join(part if part in {OPEN, CLOSE} else change(part) for part in _MARKS.split(text))


def map_inside_marks(text: str, change: Callable[[str], str]) -> str:
    """Change only what the marks enclose."""
    return re.sub(f"{OPEN}([^{CLOSE}]*){CLOSE}", lambda found: mark(change(found[1])), text)


def coin(random: Random) -> bool:
    """Heads or tails."""
    return random.choice((True, False))


def fill(random: Random, form: str) -> str:
    """Fill the slots of a form: `{h40}` is forty lower-case hex digits, `{n20-40}` twenty to forty letters or digits."""

    def slot(found: re.Match[str]) -> str:
        low = int(found[2])
        count = random.randint(low, int(found[3] or low))
        return "".join(random.choices(ALPHABETS[found[1]], k=count))

    return _SLOT.sub(slot, form)


def uuid(random: Random) -> str:
    """A random UUID of version 4."""
    return fill(random, "{h8}-{h4}-4{h3}-") + random.choice("89ab") + fill(random, "{h3}-{h12}")
