from datetime import timedelta
from typing import Any

import pytest
from html_page import Page, look, press

PREFERENCES, CONSENT, WITHDRAW = "/preferences", "/preferences/consent", "/preferences/consent/withdraw"
RENEW = "/preferences/consent/renew"
BOX = "training_data_consent"


def consented(world: Any, name: str) -> bool:
    return world.client(name).get("/api/me/preferences").json()[BOX]


def box(page: Page) -> dict[str, str]:
    return page.form(CONSENT).controls[BOX]


def words(page: Page) -> str:
    return " ".join(page.text.split())


def test_the_box_starts_unticked_and_the_notice_stands_before_it(world: Any) -> None:
    page = look(world.browser("erin"), PREFERENCES)
    assert "checked" not in box(page)
    assert "Not in force" in page.text
    notice = page.html.index("No sanitizer finds everything")
    assert notice < page.html.index(f'id="{BOX}"')
    assert "<h3>May your uses of skills become training examples?</h3>" in page.html
    assert [form for form in page.forms if form.action == WITHDRAW] == []


def test_saving_without_a_tick_gives_nothing(world: Any) -> None:
    browser = world.browser("erin")
    answer = press(browser, look(browser, PREFERENCES), CONSENT)
    assert answer.headers["location"] == "/preferences?done=consent_unchanged"
    assert not consented(world, "erin")
    assert world.client("erin").get("/api/me/consent").json()["records"] == []


def test_ticking_gives_consent_to_the_notice_shown(world: Any) -> None:
    browser = world.browser("erin")
    answer = press(browser, look(browser, PREFERENCES), CONSENT, training_data_consent="yes")
    assert answer.headers["location"] == "/preferences?done=consent_given"
    state = world.client("erin").get("/api/me/consent").json()
    (record,) = state["records"]
    assert record["purposes"] == ["evaluation", "training"]
    assert record["notice_version"] == state["notice_version"]
    assert record["channel"] == "web"
    page = look(browser, PREFERENCES)
    assert "checked" in box(page)
    assert "for evaluation, training. It ends by itself on 2027-03-01 12:00 UTC" in words(page)


def test_one_click_withdraws_and_erases_what_was_captured(world: Any) -> None:
    world.capture(text="the words of bob")
    browser = world.browser("bob")
    page = look(browser, PREFERENCES)
    assert "erases at once the text of all 1 example captured from you" in words(page)
    answer = press(browser, page, WITHDRAW)
    assert answer.headers["location"] == "/preferences?done=consent_withdrawn&count=1"
    assert "Examples erased: 1." in look(browser, answer.headers["location"]).text
    assert not consented(world, "bob")
    assert "the words of bob" not in world.every_cell()
    assert "checked" not in box(look(browser, PREFERENCES))


def test_unticking_and_saving_withdraws_too(world: Any) -> None:
    world.capture()
    browser = world.browser("bob")
    answer = press(browser, look(browser, PREFERENCES), CONSENT, training_data_consent=None)
    assert answer.headers["location"] == "/preferences?done=consent_withdrawn&count=1"
    assert not consented(world, "bob")


def test_saving_a_tick_that_is_already_so_changes_nothing(world: Any) -> None:
    browser = world.browser("bob")
    before = world.client("bob").get("/api/me/consent").json()
    answer = press(browser, look(browser, PREFERENCES), CONSENT)
    assert answer.headers["location"] == "/preferences?done=consent_unchanged"
    assert world.client("bob").get("/api/me/consent").json()["records"] == before["records"]


@pytest.mark.parametrize("action", [CONSENT, RENEW])
def test_a_stale_form_brings_no_withdrawn_consent_back(world: Any, action: str) -> None:
    browser = world.browser("bob")
    old = look(browser, PREFERENCES)
    assert press(browser, old, WITHDRAW).status_code == 303
    stale = Page(press(browser, old, action))
    assert stale.status == 409
    assert "Nothing was stored: your consent is not in force now." in words(stale)
    assert "checked" not in box(stale)
    assert not consented(world, "bob")


def test_a_stale_form_withdraws_no_consent_given_later_but_the_button_always_does(world: Any) -> None:
    browser = world.browser("erin")
    old = look(browser, PREFERENCES)
    assert press(browser, old, CONSENT, training_data_consent="yes").status_code == 303
    assert press(browser, old, CONSENT).status_code == 409
    assert consented(world, "erin")
    renewed = look(browser, PREFERENCES)
    assert press(browser, renewed, RENEW).status_code == 303
    assert press(browser, renewed, WITHDRAW).status_code == 303
    assert not consented(world, "erin")


def test_a_yes_to_another_notice_is_refused(world: Any) -> None:
    browser = world.browser("erin")
    page = look(browser, PREFERENCES)
    page.form(CONSENT).data["notice_version"] = "sha256:" + "0" * 64
    assert press(browser, page, CONSENT, training_data_consent="yes").status_code == 409
    page.form(CONSENT).data["notice_version"] = ""
    assert press(browser, page, CONSENT, training_data_consent="yes").status_code == 409
    assert not consented(world, "erin")


def test_a_choice_that_does_not_say_what_it_was_made_on_is_refused(world: Any) -> None:
    browser = world.browser("erin")
    page = look(browser, PREFERENCES)
    for revision in ("", "x", "-1", None):
        page.form(CONSENT).data["consent_revision"] = revision
        assert press(browser, page, CONSENT, training_data_consent="yes").status_code == 422, revision
    assert not consented(world, "erin")


def test_another_site_can_neither_give_nor_withdraw(world: Any) -> None:
    page = look(world.browser("erin"), PREFERENCES)
    data = {**page.form(CONSENT).data, BOX: "yes"}
    for name in ("erin", "bob"):
        browser = world.browser(name)
        for path in (CONSENT, WITHDRAW, RENEW, "/preferences/data/erase"):
            for origin in ("https://evil.example", "null", ""):
                assert browser.post(path, data=data, headers={"Origin": origin}).status_code == 403, (path, origin)
    assert not consented(world, "erin")
    assert consented(world, "bob")


def test_renewing_keeps_what_the_consent_is_limited_to(world: Any) -> None:
    limited = {"decision": "give", "purposes": ["evaluation"], "skills": ["release-notes"]}
    assert world.client("erin").post("/api/me/consent", json=limited).status_code == 200
    world.time += timedelta(days=30)
    browser = world.browser("erin")
    page = look(browser, PREFERENCES)
    assert "for these skills only: Release-Notes" in words(page)
    assert press(browser, page, RENEW).headers["location"] == "/preferences?done=consent_renewed"
    newest, oldest = world.client("erin").get("/api/me/consent").json()["records"]
    assert newest["purposes"] == oldest["purposes"] == ["evaluation"]
    assert newest["skill_ids"] == oldest["skill_ids"] == [world.skill_id()]
    assert newest["expires_at"] > oldest["expires_at"]


def test_an_ended_consent_is_not_shown_as_given_and_can_still_be_withdrawn(world: Any) -> None:
    world.capture()
    world.time += timedelta(days=366)
    browser = world.browser("bob")
    page = look(browser, PREFERENCES)
    assert "checked" not in box(page)
    assert [form for form in page.forms if form.action == RENEW] == []
    assert press(browser, page, WITHDRAW).headers["location"].endswith("count=1")


def test_what_was_captured_from_me_is_shown_as_stored_and_erased_one_by_one(world: Any) -> None:
    first = world.capture(text="the first words", event_id="1")
    world.capture(text="the second words", event_id="2")
    browser = world.browser("bob")
    page = look(browser, PREFERENCES)
    assert "the first words" in page.text
    assert "Captured from me (2)" in page.text
    answer = press(browser, page, f"/preferences/data/{first}/erase")
    assert answer.headers["location"] == "/preferences?done=data_erased&count=1#captured"
    page = look(browser, PREFERENCES)
    assert "the first words" not in page.text
    assert "the second words" in page.text
    assert consented(world, "bob")
    assert press(browser, page, "/preferences/data/erase").status_code == 303
    assert "the second words" not in world.every_cell()
    assert consented(world, "bob")


def test_nobody_erases_or_sees_what_was_captured_from_another(world: Any) -> None:
    example_id = world.capture(text="the words of bob")
    for name in ("alice", "dana", "erin"):
        page = look(world.browser(name), PREFERENCES)
        assert "the words of bob" not in page.text
        assert world.browser(name).post(f"/preferences/data/{example_id}/erase").status_code == 404
    assert "the words of bob" in look(world.browser("bob"), PREFERENCES).text


def test_what_was_captured_is_paged(world: Any) -> None:
    for number in range(11):
        world.capture(text=f"use number {number:02}", event_id=str(number))
    browser = world.browser("bob")
    assert "use number 00" not in look(browser, PREFERENCES).text
    older = look(browser, look(browser, PREFERENCES).links["older"].split("#")[0])
    assert "use number 00" in older.text
    for page in ("0", "99", "x", "-1", "9" * 5_000):
        assert look(browser, f"/preferences?page={page}").status == 200


def test_a_new_key_is_shown_once_and_works(world: Any) -> None:
    browser = world.browser("erin")
    page = look(browser, PREFERENCES)
    made = Page(press(browser, page, "/preferences/keys", name="laptop", scopes=["track", "read"]))
    assert made.status == 201
    assert "It is shown this once" in made.text
    (key,) = [word for word in made.text.split() if word.startswith("gv_live_")]
    assert world.anonymous(Authorization=f"Bearer {key}").get("/api/me").json()["scopes"] == ["read", "track"]
    after = look(browser, PREFERENCES)
    assert "laptop" in after.text
    assert key not in after.html
    assert key[-38:] not in after.html


def test_a_refused_key_keeps_what_was_typed(world: Any) -> None:
    browser = world.browser("erin")
    for typed, reason in (
        ({"name": "laptop", "scopes": []}, "at least one of"),
        ({"name": "laptop", "scopes": ["track"], "expires_on": "yesterday"}, "a day such as"),
        ({"name": "laptop", "scopes": ["track"], "expires_on": "2026-02-01"}, "a day in the future"),
        ({"name": "laptop", "scopes": ["track"], "expires_on": "9999-12-31"}, "a day such as"),
    ):
        page = Page(press(browser, look(browser, PREFERENCES), "/preferences/keys", **typed))
        assert page.status == 422
        assert reason in page.text
        assert page.form("/preferences/keys").data["name"] == "laptop"
        assert page.form("/preferences/keys").data.get("scopes", []) in (typed["scopes"], "".join(typed["scopes"]))


def test_a_key_never_holds_more_than_its_person_may(world: Any) -> None:
    browser = world.browser("erin")
    page = look(browser, PREFERENCES)
    assert "scope-admin" not in page.form("/preferences/keys").controls
    for data in (
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "scopes": ["track"], "kind": "service"},
    ):
        assert browser.post("/preferences/keys", data=data).status_code == 403
    assert "scope-admin" in look(world.browser("dana"), PREFERENCES).form("/preferences/keys").controls


def test_a_key_ends_with_its_last_day(world: Any) -> None:
    browser = world.browser("erin")
    typed = {"name": "short", "scopes": ["read"], "expires_on": "2026-03-01"}
    assert press(browser, look(browser, PREFERENCES), "/preferences/keys", **typed).status_code == 201
    keys = world.client("erin").get("/api/me/keys").json()["items"]
    assert [key["expires_at"] for key in keys if key["name"] == "short"] == ["2026-03-02T00:00:00Z"]


def test_a_key_is_rotated_with_an_overlap_and_revoked_at_once(world: Any) -> None:
    bob, browser = world.someone("bob"), world.browser("bob")
    rotated = Page(press(browser, look(browser, PREFERENCES), f"/preferences/keys/{bob.key_id}/rotate"))
    assert rotated.status == 201
    assert "The old key works for 24 hours more." in rotated.text
    (new,) = [word for word in rotated.text.split() if word.startswith("gv_live_")]
    assert world.client("bob").get("/api/me").status_code == 200
    world.time += timedelta(hours=24)
    assert world.client("bob").get("/api/me").status_code == 401
    listed = world.anonymous(Authorization=f"Bearer {new}").get("/api/me/keys").json()["items"]
    new_id = next(key["id"] for key in listed if key["id"] != bob.key_id)
    page = look(browser, PREFERENCES)
    assert [form.action for form in page.forms if bob.key_id in form.action] == []
    assert press(browser, page, f"/preferences/keys/{new_id}/revoke").status_code == 303
    assert world.anonymous(Authorization=f"Bearer {new}").get("/api/me").status_code == 401


def test_ids_that_are_none_are_not_found(world: Any) -> None:
    browser = world.browser("dana")
    for path in (
        "/preferences/keys/x/revoke",
        "/preferences/keys/x/rotate",
        "/preferences/sessions/x/end",
        "/preferences/data/x/erase",
        "/admin/keys/x/revoke",
        "/admin/members/x/invitation",
    ):
        assert browser.post(path).status_code == 404, path
    assert browser.post("/admin/members/x", data={"change": "deactivate", "revision": "1"}).status_code == 404
    assert browser.get("/training-examples/x").status_code == 404
    assert browser.post("/feedback/x/answer", data={"revision": "1", "reply": "x"}).status_code == 404


def test_a_browser_is_signed_out_from_another_one(world: Any) -> None:
    first = world.browser("bob")
    sessions = world.client("bob").get("/api/me/sessions").json()["items"]
    page = look(first, PREFERENCES)
    assert "This browser" in page.text
    answer = press(first, page, f"/preferences/sessions/{sessions[0]['id']}/end")
    assert answer.headers["location"] == "/sign-in?done=signed_out"
    assert first.get("/skills").status_code == 303
    assert world.browser("alice").post(f"/preferences/sessions/{sessions[0]['id']}/end").status_code == 404
