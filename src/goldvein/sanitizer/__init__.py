"""The sanitizer: text in, text and findings out. No I/O and no state; RE2 beside the standard library.

The one clock it reads is the processor's time of its own thread, to give up on a text that takes too long.
"""

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
from goldvein.sanitizer.values import sanitize_json

__all__ = [
    "MAX_TEXT_CHARS",
    "SANITIZER_VERSION",
    "Finding",
    "Sanitized",
    "SanitizerFailed",
    "TextTooLong",
    "sanitize",
    "sanitize_json",
    "sanitize_many",
    "sanitize_text",
]
