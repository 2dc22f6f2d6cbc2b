"""Checks for personal data: check digits, address ranges, and what only looks like an address."""

import ipaddress
import re

from goldvein.sanitizer.checks import words
from goldvein.sanitizer.labels import BIRTH, CALL, IDENTITY, IF_IT_HOLDS, PHONE, label_before
from goldvein.sanitizer.national_ids import BY_FORM, BY_FORM_ALONE, compact, form_of, holds, passes_luhn

_PHONE_DIGITS = range(8, 16)
_NATIONAL_PHONE_DIGITS = range(7, 14)
_CALLED_DIGITS = range(8, 14)
_IDENTITY_DIGITS = range(7, 16)
_IBAN_DIVISOR = 97
IBAN_COUNTRIES = {
    15: words("NO"),
    16: words("BE"),
    18: words("DK FI FO FK GL NL SD"),
    19: words("MK SI"),
    20: words("MN AT BA EE KZ LT LU XK"),
    21: words("CH HR LI LV"),
    22: words("BG BH CR DE GB GE IE ME RS VA"),
    23: words("OM SO AE GI IL IQ TL"),
    24: words("AD CZ ES MD PK RO SA SE SK TN VG"),
    25: words("LY PT ST"),
    26: words("IS TR"),
    27: words("FR GR IT MC MR SM BI DJ"),
    28: words("HN NI AL AZ BY CY DO GT HU LB PL SV"),
    29: words("BR EG PS QA UA"),
    30: words("JO KW MU YE"),
    31: words("MT SC"),
    32: words("LC"),
    33: words("RU"),
}
# Which lengths numbers have that begin so: the schemes' own ranges. A random number of 16 digits passes in about 3 %.
_CARD_FORM = re.compile(
    r"(?:4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[0-8]|2[2-7])[0-9]{14}|3[47][0-9]{13}|3[0689][0-9]{12}(?:[0-9]{2})?|"
    r"35[0-9]{14}|6[0-9]{12,18}|(?:2131|1800)[0-9]{11}|81[0-9]{14}|9792[0-9]{12}|220[0-4][0-9]{12})"
)
_FILE_ENDINGS = words(
    "png jpg jpeg gif svg webp ico css js mjs cjs ts tsx jsx json map md txt py rb go rs java html htm xml yml yaml "
    "toml lock sh zip gz tgz tar whl pdf so dll exe woff woff2 ttf mp3 mp4 scss less vue svelte"
)
_SYSTEM_MAILBOXES = frozenset({"git", "hg", "svn"})
_VERSION_BEFORE = re.compile(
    r"(?i)(?:\bv|\bver\.?|version|release|revision|section|clause|chapter|since|oid|build|upgrade|standards?|\bchrome/"
    r"|(?<![a-z0-9])[a-z]+/)"
    r"(?:[ ]?(?:updated|bumped|no\.?|to|from|is|number|of|and))?[\s\"':=()]{0,4}\Z"
    r"|(?:[<>~^!=]=|[~^\u00a7]|\((?:=|<<|>>)[ ])[ \"']{0,2}\Z"
)
_ADDRESS_BEFORE = re.compile(
    r"(?i)(?:ip|host|hostname|addr|address|client|peer|server|remote|from|for|dns|nameserver|ping|src|dst|source|gateway|"
    r"listen|proxy|connect\w{0,4}|(?:[a-z]|_)ip|://|@)[\s\"'\[({:=,]{0,6}\Z"
)
# First parts of addresses of which all are public, and what may follow: most addresses need no look at the registers.
_FIRST_OF_PUBLIC = frozenset(map(str, set(range(1, 224)) - {10, 100, 127, 169, 172, 192, 198, 203}))
_LATER_PARTS = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[1-9][0-9]|1[0-9]{2}|[0-9])(?:\.(?!\Z)|\Z)){3}")
_ADDRESS_AFTER = re.compile(r":[0-9]{1,5}\b|/[0-9]{1,2}\b|[ ]port\b")
_LARGEST_VERSION_PART = 31
# What stands between :// and the last part of a password that holds / or other signs.
_USER_PART = re.compile(r"(?:[^\s/?#\"'<>]{0,256}|[^\s/:@\"'<>]{0,128}:(?![0-9]{1,5}[/?#])[^\s\"'<>@]{0,256})\Z")
_EXTENSION = re.compile(r"[ ]?(?:x|ext\.?|#)")
_DOTTED_NUMBER_AFTER = re.compile(r"\.[0-9]")
_NUMBER_BEFORE = re.compile(r"[0-9A-Fa-f]{4}[ ]{1,4}\Z")
_DATE_OR_YEARS = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}(?:([-./])[01]?[0-9]\1[0-3]?[0-9]|[ ]?[-/][ ]?(?:19|20)[0-9]{2})"
    r"|[0-3]?[0-9]([-./])[0-3]?[0-9]\2(?:19|20)[0-9]{2})(?![0-9])"
)
_DECIMAL = re.compile(r"[0-9]{1,4}\.[0-9]{1,16}|[1-9][0-9]{0,2}(?:[ .][0-9]{3}){2,3}|(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_COUNTRY_CODE = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[12345689][0-9]|3[578][0-9]|42[0-9]|50[0-9]|59[0-9]"
    r"|6[789][0-9]|8[058][0-9]|88[0-9]|9[679][0-9]"
)
_ISO_DATE_PARTS = 3


_BLANKS = str.maketrans("", "", " -\u00a0")


def _digits(value: str) -> str:
    return "".join(character for character in value if character in "0123456789")


def card_number(text: str, start: int, end: int) -> bool:
    """Confirm a card number: beginning and length of a scheme, the check digit, and no table of numbers around it."""
    digits = _digits(text[start:end])
    return (
        len(set(digits)) > 1
        and _CARD_FORM.fullmatch(digits) is not None
        and passes_luhn(digits)
        and text[start - 1 : start] not in {".", "-", "_", "/"}
        and not _DOTTED_NUMBER_AFTER.match(text, end)
        and not _NUMBER_BEFORE.search(text[max(0, start - 8) : start])
    )


def iban(text: str, start: int, end: int) -> bool:
    """Confirm an IBAN: the length its country uses, and remainder 1 modulo 97."""
    compact = text[start:end].translate(_BLANKS).upper()
    if compact[:2] not in IBAN_COUNTRIES.get(len(compact), ()):
        return False
    rearranged = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in rearranged)) % _IBAN_DIVISOR == 1


def social_security_number(text: str, start: int, end: int) -> bool:
    """Confirm a number that the issuer can have given: no part of zeros, area neither 666 nor 9xx."""
    area, group, serial = text[start : start + 3], text[start + 4 : start + 6], text[end - 4 : end]
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"


def public_address(text: str, start: int, end: int) -> bool:
    """Confirm a public IP address: no private, loopback, link-local, documentation or multicast one, and no version."""
    value = text[start:end]
    first, _, rest = value.partition(".")
    if first in _FIRST_OF_PUBLIC and _LATER_PARTS.fullmatch(rest):
        return _is_no_version(text, start, end)
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return address.version != 4 or _is_no_version(text, start, end)  # noqa: PLR2004 - the name of the protocol


def _is_no_version(text: str, start: int, end: int) -> bool:
    """Tell an address from a version or a section: by the word before, and by another where all parts are small.

    Of random addresses, one in 4,000 has no part above 31; of versions, nearly all.
    """
    value, before = text[start:end], text[max(0, start - 40) : start]
    if value.endswith(".0.0.0") or _VERSION_BEFORE.search(before):
        return False
    if max(map(int, value.split("."))) > _LARGEST_VERSION_PART:
        return True
    return _ADDRESS_BEFORE.search(before) is not None or _ADDRESS_AFTER.match(text, end) is not None


def email_address(text: str, start: int, end: int) -> bool:
    """Confirm a mailbox: no file name such as icon@2x.png, no git@host:path, no password before a host in a URL."""
    local, _, domain = text[start:end].rpartition("@")
    if domain.rpartition(".")[2].lower() in _FILE_ENDINGS:
        return False
    if local.lower() in _SYSTEM_MAILBOXES:
        return False
    before = text[max(0, start - 256) : start]
    authority = before.rpartition("://")
    return not authority[1] or _USER_PART.match(authority[2]) is None


def international_phone(text: str, start: int, end: int) -> bool:
    """Confirm 8 to 15 digits after the plus sign or 00, first a country's; not a sum or an offset of a time."""
    number = _EXTENSION.split(text[start:end])[0]
    digits = _digits(number)
    digits = digits.removeprefix("00") if "+" not in number else digits
    return (
        len(digits) in _PHONE_DIGITS and _COUNTRY_CODE.match(digits) is not None and len(set(digits)) > 2  # noqa: PLR2004 - +1111...: filler
    )


def national_phone(text: str, start: int, end: int) -> bool:
    """Confirm a number that a label says is a phone number, and not a date, a range of years or a decimal.

    After a word such as `call`, which may stand before other numbers, there must be nine digits or a number's grouping.
    """
    kinds = label_before(text, start)
    return bool(kinds) and is_phone(text[start:end], kinds) and "arn:" not in text[max(0, start - 48) : start]


def is_phone(value: str, kinds: frozenset[str]) -> bool:
    """Tell whether a value under these labels can be a phone number."""
    number = _EXTENSION.split(value)[0]
    digits = _digits(number)
    digits = digits.removeprefix("00")
    if len(digits) not in _NATIONAL_PHONE_DIGITS or len(set(digits)) <= 2 or _DATE_OR_YEARS.search(number):  # noqa: PLR2004 - 111-1111: filler
        return False
    if PHONE in kinds:
        return not _DECIMAL.fullmatch(number) or number[0] == "0" or " " in number
    is_grouped = any(sign in number for sign in " -/(")
    return (
        CALL in kinds
        and (is_grouped or len(digits) in _CALLED_DIGITS)
        and ("." not in number or not _DECIMAL.fullmatch(number))
    )


def national_id(text: str, start: int, end: int) -> bool:
    """Confirm a number of a country by form and check digit, where nothing says what it is."""
    value = text[start:end]
    return any(holds(row, value) for row in BY_FORM_ALONE.get(form_of(value), ()))


def told_national_id(text: str, start: int, end: int) -> bool:
    """Confirm a number that a label says is of a register, by its form and, if the label is ambiguous, check."""
    kinds = label_before(text, start)
    return bool(kinds) and is_national_id(text[start:end], kinds)


def is_national_id(value: str, kinds: frozenset[str]) -> bool:
    """Tell whether a value under these labels can be an identity number."""
    digits = _digits(value)
    if len(set(compact(value))) <= 2:  # noqa: PLR2004 - filler
        return False
    if IDENTITY in kinds:
        return len(digits) in _IDENTITY_DIGITS or form_of(value) in BY_FORM
    return any(
        row.id in kinds or (row.id + IF_IT_HOLDS in kinds and holds(row, value))
        for row in BY_FORM.get(form_of(value), ())
    )


def birth_date(text: str, start: int, end: int) -> bool:
    """Confirm a date that a label says is a day of birth."""
    return BIRTH in label_before(text, start) and is_date(text[start:end])


def is_date(value: str) -> bool:
    """Tell a day that a living person can have been born on; which part is the month is not known."""
    parts = [int(part) for part in re.findall("[0-9]+", value)]
    if len(parts) == 1:
        parts = [int(value[:4]), int(value[4:6]), int(value[6:8])]
    if len(parts) != _ISO_DATE_PARTS:
        return False
    year, *rest = sorted(parts, reverse=True) if max(parts) > 31 else (2000, *parts[:2])  # noqa: PLR2004
    return (year < 100 or 1890 <= year <= 2100) and all(1 <= part <= 31 for part in rest) and min(rest) <= 12  # noqa: PLR2004


def any_number(text: str, start: int, end: int) -> bool:
    """Confirm a form that no other number has, if it is not one digit over and over."""
    return len(set(_digits(text[start:end]))) > 2  # noqa: PLR2004 - filler


def written_phone(text: str, start: int, end: int) -> bool:
    """Confirm a form that phone numbers have, with no table of numbers around it."""
    return any_number(text, start, end) and not _NUMBER_BEFORE.search(text[max(0, start - 8) : start])


def document_number(text: str, start: int, end: int) -> bool:
    """Confirm the number of a document: several digits, and what is not digits is written large."""
    value = text[start:end]
    return any_number(text, start, end) and (value == value.upper() or sum(map(str.isdigit, value)) >= len(value) - 2)
