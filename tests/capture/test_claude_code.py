import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldvein.capture.claude_code import _RULES, HookReading, _Hook, read_claude_code_hook, skill_candidates
from goldvein.capture.formats import MAX_SNIPPET_BYTES, CapturedUse
from goldvein.errors import InvalidField

FIXTURES = Path(__file__).parents[1] / "data" / "claude_code"
RECEIVED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SESSION = "f0b6a111-2a50-4f0f-9dff-ff933b66fecd"
PROMPT = "1a49a7dc-0c51-4cc6-a7c9-eb9a8f3a75e2"
TYPED_SESSION = "6989a8b1-7df1-4791-938a-646c1930ad30"
TYPED_PROMPT = "da76b35e-cde9-4150-b290-ba1173042c41"


def read(raw: bytes) -> HookReading:
    return read_claude_code_hook(raw, received_at=RECEIVED_AT)


def read_fixture(name: str) -> HookReading:
    return read((FIXTURES / f"{name}.json").read_bytes())


def use_of(name: str) -> CapturedUse:
    use = read_fixture(name).use
    assert use is not None
    return use


def hook(event: str = "PostToolUse", **members: object) -> bytes:
    base = {
        "hook_event_name": event,
        "session_id": "s1",
        "prompt_id": "p1",
        "tool_name": "Grep",
        "tool_use_id": "toolu_1",
    }
    return json.dumps(base | members).encode()


def use_from(raw: bytes) -> CapturedUse:
    use = read(raw).use
    assert use is not None
    return use


def refusal(raw: bytes) -> InvalidField:
    with pytest.raises(InvalidField) as caught:
        read(raw)
    return caught.value


def test_a_tool_use_is_read_whole() -> None:
    expected = CapturedUse(
        skill=None,
        tool_name="Bash",
        occurred_at=RECEIVED_AT,
        event_id=f"claude-code:{SESSION}:toolu_stub0003",
        hook_event="PostToolUse",
        session_id=SESSION,
        tool_input_snippet='{"command":"echo hello && echo warn >&2","description":"Say hello"}',
        tool_output_snippet="hello\nwarn",
        latency_ms=42,
    )
    reading = read_fixture("http_hook.PostToolUse.Bash")
    assert reading.use is not None
    assert msgspec.structs.asdict(reading.use) == msgspec.structs.asdict(expected)
    assert (reading.session_id, reading.prompt_id) == (SESSION, PROMPT)
    assert (reading.names_skill, reading.ends_turn) == (None, False)


@pytest.mark.parametrize(
    ("fixture", "tool_name", "output"),
    [
        ("http_hook.PostToolUse.Read", "Read", "# Changelog\n\n## Unreleased\n- fix crash\n- update docs\n"),
        (
            "http_hook.PostToolUse.Grep",
            "Grep",
            (
                '{"mode":"content","numFiles":0,"filenames":[],"content":"CHANGELOG.md:4:- Fix crash on empty import",'
                '"numLines":1,"totalLines":1}'
            ),
        ),
        (
            "http_hook.PostToolUse.Write",
            "Write",
            (
                '{"type":"create","filePath":"/home/dev/project/NOTES.md","content":"# Notes\\n\\nHello\\n",'
                '"structuredPatch":[],"userModified":false}'
            ),
        ),
        (
            "http_hook.PostToolUse.mcp-tickets-lookup_ticket",
            "mcp__tickets__lookup_ticket",
            '{\n  "id": "T-17",\n  "title": "Crash on empty import",\n  "reporter": "jane@example.com"\n}',
        ),
        (
            "slash_command.PostToolUse.mcp-golden-record_interaction",
            "mcp__golden__record_interaction",
            '{"id":"int_k1","status":"pending_review"}',
        ),
        (
            "http_hook.PostToolUseFailure.Bash",
            "Bash",
            "Exit code 2\nls: cannot access '/does-not-exist': No such file or directory",
        ),
    ],
)
def test_the_output_is_readable_text(fixture: str, tool_name: str, output: str) -> None:
    use = use_of(fixture)
    assert (use.tool_name, use.tool_output_snippet) == (tool_name, output)
    assert use.skill is None


def test_a_failed_tool_says_that_it_failed() -> None:
    use = use_of("http_hook.PostToolUseFailure.Bash")
    assert (use.hook_event, use.latency_ms) == ("PostToolUseFailure", 17)
    assert use.event_id == f"claude-code:{SESSION}:toolu_stub0004"


def test_the_skill_tool_names_the_skill_of_its_own_use_and_of_the_turn() -> None:
    reading = read_fixture("http_hook.PostToolUse.Skill")
    assert reading.names_skill == "release-notes"
    assert reading.use is not None
    assert reading.use.skill == "release-notes"
    assert reading.use.tool_input_snippet == '{"skill":"release-notes","args":"v1.4.0"}'


def test_the_skill_tool_names_the_skill_before_it_runs() -> None:
    reading = read_fixture("http_hook.PreToolUse.Skill")
    assert (reading.names_skill, reading.use, reading.prompt_id) == ("release-notes", None, PROMPT)


def test_a_skill_tool_that_failed_puts_no_skill_to_work() -> None:
    reading = read(hook("PostToolUseFailure", tool_name="Skill", tool_input={"skill": "notes"}, error="no"))
    assert reading.names_skill is None
    assert reading.use is not None
    assert reading.use.skill == "notes"


def test_a_typed_skill_is_a_use_without_output() -> None:
    reading = read_fixture("slash_command.UserPromptExpansion")
    expected = CapturedUse(
        skill="release-notes",
        tool_name="SlashCommand",
        occurred_at=RECEIVED_AT,
        event_id=f"claude-code:{TYPED_SESSION}:{TYPED_PROMPT}:prompt",
        hook_event="UserPromptExpansion",
        session_id=TYPED_SESSION,
        tool_input_snippet="/release-notes v1.4.0",
    )
    assert reading.names_skill == "release-notes"
    assert reading.use is not None
    assert msgspec.structs.asdict(reading.use) == msgspec.structs.asdict(expected)


def test_another_expansion_names_no_skill() -> None:
    reading = read(hook("UserPromptExpansion", expansion_type="mcp_prompt", command_name="notes", prompt="x"))
    assert (reading.names_skill, reading.use) == (None, None)


@pytest.mark.parametrize(
    "fixture",
    [
        "http_hook.UserPromptSubmit",
        "slash_command.UserPromptSubmit",
        "slash_command.PreToolUse.mcp-golden-record_interaction",
    ],
)
def test_other_events_say_nothing(fixture: str) -> None:
    reading = read_fixture(fixture)
    assert (reading.names_skill, reading.ends_turn, reading.use) == (None, False, None)


def test_an_event_of_a_later_client_says_nothing() -> None:
    reading = read(hook("SomethingNew", tool_input={"skill": "x y"}))
    assert (reading.names_skill, reading.ends_turn, reading.use) == (None, False, None)


def test_stop_ends_the_turn_and_is_no_use() -> None:
    reading = read_fixture("http_hook.Stop")
    assert (reading.ends_turn, reading.use, reading.prompt_id) == (True, None, PROMPT)


def test_the_hooks_of_a_skill_send_the_same_shapes() -> None:
    readings = [read(line) for line in (FIXTURES / "skill_frontmatter_hooks.jsonl").read_bytes().splitlines()]
    assert [reading.use and reading.use.tool_name for reading in readings] == [
        "Read",
        "Edit",
        "Bash",
        "Write",
        None,
    ]
    assert [reading.ends_turn for reading in readings] == [False, False, False, False, True]


def recorded_events() -> list[bytes]:
    events = [path.read_bytes() for path in sorted(FIXTURES.glob("*.*.json")) if "hook_event_name" in path.read_text()]
    return events + (FIXTURES / "skill_frontmatter_hooks.jsonl").read_bytes().splitlines()


def test_every_recorded_event_is_here() -> None:
    assert len(recorded_events()) == 20


@pytest.mark.parametrize("raw", recorded_events())
def test_no_reading_holds_the_transcript_the_folder_or_the_old_file(raw: bytes) -> None:
    kept = msgspec.json.encode(read(raw)).decode()
    for never in (
        ".claude/projects",
        "transcript_path",
        "cwd",
        "originalFile",
        "last_assistant_message",
        "acceptEdits",
    ):
        assert never not in kept


def test_the_old_content_of_an_edited_file_is_dropped() -> None:
    output = use_of("http_hook.PostToolUse.Edit").tool_output_snippet
    assert output is not None
    assert json.loads(output)["newString"] == "- Fix crash on empty import"
    assert "# Changelog\\n\\n## Unreleased\\n- fix crash" not in output


@pytest.mark.parametrize("key", ["originalFile", "original_file"])
def test_the_old_file_is_dropped_at_any_depth(key: str) -> None:
    response = {"a": [{key: "old", "b": {key: {"c": "old"}, "kept": 1}}], key: None}
    assert use_from(hook(tool_response=response)).tool_output_snippet == '{"a":[{"b":{"kept":1}}]}'


def test_an_argument_named_like_the_old_file_is_part_of_the_input() -> None:
    assert use_from(hook(tool_input={"originalFile": "a"})).tool_input_snippet == '{"originalFile":"a"}'


@pytest.mark.parametrize(
    ("tool_name", "response", "output"),
    [
        ("Bash", {"stdout": "out", "stderr": "err"}, "out\nerr"),
        ("Bash", {"stdout": "", "stderr": "err"}, "err"),
        ("Bash", {"stdout": "", "stderr": ""}, ""),
        ("Bash", {"stdout": "aGVsbG8=", "stderr": "", "isImage": True}, None),
        ("Bash", {"backgroundTaskId": "b1"}, '{"backgroundTaskId":"b1"}'),
        ("Read", {"type": "image", "file": {"base64": "aGVsbG8=", "type": "image/png"}}, None),
        ("Read", {"type": "notebook", "file": {"cells": []}}, '{"type":"notebook","file":{"cells":[]}}'),
        ("mcp__a__b", [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\ntwo"),
        ("mcp__a__b", [{"type": "text", "text": "one"}, {"type": "image", "data": "aGV"}], "one\n[image]"),
        ("mcp__a__b", [{"type": "text", "text": ""}], ""),
        (
            "mcp__a__b",
            [{"type": "text", "text": "one"}, {"row": 1}],
            '[{"type":"text","text":"one"},{"row":1}]',
        ),
        ("Grep", {"stdout": "out", "stderr": "err"}, '{"stdout":"out","stderr":"err"}'),
        ("Grep", "plain \n text", "plain \n text"),
        ("Grep", None, None),
        ("Grep", False, "false"),
        ("Grep", {"z": "é 日本", "a": 1.0, "n": 2**70}, '{"z":"é 日本","a":1.0,"n":1180591620717411303424}'),
    ],
)
def test_output_is_rendered_by_its_shape(tool_name: str, response: object, output: str | None) -> None:
    assert use_from(hook(tool_name=tool_name, tool_response=response)).tool_output_snippet == output


def test_an_event_without_input_and_output_has_no_snippets() -> None:
    use = use_from(hook())
    assert (use.tool_input_snippet, use.tool_output_snippet, use.dropped_oversize) == (None, None, False)


def test_a_nul_becomes_visible_in_plain_text_and_in_json() -> None:
    use = use_from(hook(tool_input={"a\0": ["\0", "\\u0000"]}, tool_response="x\0y"))
    assert use.tool_input_snippet == r'{"a␀":["␀","\\u0000"]}'
    assert use.tool_output_snippet == "x␀y"
    assert use.replaced_nuls == 3


@pytest.mark.parametrize(
    "members",
    [
        {"tool_input": {"a": 1}, "tool_response": "é" * (MAX_SNIPPET_BYTES // 2) + "a"},
        {"tool_input": {"a": "b" * MAX_SNIPPET_BYTES}, "tool_response": "short"},
    ],
)
def test_defect_41_a_text_over_the_limit_is_dropped_and_never_cut(members: dict[str, object]) -> None:
    use = use_from(hook(**members))
    assert (use.tool_input_snippet, use.tool_output_snippet) == (None, None)
    assert use.dropped_oversize
    assert use.event_id == "claude-code:s1:toolu_1"


def test_a_text_at_the_limit_is_kept() -> None:
    use = use_from(hook(tool_input={}, tool_response="é" * (MAX_SNIPPET_BYTES // 2)))
    assert (use.tool_input_snippet, use.dropped_oversize) == ("{}", False)
    assert use.tool_output_snippet == "é" * (MAX_SNIPPET_BYTES // 2)


def test_a_long_event_id_becomes_a_digest() -> None:
    fits = use_from(hook(session_id="s" * 100, tool_use_id="t" * 87)).event_id
    assert fits == f"claude-code:{'s' * 100}:{'t' * 87}"
    assert len(fits) == 200
    joined = f"claude-code:{'s' * 100}:{'t' * 88}"
    assert use_from(hook(session_id="s" * 100, tool_use_id="t" * 88)).event_id == (
        "claude-code:" + hashlib.sha256(joined.encode()).hexdigest()
    )


@pytest.mark.parametrize("missing", ["session_id", "tool_use_id"])
def test_without_the_clients_ids_there_is_no_event_id(missing: str) -> None:
    assert use_from(hook(**{missing: None})).event_id is None


@pytest.mark.parametrize("field", ["session_id", "prompt_id", "tool_use_id", "tool_name", "hook_event_name"])
@pytest.mark.parametrize("value", ["two words", "nul\0", "line\n", "Zoë", "", "a" * 201, 7, ["a"]])
def test_ids_and_names_have_a_closed_alphabet(field: str, value: object) -> None:
    assert refusal(hook(**{field: value})).field == field


@pytest.mark.parametrize("skill", ["two words", "a/b", "", "a\n", 7, ["a"]])
@pytest.mark.parametrize("event", ["PreToolUse", "PostToolUse"])
def test_the_skill_of_a_call_has_a_closed_alphabet(event: str, skill: object) -> None:
    assert refusal(hook(event, tool_name="Skill", tool_input={"skill": skill})).field == "tool_input.skill"


@pytest.mark.parametrize("tool_input", [None, {}, [], "release-notes", {"skill": None}])
def test_a_skill_call_that_names_none_is_a_use_of_no_known_skill(tool_input: object) -> None:
    reading = read(hook(tool_name="Skill", tool_input=tool_input))
    assert reading.names_skill is None
    assert reading.use is not None
    assert reading.use.skill is None


@pytest.mark.parametrize("command", [None, "two words", "", 7])
def test_a_typed_skill_has_a_name(command: object) -> None:
    raw = hook("UserPromptExpansion", expansion_type="slash_command", command_name=command, prompt="/x")
    assert refusal(raw).field == "command_name"


@pytest.mark.parametrize("field", ["hook_event_name", "tool_name"])
def test_an_event_says_what_it_is(field: str) -> None:
    error = refusal(hook(**{field: None}))
    assert error.field == field
    assert error.reason.startswith("required; ")


def test_every_field_has_a_rule_to_name() -> None:
    assert set(_RULES) == set(_Hook.__struct_fields__)


@pytest.mark.parametrize("duration", [-1, 1.5, 1.0, True, "7", 2**53 + 1])
def test_a_duration_is_a_count(duration: object) -> None:
    assert refusal(hook(duration_ms=duration)).field == "duration_ms"


@pytest.mark.parametrize("field", ["tool_input", "tool_response", "prompt"])
@pytest.mark.parametrize("raw_value", [b'"\\ud800"', b'"\xff"'])
def test_text_that_is_not_unicode_is_refused_by_name(field: str, raw_value: bytes) -> None:
    error = refusal(hook(**{field: "@@"}).replace(b'"@@"', raw_value))
    assert (error.field, error.reason) == (field, "not valid Unicode text")


def test_broken_text_deep_in_an_answer_is_refused_by_name() -> None:
    raw = hook(tool_response={"a": [{"b": "@@"}]}).replace(b"@@", b"\\udfff")
    assert refusal(raw).field == "tool_response"


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{}x", b"\xff", b'{"hook_event_name": NaN}'])
def test_it_refuses_what_is_no_json_object(raw: bytes) -> None:
    assert refusal(raw).field == "body"


def test_a_5_000_digit_integer_is_refused_by_name() -> None:
    raw = hook(tool_response={"n": "@@"}).replace(b'"@@"', b"9" * 5000)
    assert refusal(raw).field == "tool_response"


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 1000, 5000, 100_000])
@pytest.mark.parametrize("field", ["tool_input", "tool_response", "error"])
@pytest.mark.parametrize("event", ["PostToolUse", "PostToolUseFailure"])
def test_depth_is_read_or_refused_cleanly(event: str, field: str, depth: int) -> None:
    raw = hook(event, **{field: "@@"}).replace(b'"@@"', b'{"a":' * depth + b"1" + b"}" * depth)
    try:
        read(raw)
    except InvalidField as error:
        assert (error.field, error.reason) == ("body", "nested too deeply")  # noqa: PT017
        assert depth > 100
    else:
        assert depth < 5000


@given(st.binary())
def test_any_bytes_are_refused_cleanly(raw: bytes) -> None:
    refusal(raw)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.text() | st.sampled_from(["type", "text", "file", "content", "stdout", "stderr", "skill"]),
            children,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["PreToolUse", "PostToolUse", "PostToolUseFailure", "UserPromptExpansion", "Stop"]),
    st.sampled_from(["Bash", "Read", "Skill", "mcp__a__b"]),
    st.dictionaries(st.sampled_from(["tool_input", "tool_response", "error", "prompt", "command_name"]), ANY_JSON),
)
def test_any_json_is_read_or_refused_cleanly(event: str, tool_name: str, members: dict[str, object]) -> None:
    raw = hook(event, tool_name=tool_name, expansion_type="slash_command", **members)
    try:
        reading = read(raw)
    except InvalidField as error:
        assert error.field != "tool_name"  # noqa: PT017
    else:
        assert (reading.use is None) == (event in {"PreToolUse", "Stop"})
        assert b"\\u0000" not in msgspec.json.encode(reading).replace(b"\\\\", b"")


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("release-notes", ("release-notes",)),
        ("plugin:release-notes", ("plugin:release-notes", "release-notes")),
        ("plugin:folder:release-notes", ("plugin:folder:release-notes", "release-notes")),
        ("plugin:", ("plugin:",)),
        (":release-notes", (":release-notes", "release-notes")),
    ],
)
def test_a_skill_of_a_plugin_is_looked_up_by_both_names(name: str, candidates: tuple[str, ...]) -> None:
    assert skill_candidates(name) == candidates
