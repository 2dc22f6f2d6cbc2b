"""What Claude Code's hooks POST, turned into a `CapturedUse`.

A hook event knows its tool and its turn, but most events do not know which skill is at work: an earlier event
of the same turn said so. `HookReading` therefore carries both, what the event says about the turn and the use
it reports, and whoever remembers ids joins them.

The transcript, the working folder and the old content of edited files are never read out of an event.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from goldvein.capture.formats import (
    COUNT_RULE,
    ID_RULE,
    MAX_NAME_CHARS,
    NAME_RULE,
    SKILL_PATTERN,
    SKILL_RULE,
    CapturedUse,
    Count,
    Id,
    Name,
    SkillName,
    decode_object,
    is_oversize,
    required,
    with_visible_nuls,
)
from goldvein.errors import InvalidField

TYPED_SKILL_TOOL: Final = "SlashCommand"
"""The tool name of a skill that a person typed; no tool event tells of it."""

# The whole file before an edit: Edit and Write use the first name, NotebookEdit the second.
_OLD_FILE_KEYS: Final = frozenset({"originalFile", "original_file"})

_RULES: Final[Mapping[str, str]] = {
    "hook_event_name": f"required; {NAME_RULE}",
    "session_id": ID_RULE,
    "prompt_id": ID_RULE,
    "tool_name": f"required; {NAME_RULE}",
    "tool_use_id": ID_RULE,
    "tool_input": "JSON with integers of at most 4300 digits",
    "tool_response": "JSON with integers of at most 4300 digits",
    "error": "JSON with integers of at most 4300 digits",
    "duration_ms": COUNT_RULE,
    "expansion_type": NAME_RULE,
    "command_name": f"required; {SKILL_RULE}",
    "prompt": "text",
}

_JSON_ESCAPE: Final = re.compile(r"\\(?:u0000|.)")


class HookReading(msgspec.Struct, frozen=True, kw_only=True):
    """What one hook event says about its turn, and the use it reports, if any."""

    session_id: str | None
    prompt_id: str | None
    names_skill: str | None
    """The skill that is at work in this turn from now on."""
    ends_turn: bool
    use: CapturedUse | None


class _Hook(msgspec.Struct):
    hook_event_name: Name | None = None
    session_id: Id | None = None
    prompt_id: Id | None = None
    tool_name: Name | None = None
    tool_use_id: Id | None = None
    tool_input: object = None
    tool_response: object = None
    error: object = None
    duration_ms: Count | None = None
    expansion_type: Name | None = None
    command_name: SkillName | None = None
    prompt: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Hook)


def read_claude_code_hook(body: bytes, *, received_at: datetime) -> HookReading:
    """Read one hook event.

    1. A tool that ran or failed is a use; the Skill tool also says which skill is at work from here on.
    2. A typed `/skill` is a use of that skill: its input is what the person typed, it has no output.
    3. PreToolUse of the Skill tool only says which skill is at work; Stop only ends the turn.
    4. Every other event says nothing.

    Raises `InvalidField` with the field and its limit, never with the value.
    """
    hook = decode_object(body, _DECODER, _RULES)
    event = required(hook.hook_event_name, "hook_event_name", _RULES)
    try:
        return _read_event(hook, event, received_at)
    except RecursionError:
        pass  # deep enough for the decoder, too deep to be rendered
    raise InvalidField(field="body", reason="nested too deeply")


def skill_candidates(name: str) -> tuple[str, ...]:
    """Return the names to look a skill up by, best first: `plugin:notes` may be known as `notes`."""
    short = name.rpartition(":")[2]
    return (name,) if short in {"", name} else (name, short)


def _read_event(hook: _Hook, event: str, received_at: datetime) -> HookReading:
    names_skill: str | None = None
    use: CapturedUse | None = None
    match event:
        case "PreToolUse":
            names_skill = _skill_of_call(hook)
        case "PostToolUse":
            names_skill = _skill_of_call(hook)
            output = _readable_output(hook.tool_name, _without_old_files(hook.tool_response))
            use = _tool_use(hook, event, output, received_at)
        case "PostToolUseFailure":
            use = _tool_use(hook, event, _readable(hook.error), received_at)
        case "UserPromptExpansion" if hook.expansion_type == "slash_command":
            names_skill = required(hook.command_name, "command_name", _RULES)
            use = _typed_use(hook, event, names_skill, received_at)
        case _:
            pass
    return HookReading(
        session_id=hook.session_id,
        prompt_id=hook.prompt_id,
        names_skill=names_skill,
        ends_turn=event == "Stop",
        use=use,
    )


def _skill_of_call(hook: _Hook) -> str | None:
    """Return the skill that a call of the Skill tool names; other tools have arguments of that name too."""
    if hook.tool_name != "Skill" or not isinstance(hook.tool_input, dict):
        return None
    skill = hook.tool_input.get("skill")
    if skill is None:
        return None
    if not isinstance(skill, str) or not re.match(SKILL_PATTERN, skill):
        raise InvalidField(field="tool_input.skill", reason=SKILL_RULE)
    return skill


def _tool_use(hook: _Hook, event: str, output: str | None, received_at: datetime) -> CapturedUse:
    return _use(
        hook,
        event,
        skill=_skill_of_call(hook),
        tool_name=required(hook.tool_name, "tool_name", _RULES),
        event_id=_event_id(hook.session_id, hook.tool_use_id),
        input_snippet=None if hook.tool_input is None else _compact_json(hook.tool_input),
        output_snippet=output,
        received_at=received_at,
    )


def _typed_use(hook: _Hook, event: str, skill: str, received_at: datetime) -> CapturedUse:
    return _use(
        hook,
        event,
        skill=skill,
        tool_name=TYPED_SKILL_TOOL,
        event_id=_event_id(hook.session_id, hook.prompt_id, "prompt"),
        input_snippet=hook.prompt,
        output_snippet=None,
        received_at=received_at,
    )


def _use(
    hook: _Hook,
    event: str,
    *,
    skill: str | None,
    tool_name: str,
    event_id: str | None,
    input_snippet: str | None,
    output_snippet: str | None,
    received_at: datetime,
) -> CapturedUse:
    dropped = is_oversize(input_snippet) or is_oversize(output_snippet)
    if dropped:
        input_snippet = output_snippet = None
    input_snippet, input_nuls = with_visible_nuls(input_snippet)
    output_snippet, output_nuls = with_visible_nuls(output_snippet)
    return CapturedUse(
        skill=skill,
        tool_name=tool_name,
        occurred_at=received_at,
        event_id=event_id,
        hook_event=event,
        session_id=hook.session_id,
        tool_input_snippet=input_snippet,
        tool_output_snippet=output_snippet,
        latency_ms=hook.duration_ms,
        replaced_nuls=input_nuls + output_nuls,
        dropped_oversize=dropped,
    )


def _event_id(*client_ids: str | None) -> str | None:
    """Make the idempotency key from the client's ids; without all of them there is none.

    What does not fit becomes a digest: two ids that share their first 200 characters stay two.
    """
    if None in client_ids:
        return None
    joined = ":".join(("claude-code", *(part for part in client_ids if part is not None)))
    if len(joined) <= MAX_NAME_CHARS:
        return joined
    return "claude-code:" + hashlib.sha256(joined.encode()).hexdigest()


def _without_old_files(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_old_files(held) for key, held in value.items() if key not in _OLD_FILE_KEYS}
    if isinstance(value, list):
        return [_without_old_files(held) for held in value]
    return value


def _readable_output(tool_name: str | None, response: object) -> str | None:
    """Render what a tool answered as the text a person would have seen; None for a picture."""
    match tool_name, response:
        case "Bash", {"isImage": True}:
            return None
        case "Bash", {"stdout": str(stdout), "stderr": str(stderr)}:
            return "\n".join(part for part in (stdout, stderr) if part)
        case "Read", {"file": {"content": str(content)}}:
            return content
        case "Read", {"file": {"base64": _}}:
            return None
        case _:
            texts = _blocks_text(response)
            return _readable(response) if texts is None else texts


def _blocks_text(response: object) -> str | None:
    """Join the content blocks of an MCP answer; None if it is anything else, be it in part."""
    if not isinstance(response, list):
        return None
    texts = [_block_text(block) for block in response]
    return None if None in texts else "\n".join(text for text in texts if text is not None)


def _block_text(block: object) -> str | None:
    """Return the text of a block, or in brackets what kind of binary stood here."""
    match block:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "image" | "audio" as kind, "data": str()}:
            return f"[{kind}]"
        case _:
            return None


def _readable(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _compact_json(value)


def _compact_json(value: object) -> str:
    r"""Render JSON on one line, its keys in the order received.

    A NUL is put back for its escape `\u0000`, so that it is replaced and counted like one in plain text; an
    escape is read as one token, since `\\u0000` is a backslash before five harmless characters.
    """
    text = msgspec.json.encode(value).decode()
    return _JSON_ESCAPE.sub(lambda found: "\0" if found[0] == "\\u0000" else found[0], text)
