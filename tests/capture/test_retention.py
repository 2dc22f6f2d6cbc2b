"""What is too old goes, in small steps; what explains an example stays."""

import time
from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from helpers import ok, refusal, rows, wrong_field

from goldvein import background
from goldvein.capture import retention
from goldvein.capture.tables import HookTurn, KnownEvent, RetentionCount, TokenMeasurement, UsageEvent
from goldvein.consent.tables import ConsentEvent
from goldvein.examples.tables import ExampleRevision
from goldvein.feedback.tables import TrainingExample

SETTINGS = "/api/settings"


def later(world: World, days: float) -> None:
    """Time goes by, and the worker does what is due."""
    world.time += timedelta(days=days)
    background.worker(world.runtime).run_due()


def statuses(world: World) -> dict[str, str | None]:
    return {row.id: row.status for row in rows(world, TrainingExample)}


def review(world: World, example_id: str, decision: str) -> None:
    ok(world.client("alice").post(f"/api/training-examples/{example_id}/review", json={"decision": decision}))


def removed(world: World) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows(world, RetentionCount):
        found[row.what] = found.get(row.what, 0) + row.count
    return found


def of_captured(world: World, text: str, **fields: Any) -> str:
    return world.capture(text=text, answer="bobs answer", **fields)


def test_what_nobody_reviewed_in_90_days_expires_with_all_its_text(world: World) -> None:
    pending = of_captured(world, "bobs pending", event_id="e1")
    ok(world.client("alice").patch(f"/api/training-examples/{pending}", json={"example_input": "bobs edited"}))
    approved = of_captured(world, "bobs approved")
    review(world, approved, "approve")
    later(world, 89)
    assert statuses(world) == {pending: "pending", approved: "approved"}
    later(world, 2)
    assert statuses(world) == {pending: "expired", approved: "approved"}
    row = next(row for row in rows(world, TrainingExample) if row.id == pending)
    gone = ("example_input", "example_output", "review_notes", "findings", "tool_name", "quality_score")
    assert [getattr(row, name) for name in gone] == [None] * 6
    assert rows(world, ExampleRevision) == []
    assert not any("bobs pending" in str(cell) or "bobs edited" in str(cell) for cell in world.every_cell())
    assert [
        known.body_hash is None for known in rows(world, KnownEvent) if known.usage_event_id == row.usage_event_id
    ] == [True]
    assert removed(world) == {"examples_expired": 1}
    assert world.metric("goldvein_retention_total", what="examples_expired") == 1


def test_an_expired_example_is_in_the_ledger(world: World) -> None:
    of_captured(world, "bobs pending")
    later(world, 91)
    document = world.client("dana").get("/api/ledger/entries", params={"limit": 100}).json()["items"]
    entries = [item["entry"] for item in document]
    assert any('"cause":"expired"' in entry for entry in entries)


def test_bytes_of_what_expired_are_in_no_file_of_sqlite(world: World) -> None:
    if not world.is_sqlite:
        return
    of_captured(world, "marigold that expires")
    later(world, 91)
    for path in world.data_dir.glob("goldvein.db*"):
        assert b"marigold that expires" not in path.read_bytes(), path


def test_a_reopened_example_waits_anew_and_a_golden_one_never_expires(world: World) -> None:
    reopened = of_captured(world, "bobs reopened")
    review(world, reopened, "approve")
    golden = ok(
        world.client("alice").post(
            f"/api/skills/{world.skill_id()}/training-examples", json={"example_input": "a", "example_output": "b"}
        ),
        201,
    )["id"]
    review(world, golden, "reopen")
    later(world, 89)
    review(world, reopened, "reopen")
    later(world, 2)
    assert statuses(world) == {reopened: "pending", golden: "pending"}
    later(world, 90)
    assert statuses(world) == {reopened: "expired", golden: "pending"}


def test_events_go_after_400_days_with_what_hangs_on_them(world: World) -> None:
    ok(world.track(event_id="old", model_name="claude-sonnet-4-5", input_tokens=5, output_tokens=5))
    later(world, 399)
    assert (len(rows(world, UsageEvent)), len(rows(world, TokenMeasurement))) == (1, 1)
    later(world, 2)
    assert (rows(world, UsageEvent), rows(world, TokenMeasurement)) == ([], [])
    assert len(rows(world, KnownEvent)) == 1
    assert removed(world) == {"events_removed": 1}
    later(world, 30)
    assert rows(world, KnownEvent) == []
    assert removed(world) == {"events_removed": 1, "known_events_removed": 1}


def test_an_event_that_explains_an_example_or_feedback_stays_with_it(world: World) -> None:
    example = of_captured(world, "bobs approved")
    review(world, example, "approve")
    of_captured(world, "bobs pending")
    voted = ok(world.track())["event_id"]
    vote = {"skill_id": "release-notes", "feedback_type": "thumbs_up", "usage_event_id": voted}
    ok(world.client("bob").post("/api/feedback", json=vote), 201)
    ok(world.track())
    later(world, 401)
    kept = {row.id for row in rows(world, UsageEvent)}
    assert kept == {row.usage_event_id for row in rows(world, TrainingExample)} | {voted}
    listed = ok(world.client("alice").get(f"/api/training-examples/{example}"))
    assert listed["usage_event_id"] in kept


def test_a_retry_is_known_as_long_as_its_event_could_come(world: World) -> None:
    sent = {"event_id": "e1", "ts": world.time.isoformat()}
    first = ok(world.track(**sent))
    later(world, 400)
    again = ok(world.track(**sent))
    assert (again["outcome"], again["event_id"]) == ("duplicate", first["event_id"])
    later(world, 1)
    assert wrong_field(world.track(**sent)) == "ts"


def test_an_organisation_keeps_for_as_long_as_it_says_and_another_as_before(world: World) -> None:
    pending = of_captured(world, "bobs pending")
    ok(world.track())
    assert ok(world.client("dana").get(SETTINGS))["pending_retention_days"] is None
    ok(world.client("dana").patch(SETTINGS, json={"pending_retention_days": 5}))
    changed = ok(world.client("dana").patch(SETTINGS, json={"event_retention_days": 10}))
    assert (changed["pending_retention_days"], changed["event_retention_days"]) == (5, 10)
    later(world, 6)
    assert statuses(world) == {pending: "expired"}
    later(world, 5)
    assert len(rows(world, UsageEvent)) == 1  # the example's
    assert rows(world, RetentionCount, of="charlie") == []


def test_an_event_older_than_its_organisation_keeps_is_refused_at_every_door(world: World) -> None:
    ok(world.client("dana").patch(SETTINGS, json={"event_retention_days": 10}))
    old = (world.time - timedelta(days=11)).isoformat()
    details = refusal(world.track(ts=old), 422, "invalid_field")
    assert details["field"] == "ts"
    body = {"skill_id": "release-notes", "tool_name": "Bash"}
    events = [{**body, "ts": old}, {**body, "ts": world.time.isoformat()}]
    results = ok(world.client("bob").post("/api/track/batch", json={"events": events}))["results"]
    assert [result["outcome"] for result in results] == ["rejected", "stored"]
    other = world.client("charlie").post("/api/track", json={**body, "skill_id": "globex-notes", "ts": old})
    assert other.status_code == 200


@pytest.mark.parametrize("days", [0, -1, 3_651])
@pytest.mark.parametrize("field", ["pending_retention_days", "event_retention_days"])
def test_a_time_nobody_can_mean_is_refused(world: World, field: str, days: int) -> None:
    assert wrong_field(world.client("dana").patch(SETTINGS, json={field: days})) == field
    assert world.client("bob").patch(SETTINGS, json={field: 5}).status_code == 403


def test_a_clock_that_jumped_back_removes_nothing_and_ahead_nothing_twice(world: World) -> None:
    pending = of_captured(world, "bobs pending")
    later(world, -4_000)
    assert statuses(world) == {pending: "pending"}
    later(world, 4_091)
    later(world, 4_000)
    later(world, 1)
    assert statuses(world) == {pending: "expired"}
    assert removed(world)["examples_expired"] == 1


def test_a_withdrawal_reaches_what_has_expired_and_nothing_else_changes(world: World) -> None:
    of_captured(world, "bobs pending")
    later(world, 91)
    before = len(rows(world, ConsentEvent))
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    assert set(statuses(world).values()) == {"withdrawn"}
    assert len(rows(world, ConsentEvent)) == before + 1


def test_turns_of_hooks_are_forgotten(world: World) -> None:
    hook = {"hook_event_name": "PostToolUse", "session_id": "s", "prompt_id": "p", "tool_name": "Skill",
            "tool_use_id": "t", "tool_input": {"skill": "release-notes"}, "tool_response": "done"}  # fmt: skip
    ok(world.client("bob").post("/api/hooks/claude-code", json=hook))
    assert len(rows(world, HookTurn)) == 1
    later(world, 2)
    assert rows(world, HookTurn) == []


def test_a_step_is_small_and_many_of_them_remove_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 3)
    monkeypatch.setattr(retention, "KNOWN_AT_ONCE", 2)
    monkeypatch.setattr(retention, "EXAMPLES_AT_ONCE", 1)
    for number in range(3):
        of_captured(world, f"bobs {number}", event_id=f"c{number}")
    events = [
        {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), "event_id": f"e{number}"}
        for number in range(10)
    ]
    ok(world.client("bob").post("/api/track/batch", json={"events": events}))
    later(world, 500)
    assert len(rows(world, UsageEvent)) == 3
    assert removed(world) == {"examples_expired": 3, "events_removed": 10, "known_events_removed": 13}


def test_a_full_step_takes_few_milliseconds_of_the_processor(world: World) -> None:
    """Not a timed test: the bound is far above, and would show a step that reads the table for each row."""
    world.serve_with(max_pending_per_skill=0, max_captured_per_person_day=0)
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    for _ in range(2):
        ok(world.client("bob").post("/api/track/batch", json={"events": [body] * 500}))
    world.time += timedelta(days=500)
    kept = retention.Kept(pending=timedelta(days=90), events=timedelta(days=400), now=world.time)
    began, steps = time.thread_time(), 0
    for _ in retention.remove_old(world.database, world.someone("bob").tenant_id, kept):
        steps += 1
    assert rows(world, UsageEvent) == []
    assert (time.thread_time() - began) / steps < 1
