"""What a matched string must satisfy before a rule counts: shape, entropy, check digits. Pure predicates."""

import base64
import binascii
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

MIN_RANDOM_CHARS = 16
MIN_ENTROPY_BITS = 3.0
MIN_TOKEN_ENTROPY_BITS = 3.8
MIN_TOKEN_DIGITS = 3
MIN_WORD_CHARS = 2.8  # the mean over the parts of a name, separators counted; random letters change case sooner
MIN_DISTINCT_HEX = 8
MIN_COOKIE_CHARS = 6
MIN_CHARS_BEFORE_DOTS = 6
MIN_NUMBERED_WORD_CHARS = 4
MIN_TOKEN_CHANGES = 4
MAX_NAME_CHARS = 96
MIN_TELLING_ARGUMENT_CHARS = 9
MAX_LOOK_CHARS = 512
MAX_KIND_CHARS = 4096
MIN_CAMEL_PART_CHARS = 4.5
MIN_JUMBLED_CHARS = 10
MIN_JUMBLED_PARTS = 3
MAX_JUMBLED_PART_CHARS = 4.5
MAX_SHORT_PART_CHARS = 3.2
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


def has_digit(value: str) -> bool:
    """Tell whether there is a digit."""
    return _DIGIT.search(value) is not None if value.isascii() else any(character.isdigit() for character in value)


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
    r"hash|sum|digest|sha|md5|integrity|etag|\bid|_id|ident|uuid|guid|commit|rev|version|build|cursor|nonce|"
    r"fingerprint|"
    r"thumbprint|public|cid|ref|trace|span|request|image|path|file|url|blob|tree|object|resolved|checkpoint|"
    r"block|tx|addr"
)
_DIGEST_BEFORE = re.compile(r"(?i)(?:sha[0-9]{1,3}|md5)[=:-]\Z")
_PHRASE_LENGTHS = frozenset({12, 15, 18, 21, 24, 25})
_SENTENCE_WORDS = words("the and for with your are was not from have has its into then than our their which")
_ALGORITHM = re.compile(
    r"(?i)(?:sha|md|aes|utf|base|rsa|des|[hrep]s|ed|argon|pbkdf|tls|ipv|oauth|http|x)[-_]?[0-9]{1,5}"
)
_PUBLIC_SSH_KEYS = ("AAAAC3NzaC1", "AAAAB3NzaC1", "AAAAE2VjZHNh", "AAAAGnNr", "AAAAInNr")
_WEB_SCHEME = re.compile(r"(?:https?|wss?|ssh|git|file|svn|docker)\Z")
_VARIABLE = re.compile(r"[A-Za-z_]{1,64}(?:\.[A-Za-z_]{1,64}){0,4}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}")
_IS_SECRET_KIND = re.compile(r"kind\\{0,7}[\"']?:[ ]{0,4}\\{0,7}[\"']?Secret\b")
_USER_AND_REALM = re.compile(r"[\w.@-]{1,64}:[\w .@-]{1,64}:")
_LIST_NUMBER = re.compile(r"^[ \t]{0,16}[0-9]{1,2}[.)][ ]")
_DIGIT = re.compile(r"[0-9]")
_CODE_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_COMES_BACK = re.compile(r"(?i)callback|redirect|oauth|/auth")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?:[0-9a-f]{16,1024}|[0-9A-F]{16,1024})")
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~:!@#$%^&*?-]{1,65536}")
_WORD = re.compile(r"(?:[A-Z]?[a-z]{1,24}|[A-Z]{1,24}|[0-9]{1,4}|[vV][0-9]{1,4})")
_CAMEL_PART = re.compile(r"[A-Z]{0,6}[a-z]{2,24}|[A-Z]{2,6}[a-z]?")
# What no word has in it: letters right after digits; digits right after a letter, but for the v of a version.
_LETTER_AFTER_DIGIT = re.compile(r"[0-9][A-Za-z]")
_MIXED = re.compile(r"[0-9][A-Za-z]|[A-UW-Za-uw-z][0-9]")
_NUMBERED_WORD = re.compile(r"(?:[A-Z]?[a-z]{1,24}|[A-Z]{1,24})[0-9]{0,3}")
_WORD_BREAK = re.compile(r"[-_./:=]|(?<=[a-z])(?=[A-Z])")
_REFERENCE = re.compile(
    r"""
    @Microsoft\.KeyVault\( | __[a-z][a-z_]{0,62}__\Z | @@[A-Za-z_]{1,64}@@\Z | ENC\(\.{3}
    | [$][A-Za-z_{(] | (?:env|file|fd):[A-Za-z0-9_/.-]{1,64}\Z | %[A-Za-z_][A-Za-z0-9_]{0,63}%
    | %\( | %[sdr](?![A-Za-z0-9]) | \{\{ | \{[A-Za-z_]?[\w.]{0,64}(?:![ars])?\}
    | [#@]\{ | <[^>]{0,200}> | \[[A-Za-z_ -]{1,64}\]\Z
    | (?:os\.environ|os\.getenv|process\.env|import\.meta\.env|getenv|System\.getenv|Deno\.env|ENV\[|env\()
    | (?:var|local|data|module|secrets|vars|env|inputs|steps|self|this|props|config|settings|args|options
      |params)\.[A-Za-z_]
    | (?:arn:aws|op://|vault:|ssm:|file://|secretKeyRef|valueFrom|!Ref|!Sub|!GetAtt|!secret|!vault)
    """,
    re.VERBOSE,
)
_PLACE_TO_FILL = re.compile(r"\{[\w.!:]{0,64}\}|%\([A-Za-z_]\w{0,64}\)[sdr]|%[sdrv](?![A-Za-z0-9])|\$\{[\w.]{1,64}\}")
_DIGIT = re.compile(r"[0-9]")
_SENTENCE_SIGNS = frozenset(" '-.,!?():")
_LOCATION = re.compile(r"[a-z][a-z0-9+.-]{0,20}://|[~.]{0,2}/|[\w.-]{1,64}[=:/]")
_FILLER = re.compile(
    r"""
    (?: [xX]{3,256} | [*]{1,256} | [.]{2,256} | [-_]{1,256} | 0{4,256} | [?]{1,256} | [#]{2,256} | \u2022{2,256}
    | (?=x{4}|x{2,3}[-_. ]xx)(?:x{2,256}[-_. ]){0,15}x{2,256}[-_. ]? | (?:[a-zA-Z]{1,12}[-_]){1,3}[xX*]{6,256} )
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
    latin1 latin-1 utf8 utf-8 ascii options option test function symbol base64 hex md5 sha1 sha256 sha512
    scram-sha-256 scram-sha-1 compat files geheimnis geheim segreto secreto segredo sekret tajne salainen
    passwort kennwort passphrase zugangskennwort contrase\u00f1a clave senha palavra-passe wachtwoord parola has\u0142o
    l\u00f6senord adgangskode passord salasana heslo jelsz\u00f3 \u015fifre lozinka geslo slapta\u017eodis parole parool
    \u043f\u0430\u0440\u043e\u043b\u044c \u5bc6\u7801
    \u5bc6\u78bc \u30d1\u30b9\u30ef\u30fc\u30c9 \ube44\ubc00\ubc88\ud638
    schl\u00fcssel cl\u00e9 jeton chiave sleutel
    """
)
_FILLER_START = re.compile(
    r"(?i)(?:your|my|the|some|an?|insert|replace|put|enter|add|example|sample|dummy|fake|"
    r"placeholder|change|redacted|todo)"
    r"[-_ ./]|<|your[A-Z]|set[-_ ]me|\.\.\.|replaceme|changeme|xxx|enter "
)
_FILLER_END = re.compile(r"(?i)[-_ ](?:here|placeholder|example|goes[-_ ]here|redacted)\Z|\.\.\.\Z|\u2026\Z")


@remembered
def entropy_bits(value: str) -> float:
    """Measure the Shannon entropy per character; 0 for the empty string."""
    total = len(value)
    # Counting each distinct character is faster than a Counter, for values of this length.
    counts = [value.count(character) for character in dict.fromkeys(value)]
    # Most characters stand equally often; each count's part of the sum is worked out once.
    parts = {count: count / total * math.log2(count / total) for count in set(counts)}
    return -sum([parts[count] for count in counts])


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
        or (("{" in stripped or "%" in stripped) and _is_template(stripped))
        or (not stripped.isascii() and _is_foreign_word(stripped))
    )


def _is_template(value: str) -> bool:
    """Tell words with places that a program fills, such as `tenant.{0}` and `%s:%s`."""
    rest, places = _PLACE_TO_FILL.subn("-", value)
    return places > 0 and (not any(c.isalnum() for c in rest) or (is_made_of_words(rest) and not _DIGIT.search(rest)))


def _is_foreign_word(value: str) -> bool:
    """Tell letters beyond ASCII, perhaps with punctuation of sentences: what a page says in its reader's language."""
    return not any(c.isdigit() or (c.isascii() and not c.isalpha() and c not in _SENTENCE_SIGNS) for c in value)


@remembered
def _parts(value: str) -> list[str]:
    """Part a value at its separators and where its case changes; some parts may be empty."""
    return _WORD_BREAK.split(value)


@remembered
def is_made_of_words(value: str) -> bool:
    """Tell whether there are only words and short numbers between separators: an identifier, a path, a version."""
    if _MIXED.search(value):
        return False
    parts = [part for part in _parts(value) if part]
    return len(value) >= MIN_WORD_CHARS * len(parts) and all(_WORD.fullmatch(part) for part in parts)


def is_camel_case(value: str) -> bool:
    """Tell a name of a program with abbreviations in it, such as NSURLSessionTask: no digits, long parts."""
    if _DIGIT.search(value):
        return False
    parts = _parts(value)
    return len(value) >= MIN_CAMEL_PART_CHARS * len(parts) and all(_CAMEL_PART.fullmatch(part) for part in parts)


def is_jumbled(value: str) -> bool:
    """Tell letters whose case changes more often than in any name of a program."""
    parts = _parts(value)
    return (
        len(value) >= MIN_JUMBLED_CHARS
        and value.isalpha()
        and len(parts) >= MIN_JUMBLED_PARTS
        and len(value) < MAX_JUMBLED_PART_CHARS * len(parts)
        and (len(value) < MAX_SHORT_PART_CHARS * len(parts) or not is_made_of_words(value))
    )


def is_numbered_words(value: str) -> bool:
    """Tell names of programs such as base64.StdEncoding: words, some with a number at their end."""
    if _LETTER_AFTER_DIGIT.search(value):
        return False
    parts = [part for part in _parts(value) if part]
    return len(value) >= MIN_NUMBERED_WORD_CHARS * len(parts) and all(_NUMBERED_WORD.fullmatch(part) for part in parts)


@remembered
def looks_random(value: str) -> bool:
    """Tell a generated key: long, letters and digits mixed, high entropy, not built of words."""
    if len(value) < MIN_RANDOM_CHARS or not _TOKEN.fullmatch(value):
        return False
    if _HEX.fullmatch(value):
        return len(set(value)) >= MIN_DISTINCT_HEX and not value.isdigit()
    if is_made_of_words(value) or is_numbered_words(value) or is_camel_case(value):
        return False
    has_letter = _LETTER.search(value) is not None
    mixed_case = value.lower() != value and value.upper() != value
    return has_letter and (has_digit(value) or mixed_case) and entropy_bits(value) >= MIN_ENTROPY_BITS


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
    if value[-1] in "-_" and is_made_of_words(value):
        return False
    return len(set(tail)) >= min(5, len(tail)) and "xxxx" not in value.lower() and "your" not in value.lower()


def hexadecimal_body(text: str, start: int, end: int) -> bool:
    """Confirm letters of a hexadecimal number, which a decimal fraction does not have."""
    return not set(text[start:end]).isdisjoint("abcdf") and mixed_body(text, start, end)


def messaging_key(text: str, start: int, end: int) -> bool:
    """Confirm a key that is not the public half of a key of SSH, which begins with the length of its name."""
    return not text.startswith(_PUBLIC_SSH_KEYS, start) and mixed_body(text, start, end)


def mixed_body(text: str, start: int, end: int) -> bool:
    """Confirm a key whose short prefix words also have: a digit or changing case, and no plain words."""
    value = text[start:end]
    body = value[-(len(value) // 2) :]
    varied = has_digit(value) or (body.lower() != body != body.upper())
    return varied and prefixed_value(text, start, end) and not is_made_of_words(value)


def url_token(text: str, start: int, end: int) -> bool:
    """Confirm a token before the @ of a URL: generated, and no name such as project2_reader."""
    return random_value(text, start, end)


def cut_url_password(text: str, start: int, end: int) -> bool:
    """Confirm what stands after the user of a URL that was cut: behind a host of the web, a path could stand there."""
    value = text[start:end]
    scheme = text[max(0, start - MAX_NAME_CHARS) : start].rpartition("://")[0]
    mixed = any(character.isdigit() for character in value) and any(character.isalpha() for character in value)
    return not is_filler(value) and (mixed or _WEB_SCHEME.search(scheme) is None)


def authorization_value(text: str, start: int, end: int) -> bool:
    """Confirm the credentials of a header: no placeholder, and where no space stands before it no name of a program."""
    value = text[start:end]
    if _VARIABLE.fullmatch(value.rstrip(".,;")) and is_camel_case(value.rstrip(".,;")) and not is_jumbled(value):
        return False
    if value.startswith("//") or (text[start - 2 : start] == "= " and _VARIABLE.fullmatch(value)):
        return False
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
    low = max(0, start - MAX_NAME_CHARS + 1)
    name = text[max(text.rfind("\n", low, start) + 1, low) : start].lower()
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
    return not is_filler(value) and value != "" and not value.startswith(("/", "-", "./", "../", "~/"))


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
        return (
            not is_filler(value)
            and not _LOCATION.match(value)
            and not _COLOUR.fullmatch(value)
            and (not is_made_of_words(value) or _is_run_together(value))
        )
    value = value.rstrip(".,:;!?")
    if is_filler(value):
        return False
    if is_jumbled(value.strip("_-")) and not is_camel_case(value):
        return True
    if _is_run_together(value):
        return True
    if _ALGORITHM.fullmatch(value) or _COLOUR.fullmatch(value):
        return False
    return (
        any(character.isdigit() for character in value)
        and sum(character.isalpha() for character in value) > 1
        and not is_filler(value)
        and not is_made_of_words(value)
        and not _LOCATION.match(value)
    )


def community(text: str, start: int, end: int) -> bool:
    """Confirm a community of SNMP that is not one of the two that every device has."""
    value = text[start:end].strip("\"'")
    return value.lower() not in {"public", "private"} and not is_filler(value)


def directive_value(text: str, start: int, end: int) -> bool:
    """Confirm the value of a directive: mixed characters, not the next word of a sentence."""
    value = text[start:end].strip("\"'")
    return (
        not is_filler(value)
        and any(c.isdigit() or not c.isalnum() for c in value.rstrip(".,:;"))
        and value[0] not in "/.("
        and (not is_made_of_words(value) or value.isdigit())
    ) or is_jumbled(value)


def call_password(text: str, start: int, end: int) -> bool:
    """Confirm an argument in quotes: mixed characters, and neither an address nor a name of a program."""
    value = text[start:end].strip("\"'\\")
    return (
        not is_filler(value)
        and not any(sign in value for sign in " ${<(")
        and value.lower().strip("0123456789") not in _FILLER_WORDS
        and any(c.isdigit() for c in value)
        and any(c.isalpha() for c in value)
        and not is_made_of_words(value)
        and not (is_numbered_words(value) and len(value) < MIN_TELLING_ARGUMENT_CHARS)
        and not _LOCATION.match(value)
    ) or is_jumbled(value)


def grant_value(text: str, start: int, end: int) -> bool:
    """Confirm what is changed for a token: generated; a long document in base64 counts, too."""
    value = text[start : min(end, start + MAX_LOOK_CHARS)]
    if is_filler(value) or not looks_random(value):
        return False
    return not is_uuid(value) or _COMES_BACK.search(text, max(0, start - LOOK_BACK_CHARS), start) is not None


def kubernetes_value(text: str, start: int, end: int) -> bool:
    """Confirm base64 of something readable or of a document, and no word, below the data of a Secret."""
    value = text[start:end]
    near = max(0, start - MAX_KIND_CHARS)
    if is_filler(value) or len(value) % 4 or not _IS_SECRET_KIND.search(text, near, end + MAX_KIND_CHARS):
        return False
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return looks_random(value)
    return decoded.isprintable() or "\n" in decoded


def digest_hash(text: str, start: int, end: int) -> bool:  # noqa: ARG001 - the signature of all predicates
    """Confirm that before the hash stand a user and a realm, and nothing else on the line."""
    low = max(0, start - MAX_LOOK_CHARS)
    begin = max(text.rfind("\n", low, start) + 1, low)
    return _USER_AND_REALM.fullmatch(text, begin, start) is not None


def web_key_part(text: str, start: int, end: int) -> bool:
    """Confirm a generated value in an object that says that it is a key."""
    near = text[max(0, start - MAX_KIND_CHARS) : end + MAX_KIND_CHARS]
    return "kty" in near and looks_random(text[start : min(end, start + MAX_LOOK_CHARS)])


def phrase_words(text: str, start: int, end: int) -> bool:
    """Confirm as many words as wallets use, of which none is one that every sentence has."""
    listed = text[start:end].replace(",", " ").split()
    return len(listed) in _PHRASE_LENGTHS and _SENTENCE_WORDS.isdisjoint(listed)


def code_list(text: str, start: int, end: int) -> bool:
    """Confirm codes: each line has a digit, and no line is a number of the list alone."""
    lines = [line for line in text[start:end].splitlines() if line.strip()]
    return len(lines) > 1 and all(_CODE_DIGIT.search(_LIST_NUMBER.sub("", line)) for line in lines)


def address_token(text: str, start: int, end: int) -> bool:
    """Confirm the part of an address that nobody can guess: digits in it, and no placeholder."""
    value = text[start:end]
    return sum(c.isdigit() for c in value) > 1 and "xxxx" not in value.lower() and "your" not in value.lower()


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


def not_filler(text: str, start: int, end: int) -> bool:
    """Confirm that it is not a placeholder, a variable or a type name."""
    return not is_filler(text[start:end])


def cookie_value(text: str, start: int, end: int) -> bool:
    """Confirm that at least one of the cookies carries a value that is no placeholder."""
    pairs = text[start:end].split(";")
    values = [pair.partition("=")[2].strip() for pair in pairs]
    return any(len(value) >= MIN_COOKIE_CHARS and not is_filler(value) for value in values)


_ENDS_USER_LINE = re.compile(r"(?:USER|NICK|user)[ ][^\n]{1,128}\n(?:[^\n]{0,256}\n){0,3}[^\n]{0,16}\Z")
_TAG_BEFORE = re.compile(r"(?:(?:[CS]:|[<>]{1,3}|---?>)[ ]?)?(?:[A-Za-z]{0,4}[0-9]{1,8}|[.*])[ ](?i:login)[ ]")
_ASKS_PASSWORD = re.compile(r"(?i)assw|assphrase|\bpin\b|passcode|kennwort")
_CODE = re.compile(r"[A-Za-z0-9-]{4,48}")
_SPOKEN_STOP = words(
    "a an is to of in on if it be this that will can must should required empty not the and for with your are was has"
    " have its you my by at or as use used which when must may do does no non from into than then set here see"
)
_RANGES = ("a-z", "A-Z", "0-9", "\\\\", "://", "%s", "${", "{{")
MIN_SOUP_CHARS = 24
MIN_SOUP_SYMBOLS = 5
MIN_SOUP_DISTINCT = 16
MAX_SOUP_BLANKS = 4
MIN_SIGNS_OF_SALT = 3
MAX_ARGUMENT_WORD_CHARS = 32
LOOK_BACK_CHARS = 160


@remembered
def is_symbol_soup(value: str) -> bool:
    """Tell a generated key with all kinds of signs in it, also blanks; no expression, format or sentence."""
    # What a set of its characters would tell costs most, so that it is asked last: most values are words or long texts.
    blanks = value.count(" ")
    if len(value) < MIN_SOUP_CHARS or blanks > MAX_SOUP_BLANKS or not (value.isascii() and value.isprintable()):
        return False
    distinct = set(value)
    signs = [character for character in distinct if not character.isalnum() and character not in " _-./,:"]
    return (
        len(signs) >= MIN_SOUP_SYMBOLS * (2 if blanks else 1)
        and len(distinct) >= MIN_SOUP_DISTINCT
        and any(character.isdigit() for character in distinct)
        and any(character.isalpha() for character in distinct)
        and not any(part in value for part in _RANGES)
    )


def wallet_part(text: str, start: int, end: int) -> bool:
    """Confirm a text in hexadecimal digits in an object that says how its key is derived."""
    near = text[max(0, start - MAX_KIND_CHARS) : end + MAX_KIND_CHARS].lower()
    return ("kdf" in near or "cipherparams" in near) and varied_value(text, start, end)


def dialogue_password(text: str, start: int, end: int) -> bool:
    """Confirm a password after the line that names the user, or one that no test's or step's name looks like."""
    value = text[start:end]
    if is_filler(value) or "/" in value:
        return False
    return _ENDS_USER_LINE.search(text[max(0, start - MAX_LOOK_CHARS) : start]) is not None or (
        told_password(text, start, end) and "." not in value and "_" not in value
    )


def tagged_command(text: str, start: int, end: int) -> bool:
    """Confirm a line that begins with the tag of a command."""
    low = max(0, start - MAX_LOOK_CHARS)
    escaped = text.rfind("\\n", max(0, low - 2), start)
    begin = max(text.rfind("\n", low, start) + 1, escaped + 2 if escaped >= 0 else 0, low)
    return _TAG_BEFORE.match(text, begin) is not None and not is_filler(text[start:end].strip('"\\'))


def sent_base64(text: str, start: int, end: int) -> bool:
    """Confirm base64, and no name of a mechanism or a word."""
    value = text[start:end]
    return not is_filler(value) and not is_made_of_words(value) and (value.lower() != value != value.upper())


def spoken_words(text: str, start: int, end: int) -> bool:
    """Confirm words of which none is one that every sentence has."""
    return _SPOKEN_STOP.isdisjoint(text[start:end].split())


def defined_value(text: str, start: int, end: int) -> bool:
    """Confirm a value in quotes that is neither a placeholder nor words: generated, or with several kinds of signs."""
    value = text[start + 1 : end - 1]
    signs = {character for character in value if not character.isalnum() and character not in " _-./,:"}
    mixed = any(character.isdigit() for character in value) and any(character.isalpha() for character in value)
    return not is_filler(value) and (looks_random(value) or (mixed and len(signs) >= MIN_SIGNS_OF_SALT))


def login_argument(text: str, start: int, end: int) -> bool:
    """Confirm an argument in quotes in the place of the password: also a word, but none that stands for one."""
    value = text[start:end].strip("\"'\\")
    return call_password(text, start, end) or (
        value.islower()
        and value.replace(" ", "").isalpha()
        and value.isascii()
        and MIN_TELLING_ARGUMENT_CHARS - 1 <= len(value) <= MAX_ARGUMENT_WORD_CHARS
        and not is_filler(value)
        and _FILLER_WORDS.isdisjoint(value.split())
        and _IS_PLACE.search(value) is None
    )


_IS_PLACE = re.compile(r"pass|user|secret|token|local|host|default|example|callback|session|request|response")


def asked_before(text: str, start: int, end: int) -> bool:
    """Confirm that right before a password is asked for."""
    asked = _ASKS_PASSWORD.search(text, max(0, start - LOOK_BACK_CHARS), start)
    return asked is not None and not is_filler(text[start:end])


def cookie_file_value(text: str, start: int, end: int) -> bool:
    """Confirm a generated value, whatever signs are in it."""
    return looks_random(text[start : min(end, start + MAX_LOOK_CHARS)].replace("%", ""))


def code_row(text: str, start: int, end: int) -> bool:
    """Confirm codes: several, as long as each other, and a digit in most."""
    listed = _CODE.findall(text[start:end])
    with_digits = sum(_CODE_DIGIT.search(code) is not None for code in listed)
    return len(listed) > 1 and len(set(map(len, listed))) == 1 and 2 * with_digits > len(listed)


def set_value(text: str, start: int, end: int) -> bool:
    """Confirm what a shell sets: no placeholder, path, number or plain words."""
    value = text[start:end].strip("\"'")
    return (
        not is_filler(value)
        and value[0] not in "/~.-$"
        and not value.isdigit()
        and (not is_made_of_words(value) or is_uuid(value))
        and not _LOCATION.match(value.partition("base64:")[2] or value)
    )
