"""What a matched string must satisfy before a rule counts: shape, entropy, check digits. Pure predicates."""

import math
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

MIN_RANDOM_CHARS = 16
MIN_ENTROPY_BITS = 3.0
MIN_TOKEN_ENTROPY_BITS = 3.8
MIN_TOKEN_DIGITS = 3
MIN_WORD_CHARS = 2.8  # the mean over the parts of a name, separators counted; random letters change case sooner
MIN_DISTINCT_HEX = 8
MIN_DISTINCT_DIGITS = 2
MIN_COOKIE_CHARS = 6
MIN_CHARS_BEFORE_DOTS = 6
MIN_NUMBERED_WORD_CHARS = 4
MIN_TOKEN_CHANGES = 4
MAX_NAME_CHARS = 96
MIN_RUN_TOGETHER_CHARS = 12
MAX_REMEMBERED = 4096


Given = ParamSpec("Given")
Said = TypeVar("Said")
_REMEMBERING: list[Callable[[], None]] = []


def remembered(predicate: Callable[Given, Said]) -> Callable[Given, Said]:
    """Remember what a pure function said, until `forget`: a text has the same values again and again."""
    remembering: Any = lru_cache(maxsize=MAX_REMEMBERED)(predicate)
    _REMEMBERING.append(remembering.cache_clear)
    said: Callable[Given, Said] = remembering
    return said


def forget() -> None:
    """Drop all that is remembered, which may be secrets: after each example."""
    for clear in _REMEMBERING:
        clear()


def words(listed: str) -> frozenset[str]:
    """Make a set of the words of a text: the way this package writes long lists."""
    return frozenset(listed.split())


_LONG_WORD_ENDINGS = (
    *("tion", "tions", "ment", "ments", "ity", "ities", "ing", "ings", "able", "ible", "ness", "ized", "ised", "ated"),
    *(
        "ally",
        "ence",
        "ance",
        "ences",
        "ances",
        "ator",
        "ators",
        "ology",
        "ologies",
        "ional",
        "ically",
        "ously",
        "ively",
    ),
    *("ship", "ships", "istic", "ified", "ifier", "izer", "ering", "ered", "erable", "ware", "word", "words", "phrase"),
)
_LONG_WORD_BEGINNINGS = ("cross", "multi", "inter", "under", "super", "micro", "crypt", "http", "base", "auth", "pass")
_DIGIT_AFTER_LETTER = re.compile(r"(?<=[A-Za-z])[0-9]")
_IDENTIFIER_NAME = re.compile(r"ids?[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?\Z")
_DIGEST_NAME = re.compile(
    r"hash|sum|digest|sha|md5|integrity|etag|\bid|_id|ident|uuid|guid|commit|rev|version|build|cursor|nonce|fingerprint|"
    r"thumbprint|public|cid|ref|trace|span|request|image|path|file|url|blob|tree|object|resolved|checkpoint|block|tx|addr"
)
_DIGEST_BEFORE = re.compile(r"(?i)(?:sha[0-9]{1,3}|md5)[=:-]\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?:[0-9a-f]{16,1024}|[0-9A-F]{16,1024})")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~:!@#$%^&*?-]{1,65536}")
_WORD = re.compile(r"(?:[A-Z]?[a-z]{1,24}|[A-Z]{1,24}|[0-9]{1,4}|[vV][0-9]{1,4})")
_NUMBERED_WORD = re.compile(r"(?:[A-Z]?[a-z]{1,24}|[A-Z]{1,24})[0-9]{0,3}")
_WORD_BREAK = re.compile(r"[-_./:=]|(?<=[a-z])(?=[A-Z])")
_REFERENCE = re.compile(
    r"""
    [$][A-Za-z_{(] | (?:env|file|fd):[A-Za-z0-9_/.-]{1,64}\Z | %[A-Za-z_][A-Za-z0-9_]{0,63}%
    | %\( | %[sdr](?![A-Za-z0-9]) | \{\{ | \{[A-Za-z_]?[\w.]{0,64}\}
    | [#@]\{ | <[^>]{0,200}> | \[[A-Za-z_ -]{1,64}\]\Z
    | (?:os\.environ|os\.getenv|process\.env|import\.meta\.env|getenv|System\.getenv|Deno\.env|ENV\[|env\()
    | (?:var|local|data|module|secrets|vars|env|inputs|steps|self|this|props|config|settings|args|options
      |params)\.[A-Za-z_]
    | (?:arn:aws|op://|vault:|ssm:|file://|secretKeyRef|valueFrom|!Ref|!Sub|!GetAtt|!secret|!vault)
    """,
    re.VERBOSE,
)
_LOCATION = re.compile(r"[a-z][a-z0-9+.-]{0,20}://|[~.]{0,2}/|[\w.-]{1,64}[=:/]")
_FILLER = re.compile(
    r"""
    (?: [xX]{3,256} | [*]{1,256} | [.]{2,256} | [-_]{1,256} | 0{4,256} | [?]{1,256} | [#]{2,256} | \u2022{2,256}
    | (?:x{2,16}[-_. ]?){2,16} )
    """,
    re.VERBOSE,
)
_FILLER_WORDS = words(
    """
    any array bool boolean bytes char date default dict empty enabled disabled false float hidden int integer
    list none nil null number object optional required str string text true type undefined unknown unset value
    void yes no changeme change-me change_me changeit replaceme replace-me replace_me todo tbd fixme dummy
    fake foo bar baz foobar example sample placeholder redacted masked removed filtered hidden censored secret
    secrets password passwd passphrase pwd pass token tokens apikey api_key api-key api-token api_token
    access_token auth_token key keys credential credentials username user email login your my the a an is was
    are be in on for of to and or not with bearer basic plain hashed encrypted invalid missing incorrect wrong
    new old confirm forgot reset stdin env asc desc auto manual prompt ask self this
    """
)
_FILLER_START = re.compile(
    r"(?i)(?:your|my|the|some|an?|insert|replace|put|enter|add|example|sample|dummy|fake|"
    r"placeholder|change|redacted|todo)"
    r"[-_ ./]|<|your[A-Z]|\.\.\.|replaceme|changeme|xxx|enter "
)
_FILLER_END = re.compile(r"(?i)[-_ ](?:here|placeholder|example|goes[-_ ]here|redacted)\Z|\.\.\.\Z|\u2026\Z")


@remembered
def entropy_bits(value: str) -> float:
    """Measure the Shannon entropy per character; 0 for the empty string."""
    total = len(value)
    return -sum(count / total * math.log2(count / total) for count in Counter(value).values())


def is_uuid(value: str) -> bool:
    """Tell a UUID in its usual form: an identifier everywhere, a secret only under a name that says so."""
    return _UUID.fullmatch(value) is not None


@remembered
def is_filler(value: str) -> bool:
    """Recognise a placeholder, a reference to a variable, a type name: text that stands where a secret would."""
    stripped = value.strip()
    shown = stripped.rstrip(".\u2026")
    if len(shown) >= MIN_CHARS_BEFORE_DOTS and not is_made_of_words(shown):
        stripped = shown  # who showed it cut it short; what is left is still a part of a secret
    lowered = stripped.lower()
    return (
        not stripped
        or lowered in _FILLER_WORDS
        or _REFERENCE.match(stripped) is not None
        or _FILLER.fullmatch(stripped) is not None
        or _FILLER_START.match(stripped) is not None
        or _FILLER_END.search(stripped[-32:]) is not None
    )


@remembered
def is_made_of_words(value: str) -> bool:
    """Tell whether there are only words and short numbers between separators: an identifier, a path, a version."""
    parts = [part for part in _WORD_BREAK.split(value) if part]
    return len(value) >= MIN_WORD_CHARS * len(parts) and all(_WORD.fullmatch(part) for part in parts)


def _is_numbered_words(value: str) -> bool:
    """Tell names of programs such as base64.StdEncoding: words, some with a number at their end."""
    parts = [part for part in _WORD_BREAK.split(value) if part]
    return len(value) >= MIN_NUMBERED_WORD_CHARS * len(parts) and all(_NUMBERED_WORD.fullmatch(part) for part in parts)


@remembered
def looks_random(value: str) -> bool:
    """Tell a generated key: long, letters and digits mixed, high entropy, not built of words."""
    if len(value) < MIN_RANDOM_CHARS or not _TOKEN.fullmatch(value):
        return False
    if _HEX.fullmatch(value):
        return len(set(value)) >= MIN_DISTINCT_HEX and not value.isdigit()
    if is_made_of_words(value) or _is_numbered_words(value):
        return False
    has_letter = any(character.isalpha() for character in value)
    has_digit = any(character.isdigit() for character in value)
    mixed_case = value.lower() != value and value.upper() != value
    return has_letter and (has_digit or mixed_case) and entropy_bits(value) >= MIN_ENTROPY_BITS


def random_value(text: str, start: int, end: int) -> bool:
    """Confirm that the span looks generated and is no placeholder."""
    return looks_random(text[start:end]) and not is_filler(text[start:end])


def varied_value(text: str, start: int, end: int) -> bool:
    """Confirm more than a repeated character or a placeholder behind a known prefix."""
    value = text[start:end]
    distinct_wanted = min(6, len(value) // 2)
    return len(set(value)) >= distinct_wanted and not is_filler(value)


def prefixed_value(text: str, start: int, end: int) -> bool:
    """Confirm a key with a vendor's prefix: the body varies, and is not written in x, dots or stars."""
    value = text[start:end]
    tail = value[-16:]
    return len(set(tail)) >= min(5, len(tail)) and "xxxx" not in value.lower() and "your" not in value.lower()


def mixed_body(text: str, start: int, end: int) -> bool:
    """Confirm a key whose short prefix words also have: a digit or changing case, and no plain words."""
    value = text[start:end]
    body = value[-(len(value) // 2) :]
    varied = any(character.isdigit() for character in value) or (body.lower() != body != body.upper())
    return varied and prefixed_value(text, start, end) and not is_made_of_words(value)


def url_token(text: str, start: int, end: int) -> bool:
    """Confirm a token before the @ of a URL: generated, and no name such as project2_reader."""
    return random_value(text, start, end)


def authorization_value(text: str, start: int, end: int) -> bool:
    """Confirm the credentials of a header: no placeholder, and where no space stands before it no name of a program."""
    value = text[start:end]
    return not is_filler(value) and (text[start - 1 : start].isspace() or not is_made_of_words(value))


def mixed_token(text: str, start: int, end: int) -> bool:
    """Confirm upper and lower case and several digits behind the prefix, at an entropy that words do not have."""
    body = text[start:end].rpartition("_")[2]
    if text[end : end + 1] in {"-", "_", "+", "/", "="}:
        return False
    if text[start - 1 : start] in {"=", ":", "-"} and _DIGEST_BEFORE.search(text[max(0, start - 8) : start]):
        return False
    return (
        body.lower() != body != body.upper()
        and sum(character.isdigit() for character in body) >= MIN_TOKEN_DIGITS
        and entropy_bits(body) >= MIN_TOKEN_ENTROPY_BITS
        and not is_made_of_words(body)
    )


def credential_body(text: str, start: int, end: int) -> bool:
    """Confirm what follows a word such as Bearer: no placeholder and not plain words."""
    value = text[start:end]
    return not is_filler(value) and len(set(value)) >= MIN_DISTINCT_HEX and not is_made_of_words(value)


def not_numeric(text: str, start: int, end: int) -> bool:
    """Confirm that it is no placeholder, and not the group id of `-u 1000:1000`."""
    value = text[start:end]
    return not value.isdigit() and not is_filler(value)


def flag_password(text: str, start: int, end: int) -> bool:
    """Confirm what follows -p: quoted, or mixed characters; a database name or a port is neither."""
    value = text[start:end]
    if value[0] in "\"'":
        return not is_filler(value[1:-1])
    return (
        not is_filler(value)
        and not value.replace(":", "").isdigit()
        and not is_made_of_words(value)
        and value[0] not in "/."
    )


def quoted_password(text: str, start: int, end: int) -> bool:
    """Confirm what stands between quotes: anything but a placeholder."""
    return not is_filler(text[start:end].strip("\\\"'"))


def assigned_token(text: str, start: int, end: int) -> bool:
    """Confirm letters beyond hexadecimal and many changes to digits, under a name that is no digest or identifier."""
    value = text[start:end]
    name = text[max(text.rfind("\n", 0, start), start - MAX_NAME_CHARS) + 1 : start].lower()
    return (
        value.lower().strip("0123456789abcdef") != ""
        and len(_DIGIT_AFTER_LETTER.findall(value)) >= MIN_TOKEN_CHANGES
        and not _DIGEST_NAME.search(name)
        and not _IDENTIFIER_NAME.search(name)
        and not is_made_of_words(value)
    )


def flag_word(text: str, start: int, end: int) -> bool:
    """Confirm what follows a flag that always takes a password: anything but a placeholder, a path or a flag."""
    value = text[start:end].strip("\"'")
    return not is_filler(value) and value[:1] not in {"/", ".", "-", ""}


def pgpass_password(text: str, start: int, end: int) -> bool:
    """Confirm that it is not a time, a duration or one more number between colons."""
    value = text[start:end]
    return any(character.isalpha() for character in value) and ":" not in value and not is_filler(value)


def told_password(text: str, start: int, end: int) -> bool:
    """Confirm a password in a sentence: quoted, letters with digits, or words run together that no language has."""
    return _is_told_password(text[start:end].strip("\\"))


@remembered
def _is_told_password(value: str) -> bool:
    if value[0] in "\"'`":
        value = value.strip("\"'`\\")
        return not is_filler(value) and (not is_made_of_words(value) or _is_run_together(value))
    value = value.rstrip(".,:;!?")
    if _is_run_together(value):
        return True
    return (
        any(character.isdigit() for character in value)
        and sum(character.isalpha() for character in value) > 1
        and not is_filler(value)
        and not is_made_of_words(value)
        and not _LOCATION.match(value)
    )


def _is_run_together(value: str) -> bool:
    """Tell lower-case letters longer than words of a text about passwords, without the endings that long words have."""
    return (
        len(value) >= MIN_RUN_TOGETHER_CHARS
        and value.isascii()
        and value.isalpha()
        and value.islower()
        and not value.endswith(_LONG_WORD_ENDINGS)
        and not value.startswith(_LONG_WORD_BEGINNINGS)
    )


def varied_digits(text: str, start: int, end: int) -> bool:
    """Confirm more than two different digits."""
    return len(set(text[start:end]) & set("0123456789")) > MIN_DISTINCT_DIGITS


def not_filler(text: str, start: int, end: int) -> bool:
    """Confirm that it is not a placeholder, a variable or a type name."""
    return not is_filler(text[start:end])


def cookie_value(text: str, start: int, end: int) -> bool:
    """Confirm that at least one of the cookies carries a value that is no placeholder."""
    pairs = text[start:end].split(";")
    values = [pair.partition("=")[2].strip() for pair in pairs]
    return any(len(value) >= MIN_COOKIE_CHARS and not is_filler(value) for value in values)
