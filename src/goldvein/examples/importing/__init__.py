"""What people already have, as golden examples: pure functions from a record to its texts, one file a family.

`files` reads JSON lines, CSV and Parquet record by record; `records` says what comes out.
"""

from typing import Final

from goldvein.examples.importing import anthropic, datasets, fields, openai
from goldvein.examples.importing.records import Format, Record

FORMATS: Final[tuple[Format, ...]] = (*openai.FORMATS, *anthropic.FORMATS, *datasets.FORMATS, fields.USUAL)
NAMES: Final = tuple(known.name for known in FORMATS)


def find_format(record: Record) -> Format | None:
    """The format of a record: the first whose shape it has; None when it has none of them."""
    return next((known for known in FORMATS if known.recognises(record)), None)


def named_format(name: str) -> Format:
    """The format of this name, one of NAMES."""
    return next(known for known in FORMATS if known.name == name)
