"""What the words before a value say that it is: `phone: `, `Rufnummer`, `customer_tel=`, `Numéro de sécurité sociale`.

The words nearest to the value are joined and looked up, one to four at a time, without accents, case and what joins
them: `taxId`, `tax_id` and `TAX ID` are one label. The nearest label counts, so that `phone order id 5550001` is an
order. Words of the table that say something else (`order`, `version`, `bytes`) are there for that reason.
"""

import re
import unicodedata

from goldvein.sanitizer.checks import remembered, words
from goldvein.sanitizer.national_ids import NATIONAL_IDS

MAX_LABEL_CHARS = 56
MAX_WORDS_BETWEEN = 5
MAX_LABEL_WORDS = 4
MIN_COMPOUND_CHARS = 8
MAX_TAIL_CHARS = 4

PHONE, CALL, IDENTITY, BIRTH, OTHER = "phone", "call", "identity", "birth", "other"
IF_IT_HOLDS = "?"
NONE: frozenset[str] = frozenset()

_PHONE_LABELS = """
    phone phones telephone tel tels telno telnr telefon telefone telefono telephones telefoon telefonu telefonnr tlf
    tlfno tlfnr fon fone fono mobile mobil mobiel mobiles mobilni mobilnr mobilenumber mobileno mobileno mob cell
    cellphone cellular celular cellulare celulares cel cell handy handynr natel gsm gsmnr fax faxnr telefax faks
    faxnumber whatsapp whats zap wpp sms msisdn viber rufnummer rufnr durchwahl movil portable phonenumber phoneno
    phonenr telefonnummer telefonszam telszam mobilszam puhelin puh puhelinnumero matkapuhelin gsmnumero komorka
    komorkowy komorkowe kom celefon simi siminumero simnummer kontaktnummer contactnumber contactno contactphone
    landline hotline callback callbacknumber didnumber callerid caller callingnumber fromnumber tonumber cellno hp
    nohp telp telpon telepon ponsel handphone sdt dienthoai didong telefonas telefons talrunis sima simanumer kinito
    tilefono numerodetelephone numerodetelefono numerodetelefone numeroditelefono telnummer telnumber mobielnummer
    gsmnummer mobilnummer mobiltelefon phone1 phone2 ph phno phn tele faxno ntel urgencias emergencycontact
    emergencynumber \u0442\u0435\u043b \u0442\u0435\u043b\u0435\u0444\u043e\u043d
    \u0442\u0435\u043b\u0435\u0444\u043e\u043d\u0443 \u0442\u0435\u043b\u0435\u0444\u043e\u043d\u0430
    \u043c\u043e\u0431\u0438\u043b\u044c\u043d\u044b\u0439 \u043c\u043e\u0431\u0456\u043b\u044c\u043d\u0438\u0439
    \u043c\u043e\u0431 \u0444\u0430\u043a\u0441 \u0441\u043e\u0442\u043e\u0432\u044b\u0439 \u03c4\u03b7\u03bb
    \u03c4\u03b7\u03bb\u03b5\u03c6\u03c9\u03bd\u03bf \u03ba\u03b9\u03bd\u03b7\u03c4\u03bf \u03ba\u03b9\u03bd
"""
# Words that may stand before a phone number and often before something else: it must look more like one.
_CALL_LABELS = """
    call calls called calling ring rang dial dialed dialled reach reached text texted contact contacts kontakt
    kontakte contacto contato contatto appel appeler appelez appelle ruf rufe rufen anrufen ruft chiama chiamare
    chiami llamar llama llame llamada ligar ligue ligacao bel bellen gebeld ringa ringde ring soita soittaa zadzwon
    dzwonic zavolej volat hivjon hivja hiv sunati suna ara arayin
    \u043f\u043e\u0437\u0432\u043e\u043d\u0438\u0442\u0435 \u0437\u0432\u043e\u043d\u0438\u0442\u044c number numbers
    nummer numero numer numara numarasi nr cislo numeri \u043d\u043e\u043c\u0435\u0440
    \u03b1\u03c1\u03b9\u03b8\u03bc\u03bf\u03c2 szam signal telegram messageto mynumber support helpline
    customerservice home work office privat privato dienstlich
"""
_IDENTITY_LABELS = """
    nationalid nationalidentity nationalidnumber nationalidentificationnumber nationalidentitynumber identitynumber
    identificationnumber idnumber personalid personalidnumber personalnumber personalcode citizenid citizennumber
    idcard idcardnumber identitycard taxid taxnumber taxidnumber taxpayerid taxpayernumber taxidentificationnumber
    socialsecurity socialsecuritynumber socialsecurityno socialsecuritynum ssn ssnumber socialinsurancenumber
    governmentid nationalinsurance nationalno nationalnumber insurancenumber personalausweis personalausweisnummer
    ausweisnummer ausweisnr personnummer carteidentite cartedidentite carteidentita cartadidentita numerodidentite
    identitekaart identiteitsnummer documentoidentidade identidade numerodeidentidade numerofiscal identificacion
    numerodeidentificacion kimlik kimliknumarasi nationalidno idno socialno registrationid taxno taxfileno vatid vat
    vatnumber steueridentnummer patientid healthid healthcard healthcardnumber tin
"""
_BIRTH_LABELS = """
    dob dateofbirth birthdate birthday birthdays bday born bornon birth datebirth dobirth dateofborn birthdt geboren
    geborenam geb gebam gebdat geburtsdatum geburtstag geboortedatum geboren geboorte gebdatum naissance
    datedenaissance ne nee nele neele neen datenaissance nato natoil nata natail datadinascita nascita nascimento
    datadenascimento datanascimento nascido nascida nascidoem nascidaem nasc dtnascimento nacimiento fechadenacimiento
    fechanacimiento nacido nacida nacidoel nacidael fnac fechanac cumpleanos aniversario compleanno anniversaire
    geburtsdaten fodd foddden fodelsedatum fodelsedag fodt fodtden fodselsdato fodselsdag syntynyt syntymaaika
    syntymapaiva datumnarozeni narozen narozena narozeni datumnarodenia narodeny dataurodzenia urodzony urodzona
    urodzenia urodzin ur szuletesidatum szuletett szul szulido szuletes datanasterii nascut nascuta nasterii
    dogumtarihi dogum rojstva datumrodenja rodenja rodjenja datumrodjenja gimimodata sunniaeg sunnikuupaev
    dzimsanasdatums tanggallahir lahir tgllahir ngaysinh
    \u0434\u0430\u0442\u0430\u0440\u043e\u0436\u0434\u0435\u043d\u0438\u044f
    \u0440\u043e\u0436\u0434\u0435\u043d\u0438\u044f \u0440\u043e\u0434\u0438\u043b\u0441\u044f
    \u0440\u043e\u0434\u0438\u043b\u0430\u0441\u044c
    \u0434\u0430\u0442\u0430\u0440\u043e\u0436\u0434\u0435\u043d\u0438\u0435
    \u043d\u0430\u0440\u043e\u0434\u0436\u0435\u043d\u043d\u044f
    \u0434\u0430\u0442\u0430\u043d\u0430\u0440\u043e\u0434\u0436\u0435\u043d\u043d\u044f
    \u0434\u0430\u0442\u0430\u043d\u0430\u0440\u0430\u0436\u0434\u0430\u043d\u0435
    \u03b3\u03b5\u03bd\u03bd\u03b7\u03c3\u03b7\u03c2 \u03b3\u03b5\u03bd\u03bd\u03b7\u03b8\u03b7\u03ba\u03b5
"""
_OTHER_LABELS = """
    id ids uid gid pid uuid guid order orders orderid orderno ordernumber bestellung bestellnummer pedido commande
    ordine ref reference referenz case ticket issue invoice invoiceno rechnung factura fattura facture sku upc ean
    gtin isbn issn doi article artikel asin tracking sendung parcel bytes byte size length len count total sum amount
    price preis prix precio prezzo cost eur usd gbp chf time timestamp ts date datum fecha epoch unix ms seconds sec
    duration elapsed offset port version ver release build revision rev commit hash sha md5 checksum crc serial
    serialno serialnumber model part partno partnumber line lines row rows column col page pages chapter section width
    height latitude longitude lat lon lng coordinates score rating value values index idx key bug cve rfc arn aws iam
    account accountid snowflake chat channel guild user userid customer customerid transaction transactionid tx txn
    batch job session request requestid trace span seed random rand zip plz postal postcode postleitzahl cap copyright
    year years range since dfars clause patent seq sequence memory mem heap address addr
    \u0437\u0430\u043a\u0430\u0437 \u0437\u0430\u043a\u0430\u0437\u0430
"""
# Found anywhere, in scripts that put no space between words.
_UNSPACED = {
    PHONE: (
        "\u96fb\u8a71 \u7535\u8bdd \u624b\u673a \u624b\u6a5f \u643a\u5e2f \u4f20\u771f \u50b3\u771f "
        "\u806f\u7d61\u96fb\u8a71 \uc804\ud654 \ud734\ub300 \ud578\ub4dc\ud3f0 \ud734\ub300\ud3f0 "
        "\uc5f0\ub77d\ucc98 \ud329\uc2a4 \u0e42\u0e17\u0e23 \u0e21\u0e37\u0e2d\u0e16\u0e37\u0e2d "
        "\u05d8\u05dc\u05e4\u05d5\u05df \u05e0\u05d9\u05d9\u05d3 \u0647\u0627\u062a\u0641 "
        "\u062c\u0648\u0627\u0644 \u0645\u0648\u0628\u0627\u064a\u0644 \u062a\u0644\u0641\u0646 "
        "\u0645\u0648\u0628\u0627\u06cc\u0644 \u092b\u094b\u0928 \u092e\u094b\u092c\u093e\u0907\u0932 "
        "\u0926\u0942\u0930\u092d\u093e\u0937 \u5fae\u4fe1 \u53f7\u7801 \u865f\u78bc \u756a\u53f7"
    ),
    BIRTH: (
        "\u751f\u5e74\u6708\u65e5 \u8a95\u751f\u65e5 \u51fa\u751f\u65e5\u671f \u751f\u65e5 "
        "\uc0dd\ub144\uc6d4\uc77c \uc0dd\uc77c \u0e27\u0e31\u0e19\u0e40\u0e01\u0e34\u0e14 "
        "\u05ea\u05d0\u05e8\u05d9\u05da \u05dc\u05d9\u05d3\u05d4 "
        "\u0627\u0644\u0645\u064a\u0644\u0627\u062f \u062a\u0648\u0644\u062f \u091c\u0928\u094d\u092e"
    ),
    IDENTITY: (
        "\u8eab\u4efd\u8bc1 \u8eab\u5206\u8b49 \u8eab\u4efd\u8b49 \u793e\u4f1a\u4fdd\u9669 \uc8fc\ubbfc "
        "\u05ea\u05e2\u05d5\u05d3\u05ea \u05d6\u05d4\u05d5\u05ea \u0627\u0644\u0647\u0648\u064a\u0629 "
        "\u0e1a\u0e31\u0e15\u0e23\u0e1b\u0e23\u0e30\u0e0a\u0e32\u0e0a\u0e19"
    ),
    OTHER: ("\u8ba2\u5355 \u8a02\u55ae \u6ce8\u6587 \uc8fc\ubb38"),
}
_COMPOUNDS = {
    PHONE: (
        "telefon",
        "telefoon",
        "telephone",
        "phonenumb",
        "puhelin",
        "handynum",
        "rufnummer",
        "mobilnum",
        "whatsapp",
        "cellphone",
    ),
    BIRTH: ("geburtsdat", "birthdate", "dateofbirth"),
}
_LETTERS_WITHOUT_ACCENT = str.maketrans(
    {
        "\u00f8": "o",
        "\u00d8": "O",
        "\u0142": "l",
        "\u0141": "L",
        "\u0131": "i",
        "\u0111": "d",
        "\u00df": "ss",
        "\u00e6": "ae",
    }
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+")
_LETTER = re.compile(r"[^\W\d_]")
_TAG = re.compile(r"<[^<>]{0,56}>?")
_TWO_LETTERS = re.compile(r"[^\W\d_]{2}")


def _plain(text: str) -> str:
    """Take accents off."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).translate(_LETTERS_WITHOUT_ACCENT)


def _table() -> dict[str, frozenset[str]]:
    """Collect all labels with what they say."""
    said: dict[str, set[str]] = {}
    for kind, listed in (
        (OTHER, _OTHER_LABELS),
        (PHONE, _PHONE_LABELS),
        (CALL, _CALL_LABELS),
        (IDENTITY, _IDENTITY_LABELS),
        (BIRTH, _BIRTH_LABELS),
    ):
        for word in words(listed):
            said.setdefault(_plain(word), set()).add(kind)
    for row in NATIONAL_IDS:
        for label in row.labels:
            said.setdefault(_joined(label), set()).add(row.id)
        for label in row.ambiguous_labels:
            said.setdefault(_joined(label), set()).add(row.id + IF_IT_HOLDS)
    return {label: frozenset(kinds) for label, kinds in said.items()}


def _joined(label: str) -> str:
    """Write a label as it is looked up."""
    return "".join(_WORD.findall(_plain(label))).lower()


_SAID = _table()
# How labels end: most words of a text end otherwise, and need not be looked up.
_TAILS = frozenset(label[-length:] for label in _SAID for length in range(1, MAX_TAIL_CHARS + 1))
_UNSPACED_SAID = {_plain(word): frozenset({kind}) for kind, listed in _UNSPACED.items() for word in listed.split()} | {
    _plain(label): frozenset({row.id})
    for row in NATIONAL_IDS
    for label in row.labels
    if not label.isascii() and ord(label[0]) > 0x590  # noqa: PLR2004 - scripts after Cyrillic and Greek
}
_UNSPACED_WORDS = re.compile("|".join(map(re.escape, sorted(_UNSPACED_SAID, key=len, reverse=True))))


@remembered
def label_before(text: str, start: int) -> frozenset[str]:
    """Tell what the nearest label before a value says: kinds, ids of numbers of countries; nothing if there is none."""
    begin = max(0, start - MAX_LABEL_CHARS)
    window = text[begin:start]
    if not _TWO_LETTERS.search(window):
        return NONE
    line = window.rfind("\n") + 1
    if line and _LETTER.search(_TAG.sub("", window[line:])):
        window = window[line:]  # the line has words of its own
    elif begin and text[begin - 1].isalnum():
        window = window.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return label_in(window)


@remembered
def label_in(window: str) -> frozenset[str]:
    """Tell what the last label of a text says."""
    plain = _plain(window)
    if not plain.isascii():
        unspaced = _UNSPACED_WORDS.findall(plain)
        if unspaced:
            return _UNSPACED_SAID[unspaced[-1]]
    listed = [word.lower() for word in _WORD.findall(plain)]
    for end in range(len(listed), max(0, len(listed) - MAX_WORDS_BETWEEN - 1), -1):
        word = listed[end - 1]
        if word[-MAX_TAIL_CHARS:] in _TAILS:
            for begin in range(max(0, end - MAX_LABEL_WORDS), end):
                found = _SAID.get("".join(listed[begin:end]))
                if found is not None:
                    return found
        if len(word) >= MIN_COMPOUND_CHARS:
            for kind, stems in _COMPOUNDS.items():
                if any(stem in word for stem in stems):
                    return frozenset({kind})
    return NONE
