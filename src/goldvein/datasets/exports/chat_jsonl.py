"""The chat format: one conversation a line, as fine-tuning services and TRL take it."""

from collections.abc import Iterable, Iterator

import msgspec

from goldvein.datasets.exports.facts import ExportOptions, VersionFacts, system_texts
from goldvein.datasets.exports.formats import Format, Piece, json_lines
from goldvein.datasets.exports.misfits import misfit_of_pair
from goldvein.datasets.rows import Row


class Message(msgspec.Struct, frozen=True, gc=False):
    """One turn of a conversation."""

    role: str
    content: str


class Conversation(msgspec.Struct, frozen=True, gc=False):
    """One line."""

    messages: tuple[Message, ...]


def conversation(*, system: str | None, question: str, answer: str) -> Conversation:
    """The system message (the skill's text) if there is one, the input, the answer."""
    turns = (Message("user", question), Message("assistant", answer))
    return Conversation(turns if system is None else (Message("system", system), *turns))


def line(*, system: str | None, question: str, answer: str) -> bytes:
    """One example as a line."""
    return msgspec.json.encode(conversation(system=system, question=question, answer=answer)) + b"\n"


def render(facts: VersionFacts, options: ExportOptions, rows: Iterable[Row]) -> Iterator[Piece]:
    """Conversations, one file a split."""
    systems = system_texts(facts, options)

    def line_of(row: Row) -> Conversation:
        return conversation(system=systems.get(row.skill), question=row.example_input, answer=row.answer or "")

    return json_lines(FORMAT.data_path, rows, line_of)


FORMAT = Format(
    name="chat-jsonl",
    about="Conversations for supervised fine-tuning, one a line",
    purpose="training",
    data_path="{split}.jsonl",
    misfit=misfit_of_pair,
    render=render,
    usage="""\
```python
from datasets import load_dataset

rows = load_dataset("FOLDER", split="train")  # a column `messages`, which TRL's SFTTrainer takes as it is
```

Fine-tuning services take the `.jsonl` files as they are.""",
    configs=(("default", "{split}.jsonl"),),
)
