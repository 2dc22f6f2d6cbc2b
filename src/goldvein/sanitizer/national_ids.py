"""Identity, tax and insurance numbers of countries: their forms, their check digits, and what they are called.

One row a number. A form is written with 9 for a digit and A for a letter. In the forms `alone` a number with a right
check digit is taken for one without anything near it that says so; every other form needs a label (see `labels.py`).
Which forms stand alone is arithmetic: of random values in a form that other things have too (an order number, a time
in seconds or milliseconds), at most about one in a hundred may pass, and far fewer where the form is common. A check
digit alone lets one in ten or eleven pass; a date of birth one in 27; punctuation such as 999.999.999-99 is hardly ever
anything else. After a label that has no other meaning a number counts by its form; after an ambiguous one (SIN, PAN,
INN) its check digit must hold too.

The arithmetic is that of the issuing authorities' public descriptions, tried on numbers that they or others print as
examples.
"""

import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Check = Callable[[str], bool]

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LAST_DAY, _LAST_MONTH = 31, 12
_SEPARATORS = str.maketrans("", "", " ./-()\u00a0")
_FORMS = str.maketrans(dict.fromkeys(string.digits, "9") | dict.fromkeys(string.ascii_letters, "A"))
_CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
# Where ISO 7812 style counting by letters is used: the values that Taiwan gives to the letters of its districts.
_TAIWAN = dict(zip("ABCDEFGHJKLMNPQRSTUVXYWZIO", range(10, 36), strict=True))
_VERHOEFF_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class NationalId:
    """One kind of number: forms, check, labels, and a number that passes and one that does not."""

    id: str
    description: str
    forms: tuple[str, ...]
    check: Check
    example: str
    counter_example: str
    alone: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    ambiguous_labels: tuple[str, ...] = ()


def compact(value: str) -> str:
    """Take the separators out and write letters large."""
    return value.translate(_SEPARATORS).upper()


def form_of(value: str) -> str:
    """Write a value as its form: 9 for digits, A for letters."""
    if value.isascii():
        return value.translate(_FORMS)
    return "".join("9" if sign.isdigit() else "A" if sign.isalpha() else sign for sign in value.replace("\u00a0", " "))


def passes_luhn(digits: str) -> bool:
    """Check the check digit of payment cards, which many numbers share."""
    total = sum(_LUHN_DOUBLED[int(digit)] if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def passes_iso_7064(digits: str) -> bool:
    """Check the last digit by ISO 7064, modulo 11 and 10."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def passes_verhoeff(digits: str) -> bool:
    """Check the last digit by Verhoeff's scheme: the dihedral group of order ten, digits turned place by place."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = _VERHOEFF_TURN[value]
        state = _dihedral(state, value)
    return state == 0


def _dihedral(left: int, right: int) -> int:
    """Multiply in the group of the turns (0 to 4) and flips (5 to 9) of a pentagon."""
    turn = (left - right) % 5 if left > 4 else (left + right) % 5  # noqa: PLR2004 - the last turn
    return turn + 5 * ((left > 4) != (right > 4))  # noqa: PLR2004


def _weighed(weights: str, outcome: str, *, at: int = -1) -> Check:
    """Check one sign: the weighted sum of the digits before it, modulo the length of `outcome`, is its place there.

    Weights are written with spaces; an outcome `?` is a number that is never given.
    """
    factors = tuple(map(int, weights.split()))

    def check(value: str) -> bool:
        place = at % len(value)
        body = value[:place] + (value[place + 1 :] if len(value) - 1 <= len(factors) else "")
        total = sum(int(digit) * factor for digit, factor in zip(body, factors, strict=False))
        return outcome[total % len(outcome)] == value[place]

    return check


def _sums_to_zero(weights: str, modulus: int) -> Check:
    """Check that the weighted sum of all digits is a multiple of the modulus."""
    factors = tuple(map(int, weights.split()))
    return lambda value: sum(int(digit) * factor for digit, factor in zip(value, factors, strict=True)) % modulus == 0


def _remainder(modulus: int, *, digits: int = 2, prefixes: tuple[str, ...] = ("",)) -> Check:
    """Check the last digits: modulus less the remainder of the number before them, with one of the prefixes."""

    def check(value: str) -> bool:
        body, key = value[:-digits], int(value[-digits:])
        return any(modulus - int(prefix + body) % modulus == key for prefix in prefixes)

    return check


def _all(*checks: Check) -> Check:
    """Check several things."""
    return lambda value: all(check(value) for check in checks)


def _any(*checks: Check) -> Check:
    """Check that one of several things holds."""
    return lambda value: any(check(value) for check in checks)


def _cut(length: int, check: Check) -> Check:
    """Check the first signs only."""
    return lambda value: check(value[:length])


def _last(length: int, check: Check) -> Check:
    """Check the last signs only."""
    return lambda value: check(value[-length:])


def _like(pattern: str) -> Check:
    """Check the compact value against an expression."""
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _born(order: str, at: int = 0, *, days: tuple[int, ...] = (0,), months: tuple[int, ...] = (0,)) -> Check:
    """Check that a date stands there: `order` says where its year, month and day are, such as yymmdd.

    Some authorities add 40 to the day or 20 or 50 to the month, for women, for foreigners, for a century.
    """
    day_at, month_at = at + order.index("d"), at + order.index("m")

    def check(value: str) -> bool:
        day, month = int(value[day_at : day_at + 2]), int(value[month_at : month_at + 2])
        return any(1 <= day - more <= _LAST_DAY for more in days) and any(
            1 <= month - more <= _LAST_MONTH for more in months
        )

    return check


def _two_checks(first: str, second: str, outcome: str) -> Check:
    """Check two check digits at the end, the second of which counts the first."""
    one, two = _weighed(first, outcome), _weighed(second, outcome)
    return lambda value: one(value[:-1]) and two(value)


def _italian(code: str) -> bool:
    """Check the last letter of a codice fiscale, which counts odd places by a table."""
    total = 0
    for place, sign in enumerate(code[:15]):
        value = int(sign) if sign.isdigit() else ord(sign) - 65
        total += value if place % 2 else _CODICE_ODD[value]
    return _LETTERS[total % 26] == code[15]


def _spanish(value: str) -> bool:
    """Check the letter of a DNI or NIE: the number modulo 23."""
    number = value[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == value[-1]


def _french(value: str) -> bool:
    """Check the key of the French register; Corsica's 2A and 2B count as 19 and 18."""
    body = value[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and value[13:].isdigit() and 97 - int(body) % 97 == int(value[13:])


def _finnish(value: str) -> bool:
    """Check the sign of a henkilotunnus; the sign of the century does not count."""
    digits = value[:6] + value[-4:-1]
    return digits.isdigit() and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == value[-1]


def _estonian(value: str) -> bool:
    """Check the last digit of Estonia's and Lithuania's code: a second row of weights where the first gives ten."""
    for weights in ((1, 2, 3, 4, 5, 6, 7, 8, 9, 1), (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)):
        rest = sum(int(digit) * weight for digit, weight in zip(value, weights, strict=False)) % 11
        if rest < 10:  # noqa: PLR2004 - one digit
            return rest == int(value[-1])
    return value[-1] == "0"


def _turkish(value: str) -> bool:
    """Check both last digits: seven times the odd places less the even ones, and the sum of the first ten."""
    digits = [int(digit) for digit in value]
    return (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2])) % 10 == digits[9] and sum(digits[:10]) % 10 == digits[10]


def _chilean(value: str) -> bool:
    """Check the sign after the hyphen: weights two to seven from the right, modulo 11, K for ten."""
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(value[:-1])))
    return "0K987654321"[total % 11] == value[-1]


def _mexican(value: str) -> bool:
    """Check the last digit of a CURP, which counts N-tilde between N and O."""
    signs = "0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ"
    total = sum(signs.index(sign) * (18 - place) for place, sign in enumerate(value[:17]))
    return str(-total % 10) == value[17]


def _hong_kong(value: str) -> bool:
    """Check the sign in brackets: letters count from ten, a missing first letter as 36, modulo 11."""
    values = [36] * (9 - len(value)) + [int(sign, 36) for sign in value[:-1]]
    total = sum(number * weight for number, weight in zip(values, range(9, 1, -1), strict=True))
    return "0A987654321"[total % 11] == value[-1]


def _taiwanese(value: str) -> bool:
    """Check the last digit: the letter stands for two digits, the first with weight one, the other with nine."""
    tens, ones = divmod(_TAIWAN[value[0]], 10)
    total = (
        tens + ones * 9 + sum(int(digit) * weight for digit, weight in zip(value[1:9], range(8, 0, -1), strict=True))
    )
    return (total + int(value[9])) % 10 == 0


def _singaporean(value: str) -> bool:
    """Check the last letter, which depends on the first."""
    total = sum(int(digit) * weight for digit, weight in zip(value[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    rest = (total + {"T": 4, "G": 4, "M": 3}.get(value[0], 0)) % 11
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
    return value[0] in letters and letters[value[0]][rest] == value[8]


def _irish(value: str) -> bool:
    """Check the letter after the seven digits; a ninth letter counts nine times."""
    total = sum(int(digit) * weight for digit, weight in zip(value[:7], range(8, 1, -1), strict=True))
    total += 9 * (_LETTERS.index(value[8]) + 1) % 23 if value[8:] not in {"", "W"} else 0
    return ("W" + _LETTERS)[total % 23] == value[7]


def _australian_business(value: str) -> bool:
    """Check an ABN: one less in the first digit, weighted, modulo 89."""
    digits = [int(value[0]) - 1, *map(int, value[1:])]
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 89 == 0


def _new_zealand(value: str) -> bool:
    """Check an IRD number; a second row of weights where the first gives ten."""
    padded = value.rjust(9, "0")
    for weights in ((3, 2, 7, 6, 5, 4, 3, 2), (7, 4, 3, 2, 5, 2, 7, 6)):
        rest = -sum(int(digit) * weight for digit, weight in zip(padded, weights, strict=False)) % 11
        if rest < 10:  # noqa: PLR2004 - one digit
            return rest == int(padded[8])
    return False


def _snils(value: str) -> bool:
    """Check the last two digits: weights nine to one, modulo 101, a hundred written 00."""
    total = sum(int(digit) * weight for digit, weight in zip(value[:9], range(9, 0, -1), strict=True))
    return total % 101 % 100 == int(value[9:])


def _german_tax(value: str) -> bool:
    """Check a tax id: ISO 7064, and among the first ten digits one or two that repeat, the first of them not zero."""
    return value[0] != "0" and len(set(value[:10])) in {8, 9} and passes_iso_7064(value)


def _no_check(value: str) -> bool:
    """Accept what only its form tells."""
    return bool(value)


_FALLING = "0?987654321"  # eleven less the remainder, where ten is never given
_TO_ZERO = "00987654321"  # the same, where ten and eleven are written as nought
_CPF = _two_checks("10 9 8 7 6 5 4 3 2", "11 10 9 8 7 6 5 4 3 2", _TO_ZERO)
_CNPJ = _two_checks("5 4 3 2 9 8 7 6 5 4 3 2", "6 5 4 3 2 9 8 7 6 5 4 3 2", _TO_ZERO)
_JMBG = _all(_born("ddmm"), _weighed("7 6 5 4 3 2 7 6 5 4 3 2", _TO_ZERO))
_INN_10 = _weighed("2 4 10 3 5 9 4 6 8", "01234567890")
_INN_12 = _two_checks("7 2 4 10 3 5 9 4 6 8", "3 7 2 4 10 3 5 9 4 6 8", "01234567890")
_SWEDISH = _last(10, _all(_born("yymmdd", days=(0, 60)), passes_luhn))


def _row(  # noqa: PLR0917 - rows of a table
    row_id: str,
    description: str,
    forms: str,
    check: Check,
    example: str,
    counter_example: str,
    *,
    alone: str = "",
    labels: str = "",
    ambiguous: str = "",
) -> NationalId:
    """Write a row: forms and labels are listed with bars between them."""
    return NationalId(
        id=row_id,
        description=description,
        forms=tuple(filter(None, f"{alone}|{forms}".split("|"))),
        alone=tuple(filter(None, alone.split("|"))),
        check=check,
        example=example,
        counter_example=counter_example,
        labels=tuple(filter(None, labels.split("|"))),
        ambiguous_labels=tuple(filter(None, ambiguous.split("|"))),
    )


_EUROPE = (
    _row(
        "uk_nhs",
        "health service number, United Kingdom",
        "9999999999|999 999 9999|999-999-9999",
        _weighed("10 9 8 7 6 5 4 3 2", _FALLING),
        "943 476 5919",
        "943 476 5918",
        labels="nhs|nhs number|nhs no",
    ),
    _row(
        "uk_nino",
        "insurance number, United Kingdom",
        "",
        _like("(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]"),
        "AB 12 34 56 C",
        "GB 12 34 56 C",
        alone="AA999999A|AA 99 99 99 A|AA 999999 A|AA-99-99-99-A",
        labels="nino|national insurance|national insurance number|ni number|ni no",
    ),
    _row(
        "uk_utr",
        "taxpayer reference, United Kingdom",
        "9999999999|99999 99999|999 999 9999",
        lambda value: _weighed("6 7 8 9 10 5 4 3 2", "21987654321")(value[1:] + value[0]),
        "1123456789",
        "2123456789",
        labels="utr|taxpayer reference|unique taxpayer reference",
    ),
    _row(
        "ie_ppsn",
        "public service number, Ireland",
        "9999999A|9999999AA|9999999 A|9999999 AA",
        _irish,
        "1234567T",
        "1234567A",
        labels="ppsn|pps|pps number|pps no",
    ),
    _row(
        "de_tax_id",
        "tax id, Germany",
        "99999999999|999 999 999 99",
        _german_tax,
        "86 095 742 719",
        "86 095 742 718",
        alone="99 999 999 999",
        labels="steuer id|steuerid|steuerliche id|idnr|id nr|steueridentifikationsnummer"
        "|identifikationsnummer|steuer idnr"
        "|steuer identifikationsnummer|tin",
    ),
    _row(
        "de_tax_number",
        "tax number, Germany",
        "99/999/99999|999/9999/9999|999/999/99999|9999999999|99999/99999|999 999 99999|9999999999999",
        _no_check,
        "181/815/08155",
        "181/815",
        labels="steuernummer|steuer nummer|steuer nr|steuernr|st nr|stnr",
    ),
    _row(
        "de_insurance",
        "pension insurance number, Germany",
        "",
        _all(_like(r"[0-9]{8}[A-Z][0-9]{3}"), _born("ddmm", at=2, days=(0,))),
        "65 170839 J 003",
        "65 993939 J 003",
        alone="99 999999 A 999",
        labels="sozialversicherungsnummer|rentenversicherungsnummer|versicherungsnummer|sv nummer|rvnr|svnr",
    ),
    _row(
        "at_svnr",
        "social insurance number, Austria",
        "9999999999|9999/999999",
        _all(_weighed("3 7 9 5 8 4 2 1 6", "0123456789?", at=3), _born("ddmm", at=4)),
        "1237 010180",
        "1238 010180",
        alone="9999 999999",
        labels="svnr|sv nummer|sv nr|sozialversicherungsnummer|versicherungsnummer",
    ),
    _row(
        "ch_ahv",
        "insurance number, Switzerland",
        "9999999999999|999 9999 9999 99",
        _all(_like("756[0-9]{10}"), _weighed("1 3 1 3 1 3 1 3 1 3 1 3", "0987654321")),
        "756.9217.0769.85",
        "756.9217.0769.86",
        alone="999.9999.9999.99",
        labels="ahv|ahv nr|ahv nummer|avs|numero avs|no avs|avs ahv|ahvn|nss",
    ),
    _row(
        "fr_nir",
        "social security number, France",
        "9999999999999|9 99 99 99 999 999",
        lambda value: len(value) == 15 and value[0] in "12378" and _french(value),  # noqa: PLR2004 - with its key
        "1 84 12 76 451 089 46",
        "1 84 12 76 451 089 47",
        alone="999999999999999|9 99 99 99 999 999 99|99999A999999999|9 99 99 9A 999 999 99|9999999999999 99",
        labels="nir|securite sociale|numero de securite sociale|no securite sociale"
        "|n de securite sociale|secu|numero de secu|insee",
    ),
    _row(
        "it_fiscal_code",
        "tax code, Italy",
        "",
        _all(_like(r"[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPRST][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]"), _italian),
        "RSSMRA85T10A562S",
        "RSSMRA85T10A562A",
        alone="AAAAAA99A99A999A|AAA AAA 99A99 A999A",
        labels="codice fiscale|cod fiscale|cf|fiscal code",
    ),
    _row(
        "es_dni",
        "identity number, Spain",
        "99999999|99.999.999-A|99999999 A",
        _spanish,
        "12345678Z",
        "12345678A",
        alone="99999999A|99999999-A|A9999999A|A-9999999-A|A9999999-A|99.999.999-A",
        labels="dni|nie|nif|documento nacional|dni nie|nif nie",
    ),
    _row(
        "pt_nif",
        "tax number, Portugal",
        "999999999|999 999 999|999-999-999",
        _weighed("9 8 7 6 5 4 3 2", _TO_ZERO),
        "123 456 789",
        "123 456 780",
        labels="nif|contribuinte|numero de contribuinte|n contribuinte|niss|numero fiscal|numero de utente",
    ),
    _row(
        "nl_bsn",
        "citizen number, Netherlands",
        "999999999|9999.99.999|999 999 999|99999999|9999 99 999",
        lambda value: _sums_to_zero("9 8 7 6 5 4 3 2 -1", 11)(value.rjust(9, "0")),
        "111222333",
        "111222334",
        labels="bsn|burgerservicenummer|sofinummer|sofi|burger service nummer|bsn nummer|sofi nummer",
    ),
    _row(
        "be_national_number",
        "register number, Belgium",
        "99 99 99 999 99|999999-999-99|999999 999 99",
        _all(_remainder(97, prefixes=("", "2")), _born("yymmdd", months=(0, 20, 40))),
        "85.07.30-033.28",
        "85.07.30-033.29",
        alone="99999999999|99.99.99-999.99|99.99.99-999-99|99.99.99.999.99",
        labels="rijksregisternummer|rijksregister|numero national|registre national"
        "|numero de registre national|niss|insz"
        "|insz nummer|nrn|national number",
    ),
    _row(
        "lu_matricule",
        "identification number, Luxembourg",
        "9999999999999|9999 99 99 999 99|9999 9999 99999",
        _all(_born("yyyymmdd"), _cut(12, passes_luhn), lambda value: passes_verhoeff(value[:11] + value[12])),
        "1893120105732",
        "1893120105733",
        labels="matricule|numero matricule|numero d identification",
    ),
    _row(
        "dk_cpr",
        "personal number, Denmark",
        "9999999999|999999 9999",
        _all(_born("ddmmyy", days=(0, 60)), _sums_to_zero("4 3 2 7 6 5 4 3 2 1", 11)),
        "211062-5629",
        "211062-5620",
        alone="999999-9999",
        labels="cpr|cpr nummer|cpr nr|personnummer|cprnr",
    ),
    _row(
        "se_personal_number",
        "personal number, Sweden",
        "9999999999|999999999999",
        _SWEDISH,
        "811218-9876",
        "811218-9877",
        alone="999999-9999|99999999-9999|999999+9999",
        labels="personnummer|person nummer|samordningsnummer|pnr|personnr|personal identity number",
    ),
    _row(
        "no_birth_number",
        "birth number, Norway",
        "999999-99999",
        _all(
            _born("ddmmyy", days=(0, 40), months=(0, 40, 80)),
            lambda value: _sums_to_zero("3 7 6 1 8 9 4 5 2 1", 11)(value[:10]),
            _sums_to_zero("5 4 3 2 7 6 5 4 3 2 1", 11),
        ),
        "15076500565",
        "15076500566",
        alone="99999999999|999999 99999",
        labels="fodselsnummer|personnummer|fnr|f\u00f8dselsnummer|fodselsnr|f\u00f8dselsnr|d nummer|fodselsnummeret",
    ),
    _row(
        "fi_hetu",
        "personal code, Finland",
        "",
        _all(_born("ddmmyy"), _finnish),
        "131052-308T",
        "131052-308U",
        alone="999999-999A|999999-9999|999999+999A|999999+9999|999999A999A|999999A9999",
        labels="hetu|henkil\u00f6tunnus|henkilotunnus|henkil\u00f6tunnukseni|personbeteckning|sotu",
    ),
    _row(
        "is_kennitala",
        "identification number, Iceland",
        "9999999999",
        _all(_born("ddmmyy", days=(0, 40)), _cut(9, _weighed("3 2 7 6 5 4 3 2", _FALLING)), _like("[0-9]{9}[089]")),
        "120174-3399",
        "120174-3389",
        alone="999999-9999",
        labels="kennitala|kt",
    ),
    _row(
        "ee_lt_code",
        "personal code, Estonia and Lithuania",
        "",
        _all(_born("yymmdd", at=1), _estonian, _like("[1-8][0-9]{10}")),
        "37605030299",
        "37605030298",
        alone="99999999999",
        labels="isikukood|asmens kodas|personal code",
    ),
    _row(
        "lv_code",
        "personal code, Latvia",
        "99999999999",
        _any(_like("3[2-9][0-9]{9}"), _born("ddmmyy")),
        "161175-19997",
        "161375-19997",
        alone="999999-99999",
        labels="personas kods",
    ),
    _row(
        "pl_pesel",
        "PESEL, Poland",
        "",
        _all(_born("yymmdd", months=(0, 20, 80)), _sums_to_zero("1 3 7 9 1 3 7 9 1 3 1", 10)),
        "44051401359",
        "44051401358",
        alone="99999999999",
        labels="pesel|numer pesel|nr pesel",
    ),
    _row(
        "pl_nip",
        "tax number, Poland",
        "9999999999|999-999-99-99|999-99-99-999|999 999 99 99",
        _weighed("6 5 7 2 3 4 5 6 7", "0123456789?"),
        "526-104-08-28",
        "526-104-08-29",
        labels="nip|numer nip|nr nip|regon",
    ),
    _row(
        "cz_sk_birth_number",
        "birth number, Czechia and Slovakia",
        "9999999999|999999/999|999999999",
        _all(
            _born("yymmdd", months=(0, 20, 50, 70)),
            lambda value: len(value) == 9 or int(value) % 11 == 0,  # noqa: PLR2004 - before 1954
        ),
        "710319/2745",
        "710319/2746",
        alone="999999/9999",
        labels="rodne cislo|rodn\u00e9 \u010d\u00edslo|rc|r \u010d|rod cislo|rodneho cisla"
        "|rodn\u00e9ho \u010d\u00edsla",
    ),
    _row(
        "hu_tax_id",
        "tax id, Hungary",
        "9999999999",
        _all(_like("8[0-9]{9}"), _weighed("1 2 3 4 5 6 7 8 9", "0123456789?")),
        "8071592153",
        "8071592154",
        labels="adoazonosito|ad\u00f3azonos\u00edt\u00f3|adoazonosito jel"
        "|ad\u00f3azonos\u00edt\u00f3 jel|ad\u00f3sz\u00e1m|adoszam",
    ),
    _row(
        "hu_taj",
        "social security number, Hungary",
        "999999999|999-999-999|999 999 999",
        _weighed("3 7 3 7 3 7 3 7", "0123456789"),
        "123 456 788",
        "123 456 789",
        labels="taj|taj szam|taj sz\u00e1m|tajszam",
    ),
    _row(
        "hu_personal_number",
        "personal number, Hungary",
        "99999999999|9 999999 9999",
        _all(_like("[1-8][0-9]{10}"), _born("yymmdd", at=1)),
        "1-551019-7860",
        "1-559919-7860",
        alone="9-999999-9999",
        labels="szemelyi szam|szem\u00e9lyi sz\u00e1m|szem\u00e9lyi azonos\u00edt\u00f3",
    ),
    _row(
        "ro_cnp",
        "personal code, Romania",
        "9999999999999",
        _all(_born("yymmdd", at=1), _weighed("2 7 9 1 4 6 3 5 8 2 7 9", "01234567891")),
        "1800101221144",
        "1800101221145",
        labels="cnp|cod numeric personal",
    ),
    _row(
        "bg_egn",
        "citizen number, Bulgaria",
        "9999999999",
        _all(_born("yymmdd", months=(0, 20, 40)), _weighed("2 4 8 5 10 9 7 3 6", "01234567890")),
        "7523169263",
        "7523169264",
        labels="egn|\u0435\u0433\u043d",
    ),
    _row(
        "hr_oib",
        "personal number, Croatia",
        "99999999999",
        passes_iso_7064,
        "33392005961",
        "33392005962",
        labels="oib|osobni identifikacijski broj",
    ),
    _row(
        "jmbg",
        "citizen number, Serbia, Slovenia and their neighbours",
        "9999999999999",
        _JMBG,
        "0101006500006",
        "0101006500007",
        labels="jmbg|emso|em\u0161o|\u0458\u043c\u0431\u0433|maticni broj|mati\u010dni broj|embg",
    ),
    _row(
        "gr_amka",
        "social security number, Greece",
        "",
        _all(_born("ddmmyy"), passes_luhn),
        "01013099997",
        "01013099998",
        alone="99999999999",
        labels="amka|\u03b1\u03bc\u03ba\u03b1",
    ),
    _row(
        "gr_afm",
        "tax number, Greece",
        "999999999",
        _weighed("256 128 64 32 16 8 4 2", "01234567890"),
        "094259216",
        "094259217",
        labels="afm|\u03b1\u03c6\u03bc",
    ),
    _row(
        "tr_identity",
        "identity number, Turkey",
        "",
        _all(_like("[1-9][0-9]{10}"), _turkish),
        "17291716060",
        "17291716061",
        alone="99999999999",
        labels="tc kimlik|kimlik no|tckn|t c kimlik no|tc kimlik no|tc no|kimlik numarasi"
        "|kimlik numaras\u0131|tc kimlik numarasi",
    ),
    _row(
        "ru_snils",
        "insurance number, Russia",
        "99999999999|999-999-999-99",
        _snils,
        "112-233-445 95",
        "112-233-445 96",
        alone="999-999-999 99",
        labels="snils|\u0441\u043d\u0438\u043b\u0441",
    ),
    _row(
        "ru_inn",
        "taxpayer number, Russia",
        "9999999999|999999999999",
        lambda value: (_INN_10 if len(value) == 10 else _INN_12)(value),  # noqa: PLR2004 - companies, people
        "500100732259",
        "500100732250",
        labels="\u0438\u043d\u043d",
        ambiguous="inn",
    ),
    _row(
        "ua_rnokpp",
        "taxpayer number, Ukraine",
        "9999999999",
        _weighed("-1 5 7 9 4 6 10 5 7", "01234567890"),
        "1759013776",
        "1759013777",
        labels="rnokpp|\u0440\u043d\u043e\u043a\u043f\u043f|\u0456\u043f\u043d|ipn",
    ),
    _row(
        "il_identity",
        "identity number, Israel",
        "999999999|99999999-9",
        passes_luhn,
        "123456782",
        "123456783",
        labels="teudat zehut|\u05ea\u05e2\u05d5\u05d3\u05ea \u05d6\u05d4\u05d5\u05ea|\u05ea\u05d6|israeli id",
    ),
)

_AMERICA_AFRICA = (
    _row(
        "us_ssn",
        "social security number, United States",
        "999-99-9999|999 99 9999|999999999",
        _like("(?!000|666)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}"),
        "536-22-8714",
        "000-22-8714",
        labels="ssn|social security|social security number|social security no|itin|ss number|ssn itin|socialsecurity",
    ),
    _row(
        "us_ein",
        "employer number, United States",
        "99-9999999|999999999",
        _no_check,
        "12-3456789",
        "12-345678",
        labels="ein|employer identification number|fein",
        ambiguous="",
    ),
    _row(
        "ca_sin",
        "insurance number, Canada",
        "999999999|999 999 999|999-999-999",
        passes_luhn,
        "130 692 544",
        "130 692 545",
        labels="social insurance|social insurance number|social insurance no|numero d assurance sociale"
        "|assurance sociale|nas",
        ambiguous="sin",
    ),
    _row(
        "br_cpf",
        "taxpayer number, Brazil",
        "999999999-99|999 999 999 99",
        _CPF,
        "529.982.247-25",
        "529.982.247-26",
        alone="999.999.999-99|99999999999",
        labels="cpf|cpf cnpj|cpf numero",
    ),
    _row(
        "br_cnpj",
        "company number, Brazil",
        "99999999999999",
        _CNPJ,
        "11.222.333/0001-81",
        "11.222.333/0001-82",
        alone="99.999.999/9999-99",
        labels="cnpj",
    ),
    _row(
        "br_other",
        "identity, worker and health numbers, Brazil",
        "99.999.999-9|99.999.999-A|999999999|999.99999.99-9|99999999999|999 9999 9999 9999"
        "|999999999999999|999999999999",
        _no_check,
        "12.345.678-9",
        "12.345",
        labels="pis|pasep|pis pasep|nis|cnh|titulo de eleitor|t\u00edtulo de eleitor|rg|cartao sus|cns",
    ),
    _row(
        "ar_cuit",
        "tax number, Argentina",
        "99999999999|99 99999999 9",
        _weighed("5 4 3 2 7 6 5 4 3 2", "0?987654321"),
        "20-12345678-6",
        "20-12345678-5",
        alone="99-99999999-9",
        labels="cuit|cuil|cuit cuil",
    ),
    _row(
        "ar_dni",
        "identity number, Argentina, and document numbers of Peru, Colombia, Ecuador, Uruguay, Venezuela",
        "99.999.999|99999999|9999999|9.999.999|9999999999|9.999.999.999|999999999|9.999.999-9",
        _no_check,
        "12.345.678",
        "12.345",
        labels="dni|cedula|c\u00e9dula|cedula de ciudadania|c\u00e9dula de ciudadan\u00eda"
        "|documento de identidad|cedula de identidad"
        "|c\u00e9dula de identidad|numero de documento|n\u00famero de documento|documento|tarjeta de identidad|ruc|nit",
    ),
    _row(
        "cl_rut",
        "identity number, Chile",
        "99999999-9|99999999-A|9999999-9|9999999-A|999999999|99999999A",
        _chilean,
        "12.345.678-5",
        "12.345.678-6",
        alone="99.999.999-9|99.999.999-A|9.999.999-9|9.999.999-A",
        labels="rut|run|rut numero",
    ),
    _row(
        "mx_curp",
        "population code, Mexico",
        "",
        _all(_like(r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9]"), _born("yymmdd", at=4), _mexican),
        "HEGG560427MVZRRL04",
        "HEGG560427MVZRRL05",
        alone="AAAA999999AAAAAA99|AAAA999999AAAAAAA9",
        labels="curp",
    ),
    _row(
        "mx_rfc",
        "tax code, Mexico",
        "AAAA999999AAA|AAAA999999AA9|AAAA999999A99|AAAA9999999A9|AAAA9999999AA|AAAA99999999A|AAAA999999999|AAA999999AA9"
        "|AAA999999A99|AAA999999999|AAA9999999A9|AAA999999AAA",
        _no_check,
        "GODE561231GR8",
        "GODE5612",
        labels="rfc",
    ),
    _row(
        "mx_nss",
        "social security number, Mexico",
        "99999999999|99 99 99 9999 9",
        passes_luhn,
        "96535128357",
        "96535128356",
        labels="nss|imss|numero de seguridad social|seguro social|n\u00famero de seguro social|seguridad social",
    ),
    _row(
        "za_identity",
        "identity number, South Africa",
        "999999 9999 999|999999 9999 99 9",
        _all(_born("yymmdd"), passes_luhn, _like("[0-9]{10}[012][89][0-9]")),
        "8001015009087",
        "8001015009088",
        alone="9999999999999",
        labels="sa id|rsa id|south african id",
    ),
    _row(
        "eg_ng_identity",
        "identity numbers of Egypt, Nigeria and Kenya",
        "99999999999999|99999999999|99999999",
        _no_check,
        "29001011234567",
        "2900",
        labels="\u0627\u0644\u0631\u0642\u0645 \u0627\u0644\u0642\u0648\u0645\u064a|nin|bvn|huduma",
    ),
)

_ASIA_PACIFIC = (
    _row(
        "au_tfn",
        "tax file number, Australia",
        "999999999|999 999 999|999-999-999|99999999",
        _sums_to_zero("1 4 3 7 5 8 6 9 10", 11),
        "123 456 782",
        "123 456 783",
        labels="tfn|tax file number|tax file no",
    ),
    _row(
        "au_medicare",
        "Medicare number, Australia",
        "9999999999|9999 99999 9|9999 99999 9/9|99999999999|9999-99999-9",
        _all(_like("[2-6][0-9]{9,10}"), _cut(9, _weighed("1 3 7 9 1 3 7 9", "0123456789"))),
        "2123 45670 1",
        "2123 45671 1",
        labels="medicare|medicare number|medicare no|medicare card",
    ),
    _row(
        "au_abn",
        "business number, Australia",
        "99999999999|99 999 999 999",
        _australian_business,
        "51 824 753 556",
        "51 824 753 557",
        labels="abn|australian business number",
    ),
    _row(
        "nz_ird",
        "tax number, New Zealand",
        "99-999-999|999-999-999|99999999|999999999|999 999 999|99 999 999",
        _new_zealand,
        "49-091-850",
        "49-091-851",
        labels="ird|ird number|ird no",
    ),
    _row(
        "in_aadhaar",
        "Aadhaar, India",
        "999999999999|9999 9999 9999|9999-9999-9999",
        _all(_like("[2-9][0-9]{11}"), passes_verhoeff),
        "2341 2341 2346",
        "2341 2341 2347",
        labels="aadhaar|aadhar|adhaar|aadhaar number|aadhaar no|aadhar card|uidai|\u0906\u0927\u093e\u0930",
    ),
    _row(
        "in_pan",
        "tax number, India",
        "",
        _like("[A-Z]{3}P[A-Z][0-9]{4}[A-Z]"),
        "ABCPE1234F",
        "ABCXE1234F",
        alone="AAAAA9999A",
        labels="pan card|pan number|pan no",
        ambiguous="pan",
    ),
    _row(
        "cn_resident",
        "resident number, China",
        "",
        _all(
            _like("[1-8][0-9]{5}(?:19|20)[0-9]{9}[0-9X]"),
            _born("yyyymmdd", at=6),
            _weighed("7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2", "10X98765432"),
        ),
        "11010519491231002X",
        "110105194912310021",
        alone="999999999999999999|99999999999999999A",
        labels="\u8eab\u4efd\u8bc1|\u8eab\u5206\u8b49|\u8eab\u4efd\u8bc1\u53f7|shenfenzheng",
    ),
    _row(
        "hk_identity",
        "identity card, Hong Kong",
        "A9999999|AA9999999|A999999A|AA999999A",
        _hong_kong,
        "A123456(3)",
        "A123456(4)",
        alone="A999999(9)|A999999(A)|AA999999(9)|AA999999(A)",
        labels="hkid|hkid number|hong kong id",
    ),
    _row(
        "tw_identity",
        "identity number, Taiwan",
        "",
        _all(_like("[A-Z][1289][0-9]{8}"), _taiwanese),
        "A123456789",
        "A123456788",
        alone="A999999999",
        labels="\u8eab\u5206\u8b49\u5b57\u865f|\u8eab\u4efd\u8b49",
    ),
    _row(
        "kr_rrn",
        "registration number, Korea",
        "9999999999999",
        _all(_born("yymmdd"), _like("[0-9]{6}[1-8][0-9]{6}")),
        "800101-1234567",
        "801301-1234567",
        alone="999999-9999999",
        labels="rrn|\uc8fc\ubbfc\ub4f1\ub85d\ubc88\ud638|\uc8fc\ubbfc\ubc88\ud638|resident registration number",
    ),
    _row(
        "jp_my_number",
        "My Number, Japan",
        "999999999999|9999 9999 9999|9999-9999-9999",
        _weighed("6 5 4 3 2 7 6 5 4 3 2", _TO_ZERO),
        "123456789018",
        "123456789019",
        labels="my number|mynumber|\u30de\u30a4\u30ca\u30f3\u30d0\u30fc|\u500b\u4eba\u756a\u53f7",
    ),
    _row(
        "sg_nric",
        "identity number, Singapore",
        "",
        _singaporean,
        "S1234567D",
        "S1234567A",
        alone="A9999999A",
        labels="nric|fin|nric fin|nric number",
    ),
    _row(
        "my_mykad",
        "identity number, Malaysia",
        "999999999999|999999 99 9999",
        _born("yymmdd"),
        "800101-14-5555",
        "801301-14-5555",
        alone="999999-99-9999",
        labels="mykad|ic number|ic no|nric|no kp|kad pengenalan",
    ),
    _row(
        "th_identity",
        "identity number, Thailand",
        "9999999999999|9 9999 99999 99 9",
        _weighed("13 12 11 10 9 8 7 6 5 4 3 2", "10987654321"),
        "1-2345-67890-12-1",
        "1-2345-67890-12-2",
        alone="9-9999-99999-99-9",
        labels="\u0e1a\u0e31\u0e15\u0e23\u0e1b\u0e23\u0e30\u0e0a\u0e32\u0e0a\u0e19"
        "|\u0e40\u0e25\u0e02\u0e1b\u0e23\u0e30\u0e08\u0e33\u0e15\u0e31\u0e27",
    ),
    _row(
        "id_nik",
        "identity number, Indonesia",
        "9999999999999999",
        _born("ddmmyy", at=6, days=(0, 40)),
        "3171011708450001",
        "3171019908450001",
        labels="nik|no ktp|ktp|nomor ktp|nomor induk kependudukan",
    ),
    _row(
        "ph_vn_identity",
        "identity numbers of the Philippines and Vietnam",
        "99-9999999-9|9999-9999999-9|9999999999|999-999-999|999-999-999-999|99-999999999-9|999999999999|999999999",
        _no_check,
        "34-1234567-8",
        "34-1234",
        labels="sss|sss number|gsis|philhealth|philsys|cccd|cmnd|can cuoc|c\u0103n c\u01b0\u1edbc",
    ),
    _row(
        "ae_identity",
        "identity number, Emirates",
        "999999999999999|999 9999 9999999 9",
        _all(_like("784[0-9]{12}"), passes_luhn),
        "784-1980-1234567-8",
        "784-1980-1234567-0",
        alone="999-9999-9999999-9",
        labels="emirates id|eid number",
    ),
    _row(
        "sa_identity",
        "identity number, Saudi Arabia",
        "9999999999",
        _all(_like("[12][0-9]{9}"), passes_luhn),
        "1000000008",
        "1000000009",
        labels="iqama|iqama number|\u0631\u0642\u0645 \u0627\u0644\u0647\u0648\u064a\u0629"
        "|\u0627\u0644\u0647\u0648\u064a\u0629",
    ),
    _row(
        "pk_cnic",
        "identity number, Pakistan",
        "9999999999999",
        _no_check,
        "42101-1234567-1",
        "42101-1234567",
        alone="99999-9999999-9",
        labels="cnic|nadra|nicop",
    ),
)

NATIONAL_IDS: tuple[NationalId, ...] = (*_EUROPE, *_AMERICA_AFRICA, *_ASIA_PACIFIC)


def _by_form(rows: Iterable[tuple[str, NationalId]]) -> dict[str, tuple[NationalId, ...]]:
    """Index rows by form."""
    found: dict[str, tuple[NationalId, ...]] = {}
    for form, row in rows:
        found[form] = (*found.get(form, ()), row)
    return found


BY_FORM = _by_form((form, row) for row in NATIONAL_IDS for form in row.forms)
BY_FORM_ALONE = _by_form((form, row) for row in NATIONAL_IDS for form in row.alone)


def holds(row: NationalId, value: str) -> bool:
    """Tell whether the check digit of a value in one of the row's forms is right."""
    digits = compact(value)
    return len(set(digits)) > 2 and row.check(digits)  # noqa: PLR2004 - one digit repeated is filler


def _branches(forms: Iterable[str]) -> str:
    """Write forms as one expression that shares their beginnings, the longest first."""
    following: dict[str, list[str]] = {}
    for form in forms:
        if form:
            following.setdefault(form[0], []).append(form[1:])
    signs = {"9": "[0-9]", "A": "[A-Za-z]", " ": "[ \u00a0]"}
    parts = [signs.get(sign, re.escape(sign)) + _branches(rest) for sign, rest in following.items()]
    if not parts:
        return ""
    joined = parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"
    return f"(?:{joined})?" if "" in forms else joined


def expression_for(forms: Iterable[str]) -> str:
    """Write an expression that matches every form."""
    return _branches(sorted(set(forms), key=lambda form: (-len(form), form)))
