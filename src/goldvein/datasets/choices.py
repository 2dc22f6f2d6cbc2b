"""What an owner may choose for a dataset, as JSON objects checked field by field. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, TypeVar

import msgspec
import rfc8785

from goldvein.consent.decision import PURPOSES
from goldvein.datasets.selection import DUPLICATES, Filter
from goldvein.datasets.splits import SPLITS, WHOLE
from goldvein.errors import InvalidField
from goldvein.feedback import kinds

MAX_LICENCE_CHARS: Final = 200
MAX_RECIPIENTS_CHARS: Final = 500
MAX_NAMES: Final = 100
_MAX_NAME_CHARS: Final = 200
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")
_TAG = re.compile(r"[a-z](?:[a-z0-9_-]{0,48}[a-z0-9])?")
LATEST: Final = "latest"

Chosen = TypeVar("Chosen")


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a recipient agrees to. `delete_by` is the day on which copies are to be gone; None: no such day.

    `poll_removals`: whoever has a copy asks for removals and takes them out of it.
    """

    licence: str
    allowed_purposes: tuple[str, ...]
    recipients: str
    delete_by: date | None = None
    poll_removals: bool = True


def read_filter(given: Mapping[str, Any]) -> Filter:
    """A filter from the JSON object of the API."""
    chosen = _convert("filter", given, Filter)
    for name in ("sources", "skill_versions", "tools"):
        _check_names(f"filter.{name}", getattr(chosen, name))
    if chosen.sources is not None and not set(chosen.sources) <= set(kinds.SOURCES):
        raise InvalidField(field="filter.sources", reason=f"some of {', '.join(kinds.SOURCES)}")
    for name, least, most in (
        ("min_quality", kinds.MIN_QUALITY, kinds.MAX_QUALITY),
        ("max_redaction_percent", 0, WHOLE),
        ("min_chars", 0, None),
        ("max_chars", 1, None),
        ("max_per_person", 1, None),
        ("max_per_skill_version", 1, None),
        ("max_per_tool", 1, None),
    ):
        _check_number(f"filter.{name}", getattr(chosen, name), least, most)
    if chosen.duplicates not in DUPLICATES:
        raise InvalidField(field="filter.duplicates", reason=f"one of {', '.join(DUPLICATES)}")
    for name in ("created_from", "created_before"):
        at = getattr(chosen, name)
        if at is not None and at.tzinfo is None:
            raise InvalidField(field=f"filter.{name}", reason="a time with its zone (RFC 3339)")
    return chosen


def read_terms(given: Mapping[str, Any]) -> Terms:
    """Terms from the JSON object of the API."""
    terms = _convert("terms", given, Terms)
    for name, text, most in (
        ("licence", terms.licence, MAX_LICENCE_CHARS),
        ("recipients", terms.recipients, MAX_RECIPIENTS_CHARS),
    ):
        if not text.strip() or len(text) > most or not text.isprintable():
            raise InvalidField(field=f"terms.{name}", reason=f"1 to {most} printable characters")
    if not terms.allowed_purposes or not set(terms.allowed_purposes) <= set(PURPOSES):
        raise InvalidField(field="terms.allowed_purposes", reason=f"at least one of {', '.join(PURPOSES)}")
    return terms


def read_shares(given: Mapping[str, Any]) -> dict[str, int]:
    """The share of each split in percent; a split that is not named gets none."""
    shares = _convert("shares", {"shares": dict(given)}, _Shares).shares
    if not set(shares) <= set(SPLITS):
        raise InvalidField(field="shares", reason=f"shares of {', '.join(SPLITS)}")
    if sum(shares.values()) != WHOLE or min(shares.values()) < 0:
        raise InvalidField(field="shares", reason="whole percents from 0 that make 100 together")
    return {split: shares.get(split, 0) for split in SPLITS}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shares:
    shares: dict[str, int]


def as_json(chosen: Filter | Terms) -> dict[str, Any]:
    """The JSON object of a filter or of terms, as it is kept and signed: what was not chosen is left out."""
    given: dict[str, Any] = msgspec.to_builtins(chosen)
    return {name: value for name, value in sorted(given.items()) if value is not None}


def hash_of(document: Mapping[str, Any]) -> str:
    """The sha256 over the canonical JSON (RFC 8785) of a document."""
    return "sha256:" + hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()


def check_slug(slug: str) -> str:
    """A name for addresses and files."""
    if _SLUG.fullmatch(slug) is None:
        raise InvalidField(
            field="slug", reason="1 to 100 of a-z 0-9 . _ -, beginning and ending with a letter or digit"
        )
    return slug


def check_tag(tag: str) -> str:
    """A name for a version; `latest` always is the newest one."""
    if _TAG.fullmatch(tag) is None or tag == LATEST:
        raise InvalidField(
            field="tag", reason=f"1 to 50 of a-z 0-9 _ -, beginning with a letter; {LATEST} moves by itself"
        )
    return tag


def _convert(field: str, given: Mapping[str, Any], kind: type[Chosen]) -> Chosen:
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]  # each of them is a dataclass
    if unknown := sorted(set(given) - known):
        raise InvalidField(field=field, reason=f"{len(unknown)} unknown names; known are {', '.join(sorted(known))}")
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        # The message names the type that was expected and the place, never the value.
        raise InvalidField(field=field, reason=str(error).replace("`", "")) from None


def _check_names(field: str, names: Iterable[str] | None) -> None:
    some = list(names or ())
    if len(some) > MAX_NAMES or not all(1 <= len(name) <= _MAX_NAME_CHARS and name.isprintable() for name in some):
        raise InvalidField(
            field=field, reason=f"at most {MAX_NAMES} names of 1 to {_MAX_NAME_CHARS} printable characters"
        )


def _check_number(field: str, value: int | None, least: int, most: int | None) -> None:
    if value is not None and (value < least or (most is not None and value > most) or value > 2**31 - 1):
        raise InvalidField(field=field, reason=f"a whole number from {least}" + (f" to {most}" if most else ""))


def needed_purposes(purpose: str, terms: Terms) -> list[str]:
    """For what a row must be given: what the dataset is for, and whatever its recipients may do with it."""
    needed = {purpose, *terms.allowed_purposes}
    return [name for name in PURPOSES if name in needed]


def is_past(day: date | None, now: datetime) -> bool:
    """Whether the day is over, in UTC."""
    return day is not None and now.date() > day
