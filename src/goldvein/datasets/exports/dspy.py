"""Examples for DSPy: JSON lines, and a module that loads them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from goldvein.datasets.exports.facts import ExportOptions, VersionFacts
from goldvein.datasets.exports.formats import Format, Piece, json_lines
from goldvein.datasets.exports.misfits import misfit_of_pair
from goldvein.datasets.rows import Row

LOADER = '''\
"""Loads the splits of this export as DSPy examples: load("train"), load("test")."""

import json
from pathlib import Path

import dspy


def load(split: str) -> list[dspy.Example]:
    """The examples of a split: `question` is the input, `answer` what is expected."""
    with (Path(__file__).parent / f"{split}.jsonl").open(encoding="utf-8") as lines:
        return [dspy.Example(**json.loads(line)).with_inputs("question") for line in lines]
'''


class Question(msgspec.Struct, frozen=True, gc=False):
    """One line."""

    example_id: str
    question: str
    answer: str


def render(_facts: VersionFacts, _options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """Questions with answers, one file a split."""
    return json_lines(FORMAT.data_path, rows, lambda row: Question(row.example_id, row.example_input, row.answer or ""))


def beside(_draft: Mapping[str, Any]) -> Iterator[Piece]:
    """The loader."""
    yield Piece("load.py", LOADER.encode())


FORMAT = Format(
    name="dspy",
    about="Examples for DSPy, with a loader",
    purpose="training",
    data_path="{split}.jsonl",
    misfit=misfit_of_pair,
    render=render,
    beside=beside,
    usage="""\
```python
from load import load  # in this folder

train, test = load("train"), load("test")  # dspy.Example with `question` as input, and `answer`
```""",
)
