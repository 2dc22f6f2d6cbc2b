"""Preference pairs: the answer that was written over a captured output, and that output."""

from collections.abc import Iterable, Iterator

import msgspec

from goldvein.datasets.exports.chat_jsonl import Message
from goldvein.datasets.exports.facts import ExportOptions, VersionFacts, system_texts
from goldvein.datasets.exports.formats import Format, Piece, json_lines
from goldvein.datasets.exports.misfits import misfit_of_pair
from goldvein.datasets.rows import Row

CAPTURED = "usage_capture"


class Pair(msgspec.Struct, frozen=True, gc=False):
    """One line, as TRL's DPOTrainer takes it."""

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]


def misfit(row: Row) -> str | None:
    """Why there is no pair in a row. What an author wrote as an example is no bad answer, only what was captured is."""
    reason = misfit_of_pair(row)
    if reason is not None:
        return reason
    rejected = row.example_output.strip()
    edited = row.source == CAPTURED and row.expected_output is not None and row.expected_output.strip() != rejected
    return None if edited and rejected else "no_rejected_answer"


def pair(row: Row, system: str | None) -> Pair:
    """The pair in a row that fits."""
    question = (Message("user", row.example_input),)
    return Pair(
        question if system is None else (Message("system", system), *question),
        (Message("assistant", row.answer or ""),),
        (Message("assistant", row.example_output),),
    )


def render(facts: VersionFacts, options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """Pairs, one file a split."""
    systems = system_texts(facts, options)
    return json_lines(FORMAT.data_path, rows, lambda row: pair(row, systems.get(row.skill)))


FORMAT = Format(
    name="preference-jsonl",
    about="Preference pairs for DPO, from answers that were edited",
    purpose="training",
    data_path="{split}.jsonl",
    misfit=misfit,
    render=render,
    usage="""\
```python
from datasets import load_dataset

pairs = load_dataset("FOLDER", split="train")  # prompt, chosen, rejected: TRL's DPOTrainer takes them as they are
```""",
    configs=(("default", "{split}.jsonl"),),
)
