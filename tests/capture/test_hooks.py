"""Recorded sessions of Claude Code, sent event by event through the door."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from helpers import client_with, github_token, new_key, ok, rows
from sqlalchemy import inspect

from goldvein.capture.tables import HookTurn, UsageEvent
from goldvein.feedback.tables import TrainingExample
from goldvein.identity.keys import new_token

FIXTURES = Path(__file__).parents[1] / "data" / "claude_code"
PATH = "/api/hooks/claude-code"
MODEL_CALLS_SKILL = [
    "http_hook.UserPromptSubmit",
    "http_hook.PreToolUse.Skill",
    "http_hook.PostToolUse.Skill",
    "http_hook.PostToolUse.Read",
    "http_hook.PostToolUse.Edit",
    "http_hook.PostToolUse.Bash",
    "http_hook.PostToolUseFailure.Bash",
    "http_hook.PostToolUse.Write",
    "http_hook.PostToolUse.mcp-tickets-lookup_ticket",
    "http_hook.PostToolUse.Grep",
    "http_hook.Stop",
]
PERSON_TYPES_SKILL = [
    "slash_command.UserPromptExpansion",
    "slash_command.UserPromptSubmit",
    "slash_command.PreToolUse.mcp-golden-record_interaction",
    "slash_command.PostToolUse.mcp-golden-record_interaction",
]


def fixture(name: str, **changes: Any) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return recorded | changes


def send(world: World, event: dict[str, Any], name: str = "bob", **headers: str) -> None:
    """Send one event; whatever becomes of it, the client must not see output."""
    response = world.client(name).post(PATH, json=event, headers=headers)
    assert (response.status_code, response.json()) == (200, {})


def play(world: World, names: list[str], name: str = "bob", **headers: str) -> None:
    for fixture_name in names:
        send(world, fixture(fixture_name), name, **headers)


def rejected(world: World, reason: str) -> float:
    return world.metric("goldvein_events_total", door="hook", outcome="rejected", reason=reason)


def check_law_4(world: World) -> None:
    assert world.metric("goldvein_events_received_total", door="hook") == world.metric_sum(
        "goldvein_events_total", door="hook"
    )


def tools(world: World) -> list[str]:
    return sorted(event.tool_name for event in rows(world, UsageEvent))


def test_a_skill_the_model_calls_gets_every_tool_use_of_its_turn(world: World) -> None:
    play(world, MODEL_CALLS_SKILL)
    assert tools(world) == sorted(
        ["Skill", "Read", "Edit", "Bash", "Bash", "Write", "mcp__tickets__lookup_ticket", "Grep"]
    )
    events = rows(world, UsageEvent)
    assert {event.skill_id for event in events} == {world.skill_id()}
    assert {event.door for event in events} == {"hook"}
    assert {event.session_id for event in events} == {"f0b6a111-2a50-4f0f-9dff-ff933b66fecd"}
    assert {event.capture_outcome for event in events} == {"captured"}
    assert rejected(world, "not_a_use") == 3
    check_law_4(world)


def test_what_is_captured_is_sanitized_and_without_the_old_file(world: World) -> None:
    play(world, MODEL_CALLS_SKILL)
    examples = rows(world, TrainingExample)
    assert len(examples) == 8
    ticket = next(example for example in examples if example.tool_name == "mcp__tickets__lookup_ticket")
    assert "[REDACTED:email" in (ticket.example_output or "")
    cells = [str(cell) for cell in world.every_cell()]
    for text in ("originalFile", "jane@example.com", "transcript_path", "/home/dev/.claude", "last_assistant_message"):
        assert not any(text in cell for cell in cells), text
    assert {(example.example_input, example.example_output) for example in examples} >= {
        ('{"command":"echo hello && echo warn >&2","description":"Say hello"}', "hello\nwarn")
    }


def test_a_typed_skill_is_a_use_and_names_the_skill_of_its_turn(world: World) -> None:
    play(world, PERSON_TYPES_SKILL)
    assert tools(world) == ["SlashCommand", "mcp__golden__record_interaction"]
    typed = next(event for event in rows(world, UsageEvent) if event.tool_name == "SlashCommand")
    assert (typed.hook_event, typed.capture_outcome, typed.capture_reason) == (
        "UserPromptExpansion",
        "none",
        "no_snippets",
    )
    assert len(rows(world, TrainingExample)) == 1
    check_law_4(world)


@pytest.mark.parametrize("named", ["release-notes", "id"])
def test_a_header_names_the_skill_of_a_hook_installed_for_one(world: World, named: str) -> None:
    skill = world.skill_id() if named == "id" else named
    play(world, ["http_hook.PostToolUse.Bash", "http_hook.PostToolUse.Read"], **{"X-Goldvein-Skill": skill})
    assert tools(world) == ["Bash", "Read"]
    assert rows(world, HookTurn) == []


def test_a_skill_of_a_plugin_is_found_by_its_own_name(world: World) -> None:
    call = fixture("http_hook.PostToolUse.Skill", tool_input={"skill": "my-plugin:release-notes"})
    send(world, call)
    assert tools(world) == ["Skill"]


def test_without_a_skill_nothing_is_stored_and_it_is_counted(world: World) -> None:
    play(world, ["http_hook.PostToolUse.Bash", "http_hook.PostToolUse.Read"])
    assert rows(world, UsageEvent) == []
    assert rejected(world, "no_skill") == 2
    check_law_4(world)


@pytest.mark.parametrize("skill", ["no-such-skill", "globex-notes"])
def test_a_skill_we_do_not_have_is_no_skill(world: World, skill: str) -> None:
    send(world, fixture("http_hook.PostToolUse.Skill", tool_input={"skill": skill}))
    send(world, fixture("http_hook.PostToolUse.Bash"))
    send(world, fixture("http_hook.PostToolUse.Bash"), **{"X-Goldvein-Skill": skill})
    assert rows(world, UsageEvent) == rows(world, HookTurn) == []
    assert rejected(world, "no_skill") == 3


def test_another_turn_another_session_and_another_person_have_no_skill(world: World) -> None:
    play(world, ["http_hook.PreToolUse.Skill"])
    send(world, fixture("http_hook.PostToolUse.Bash", prompt_id="another-turn"))
    send(world, fixture("http_hook.PostToolUse.Bash", session_id="another-session"))
    send(world, fixture("http_hook.PostToolUse.Bash"), "erin")
    assert rows(world, UsageEvent) == []
    send(world, fixture("http_hook.PostToolUse.Bash"))
    assert tools(world) == ["Bash"]


def test_the_skill_called_last_is_the_one_at_work(world: World) -> None:
    ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    play(world, ["http_hook.PreToolUse.Skill"])
    send(world, fixture("http_hook.PreToolUse.Skill", tool_input={"skill": "other"}))
    send(world, fixture("http_hook.PostToolUse.Bash"))
    assert rows(world, UsageEvent)[0].skill_id != world.skill_id()
    assert len(rows(world, HookTurn)) == 1


def test_the_same_events_again_are_duplicates(world: World) -> None:
    for names in (MODEL_CALLS_SKILL, PERSON_TYPES_SKILL):
        for _ in range(2):
            play(world, names)
    assert len(rows(world, UsageEvent)) == 10
    assert len(rows(world, TrainingExample)) == 9
    assert world.metric("goldvein_events_total", door="hook", outcome="duplicate", reason="") == 10
    check_law_4(world)


def test_a_repeated_event_is_the_same_one_at_a_later_time(world: World) -> None:
    send(world, fixture("http_hook.PostToolUse.Skill"))
    world.time += timedelta(minutes=10)
    send(world, fixture("http_hook.PostToolUse.Skill"))
    assert world.metric("goldvein_events_total", door="hook", outcome="duplicate", reason="") == 1


def test_nothing_but_ids_is_remembered_between_events(world: World) -> None:
    play(world, [*MODEL_CALLS_SKILL[:2], PERSON_TYPES_SKILL[0]], "erin")
    turns = rows(world, HookTurn)
    assert len(turns) == 2
    assert {column.key for column in inspect(HookTurn).columns} == {
        "tenant_id",
        "reporter_id",
        "session_id",
        "prompt_id",
        "skill_id",
        "seen_at",
    }
    recorded = [fixture(name) for name in (*MODEL_CALLS_SKILL[:2], PERSON_TYPES_SKILL[0])]
    texts = [str(event[key]) for event in recorded for key in ("prompt", "cwd", "transcript_path") if key in event]
    cells = [str(cell) for cell in world.every_cell()]
    assert not any(text in cell for text in texts for cell in cells)


@pytest.mark.parametrize("field", ["prompt_id", "session_id"])
def test_an_id_that_looks_like_a_secret_is_not_remembered(world: World, field: str) -> None:
    secret = github_token()
    for name in ("http_hook.PreToolUse.Skill", "http_hook.PostToolUse.Bash", "slash_command.UserPromptExpansion"):
        send(world, fixture(name, **{field: secret}))
    assert not any(secret in str(cell) for cell in world.every_cell())


def test_a_turn_is_forgotten_after_a_day(world: World) -> None:
    play(world, ["http_hook.PreToolUse.Skill"])
    world.time += timedelta(days=1, seconds=1)
    send(world, fixture("http_hook.PreToolUse.Skill", prompt_id="tomorrow"))
    assert [turn.prompt_id for turn in rows(world, HookTurn)] == ["tomorrow"]
    send(world, fixture("http_hook.PostToolUse.Bash"))
    assert rejected(world, "no_skill") == 1


def test_the_answer_is_empty_whatever_was_sent(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"hook_event_name": 5}',
        b'{"hook_event_name": "PostToolUse"}',
        b"\xff",
        b'{"hook_event_name": "PostToolUse", "tool_name": "a b"}',
        b"[" * 100_000,
        b"x" * 300_000,
    ]
    for number, body in enumerate(cases, start=1):
        with subtests.test(body=body[:60]):
            response = world.client("bob").post(PATH, content=body, headers={"X-Goldvein-Skill": "release-notes"})
            assert (response.status_code, response.json()) == (200, {})
            assert world.metric_sum("goldvein_events_total", door="hook", outcome="rejected") == number
            assert rows(world, UsageEvent) == []
            check_law_4(world)


def test_a_bad_header_is_counted_as_invalid(world: World) -> None:
    send(world, fixture("http_hook.PostToolUse.Bash"), **{"X-Goldvein-Skill": "two words"})
    assert rejected(world, "invalid") == 1


def test_a_bad_key_is_told_so(world: World) -> None:
    event = fixture("http_hook.PostToolUse.Skill")
    revoked = new_key(world, "bob", "track")
    ok(world.browser("bob").delete(f"/api/me/keys/{revoked['id']}"))
    for client in (
        world.anonymous(),
        client_with(world, "no key"),
        client_with(world, new_token("live").text),
        client_with(world, revoked["api_key"]),
        world.browser("bob"),
    ):
        response = client.post(PATH, json=event)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "not_authenticated"
    assert rows(world, UsageEvent) == []
    check_law_4(world)


def test_a_key_without_track_stores_nothing(world: World) -> None:
    client = client_with(world, new_key(world, "bob", "read")["api_key"])
    assert client.post(PATH, json=fixture("http_hook.PostToolUse.Skill")).json() == {}
    assert rejected(world, "missing_scope") == 1
    assert rows(world, UsageEvent) == []


def test_without_consent_uses_are_stored_and_their_text_is_not(world: World) -> None:
    play(world, MODEL_CALLS_SKILL, "erin")
    assert {event.capture_reason for event in rows(world, UsageEvent)} == {"no_consent"}
    cells = [str(cell) for cell in world.every_cell()]
    assert not any("Fix crash" in cell or "echo hello" in cell for cell in cells)


def test_global_privacy_control_is_a_no_here_too(world: World) -> None:
    play(world, MODEL_CALLS_SKILL[:3], **{"Sec-GPC": "1"})
    assert [event.capture_reason for event in rows(world, UsageEvent)] == ["opted_out"]


def test_a_snippet_over_the_limit_drops_the_text_and_keeps_the_event(world: World) -> None:
    send(world, fixture("http_hook.PostToolUse.Skill", tool_response="x" * 70_000))
    event = rows(world, UsageEvent)[0]
    assert (event.capture_outcome, event.capture_reason) == ("none", "oversize_snippet")
