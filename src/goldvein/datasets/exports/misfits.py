"""Why a row does not fit a format: one closed list. It is named in `skipped.jsonl` then, never emptied or dropped."""

from typing import Final

from goldvein.datasets.rows import Row

MISFITS: Final = {
    "no_target": "it has no answer to learn from or to compare with",
    "empty_text": "its input or its answer is blank",
    "no_rejected_answer": "no captured output was replaced by a better answer",
    "nothing_to_check": "it has neither an answer nor an assertion",
    "assertion_not_supported": "the format knows no assertion of that kind",
    "pattern_not_portable": "an assertion's pattern means something else outside RE2",
}


def misfit_of_pair(row: Row) -> str | None:
    """Why a row is no question with an answer, or None."""
    if row.answer is None:
        return "no_target"
    return "empty_text" if is_blank(row.answer) or is_blank(row.example_input) else None


def is_blank(text: str) -> bool:
    """Nothing but white space; it looks no further than the first sign that is none."""
    return not text or text.isspace()
