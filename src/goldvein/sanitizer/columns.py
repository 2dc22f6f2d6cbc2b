"""What the name of a column says about the cells under it: a secret, or someone's data. `cells.py` reads the tables.

A cell must look like a secret, unless the table lists logins; someone's data counts if it has the form of what the name
says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from goldvein.sanitizer import personal
from goldvein.sanitizer.checks import is_filler, is_numbered_words, remembered
from goldvein.sanitizer.context import Strength, can_be_secret, classify_name
from goldvein.sanitizer.labels import BIRTH, OTHER, PHONE, label_in
from goldvein.sanitizer.matching import Match

MAX_HEAD_CHARS = 48
MAX_CELL_CHARS = 64
MIN_PASSWORD_CHARS = 4
MIN_PHONE_DIGITS = 6
MIN_COLUMNS = 2

_HEAD = re.compile(r"[^\W\d][\w .()/#-]{0,47}\Z")
_LOGIN_HEAD = re.compile(r"(?i)(?:user|login|email|e-mail|account|benutzer|usuario|host|name|url)")
_SYMBOLS = frozenset("#^!%*+?@~&")
_MARKS = " \t\r\"'`*"
_PHONE = re.compile(r"[+(]{0,2}[0-9][0-9 ().\u00a0/-]{4,24}(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6})?")
_WRITTEN_DAY = re.compile(r"[\w ,.'/-]{0,24}(?:19|20)[0-9]{2}[\w ,./:-]{0,24}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Which columns hold what, by their place: secrets of a strength, data of people under labels."""

    secrets: Mapping[int, Strength]
    people: Mapping[int, frozenset[str]]
    logins: bool = False
    places: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """List the places once: each row asks for them."""
        object.__setattr__(self, "places", tuple(sorted(self.secrets.keys() | self.people.keys())))

    def __bool__(self) -> bool:
        """Tell whether there is anything to judge."""
        return bool(self.places)

    def without_secrets(self) -> "Columns":
        """Give what still holds from a row on that has more cells than there are names.

        Secrets end there, since it may be no row; data of people has a form of its own.
        """
        return replace(self, secrets={}) if self.secrets else self

    def judge(self, place: int, written: str, start: int) -> Iterator[Match]:
        """Yield a cell if it is what its column says."""
        value = written.strip(_MARKS)
        start += len(written) - len(written.lstrip(_MARKS))
        strength, kinds = self.secrets.get(place), self.people.get(place)
        if strength is not None and _is_secret_cell(value, strength, alike=self.logins):
            yield Match(strength.value, start, start + len(value), "table_cell", "medium")
        if kinds is not None:
            yield from _persons(value, start, kinds)

    def judge_value(self, place: int, written: str, start: int, *, quoted: bool) -> Iterator[Match]:
        """Yield a value of an INSERT if it is what its column says; a secret stands in quotes."""
        strength, kinds = self.secrets.get(place), self.people.get(place)
        if strength is not None and quoted and can_be_secret(written, strength, quoted=True):
            yield Match(strength.value, start, start + len(written), "sql_insert", "medium")
        if kinds is not None:
            value = written.strip()
            yield from _persons(value, start + len(written) - len(written.lstrip()), kinds)


def columns_of_table(names: Sequence[str], *, secrets: bool, people: bool) -> Columns:
    """Tell what stands under the names of a table: which of both is looked for."""
    return _columns(tuple([name.strip(_MARKS) for name in names]), secrets, people)


@remembered
def _columns(stripped: tuple[str, ...], secrets: bool, people: bool) -> Columns:
    if sum(map(bool, stripped)) < MIN_COLUMNS:
        return Columns(secrets={}, people={})
    return Columns(
        secrets=_strengths(stripped) if secrets else {},
        people=_labels(stripped) if people else {},
        logins=any(_LOGIN_HEAD.match(name) for name in stripped),
    )


def columns_of_insert(names: Sequence[str]) -> Columns:
    """Tell what stands under the names that an SQL statement lists before its values."""
    stripped = [name.strip(" \t\r\n\"'`[]") for name in names]
    said = ((place, classify_name(name)) for place, name in enumerate(stripped))
    return Columns(
        secrets={place: strength for place, strength in said if strength is not None}, people=_labels(stripped)
    )


def secret_pairs(cells: Sequence[tuple[str, int]]) -> Iterator[Match]:
    """Read cells, each with where it begins, as names with their secrets behind them."""
    for (name, _), (value, start) in pairwise(cells):
        strength = _strength(name.strip(_MARKS))
        if strength is not None:
            yield from Columns(secrets={0: strength}, people={}).judge(0, value, start)


def _labels(names: Sequence[str]) -> dict[int, frozenset[str]]:
    """Tell which columns hold data of people."""
    found = ((place, label_in(name)) for place, name in enumerate(names) if len(name) <= MAX_CELL_CHARS)
    return {place: kinds for place, kinds in found if kinds and OTHER not in kinds}


def _strengths(names: Sequence[str]) -> dict[int, Strength]:
    """Tell which columns hold secrets."""
    found = ((place, _strength(name)) for place, name in enumerate(names))
    return {place: strength for place, strength in found if strength is not None}


def _strength(name: str) -> Strength | None:
    """Classify a name of a few words."""
    if len(name) > MAX_HEAD_CHARS or not _HEAD.match(name):
        return None
    return classify_name(name.rstrip(":").replace(" ", "_"))


def _is_secret_cell(value: str, strength: Strength, *, alike: bool) -> bool:
    """Tell a secret from a type, a remark and a number; among logins, any word can be a password."""
    if any(sign in value for sign in " (<{$[") or len(value) < MIN_PASSWORD_CHARS or is_filler(value):
        return False
    if not can_be_secret(value, strength, quoted=True):
        return False
    if alike and strength is Strength.PASSWORD:
        return True
    telling = any(character.isdigit() or character in _SYMBOLS for character in value)
    return telling and not (is_numbered_words(value) and value.isalnum())


def _persons(value: str, start: int, kinds: frozenset[str]) -> Iterator[Match]:
    """Yield a value if it has the form of its column."""
    found = _type_of(value, kinds) if value and len(value) <= MAX_CELL_CHARS else None
    if found is not None:
        yield Match(found, start, start + len(value), "table_column", "high")


def _type_of(value: str, kinds: frozenset[str]) -> str | None:
    """Tell what a value is under these labels; nothing if its form is another."""
    if PHONE in kinds:
        is_phone = _PHONE.fullmatch(value) and sum(sign.isdigit() for sign in value) >= MIN_PHONE_DIGITS
        return "phone" if is_phone else None
    if BIRTH in kinds:
        return (
            "birth_date" if _WRITTEN_DAY.fullmatch(value) or (value[:1].isdigit() and personal.is_date(value)) else None
        )
    return "national_id" if personal.is_national_id(value, kinds) else None
