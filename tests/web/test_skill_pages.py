from typing import Any

from html_page import Page, look, press

SKILL = "/skills/release-notes"


def suggest(world: Any, name: str = "bob", comment: str = "Please group the notes by component.") -> str:
    browser = world.browser(name)
    page = look(browser, f"{SKILL}/feedback")
    written = next(form for form in page.forms if "category" in form.data)
    data = {**written.data, "comment": comment, "category": "missing_feature", "severity": "important"}
    assert browser.post(f"{SKILL}/feedback", data=data).status_code == 303
    items = world.client("alice").get("/api/skills/release-notes/feedback").json()["items"]
    return items[0]["id"]


def test_my_skills_come_with_their_numbers_and_what_waits_for_me(world: Any) -> None:
    world.capture()
    page = look(world.browser("alice"), "/skills")
    assert "1 pending review" in page.links
    assert page.links["1 pending review"] == f"{SKILL}/training?status=pending"
    assert "uses 1 votes 0 positive – examples 1 pending 1" in " ".join(page.text.split())


def test_others_see_the_skill_without_what_waits_for_its_author(world: Any) -> None:
    world.capture()
    page = look(world.browser("bob"), "/skills")
    assert "Release-Notes" in page.links
    assert "pending" not in page.text


def test_skills_are_shown_a_page_at_a_time(world: Any) -> None:
    for number in range(51):
        made = world.client("alice").post("/api/skills", json={"slug": f"s-{number:02}", "name": f"Skill {number:02}"})
        assert made.status_code == 201
    browser = world.browser("bob")
    first = look(browser, "/skills")
    assert "Skill 00" in first.links
    second = look(browser, first.links["More skills"])
    assert "Skill 50" in second.links
    assert not {name for name in first.links if name.startswith(("Skill", "Release"))} & {
        name for name in second.links if name.startswith(("Skill ", "Release"))
    }


def test_the_overview_tells_author_version_and_numbers(world: Any) -> None:
    assert (
        world.client("bob")
        .post("/api/feedback", json={"skill_id": "release-notes", "feedback_type": "thumbs_up"})
        .status_code
        == 201
    )
    skill = world.client("bob").get("/api/skills/release-notes").json()
    page = look(world.browser("bob"), SKILL)
    assert page.headings == ["Release-Notes"]
    assert "Alice" in page.text
    assert skill["skill_digest"][:19] in page.text
    assert "100 % positive: 1 up, 0 down" in page.text
    assert "Training (0)" not in page.links


def test_authors_and_admins_have_the_training_tab(world: Any) -> None:
    world.capture()
    for name, has_it in (("alice", True), ("dana", True), ("bob", False)):
        assert ("Training (1)" in look(world.browser(name), SKILL).links) is has_it


def test_a_vote_is_stored_and_a_second_one_replaces_it(world: Any) -> None:
    browser = world.browser("bob")
    for vote, expected in (("thumbs_up", "100 %"), ("thumbs_down", "0 %")):
        answer = browser.post(f"{SKILL}/feedback", data={"feedback_type": vote, "comment": ""})
        assert answer.headers["location"] == f"{SKILL}/feedback?done=feedback_given"
        page = look(browser, answer.headers["location"])
        assert expected in page.text
        assert "Thank you" in page.text
        assert "Feedback (1)" in page.links


def test_a_refused_report_keeps_what_was_typed(world: Any) -> None:
    typed = {"feedback_type": "bug_report", "comment": "too short", "category": "error", "severity": "critical"}
    page = Page(world.browser("bob").post(f"{SKILL}/feedback", data=typed))
    assert page.status == 422
    assert "10 to 2000 characters" in page.text
    shown = next(form for form in page.forms if "category" in form.data)
    assert shown.data == typed
    assert shown.controls["written-comment"]["aria-invalid"] == "true"
    vote = next(form for form in page.forms if form.action == f"{SKILL}/feedback" and "category" not in form.data)
    assert vote.data["comment"] == ""


def test_a_form_gives_only_feedback_of_a_known_kind(world: Any) -> None:
    for kind in ("training_example", "", "nonsense"):
        answer = world.browser("bob").post(f"{SKILL}/feedback", data={"feedback_type": kind, "comment": "x" * 20})
        assert answer.status_code == 422, kind


def test_the_author_answers_and_moves_a_suggestion(world: Any) -> None:
    feedback_id = suggest(world)
    alice, action = world.browser("alice"), f"/feedback/{feedback_id}/answer"
    answer = press(alice, look(alice, f"{SKILL}/feedback"), action, "Accept", reply="Good idea.\r\nNext version.")
    assert answer.headers["location"] == f"{SKILL}/feedback?done=feedback_answered#feedback-{feedback_id}"
    page = look(world.browser("bob"), f"{SKILL}/feedback")
    assert "accepted" in page.text
    assert "Good idea.\nNext version." in page.text
    again = look(alice, f"{SKILL}/feedback")
    assert [label.strip() for _, _, label in again.form(action).buttons] == [
        "Reply",
        "Dismiss",
        "Mark as implemented",
    ]


def test_only_the_author_is_asked_and_allowed_to_answer(world: Any) -> None:
    feedback_id = suggest(world)
    for name in ("bob", "dana"):
        page = look(world.browser(name), f"{SKILL}/feedback")
        assert not [form for form in page.forms if "/answer" in form.action]
        refused = world.browser(name).post(f"/feedback/{feedback_id}/answer", data={"revision": "1", "reply": "x"})
        assert refused.status_code == 403
        assert "Only the skill author can answer feedback" in Page(refused).text


def test_a_stale_answer_is_refused_with_the_state_as_it_is(world: Any) -> None:
    feedback_id = suggest(world)
    alice, action = world.browser("alice"), f"/feedback/{feedback_id}/answer"
    old = look(alice, f"{SKILL}/feedback")
    assert press(alice, old, action, "Dismiss").status_code == 303
    stale = Page(press(alice, old, action, "Accept"))
    assert stale.status == 409
    assert "dismissed" in stale.text
    assert press(alice, look(alice, f"{SKILL}/feedback"), action, "Reply").status_code == 422


def test_feedback_is_shown_a_page_at_a_time(world: Any) -> None:
    for number in range(21):
        suggest(world, comment=f"Suggestion number {number:02} of many.")
    browser = world.browser("bob")
    first = look(browser, f"{SKILL}/feedback")
    assert "number 20" in first.text
    assert "number 00" not in first.text
    assert "number 00" in look(browser, first.links["Older feedback"]).text


def test_a_stranger_finds_nothing_of_another_organisation(world: Any) -> None:
    example_id, feedback_id = world.capture(), suggest(world)
    browser, skill_id = world.browser("charlie"), world.skill_id()
    person_id = world.someone("bob").person_id
    for slug in ("release-notes", skill_id):
        for tab in ("", "/training", "/feedback"):
            assert browser.get(f"/skills/{slug}{tab}").status_code == 404
        assert (
            browser.post(f"/skills/{slug}/training", data={"example_input": "a", "example_output": "b"}).status_code
            == 404
        )
        assert browser.post(f"/skills/{slug}/feedback", data={"feedback_type": "thumbs_up"}).status_code == 404
    assert browser.get(f"/training-examples/{example_id}").status_code == 404
    for path, data in (
        (f"/training-examples/{example_id}", {"action": "save", "revision": "1", "example_input": "mine"}),
        (f"/training-examples/{example_id}/review", {"decision": "approve", "revision": "1"}),
        (f"/feedback/{feedback_id}/answer", {"revision": "1", "reply": "hello"}),
        (f"/preferences/data/{example_id}/erase", {}),
        (f"/preferences/keys/{world.someone('bob').key_id}/revoke", {}),
        (f"/preferences/keys/{world.someone('bob').key_id}/rotate", {}),
        (f"/admin/keys/{world.someone('bob').key_id}/revoke", {}),
        (f"/admin/members/{person_id}", {"change": "deactivate", "revision": "1"}),
        (f"/admin/members/{person_id}/invitation", {}),
    ):
        answer = browser.post(path, data=data)
        assert answer.status_code == 404, path
        assert "Release" not in answer.text
    assert "Release-Notes" not in look(browser, "/skills").text
    assert world.client("alice").get(f"/api/training-examples/{example_id}").json()["status"] == "pending"
    assert world.client("bob").get("/api/me").status_code == 200
