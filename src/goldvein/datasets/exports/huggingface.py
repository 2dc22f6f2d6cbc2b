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


def _row_schema(pyarrow: ModuleType) -> Any:
    text = pyarrow.string()
    assertions = pyarrow.list_(pyarrow.struct([("kind", text), ("value", text)]))
    columns = [(name, text) for name in _TEXTS]
    return pyarrow.schema([*columns, ("quality_score", pyarrow.int8()), ("assertions", assertions)])


def _messages(pyarrow: ModuleType) -> Any:
    return pyarrow.list_(pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())]))


def _pair_schema(pyarrow: ModuleType) -> Any:
    turns = [(name, _messages(pyarrow)) for name in ("prompt", "chosen", "rejected")]
    return pyarrow.schema([("example_id", pyarrow.string()), *turns])


def _record(row: Row) -> tuple[Any, ...]:
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
    texts = (row.example_input, row.example_output, row.expected_output or "", row.answer or "")
    return sum(map(len, texts))


def _pair_record(row: Row, system: str | None) -> tuple[Any, ...]:
    pair = preference_jsonl.pair(row, system)
    sides = (pair.prompt, pair.chosen, pair.rejected)
    turns = [[{"role": turn.role, "content": turn.content} for turn in side] for side in sides]
    return (row.example_id, *turns)


def render(facts: VersionFacts, options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """All rows, one file a split; and the preference pairs among them as a second configuration."""
    systems = system_texts(facts, options)
    files: dict[str, ParquetFile] = {}
    for row in rows:
        path, chars = DATA.format(split=row.split), _chars(row)
        if path not in files:
            files[path] = ParquetFile(_row_schema)
        if files[path].add(_record(row), chars):
            yield Piece(path, files[path].take())
        if preference_jsonl.misfit(row) is None:
            path = PREFERENCE.format(split=row.split)
            if path not in files:
                files[path] = ParquetFile(_pair_schema)
            if files[path].add(_pair_record(row, systems.get(row.skill)), chars):
                yield Piece(path, files[path].take())
    for path, file in files.items():
        yield Piece(path, file.end())


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
