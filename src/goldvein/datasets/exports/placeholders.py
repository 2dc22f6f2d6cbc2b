"""Stand-ins for placeholders: `[REDACTED:email_2]` becomes `person2@example`, for models that should see ordinary text.

A stand-in depends on the type and the number alone, so who-is-who survives in a row, and every export says the same.
None can be real, and none is found by the sanitizer: otherwise an export could not be told from one that leaks. That is
why a vendor's token does not begin as the vendor's do, and an address has no domain under a registered ending.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from goldvein.datasets.rows import Row
from goldvein.sanitizer.engine import PLACEHOLDER

SURROGATES_VERSION: Final = 1
_SIGN: Final = "[REDACTED:"
_LARGEST_OF_NET: Final = 254


def _address(number: int) -> str:
    """An address of a network that is kept for documentation (RFC 5737), while they last."""
    nets = ("192.0.2", "198.51.100", "203.0.113")
    net, host = divmod(number - 1, _LARGEST_OF_NET)
    return f"{nets[net]}.{host + 1}" if net < len(nets) else _named("ip_address", number)


def _named(kind: str, number: int) -> str:
    """Its type, as the names of variables are written: dashes or small letters would look like some vendor's keys."""
    return f"EXAMPLE_{kind.upper()}_{number:_}"


_FORMS: Final[dict[str, Callable[[int], str]]] = {
    "email": lambda number: f"person{number}@example",
    "phone": lambda number: f"xxx-xxx-{number:04d}",
    "card": lambda number: f"xxxx-xxxx-xxxx-{number:04d}",
    "ssn": lambda number: f"xxx-xx-{number:04d}",
    "iban": lambda number: f"xx00-xxxx-xxxx-{number:04d}",
    "ip_address": _address,
}


def stand_in(kind: str, number: int) -> str:
    """What stands for the numbered value of a type."""
    form = _FORMS.get(kind)
    return form(number) if form is not None else _named(kind, number)


def with_stand_ins(text: str) -> str:
    """The text with each placeholder replaced. One without a number is the first of its type."""
    return PLACEHOLDER.sub(_stand_in, text) if _SIGN in text else text


def _stand_in(found: re.Match[str]) -> str:
    return stand_in(found[1], max(1, int(found[2] or 1)))


def row_with_stand_ins(row: Row) -> Row:
    """The row with stand-ins in its texts and assertions."""
    if not any(_SIGN in text for text in _texts(row)):
        return row
    assertions = tuple(replace(one, value=with_stand_ins(one.value)) for one in row.assertions)
    return replace(
        row,
        example_input=with_stand_ins(row.example_input),
        example_output=with_stand_ins(row.example_output),
        expected_output=_or_none(row.expected_output),
        answer=_or_none(row.answer),
        assertions=assertions,
    )


def _texts(row: Row) -> tuple[str, ...]:
    texts = (row.example_input, row.example_output, row.expected_output or "", row.answer or "")
    return (*texts, *(assertion.value for assertion in row.assertions)) if row.assertions else texts


def _or_none(text: str | None) -> str | None:
    return None if text is None else with_stand_ins(text)
