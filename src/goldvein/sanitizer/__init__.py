"""The sanitizer: text in, text and findings out. No I/O and no state; RE2 beside the standard library.

The one clock it reads is the processor's time of its own thread, to give up on a text that takes too long.
Only the optional names of people read more: language models, from installed packages.
"""

from goldvein.sanitizer.engine import (
    MAX_TEXT_CHARS,
    NAMES_MARK,
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
from goldvein.sanitizer.names import NamesUnavailable, need_names
from goldvein.sanitizer.values import sanitize_json

__all__ = [
    "MAX_TEXT_CHARS",
    "NAMES_MARK",
    "NO_EXTRA_RULES",
    "SANITIZER_VERSION",
    "BadExtraRule",
    "ExtraRules",
    "Finding",
    "NamesUnavailable",
    "Sanitized",
    "SanitizerFailed",
    "TextTooLong",
    "check_rule",
    "compile_rules",
    "need_names",
    "sanitize",
    "sanitize_json",
    "sanitize_many",
    "sanitize_text",
    "version_with",
]
