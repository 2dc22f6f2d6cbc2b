"""The sanitizer: text in, text and findings out. No I/O and no state; RE2 beside the standard library.

The one clock it reads is the processor's time of its own thread, to give up on a text that takes too long.
Only the optional names of people read more: language models, from installed packages.

Where to look, from the door inwards:
    engine              finds, resolves, replaces; `json_values` does so in a JSON value, `explain` says why
    matching            where a rule may match, on RE2 as `linear` wraps it; `views` are other readings of the text
    rules               the table of what has a form
    context             what stands beside a name that says secret; the same asked of what is `nearby`, of `markup`, of
                        tables (`cells` reads them, `columns` knows what their names say) and of words that Latin-1
                        lacks (`other_scripts`)
    personal            data of people; `labels` before a value and the numbers of countries (`national_ids`)
    checks              what a matched value must satisfy, for all of these
    extra, names        what joins on request: rules of a tenant; names of people and addresses
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
from goldvein.sanitizer.extra import EXTRA_RULE, NO_EXTRA_RULES, BadExtraRule, ExtraRules, check_rule, compile_rules
from goldvein.sanitizer.json_values import sanitize_json
from goldvein.sanitizer.names import NamesUnavailable, need_names

__all__ = [
    "EXTRA_RULE",
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
