"""What a rule is, and how the rows of the table are written.

No example is written out: bodies are made by `sample`, so that no scanner of a code host takes these files for a leak.
A pattern's group `secret` is what is redacted; without it, the whole match. Every repeat has a bound.
A pattern begins where one of the rule's keywords stands (in any case), or where its `locate` matches, and is tried
nowhere else. `locate` is written for RE2 over the text in Latin-1, other characters being `?`; it may find too much.
"""

import re
import string
from dataclasses import dataclass
from typing import Literal

MIN_CUT_CHARS = 8
MAX_RUN_CHARS = 262_144  # a key that is longer than documented goes as a whole all the same
MIN_TELLING_CUT_CHARS = 3
TELLING_PREFIX_CHARS = 4

# Where a token may begin: not inside a word, unless the word is the end of an escape (\n, %3D, \u003d).
LEFT = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2}))"
LEFT_ENDINGS = (
    r"(?<![A-Za-z0-9]{0})",
    r"(?<=\\[nrtbf]{0})",
    r"(?<=%[0-9A-Fa-f][0-9A-Fa-f]{0})",
    r"(?<=\\u[0-9A-Fa-f]{{4}}{0})",
)
# Where a text may have been cut: its end, dots that say so, or a remark such as [truncated].
CUT = (
    r"(?=\Z|\.\.\.|\u2026|[ ]?\[\.\.\.|[ ]?[\[(<]{1,3}(?i:output |text |line )?"
    r"(?i:truncat|cut|omitted|snip|clipped|elided))"
)
# An argument of a call that is no literal, with the comma after it: blanks before it belong to what stands before, lest
# they can be parted in every way. It may be blanks alone.
ARGUMENT = r"(?:[^()\n\"',\s][^()\n\"',]{0,63}|(?<=[^\S\n])),\s{0,96}+"

ALNUM = "[A-Za-z0-9]"
WORD = "[A-Za-z0-9_]"
URLSAFE = "[A-Za-z0-9_-]"
DOTTED = "[A-Za-z0-9_.=-]"
BASE64 = "[A-Za-z0-9+/]"
PADDED = "[A-Za-z0-9+/=_-]"
LOWER = "[a-z0-9]"
UPPER = "[A-Z0-9]"
HEX = "[a-f0-9]"
HEX_DASH = "[a-f0-9-]"
DIGIT = "[0-9]"


Confidence = Literal["high", "medium", "low"]
Family = Literal["key", "word", "token", "run", "number"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing that is looked for.

    `confirm` names a predicate over (text, start, end). `body` is what follows the prefix of a vendor's key at least.
    `family` names the pass that looks for it (see `matching.py`); `heads` are the characters that `locate` or a number
    may begin with, and `begins` says so with up to five each. `backs`: how far before the located place a
    token begins. `needs`: one of these stands in every text that a rule of the families of runs or words can match.
    """

    id: str
    type: str
    description: str
    pattern: re.Pattern[str]
    keywords: tuple[str, ...]
    example: str
    counter_example: str
    confirm: str | None = None
    family: Family
    locate: str | None = None
    backs: tuple[int, ...] = (0,)
    heads: str = ""
    begins: str = ""
    needs: tuple[str, ...] = ()
    body: str = ""
    confidence: Confidence = "high"


def sample(length: int, alphabet: str = ALNUM) -> str:
    """Make up a body: it steps through the alphabet, so that it is varied and the same every time."""
    letters = re.findall(alphabet, string.ascii_letters + string.digits)
    return "".join(letters[(place * 29 + 7 + place // len(letters)) % len(letters)] for place in range(length))


def sample_uuid() -> str:
    """Make up a UUID."""
    return "-".join(sample(length, HEX) for length in (8, 4, 4, 4, 12))


def key(  # noqa: PLR0917 - rows of a table
    rule_id: str,
    description: str,
    prefixes: tuple[str, ...],
    alphabet: str,
    minimum: int,
    maximum: int = 512,
    *,
    confirm: str = "prefixed_value",
) -> Rule:
    """Make the rule for a key with a fixed prefix and a body of one alphabet; also one that the text's end has cut."""
    starts = "|".join(_at_left_edge(re.escape(prefix)) for prefix in prefixes)
    accepted = alphabet.replace("a-f0", "a-fA-F0")
    telling = all(_is_telling_prefix(prefix) for prefix in prefixes)
    shortest = min(MIN_TELLING_CUT_CHARS if telling else MIN_CUT_CHARS, minimum)
    return Rule(
        id=rule_id,
        type=rule_id,
        description=description,
        pattern=re.compile(
            f"(?:{starts})"
            f"(?:{accepted}{{{minimum},{max(maximum, MAX_RUN_CHARS)}}}+|{accepted}{{{shortest},{minimum}}}{CUT})"
        ),
        keywords=prefixes,
        example=f"item {prefixes[0]}{sample(minimum, alphabet)} set",
        counter_example=f"item {prefixes[0]}{sample(5, alphabet)} set",
        confirm=confirm,
        family="key",
        body=f"{accepted}{{{shortest}}}",
    )


def _is_telling_prefix(prefix: str) -> bool:
    """Tell a prefix that no word has, so that little of the body is proof enough where the text is cut."""
    return len(prefix) >= TELLING_PREFIX_CHARS and not prefix.isalpha()


def _at_left_edge(prefix: str) -> str:
    """Match a literal, then check that it begins a token: in this order the search for the literal is fast."""
    return prefix + "(?:" + "|".join(ending.format(prefix) for ending in LEFT_ENDINGS) + ")"


def shape(  # noqa: PLR0917 - rows of a table
    rule_id: str,
    description: str,
    pattern: str,
    keywords: tuple[str, ...],
    example: str,
    counter_example: str,
    *,
    kind: str | None = None,
    confirm: str | None = None,
    family: Family = "word",
    locate: str | None = None,
    backs: tuple[int, ...] = (0,),
    heads: str = "",
    begins: str = "",
    needs: tuple[str, ...] = (),
    confidence: Confidence = "high",
) -> Rule:
    """Make a rule with a pattern of its own."""
    return Rule(
        id=rule_id,
        type=kind or rule_id,
        description=description,
        pattern=re.compile(pattern),
        keywords=keywords,
        example=example,
        counter_example=counter_example,
        confirm=confirm,
        family=family,
        locate=locate,
        backs=backs,
        heads=heads,
        begins=begins,
        needs=needs,
        confidence=confidence,
    )
