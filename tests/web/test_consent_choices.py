"""The choice on the page: purpose by purpose, skill by skill, a plain no, the history, and the admin's notices."""

import json
from typing import Any

from html_page import Page, look, press

PREFERENCES, PURPOSES = "/preferences", "/preferences/consent/purposes"
REFUSE, ADMIN = "/preferences/consent/refuse", "/admin/notices"


def consent(world: Any, name: str = "bob") -> Any:
    return world.client(name).get("/api/me/consent").json()


def words(page: Page) -> str:
    return " ".join(page.text.split())


def ticked(page: Page) -> set[str]:
    return {
        given["value"]
        for tag, given in page.tags
        if tag == "input" and given.get("name") == "purposes" and "checked" in given
    }


def test_each_purpose_has_its_own_box_and_sharing_is_never_ticked_by_the_simple_one(world: Any) -> None:
    browser = world.browser("erin")
    page = look(browser, PREFERENCES)
    assert ticked(page) == set()
    press(browser, page, "/preferences/consent", training_data_consent="yes")
    assert ticked(look(browser, PREFERENCES)) == {"evaluation", "training"}
    chosen = ["evaluation", "sharing_outside_tenant"]
    press(browser, look(browser, PREFERENCES), PURPOSES, purposes=chosen)
    assert consent(world, "erin")["purposes"] == chosen
    assert ticked(look(browser, PREFERENCES)) == {*chosen}
    assert press(browser, look(browser, PREFERENCES), PURPOSES).headers["location"].endswith("consent_unchanged")


def test_no_purpose_at_all_withdraws(world: Any) -> None:
    world.capture()
    browser = world.browser("bob")
    answer = press(browser, look(browser, PREFERENCES), PURPOSES, purposes=None)
    assert answer.headers["location"] == "/preferences?done=consent_withdrawn&count=1"
    assert consent(world)["training_data_consent"] is False


def test_a_stale_choice_of_purposes_gives_nothing(world: Any) -> None:
    browser = world.browser("bob")
    old = look(browser, PREFERENCES)
    press(browser, old, "/preferences/consent/withdraw")
    assert press(browser, old, PURPOSES, purposes=["training"]).status_code == 409
    assert consent(world)["training_data_consent"] is False


def test_choosing_purposes_keeps_the_skills_it_is_for(world: Any) -> None:
    world.capture()
    browser = world.browser("bob")
    press(browser, look(browser, PREFERENCES), f"/preferences/consent/skills/{world.skill_id()}/withdraw")
    press(browser, look(browser, PREFERENCES), PURPOSES, purposes=["evaluation"])
    assert consent(world)["records"][0]["excepted_skill_ids"] == [world.skill_id()]
    page = look(browser, PREFERENCES)
    assert "for every skill but Release-Notes" in words(page)
    press(browser, page, f"/preferences/consent/skills/{world.skill_id()}/give")
    after = consent(world)
    assert (after["records"][0]["excepted_skill_ids"], after["purposes"]) == (None, ["evaluation"])


def test_a_stale_form_gives_no_skill_back(world: Any) -> None:
    world.capture()
    browser, give = world.browser("bob"), f"/preferences/consent/skills/{world.skill_id()}/give"
    press(browser, look(browser, PREFERENCES), f"/preferences/consent/skills/{world.skill_id()}/withdraw")
    old = look(browser, PREFERENCES)
    press(browser, old, "/preferences/consent/withdraw")
    assert press(browser, old, give).status_code == 409
    assert consent(world)["training_data_consent"] is False


def test_a_plain_no_is_recorded_and_the_button_goes(world: Any) -> None:
    browser = world.browser("erin")
    answer = press(browser, look(browser, PREFERENCES), REFUSE)
    assert answer.headers["location"] == "/preferences?done=consent_refused"
    page = look(browser, PREFERENCES)
    assert "you said no" in words(page)
    assert [form for form in page.forms if form.action == REFUSE] == []
    assert [row["action"] for row in consent(world, "erin")["records"]] == ["refused"]


def test_the_history_names_what_was_shown_and_chosen_and_leads_to_the_text(world: Any) -> None:
    browser = world.browser("bob")
    look(browser, PREFERENCES)
    world.client("bob").post("/api/me/consent", json={"decision": "withdraw", "purposes": ["training"]})
    page = look(browser, PREFERENCES)
    assert "What happened to my consent (3)" in words(page)
    assert "on a page" in words(page)
    assert "by a program what is left: for evaluation until" in words(page)
    path = next(path for path in page.links.values() if path.startswith("/preferences/notices/"))
    assert "No sanitizer finds everything" in look(browser, path).text
    assert look(browser, "/preferences/notices/sha256:none").status == 404


def test_everything_can_be_downloaded(world: Any) -> None:
    world.capture(text="the words of bob")
    answer = world.browser("bob").get(
        look(world.browser("bob"), PREFERENCES).links["Download all of it, and my consent history, as JSON"]
    )
    assert "attachment" in answer.headers["content-disposition"]
    content = json.loads(answer.content)
    assert [row["example_input"] for row in content["captured_examples"]] == ["the words of bob"]
    assert [row["action"] for row in content["consent_records"]] == ["given"]
    assert len(content["consent_requests"]) == 1


def test_an_admin_puts_a_notice_in_force_and_everybody_is_told_to_choose_again(world: Any) -> None:
    dana = world.browser("dana")
    page = look(dana, "/admin")
    old = page
    typed = {"text": "# Acme asks\r\n\r\nFor **more**.", "purposes": ["evaluation", "training"], "wider": "yes"}
    assert press(dana, page, ADMIN, **typed).headers["location"] == "/admin?done=notice_published#notices"
    shown = look(world.browser("bob"), PREFERENCES)
    assert "<strong>more</strong>" in shown.html
    assert "your organisation asks for more than when you chose" in words(shown)
    assert "sharing_outside_tenant" not in [given.get("value") for _, given in shown.tags]
    assert "What was in force when (1)" in words(look(dana, "/admin"))
    late = Page(press(dana, old, ADMIN, **{**typed, "text": "Another text"}))
    assert late.status == 409
    assert late.form(ADMIN).data["text"].strip() == "Another text"


def test_a_notice_with_something_wrong_stays_in_the_form(world: Any) -> None:
    dana = world.browser("dana")
    for typed, reason in (
        ({"language": "English"}, "a language such as"),
        ({"text": ""}, "1 to 20000 characters"),
        ({"purposes": None}, "evaluation, training or both"),
    ):
        page = Page(press(dana, look(dana, "/admin"), ADMIN, **typed))
        assert page.status == 422
        assert reason in page.text
    assert world.client("dana").get("/api/notices").json()["items"] == []


def test_a_notice_replaced_while_reading_is_shown_with_its_successor(world: Any) -> None:
    browser = world.browser("erin")
    old = look(browser, PREFERENCES)
    new = {"language": "en", "text": "The new text.", "purposes": ["training"], "wider": True}
    assert world.client("dana").post("/api/notices", json=new).status_code == 201
    for action, typed in (("/preferences/consent", {"training_data_consent": "yes"}), (REFUSE, {})):
        page = Page(press(browser, old, action, **typed))
        assert page.status == 409
        assert "The notice was replaced while you read it." in page.text
        assert "The new text." in page.text
    assert consent(world, "erin")["records"] == []


def test_an_admin_ends_a_consent_from_the_page_and_the_answer_is_the_same_for_everybody(world: Any) -> None:
    world.capture(text="the words of bob")
    dana = world.browser("dana")
    for name in ("bob", "erin"):
        answer = press(dana, look(dana, "/admin"), "/admin/revoke-consent", person_id=world.someone(name).person_id)
        assert answer.headers["location"] == "/admin?done=consent_revoked#members"
    assert "the words of bob" not in world.every_cell()
    assert "an admin has ended your consent" in words(look(world.browser("bob"), PREFERENCES))
    for name in ("alice", "erin"):
        path = "/admin/revoke-consent"
        assert world.browser(name).post(path, data={"person_id": world.someone("bob").person_id}).status_code == 403
