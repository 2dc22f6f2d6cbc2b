"""Rules that an organisation adds to the sanitizer: who may, and that every door uses them."""

from typing import Any

import pytest
from conftest import World
from helpers import UNKNOWN_ID, check_refused, github_token, ok, refusal, rows, wrong_field
from sqlalchemy import update

from goldvein.capture.tables import UsageEvent
from goldvein.policy import service as policy
from goldvein.policy.tables import SanitizerRule
from goldvein.sanitizer import SANITIZER_VERSION

PATH = "/api/settings/sanitizer-rules"
RULE = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}
WISH = {"feedback_type": "suggestion", "category": "error", "severity": "critical"}


def add_rule(world: World, name: str = "dana", **changes: str) -> Any:
    return ok(world.client(name).post(PATH, json={**RULE, **changes}), 201)


def version_of(world: World, example_id: str) -> str:
    version: str = ok(world.client("alice").get(f"/api/training-examples/{example_id}"))["sanitizer_version"]
    return version


def leaked(world: World) -> list[Any]:
    """Every value in the store that holds what the rule should have removed."""
    return [cell for cell in world.every_cell() if "EMP-1" in str(cell)]


def test_only_an_admin_sees_adds_and_removes_rules(world: World) -> None:
    rule = add_rule(world)
    for method, path, body in (("GET", PATH, None), ("POST", PATH, RULE), ("DELETE", f"{PATH}/{rule['id']}", None)):
        check_refused(world, method, path, body, anonymous=401, bob=403, alice=403)
    check_refused(world, "DELETE", f"{PATH}/{rule['id']}", charlie=404)
    assert [row.id for row in rows(world, SanitizerRule)] == [rule["id"]]


def test_a_rule_is_listed_until_it_is_removed(world: World) -> None:
    dana = world.client("dana")
    first, second = add_rule(world), add_rule(world, pattern="(?i)staff [0-9]{6}", example="Staff 123456")
    assert first["created_by"] == world.someone("dana").person_id
    listed = ok(dana.get(PATH))
    assert [(rule["id"], rule["type"], rule["pattern"]) for rule in listed["items"]] == [
        (first["id"], "staff_number", "EMP-[0-9]{6}"),
        (second["id"], "staff_number", "(?i)staff [0-9]{6}"),
    ]
    assert listed["next_cursor"] is None
    ok(dana.delete(f"{PATH}/{first['id']}"), 204)
    refusal(dana.delete(f"{PATH}/{first['id']}"), 404, "not_found")
    refusal(dana.delete(f"{PATH}/{UNKNOWN_ID}"), 404, "not_found")
    refusal(dana.delete(f"{PATH}/nothing"), 404, "not_found")
    assert [rule["id"] for rule in ok(dana.get(PATH))["items"]] == [second["id"]]


def test_the_same_rule_twice_is_a_conflict(world: World) -> None:
    add_rule(world)
    refusal(world.client("dana").post(PATH, json=RULE), 409, "already_exists")
    assert len(rows(world, SanitizerRule)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "Staff"}, "type"),
        ({"pattern": "EMP-[0-9]+"}, "pattern"),
        ({"pattern": "(EMP"}, "pattern"),
        ({"pattern": "."}, "pattern"),
        ({"example": "EMP-1"}, "example"),
    ],
)
def test_a_bad_rule_names_the_field_and_repeats_nothing(world: World, changes: dict[str, str], field: str) -> None:
    answer = world.client("dana").post(PATH, json={**RULE, **changes})
    assert wrong_field(answer) == field
    assert "EMP" not in answer.text
    assert rows(world, SanitizerRule) == []


def test_a_pattern_that_is_itself_a_secret_is_refused(world: World) -> None:
    token = github_token()
    assert wrong_field(world.client("dana").post(PATH, json={**RULE, "pattern": token, "example": token})) == "pattern"
    assert [cell for cell in world.every_cell() if token in str(cell)] == []


def test_the_example_of_a_rule_is_stored_nowhere(world: World) -> None:
    add_rule(world, example="EMP-778899")
    assert [cell for cell in world.every_cell() if "EMP-778899" in str(cell)] == []


def test_there_are_at_most_50_rules(world: World) -> None:
    dana = world.actor("dana")
    with world.database.write(dana.tenant_id) as session:
        for number in range(policy.MAX_RULES):
            pattern = f"EMP-{number:03}-[0-9]{{6}}"
            policy.add_rule(
                session, dana, kind="staff", pattern=pattern, example=f"EMP-{number:03}-123456", now=world.time
            )
    answer = world.client("dana").post(PATH, json=RULE)
    assert wrong_field(answer) == "pattern"
    assert "50" in answer.text
    assert len(rows(world, SanitizerRule)) == 50


def test_every_door_uses_the_rules_of_its_tenant(world: World) -> None:
    add_rule(world)
    alice, bob = world.client("alice"), world.client("bob")
    example = world.capture(text="I am EMP-100001", answer="Hello EMP-100001")
    assert version_of(world, example).startswith(f"{SANITIZER_VERSION}+")
    assert leaked(world) == []
    golden = ok(
        alice.post(
            f"/api/skills/{world.skill_id()}/training-examples",
            json={"example_input": "EMP-100002", "example_output": "b", "expected_output": "EMP-100003"},
        ),
        201,
    )
    assert leaked(world) == []
    ok(alice.patch(f"/api/training-examples/{example}", json={"expected_output": "Hello EMP-100004"}))
    ok(alice.post(f"/api/training-examples/{example}/review", json={"decision": "approve", "notes": "see EMP-100005"}))
    wish = {**WISH, "skill_id": world.skill_id(), "comment": "Please greet EMP-100006"}
    feedback = ok(bob.post("/api/feedback", json=wish), 201)
    ok(alice.patch(f"/api/feedback/{feedback['id']}", json={"reply": "It greets EMP-100007 now"}))
    assert leaked(world) == []
    shown = ok(alice.get(f"/api/training-examples/{example}"))
    assert shown["example_input"] == "I am [REDACTED:staff_number]"
    assert shown["findings"]["staff_number"] >= 2
    assert golden["example_input"] == "[REDACTED:staff_number_1]"
    for found in (shown, golden):
        assert found["sanitizer_version"].startswith(f"{SANITIZER_VERSION}+")


def test_the_rules_of_one_tenant_are_not_those_of_another(world: World) -> None:
    add_rule(world, "charlie")
    example = world.capture(text="I am EMP-100001", answer="b")
    shown = ok(world.client("alice").get(f"/api/training-examples/{example}"))
    assert (shown["example_input"], shown["sanitizer_version"]) == ("I am EMP-100001", SANITIZER_VERSION)


def test_a_removed_rule_leaves_what_the_sanitizer_finds_by_itself(world: World) -> None:
    rule = add_rule(world)
    ok(world.client("dana").delete(f"{PATH}/{rule['id']}"), 204)
    example = world.capture(text=f"EMP-100001 {github_token()}", answer="b")
    shown = ok(world.client("alice").get(f"/api/training-examples/{example}"))
    assert shown["example_input"] == "EMP-100001 [REDACTED:github_token]"
    assert version_of(world, example) == SANITIZER_VERSION


def test_a_rule_that_no_longer_compiles_stops_capture_and_not_the_event(world: World) -> None:
    rule = add_rule(world)
    with world.database.write(world.someone("dana").tenant_id) as session:
        session.execute(update(SanitizerRule).where(SanitizerRule.id == rule["id"]).values(pattern="(EMP"))
    answer = ok(world.track(tool_input_snippet="I am EMP-100001", tool_output_snippet="b"))
    assert answer["capture"] == {"outcome": "failed", "reason": "sanitizer_failed"}
    assert len(rows(world, UsageEvent)) == 1
    golden = {"example_input": "EMP-100002", "example_output": "b"}
    refused = world.client("alice").post(f"/api/skills/{world.skill_id()}/training-examples", json=golden)
    assert refused.status_code == 500
    assert leaked(world) == []
