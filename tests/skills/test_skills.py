import hashlib
import itertools
from typing import Any

import pytest
from conftest import SKILL_BODY, World
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

from goldvein.capture.tables import UsageEvent
from goldvein.feedback.tables import SkillFeedback
from goldvein.skills.tables import Skill, SkillVersion

PATH = "/api/skills/release-notes"


def new_skill(world: World, name: str = "alice", **changes: Any) -> dict[str, Any]:
    body = {"slug": "changelog", "name": "Changelog", "description": "Keeps it", **changes}
    made: dict[str, Any] = ok(world.client(name).post("/api/skills", json=body), 201)
    return made


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def id_of(world: World, name: str) -> str:
    return world.someone(name).person_id


def test_whoever_registers_a_skill_is_its_author(world: World) -> None:
    made = new_skill(world, "erin", body="Do it well.\n")
    assert (made["author_id"], made["is_author"], made["version"]) == (id_of(world, "erin"), True, 1)
    assert made["skill_digest"] == digest("Do it well.\n")
    assert ok(world.client("bob").get("/api/skills/changelog"))["is_author"] is False


def test_skills_are_for_members_with_the_right_scope(world: World) -> None:
    for path in ("/api/skills", PATH, f"{PATH}/versions"):
        check_refused(world, "GET", path, anonymous=401)
    check_refused(world, "GET", PATH, charlie=404)
    check_refused(world, "GET", f"{PATH}/versions", charlie=404)
    assert [item["slug"] for item in ok(world.client("charlie").get("/api/skills"))["items"]] == ["globex-notes"]
    narrow = client_with(world, new_key(world, "alice", "track")["api_key"])
    for path in ("/api/skills", PATH, f"{PATH}/versions"):
        assert refusal(narrow.get(path), 403, "missing_scope")["scope"] == "read"
    body = {"slug": "x", "name": "X"}
    assert refusal(narrow.post("/api/skills", json=body), 403, "missing_scope")["scope"] == "review"
    check_refused(world, "POST", "/api/skills", body, anonymous=401)


def test_a_skill_is_found_by_id_and_by_slug(world: World) -> None:
    by_slug = world.client("bob").get(PATH)
    assert ok(by_slug) == ok(world.client("bob").get(f"/api/skills/{world.skill_id()}"))
    assert by_slug.headers["etag"] == '"1"'


def test_what_is_no_skill_of_this_tenant_is_not_found(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [UNKNOWN_ID, "no-such-skill", "UPPER", "a%00b", "globex-notes", "x" * 300]
    for name in cases:
        with subtests.test(name=name):
            assert refusal(world.client("alice").get(f"/api/skills/{name}"), 404, "not_found") == {"what": "skill"}


def test_a_slug_is_unique_in_its_tenant_only(world: World) -> None:
    response = world.client("bob").post("/api/skills", json={"slug": "release-notes", "name": "Mine"})
    assert refusal(response, 409, "already_exists") == {"what": "skill", "key": "slug"}
    assert new_skill(world, "charlie", slug="release-notes")["author_id"] == id_of(world, "charlie")
    assert ok(world.client("alice").get(PATH))["id"] == world.skill_id()


def test_a_wrong_skill_names_the_field(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"slug": ""}, "slug"),
        ({"slug": "Upper"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"slug": "a" * 101}, "slug"),
        ({"slug": "a b"}, "slug"),
        ({"slug": "a\n"}, "slug"),
        ({"slug": UNKNOWN_ID}, "slug"),
        ({"name": ""}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": 1}, "name"),
        ({"description": "d" * 2001}, "description"),
        ({"description": "\x00"}, "description"),
        ({"body": ""}, "body"),
        ({"body": "b" * 100_001}, "body"),
        ({"body": "a\x00b"}, "body"),
        ({"author_id": UNKNOWN_ID}, "body"),
    ]
    for change, field in cases:
        with subtests.test(change=change, field=field):
            body = {"slug": "changelog", "name": "Changelog"} | change
            assert wrong_field(world.client("alice").post("/api/skills", json=body)) == field
            assert len(rows(world, Skill)) == 1


def test_each_changed_text_is_a_version_by_its_digest(world: World) -> None:
    alice = world.client("alice")
    assert ok(alice.get(PATH))["skill_digest"] == digest(SKILL_BODY)
    assert ok(alice.patch(PATH, json={"body": "Second.\n"}))["version"] == 2
    assert ok(alice.patch(PATH, json={"body": "Second.\n"}))["version"] == 2
    assert ok(alice.patch(PATH, json={"name": "Other name"}))["version"] == 2
    listed = ok(world.client("bob").get(f"{PATH}/versions"))["items"]
    assert [(row["number"], row["skill_digest"], row["body"]) for row in listed] == [
        (2, digest("Second.\n"), "Second.\n"),
        (1, digest(SKILL_BODY), SKILL_BODY),
    ]


def test_line_ends_and_spaces_are_part_of_the_text(world: World) -> None:
    texts = ["a\n", "a\r\n", "a", " a"]
    for text in texts:
        ok(world.client("alice").patch(PATH, json={"body": text}))
    assert {row.body for row in rows(world, SkillVersion)} == {SKILL_BODY, *texts}


def test_only_its_authors_change_a_skill(world: World) -> None:
    change = {"body": "Taken over\n"}
    check_refused(world, "PATCH", PATH, change, anonymous=401, charlie=404, bob=403, dana=403)
    assert len(rows(world, SkillVersion)) == 1
    assert ok(world.client("alice").patch(PATH, json=change))["revision"] == 2


def test_a_stale_change_of_a_skill_is_a_conflict(world: World) -> None:
    alice = world.client("alice")
    ok(alice.patch(PATH, json={"name": "First"}, headers={"If-Match": '"1"'}))
    stale = alice.patch(PATH, json={"name": "Second"}, headers={"If-Match": '"1"'})
    assert refusal(stale, 409, "stale_revision")["current"]["revision"] == 2
    assert ok(alice.get(PATH))["name"] == "First"


def test_a_text_with_a_secret_is_refused_with_the_place_and_never_altered(world: World) -> None:
    secret = github_token()
    response = world.client("alice").patch(PATH, json={"body": f"line one\nuse {secret}\n"})
    found = refusal(response, 422, "skill_body_has_findings")["findings"]
    assert [(place["field"], place["line"]) for place in found] == [("body", 2)]
    assert secret not in response.text
    assert all(secret not in str(cell) for cell in world.every_cell())
    assert ok(world.client("alice").get(PATH))["skill_digest"] == digest(SKILL_BODY)


@pytest.mark.parametrize("field", ["name", "description"])
def test_name_and_description_hold_no_secret_either(world: World, field: str) -> None:
    secret = github_token()
    for response in (
        world.client("alice").patch(PATH, json={field: secret}),
        world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other", field: secret}),
    ):
        details = refusal(response, 422, "invalid_field" if field == "name" else "skill_body_has_findings")
        assert details.get("field", details.get("findings", [{}])[0].get("field")) == field
    assert all(secret not in str(cell) for cell in world.every_cell())


def test_skills_are_paged_by_slug(world: World) -> None:
    for slug in ("a", "b", "c", "z"):
        new_skill(world, "bob", slug=slug)
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = ok(world.client("erin").get("/api/skills", params=params))
        seen += [item["slug"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["a", "b", "c", "release-notes", "z"]
    mine = ok(world.client("alice").get("/api/skills", params={"mine": True}))["items"]
    assert [item["slug"] for item in mine] == ["release-notes"]


def test_a_wrong_page_names_the_parameter(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "!"}, {"cursor": "AA"}]
    for params in cases:
        with subtests.test(params=params):
            assert wrong_field(world.client("alice").get("/api/skills", params=params)) == next(iter(params))


def test_a_co_author_counts_as_author(world: World) -> None:
    path, erin = f"{PATH}/co-authors", {"person_id": id_of(world, "erin")}
    check_refused(world, "POST", path, erin, anonymous=401, charlie=404, bob=403, dana=403, erin=403)
    for _ in range(2):
        assert ok(world.client("alice").post(path, json=erin))["co_author_ids"] == [erin["person_id"]]
    assert ok(world.client("erin").get(PATH))["is_author"] is True
    ok(world.client("erin").patch(PATH, json={"description": "By both"}))
    assert ok(world.client("erin").get("/api/skills", params={"mine": True}))["items"][0]["slug"] == "release-notes"


def test_a_co_author_gives_nothing_away(world: World) -> None:
    ok(world.client("alice").post(f"{PATH}/co-authors", json={"person_id": id_of(world, "erin")}))
    erin, bob = world.client("erin"), {"person_id": id_of(world, "bob")}
    for response in (
        erin.post(f"{PATH}/co-authors", json=bob),
        erin.post(f"{PATH}/transfer", json=bob),
        erin.delete(f"{PATH}?confirm=release-notes"),
    ):
        refusal(response, 403, "not_allowed")


def test_the_author_and_co_authors_themselves_take_a_place_back(world: World) -> None:
    erin = id_of(world, "erin")
    ok(world.client("alice").post(f"{PATH}/co-authors", json={"person_id": erin}))
    path = f"{PATH}/co-authors/{erin}"
    check_refused(world, "DELETE", path, anonymous=401, charlie=404, bob=403, dana=403)
    assert ok(world.client("erin").delete(path))["co_author_ids"] == []
    ok(world.client("alice").post(f"{PATH}/co-authors", json={"person_id": erin}))
    for _ in range(2):
        assert ok(world.client("alice").delete(path))["co_author_ids"] == []
    refusal(world.client("erin").patch(PATH, json={"name": "X"}), 403, "not_allowed")


def test_only_people_of_the_tenant_can_be_named(world: World) -> None:
    nobody = (UNKNOWN_ID, "nobody", id_of(world, "charlie"))
    for route, person_id in itertools.product(("co-authors", "transfer"), nobody):
        refusal(world.client("alice").post(f"{PATH}/{route}", json={"person_id": person_id}), 404, "not_found")
    ok(world.client("dana").patch(f"/api/members/{id_of(world, 'alice')}", json={"active": False}))
    for person_id in nobody:
        refusal(world.client("dana").post(f"{PATH}/successor", json={"person_id": person_id}), 404, "not_found")


def test_somebody_who_is_not_active_can_not_be_named(world: World) -> None:
    ok(world.client("dana").patch(f"/api/members/{id_of(world, 'erin')}", json={"active": False}))
    for route in ("co-authors", "transfer"):
        response = world.client("alice").post(f"{PATH}/{route}", json={"person_id": id_of(world, "erin")})
        refusal(response, 403, "not_allowed")


def test_a_transfer_waits_until_the_new_author_accepts(world: World) -> None:
    erin = {"person_id": id_of(world, "erin")}
    check_refused(world, "POST", f"{PATH}/transfer", erin, anonymous=401, charlie=404, bob=403, dana=403, erin=403)
    assert ok(world.client("alice").post(f"{PATH}/transfer", json=erin))["author_id"] == id_of(world, "alice")
    check_refused(world, "POST", f"{PATH}/transfer/accept", anonymous=401, charlie=404, bob=403, dana=403, alice=403)
    accepted = ok(world.client("erin").post(f"{PATH}/transfer/accept"))
    assert (accepted["author_id"], accepted["proposed_author_id"]) == (erin["person_id"], None)
    refusal(world.client("erin").post(f"{PATH}/transfer/accept"), 403, "not_allowed")
    refusal(world.client("alice").patch(PATH, json={"name": "Back"}), 403, "not_allowed")


def test_nobody_transfers_to_themselves(world: World) -> None:
    response = world.client("alice").post(f"{PATH}/transfer", json={"person_id": id_of(world, "alice")})
    refusal(response, 403, "not_allowed")


def test_an_admin_appoints_a_successor_for_a_deactivated_author_only(world: World) -> None:
    erin, path = {"person_id": id_of(world, "erin")}, f"{PATH}/successor"
    check_refused(world, "POST", path, erin, anonymous=401, charlie=404, alice=403, bob=403, dana=403)
    ok(world.client("dana").patch(f"/api/members/{id_of(world, 'alice')}", json={"active": False}))
    check_refused(world, "POST", path, erin, bob=403, erin=403)
    refusal(world.client("dana").post(path, json={"person_id": id_of(world, "dana")}), 403, "not_allowed")
    assert ok(world.client("dana").post(path, json=erin))["author_id"] == erin["person_id"]
    refusal(world.client("dana").post(path, json=erin), 403, "not_allowed")


def test_deleting_a_skill_names_what_goes_and_erases_it(world: World) -> None:
    example_id = world.capture(text="the captured question", answer="the captured answer")
    ok(world.client("alice").patch(f"/api/training-examples/{example_id}", json={"example_input": "edited question"}))
    vote = {"skill_id": "release-notes", "feedback_type": "thumbs_up", "comment": "the nice comment"}
    ok(world.client("bob").post("/api/feedback", json=vote), 201)
    check_refused(world, "DELETE", f"{PATH}?confirm=release-notes", anonymous=401, charlie=404, bob=403, dana=403)
    for confirm in ("", "?confirm=release", f"?confirm={world.skill_id()}"):
        asked = world.client("alice").delete(PATH + confirm)
        assert wrong_field(asked) == "confirm"
        assert "1 training_examples" in asked.json()["error"]["message"]
    assert len(rows(world, SkillFeedback)) == 2
    gone = ok(world.client("alice").delete(f"{PATH}?confirm=release-notes"))
    assert gone == {"training_examples": 1, "feedback": 1, "usage_events": 1, "versions": 1}
    refusal(world.client("alice").delete(f"{PATH}?confirm=release-notes"), 404, "not_found")
    cells = [str(cell) for cell in world.every_cell()]
    for text in ("the captured question", "the captured answer", "edited question", "the nice comment", SKILL_BODY):
        assert text not in cells
    assert rows(world, UsageEvent) == []


def test_deleting_a_skill_leaves_the_others_alone(world: World) -> None:
    new_skill(world, slug="changelog", body="Other text\n")
    ok(world.track("bob", skill_id="changelog"))
    world.capture()
    ok(world.client("alice").delete("/api/skills/changelog?confirm=changelog"))
    assert len(rows(world, UsageEvent)) == 1
    assert ok(world.client("alice").get(f"{PATH}/training-examples/count"))["status"] == {"pending": 1}
