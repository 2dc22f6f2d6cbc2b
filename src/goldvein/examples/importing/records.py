"""What a file of somebody else's becomes: one golden example for each record, or the reason why it is none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_TEXT_BYTES: Final = 64 * 1024
MAX_ITEMS: Final = 100
MAX_RECORD_BYTES: Final = 4 * 1024 * 1024  # a log line repeats its tools and its whole conversation

REASONS: Final[Mapping[str, str]] = {
    "not_json": "not one JSON object, or it names a field twice",
    "not_utf8": "not valid UTF-8, or half of a surrogate pair",
    "too_long": f"a text over {MAX_TEXT_BYTES} bytes of UTF-8, or a record over {MAX_RECORD_BYTES}",
    "wrong_columns": "more or fewer columns than the first row",
    "unknown_shape": "not in the format of this import",
    "no_request": "no request with this custom_id; name the batch's input file with --requests",
    "no_input": "nothing to give the skill",
    "no_output": "no answer as text",
    "not_completed": "the call failed, was refused or was cut off",
    "not_text": "has an image, a sound, a file or something else that is no text",
    "invalid": "a field the server does not take",
    "not_sanitized": "the sanitizer could not read it, so it was dropped",
}
"""Why a record is not imported. The sentences quote nothing of it: they may end up in a log."""

Record = dict[str, Any]


class Unfit(Exception):
    """A record that becomes no example; the reason is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What a golden example is made of, as the file has it: not sanitized yet."""

    example_input: str
    example_output: str
    expected_output: str | None = None
    quality_score: int | None = None

    def as_item(self) -> dict[str, Any]:
        """As the route takes it."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One record of a file by its number, and how far it takes the reading; without a record, the reason."""

    number: int
    size: int
    record: Record | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A shape that records have. `mapping` says which part becomes what; it is shown before anything is sent.

    `read` gets the record, and the line of the requests' file with the same `custom_id` if there is one; it raises
    Unfit.
    """

    name: str
    mapping: Mapping[str, str]
    recognises: Callable[[Record], bool]
    read: Callable[[Record, Record | None], Texts]
    needs_requests: bool = False


def checked(texts: Texts) -> Texts:
    """The same texts, if the server could take them. Raises Unfit."""
    for reason, text in (("no_input", texts.example_input), ("no_output", texts.example_output)):
        if not text.strip():
            raise Unfit(reason)
    for text in (texts.example_input, texts.example_output, texts.expected_output or ""):
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise Unfit("not_utf8") from None
        if size > MAX_TEXT_BYTES:
            raise Unfit("too_long")
    return texts
