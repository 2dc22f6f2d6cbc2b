"""An external set: a file of JSON lines with `category`, `subtype`, `text`, `spans` and `headline`.

It is read where it lies and never copied. Lines that are not of its headline are left out.
"""

import json
from pathlib import Path

from benchmarks.sanitizer.generator import BY_FORM, BY_NAME, ENCODED, NOTHING, PERSONAL_DATA, STRUCTURAL
from benchmarks.sanitizer.samples import Sample

OTHER_KEYS = "other keys"
_CATEGORIES = {
    "vendor_prefix": BY_FORM,
    "vendor_context": BY_NAME,
    "structural": STRUCTURAL,
    "adversarial": ENCODED,
    "pii": PERSONAL_DATA,
}


def read_external(path: Path) -> list[Sample]:
    """Read the samples of an external set."""
    with path.open(encoding="utf-8") as lines:
        return [_sample(row) for row in map(json.loads, lines) if row["headline"]]


def _sample(row: dict[str, object]) -> Sample:
    spans = tuple((start, end) for start, end, *_ in row["spans"])  # type: ignore[attr-defined]
    category = _CATEGORIES.get(str(row["category"]), OTHER_KEYS) if spans else NOTHING
    return Sample(category=category, kind=str(row["subtype"]), text=str(row["text"]), spans=spans)
