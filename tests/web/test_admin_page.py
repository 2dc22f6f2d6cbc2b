from typing import Any

import pytest
from html_page import Page, look, press

CAPTURE = "/admin/capture"
RULES = "/admin/sanitizer-rules"
RULE = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}


def capture_is_on(world: Any) -> bool:
    return world.client("dana").get("/api/settings").json()["training_data_capture_enabled"]


def test_an_admin_switches_capture_off_and_on(world: Any) -> None:
    dana = world.browser("dana")
    for button, state in (("Switch capture off", False), ("Switch capture on", True)):
        page = look(dana, "/admin")
        assert [label.strip() for _, _, label in page.form(CAPTURE).buttons] == [button]
        answer = press(dana, page, CAPTURE, button)
        assert answer.headers["location"] == f"/admin?done=capture_{'on' if state else 'off'}"
        assert capture_is_on(world) is state
    assert world.metric("goldvein_consent_changes_total", action="switched_off") == 1


def test_a_stale_switch_is_refused_with_the_state_as_it_is(world: Any) -> None:
    dana = world.browser("dana")
    press(dana, look(dana, "/admin"), CAPTURE)
    old = look(dana, "/admin")
    press(dana, look(dana, "/admin"), CAPTURE, "Switch capture on")
    press(dana, look(dana, "/admin"), CAPTURE, "Switch capture off")
    stale = Page(press(dana, old, CAPTURE, "Switch capture on"))
    assert stale.status == 409
    assert "training data capture enabled" in stale.text
    assert not capture_is_on(world)


def test_a_switch_that_says_nothing_clear_is_refused(world: Any) -> None:
    dana = world.browser("dana")
    press(dana, look(dana, "/admin"), CAPTURE)
    for data in ({"capture": "on"}, {"capture": "maybe", "revision": "1"}, {"revision": "1"}, {}):
        assert dana.post(CAPTURE, data=data).status_code == 422, data
    assert not capture_is_on(world)


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_the_admin_pages_are_for_admins(world: Any, name: str) -> None:
    browser = world.browser(name)
    assert "Admin" not in look(browser, "/skills").links
    person_id, key_id = world.someone("erin").person_id, world.someone("erin").key_id
    assert browser.get("/admin").status_code == 403
    for path, data in (
        (CAPTURE, {"capture": "off", "revision": "1"}),
        ("/admin/name", {"name": "Mine", "revision": "1"}),
        ("/admin/invitations", {"email": "x@example.org", "name": "X"}),
        (f"/admin/members/{person_id}", {"change": "deactivate", "revision": "1"}),
        (f"/admin/members/{person_id}/invitation", {}),
        (f"/admin/keys/{key_id}/revoke", {}),
        ("/admin/sanitizer-rules", RULE),
        (f"/admin/sanitizer-rules/{key_id}/delete", {}),
    ):
        assert browser.post(path, data=data).status_code == 403, path
    assert capture_is_on(world)


def test_the_admin_page_shows_no_captured_text_and_nobodys_consent(world: Any) -> None:
    world.capture(text="the words of bob")
    before = look(world.browser("dana"), "/admin").text
    assert "the words of bob" not in before
    assert world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}).status_code == 200
    assert look(world.browser("dana"), "/admin").text == before


def test_the_organisation_is_renamed_and_a_stale_name_is_refused(world: Any) -> None:
    dana = world.browser("dana")
    old = look(dana, "/admin")
    assert press(dana, old, "/admin/name", name="Acme & Söhne").status_code == 303
    page = look(dana, "/admin")
    assert page.form("/admin/name").data["name"] == "Acme & Söhne"
    assert press(dana, old, "/admin/name", name="Late").status_code == 409
    refused = Page(press(dana, page, "/admin/name", name=" "))
    assert refused.status == 422
    assert "1 to 200 printable characters" in refused.text


def test_a_person_is_invited_by_a_link_shown_once(world: Any) -> None:
    dana = world.browser("dana")
    typed = {"email": "frank@acme.example", "name": "Frank", "role": "admin"}
    made = Page(press(dana, look(dana, "/admin"), "/admin/invitations", **typed))
    assert made.status == 201
    (link,) = [word for word in made.text.split() if "/welcome/" in word]
    path = link.removeprefix(world.runtime.settings.base_url)
    page = look(dana, "/admin")
    assert path not in page.html
    assert "Frank" not in page.text
    assert "invited" in page.text
    action = next(form.action for form in page.forms if form.action.endswith("/invitation"))
    again = Page(press(dana, page, action))
    (new_link,) = [word for word in again.text.split() if "/welcome/" in word]
    assert look(world.anonymous(), path).status == 404
    assert look(world.anonymous(), new_link.removeprefix(world.runtime.settings.base_url)).status == 200


def test_an_invitation_is_refused_at_its_field_or_when_there_is_a_member(world: Any) -> None:
    dana = world.browser("dana")
    page = look(dana, "/admin")
    wrong = Page(press(dana, page, "/admin/invitations", email="frank", name="Frank"))
    assert wrong.status == 422
    form = wrong.form("/admin/invitations")
    assert (form.data["email"], form.data["name"]) == ("frank", "Frank")
    assert form.controls["email"]["aria-invalid"] == "true"
    assert press(dana, page, "/admin/invitations", email="bob@acme.example", name="B").status_code == 409
    action = f"/admin/members/{world.someone('bob').person_id}/invitation"
    assert dana.post(action).status_code == 409


def test_members_change_role_and_leave_and_come_back(world: Any) -> None:
    dana, bob = world.browser("dana"), world.someone("bob")
    action = f"/admin/members/{bob.person_id}"
    for button, state in (
        ("Make admin", ("admin", "active")),
        ("Make member", ("member", "active")),
        ("Deactivate", ("member", "deactivated")),
        ("Reactivate", ("member", "active")),
    ):
        assert press(dana, look(dana, "/admin"), action, button).status_code == 303
        members = world.client("dana").get("/api/members").json()["items"]
        assert [(m["role"], m["state"]) for m in members if m["person_id"] == bob.person_id] == [state]
    assert world.client("bob").get("/api/me").status_code == 401


def test_a_stale_change_of_a_member_is_refused(world: Any) -> None:
    dana, action = world.browser("dana"), f"/admin/members/{world.someone('bob').person_id}"
    old = look(dana, "/admin")
    assert press(dana, old, action, "Deactivate").status_code == 303
    assert press(dana, old, action, "Make admin").status_code == 409
    assert dana.post(action, data={"change": "promote", "revision": "2"}).status_code == 422


def test_the_last_admin_stays(world: Any) -> None:
    dana, action = world.browser("dana"), f"/admin/members/{world.someone('dana').person_id}"
    refused = Page(press(dana, look(dana, "/admin"), action, "Deactivate"))
    assert refused.status == 403
    assert "at least one active admin" in refused.text
    assert dana.get("/admin").status_code == 200


def test_an_admin_revokes_any_key_and_sees_no_secret(world: Any) -> None:
    dana, bob = world.browser("dana"), world.someone("bob")
    page = look(dana, "/admin")
    assert bob.api_key not in page.html
    assert "a service" in page.text
    assert press(dana, page, f"/admin/keys/{bob.key_id}/revoke").status_code == 303
    assert world.client("bob").get("/api/me").status_code == 401
    assert [form.action for form in look(dana, "/admin").forms if bob.key_id in form.action] == []


def test_an_admin_adds_a_rule_and_deletes_it(world: Any) -> None:
    dana = world.browser("dana")
    added = press(dana, look(dana, "/admin"), RULES, **RULE)
    assert (added.status_code, added.headers["location"]) == (303, "/admin?done=rule_added#rules")
    page = look(dana, "/admin?done=rule_added")
    assert "[REDACTED:staff_number] for EMP-[0-9]{6}" in page.text
    assert RULE["example"] not in page.html
    (action,) = [form.action for form in page.forms if form.action.startswith(f"{RULES}/")]
    assert press(dana, page, action, "Delete").status_code == 303
    assert "No rules." in look(dana, "/admin").text
    assert press(dana, page, action, "Delete").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"type": "Staff number"}, "type", "1 to 40 of a-z and _"),
        ({"pattern": "EMP-[0-9]+"}, "pattern", "a repeat without an upper bound"),
        ({"pattern": "(EMP"}, "pattern", "missing )"),
        ({"example": "EMP-1"}, "example", "is not matched by the pattern"),
    ],
)
def test_a_refused_rule_keeps_what_was_typed_and_says_why(
    world: Any, changes: dict[str, str], field: str, reason: str
) -> None:
    dana = world.browser("dana")
    page = Page(press(dana, look(dana, "/admin"), RULES, **{**RULE, **changes}))
    assert page.status == 422
    assert reason in page.text
    form = page.form(RULES)
    assert {name: form.data[name] for name in RULE} == {**RULE, **changes}
    assert [name for name, control in form.controls.items() if control.get("aria-invalid")] == [f"rule-{field}"]
    assert "No rules." in look(dana, "/admin").text


def test_a_rule_that_is_there_already_is_a_conflict(world: Any) -> None:
    dana = world.browser("dana")
    assert press(dana, look(dana, "/admin"), RULES, **RULE).status_code == 303
    twice = Page(press(dana, look(dana, "/admin"), RULES, **RULE))
    assert twice.status == 409
    assert "already" in twice.text
