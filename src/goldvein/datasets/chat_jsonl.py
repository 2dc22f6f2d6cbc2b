"""The chat JSONL format: one conversation a line, as fine-tuning services take it."""

import json
from typing import Any

FORMAT = "chat-jsonl"
FILE_NAME = "examples.jsonl"


def line(*, system: str | None, question: str, answer: str) -> bytes:
    """One example as a line: the system message (the skill's text) if there is one, the input, the answer."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system is not None else []
    messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
