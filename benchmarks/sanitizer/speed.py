"""Texts to take the time with."""

from collections.abc import Sequence
from random import Random

from benchmarks.sanitizer.samples import Sample
from goldvein.sanitizer.rules import RULES, Rule

KIBIBYTE = 1024
SMALL_TEXTS = 200
SHARE_WITH_SECRETS = 4
LONG_TEXTS = 4


def _filled(random: Random, samples: Sequence[Sample], first: str, size: int) -> str:
    text = first
    while len(text) < size:
        text += "\n" + random.choice(samples).text
    return text[:size]


def small_texts(samples: Sequence[Sample], seed: int) -> list[str]:
    """Texts of 1,024 characters; every fourth begins with a sample that holds a secret."""
    random = Random(seed)
    benign = [sample for sample in samples if sample.is_benign]
    marked = [sample for sample in samples if not sample.is_benign]
    starts = (marked if number % SHARE_WITH_SECRETS == 0 else benign for number in range(SMALL_TEXTS))
    return [_filled(random, benign, random.choice(start).text, KIBIBYTE) for start in starts]


def long_texts(samples: Sequence[Sample], seed: int) -> list[str]:
    """Texts of 65,536 characters, mixed as they come."""
    random = Random(seed + 1)
    return [_filled(random, samples, "", 64 * KIBIBYTE) for _ in range(LONG_TEXTS)]


# Pieces that, repeated, keep a careless pattern busy: beginnings of keys without an end, runs of what keys are made of,
# quotes and signs that open and never close, encodings of encodings.
_PIECES = {
    "one letter": "a",
    "digits": "4",
    "digits in groups": "4111 ",
    "blanks": " ",
    "line breaks": "\n",
    "hex": "deadbeef",
    "base64": "QUJDREVGR0hJSktM",
    "words": "lorem ipsum dolor ",
    "sk-": "sk-",
    "ghp_": "ghp_",
    "AKIA": "AKIA",
    "eyJ": "eyJ",
    "eyJ with dots": "eyJhbGci.",
    "dots": "a.",
    "BEGIN lines": "-----BEGIN " + "PRIVATE KEY-----\n",
    "dashes": "-",
    "slashes of URLs": "://",
    "users of URLs": "http://u:",
    "addresses": "a@",
    "address letters": "a.b-c+d@e.",
    "names and signs": "password=",
    "names with colons": '"token": "',
    "names without values": "api_key = \n",
    "bearer": "Authorization: Bearer ",
    "options": "--password ",
    "quotes": '"',
    "backslashes": "\\",
    "escaped quotes": '\\"',
    "unicode escapes": "\\u0041",
    "percent signs": "%41",
    "entities": "&#65;",
    "soft breaks": "=\n",
    "colours": "\x1b[31m",
    "invisible": "a\u200b",
    "full width": "\uff11",
    "braces": "{",
    "brackets": "[REDACTED:",
    "pairs": "a=b&",
    "plus and digits": "+49 ",
    "parts of addresses": "1.2.3.",
    "colons": "a1:",
    "cookies": "Cookie: a=b; ",
    "continued lines": "abc\\\n",
    "wrapped base64": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\n",
    "URL of keys": "https://h/?key=a1B2c3D4e5F6g7H8i9J0&",
    "secrets": 'password = "Kestrel-Harbor-{}"\n',
    "mails": "n.ashdown@oakline-labs.io ",
    "signs within keys": "+AStAAAA",
}


def worst_input(name: str, size: int) -> str:
    """A text of the named kind, made to be slow."""
    piece = _PIECES[name]
    return (piece * (size // len(piece) + 1))[:size]


WORST_INPUTS = tuple(_PIECES)

_JOINERS = {"blanks": " ", "line breaks": "\n", "commas": ",", "nothing": "", "quotes": '"'}


def rule_pieces(rule: Rule) -> dict[str, str]:
    """What a rule must and must not find, each with what can stand between two of them, by name."""
    examples = {"example": rule.example, "counter-example": rule.counter_example}
    return {
        f"{rule.id}: {kind}, {joiner} between": text + between
        for kind, text in examples.items()
        for joiner, between in _JOINERS.items()
    }


def repeated(piece: str, size: int) -> str:
    """A piece again and again, never cut: a key cut by the text's end would be one more finding at one size only."""
    return piece * (size // len(piece))


TABLE: tuple[Rule, ...] = RULES
