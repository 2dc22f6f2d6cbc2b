"""Many golden examples in one request, each with its own outcome."""

import threading
from typing import Any

import pytest
from conftest import World
from helpers import check_refused, client_with, github_token, new_key, ok, refusal, rows, wrong_field

from goldvein.examples import golden_import
from goldvein.examples.importing.records import MAX_ITEMS, MAX_TEXT_BYTES
from goldvein.examples.tables import ImportedExample
from goldvein.feedback.tables import TrainingExample
from goldvein.sanitizer import SanitizerFailed

PATH = "/api/skills/release-notes/training-examples/import"
RULES = "/api/settings/sanitizer-rules"
ITEM = {"example_input": "Write the notes", "example_output": "Here they are"}


def send(world: World, *items: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(world.client("alice").post(PATH, json={"items": list(items)}))["results"]
    return found


def outcomes(world: World, *items: Any) -> list[str]:
    return [one["outcome"] for one in send(world, *items)]


def test_only_the_author_imports(world: World) -> None:
    check_refused(world, "POST", PATH, {"items": [ITEM]}, anonymous=401, charlie=404, bob=403, dana=403, erin=403)
    narrow = client_with(world, new_key(world, "alice", "track", "read", "export", "me")["api_key"])
    refusal(narrow.post(PATH, json={"items": [ITEM]}), 403, "missing_scope")
    assert rows(world, TrainingExample) == []


def test_imported_examples_are_golden_ones(world: World) -> None:
    (made,) = send(world, ITEM | {"expected_output": "Better", "quality_score": 7})
    example = ok(world.client("alice").get(f"/api/training-examples/{made['example_id']}"))
    assert (example["status"], example["source"], example["user"]) == ("approved", "api", "Alice")
    assert (example["expected_output"], example["quality_score"], example["output_verdict"]) == ("Better", 7, "good")
    assert example["skill_version_id"] is not None


def test_the_same_twice_adds_nothing_even_within_one_request(world: World) -> None:
    other = ITEM | {"expected_output": "Better"}
    first = send(world, ITEM, other, ITEM)
    assert [one["outcome"] for one in first] == ["stored", "stored", "duplicate"]
    assert first[2]["example_id"] == first[0]["example_id"]
    assert outcomes(world, other, ITEM | {"example_input": "x"}, ITEM) == ["duplicate", "stored", "duplicate"]
    assert len(rows(world, TrainingExample)) == 3


def test_what_its_author_deleted_can_be_imported_again(world: World) -> None:
    (made,) = send(world, ITEM)
    ok(world.client("alice").delete(f"/api/training-examples/{made['example_id']}"), 204)
    assert rows(world, ImportedExample) == []
    assert outcomes(world, ITEM) == ["stored"]


def test_another_skill_and_another_tenant_know_nothing_of_it(world: World) -> None:
    send(world, ITEM)
    ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    for name, slug in (("alice", "other"), ("charlie", "globex-notes")):
        path = f"/api/skills/{slug}/training-examples/import"
        assert ok(world.client(name).post(path, json={"items": [ITEM]}))["results"][0]["outcome"] == "stored"


def test_a_wrong_item_takes_no_other_along(world: World) -> None:
    longest = "é" * (MAX_TEXT_BYTES // 2)
    wrong: list[tuple[Any, str]] = [
        (ITEM | {"status": "approved"}, "items"),
        ({"example_input": "x"}, "example_output"),
        (ITEM | {"example_input": " \n"}, "example_input"),
        (ITEM | {"example_input": ["x"]}, "example_input"),
        (ITEM | {"example_output": longest + "x"}, "example_output"),
        (ITEM | {"expected_output": 5}, "expected_output"),
        (ITEM | {"quality_score": 11}, "quality_score"),
        (ITEM | {"quality_score": True}, "quality_score"),
        (ITEM | {"quality_score": "7"}, "quality_score"),
    ]
    found = send(world, *(item for item, _ in wrong), ITEM | {"example_output": longest})
    assert [(one["outcome"], one["reason"], one["error"]["details"]["field"]) for one in found[:-1]] == [
        ("rejected", "invalid", field) for _, field in wrong
    ]
    assert found[-1]["outcome"] == "stored"
    assert len(rows(world, TrainingExample)) == 1
    body = b'{"items": [{"example_input": "half a \\ud800", "example_output": "b"}]}'
    answer = ok(world.client("alice").post(PATH, content=body, headers={"Content-Type": "application/json"}))
    assert answer["results"][0]["error"]["details"] == {"field": "example_input", "reason": "not valid Unicode text"}


def test_a_request_has_its_limits(world: World) -> None:
    alice = world.client("alice")
    assert wrong_field(alice.post(PATH, json={"items": []})) == "items"
    assert wrong_field(alice.post(PATH, json={"items": [ITEM] * (MAX_ITEMS + 1)})) == "items"
    assert wrong_field(alice.post(PATH, json={"items": "all"})) == "items"
    assert wrong_field(alice.post(PATH, json={"items": [ITEM, 5]})) == "items.1"
    refusal(alice.post(PATH, json={"items": [ITEM | {"example_input": "x" * 1_100_000}]}), 413, "too_large")
    assert rows(world, TrainingExample) == []


def test_the_texts_are_sanitized_and_what_they_are_known_by_is_made_of_that(world: World) -> None:
    secret = github_token()
    texts = {"example_input": f"mail ann@corp.example with {secret}\x00", "example_output": "mailed ann@corp.example"}
    (made,) = send(world, texts)
    example = ok(world.client("alice").get(f"/api/training-examples/{made['example_id']}"))
    assert example["example_input"] == "mail [REDACTED:email] with [REDACTED:github_token]\u2400"
    assert example["example_output"] == "mailed [REDACTED:email]"
    assert outcomes(world, {name: text.replace("ann@", "ben@") for name, text in texts.items()}) == ["duplicate"]
    for cell in world.every_cell():
        assert secret not in str(cell)
        assert "ann@corp.example" not in str(cell)


def test_a_text_the_sanitizer_fails_on_is_dropped_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sanitize_many = golden_import.sanitize_many

    def fail_on_one(texts: list[str], *rest: Any) -> Any:
        if "marigold" in texts[0]:
            raise SanitizerFailed
        return sanitize_many(texts, *rest)

    monkeypatch.setattr(golden_import, "sanitize_many", fail_on_one)
    found = send(world, ITEM | {"example_input": "marigold"}, ITEM)
    assert [(one["outcome"], one["reason"]) for one in found] == [("rejected", "not_sanitized"), ("stored", None)]
    assert "marigold" not in str(found)
    assert not any("marigold" in str(cell) for cell in world.every_cell())
    assert world.metric("goldvein_sanitizer_failures_total") == 1


def test_a_rule_added_meanwhile_reads_the_texts_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were sanitized before it, outside of the transaction."""
    write = world.database.write
    rule = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}

    def write_after_the_rule(tenant_id: str) -> Any:
        monkeypatch.setattr(world.database, "write", write)
        ok(world.client("dana").post(RULES, json=rule), 201)
        return write(tenant_id)

    alice = world.client("alice")
    with monkeypatch.context() as patched:
        patched.setattr(world.database, "write", write_after_the_rule)
        ok(alice.post(PATH, json={"items": [ITEM | {"example_input": "by EMP-654321"}]}))
    (example,) = rows(world, TrainingExample)
    assert example.example_input == "by [REDACTED:staff_number]"


def test_two_imports_of_the_same_file_at_once_add_it_once(world: World) -> None:
    items = [ITEM | {"example_input": f"note {number}"} for number in range(30)]
    clients = [world.client("alice") for _ in range(3)]
    found: list[dict[str, Any]] = []

    def post(client: Any) -> None:
        found.extend(ok(client.post(PATH, json={"items": items}))["results"])

    threads = [threading.Thread(target=post, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one["outcome"] for one in found].count("stored") == 30
    assert len(found) == 90
    assert len(rows(world, TrainingExample)) == 30


def test_deleting_the_skill_forgets_its_imports(world: World) -> None:
    send(world, ITEM)
    ok(world.client("alice").delete("/api/skills/release-notes", params={"confirm": "release-notes"}))
    assert rows(world, ImportedExample) == []
