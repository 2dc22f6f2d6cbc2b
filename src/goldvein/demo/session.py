"""The session that the demo plays: what Claude Code's hooks and a tracking client send on an ordinary morning.

The secrets in it are made up and put together only when it is played, so that no file of this project holds anything
that looks like one.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

_SESSION: Final = "5d0f3c52-9a1e-4f7b-8c0d-2f6f1d1a7e10"
_TYPED_TURN: Final = "b1a2c3d4-0001-4000-8000-000000000001"
_CALLED_TURN: Final = "b1a2c3d4-0002-4000-8000-000000000002"
_OTHER_TURN: Final = "b1a2c3d4-0003-4000-8000-000000000003"
_GLOBEX_SKILL: Final = "changelog-check"
SHOWN_EVENT_ID: Final = "demo:draft-notes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request of the session: who sends what where."""

    who: str
    path: str
    body: dict[str, Any]


def calls(*, since: datetime, bob_id: str, dana_id: str, skill_text: str) -> list[Call]:
    """The session in order. `since` fixes its times, so that every run sends the very same events.

    `skill_text` is the text of the skill that the tracking client used: it reports its digest.
    """
    digest = "sha256:" + hashlib.sha256(skill_text.encode()).hexdigest()
    return [*_typed_turn(), *_called_turn(), *_turn_without_skill(), *_tracked(since, bob_id, dana_id, digest)]


def github_token() -> str:
    """A made-up token in the form of GitHub's."""
    return "ghp_" + "q7Rk2Vn9Lx4Tz8Wd3Yb6Hc1Mf5Pj0SgAeUuX"


def aws_key_id() -> str:
    """A made-up key id in the form of AWS's."""
    return "AKIA" + "Z7QK4VN2X9TB6WDY"


def database_url() -> str:
    """A connection string with a made-up password."""
    return "postgresql://" + "notes:" + "vK8-Orchid-41x" + "@db.acme.example/releases"


def _signed_token() -> str:
    """A made-up JSON Web Token."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "release-bot", "iat": 1762000000})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*encoded, "Jd8sLw2Qx9Vb4Nm7Kz1Rt6Yp3Hc5Gf0TuEaWqZxCvBn"))


def _hook(event: str, turn: str, **fields: Any) -> Call:
    body = {
        "session_id": _SESSION,
        "transcript_path": f"/home/bob/.claude/projects/-home-bob-importer/{_SESSION}.jsonl",
        "cwd": "/home/bob/importer",
        "prompt_id": turn,
        "permission_mode": "acceptEdits",
        "hook_event_name": event,
        **fields,
    }
    return Call(who="bob", path="/api/hooks/claude-code", body=body)


def _tool(turn: str, number: int, name: str, *, tool_input: object, response: object, milliseconds: int) -> Call:
    return _hook(
        "PostToolUse",
        turn,
        tool_name=name,
        tool_input=tool_input,
        tool_response=response,
        tool_use_id=f"toolu_demo{number:04}",
        duration_ms=milliseconds,
    )


def _shell(stdout: str, stderr: str = "") -> dict[str, Any]:
    return {"stdout": stdout, "stderr": stderr, "interrupted": False, "isImage": False, "noOutputExpected": False}


def _typed_turn() -> list[Call]:
    """Bob types `/release-notes v1.4.0`; what the tools do in this turn belongs to the skill."""
    log = (
        "9c1f2ab Fix crash on empty import (#212)\n"
        "  Author: Jane Porter <jane.porter@acme.example>\n"
        f"  Reproduce with DATABASE_URL={database_url()}\n"
        "41d77e0 Import from a folder (#198)\n"
        "  Author: Bob Tanaka <bob@acme.example>\n"
    )
    changelog = "# Changelog\n\n## Unreleased\n- fix crash\n- folder import\n"
    return [
        _hook(
            "UserPromptExpansion",
            _TYPED_TURN,
            expansion_type="slash_command",
            command_name="release-notes",
            command_args="v1.4.0",
            command_source="projectSettings",
            prompt="/release-notes v1.4.0",
        ),
        _tool(
            _TYPED_TURN,
            1,
            "Bash",
            tool_input={"command": "git log v1.3.0..v1.4.0", "description": "Commits since the last version"},
            response=_shell(log),
            milliseconds=48,
        ),
        _tool(
            _TYPED_TURN,
            2,
            "Read",
            tool_input={"file_path": "/home/bob/importer/CHANGELOG.md"},
            response={
                "type": "text",
                "file": {
                    "filePath": "/home/bob/importer/CHANGELOG.md",
                    "content": changelog,
                    "numLines": 5,
                    "startLine": 1,
                    "totalLines": 5,
                },
            },
            milliseconds=12,
        ),
        _tool(
            _TYPED_TURN,
            3,
            "Edit",
            tool_input={
                "file_path": "/home/bob/importer/CHANGELOG.md",
                "old_string": "- fix crash",
                "new_string": "- An import of an empty file no longer crashes (#212).",
                "replace_all": False,
            },
            response={
                "filePath": "/home/bob/importer/CHANGELOG.md",
                "oldString": "- fix crash",
                "newString": "- An import of an empty file no longer crashes (#212).",
                "originalFile": changelog,
                "structuredPatch": [
                    {
                        "oldStart": 4,
                        "oldLines": 1,
                        "newStart": 4,
                        "newLines": 1,
                        "lines": ["-- fix crash", "+- An import of an empty file no longer crashes (#212)."],
                    }
                ],
                "userModified": False,
                "replaceAll": False,
            },
            milliseconds=21,
        ),
        _hook("Stop", _TYPED_TURN, stop_hook_active=False, last_assistant_message="The notes are in NOTES.md."),
    ]


def _called_turn() -> list[Call]:
    """In this turn the model calls the skill itself; one of its commands fails."""
    skill = {"skill": "release-notes", "args": "v1.4.1"}
    publish = f'curl -sf -H "Authorization: Bearer {github_token()}" -d @NOTES.md https://api.github.example/releases'
    return [
        _hook("PreToolUse", _CALLED_TURN, tool_name="Skill", tool_input=skill, tool_use_id="toolu_demo0004"),
        _tool(
            _CALLED_TURN,
            4,
            "Skill",
            tool_input=skill,
            response={"success": True, "commandName": "release-notes", "allowedTools": ["Read", "Write", "Bash"]},
            milliseconds=33,
        ),
        _tool(
            _CALLED_TURN,
            5,
            "Bash",
            tool_input={"command": publish, "description": "Publish the notes"},
            response=_shell("", f"401 Unauthorized\nx-amz-credential: {aws_key_id()}/us-east-1\n"),
            milliseconds=412,
        ),
        _hook(
            "PostToolUseFailure",
            _CALLED_TURN,
            tool_name="Bash",
            tool_input={"command": "git push origin v1.4.1", "description": "Push the tag"},
            tool_use_id="toolu_demo0006",
            error=f"Exit code 128\nfatal: unable to access 'https://x-access-token:{github_token()}@git.acme.example/'",
            is_interrupt=False,
            duration_ms=230,
        ),
    ]


def _turn_without_skill() -> list[Call]:
    """Work that has nothing to do with a skill leaves nothing behind."""
    return [
        _tool(
            _OTHER_TURN,
            7,
            "Bash",
            tool_input={"command": "cat .env", "description": "Look at the settings"},
            response=_shell(f"DATABASE_URL={database_url()}"),
            milliseconds=9,
        )
    ]


def shown_texts() -> tuple[str, str]:
    """Input and output of the use that the summary shows before and after."""
    asked = (
        f"Draft the notes for v1.4.0. The tracker takes {github_token()},\n"
        "and jane.porter@acme.example knows the folder import."
    )
    answered = (
        "Fixed: importing an empty file no longer crashes (#212).\n"
        f"Read with {github_token()} from\n"
        f"{database_url()};\n"
        "reported by jane.porter@acme.example."
    )
    return asked, answered


def _tracked(since: datetime, bob_id: str, dana_id: str, digest: str) -> list[Call]:
    """What a client reports that knows the skill, the model and the tokens."""
    shown_in, shown_out = shown_texts()
    answer = "Added: import from a folder (#198)."
    return [
        _track(
            "bob",
            since,
            1,
            SHOWN_EVENT_ID,
            asked=shown_in,
            answered=shown_out,
            skill_digest=digest,
            **_model("claude-sonnet-4-5"),
        ),
        _track(
            "bob",
            since,
            2,
            "demo:headers",
            asked="Why does the upload of the notes fail?",
            answered=f"The request carried an expired token: {_signed_token()}",
            skill_digest=digest,
            **_model("acme-notes-tuned-7b"),
        ),
        _track("bob", since, 3, "demo:no-output", asked="Which version is next?", user_id=bob_id),
        _track("bob", since, 4, "demo:for-dana", asked="Notes for v1.3.9", answered=answer, user_id=dana_id),
        _track("alice", since, 5, "demo:alice", asked="Notes for v1.4.0, for the blog", answered=answer),
        _track("service", since, 6, "demo:nightly", asked="Notes for the nightly build", answered=answer),
        _track(
            "charlie", since, 7, "demo:globex", asked="Check the log", answered="2 are missing.", skill=_GLOBEX_SKILL
        ),
    ]


def _model(name: str) -> dict[str, Any]:
    return {"model_name": name, "input_tokens": 1840, "output_tokens": 312}


def _track(
    who: str,
    since: datetime,
    minute: int,
    event_id: str,
    *,
    asked: str,
    answered: str | None = None,
    skill: str = "release-notes",
    **fields: Any,
) -> Call:
    body = {
        "skill_id": skill,
        "tool_name": "chat",
        "ts": (since - timedelta(hours=1) + timedelta(minutes=minute)).isoformat(),
        "event_id": event_id,
        "tool_input_snippet": asked,
        "latency_ms": 900 + 10 * minute,
        **({} if answered is None else {"tool_output_snippet": answered}),
        **fields,
    }
    return Call(who=who, path="/api/track", body=body)
