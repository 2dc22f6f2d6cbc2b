"""What the request and response models of all slices share."""

from typing import Annotated, Generic, Self, TypeVar

from fastapi import Header
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from goldvein.errors import InvalidField

Item = TypeVar("Item")


class RequestBody(BaseModel):
    """A request: no conversions (`"1"` is not 1), and an unknown field is an error, so that a typo is not silence."""

    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="after")
    def _need_unicode(self) -> Self:
        """Half a surrogate pair is no text: JSON can write it, and no database can store it."""
        for name, value in self:
            for text in value if isinstance(value, list) else (value,):
                if isinstance(text, str) and any("\ud800" <= sign <= "\udfff" for sign in text):
                    raise InvalidField(field=name, reason="not valid Unicode text")
        return self


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = None


def _revision(header: object) -> int | None:
    if header is None:
        return None
    digits = str(header).strip().removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:  # noqa: PLR2004 (fits every integer column)
        raise InvalidField(field="If-Match", reason="the revision as a quoted number, as in the ETag")
    return int(digits)


ExpectedRevision = Annotated[
    int | None,
    BeforeValidator(_revision),
    Header(alias="If-Match", description="The revision this change is based on; a stale one gets 409."),
]
