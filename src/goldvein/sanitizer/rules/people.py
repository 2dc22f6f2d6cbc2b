"""Data of people: addresses, numbers that are theirs, documents, days of birth."""

import string

from goldvein.sanitizer.national_ids import BY_FORM, BY_FORM_ALONE, expression_for
from goldvein.sanitizer.personal import IBAN_COUNTRIES
from goldvein.sanitizer.rules.rule import shape

_BLANK = " \u00a0\u2009\u202f"
_DASH = r"\u2010-\u2013-"
_EXTENSION = r"(?:[ ,;]{0,2}(?:x|ext\.?|extension|\#|poste|int\.|wew\.|klapka|\u0434\u043e\u0431\.?)[ .:]?[0-9]{1,6})?"
_NO_NUMBER_BEFORE = r"(?<![\w.+/-])(?<![0-9]{2}[ ])"
# Forms that phone numbers have and hardly anything else, of countries that begin them with a nought or a bracket.
_WRITTEN_PHONES = (
    r"0[1-9](?:[ .-][0-9]{2}){4}",
    r"\(0[0-9]{1,5}\)[ /-]{0,2}[0-9]{2,5}(?:[ -]?[0-9]{2,5}){1,3}",
    r"0[1-9][0-9]{1,4}[ ]?/[ ]?[0-9]{3,5}[ -]?[0-9]{2,5}",
    r"0[1-9][0-9]{2,3}[ ][0-9]{6,8}",
    r"0[1-9][0-9]{2,3}[ ][0-9]{3}[ ][0-9]{3,4}",
    r"0[1-9][0-9]?[ ][0-9]{4}[ ][0-9]{4}",
    r"0[1-9][0-9]?[ ][0-9]{3}[ ][0-9]{3,4}",
    r"0[1-9][0-9]{0,2}-[0-9]{3,4}-[0-9]{4}",
    r"0[1-9][0-9]{0,2}-[1-9][0-9]{5,7}",
    r"0[1-9][0-9]{0,2}-[0-9]{2,3}[ ][0-9]{2,3}[ ][0-9]{2}(?:[ ][0-9]{2})?",
    r"0[1-9][0-9]{1,2}[ ][0-9]{3}[ -][0-9]{2}[ -][0-9]{2}",
    r"\([1-9][0-9]\)[ ]?9?[0-9]{4}[- ][0-9]{4}",
    r"\([2-9][0-9]{2}\)[ ]?[2-9][0-9]{2}[-. ][0-9]{4}",
    r"\([1-9][0-9]{2}\)[ ]?[0-9]{3}-[0-9]{2}-[0-9]{2}",
    r"(?:1-)?[2-9][0-9]{2}-[0-9]{3}-[0-9]{4}",
    r"(?:1\.)?[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4}",
    r"8[ -]?\(?[1-9][0-9]{2}\)?[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}",
    r"1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4}",
    r"[67][0-9]{2}(?:[ ][0-9]{2}){3}",
)
# A day, numbers only: 1985-03-12, 12.3.1985, 12/03/85, 19850312 and with the signs of East Asia.
_NUMERIC_DATE = (
    r"(?:(?:19|20)[0-9]{2}(?:-[01]?[0-9]-[0-3]?[0-9]|/[01]?[0-9]/[0-3]?[0-9]|\.[ ]?[01]?[0-9]\.[ ]?[0-3]?[0-9]"
    r"|[01][0-9][0-3][0-9]|[\u5e74\ub144][ ]?[01]?[0-9][\u6708\uc6d4][ ]?[0-3]?[0-9][\u65e5\uc77c])"
    r"|[0-3]?[0-9](?:-[0-3]?[0-9]-|/[0-3]?[0-9]/|\.[ ]?[0-3]?[0-9]\.[ ]?|[ ][0-3]?[0-9][ ])"
    r"(?:(?:19|20)[0-9]{2}|[0-9]{2}))"
    r"(?:T[0-9][0-9:.]{4,16}Z?)?(?![\w]|[-/.][0-9]|[ ][0-9]{1,2}:)"
)
_WRITTEN_DATE = (
    r"(?:[0-3]?[0-9](?:st|nd|rd|th|er|\.|\u00ba)?[ -](?:de[ ]|of[ ])?[^\W\d_]{3,12}\.?,?[ -]"
    r"(?:de[ ]|del[ ])?(?:19|20)[0-9]{2}|[^\W\d_]{3,12}\.?[ ][0-3]?[0-9](?:st|nd|rd|th)?,?[ ](?:19|20)[0-9]{2})(?![\w])"
)
_BIRTH_WORDS = (
    r"(?:(?<![^\W_])(?:born|dob|bday|geb\.|n\u00e9e?[ ]le|nat[oa][ ]il)"
    r"|birth|geboren|geburt\w{2,6}|geboortedatum|naissance|nacimiento|nacid[oa]|nascid[oa]|nascimento|data di nascita"
    r"|f\u00f6dd|f\u00f6delsedatum|f\u00f8dt|f\u00f8dselsdato|syntynyt|syntym\u00e4aika|urodz\w{2,6}|narozen\w{0,2}"
    r"|sz\u00fclet\w{2,6}|tarihi|data na\u0219terii)"
)
# Told by their names: what stands between name and value, and the words for "number".
_NUMBER_WORD = r"(?:[ _.-]{0,2}(?:numbers?|num|nummer|no|nr|n[\u00ba\u00b0o]|\#|num[e\u00e9]ro|n[u\u00fa]mero)\.?){0,2}"
_TELLS = _NUMBER_WORD + r"\\?[\"'`]?[ \t]{0,4}(?:is|was|ist|est|es|:|=|-|\#)?[ \t]{0,4}\\?[\"'`]?"
_ACCOUNT_WORDS = (
    r"(?:bank[ _-]?)?(?:account|acct)[ _-]?(?:number|num|no|nr|\#)|sort[ _-]?code|routing[ _-]?(?:number|no|\#)"
    r"|(?:aba|ach)[ _-](?:number|no|routing)|bsb|blz|bankleitzahl|konto(?:nummer|[ -]?nr)"
    r"|rekeningnummer|num[e\u00e9]ro de compte|n[u\u00fa]mero de cuenta|clabe|cbu|conta corrente|numer konta|rachunek"
    r"|\u00edslo \u00fa\u010dtu|cislo uctu|sz\u00e1mlasz\u00e1m|hesap no|tilinumero|ifsc"
)
_DOCUMENT_WORDS = (
    r"passports?|passeport|reisepass(?:nummer)?|pasaporte|passaporto|passaporte|paspoort(?:nummer)?|"
    r"paszport\w{0,2}|passi?nummer"
    r"|driv(?:ing|er'?s?)[ _-]?licen[cs]e|f\u00fchrerschein(?:nummer)?|permis de conduire|patente di guida"
    r"|carnet de conducir|rijbewijs(?:nummer)?|prawo jazdy|k\u00f6rkort|personalausweis(?:nummer)?|ausweisnummer"
)

PERSONAL = (
    shape(
        "email",
        "mail address",
        r"(?:(?:(?<=\\[nrtbf])|(?<![\w.%+\\-]))(?:[\w.%+-]|(?<=\w)'(?=\w)){1,64}|"
        r"(?<![\w.%+\\-])\"[^\"\\\n@]{1,64}\")(?:@|"
        r"%40)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,58}[a-z0-9]|[^\W\d_]{2,24})(?![\w-])",
        (),
        "write to bob.k+x@mail.example.org now",
        "see icon@2x.png and git@host.example",
        confirm="email_address",
        family="run",
        locate=r"(?:[\w.%+\x80-\xff-]+(?:'[\w.%+\x80-\xff-]+)?|\"[^\"\n@]+\")(?:@|%40)[\w\x80-\xff?]",
        needs=("@", "%40"),
    ),
    shape(
        "email_spelled",
        "mail address with its signs spelled out",
        r"(?i)\b[\w.+-]{1,64}[ ]{0,2}(?:[\[({<][ ]?at[ ]?[\])}>][ ]{0,2}"
        r"(?:[a-z0-9-]{1,63}[ ]{0,2}(?:[\[({<][ ]?dot[ ]?[\])}>]|"
        r"\.|[ ]dot[ ])[ ]{0,2}){1,4}[a-z]{2,12}"
        r"|[ ]at[ ](?:[a-z0-9-]{1,63}[ ]dot[ ]){1,3}"
        r"(?:com|org|net|edu|gov|info|io|de|fr|es|it|nl|uk|eu|ch|pl|br|jp))(?![\w-])",
        (),
        "write to bob [at] example [dot] org now",
        "look at the dot in example.org",
        kind="email",
        family="run",
        locate=r"(?i)[\w.+-]+[ ]?(?:[ ]?[\[({<][ ]?at[ ]?[\])}>]|[ ]at[ ][a-z0-9-]+[ ]dot[ ])",
        needs=("[at", "(at", "{at", "<at", "[AT", "(AT", "[ at", "( at", " dot "),
    ),
    shape(
        "phone_international",
        "phone number with its country code",
        rf"(?:\+(?<![\w+]\+)\(?[1-9](?:[{_BLANK}().{_DASH}/]{{0,3}}[0-9]){{7,14}}"
        rf"|00(?<![\w.+-]00)(?<![0-9][ ]00)[1-9][0-9]{{0,3}}[{_BLANK}().{_DASH}/]{{1,3}}(?!00)[0-9]"
        rf"(?:[{_BLANK}().{_DASH}/]{{0,3}}[0-9]){{5,12}})"
        rf"{_EXTENSION}(?![\w@])",
        (),
        "call +49 30 5557 4242 now",
        "sum +1 +2 and +1234",
        kind="phone",
        confirm="international_phone",
        family="number",
        heads="+0",
    ),
    shape(
        "pin",
        "PIN or one-time code beside its name",
        r"(?i)(?<![a-z0-9])(?:pin|otp)(?:[_-]?code)?\\{0,7}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,7}[\"']?"
        r"(?P<secret>[0-9]{4,8})(?![\w.-])",
        tuple(
            f"{name}{ending}"
            for name in ("pin", "otp")
            for ending in ('"', "'", "\\", ":", "=", " =", " :", "  ", "\t", " \t", "_code", "-code", "code")
        ),
        '{"pin": 739201}',
        "gpio_pin = 17, spin: 7392 and pin: 2026-11-21",
        confidence="medium",
    ),
    shape(
        "card_security_code",
        "security code of a payment card beside its name",
        r"(?i)(?<![a-z0-9])(?:cvv2?|cvc2?)\\{0,7}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,7}[\"']?"
        r"(?P<secret>[0-9]{3,4})(?![\w.-])",
        ("cvv", "cvc"),
        '{"cvv": 482}',
        "cvv: 48, cvc_length = 3",
        confidence="medium",
    ),
    shape(
        "ssn",
        "social security number of the United States",
        r"[0-9](?<![\w.+-][0-9])[0-9]{2}-[0-9]{2}-[0-9]{4}(?![\w-])",
        (),
        "ssn 536-22-8714 on file",
        "part 000-22-8714 in stock",
        confirm="social_security_number",
        family="number",
        heads=string.digits,
    ),
    shape(
        "phone_written",
        "phone number in a national form that hardly anything else has",
        rf"{_NO_NUMBER_BEFORE}(?:{'|'.join(_WRITTEN_PHONES)}){_EXTENSION}(?![\w@]|[ .-][0-9])",
        (),
        "at (415) 555-2671 today",
        "at 115-555-2671 today",
        kind="phone",
        confirm="written_phone",
        family="number",
        heads="(0123456789",
    ),
    shape(
        "national_id",
        "identity, tax or insurance number of a country, by its form and check digit",
        rf"(?<![\w.-])(?:{expression_for(BY_FORM_ALONE)})(?![\w]|[ .-][0-9])",
        (),
        "lot 811218-9876",
        "lot 811218-9877",
        confirm="national_id",
        family="number",
        heads=string.digits + string.ascii_letters,
    ),
    shape(
        "told_national_id",
        "identity, tax or insurance number of a country, after a word that says so",
        rf"(?<![\w.-])(?:{expression_for(BY_FORM)}|[0-9](?:[ ./-]?[0-9]){{6,14}})(?![\w]|[.-][0-9])",
        (),
        "BSN: 111222333",
        "order: 111222333",
        kind="national_id",
        confirm="told_national_id",
        family="number",
        heads=string.digits + string.ascii_letters,
    ),
    shape(
        "card",
        "payment card number",
        r"[0-9](?<![\w.-][0-9])(?:[0-9]{12,18}|[0-9]{3}(?:[ \u00a0.-][0-9]{4}){3}(?:[ \u00a0.-][0-9]{3})?"
        r"|[0-9]{3}[ \u00a0.-][0-9]{6}[ \u00a0.-][0-9]{4,5}|[0-9]{7}[ -][0-9]{8})(?![\w]|[ -][0-9]{4})",
        (),
        "card 4242 4242 4242 4242 ok",
        "card 4242 4242 4242 4241 no",
        confirm="card_number",
        family="number",
        heads=string.digits,
    ),
    shape(
        "iban",
        "international bank account number",
        r"(?i)(?<![A-Za-z0-9_])(?:"
        + "|".join(
            rf"(?:{'|'.join(sorted(countries))})[0-9]{{2}}(?:[ \u00a0-]?[A-Z0-9]){{{length - 4}}}"
            for length, countries in sorted(IBAN_COUNTRIES.items())
        )
        + r")(?![A-Za-z0-9])",
        (),
        "IBAN DE89 3704 0044 0532 0130 00",
        "IBAN DE88 3704 0044 0532 0130 00",
        confirm="iban",
        family="number",
        heads=string.ascii_letters,
    ),
    shape(
        "phone_national",
        "phone number in any national form, after a word that says so",
        rf"(?i)[(0-9](?<![\w.+-][(0-9])[0-9(){_BLANK}.{_DASH}/]{{5,22}}[0-9]{_EXTENSION}(?![\w@]|[.-][0-9])",
        (),
        "Telefon: 30 5557 4242",
        "order 30 5557 4242",
        kind="phone",
        confirm="national_phone",
        family="number",
        heads="(0123456789",
    ),
    shape(
        "birth_date",
        "day of birth in numbers, after a word that says so",
        rf"(?<![\w.-]){_NUMERIC_DATE}",
        (),
        "dob,plan: 1985-03-12",
        "due,plan: 1985-03-12",
        confirm="birth_date",
        family="number",
        heads=string.digits,
    ),
    shape(
        "told_birth_date",
        "day of birth, written out or in numbers, right after a word that says so",
        rf"(?i){_BIRTH_WORDS}(?:[ _-]?(?:day|date|at|on|am|den|le|el|em|il|dne|dnia))?[^\w]{{0,8}}"
        rf"(?:on|am|den|le|el|em|il|is|dne|dnia|the)?\\?[\"'` \n:=]{{0,4}}(?P<secret>{_WRITTEN_DATE}|{_NUMERIC_DATE})",
        (
            "birth",
            "born",
            "dob",
            "bday",
            "gebor",
            "geb.",
            "geburt",
            "geboortedatum",
            "naissance",
            "n\u00e9",
            "naci",
            "nasc",
            "data di nascita",
            "nato il",
            "nata il",
            "f\u00f6d",
            "f\u00f8d",
            "synty",
            "urodz",
            "naroz",
            "sz\u00fclet",
            "tarihi",
            "data na",
        ),
        "Born: 12 March 1985",
        "Built: 12 March 1985",
        kind="birth_date",
    ),
    shape(
        "bank_account",
        "account number, sort code or routing number, after its name",
        rf"(?i)(?:{_ACCOUNT_WORDS}){_TELLS}(?P<secret>[0-9](?:[ /-]?[0-9]){{5,29}}|[A-Z]{{4}}0[A-Z0-9]{{6}})(?![\w])",
        (
            "account",
            "acct",
            "sort",
            "routing",
            "bsb",
            "blz",
            "bankleitzahl",
            "konto",
            "rekening",
            "num\u00e9ro de c",
            "numero de c",
            "n\u00famero de c",
            "clabe",
            "cbu",
            "conta corrente",
            "numer konta",
            "rachunek",
            "\u00edslo",
            "cislo uctu",
            "sz\u00e1mlasz",
            "hesap no",
            "tilinum",
            "ifsc",
        ),
        "sort code: 12-34-56",
        "source code: 12-34-56",
        confirm="any_number",
        locate=r"(?:aba|ach)[ _-](?:n|r)",
        begins="aba accou acct ach",
    ),
    shape(
        "identity_document",
        "number of a passport, an identity card or a driving licence, after its name",
        rf"(?i)(?:{_DOCUMENT_WORDS}){_TELLS}"
        rf"(?P<secret>(?=[A-Z -]{{0,16}}[0-9](?:[A-Z -]{{0,6}}[0-9]){{3}})[A-Z0-9](?:[ -]?[A-Z0-9]){{5,19}})(?![\w])",
        (
            "passp",
            "passe",
            "reisepass",
            "pasap",
            "passap",
            "paspo",
            "paszp",
            "passi",
            "passn",
            "driv",
            "f\u00fchrers",
            "permis de c",
            "patente di",
            "carnet de c",
            "rijbewijs",
            "prawo jazdy",
            "k\u00f6rkort",
            "personalausw",
            "ausweis",
        ),
        "passport no. X1234567",
        "passport office 42",
        confirm="document_number",
    ),
    shape(
        "ipv4",
        "public IPv4 address",
        r"[0-9](?<![\w.][0-9])(?<![^0-9]-[0-9])[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?!\w|"
        r"-(?![0-9]{1,3}\.[0-9])|\.[0-9])",
        (),
        "from 8.8.4.4 port 53",
        "from 192.168.1.7, version 1.2.3.4 and v4.3.2.1",
        kind="ip_address",
        confirm="public_address",
        family="number",
        heads=string.digits,
    ),
    shape(
        "ipv6",
        "public IPv6 address",
        r"[0-9A-Fa-f](?:(?<![\w:.][0-9A-Fa-f])|"
        r"(?<=IPv6:[0-9A-Fa-f]))[0-9A-Fa-f]{0,3}:(?:[0-9A-Fa-f]{1,4}:){0,6}:?(?:[0-9A-Fa-f]{1,4}"
        r":){0,5}[0-9A-Fa-f]{0,4}(?![\w:])",
        (),
        "from 2a00:1450:4001:82b::200e port 53",
        "at 12:30:45 from fe80::1 and 2001:db8::1",
        kind="ip_address",
        confirm="public_address",
        family="number",
        heads=string.hexdigits,
    ),
)
