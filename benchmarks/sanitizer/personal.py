"""Personal data of made-up people, in the form of several countries and with checksums that hold.

`is_luhn`, `is_iban` and the check digits below are written from the public definitions; the tests of the benchmark
check what is made against checks written a second way.
"""

import ipaddress
import json
import unicodedata
from collections.abc import Callable
from random import Random

from benchmarks.sanitizer import words
from benchmarks.sanitizer.samples import coin, fill, mark

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def luhn_digit(body: str) -> str:
    """The digit that makes the Luhn sum of a number end in zero."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004
    return str(-total % 10)


def grouped(text: str, sizes: tuple[int, ...], sign: str) -> str:
    """Cut a text into groups; the last size repeats."""
    groups, place, rest = [], 0, list(sizes)
    while place < len(text):
        size = rest.pop(0) if len(rest) > 1 else rest[0]
        groups.append(text[place : place + size])
        place += size
    return sign.join(groups)


def _local_part(random: Random) -> str:
    """The left side of an address, made of a name without its accents."""
    language = random.choice(tuple(words.FIRST_NAMES))
    first, last = random.choice(words.FIRST_NAMES[language]), random.choice(words.LAST_NAMES[language])
    first, last = (_plain(name) for name in (first, last))
    return random.choice(
        (
            f"{first}.{last}",
            f"{first[0]}{last}",
            f"{last}{random.randint(1, 99)}",
            f"{first}_{last}",
            f"{first}+{fill(random, '{l4}')}",
        )
    )


def _plain(name: str) -> str:
    """A name in the letters an address may have."""
    decomposed = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("Ł", "L").replace("ł", "l"))
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalpha()).lower()


def email(random: Random) -> str:
    """An address at a made-up company or one of the large providers."""
    provider = random.choice(
        (words.domain(random), words.domain(random), "gmail.com", "outlook.com", "web.de", "orange.fr")
    )
    return f"{_local_part(random)}@{provider}"


# Country, forms with its code, forms at home. Prefixes are ones in use; the numbers behind them are random.
_PHONES = (
    ("us", ("+1 {area}-{x}", "+1 ({area}) {x}", "+1{area}{y}"), ("({area}) {x}", "{area}-{x}", "{area}.{x}")),
    ("gb", ("+44 7{m}{d2} {d6}", "+44 20 7{d3} {d4}"), ("07{m}{d2} {d6}", "020 7{d3} {d4}")),
    ("de", ("+49 151 {d8}", "+49 30 {p}{d6}", "+49 (0)89 {p}{d6}"), ("0151 {d8}", "030 {p}{d6}", "089/{p}{d6}")),
    (
        "fr",
        ("+33 6 {d2} {d2} {d2} {d2}", "+33 1 4{d1} {d2} {d2} {d2}"),
        ("06 {d2} {d2} {d2} {d2}", "01 4{d1} {d2} {d2} {d2}"),
    ),
    ("es", ("+34 6{d2} {d3} {d3}", "+34 91 {p}{d2} {d4}"), ("6{d2} {d3} {d3}", "91 {p}{d2} {d4}")),
    ("it", ("+39 34{p} {d7}", "+39 02 {p}{d7}"), ("34{p} {d7}", "02 {p}{d7}")),
    ("nl", ("+31 6 {p}{d7}", "+31 20 {p}{d6}"), ("06-{p}{d7}", "020 {p}{d6}")),
    ("pl", ("+48 60{d1} {d3} {d3}",), ("60{d1} {d3} {d3}", "60{d1}-{d3}-{d3}")),
    ("se", ("+46 70 {p}{d2} {d2} {d2}",), ("070-{p}{d2} {d2} {d2}",)),
    ("ch", ("+41 79 {p}{d2} {d2} {d2}",), ("079 {p}{d2} {d2} {d2}",)),
    ("at", ("+43 664 {d7}",), ("0664 {d7}", "0664/{d7}")),
    ("br", ("+55 11 9{p}{d3}-{d4}",), ("(11) 9{p}{d3}-{d4}",)),
    ("in", ("+91 98{d3} {d5}",), ("98{d8}",)),
    ("au", ("+61 41{p} {d3} {d3}",), ("041{p} {d3} {d3}",)),
    ("jp", ("+81 90-{p}{d3}-{d4}",), ("090-{p}{d3}-{d4}",)),
    ("pt", ("+351 91{p} {d3} {d3}", "00351 21 {p}{d2} {d4}"), ("91{p} {d3} {d3}", "21 {p}{d2} {d4}")),
    ("dk", ("+45 {p}{d1} {d2} {d2} {d2}",), ("{p}{d1} {d2} {d2} {d2}", "{p}{d3} {d4}")),
    ("no", ("+47 4{d2} {d2} {d3}",), ("4{d2} {d2} {d3}", "4{d7}")),
    ("fi", ("+358 40 {p}{d2} {d4}",), ("040 {p}{d2} {d4}", "09 {p}{d2} {d4}")),
    ("cz", ("+420 60{p} {d3} {d3}", "00420 77{p} {d3} {d3}"), ("60{p} {d3} {d3}", "77{p}{d6}")),
    ("hu", ("+36 30 {p}{d2} {d4}",), ("06 30 {p}{d2} {d4}", "06-1-{p}{d2}-{d4}")),
    ("ro", ("+40 72{p} {d3} {d3}",), ("072{p} {d3} {d3}", "021 {p}{d2} {d4}")),
    ("gr", ("+30 69{p} {d3} {d4}",), ("69{p} {d3} {d4}", "210 {p}{d6}")),
    ("tr", ("+90 532 {p}{d2} {d2} {d2}",), ("0532 {p}{d2} {d2} {d2}", "(0212) {p}{d2} {d2} {d2}")),
    ("ru", ("+7 (916) {p}{d2}-{d2}-{d2}", "+7916{p}{d6}"), ("8 (916) {p}{d2}-{d2}-{d2}", "8 916 {p}{d2} {d2} {d2}")),
    ("ua", ("+380 67 {p}{d2} {d2} {d2}",), ("067 {p}{d2} {d2} {d2}", "(044) {p}{d2}-{d2}-{d2}")),
    ("kr", ("+82 10-{p}{d3}-{d4}",), ("010-{p}{d3}-{d4}", "02-{p}{d2}-{d4}")),
    ("cn", ("+86 138 {p}{d3} {d4}",), ("138{p}{d7}", "138-{p}{d3}-{d4}")),
    ("mx", ("+52 55 {p}{d3} {d4}",), ("55 {p}{d3} {d4}",)),
    ("ar", ("+54 9 11 {p}{d3}-{d4}",), ("011 15-{p}{d3}-{d4}", "11 {p}{d3}-{d4}")),
    ("za", ("+27 82 {p}{d2} {d4}",), ("082 {p}{d2} {d4}",)),
    ("nz", ("+64 21 {p}{d2} {d4}",), ("021 {p}{d2} {d4}",)),
    ("sg", ("+65 9{p}{d2} {d4}",), ("9{p}{d2} {d4}",)),
    ("il", ("+972 54-{p}{d2}-{d4}",), ("054-{p}{d2}-{d4}",)),
    ("ie", ("+353 86 {p}{d2} {d4}",), ("086 {p}{d2} {d4}",)),
)
_AREA_CODES = ("212", "312", "415", "503", "617", "713", "206", "404", "305", "602")


def _phone(random: Random, form: str) -> str:
    exchange, line = fill(random, random.choice("234679") + "{d1}" + random.choice("234679")), fill(random, "{d4}")
    named = {"{area}": random.choice(_AREA_CODES), "{x}": f"{exchange}-{line}", "{y}": exchange + line}
    named |= {"{p}": str(random.randint(2, 8)), "{m}": str(random.choice((4, 5, 7, 8, 9)))}
    for slot, value in named.items():
        form = form.replace(slot, value)
    return fill(random, form)


def phone_international(random: Random) -> str:
    """A number with the code of its country."""
    return _phone(random, random.choice(random.choice(_PHONES)[1]))


def phone_national(random: Random) -> str:
    """A number as it is written at home."""
    return _phone(random, random.choice(random.choice(_PHONES)[2]))


def card(random: Random) -> str:
    """A payment card that passes Luhn."""
    start, length = random.choice(
        (
            ("4{d5}", 16),
            ("5" + str(random.randint(1, 5)) + "{d4}", 16),
            ("37{d4}", 15),
            ("6011{d2}", 16),
            ("222{d3}", 16),
        )
    )
    if start.startswith("222"):
        start = "22" + str(random.randint(30, 90)) + "{d2}"
    begun = fill(random, start)
    body = begun + fill(random, "{d" + str(length - 1 - len(begun)) + "}")
    number = body + luhn_digit(body)
    sizes = (4, 6, 5) if len(number) == 15 else (4,)  # noqa: PLR2004
    return random.choice((number, grouped(number, sizes, " "), grouped(number, sizes, "-")))


_IBANS = {
    "DE": "{d18}",
    "FR": "{d10}{A11}{d2}",
    "ES": "{d20}",
    "IT": "{L1}{d10}{A12}",
    "NL": "{L4}{d10}",
    "GB": "{L4}{d14}",
    "PL": "{d24}",
    "CH": "{d5}{A12}",
    "AT": "{d16}",
    "BE": "{d12}",
    "SE": "{d20}",
    "PT": "{d21}",
    "IE": "{L4}{d14}",
    "DK": "{d14}",
    "NO": "{d11}",
}


def _as_number(text: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in text))


def iban(random: Random) -> str:
    """An account number with its two check digits."""
    country = random.choice(tuple(_IBANS))
    body = fill(random, _IBANS[country])
    number = f"{country}{98 - _as_number(body + country + '00') % 97:02}{body}"
    return random.choice((number, grouped(number, (4,), " ")))


def us_ssn(random: Random) -> str:
    """Three groups, none of them a number that is never given."""
    area = random.choice([number for number in range(1, 900) if number != 666])  # noqa: PLR2004
    return f"{area:03}-{random.randint(1, 99):02}-{random.randint(1, 9999):04}"


def uk_nino(random: Random) -> str:
    """Two letters, six digits, one letter."""
    number = random.choice(("AB", "CE", "JG", "LM", "PR", "SY", "WK")) + fill(random, "{d6}") + random.choice("ABCD")
    return random.choice((number, grouped(number, (2,), " ")))


def _weighted(body: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))


def uk_nhs(random: Random) -> str:
    """Ten digits, modulo 11."""
    while True:
        body = fill(random, "{d9}")
        check = -_weighted(body, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10 and body[0] != "0":  # noqa: PLR2004
            return grouped(f"{body}{check}", (3, 3, 4), " ")


def fr_nir(random: Random) -> str:
    """Sex, birth, place, order and a key modulo 97."""
    body = f"{random.choice('12')}{random.randint(40, 99)}{random.randint(1, 12):02}{random.randint(1, 95):02}{random.randint(1, 990):03}{random.randint(1, 999):03}"
    number = f"{body}{97 - int(body) % 97:02}"
    return random.choice(
        (number, " ".join((number[0], number[1:3], number[3:5], number[5:7], number[7:10], number[10:13], number[13:])))
    )


def de_tax_id(random: Random) -> str:
    """Ten digits, one of them twice and one missing, and a check digit."""
    digits = random.sample("0123456789", 9)
    places = [*digits, random.choice(digits)]
    random.shuffle(places)
    if places[0] == "0":
        places.sort(reverse=True)
    product = 10
    for digit in places:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    body = "".join(places) + str((11 - product) % 10)
    return random.choice((body, grouped(body, (2, 3), " ")))


_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def es_dni(random: Random) -> str:
    """Eight digits and a letter, or a letter, seven digits and a letter."""
    if coin(random):
        number = random.randint(10_000_000, 99_999_999)
        return f"{number}{random.choice(('', '-'))}{_DNI_LETTERS[number % 23]}"
    first, number = random.randrange(3), random.randint(0, 9_999_999)
    return f"{'XYZ'[first]}{number:07}{_DNI_LETTERS[(first * 10_000_000 + number) % 23]}"


_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def it_fiscal_code(random: Random) -> str:
    """Six letters of a name, birth, place and a check letter."""
    body = (
        fill(random, "{L6}{d2}")
        + random.choice("ABCDEHLMPRST")
        + f"{random.randint(1, 28):02}"
        + random.choice("ABCDEFGHIL")
        + fill(random, "{d3}")
    )
    total = 0
    for place, letter in enumerate(body):
        index = int(letter) if letter.isdigit() else _LETTERS.index(letter)
        total += _ODD[index] if place % 2 == 0 else index
    return body + _LETTERS[total % 26]


def nl_bsn(random: Random) -> str:
    """Nine digits, the eleven test."""
    while True:
        body = random.choice("123456789") + fill(random, "{d7}")
        check = _weighted(body, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:  # noqa: PLR2004
            return f"{body}{check}"


def pl_pesel(random: Random) -> str:
    """Birth, order and a check digit."""
    body = f"{random.randint(40, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}" + fill(random, "{d4}")
    return f"{body}{-_weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10}"


def be_national_number(random: Random) -> str:
    """Birth, order and a key modulo 97."""
    body = f"{random.randint(40, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}{random.randint(1, 997):03}"
    check = 97 - int(body) % 97
    return random.choice((f"{body}{check:02}", f"{body[:2]}.{body[2:4]}.{body[4:6]}-{body[6:]}.{check:02}"))


def se_personal_number(random: Random) -> str:
    """Birth, order and a Luhn digit."""
    body = f"{random.randint(40, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}" + fill(random, "{d3}")
    return f"{random.choice(('', '19'))}{body[:6]}-{body[6:]}{luhn_digit(body)}"


def ch_ahv(random: Random) -> str:
    """Thirteen digits with the check digit of a barcode."""
    body = "756" + fill(random, "{d9}")
    number = f"{body}{-_weighted(body, (1, 3) * 6) % 10}"
    return f"{number[:3]}.{number[3:7]}.{number[7:11]}.{number[11:]}"


def br_cpf(random: Random) -> str:
    """Nine digits and two check digits."""
    body = fill(random, "{d9}")
    for _ in range(2):
        rest = _weighted(body, tuple(range(len(body) + 1, 1, -1))) * 10 % 11
        body += str(rest % 10)
    return random.choice((f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}", body))


def ca_sin(random: Random) -> str:
    """Nine digits that pass Luhn."""
    body = random.choice("1234567") + fill(random, "{d7}")
    return grouped(body + luhn_digit(body), (3,), random.choice((" ", "-")))


def fi_hetu(random: Random) -> str:
    """Birth, sign of the century, order and a check letter."""
    day = f"{random.randint(1, 28):02}{random.randint(1, 12):02}{random.randint(40, 99)}"
    order = f"{random.randint(2, 899):03}"
    return f"{day}-{order}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(day + order) % 31]}"


def au_tfn(random: Random) -> str:
    """Nine digits, weighted, modulo 11."""
    while True:
        number = random.choice("123456789") + fill(random, "{d8}")
        if _weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0:
            return grouped(number, (3,), " ")


def no_birth_number(random: Random) -> str:
    """Birth, order and two check digits."""
    while True:
        body = f"{random.randint(1, 28):02}{random.randint(1, 12):02}{random.randint(40, 99)}" + fill(random, "{d3}")
        first = -_weighted(body, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
        second = -_weighted(f"{body}{first % 10}", (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if first < 10 and second < 10:  # noqa: PLR2004
            return random.choice((f"{body}{first}{second}", f"{body[:6]} {body[6:]}{first}{second}"))


def cz_birth_number(random: Random) -> str:
    """Birth, fifty added to the month of women, and a multiple of eleven."""
    while True:
        month = random.randint(1, 12) + random.choice((0, 50))
        body = f"{random.randint(54, 99)}{month:02}{random.randint(1, 28):02}" + fill(random, "{d3}")
        check = int(body) % 11
        if check < 10:  # noqa: PLR2004
            return f"{body[:6]}/{body[6:]}{check}"


def ro_personal_code(random: Random) -> str:
    """Sex, birth, county, order and a check digit."""
    body = (
        random.choice("12")
        + f"{random.randint(40, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}{random.randint(1, 46):02}"
        + fill(random, "{d3}")
    )
    check = _weighted(body, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return f"{body}{1 if check == 10 else check}"  # noqa: PLR2004


def cn_resident_number(random: Random) -> str:
    """Region, birth, order and a check sign."""
    body = f"{random.choice(('110105', '310101', '440305'))}{random.randint(1950, 2004)}"
    body += f"{random.randint(1, 12):02}{random.randint(1, 28):02}" + fill(random, "{d3}")
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(body))
    return body + "0123456789X"[(12 - total) % 11]


def kr_registration_number(random: Random) -> str:
    """Birth, sex and six digits."""
    birth = f"{random.randint(50, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}"
    return f"{birth}-{random.choice('12')}" + fill(random, "{d6}")


def cl_rut(random: Random) -> str:
    """A number in thousands and a check sign after a hyphen."""
    number = random.randint(5_000_000, 25_999_999)
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(str(number))))
    return f"{number:,}".replace(",", ".") + "-" + "0123456789K0"[11 - total % 11]


def ipv4(random: Random) -> str:
    """A public address."""
    while True:
        address = ipaddress.IPv4Address(random.randint(0x01000000, 0xDFFFFFFF))
        if address.is_global and min(address.packed) > 9:  # noqa: PLR2004 (small parts look like a version)
            return str(address)


def ipv6(random: Random) -> str:
    """An address of a provider."""
    prefix = random.choice((0x2A02, 0x2A01, 0x2A00, 0x2600, 0x2604, 0x2804))
    return str(ipaddress.IPv6Address((prefix << 112) | random.getrandbits(96) | (random.getrandbits(16) << 96)))


def birth_date(random: Random) -> str:
    """A day of birth, as forms write it."""
    year, month, day = random.randint(1940, 2005), random.randint(1, 12), random.randint(1, 28)
    return random.choice((f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{month:02}/{day:02}/{year}"))


# Kind: how it is made, what it is called, whether it stands for itself (in a sentence, without its name).
Maker = Callable[[Random], str]
PERSONAL: dict[str, tuple[Maker, tuple[str, ...], bool]] = {
    "email": (email, ("email", "E-Mail", "contact", "mail"), True),
    "phone_international": (
        phone_international,
        ("phone", "Tel.", "mobile", "Telefon", "WhatsApp", "T\u00e9l\u00e9phone", "\u0442\u0435\u043b."),
        True,
    ),
    "phone_national": (
        phone_national,
        (
            "phone",
            "Tel.",
            "mobile",
            "call me at",
            "Handy",
            "t\u00e9l\u00e9phone",
            "telefone",
            "tel\u00e9fono",
            "gsm",
            "\u7535\u8bdd",
        ),
        False,
    ),
    "card": (card, ("card", "card number", "Kreditkarte", "cc"), True),
    "iban": (iban, ("IBAN", "iban", "account", "Konto"), True),
    "us_ssn": (us_ssn, ("SSN", "ssn", "social security number"), True),
    "uk_nino": (uk_nino, ("NINO", "national insurance number"), False),
    "uk_nhs": (uk_nhs, ("NHS number", "nhs_number"), False),
    "fr_nir": (fr_nir, ("NIR", "numéro de sécurité sociale", "nir"), True),
    "de_tax_id": (de_tax_id, ("Steuer-ID", "steuer_id", "IdNr."), False),
    "es_dni": (es_dni, ("DNI", "NIE", "dni"), True),
    "it_fiscal_code": (it_fiscal_code, ("codice fiscale", "CF", "codice_fiscale"), True),
    "nl_bsn": (nl_bsn, ("BSN", "burgerservicenummer", "bsn"), False),
    "pl_pesel": (pl_pesel, ("PESEL", "pesel"), False),
    "be_national_number": (be_national_number, ("rijksregisternummer", "numéro national"), False),
    "se_personal_number": (se_personal_number, ("personnummer", "Personnummer"), True),
    "ch_ahv": (ch_ahv, ("AHV-Nr.", "AHV", "numéro AVS"), True),
    "br_cpf": (br_cpf, ("CPF", "cpf"), False),
    "ca_sin": (ca_sin, ("SIN", "social insurance number"), False),
    "fi_hetu": (fi_hetu, ("henkilötunnus", "hetu"), True),
    "au_tfn": (au_tfn, ("TFN", "tax file number"), False),
    "no_birth_number": (no_birth_number, ("f\u00f8dselsnummer", "personnummer", "fnr"), True),
    "cz_birth_number": (cz_birth_number, ("rodn\u00e9 \u010d\u00edslo", "rodne cislo"), True),
    "ro_personal_code": (ro_personal_code, ("CNP", "cnp"), False),
    "cn_resident_number": (cn_resident_number, ("\u8eab\u4efd\u8bc1\u53f7", "id number"), True),
    "kr_registration_number": (kr_registration_number, ("\uc8fc\ubbfc\ub4f1\ub85d\ubc88\ud638", "RRN"), True),
    "cl_rut": (cl_rut, ("RUT", "rut"), True),
    "ipv4": (ipv4, ("client", "remote_addr", "ip", "from"), True),
    "ipv6": (ipv6, ("client", "remote_addr", "ip", "from"), True),
    "birth_date": (birth_date, ("date of birth", "dob", "geboren am", "birth_date"), False),
}


def _field_name(name: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())


def in_json(random: Random, name: str, value: str) -> str:
    """A record of a customer."""
    record = {"id": random.randint(1000, 99999), _field_name(name): value, "status": random.choice(("active", "open"))}
    return json.dumps({"customer": record}, ensure_ascii=False, indent=random.choice((None, 2)))


def in_csv(random: Random, name: str, value: str) -> str:
    """A row of an export."""
    return f"id,{_field_name(name)},plan\n{random.randint(100, 999)},{value},basic\n"


def in_log(random: Random, name: str, value: str) -> str:
    """A line of a log."""
    return f"{words.log_line(random)}\n{words.stamp(random)} WARN {random.choice(words.SERVICES)} {_field_name(name)}={value} rejected\n"


def in_letter(random: Random, name: str, value: str) -> str:
    """A line under a message."""
    return f"{words.sentence(random)}\n\nKind regards\n{name}: {value}\n"


def in_form(random: Random, name: str, value: str) -> str:
    """Lines of a form, one a field."""
    return f"Ticket #{random.randint(1000, 9999)}\n{name}: {value}\nPlan: {random.choice(('basic', 'team'))}\n"


def in_sql(random: Random, name: str, value: str) -> str:
    """A row that is written."""
    return f"INSERT INTO customers (id, {_field_name(name)}) VALUES ({random.randint(1, 999)}, '{value}');\n"


def in_sentence(random: Random, name: str, value: str) -> str:
    """A sentence that names it."""
    return f"{words.sentence(random)} The customer's {name} is {value}, please check. {words.sentence(random)}"


def in_plain_sentence(random: Random, name: str, value: str) -> str:  # noqa: ARG001
    """A sentence that does not name it."""
    return f"{words.sentence(random)} They wrote {value} on the note. {words.sentence(random)}"


def in_long_table(random: Random, name: str, value: str) -> str:
    """The last of many rows of an export, far from the names of the columns."""
    rows = "".join(f"{number},{random.choice(words.NOUNS)},,open\n" for number in range(random.randint(3, 40)))
    return f"id,item,{_field_name(name)},status\n{rows}{random.randint(100, 999)},{random.choice(words.NOUNS)},{value},open\n"


def in_markdown(random: Random, name: str, value: str) -> str:
    """A row of a table on a page."""
    return f"| plan | {name} | seats |\n|---|---|---|\n| team | {value} | {random.randint(1, 40)} |\n"


def in_xml(random: Random, name: str, value: str) -> str:
    """An element of a document."""
    tag = _field_name(name)
    return f'<customer id="{random.randint(100, 999)}">\n  <{tag}>{value}</{tag}>\n</customer>\n'


def in_chat(random: Random, name: str, value: str) -> str:
    """A line of a conversation."""
    return f"bob: what do I enter there?\nalice: {name} {value}\nbob: thanks, {random.choice(words.VERBS)}ing it now\n"


def in_code(random: Random, name: str, value: str) -> str:
    """An assignment in a fixture."""
    return (
        f'{random.choice(words.NOUNS)}.{_field_name(name)} = "{value}"\nassert {words.identifier(random)}() is None\n'
    )


_NAMED = (
    *(in_json, in_csv, in_log, in_letter, in_form, in_sql, in_sentence),
    *(in_long_table, in_markdown, in_xml, in_chat, in_code),
)


def personal_text(random: Random, kind: str) -> str:
    """A marked text with one datum of the kind."""
    make, names, stands_alone = PERSONAL[kind]
    carriers = (*_NAMED, in_plain_sentence) if stands_alone else _NAMED
    return random.choice(carriers)(random, random.choice(names), mark(make(random)))
