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
    version_with,
)
from goldvein.sanitizer.extra import NO_EXTRA_RULES, BadExtraRule, ExtraRules, check_rule, compile_rules
from goldvein.sanitizer.values import sanitize_json

__all__ = [
    "MAX_TEXT_CHARS",
    "NO_EXTRA_RULES",
    "SANITIZER_VERSION",
    "BadExtraRule",
    "ExtraRules",
    "Finding",
    "Sanitized",
    "SanitizerFailed",
    "TextTooLong",
    "check_rule",
    "compile_rules",
    "sanitize",
    "sanitize_json",
    "sanitize_many",
    "sanitize_text",
    "version_with",
]
