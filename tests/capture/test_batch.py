"""POST /api/track/batch: many uses in one request, each with its own outcome."""

import json
from typing import Any

import pytest
from conftest import World
from helpers import client_with, new_key, ok, refusal, rows, wrong_field

from goldvein.capture.hot_path import MAX_BATCH_BYTES
from goldvein.capture.tables import UsageEvent
from goldvein.errors import StoreUnavailable
from goldvein.feedback.tables import TrainingExample

BATCH = "/api/track/batch"
SNIPPETS = {"tool_input_snippet": "Write the notes", "tool_output_snippet": "Here they are"}
CAPTURED = {"outcome": "captured", "reason": None}


def event(world: World, **fields: Any) -> dict[str, Any]:
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), **fields}
    return {name: value for name, value in body.items() if value is not None}


def send(world: World, *events: Any, name: str = "bob") -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = ok(world.client(name).post(BATCH, json={"events": list(events)}))["results"]
    return results


def check_law_4(world: World, received: int) -> None:
    sums = {
        name: world.metric_sum("goldvein_events_total", outcome=name) for name in ("stored", "duplicate", "rejected")
    }
    assert world.metric_sum("goldvein_events_received_total") == received == sum(sums.values())
    assert sums["stored"] == world.metric_sum("goldvein_captures_total") == len(rows(world, UsageEvent))


def test_each_event_has_its_own_outcome_in_order(world: World) -> None:
    results = send(
        world,
        event(world, event_id="a", **SNIPPETS),
        event(world, event_id="a", **SNIPPETS),
        event(world, event_id="a", latency_ms=7, **SNIPPETS),
        event(world, skill_id="no-such-skill"),
        event(world, tool_name=None),
        event(world, ts="2020-01-01T00:00:00Z"),
        "no event",
        event(world, user_id="erin", **SNIPPETS),
        event(world),
    )
    shown = [(one["outcome"], one.get("reason")) for one in results]
    assert shown == [
        ("stored", None),
        ("duplicate", None),
        ("rejected", "event_conflict"),
        ("rejected", "unknown_skill"),
        ("rejected", "invalid"),
        ("rejected", "invalid"),
        ("rejected", "invalid"),
        ("stored", None),
        ("stored", None),
    ]
    assert results[0]["capture"] == results[1]["capture"] == CAPTURED
    assert results[7]["capture"] == {"outcome": "denied", "reason": "person_mismatch"}
    assert results[4]["error"]["details"]["field"] == "tool_name"
    assert results[5]["error"]["details"]["field"] == "ts"
    assert len(rows(world, TrainingExample)) == 1
    check_law_4(world, received=9)


def test_an_event_sent_alone_and_in_a_batch_is_one_event(world: World) -> None:
    first = ok(world.client("bob").post("/api/track", json=event(world, event_id="a")))
    (again,) = send(world, event(world, event_id="a"))
    assert again == first | {"outcome": "duplicate"}


def test_a_batch_sent_again_is_all_duplicates(world: World) -> None:
    events = [event(world, event_id=f"e{n}", **SNIPPETS) for n in range(25)]
    first = send(world, *events)
    again = send(world, *events)
    assert again == [one | {"outcome": "duplicate"} for one in first]
    check_law_4(world, received=50)


def test_a_body_that_is_no_batch_is_refused_as_a_whole(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        (b'{"events": []}', "events"),
        (b'{"events": null}', "events"),
        (b'{"events": 5}', "events"),
        (b"{}", "events"),
        (b"[]", "body"),
        (b'{"events": [', "body"),
        (b'{"events": ["\xff"]}', "events"),
        (json.dumps({"events": [{}] * 1001}).encode(), "events"),
    ]
    for number, (content, field) in enumerate(cases, start=1):
        with subtests.test(content=content[:30]):
            assert wrong_field(world.client("bob").post(BATCH, content=content)) == field
            check_law_4(world, received=number)


def test_a_thousand_events_are_one_batch(world: World) -> None:
    world.serve_with(max_pending_per_skill=0)
    results = send(world, *(event(world, event_id=f"e{n}") for n in range(1000)))
    assert {one["outcome"] for one in results} == {"stored"}
    check_law_4(world, received=1000)


def test_a_batch_over_eight_mebibytes_is_too_large(world: World) -> None:
    refusal(world.client("bob").post(BATCH, content=b" " * (MAX_BATCH_BYTES + 1)), 413, "too_large")
    check_law_4(world, received=1)


def test_an_event_of_a_batch_may_be_as_large_as_one_alone_and_no_larger(world: World) -> None:
    (kept, refused) = send(world, event(world), event(world, extra="x" * 256 * 1024))
    assert (kept["outcome"], refused["outcome"], refused["reason"]) == ("stored", "rejected", "invalid")


def test_a_batch_counts_as_many_as_it_holds(world: World) -> None:
    world.serve_with(track_limit_per_minute=10)
    send(world, *(event(world) for _ in range(8)))
    refused = world.client("bob").post(BATCH, json={"events": [event(world)] * 3})
    refusal(refused, 429, "too_many_requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="too_many_requests") == 3
    check_law_4(world, received=11)


def test_a_batch_that_could_never_pass_the_limit_says_so(world: World) -> None:
    world.serve_with(track_limit_per_minute=4)
    assert wrong_field(world.client("erin").post(BATCH, json={"events": [event(world)] * 5})) == "events"
    assert [one["outcome"] for one in send(world, *[event(world)] * 4)] == ["stored"] * 4


def test_a_store_that_is_away_is_a_503_for_the_whole_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_given: Any) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr("goldvein.capture.writer.store_uses", away)
        refused = world.client("bob").post(BATCH, json={"events": [event(world)] * 3})
    refusal(refused, 503, "store_unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="store_unavailable") == 3
    check_law_4(world, received=3)


def test_a_failing_sanitizer_costs_the_texts_of_one_event_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from goldvein.capture import recorder  # noqa: PLC0415 (patched for this test alone)

    sanitize_many = recorder.sanitize_many

    def fail_on_cue(texts: list[str], *rules: Any, **options: Any) -> Any:
        if "cue" in texts[0]:
            raise RuntimeError
        return sanitize_many(texts, *rules, **options)

    monkeypatch.setattr(recorder, "sanitize_many", fail_on_cue)
    cue = {"tool_input_snippet": "cue", "tool_output_snippet": "cue"}
    results = send(world, event(world, **SNIPPETS), event(world, **cue), event(world, **SNIPPETS))
    assert [one["capture"]["outcome"] for one in results] == ["captured", "failed", "captured"]
    check_law_4(world, received=3)


def test_a_batch_needs_a_key_with_the_scope(world: World) -> None:
    body = {"events": [event(world)]}
    refusal(world.anonymous().post(BATCH, json=body), 401, "not_authenticated")
    reader = client_with(world, new_key(world, "bob", "read")["api_key"])
    refusal(reader.post(BATCH, json=body), 403, "missing_scope")
    assert [one["reason"] for one in send(world, event(world), name="charlie")] == ["unknown_skill"]
    check_law_4(world, received=3)
