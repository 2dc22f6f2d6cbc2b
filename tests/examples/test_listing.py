from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from helpers import (
    UNKNOWN_ID,
    check_refused,
    client_with,
    new_key,
    ok,
    refusal,
    rotate_server_key,
    rows,
    wrong_field,
)

from goldvein.feedback.tables import TrainingExample
from goldvein.paging import encode_cursor

PATH = "/api/skills/release-notes/training-examples"
GOLDEN = {"example_input": "golden question", "example_output": "golden answer"}


def listed(world: World, name: str = "alice", path: str = PATH, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = ok(world.client(name).get(path, params=params))["items"]
    return items


def review(world: World, example_id: str, decision: str) -> None:
    ok(world.client("alice").post(f"/api/training-examples/{example_id}/review", json={"decision": decision}))


def test_authors_and_admins_list_and_others_do_not(world: World) -> None:
    world.capture()
    check_refused(world, "GET", PATH, anonymous=401, charlie=404, bob=403, erin=403, alice=200, dana=200)
    narrow = client_with(world, new_key(world, "alice", "track", "review")["api_key"])
    assert refusal(narrow.get(PATH), 403, "missing_scope")["scope"] == "read"
    no_admin = client_with(world, new_key(world, "dana", "read")["api_key"])
    refusal(no_admin.get(PATH), 403, "not_allowed")


def test_one_example_is_for_authors_only(world: World) -> None:
    path = f"/api/training-examples/{world.capture()}"
    check_refused(world, "GET", path, anonymous=401, charlie=404, bob=403, erin=403, dana=403, alice=200)
    for example_id in (UNKNOWN_ID, "no-id", "%00"):
        refusal(world.client("alice").get(f"/api/training-examples/{example_id}"), 404, "not_found")


def test_they_are_listed_newest_first(world: World) -> None:
    made = []
    for number in range(3):
        world.time += timedelta(minutes=1)
        made.append(world.capture(text=f"question {number}"))
    assert [item["id"] for item in listed(world)] == made[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_over_equal_times_lose_and_repeat_nothing(world: World, limit: int) -> None:
    for number in range(7):
        if number in {3, 6}:
            world.time += timedelta(seconds=1)
        ok(world.client("alice").post(PATH, json=GOLDEN), 201)
    expected = sorted(rows(world, TrainingExample), key=lambda row: (row.created_at, row.id), reverse=True)
    seen: list[str] = []
    page = ok(world.client("alice").get(PATH, params={"limit": limit}))
    while page["next_cursor"] is not None:
        assert len(page["items"]) == limit
        seen += [item["id"] for item in page["items"]]
        page = ok(world.client("alice").get(PATH, params={"limit": limit, "cursor": page["next_cursor"]}))
    assert seen + [item["id"] for item in page["items"]] == [row.id for row in expected]


def test_what_comes_while_paging_does_not_shift_the_pages(world: World) -> None:
    for _ in range(3):
        ok(world.client("alice").post(PATH, json=GOLDEN), 201)
    first = ok(world.client("alice").get(PATH, params={"limit": 2}))
    world.time += timedelta(seconds=1)
    ok(world.client("alice").post(PATH, json=GOLDEN), 201)
    second = ok(world.client("alice").get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}))
    assert len({item["id"] for item in first["items"] + second["items"]}) == 3


def test_a_cursor_we_did_not_write_is_refused(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        "%",
        "AAAA",
        "x" * 301,
        encode_cursor("2026-03-01T12:00:00+00:00"),
        encode_cursor("2026-03-01T12:00:00", UNKNOWN_ID),
        encode_cursor("2026-03-01T12:00:00+00:00", "no-id"),
        encode_cursor("0001-01-01T00:00:00+23:59", UNKNOWN_ID),
        encode_cursor("9999-12-31T23:59:59-23:59", UNKNOWN_ID),
        encode_cursor("2026-03-01T12:00:00+00:00", UNKNOWN_ID, "more"),
    ]
    for cursor in cases:
        with subtests.test(cursor=cursor):
            assert wrong_field(world.client("alice").get(PATH, params={"cursor": cursor})) == "cursor"


def test_filters_by_status_and_source(world: World) -> None:
    pending, approved, rejected = world.capture(), world.capture(), world.capture()
    review(world, approved, "approve")
    review(world, rejected, "reject")
    golden = ok(world.client("alice").post(PATH, json=GOLDEN), 201)["id"]
    by_web = ok(world.browser("alice").post(PATH, json=GOLDEN), 201)["id"]
    for params, expected in (
        ({"status": "pending"}, {pending}),
        ({"status": "approved"}, {approved, golden, by_web}),
        ({"status": "rejected"}, {rejected}),
        ({"status": "quarantined"}, set()),
        ({"source": "usage_capture"}, {pending, approved, rejected}),
        ({"source": "web"}, {by_web}),
        ({"source": "api", "status": "approved"}, {golden}),
        ({"source": "web", "status": "pending"}, set()),
    ):
        assert {item["id"] for item in listed(world, **params)} == expected, params


def test_a_wrong_filter_names_the_parameter(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [{"status": "accepted"}, {"source": "hook"}, {"limit": 0}, {"limit": 201}, {"limit": "a"}]
    for params in cases:
        with subtests.test(params=params):
            assert wrong_field(world.client("alice").get(PATH, params=params)) == next(iter(params))


def test_a_user_is_a_pseudonym_stable_within_a_skill_and_another_in_each(world: World) -> None:
    ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    ok(world.client("erin").post("/api/me/consent", json={"decision": "give"}))
    for name, skill in (
        ("bob", "release-notes"),
        ("bob", "release-notes"),
        ("erin", "release-notes"),
        ("bob", "other"),
    ):
        use = ok(world.track(name, skill_id=skill, tool_input_snippet="question", tool_output_snippet="answer"))
        assert use["capture"]["outcome"] == "captured"
    by_person: dict[str, set[str]] = {}
    for row in rows(world, TrainingExample):
        shown = ok(world.client("alice").get(f"/api/training-examples/{row.id}"))["user"]
        by_person.setdefault(f"{row.user_id} in {row.skill_id}", set()).add(shown)
    assert [len(users) for users in by_person.values()] == [1, 1, 1]
    users = set.union(*by_person.values())
    assert len(users) == 3
    for user in users:
        assert user.startswith("user-")
        assert "bob" not in user.lower()
        assert all(user.removeprefix("user-") not in world.someone(name).person_id for name in ("bob", "erin"))
    rotate_server_key(world)
    after = {
        item["user"] for path in (PATH, PATH.replace("release-notes", "other")) for item in listed(world, path=path)
    }
    assert after == users


def test_whoever_chooses_it_is_shown_by_name(world: World) -> None:
    world.capture()
    ok(world.browser("bob").patch("/api/me/preferences", json={"display": "name"}))
    assert [item["user"] for item in listed(world)] == ["Bob"]
    ok(world.browser("bob").patch("/api/me/preferences", json={"display": "pseudonym"}))
    assert listed(world)[0]["user"].startswith("user-")


def test_an_admin_sees_no_captured_text_and_no_person(world: World) -> None:
    ok(world.browser("bob").patch("/api/me/preferences", json={"display": "name"}))
    captured = world.capture(text="secret plans", answer="secret answers", tool_name="mcp__plans__read")
    edit = {"expected_output": "secret expectation", "review_notes": "secret notes"}
    ok(world.client("alice").patch(f"/api/training-examples/{captured}", json=edit))
    golden = ok(world.client("alice").post(PATH, json=GOLDEN), 201)["id"]
    response = world.client("dana").get(PATH)
    shown = {item["id"]: item for item in ok(response)["items"]}
    hidden = ("example_input", "example_output", "expected_output", "review_notes", "tool_name", "findings", "user")
    assert {name: shown[captured][name] for name in hidden} == dict.fromkeys(hidden)
    assert shown[captured]["usage_event_id"] is None
    assert (shown[captured]["status"], shown[captured]["source"]) == ("pending", "usage_capture")
    for text in ("secret", "Bob", "bob@", world.someone("bob").person_id):
        assert text not in response.text
    assert (shown[golden]["example_input"], shown[golden]["user"]) == ("golden question", "Alice")


def test_an_admin_who_is_author_sees_everything(world: World) -> None:
    world.capture(text="the question")
    ok(world.client("dana").patch(f"/api/members/{world.someone('alice').person_id}", json={"role": "admin"}))
    assert listed(world)[0]["example_input"] == "the question"


def test_members_see_only_the_count(world: World) -> None:
    for _ in range(2):
        world.capture(text="the question")
    review(world, world.capture(), "approve")
    ok(world.client("alice").post(PATH, json=GOLDEN), 201)
    check_refused(world, "GET", f"{PATH}/count", anonymous=401, charlie=404, alice=200, dana=200)
    for name in ("bob", "erin"):
        assert ok(world.client(name).get(f"{PATH}/count")) == {
            "status": {"pending": 2, "approved": 2},
            "source": {"usage_capture": 3, "api": 1},
        }
    assert refusal(client_with(world, new_key(world, "bob")["api_key"]).get(f"{PATH}/count"), 403, "missing_scope")


def test_another_skill_has_its_own_list_and_count(world: World) -> None:
    world.capture()
    ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    path = PATH.replace("release-notes", "other")
    assert listed(world, path=path) == []
    assert ok(world.client("bob").get(f"{path}/count")) == {"status": {}, "source": {}}
