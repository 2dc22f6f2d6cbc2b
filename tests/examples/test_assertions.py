"""What answers must satisfy: of a skill, of an example."""

import json
from typing import Any

import pytest
from conftest import World
from helpers import check_refused, client_with, github_token, new_key, ok, refusal, rows, wrong_field
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.examples.rescan import count_behind, rescan
from goldvein.examples.tables import StoredAssertion
from goldvein.skills.assertions import MAX_ASSERTIONS, MAX_VALUE_BYTES, Assertion, BadAssertion, read_assertion

SKILL = "/api/skills/release-notes/assertions"
TEXT = {"kind": "contains", "value": "Changelog"}
RULE = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}
SCHEMA = '{"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "pattern": "^v[0-9]+"}}}'


def put(world: World, path: str, *assertions: Any, name: str = "alice", **headers: str) -> Any:
    return world.client(name).put(path, json={"assertions": list(assertions)}, headers=headers)


def of_example(world: World) -> tuple[str, str]:
    example_id = world.capture()
    return example_id, f"/api/training-examples/{example_id}/assertions"


def test_only_the_author_sees_and_writes_them(world: World) -> None:
    _, of_one = of_example(world)
    everybody = {"anonymous": 401, "charlie": 404, "bob": 403, "dana": 403, "erin": 403}
    for path in (SKILL, of_one):
        check_refused(world, "PUT", path, {"assertions": [TEXT]}, **everybody)
        check_refused(world, "GET", path, **everybody)
        narrow = client_with(world, new_key(world, "alice", "track", "read")["api_key"])
        assert narrow.get(path).status_code == 200
        refusal(narrow.put(path, json={"assertions": [TEXT]}), 403, "missing_scope")
    assert rows(world, StoredAssertion) == []


def test_each_kind_is_stored_in_its_order_and_read_back(world: World) -> None:
    given = [TEXT, {"kind": "regex", "value": "v[0-9]+"}, {"kind": "json_schema", "value": SCHEMA}]
    given.append({"kind": "rubric", "value": "Names every breaking change"})
    for path in (SKILL, of_example(world)[1]):
        stored = ok(put(world, path, *given))
        assert [one["kind"] for one in stored["assertions"]] == ["contains", "regex", "json_schema", "rubric"]
        assert stored["assertions"][2]["value"] == json.dumps(json.loads(SCHEMA), sort_keys=True, separators=(",", ":"))
        answer = world.client("alice").get(path)
        assert answer.json() == stored
        assert answer.headers["ETag"] == f'"{stored["revision"]}"'
        assert ok(put(world, path, TEXT))["assertions"] == [TEXT]
        assert ok(put(world, path))["assertions"] == []


def test_a_change_of_another_state_is_refused(world: World) -> None:
    for path in (SKILL, of_example(world)[1]):
        revision = world.client("alice").get(path).json()["revision"]
        ok(put(world, path, TEXT, **{"If-Match": f'"{revision}"'}))
        refusal(put(world, path, **{"If-Match": f'"{revision}"'}), 409, "stale_revision")
        assert world.client("alice").get(path).json()["assertions"] == [TEXT]


def test_a_wrong_one_names_its_place_and_nothing_is_stored(world: World, subtests: pytest.Subtests) -> None:
    wrong: list[Any] = [
        {"kind": "equals", "value": "x"},
        {"kind": "contains", "value": ""},
        {"kind": "contains", "value": " \n"},
        {"kind": "contains", "value": "a\x00"},
        {"kind": "contains", "value": "é" * (MAX_VALUE_BYTES // 2) + "x"},
        {"kind": "regex", "value": "("},
        {"kind": "regex", "value": "(?=a)a"},
        {"kind": "regex", "value": "(a{1,900}){1,900}"},
        {"kind": "json_schema", "value": "{"},
        {"kind": "json_schema", "value": '{"type": "text"}'},
        {"kind": "json_schema", "value": '{"$ref": "https://example.org/schema"}'},
        {"kind": "json_schema", "value": '{"minLength": NaN}'},
        {"kind": "json_schema", "value": '{"type": "object", "type": "array"}'},
        {"kind": "json_schema", "value": '{"not":' * 30 + "true" + "}" * 30},
        {"kind": "json_schema", "value": '{"pattern": "(?=a)"}'},
        {"kind": "contains", "value": "ann@corp.example"},
        {"kind": "regex", "value": f"key {github_token()}"},
        {"kind": "json_schema", "value": json.dumps({"const": github_token()})},
    ]
    for assertion in wrong:
        with subtests.test(assertion=assertion):
            assert wrong_field(put(world, SKILL, TEXT, assertion)) == "assertions.1"
    assert wrong_field(put(world, SKILL, *[TEXT] * (MAX_ASSERTIONS + 1))) == "assertions"
    for body in ({"kind": "contains"}, {**TEXT, "weight": 2}, 5):
        refusal(put(world, SKILL, body), 422, "invalid_field")
    assert rows(world, StoredAssertion) == []
    ok(put(world, SKILL, *[TEXT] * MAX_ASSERTIONS))


def test_a_rubric_is_sanitized_and_a_placeholder_may_be_asked_for(world: World) -> None:
    rubric = {"kind": "rubric", "value": f"does not repeat {github_token()}"}
    placeholder = {"kind": "contains", "value": "[REDACTED:email_1]"}
    stored = ok(put(world, SKILL, rubric, placeholder))["assertions"]
    assert stored == [{"kind": "rubric", "value": "does not repeat [REDACTED:github_token]"}, placeholder]
    assert not any(github_token() in str(cell) for cell in world.every_cell())


def test_half_a_surrogate_pair_is_no_text(world: World) -> None:
    body = b'{"assertions": [{"kind": "contains", "value": "\\ud800"}]}'
    answer = world.client("alice").put(SKILL, content=body, headers={"Content-Type": "application/json"})
    refusal(answer, 422, "invalid_field")


def test_they_go_with_the_text_they_were_written_for(world: World) -> None:
    _, withdrawn = of_example(world)
    ok(put(world, withdrawn, {"kind": "contains", "value": "marigold"}))
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    assert rows(world, StoredAssertion) == []
    assert not any("marigold" in str(cell) for cell in world.every_cell())
    refusal(put(world, withdrawn, TEXT), 409, "wrong_status")


def test_erasing_one_example_leaves_the_assertions_of_others(world: World) -> None:
    first, of_first = of_example(world)
    _, of_second = of_example(world)
    for path in (of_first, of_second, SKILL):
        ok(put(world, path, TEXT))
    ok(world.client("bob").delete(f"/api/me/data/{first}"))
    assert {row.example_id for row in rows(world, StoredAssertion)} == {of_second.split("/")[3], None}
    ok(world.client("alice").delete(f"/api/training-examples/{of_second.split('/')[3]}"), 204)
    assert [row.example_id for row in rows(world, StoredAssertion)] == [None]
    ok(world.client("alice").delete("/api/skills/release-notes", params={"confirm": "release-notes"}))
    assert rows(world, StoredAssertion) == []


def test_a_new_rule_is_taken_to_them(world: World) -> None:
    for value in ("by EMP-123456", "by nobody"):
        ok(put(world, SKILL, {"kind": "rubric", "value": value}, {"kind": "contains", "value": value}))
        if value == "by EMP-123456":
            ok(world.client("dana").post("/api/settings/sanitizer-rules", json=RULE), 201)
            tenant_id = world.someone("alice").tenant_id
            with world.database.read(tenant_id) as session:
                assert count_behind(session) == 2
            steps = list(rescan(world.database, tenant_id, now=world.runtime.now))
            assert sum(step.changed for step in steps) == 2
            stored = world.client("alice").get(SKILL).json()["assertions"]
            assert stored == [{"kind": "rubric", "value": "by [REDACTED:staff_number]"}]
            with world.database.read(tenant_id) as session:
                assert count_behind(session) == 0
    assert list(rescan(world.database, tenant_id, now=world.runtime.now)) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.sampled_from(["string", "^a$"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "required",
                    "enum",
                    "anyOf",
                    "not",
                    "pattern",
                    "minLength",
                    "title",
                    "$ref",
                ]
            ),
            inner,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=200, deadline=None)
@given(schema=JSON_VALUES)
def test_any_json_is_a_schema_in_one_form_or_refused(schema: Any) -> None:
    try:
        found = read_assertion("json_schema", json.dumps(schema))
    except BadAssertion:
        return
    assert json.loads(found.value) == schema
    assert read_assertion("json_schema", found.value) == Assertion(kind="json_schema", value=found.value)
