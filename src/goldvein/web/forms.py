"""What browsers send in forms, read into values. Everything in a form is text, and an empty field means none."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from fastapi import Form
from pydantic import BaseModel

from goldvein.db.ids import is_id
from goldvein.errors import InvalidField, NotFound

_MOST_DIGITS: Final = 9
Text = Annotated[str, Form()]


@dataclass(frozen=True, kw_only=True, slots=True)
class FilledForm:
    """A form as it is shown: what was typed, and what is wrong at which field."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """What stands in a field; nothing when it was not filled."""
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        """What is wrong with a field; nothing when it is right."""
        return self.errors.get(name, "")


class SentForm(BaseModel):
    """A form of several fields as a browser sent it. A field it did not send is empty."""

    def typed(self) -> dict[str, str]:
        """The texts by field, as they were typed."""
        return {name: plain(value) for name, value in self.model_dump().items() if isinstance(value, str)}


def refused(values: dict[str, str], error: InvalidField) -> FilledForm:
    """The form with what was typed and the message at its field."""
    return FilledForm(values=values, errors={error.field: error.reason})


def plain(text: str) -> str:
    """A text as it was typed: browsers send every line end of a text area as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def whole_number(field_name: str, text: str) -> int | None:
    """A whole number, or None for an empty field; InvalidField for anything else."""
    text = text.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise InvalidField(field=field_name, reason="a whole number, or empty")
    return int(text)


def revision_of(text: str) -> int:
    """The revision a form was made from. Every form that changes something carries one."""
    revision = whole_number("revision", text)
    if revision is None:
        raise InvalidField(field="revision", reason="missing; open the page again")
    return revision


def count_in(text: str) -> int:
    """A count for display; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def end_of_day(field_name: str, text: str) -> datetime | None:
    """The end of a day (UTC) typed as 2026-11-21, or None for an empty field."""
    if not text.strip():
        return None
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").date()  # noqa: DTZ007 (a day, made a moment below)
        return datetime.combine(day, time.min, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidField(field=field_name, reason="a day such as 2027-01-31, or empty") from None


def day_of(field_name: str, text: str) -> date:
    """A day typed as 2026-11-21."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidField(field=field_name, reason="a day such as 2027-01-31") from None


def need_id(text: str, what: str) -> str:
    """The text when it has the form of an id; otherwise there is no such thing."""
    if not is_id(text):
        raise NotFound(what=what)
    return text
