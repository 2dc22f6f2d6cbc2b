from typing import Any

import pytest
from conftest import SKILL_BODY, World
from helpers import UNKNOWN_ID, check_refused, client_with, github_token, new_key, ok, refusal, rows, wrong_field

from goldvein.feedback.tables import TrainingExample
from goldvein.sanitizer import SANITIZER_VERSION
from goldvein.skills.service import digest_of

PATH = "/api/skills/release-notes/training-examples"
GOLDEN = {"example_input": "Write the notes", "example_output": "Here they are"}


def add(world: World, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = ok(world.client("alice").post(PATH, json=GOLDEN | changes), 201)
    return made


def test_only_the_author_adds_golden_examples(world: World) -> None:
    check_refused(world, "POST", PATH, GOLDEN, anonymous=401, charlie=404, bob=403, dana=403, erin=403)
    assert rows(world, TrainingExample) == []
    add(world)


def test_each_refusal_says_what_to_do(world: World) -> None:
    def message(name: str, path: str = PATH, **changes: Any) -> str:
        client = world.anonymous() if name == "anonymous" else world.client(name)
        text: str = client.post(path, json=GOLDEN | changes).json()["error"]["message"]
        return text

    assert "Sign in" in message("anonymous")
    assert message("alice", "/api/skills/no-such/training-examples") == "No such skill."
    for name in ("bob", "dana"):
        assert message(name) == "Only the skill author can add training examples."
    messages = {
        message("alice", example_input=""),
        message("alice", example_output=""),
        message("alice", expected_output="x" * 5001),
        message("alice", quality_score=11),
    }
    assert len(messages) == 4


def test_a_golden_example_is_approved_at_once_and_explained(world: World) -> None:
    made = add(world, quality_score=9, expected_output="Better ones")
    assert (made["status"], made["source"], made["quality_score"]) == ("approved", "api", 9)
    assert (made["user"], made["reviewed_by"]) == ("Alice", world.someone("alice").person_id)
    assert (made["sanitizer_version"], made["findings"]) == (SANITIZER_VERSION, {})
    assert made["skill_digest"] == digest_of(SKILL_BODY)
    assert made["skill_version_id"] is not None
    assert made["usage_event_id"] is None
    assert (made["example_input"], made["example_output"]) == ("Write the notes", "Here they are")
    assert made["expected_output"] == "Better ones"


def test_the_source_says_through_which_door_it_came(world: World) -> None:
    assert ok(world.browser("alice").post(PATH, json=GOLDEN), 201)["source"] == "web"
    assert ok(world.client("alice").post(PATH, json=GOLDEN), 201)["source"] == "api"
    assert wrong_field(world.client("alice").post(PATH, json=GOLDEN | {"source": "usage_capture"})) == "body"


def test_a_key_without_review_adds_nothing(world: World) -> None:
    narrow = client_with(world, new_key(world, "alice", "track", "read", "export", "me")["api_key"])
    assert refusal(narrow.post(PATH, json=GOLDEN), 403, "missing_scope")["scope"] == "review"


def test_a_co_author_counts_as_author(world: World) -> None:
    person = {"person_id": world.someone("erin").person_id}
    ok(world.client("alice").post("/api/skills/release-notes/co-authors", json=person))
    assert ok(world.client("erin").post(PATH, json=GOLDEN), 201)["user"] == "Erin"


def test_everything_within_the_limits_is_allowed(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        {"example_input": "x"},
        {"example_input": "x" * 5000},
        {"example_output": "\U0001f600" * 5000},
        {"expected_output": "x" * 5000},
        {"expected_output": None},
        {"expected_output": ""},
        {"quality_score": 1},
        {"quality_score": 10},
        {"quality_score": None},
    ]
    for change in cases:
        with subtests.test(change=change):
            made = add(world, **change)
            for name, value in change.items():
                assert made[name] == (value or None)


def test_a_wrong_golden_example_names_the_field(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"example_input": ""}, "example_input"),
        ({"example_input": " \n\t"}, "example_input"),
        ({"example_input": "x" * 5001}, "example_input"),
        ({"example_input": 5}, "example_input"),
        ({"example_input": None}, "example_input"),
        ({"example_output": ""}, "example_output"),
        ({"example_output": "x" * 5001}, "example_output"),
        ({"expected_output": "x" * 5001}, "expected_output"),
        ({"expected_output": "  "}, "expected_output"),
        ({"quality_score": 0}, "quality_score"),
        ({"quality_score": 11}, "quality_score"),
        ({"quality_score": -1}, "quality_score"),
        ({"quality_score": 7.5}, "quality_score"),
        ({"quality_score": "7"}, "quality_score"),
        ({"quality_score": True}, "quality_score"),
        ({"quality_score": 10**30}, "quality_score"),
        ({"status": "approved"}, "body"),
        ({"user_id": UNKNOWN_ID}, "body"),
    ]
    for change, field in cases:
        with subtests.test(change=change, field=field):
            assert wrong_field(world.client("alice").post(PATH, json=GOLDEN | change)) == field
            assert rows(world, TrainingExample) == []


def test_all_its_texts_are_sanitized_together(world: World) -> None:
    secret = github_token()
    made = add(
        world,
        example_input=f"mail ann@corp.example with {secret}\x00",
        example_output="mailed ann@corp.example and ben@corp.example",
        expected_output="told ben@corp.example",
    )
    assert made["example_input"].endswith("\u2400")
    assert made["example_input"].startswith("mail [REDACTED:email_1] with [REDACTED:github_token")
    assert made["example_output"] == "mailed [REDACTED:email_1] and [REDACTED:email_2]"
    assert made["expected_output"] == "told [REDACTED:email_2]"
    assert made["findings"] == {"github_token": 1, "email": 4}
    for cell in world.every_cell():
        assert secret not in str(cell)
        assert "ann@corp.example" not in str(cell)


def test_adding_the_same_twice_makes_two(world: World) -> None:
    assert add(world)["id"] != add(world)["id"]
