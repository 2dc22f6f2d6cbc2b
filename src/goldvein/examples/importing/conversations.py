"""Conversations as text. System and developer messages are left out: they are the skill's own text."""

import json
from collections.abc import Iterable
from typing import Any, Final

from goldvein.examples.importing.records import Unfit

_ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}
_SKILL_SPEAKS: Final = frozenset({"system", "developer"})
_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking", "reasoning"})

Turn = tuple[str, str]


def question_of(messages: Any) -> str:
    """What the skill was given. One message is its text; a longer conversation has a line `role: text` for each turn.

    Raises Unfit for what is no conversation, and for parts that are no text.
    """
    if isinstance(messages, str):
        return messages
    turns = [turn for turn in turns_of(messages) if turn[0] not in _SKILL_SPEAKS and turn[1]]
    if len(turns) == 1:
        return turns[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in turns)


def turns_of(messages: Any) -> list[Turn]:
    """The turns of a conversation, each with who speaks."""
    if not isinstance(messages, list):
        raise Unfit("unknown_shape")
    return [_turn(message) for message in messages]


def _turn(message: Any) -> Turn:
    match message:
        case {"type": "function_call", "name": str(name)}:
            return "assistant", _call(name, message.get("arguments"))
        case {"type": "function_call_output", "output": output}:
            return "tool", text_of(output)
        case {"type": str(kind)} if kind in _THOUGHTS:
            return "assistant", ""
        case {"role": str(role)}:
            return _ROLES.get(role, role), _said(message)
        case {"type": str(kind), "data": {"content": content}} if kind in {"human", "ai", "system", "tool"}:
            return _ROLES.get(kind, kind), text_of(content)
        case {"type": str(kind), "content": content} if kind in {"human", "ai", "system", "tool"}:
            return _ROLES.get(kind, kind), text_of(content)
    raise Unfit("unknown_shape")


def _said(message: dict[str, Any]) -> str:
    if message.get("refusal"):
        raise Unfit("not_completed")
    calls = message.get("tool_calls")
    said = [text_of(message.get("content"))]
    for call in calls if isinstance(calls, list) else ():
        match call:
            case {"function": {"name": str(name)} as function}:
                said.append(_call(name, function.get("arguments")))
            case _:
                raise Unfit("not_text")
    return "\n".join(text for text in said if text)


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or parts of it. Raises Unfit for a part that is no text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(text for text in map(_part, content) if text)
    raise Unfit("not_text")


def answer_of(content: Any) -> str:
    """The text of an answer without the tools it called on the way."""
    parts = [content] if isinstance(content, str) else content
    if not isinstance(parts, Iterable) or isinstance(parts, dict):
        return ""
    return text_of([part for part in parts if not isinstance(part, dict) or part.get("type") != "tool_use"])


def _part(part: Any) -> str:
    match part:
        case str():
            return part
        case {"type": str(kind), "text": str(text)} if kind in _TEXT_PARTS:
            return text
        case {"type": str(kind)} if kind in _THOUGHTS:
            return ""
        case {"type": "tool_use", "name": str(name)}:
            return _call(name, part.get("input"))
        case {"type": "tool_result"}:
            return f"[result] {text_of(part.get('content'))}"
        case {"type": "refusal"}:
            raise Unfit("not_completed")
    raise Unfit("not_text")


def _call(name: str, arguments: Any) -> str:
    written = arguments if isinstance(arguments, str) else as_json(arguments)
    return f"[calls {name}] {written}"


def text_of_value(value: Any) -> str:
    """A value of a dataset as text.

    A conversation becomes its text; an object with one text in it becomes that text, and any other value its JSON. A
    text that is itself the JSON of a conversation is read as such: exports to tables write them so.
    """
    if isinstance(value, str):
        held = _held_conversation(value)
        return value if held is None else held
    held = _conversation(value)
    if held is not None:
        return held
    match value:
        case None:
            return ""
        case dict() if len(value) == 1 and isinstance(only := next(iter(value.values())), str):
            return only
    return as_json(value)


def _held_conversation(text: str) -> str | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _conversation(value)


def _conversation(value: Any) -> str | None:
    match value:
        case {"role": str(), "content": _}:
            return _said(value)
        case {"messages": [{"role": str()}, *_] as messages} | {"messages": [{"type": str()}, *_] as messages}:
            return question_of(messages)
        case [{"role": str()}, *_]:
            return question_of(value)
    return None


def as_json(value: Any) -> str:
    """A value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False)
