"""JSON values: what is sanitized is the JSON text, where each string stands beside the key that says what it may be."""

import json
from contextlib import suppress
from typing import Any

from goldvein.sanitizer.engine import Finding, Sanitized, SanitizerFailed, sanitize


def sanitize_json(value: Any) -> tuple[Any, tuple[Finding, ...]]:
    """Replace secrets and personal data in a JSON value; a key tells what its value may be.

    Gives a value of the same shape, and the findings; their offsets are of `json.dumps(value, ensure_ascii=False)`.
    A number that is personal data, or stands under a name that says secret, becomes a string.

    Raises TextTooLong when that text is too long, and SanitizerFailed for all else, also for what is no JSON value.
    """
    written = None
    with suppress(Exception):
        written = json.dumps(value, ensure_ascii=False)
    if written is None:
        raise SanitizerFailed
    return _read(sanitize(written))


def _read(sanitized: Sanitized) -> tuple[Any, tuple[Finding, ...]]:
    """Parse the sanitized text; text that is no JSON any more is a failure, raised without the text."""
    with suppress(ValueError, RecursionError):
        return json.loads(sanitized.text), sanitized.findings
    raise SanitizerFailed
