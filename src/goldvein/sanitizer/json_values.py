"""JSON values: what is sanitized is the JSON text, where each string stands beside the key that says what it may be."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from goldvein.sanitizer.engine import Finding, Sanitized, SanitizerFailed, sanitize


def sanitize_json(value: Any, *, names: bool = False) -> tuple[Any, tuple[Finding, ...]]:
    """Replace secrets and personal data in a JSON value; a key tells what its value may be, also for a list.

    Gives a value of the same shape, and the findings; their offsets are of `json.dumps(value, ensure_ascii=False)`.
    A number that is personal data, or stands under a name that says secret, becomes a string. A key that is a secret
    or personal data itself is replaced like any other string; two of them never become one. `names` as in `sanitize`.

    Raises TextTooLong when that text is too long, and SanitizerFailed for all else: also for what is no JSON value,
    such as NaN, infinity or a key that is no string, and for what is nested deeper than Python's parser goes.
    """
    if isinstance(value, int | float):
        return _alone(value, names=names)
    written = None
    with suppress(Exception):
        _need_string_keys(value)
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if written is None:
        raise SanitizerFailed
    return _read(sanitize(written, names=names))


def _alone(value: float, *, names: bool) -> tuple[Any, tuple[Finding, ...]]:
    """Sanitize a number that stands alone: only in a list can a string take its place."""
    (cleaned,), findings = sanitize_json([value], names=names)
    moved = (replace(finding, start=finding.start - 1, end=finding.end - 1) for finding in findings)
    return cleaned, tuple(moved)


def _need_string_keys(value: Any) -> None:
    """Refuse other keys: written as strings, two of them can become one."""
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError
        for held in value.values():
            _need_string_keys(held)
    elif isinstance(value, list | tuple):
        for held in value:
            _need_string_keys(held)


def _read(sanitized: Sanitized) -> tuple[Any, tuple[Finding, ...]]:
    """Parse the sanitized text; text that is no JSON any more is a failure, raised without the text."""
    with suppress(ValueError, RecursionError):
        return json.loads(sanitized.text), sanitized.findings
    raise SanitizerFailed
