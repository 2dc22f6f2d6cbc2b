"""Checks for personal data: check digits, address ranges, and what only looks like an address."""

import ipaddress
import re

from goldvein.sanitizer.checks import words
from goldvein.sanitizer.linear import Linear

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_CARD_DIGITS = range(13, 20)
_PHONE_DIGITS = range(8, 16)
_NATIONAL_PHONE_DIGITS = range(7, 14)
_IBAN_DIVISOR = 97
_IBAN_COUNTRIES = {
    15: words("NO"),
    16: words("BE"),
    18: words("DK FI FO GL NL"),
    19: words("MK SI"),
    20: words("AT BA EE KZ LT LU XK"),
    21: words("CH HR LI LV"),
    22: words("BG BH CR DE GB GE IE ME RS VA"),
    23: words("AE GI IL IQ TL"),
    24: words("AD CZ ES MD PK RO SA SE SK TN VG"),
    25: words("LY PT ST"),
    26: words("IS TR"),
    27: words("FR GR IT MC MR SM"),
    28: words("AL AZ BY CY DO GT HU LB PL SV"),
    29: words("BR EG PS QA UA"),
    30: words("JO KW MU"),
    31: words("MT SC"),
    32: words("LC"),
}
_CARD_START = re.compile(r"(?:4|5[1-5]|2[2-7]|3[0-9]|6)")
_FILE_ENDINGS = words(
    "png jpg jpeg gif svg webp ico css js mjs cjs ts tsx jsx json map md txt py rb go rs java html htm xml yml yaml "
    "toml lock sh zip gz tgz tar whl pdf so dll exe woff woff2 ttf mp3 mp4 scss less vue svelte"
)
_SYSTEM_MAILBOXES = frozenset({"git", "hg", "svn"})
_VERSION_BEFORE = re.compile(
    r"(?i)(?:\bv|\bver\.?|\bversion|\brelease|\brevision|\bchrome/|\b[a-z]+/|[=<>~^]=?|@)[\s\"':=]{0,4}\Z"
)
_PHONE_WORDS = (
    r"phone|telephone|telefon|tel|mobile|mobil|cell|handy|fax|whatsapp|sms|call|calls|called|ruf|appel\w{0,3}|"
    r"num[e\u00e9]ro|n[u\u00fa]mero|t[e\u00e9]l\w{0,6}|movil|m\u00f3vil|cellulare|contact|"
    r"rufnummer|dial|reach\w{0,3}|text|messages? to|portable|nummer|telefo\w{1,3}|celular|gsm|kontakt|fon|mob|ph"
)
_ID_WORDS = (
    r"pesel|bsn|burgerservicenummer|steuer|tax[ -]?id|tin\b|tfn|sin\b|social insurance|aadhaar|aadhar|uid|"
    r"personnummer|rodn|cpf|cnpj|national|identi|passport|ssn|insurance|sofi|henkil|nir\b|s\u00e9curit\u00e9"
)
# What stands between :// and the last part of a password that holds / or other signs.
_USER_PART = re.compile(r"(?:[^\s/?#\"'<>]{0,256}|[^\s/:@\"'<>]{0,128}:(?![0-9]{1,5}[/?#])[^\s\"'<>@]{0,256})\Z")
_EXTENSION = re.compile(r"[ ]?(?:x|ext\.?|#)")
_NO_DIGITS = re.compile(r"[^0-9]{1,256}")
_DOTTED_NUMBER_AFTER = re.compile(r"\.[0-9]")


class _WordBefore:
    """Words that tell what the number shortly after them is. Asks RE2 first, since most numbers follow no such word."""

    def __init__(self, expression: str) -> None:
        self._anywhere = Linear("(?i)" + expression.replace(r"\u00", r"\x"))
        self._before = re.compile(rf"(?i)(?:{expression})[\w\s\"'.:=()#\\>-]{{0,24}}\Z")

    def ends(self, before: str) -> bool:
        """Tell whether one of the words ends the text, but for what may stand between a word and its number."""
        if before.isascii() and self._anywhere.search(before.encode()) is None:
            return False
        return self._before.search(before) is not None


_PHONE_WORD, _ID_WORD = _WordBefore(_PHONE_WORDS), _WordBefore(_ID_WORDS)


def _digits(value: str) -> str:
    return _NO_DIGITS.sub("", value)


def passes_luhn(digits: str) -> bool:
    """Check the check digit of payment cards."""
    total = sum(_LUHN_DOUBLED[int(digit)] if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def card_number(text: str, start: int, end: int) -> bool:
    """Confirm a card number: the right length and first digits, the check digit, and not one digit repeated."""
    digits = _digits(text[start:end])
    return (
        len(digits) in _CARD_DIGITS
        and len(set(digits)) > 1
        and _CARD_START.match(digits) is not None
        and passes_luhn(digits)
        and text[start - 1 : start] not in {".", "-", "_", "/"}
        and not _DOTTED_NUMBER_AFTER.match(text, end)
    )


def iban(text: str, start: int, end: int) -> bool:
    """Confirm an IBAN: the length its country uses, and remainder 1 modulo 97."""
    compact = text[start:end].replace(" ", "").replace("-", "").upper()
    if compact[:2] not in _IBAN_COUNTRIES.get(len(compact), ()):
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
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if address.version == 4:  # noqa: PLR2004 - the name of the protocol
        return not _VERSION_BEFORE.search(text[max(0, start - 16) : start])
    return True


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
    """Confirm 8 to 15 digits after the plus sign, not a sum or an offset of a time."""
    digits = _digits(_EXTENSION.split(text[start:end])[0])
    return len(digits) in _PHONE_DIGITS and digits[0] != "0" and len(set(digits)) > 2  # noqa: PLR2004 - +1111...: filler


def national_phone(text: str, start: int, end: int) -> bool:
    """Confirm a number with separators, said to be a phone number by a word shortly before it."""
    before = text[max(0, start - 40) : start]
    if "arn:" in before or text[end : end + 1] == ":":
        return False
    digits = _digits(_EXTENSION.split(text[start:end])[0])
    return (
        len(digits) in _NATIONAL_PHONE_DIGITS
        and len(set(digits)) > 2  # noqa: PLR2004 - 111-1111: filler
        and _PHONE_WORD.ends(before)
    )


_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_HETU_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)


def spanish_id(text: str, start: int, end: int) -> bool:
    """Confirm a DNI or NIE by its letter: the remainder of the number modulo 23."""
    compact = text[start:end].replace("-", "").replace(" ", "").upper()
    number = compact[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return len(set(compact[:-1])) > 1 and _DNI_LETTERS[int(number) % 23] == compact[-1]


def italian_id(text: str, start: int, end: int) -> bool:
    """Confirm a codice fiscale by its last letter."""
    code = text[start:end].upper()
    total = 0
    for place, character in enumerate(code[:15]):
        value = int(character) if character.isdigit() else ord(character) - 65
        total += value if place % 2 else _CODICE_ODD[value]
    return chr(total % 26 + 65) == code[15]


def french_id(text: str, start: int, end: int) -> bool:
    """Confirm a number of the French register by its key: 97 less the remainder modulo 97."""
    digits = _digits(text[start:end])
    return len(digits) == 15 and 97 - int(digits[:13]) % 97 == int(digits[13:])  # noqa: PLR2004 - its length


def brazilian_id(text: str, start: int, end: int) -> bool:
    """Confirm a CPF by its two check digits."""
    digits = [int(character) for character in _digits(text[start:end])]
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        total = sum(digit * (length + 1 - place) for place, digit in enumerate(digits[:length]))
        if total * 10 % 11 % 10 != digits[length]:
            return False
    return True


def swiss_id(text: str, start: int, end: int) -> bool:
    """Confirm a number of the Swiss insurance by the check digit of article numbers."""
    digits = [int(character) for character in _digits(text[start:end])]
    return sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def swedish_id(text: str, start: int, end: int) -> bool:
    """Confirm a personnummer: a month, a day and the check digit of cards."""
    digits = _digits(text[start:end])[-10:]
    return 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:6]) <= 31 and passes_luhn(digits)  # noqa: PLR2004 - calendar


def finnish_id(text: str, start: int, end: int) -> bool:
    """Confirm a henkilotunnus by the remainder of its digits modulo 31."""
    value = text[start:end].upper()
    return _HETU_LETTERS[int(value[:6] + value[7:10]) % 31] == value[10]


def told_id(text: str, start: int, end: int) -> bool:
    """Confirm 9 to 12 digits after a word that says identity number: BSN, PESEL, tax number, SIN or Aadhaar."""
    digits = _digits(text[start:end])
    if len(set(digits)) <= 2 or not _ID_WORD.ends(text[max(0, start - 40) : start]):  # noqa: PLR2004 - filler
        return False
    values = [int(digit) for digit in digits]
    if len(values) == 9:  # noqa: PLR2004 - BSN by its test of eleven, SIN by Luhn
        return passes_luhn(digits) or (sum(v * (9 - p) for p, v in enumerate(values[:8])) - values[8]) % 11 == 0
    if len(values) == 11:  # noqa: PLR2004 - PESEL by weights, Steuer-ID by ISO 7064
        weighed = sum(value * weight for value, weight in zip(values, _PESEL_WEIGHTS, strict=True))
        return weighed % 10 == 0 or _passes_iso_7064(values)
    return len(values) == 12 and digits[0] not in "01"  # noqa: PLR2004 - Aadhaar


def _passes_iso_7064(values: list[int]) -> bool:
    """Check the last digit by ISO 7064, modulo 11 and 10."""
    product = 10
    for value in values[:-1]:
        total = (value + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == values[-1]


def any_number(text: str, start: int, end: int) -> bool:
    """Confirm a form that no other number has, if it is not one digit over and over."""
    return len(set(_digits(text[start:end]))) > 2  # noqa: PLR2004 - filler
