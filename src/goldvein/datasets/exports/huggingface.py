"""A folder that Hugging Face's `datasets` loads: Parquet files, and a card that says where they are."""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from goldvein.datasets.exports import preference_jsonl
from goldvein.datasets.exports.facts import ExportOptions, VersionFacts, system_texts
from goldvein.datasets.exports.formats import Format, Piece
from goldvein.datasets.exports.parquet import ParquetFile
from goldvein.datasets.rows import Row

DATA = "data/{split}.parquet"
PREFERENCE = "preference/{split}.parquet"
_TEXTS = (
    "example_id",
    "content_hash",
    "skill",
    "skill_version",
    "source",
    "tool_name",
    "example_input",
    "example_output",
    "expected_output",
    "answer",
)


def row_schema(pyarrow: ModuleType) -> Any:
    """The columns of the rows."""
    text = pyarrow.string()
    assertions = pyarrow.list_(pyarrow.struct([("kind", text), ("value", text)]))
    columns = [(name, text) for name in _TEXTS]
    return pyarrow.schema([*columns, ("quality_score", pyarrow.int8()), ("assertions", assertions)])


def _messages(pyarrow: ModuleType) -> Any:
    return pyarrow.list_(pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())]))


def pair_schema(pyarrow: ModuleType) -> Any:
    """The columns of the pairs."""
    turns = [(name, _messages(pyarrow)) for name in ("prompt", "chosen", "rejected")]
    return pyarrow.schema([("example_id", pyarrow.string()), *turns])


def record(row: Row) -> tuple[Any, ...]:
    """The values of a row, in the order of the columns."""
    return (
        row.example_id,
        row.content_hash,
        row.skill,
        row.skill_version,
        row.source,
        row.tool_name,
        row.example_input,
        row.example_output,
        row.expected_output,
        row.answer,
        row.quality_score,
        [{"kind": assertion.kind, "value": assertion.value} for assertion in row.assertions],
    )


def _chars(row: Row) -> int:
    output = len(row.example_output)
    return len(row.example_input) + output + len(row.expected_output or "") + len(row.answer or "")


def pair_record(row: Row, system: str | None) -> tuple[Any, ...]:
    """The values of the pair in a row, in the order of the columns."""
    pair = preference_jsonl.pair(row, system)
    sides = (pair.prompt, pair.chosen, pair.rejected)
    turns = [[{"role": turn.role, "content": turn.content} for turn in side] for side in sides]
    return (row.example_id, *turns)


def render(facts: VersionFacts, options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """All rows, one file a split; and the preference pairs among them as a second configuration."""
    systems = system_texts(facts, options)
    wholes: dict[str, ParquetFile] = {}
    pairs: dict[str, ParquetFile] = {}
    for row in rows:
        split = row.split
        chars = _chars(row)
        if split not in wholes:
            wholes[split] = ParquetFile(row_schema)
        if wholes[split].add(record(row), chars):
            yield Piece(DATA.format(split=split), wholes[split].take())
        # Most rows were not edited, which is told at a glance.
        if row.expected_output is not None and preference_jsonl.misfit(row) is None:
            if split not in pairs:
                pairs[split] = ParquetFile(pair_schema)
            if pairs[split].add(pair_record(row, systems.get(row.skill)), chars):
                yield Piece(PREFERENCE.format(split=split), pairs[split].take())
    for path, files in ((DATA, wholes), (PREFERENCE, pairs)):
        for split, file in files.items():
            yield Piece(path.format(split=split), file.end())


FORMAT = Format(
    name="huggingface",
    about="A folder for Hugging Face's `datasets`: every row with what is known of it, and preference pairs",
    purpose=None,
    data_path=DATA,
    misfit=lambda _: None,
    render=render,
    usage="""\
```python
from datasets import load_dataset

rows = load_dataset("FOLDER")  # a row without `answer` may be evaluated, never trained on
pairs = load_dataset("FOLDER", "preference")  # prompt, chosen, rejected; where there are any
```""",
    configs=(("default", DATA), ("preference", PREFERENCE)),
)
