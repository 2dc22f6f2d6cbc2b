import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from helpers import UNKNOWN_ID, check_refused, client_with, github_token, new_key, ok, refusal, rows, wrong_field

from goldvein.examples.review import DECISIONS, MOVES, next_status, target
from goldvein.examples.tables import ExampleRevision
from goldvein.feedback.kinds import EXAMPLE_STATUSES
from goldvein.feedback.tables import TrainingExample

CONCEPTS = Path(__file__).parents[2] / "docs" / "concepts.md"
ROADS = {
    "pending": [],
    "approved": ["approve"],
    "rejected": ["reject"],
    "quarantined": ["quarantine"],
}


def documented_moves() -> dict[tuple[str, str], str]:
    """The table of docs/concepts.md: one line a status, one column a decision, the next status in the cell."""
    moves: dict[tuple[str, str], str] = {}
    columns: list[str] = []
    for line in CONCEPTS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`*") for cell in line.strip().strip("|").split("|")]
        if set(DECISIONS) <= set(cells):
            columns = cells
        elif cells[0] in EXAMPLE_STATUSES and len(cells) == len(columns):
            for decision, then in list(zip(columns, cells, strict=True))[1:]:
                if decision in DECISIONS and then in EXAMPLE_STATUSES:
                    moves[cells[0], decision] = then
    return moves


def decide(world: World, example_id: str, decision: str, name: str = "alice", **fields: Any) -> Any:
    body = {"decision": decision, **fields}
    return world.client(name).post(f"/api/training-examples/{example_id}/review", json=body)


def test_the_table_of_moves_is_the_documented_one() -> None:
    moves = {(status, decision): then for status, row in MOVES.items() for decision, then in row.items()}
    assert moves == documented_moves()
    assert set(MOVES) == set(EXAMPLE_STATUSES)
    for status, decision in itertools.product(EXAMPLE_STATUSES, DECISIONS):
        assert next_status(status, decision) == moves.get((status, decision))


def test_every_decision_in_every_status(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = list(itertools.product(ROADS, DECISIONS))
    for status, decision in cases:
        with subtests.test(status=status, decision=decision):
            example_id = world.capture()
            for step in ROADS[status]:
                ok(decide(world, example_id, step))
            response = decide(world, example_id, decision)
            then = documented_moves().get((status, decision))
            if then is None:
                details = refusal(response, 409, "wrong_status")
                assert (details["status"], details["decision"]) == (status, decision)
                assert ok(world.client("alice").get(f"/api/training-examples/{example_id}"))["status"] == status
            else:
                shown = ok(response)
                assert (shown["status"], shown["reviewed_by"]) == (then, world.someone("alice").person_id)
                assert set(shown["decisions"]) == {made for made in DECISIONS if (then, made) in documented_moves()}
                assert world.metric("goldvein_reviews_total", decision=decision) >= 1


def test_nothing_leads_out_of_withdrawn(world: World) -> None:
    example_id = world.capture()
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    for decision in DECISIONS:
        assert refusal(decide(world, example_id, decision), 409, "wrong_status")["possible"] == "none"
    edit = world.client("alice").patch(f"/api/training-examples/{example_id}", json={"example_input": "back again"})
    refusal(edit, 409, "wrong_status")
    assert rows(world, TrainingExample)[0].example_input is None


def test_only_an_author_reviews(world: World) -> None:
    path = f"/api/training-examples/{world.capture()}/review"
    body = {"decision": "approve"}
    check_refused(world, "POST", path, body, anonymous=401, charlie=404, bob=403, erin=403, dana=403)
    narrow = client_with(world, new_key(world, "alice", "track", "read", "export", "me")["api_key"])
    assert refusal(narrow.post(path, json=body), 403, "missing_scope")["scope"] == "review"
    assert rows(world, TrainingExample)[0].status == "pending"
    ok(world.client("alice").post(path, json=body))


def test_a_second_decision_on_the_same_state_is_a_conflict(world: World) -> None:
    example_id = world.capture()
    ok(decide(world, example_id, "approve", notes="first"))
    refusal(decide(world, example_id, "approve", notes="second"), 409, "wrong_status")
    refusal(decide(world, example_id, "reject", notes="third"), 409, "wrong_status")
    assert rows(world, TrainingExample)[0].review_notes == "first"


def test_a_stale_decision_shows_the_current_state(world: World) -> None:
    path = f"/api/training-examples/{world.capture()}"
    alice = world.client("alice")
    stale = alice.get(path).headers["etag"]
    ok(alice.patch(path, json={"example_input": "edited"}))
    for response in (
        alice.post(f"{path}/review", json={"decision": "approve"}, headers={"If-Match": stale}),
        alice.patch(path, json={"example_input": "stale"}, headers={"If-Match": stale}),
    ):
        assert refusal(response, 409, "stale_revision")["current"]["status"] == "pending"
    assert ok(alice.get(path))["example_input"] == "edited"
    fresh = alice.get(path).headers["etag"]
    ok(alice.post(f"{path}/review", json={"decision": "approve"}, headers={"If-Match": fresh}))


def test_a_decision_carries_score_verdict_answer_and_notes(world: World) -> None:
    example_id = world.capture()
    fields = {"quality_score": 4, "output_verdict": "bad", "expected_output": "Better", "notes": "Tone"}
    shown = ok(decide(world, example_id, "approve", **fields))
    assert (shown["quality_score"], shown["output_verdict"], shown["expected_output"]) == (4, "bad", "Better")
    assert (shown["review_notes"], shown["reviewed_at"]) == ("Tone", world.time.isoformat().replace("+00:00", "Z"))


def test_approving_finds_the_output_good_unless_told_otherwise(world: World) -> None:
    assert ok(decide(world, world.capture(), "approve"))["output_verdict"] == "good"
    assert ok(decide(world, world.capture(), "reject"))["output_verdict"] is None
    assert ok(decide(world, world.capture(), "reject", output_verdict="unsure"))["output_verdict"] == "unsure"


def test_a_wrong_decision_names_the_field_and_changes_nothing(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"decision": "accept"}, "decision"),
        ({"decision": "approved"}, "decision"),
        ({"decision": None}, "decision"),
        ({"quality_score": 0}, "quality_score"),
        ({"quality_score": 11}, "quality_score"),
        ({"quality_score": "5"}, "quality_score"),
        ({"output_verdict": "fine"}, "output_verdict"),
        ({"notes": "n" * 2001}, "review_notes"),
        ({"expected_output": "x" * 65_537}, "expected_output"),
        ({"status": "approved"}, "body"),
    ]
    for fields, field in cases:
        with subtests.test(fields=fields, field=field):
            path = f"/api/training-examples/{world.capture()}/review"
            assert wrong_field(world.client("alice").post(path, json={"decision": "approve"} | fields)) == field
            row = rows(world, TrainingExample)[0]
            assert (row.status, row.revision, row.reviewed_by) == ("pending", 1, None)


def test_an_unknown_example_is_not_found(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [UNKNOWN_ID, "no-id"]
    for example_id in cases:
        with subtests.test(example_id=example_id):
            refusal(decide(world, example_id, "approve"), 404, "not_found")
            path = f"/api/training-examples/{example_id}"
            refusal(world.client("alice").patch(path, json={"example_input": "x"}), 404, "not_found")
            refusal(world.client("alice").delete(path), 404, "not_found")


def test_nothing_is_approved_on_a_consent_that_was_withdrawn_even_if_given_again(world: World) -> None:
    example_id = world.capture()
    with world.database.write(world.someone("bob").tenant_id) as session:  # as if the erasure had missed the row
        from goldvein.consent import service as consent  # noqa: PLC0415 (only this test goes below withdrawal.py)

        consent.append_withdrawal(session, world.actor("bob"), now=world.time)
    refusal(decide(world, example_id, "approve"), 403, "not_allowed")
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give"}))
    refusal(decide(world, example_id, "approve"), 403, "not_allowed")
    assert ok(decide(world, example_id, "reject"))["status"] == "rejected"


def test_expiry_stops_capture_and_not_the_review(world: World) -> None:
    example_id = world.capture()
    world.time += timedelta(days=400)
    assert ok(decide(world, example_id, "approve"))["status"] == "approved"


def test_an_edit_is_sanitized_and_keeps_the_former_texts(world: World) -> None:
    path, secret = f"/api/training-examples/{world.capture(text='first', answer='answer')}", github_token()
    edited = ok(world.client("alice").patch(path, json={"example_input": f"now {secret}", "review_notes": secret}))
    assert edited["example_input"] == "now [REDACTED:github_token]"
    assert edited["review_notes"] == "[REDACTED:github_token]"
    assert (edited["example_output"], edited["revision"], edited["status"]) == ("answer", 2, "pending")
    assert edited["findings"] == {"github_token": 2}
    revision = rows(world, ExampleRevision)[0]
    assert (revision.example_input, revision.example_output, revision.revision) == ("first", "answer", 1)
    assert revision.edited_by == world.someone("alice").person_id
    assert all(secret not in str(cell) for cell in world.every_cell())


def test_an_answer_given_with_a_decision_is_sanitized_too(world: World) -> None:
    secret = github_token()
    shown = ok(decide(world, world.capture(), "approve", expected_output=f"use {secret}", notes=f"saw {secret}"))
    assert shown["expected_output"] == "use [REDACTED:github_token]"
    assert all(secret not in str(cell) for cell in world.every_cell())
    assert len(rows(world, ExampleRevision)) == 1


def test_a_new_person_in_an_edit_is_not_mistaken_for_an_old_one(world: World) -> None:
    example_id = world.capture(text="ask ann@corp.example", answer="asked ann@corp.example and ben@corp.example")
    path = f"/api/training-examples/{example_id}"
    edited = ok(world.client("alice").patch(path, json={"expected_output": "asked eve@corp.example"}))
    assert edited["example_output"] == "asked [REDACTED:email_1] and [REDACTED:email_2]"
    assert edited["expected_output"] == "asked [REDACTED:email_3]"


def test_an_edit_that_changes_no_text_keeps_no_revision(world: World) -> None:
    path = f"/api/training-examples/{world.capture(text='same')}"
    ok(world.client("alice").patch(path, json={"example_input": "same", "quality_score": 3}))
    assert rows(world, ExampleRevision) == []
    assert ok(world.client("alice").get(path))["quality_score"] == 3
    assert ok(world.client("alice").patch(path, json={"quality_score": None}))["quality_score"] is None


def test_an_empty_expected_output_or_note_removes_it(world: World) -> None:
    path = f"/api/training-examples/{world.capture()}"
    ok(world.client("alice").patch(path, json={"expected_output": "x", "review_notes": "y"}))
    edited = ok(world.client("alice").patch(path, json={"expected_output": "", "review_notes": None}))
    assert (edited["expected_output"], edited["review_notes"]) == (None, None)
    assert [row.expected_output for row in rows(world, ExampleRevision)] == [None, "x"]


def test_a_wrong_edit_names_the_field_and_changes_nothing(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"example_input": ""}, "example_input"),
        ({"example_input": None}, "example_input"),
        ({"example_output": " "}, "example_output"),
        ({"example_output": "x" * 65_537}, "example_output"),
        ({"review_notes": "x" * 2001}, "review_notes"),
        ({"quality_score": 12}, "quality_score"),
        ({"status": "approved"}, "body"),
    ]
    for change, field in cases:
        with subtests.test(change=change, field=field):
            path = f"/api/training-examples/{world.capture(text='kept')}"
            assert wrong_field(world.client("alice").patch(path, json=change)) == field
            row = rows(world, TrainingExample)[0]
            assert (row.example_input, row.revision) == ("kept", 1)


def test_only_an_author_edits_and_deletes(world: World) -> None:
    path = f"/api/training-examples/{world.capture()}"
    change = {"example_input": "mine now"}
    check_refused(world, "PATCH", path, change, anonymous=401, charlie=404, bob=403, erin=403, dana=403)
    check_refused(world, "DELETE", path, anonymous=401, charlie=404, bob=403, erin=403, dana=403)
    assert rows(world, TrainingExample)[0].example_input == "Write the notes"


def test_a_deleted_example_leaves_no_text(world: World) -> None:
    path = f"/api/training-examples/{world.capture(text='the first text', answer='the answer')}"
    ok(world.client("alice").patch(path, json={"example_input": "the second text"}))
    ok(world.client("alice").delete(path), 204)
    refusal(world.client("alice").delete(path), 404, "not_found")
    for cell in world.every_cell():
        assert str(cell) not in {"the first text", "the second text", "the answer"}


@pytest.mark.parametrize("verdict", ["good", "bad", "unsure", None])
@pytest.mark.parametrize("expected", ["expected", "", None])
def test_the_answer_is_the_expected_text_or_an_output_found_good(verdict: str | None, expected: str | None) -> None:
    answer = target(expected_output=expected, example_output="captured", output_verdict=verdict)
    assert answer == ("expected" if expected else {"good": "captured"}.get(verdict or ""))
