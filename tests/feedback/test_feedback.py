import itertools
from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from helpers import (
    UNKNOWN_ID,
    check_refused,
    client_with,
    github_token,
    new_key,
    ok,
    refusal,
    rows,
    wrong_field,
)

from goldvein.feedback.kinds import WRITTEN_MOVES, percent_positive
from goldvein.feedback.tables import SkillFeedback

PATH = "/api/skills/release-notes/feedback"
SUGGESTION = {
    "skill_id": "release-notes",
    "feedback_type": "suggestion",
    "comment": "Please sort the notes by date",
    "category": "missing_feature",
    "severity": "important",
}
VOTE = {"skill_id": "release-notes", "feedback_type": "thumbs_up"}
STATUSES = ("pending", "accepted", "dismissed", "implemented")
ROADS = {
    "pending": [],
    "accepted": ["accepted"],
    "dismissed": ["dismissed"],
    "implemented": ["accepted", "implemented"],
}


def leave(world: World, name: str = "bob", **changes: Any) -> dict[str, Any]:
    left: dict[str, Any] = ok(world.client(name).post("/api/feedback", json=SUGGESTION | changes), 201)
    return left


def vote(world: World, name: str, feedback_type: str, **changes: Any) -> dict[str, Any]:
    left: dict[str, Any] = ok(
        world.client(name).post("/api/feedback", json=VOTE | {"feedback_type": feedback_type} | changes), 201
    )
    return left


def aggregates(world: World) -> dict[str, Any]:
    numbers: dict[str, Any] = ok(world.client("erin").get(PATH))["aggregates"]
    return numbers


def test_every_member_leaves_and_reads_feedback(world: World) -> None:
    check_refused(world, "POST", "/api/feedback", SUGGESTION, anonymous=401, charlie=404)
    check_refused(world, "GET", PATH, anonymous=401, charlie=404)
    assert rows(world, SkillFeedback) == []
    left = leave(world, "erin")
    assert (left["status"], left["author_reply"]) == ("pending", None)
    assert ok(world.browser("bob").post("/api/feedback", json=VOTE), 201)["status"] is None
    assert len(ok(world.client("bob").get(PATH))["items"]) == 2


def test_feedback_needs_the_scopes(world: World) -> None:
    reading = client_with(world, new_key(world, "bob", "read")["api_key"])
    tracking = client_with(world, new_key(world, "bob", "track")["api_key"])
    assert refusal(reading.post("/api/feedback", json=VOTE), 403, "missing_scope")["scope"] == "track"
    assert refusal(tracking.get(PATH), 403, "missing_scope")["scope"] == "read"
    ok(tracking.post("/api/feedback", json=VOTE), 201)


def test_wrong_feedback_names_the_field(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"feedback_type": "training_example"}, "feedback_type"),
        ({"feedback_type": "praise"}, "feedback_type"),
        ({"comment": None}, "comment"),
        ({"comment": "too short"}, "comment"),
        ({"comment": "          short          "}, "comment"),
        ({"comment": "c" * 2001}, "comment"),
        ({"category": None}, "category"),
        ({"category": "style"}, "category"),
        ({"severity": None}, "severity"),
        ({"severity": "urgent"}, "severity"),
        ({"feedback_type": "thumbs_up", "comment": "c" * 2001, "category": None, "severity": None}, "comment"),
        ({"feedback_type": "thumbs_up"}, "category"),
        ({"status": "accepted"}, "body"),
        ({"user_id": UNKNOWN_ID}, "body"),
    ]
    for change, field in cases:
        with subtests.test(change=change, field=field):
            assert wrong_field(world.client("bob").post("/api/feedback", json=SUGGESTION | change)) == field
            assert rows(world, SkillFeedback) == []


def test_the_limits_of_a_suggestion_are_allowed(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [10, 2000]
    for length in cases:
        with subtests.test(length=length):
            assert len(leave(world, comment="ä" * length)["comment"]) == length


def test_every_category_and_severity_is_known(world: World) -> None:
    choices = itertools.product(
        ("suggestion", "bug_report"),
        ("output_quality", "missing_feature", "error", "performance", "other"),
        ("nice_to_have", "important", "critical"),
    )
    for feedback_type, category, severity in choices:
        left = leave(world, feedback_type=feedback_type, category=category, severity=severity)
        assert (left["feedback_type"], left["category"], left["severity"]) == (feedback_type, category, severity)


def test_a_second_vote_on_the_same_thing_replaces_the_first(world: World) -> None:
    vote(world, "bob", "thumbs_up")
    vote(world, "bob", "thumbs_down", comment="changed my mind")
    vote(world, "erin", "thumbs_up")
    assert (aggregates(world)["thumbs_up"], aggregates(world)["thumbs_down"]) == (1, 1)
    assert len(rows(world, SkillFeedback)) == 2


def test_a_vote_may_be_on_one_use(world: World) -> None:
    event_id = ok(world.track("bob"))["event_id"]
    for feedback_type in ("thumbs_up", "thumbs_down"):
        assert vote(world, "bob", feedback_type, usage_event_id=event_id)["usage_event_id"] == event_id
    vote(world, "bob", "thumbs_up")
    assert (aggregates(world)["thumbs_up"], aggregates(world)["thumbs_down"]) == (1, 1)


def test_feedback_on_a_use_that_is_not_of_this_skill_is_not_found(world: World) -> None:
    ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    elsewhere = ok(world.track("bob", skill_id="other"))["event_id"]
    of_globex = ok(world.track("charlie", skill_id="globex-notes"))["event_id"]
    for event_id in (UNKNOWN_ID, "no-id", "a\x00b", of_globex, elsewhere):
        response = world.client("bob").post("/api/feedback", json=VOTE | {"usage_event_id": event_id})
        assert response.status_code in {404, 422}, (event_id, response.text)
    assert rows(world, SkillFeedback) == []


def test_the_numbers_count_votes_and_texts_and_no_training_examples(world: World) -> None:
    assert aggregates(world)["percent_positive"] is None
    for name, feedback_type in (("bob", "thumbs_up"), ("erin", "thumbs_up"), ("dana", "thumbs_down")):
        vote(world, name, feedback_type)
    leave(world)
    leave(world, feedback_type="bug_report")
    before = aggregates(world)
    assert before == {
        "thumbs_up": 2,
        "thumbs_down": 1,
        "suggestions": 1,
        "bug_reports": 1,
        "total": 5,
        "total_votes": 3,
        "percent_positive": 67,
    }
    world.capture()
    golden = {"example_input": "q", "example_output": "a", "quality_score": 1}
    ok(world.client("alice").post("/api/skills/release-notes/training-examples", json=golden), 201)
    assert aggregates(world) == before
    assert len(ok(world.client("bob").get(PATH))["items"]) == 5


def test_percent_positive_is_of_votes_only() -> None:
    assert [percent_positive(up, down) for up, down in ((0, 0), (1, 0), (0, 1), (1, 2), (2, 1))] == [
        None,
        100,
        0,
        33,
        67,
    ]


def test_feedback_is_listed_newest_first_in_pages(world: World) -> None:
    expected = []
    for number in range(5):
        world.time += timedelta(seconds=number // 2)  # some at the same moment
        expected.append(leave(world, comment=f"suggestion number {number}")["id"])
    seen: list[str] = []
    page = ok(world.client("erin").get(PATH, params={"limit": 2}))
    while True:
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        page = ok(world.client("erin").get(PATH, params={"limit": 2, "cursor": page["next_cursor"]}))
    assert sorted(seen) == sorted(expected)
    times = [next(row.created_at for row in rows(world, SkillFeedback) if row.id == found) for found in seen]
    assert times == sorted(times, reverse=True)


def test_a_suggestion_moves_only_along_its_states(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = list(itertools.product(STATUSES, STATUSES))
    for now, then in cases:
        with subtests.test(now=now, then=then):
            allowed = {
                ("pending", "accepted"),
                ("pending", "dismissed"),
                ("accepted", "implemented"),
                ("accepted", "dismissed"),
            }
            allowed |= {("dismissed", "pending")}
            path = f"/api/feedback/{leave(world)['id']}"
            for status in ROADS[now]:
                ok(world.client("alice").patch(path, json={"status": status}))
            response = world.client("alice").patch(path, json={"status": then})
            if (now, then) in allowed:
                assert ok(response)["status"] == then
            else:
                refusal(response, 409, "conflict")
                assert next(row.status for row in rows(world, SkillFeedback) if row.id in path) == now
            assert (then in WRITTEN_MOVES[now]) == ((now, then) in allowed)


def test_only_an_author_answers(world: World) -> None:
    path, answer = f"/api/feedback/{leave(world)['id']}", {"reply": "Thank you", "status": "accepted"}
    check_refused(world, "PATCH", path, answer, anonymous=401, charlie=404, bob=403, dana=403)
    answered = ok(world.client("alice").patch(path, json=answer))
    assert (answered["author_reply"], answered["status"], answered["revision"]) == ("Thank you", "accepted", 2)
    row = rows(world, SkillFeedback)[0]
    assert (row.replied_by, row.replied_at) == (world.someone("alice").person_id, world.time)


def test_a_wrong_answer_names_the_field(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({}, "reply"),
        ({"reply": ""}, "reply"),
        ({"reply": "r" * 2001}, "reply"),
        ({"status": "approved"}, "status"),
        ({"reply": 1}, "reply"),
        ({"comment": "other words"}, "body"),
    ]
    for answer, field in cases:
        with subtests.test(answer=answer, field=field):
            path = f"/api/feedback/{leave(world)['id']}"
            assert wrong_field(world.client("alice").patch(path, json=answer)) == field
            assert rows(world, SkillFeedback)[0].author_reply is None


def test_a_stale_answer_is_a_conflict(world: World) -> None:
    path = f"/api/feedback/{leave(world)['id']}"
    ok(world.client("alice").patch(path, json={"status": "accepted"}, headers={"If-Match": '"1"'}))
    stale = world.client("alice").patch(path, json={"status": "dismissed"}, headers={"If-Match": '"1"'})
    assert refusal(stale, 409, "stale_revision")["current"]["status"] == "accepted"


def test_votes_and_examples_cannot_be_answered(world: World) -> None:
    for feedback_id in (vote(world, "bob", "thumbs_up")["id"], world.capture(), UNKNOWN_ID, "no-id"):
        response = world.client("alice").patch(f"/api/feedback/{feedback_id}", json={"reply": "Thanks"})
        refusal(response, 404, "not_found")


def test_what_people_write_is_sanitized(world: World) -> None:
    secret = github_token()
    vote(world, "erin", "thumbs_down", comment=f"it printed {secret}\x00")
    path = f"/api/feedback/{leave(world, comment=f'it leaked {secret} to me')['id']}"
    ok(world.client("alice").patch(path, json={"reply": f"I revoked {secret}"}))
    assert all(secret not in str(cell) for cell in world.every_cell())
    texts = [row.comment for row in rows(world, SkillFeedback)] + [rows(world, SkillFeedback)[-1].author_reply]
    assert sum("[REDACTED:github_token]" in (text or "") for text in texts) >= 2
