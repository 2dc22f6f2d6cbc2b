"""A rescan takes new rules to what is stored: in place, and approved examples that change wait for review again."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import World
from helpers import github_token, ok, rows
from sqlalchemy import update

from goldvein.examples import rescan as rescanning
from goldvein.examples.rescan import Rescanned
from goldvein.examples.tables import ExampleRevision
from goldvein.feedback.tables import SkillFeedback, TrainingExample
from goldvein.sanitizer import NAMES_MARK, SANITIZER_VERSION

RULE = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}


def add_rule(world: World, name: str = "dana") -> None:
    ok(world.client(name).post("/api/settings/sanitizer-rules", json=RULE), 201)


def steps(world: World, name: str = "alice") -> Iterator[Rescanned]:
    return rescanning.rescan(world.database, world.someone(name).tenant_id, now=world.runtime.now)


def rescan(world: World, name: str = "alice") -> Rescanned:
    return sum(steps(world, name), Rescanned())


def behind(world: World, name: str = "alice") -> int:
    with world.database.read(world.someone(name).tenant_id) as session:
        return rescanning.count_behind(session)


def leaked(world: World) -> list[Any]:
    """Every value in the store that holds what the rule should have removed."""
    return [cell for cell in world.every_cell() if "EMP-1" in str(cell)]


def shown(world: World, example_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(world.client("alice").get(f"/api/training-examples/{example_id}"))
    return found


def review(world: World, example_id: str, decision: str) -> None:
    ok(world.client("alice").post(f"/api/training-examples/{example_id}/review", json={"decision": decision}))


def test_an_approved_example_with_a_finding_is_pending_again_and_says_why(world: World) -> None:
    example = world.capture(text="I am EMP-100001", answer="Hello EMP-100001 and EMP-100002")
    review(world, example, "approve")
    before = shown(world, example)
    assert (before["status"], before["status_reason"], behind(world)) == ("approved", None, 0)
    add_rule(world)
    assert behind(world) == 1
    assert rescan(world) == Rescanned(read=1, changed=1, reopened=1, findings={"staff_number": 3})
    after = shown(world, example)
    assert after["example_input"] == "I am [REDACTED:staff_number_1]"
    assert after["example_output"] == "Hello [REDACTED:staff_number_1] and [REDACTED:staff_number_2]"
    assert (after["status"], after["status_reason"]) == ("pending", "rescan")
    assert after["findings"] == {"staff_number": 3}
    assert after["revision"] == before["revision"] + 1
    assert after["sanitizer_version"].startswith(f"{SANITIZER_VERSION}+")
    assert behind(world) == 0
    page = world.browser("alice").get(f"/training-examples/{example}")
    assert "changed by a rescan" in page.text
    review(world, example, "approve")
    assert shown(world, example)["status_reason"] is None


def test_an_example_without_a_finding_keeps_all_but_its_version(world: World) -> None:
    example = world.capture(text="Write the notes", answer="Done")
    review(world, example, "approve")
    before = shown(world, example)
    add_rule(world)
    assert rescan(world) == Rescanned(read=1)
    after = shown(world, example)
    assert {name for name in after if after[name] != before[name]} == {"sanitizer_version"}


def test_notes_and_former_revisions_are_rescanned_too(world: World) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    change = {"example_input": "Nobody", "expected_output": "EMP-100002", "review_notes": "ask EMP-100003"}
    ok(world.client("alice").patch(f"/api/training-examples/{example}", json=change))
    add_rule(world)
    assert rescan(world) == Rescanned(read=1, changed=1, findings={"staff_number": 3})
    assert shown(world, example)["findings"] == {"staff_number": 2}
    assert [row.example_input for row in rows(world, ExampleRevision)] == ["I am [REDACTED:staff_number_3]"]
    assert leaked(world) == []


@pytest.mark.parametrize(
    ("decision", "status", "reason"),
    [(None, "pending", "rescan"), ("reject", "rejected", None), ("quarantine", "quarantined", None)],
)
def test_what_was_not_approved_stays_where_it_is(
    world: World, decision: str | None, status: str, reason: str | None
) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    if decision:
        review(world, example, decision)
    add_rule(world)
    assert rescan(world).reopened == 0
    after = shown(world, example)
    assert (after["status"], after["status_reason"]) == (status, reason)
    assert after["example_input"] == "I am [REDACTED:staff_number]"


def test_a_golden_example_with_a_finding_waits_for_its_author_too(world: World) -> None:
    body = {"example_input": "I am EMP-100001", "example_output": "b", "expected_output": "EMP-100002"}
    path = f"/api/skills/{world.skill_id()}/training-examples"
    golden = ok(world.client("alice").post(path, json=body), 201)["id"]
    add_rule(world)
    assert rescan(world) == Rescanned(read=1, changed=1, reopened=1, findings={"staff_number": 2})
    assert (shown(world, golden)["status"], shown(world, golden)["status_reason"]) == ("pending", "rescan")
    review(world, golden, "approve")
    assert shown(world, golden)["status"] == "approved"


def test_comments_and_replies_are_rescanned_and_keep_their_status(world: World) -> None:
    wish = {"feedback_type": "suggestion", "category": "error", "severity": "critical", "skill_id": world.skill_id()}
    vote = {"feedback_type": "thumbs_up", "skill_id": world.skill_id()}
    comment = "Please greet EMP-100001, not EMP-100002"
    left = ok(world.client("bob").post("/api/feedback", json={**wish, "comment": comment}), 201)
    ok(world.client("bob").post("/api/feedback", json={**vote, "comment": "EMP-100003 is happy"}), 201)
    ok(world.client("erin").post("/api/feedback", json=vote), 201)
    answer = {"reply": "It greets EMP-100001 now", "status": "accepted"}
    ok(world.client("alice").patch(f"/api/feedback/{left['id']}", json=answer))
    assert behind(world) == 0
    add_rule(world)
    assert behind(world) == 2
    assert rescan(world) == Rescanned(read=2, changed=2, findings={"staff_number": 4})
    assert (leaked(world), behind(world)) == ([], 0)
    (found,) = [row for row in rows(world, SkillFeedback) if row.id == left["id"]]
    assert (found.status, found.status_reason) == ("accepted", None)
    assert found.author_reply == "It greets [REDACTED:staff_number_1] now"


def test_a_reply_to_a_comment_that_is_behind_does_not_hide_it_from_the_rescan(world: World) -> None:
    wish = {"feedback_type": "suggestion", "category": "error", "severity": "critical", "skill_id": world.skill_id()}
    left = ok(world.client("bob").post("/api/feedback", json={**wish, "comment": "Please greet EMP-100001"}), 201)
    add_rule(world)
    ok(world.client("alice").patch(f"/api/feedback/{left['id']}", json={"reply": "It does"}))
    assert behind(world) == 1
    rescan(world)
    assert leaked(world) == []


def test_withdrawn_examples_are_not_read(world: World) -> None:
    world.capture(text="I am EMP-100001", answer="b")
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    add_rule(world)
    assert behind(world) == 0
    assert rescan(world).read == 0
    assert [row.example_input for row in rows(world, TrainingExample)] == [None]


def test_a_withdrawal_after_a_rescan_leaves_nothing_of_it(world: World) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    review(world, example, "approve")
    add_rule(world)
    rescan(world)
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    (row,) = rows(world, TrainingExample)
    assert (row.status, row.status_reason, row.example_input, row.findings) == ("withdrawn", None, None, None)


def test_what_an_older_version_stored_is_found_with_the_rules_of_this_one(world: World) -> None:
    example = world.capture(text="a", answer="b")
    with world.database.write(world.someone("alice").tenant_id) as session:
        old = {"example_input": f"use {github_token()}", "sanitizer_version": "0-older"}
        session.execute(update(TrainingExample).where(TrainingExample.id == example).values(**old))
    assert rescan(world).findings == {"github_token": 1}
    assert shown(world, example)["example_input"] == "use [REDACTED:github_token]"
    assert shown(world, example)["sanitizer_version"] == SANITIZER_VERSION


def test_an_interrupted_rescan_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescanning, "READ_AT_ONCE", 3)
    monkeypatch.setattr(rescanning, "WRITTEN_AT_ONCE", 2)
    for number in range(5):
        world.capture(text=f"EMP-10000{number}", answer="b")
    add_rule(world)
    first = steps(world)
    assert [next(first).read for _ in range(2)] == [2, 1]
    first.close()
    assert behind(world) == 2
    assert rescan(world) == Rescanned(read=2, changed=2, findings={"staff_number": 2})
    assert (behind(world), leaked(world)) == (0, [])


def while_it_sanitizes(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen after the texts were read and before they are written, once."""
    todo = [happens]
    real = rescanning.sanitize_many

    def sanitize_many(*arguments: Any) -> Any:
        if todo:
            todo.pop()()
        return real(*arguments)

    monkeypatch.setattr(rescanning, "sanitize_many", sanitize_many)


@pytest.mark.parametrize("how", ["withdraw", "erase", "withdraw and give again"])
def test_a_withdrawal_during_a_rescan_is_never_undone(world: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    example, other = world.capture(text="I am EMP-100001", answer="b"), world.capture(text="EMP-100002", answer="b")
    review(world, example, "approve")
    ok(world.client("alice").patch(f"/api/training-examples/{example}", json={"review_notes": "ask EMP-100003"}))
    add_rule(world)
    bob = world.client("bob")

    def leave() -> None:
        if how == "erase":
            ok(bob.delete("/api/me/data"))
            return
        ok(bob.post("/api/me/consent", json={"decision": "withdraw"}))
        if how != "withdraw":
            ok(bob.post("/api/me/consent", json={"decision": "give"}))

    while_it_sanitizes(monkeypatch, leave)
    assert rescan(world) == Rescanned()
    for row in rows(world, TrainingExample):
        assert row.id in {example, other}
        assert (row.status, row.status_reason, row.findings) == ("withdrawn", None, None)
        assert [getattr(row, name) for name in rescanning.TEXTS] == [None] * 4
    assert rows(world, ExampleRevision) == []
    assert leaked(world) == []


def while_it_writes(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> threading.Thread:
    """Let something begin while a step of the rescan is written; it must wait for the step's commit."""
    waiting = threading.Thread(target=happens)
    real = rescanning._write_row

    def write_row(*arguments: Any) -> Rescanned:
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        return real(*arguments)

    monkeypatch.setattr(rescanning, "_write_row", write_row)
    return waiting


def test_a_withdrawal_waits_for_the_step_of_a_rescan_and_then_erases_what_it_wrote(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    bob = world.client("bob")
    leaving = while_it_writes(monkeypatch, lambda: bob.post("/api/me/consent", json={"decision": "withdraw"}))
    assert rescan(world).changed == 1
    leaving.join()
    (row,) = rows(world, TrainingExample)
    assert (row.status, row.example_input, row.findings, row.status_reason) == ("withdrawn", None, None, None)


def test_a_new_rule_waits_for_the_step_of_a_rescan_and_finds_it_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.capture(text="EMP-100001 on desk-77", answer="b")
    add_rule(world)
    dana, second = world.client("dana"), {"type": "desk", "pattern": "desk-[0-9]{2}", "example": "desk-12"}
    adding = while_it_writes(monkeypatch, lambda: dana.post("/api/settings/sanitizer-rules", json=second))
    assert rescan(world).findings == {"staff_number": 1}
    adding.join()
    assert behind(world) == 1


def test_an_edit_during_a_rescan_wins_and_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    change = {"example_input": "We are EMP-100002 and EMP-100003"}
    while_it_sanitizes(
        monkeypatch, lambda: ok(world.client("alice").patch(f"/api/training-examples/{example}", json=change))
    )
    rescan(world)
    assert shown(world, example)["example_input"].startswith("We are [REDACTED:staff_number_")
    assert (behind(world), leaked(world)) == (0, [])


def test_a_review_during_a_rescan_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    while_it_sanitizes(monkeypatch, lambda: review(world, example, "reject"))
    assert rescan(world) == Rescanned(read=1, changed=1, findings={"staff_number": 1})
    assert shown(world, example)["status"] == "rejected"
    assert leaked(world) == []


def test_what_is_deleted_during_a_rescan_stays_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    while_it_sanitizes(monkeypatch, lambda: ok(world.client("alice").delete(f"/api/training-examples/{example}"), 204))
    assert rescan(world) == Rescanned()
    assert rows(world, TrainingExample) == []


def test_rules_that_change_during_a_rescan_hold_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    example = world.capture(text="EMP-100001 on desk-77", answer="b")
    add_rule(world)
    second = {"type": "desk", "pattern": "desk-[0-9]{2}", "example": "desk-12"}
    while_it_sanitizes(
        monkeypatch,
        lambda: ok(world.client("dana").post("/api/settings/sanitizer-rules", json=second), 201),
    )
    assert rescan(world).findings == {"staff_number": 1, "desk": 1}
    assert shown(world, example)["example_input"] == "[REDACTED:staff_number] on [REDACTED:desk]"
    assert behind(world) == 0


def fails_on_long_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goldvein.sanitizer.engine.MAX_TEXT_CHARS", 12)


def test_an_example_that_cannot_be_sanitized_is_set_aside_until_it_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    example, other = world.capture(text="I am EMP-100001", answer="b"), world.capture(text="fine", answer="b")
    review(world, example, "approve")
    add_rule(world)
    with monkeypatch.context() as patch:
        fails_on_long_texts(patch)
        assert rescan(world) == Rescanned(read=2, failed=1)
        assert rescan(world) == Rescanned(read=1, failed=1)
    assert (shown(world, example)["status"], shown(world, example)["status_reason"]) == ("quarantined", "rescan_failed")
    assert "could not read it" in world.browser("alice").get(f"/training-examples/{example}").text
    assert shown(world, other)["status"] == "pending"
    assert behind(world) == 1
    assert rescan(world) == Rescanned(read=1, changed=1, reopened=1, findings={"staff_number": 1})
    assert (shown(world, example)["status"], shown(world, example)["status_reason"]) == ("pending", "rescan")


def test_nobody_approves_what_the_current_rules_could_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    with monkeypatch.context() as patch:
        fails_on_long_texts(patch)
        rescan(world)
        for decision in ("approve", "reopen", "approve"):
            answer = world.client("alice").post(f"/api/training-examples/{example}/review", json={"decision": decision})
            assert answer.status_code == (200 if decision == "reopen" else 422), answer.text
        assert shown(world, example)["status"] == "pending"
    review(world, example, "approve")
    after = shown(world, example)
    assert (after["status"], after["example_input"]) == ("approved", "I am [REDACTED:staff_number]")
    assert behind(world) == 0


def test_a_rescan_takes_the_old_text_out_of_sqlites_log(world: World) -> None:
    if not world.is_sqlite:
        return
    world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    rescan(world)
    files = [path for path in world.data_dir.iterdir() if path.name.startswith("goldvein.db")]
    assert len(files) >= 2
    assert [path.name for path in files if b"EMP-1" in path.read_bytes()] == []


def test_an_edit_of_an_example_that_is_behind_reads_its_former_texts_too(world: World) -> None:
    example = world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    ok(world.client("alice").patch(f"/api/training-examples/{example}", json={"example_input": "Nobody"}))
    assert behind(world) == 0
    assert leaked(world) == []


def test_a_rescan_of_one_tenant_touches_no_other(world: World) -> None:
    world.capture(text="I am EMP-100001", answer="b")
    add_rule(world, "charlie")
    assert (behind(world), behind(world, "charlie")) == (0, 0)
    add_rule(world)
    assert rescan(world, "charlie") == Rescanned()
    assert behind(world) == 1


def test_what_was_read_for_names_too_is_not_behind_and_keeps_its_mark(world: World) -> None:
    example = world.capture(text="Dear you", answer="ok")
    marked = f"{SANITIZER_VERSION}{NAMES_MARK}0a1b2c3d"
    with world.database.write(world.someone("alice").tenant_id) as session:
        session.execute(update(TrainingExample).values(sanitizer_version=marked))
    assert behind(world) == 0
    review(world, example, "approve")
    assert shown(world, example)["sanitizer_version"] == marked
    with world.database.write(world.someone("alice").tenant_id) as session:
        session.execute(update(TrainingExample).values(sanitizer_version=f"1-0{NAMES_MARK}0a1b2c3d"))
    assert behind(world) == 1
