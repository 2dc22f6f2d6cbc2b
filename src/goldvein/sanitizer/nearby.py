"""Generated values whose name stands a few words, a tag or a line before them, joined by no sign that code has.

"the Quux token for staging is ...", "`QUUX_API_KEY` op ... zetten", a question for a key and the answer, a cell or an
element for the name and one for the value, a plan that shows the name of a resource and its value below. Searched is
the other way round: from each run of letters and digits that is no word back to the nearest name that says secret. What
stands between them must not say that the value is something else: a digest, an identifier, a version, an address.
"""

import re
import string
from bisect import bisect_right
from collections.abc import Iterator

from goldvein.sanitizer.checks import is_camel_case, is_filler, is_symbol_soup, is_uuid, looks_random, remembered, words
from goldvein.sanitizer.context import Strength, classify_name
from goldvein.sanitizer.linear import Linear, readable
from goldvein.sanitizer.matching import OPAQUE, Match, Reading

LOOK_BACK_CHARS = 224
MAX_LEFT_CHARS = 512
MIN_VALUE_CHARS = 16
MIN_HEX_CHARS = 20
MAX_BETWEEN_CHARS = 128
# The rest of the name, and how much of a value may come before what makes it opaque.
MAX_VALUE_BEFORE_CHARS = 64
MAX_WORDS_BETWEEN = 12
MAX_WORDS_ON_LINE = 7
MAX_NAMES_TRIED = 3
MIN_NAME_PARTS = 2
MAX_NUMBERS_OF_NAME = 2
MAX_PHRASE_WORDS = 3

_RUN_CHARS = string.ascii_letters + string.digits + "_+/=.~:!@#$%^&*|-"
_SOUP_CHARS = _RUN_CHARS + "()"
_RUN = re.compile(r"[A-Za-z0-9_+/=.~:!@#$%^&*|-]{1,4096}")
# What the keys of web frameworks are made of.
_SOUP = re.compile(r"[A-Za-z0-9!@#$%^&*()_=+-]{40,100}(?![^\s\"'`<.,;|}\]\u300d{])")
_SIGN = re.compile("[!@#$%^&*]")
_PARTS_OF_VALUES = frozenset({"base64", "prod", "dev", "project", "preview"})
_STEMS = ("key", "token", "secret", "pass", "auth", "cred", "certificate", "salt")
_STEM = Linear("(?i)" + "|".join(_STEMS))
_NAME_CHARS = string.ascii_letters + string.digits + "_.-"
_WORDS_BEFORE = re.compile(r"(?:[A-Za-z][A-Za-z0-9.-]{0,31}[ ]){1,3}\Z")
_WORD = re.compile(r"[^\W\d_]+")
_SAID_OTHERWISE = (
    r"(?i)hash|sum\b|digest|sha-?[0-9]|md5|integrity|etag|\bids?\b|[_-]id\b|[a-z]Id\b|identi|uuid|guid|commit|"
    r"\brev|version|build|"
    r"cursor|nonce|fingerprint|thumbprint|public|\bcid\b|\bref|trace|span|request|image|\bpath|file|\burl|http|"
    r"blob|tree|"
    r"object|resolved|checkpoint|block|\btx|addr|index|h1:|merge|branch|\btag\b|diff|serial|signature|"
    r"certificate|subject|"
    r"digest|layer|container|cache|hex\b|base64|example|\bformat|looks like|e\.g|pattern|match|regex|test|"
    r"account|user\b|issuer|"
    r"\bssh|ecdsa|\brsa\b|dnskey|\bIN\b|disable|import|require|from\b|return|function|def\b|class\b|author|date|"
    r"time|expire|session|row|\bpage|event|message\b|job|run\b|process|"
    r"\bcreated|deleted|updated|\baction\b"
)
# RE2 takes a tenth of the time, but knows letters beyond ASCII neither as letters nor as forms of others.
_OTHERWISE, _OTHERWISE_IN_ASCII = re.compile(_SAID_OTHERWISE), Linear(_SAID_OTHERWISE)
# What may stand right before `=` or `:`: a word for a value, or who answers.
_ANSWER = re.compile(
    r"(?i)(?:value|val|default|secret_string|string|plaintext_value|content|data|wert|valor|valeur|waarde|"
    r"warto\w{1,3}|de\u011feri|"
    r"text|sure|here|ok|okay|yes|yep|it|this|that|is|key|token|secret|noformat|code|to|now|again|below|for|new|"
    r"old|it's)\Z"
)
_JOIN_AT_END = re.compile(r"(?P<name>[\w-]{1,32})[\"'`*]{0,2}[ ]{0,8}[:=][ ]{0,8}[\"'`*({\[]{0,3}[ ]?\Z")
_SPEAKER = re.compile(
    r"(?:\n|>[ ]|\][ ]|\A)[ ]{0,4}(?:\[[0-9: ]{4,16}\][ ])?@?[\w.-]{1,32}:[ ](?:(?i:sure|yes|ok|here|"
    r"yep)[\w ,]{0,24}[:,-]?[ ])?[`\"]?\Z"
)
_NOT_BEFORE = frozenset("./\\@]")
_NOT_AFTER = frozenset("([/\\")
_WORDS_OF_PROGRAMS = ("token", "secret", "password")
_NEXT_WORD = re.compile(r"[ ]{1,2}([^\W\d_]{1,24})")
_FUNCTION_WORDS = words(
    "for of is was are in on to with as at you we i that which from and again now below it here should must has "
    "f\u00fcr von ist auf de del da do das dla jest para es est pour du della di per \u00e8 voor van til p\u00e5 "
    "op na som i\u00e7in"
)
_DIGITS = re.compile("[0-9]{1,64}")
# A word alone is a name only with what is said before it.
_WORDS_ALONE = words(
    "key keys token tokens secret secrets apikey passphrase password credential credentials authtoken authkey "
    "accesskey secretkey salt"
)
_PLAIN_HEX = re.compile(r"[0-9a-fA-F]{1,512}")
_EDGES = ".:!|*^&~@#$%"


def find_named_nearby(reading: Reading) -> Iterator[Match]:
    """Yield generated values that a name in the text right before them calls a secret; asked where any occur."""
    text, resume = reading.text, 0
    stems = [end for _, end in _STEM.spans(reading.data)]
    if not stems:
        return
    for place, _ in OPAQUE.spans(reading.data):
        before_it = bisect_right(stems, place)
        if place < resume or not before_it or place - stems[before_it - 1] > MAX_BETWEEN_CHARS + MAX_VALUE_BEFORE_CHARS:
            continue
        start, end = _run_around(text, place)
        resume = end
        if end - start < MIN_VALUE_CHARS or text[start - 1 : start] in _NOT_BEFORE or text[end : end + 1] in _NOT_AFTER:
            continue
        before = text[max(0, start - LOOK_BACK_CHARS) : start]
        strength = _named_in(before, text[start:end], text[end : end + 1])
        if strength is not None:
            yield Match(type=strength.value, start=start, end=end, rule="named_nearby", confidence="medium")


def _run_around(text: str, place: int) -> tuple[int, int]:
    """Widen a place to the whole run of characters that generated values have, without the signs around it."""
    start = _left_of(text, place, _RUN_CHARS)
    soup = _SOUP.match(text, _left_of_soup(text, start)) if _SIGN.search(text, start, place + 1) else None
    if soup is not None and is_symbol_soup(soup[0]):
        return soup.span()
    right = _RUN.match(text, place)
    end = right.end() if right else place
    # What is assigned or follows a sign such as in `name=value` begins behind it.
    for sign in "=:|":
        cut = text.rfind(sign, start, place)
        if cut >= 0 and text[start:cut] not in _PARTS_OF_VALUES:
            start = max(start, cut + 1)
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return start, end


def _left_of(text: str, place: int, signs: str) -> int:
    """Give where the signs begin that stand right before a place."""
    before = text[max(0, place - MAX_LEFT_CHARS) : place]
    return place - len(before) + len(before.rstrip(signs))


def _left_of_soup(text: str, start: int) -> int:
    """Go on to the left over brackets, which keys of web frameworks have, too."""
    start = _left_of(text, start, _SOUP_CHARS)
    while text[start : start + 1] in {":", "."}:
        start += 1
    return start


@remembered
def _named_in(before: str, value: str, following: str) -> Strength | None:
    """Tell what the nearest name that says secret says about the value; nothing if it is not the value's name."""
    lowered = before.lower()
    end = len(before)
    for _ in range(MAX_NAMES_TRIED):
        place = max([lowered.rfind(stem, 0, end) for stem in _STEMS])
        if place < 0:
            return None
        start, after = _name_around(before, place)
        if len(before) - after > MAX_BETWEEN_CHARS:
            return None
        strength = _strength(before, start, after)
        if strength is not None:
            between = before[after:]
            if not _may_be_name(before[start:after], before[start - 1 : start], between):
                return None
            named = _leads_to_value(between, following) and not _says_otherwise(between) and _can_be_named(value)
            return strength if named else None
        end = start
    return None


def _says_otherwise(between: str) -> bool:
    """Tell whether what stands between a name and a value says that the value is something else."""
    if between.isascii():
        return _OTHERWISE_IN_ASCII.search(readable(between)) is not None
    return _OTHERWISE.search(between) is not None


def _may_be_name(name: str, preceding: str, between: str) -> bool:
    """Tell a name from a part of an address, and from what only begins a longer term, such as token bucket."""
    if preceding in {"/", "@"} and between[:1] not in {'"', "'", "`"}:
        return False
    following = _NEXT_WORD.match(between)
    return following is None or name.lower() not in _WORDS_ALONE or following[1].lower() in _FUNCTION_WORDS


def _name_around(text: str, place: int) -> tuple[int, int]:
    """Widen a stem to the name it stands in."""
    before, after = text[:place], text[place:]
    return len(before.rstrip(_NAME_CHARS)), len(text) - len(after.lstrip(_NAME_CHARS))


def _can_be_named(value: str) -> bool:
    """Tell a generated value; a short one in hexadecimal digits is anything."""
    if is_filler(value) or "/" in value[:2] or "://" in value:
        return False
    if _PLAIN_HEX.fullmatch(value) and len(value) < MIN_HEX_CHARS:
        return False
    if is_uuid(value) or is_symbol_soup(value):
        return True
    if any(word in value.lower() for word in _WORDS_OF_PROGRAMS):
        return False
    if len(_DIGITS.findall(value)) <= MAX_NUMBERS_OF_NAME and is_camel_case(_DIGITS.sub("", value)):
        return False
    return looks_random(value.replace("|", "")) and any(sign.isdigit() for sign in value)


def _strength(before: str, start: int, end: int) -> Strength | None:
    """Classify a name of several parts, or a word with what is said before it."""
    whole = before[start:end]
    name = whole.strip(".-")
    parts = [part for part in re.split(r"[_.-]|(?<=[a-z])(?=[A-Z])", name) if part]
    if len(parts) >= MIN_NAME_PARTS:
        if name != whole.rstrip(".-") or "." in name:
            return None
        return classify_name(name)
    if name.lower() not in _WORDS_ALONE:
        return None
    said_before = _WORDS_BEFORE.search(before, max(0, start - 96), start)
    said = said_before[0].split() if said_before else []
    return classify_name("_".join([*said[-MAX_PHRASE_WORDS:], name])) if said else None


def _leads_to_value(between: str, following: str) -> bool:
    """Tell whether what stands between a name and a value can join them."""
    count = len(_WORD.findall(between))
    if count > MAX_WORDS_BETWEEN or (between and between[-1] in "/@#\\."):
        return False
    joined = _JOIN_AT_END.search(between)
    if joined is not None and not _ANSWER.search(joined["name"]) and not _SPEAKER.search(between):
        return False
    if "\n" not in between:
        return count <= MAX_WORDS_ON_LINE and bool(between)
    if joined is not None or _SPEAKER.search(between):
        return True
    # Alone on its line, below one that ends in a colon, a question, a tag or the beginning of a block.
    alone = following in {"", "\n", "\r", "<", "`", "{"}
    last = between.rstrip(" \t\n\r").removesuffix("```")
    return alone and last.rstrip()[-1:] in {":", "?", "}", ">", "|", "\uff1a"}
