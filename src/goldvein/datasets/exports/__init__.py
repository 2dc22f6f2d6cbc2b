"""Exports: a frozen version in the forms that other programs load. Pure but for `writing` and `pruning` (files).

A format is one file with a `FORMAT`, and its name in the list below. What it gets are the facts of the version, what
was asked for, and the rows that fit it, in their order; what it gives are bytes and where they go. The rest is the same
for all: which rows go out (`writing`), why one does not (`misfits`), stand-ins for placeholders (`placeholders`), the
manifest (`manifest`) and the card (`card`).
"""

from collections.abc import Mapping
from typing import Final

from goldvein.datasets.exports import chat_jsonl, csv_table, dspy, huggingface, inspect_ai, preference_jsonl, promptfoo
from goldvein.datasets.exports.formats import Format
from goldvein.errors import InvalidField

_MODULES = (chat_jsonl, preference_jsonl, huggingface, promptfoo, inspect_ai, dspy, csv_table)
FORMATS: Final[Mapping[str, Format]] = {module.FORMAT.name: module.FORMAT for module in _MODULES}


def find_format(name: str) -> Format:
    """The format of this name."""
    if name not in FORMATS:
        raise InvalidField(field="format", reason=f"one of {', '.join(FORMATS)}")
    return FORMATS[name]
