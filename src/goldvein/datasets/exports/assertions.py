"""Assertions outside of goldvein: which of them mean the same in the engines of other programs."""

import re
from typing import Final

from goldvein.datasets.exports.misfits import is_blank
from goldvein.datasets.rows import Assertion, Row

KINDS: Final = ("contains", "regex", "json_schema", "rubric")
_LEADING_FLAGS = re.compile(r"\(\?([ims]{1,3})\)")
# Escapes with one meaning in RE2, Python and JavaScript; in front of a sign, the sign itself.
_ESCAPE = re.compile(r"\\(?:[dDwWsSbBntrfv]|x[0-9a-fA-F]{2}|[^a-zA-Z0-9\s_])")
_ELSEWHERE_DIFFERENT = ("(?", "[:", "{,", "[]", "[^]", "[[", "&&", "||", "~~", "--", "*+", "++", "?+", "}+")


def portable(pattern: str) -> tuple[str, str] | None:
    """The pattern without the flags at its beginning, and the flags (of i, m, s); None if it may mean something else.

    It errs towards None: named groups, Unicode classes, flags inside, POSIX classes and anchors of text stay here.
    """
    leading = _LEADING_FLAGS.match(pattern)
    flags = "".join(sorted(set(leading[1]))) if leading else ""
    body = pattern[leading.end() :] if leading else pattern
    rest = _ESCAPE.sub("_", body).replace("(?:", "(")
    if "\\" in rest or any(sign in rest for sign in _ELSEWHERE_DIFFERENT):
        return None
    try:
        re.compile(body)
    except (re.error, RecursionError, OverflowError):
        return None
    return body, flags


def misfit_of_assertion(assertion: Assertion) -> str | None:
    """Why other programs cannot check this, or None."""
    if assertion.kind not in KINDS:
        return "assertion_not_supported"
    if assertion.kind == "regex" and portable(assertion.value) is None:
        return "pattern_not_portable"
    return None


def misfit_of_check(row: Row) -> str | None:
    """Why an answer to this row cannot be judged, or None."""
    if row.answer is None and not row.assertions:
        return "nothing_to_check"
    if is_blank(row.example_input) or (row.answer is not None and is_blank(row.answer)):
        return "empty_text"
    return next(filter(None, map(misfit_of_assertion, row.assertions)), None)
