"""The sanitizer: text in, text and findings out. No I/O, no clock, no state; the standard library only."""

from goldvein.sanitizer.engine import (
    MAX_TEXT_CHARS,
    SANITIZER_VERSION,
    Finding,
    Sanitized,
    SanitizerFailed,
    TextTooLong,
    sanitize,
    sanitize_many,
    sanitize_text,
)

__all__ = [
    "MAX_TEXT_CHARS",
    "SANITIZER_VERSION",
    "Finding",
    "Sanitized",
    "SanitizerFailed",
    "TextTooLong",
    "sanitize",
    "sanitize_many",
    "sanitize_text",
]
