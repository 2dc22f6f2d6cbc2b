from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from html_page import Page, look, press

from goldvein.identity import service as identity
from goldvein.identity.access import SESSION_COOKIE
from goldvein.web.viewer import local_path

ORIGIN = "http://testserver"
PASSWORD = "a long enough " + "password"
ELSEWHERE = [
    "//evil.example",
    "https://evil.example",
    "http:evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "///evil.example",
    " /skills",
    "//[evil",
    "",
]


def set_password(world: Any, name: str, password: str = PASSWORD) -> None:
    with world.database.write_across_tenants() as session:
        (membership, *_) = identity.find_memberships(session, world.someone(name).email)
        session_rows = identity.person_of(session, membership.person_id)
        session_rows.password_hash = identity.hash_password(password)


def make_link(world: Any, name: str, purpose: str) -> str:
    with world.database.write_across_tenants() as session:
        (membership,) = identity.find_memberships(session, world.someone(name).email)
        return identity.make_link(session, world.runtime.server_key, membership, purpose, now=world.time)


def sign_in(world: Any, email: str, password: str, **fields: str) -> Any:
    browser = world.anonymous(Origin=ORIGIN)
    return browser, browser.post("/sign-in", data={"email": email, "password": password, **fields})


def is_signed_in(browser: Any) -> bool:
    return browser.get("/skills").status_code == 200


def test_the_right_password_signs_in_and_leads_to_the_page_asked_for(world: Any) -> None:
    set_password(world, "alice")
    browser = world.anonymous(Origin=ORIGIN)
    asked = browser.get("/skills/release-notes/training?status=pending")
    assert asked.status_code == 303
    page = look(browser, asked.headers["location"])
    answer = press(browser, page, "/sign-in", email="alice@acme.example", password=PASSWORD)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/skills/release-notes/training?status=pending"
    assert is_signed_in(browser)


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(world: Any) -> None:
    set_password(world, "alice")
    answers = []
    for email in ("alice@acme.example", "nobody@acme.example", "not an address"):
        browser, answer = sign_in(world, email, "the wrong one")
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert not is_signed_in(browser)
        answers.append(answer.text.replace(email, ""))
    assert answers[0] == answers[1] == answers[2]
    assert "is not right" in answers[0]


def test_wrong_passwords_are_counted_and_slow_guessing_down(world: Any) -> None:
    set_password(world, "alice")
    allowed = world.runtime.settings.failed_authentication_limit_per_minute
    for _ in range(allowed - 1):
        world.runtime.limiter.count_sign_in("127.0.0.1", "alice@acme.example")
    assert sign_in(world, "alice@acme.example", "the wrong one")[1].status_code == 401
    _, refused = sign_in(world, "alice@acme.example", PASSWORD)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert "text/html" in refused.headers["content-type"]


def test_the_cookie_is_kept_from_scripts_and_other_sites(world: Any) -> None:
    set_password(world, "alice")
    _, answer = sign_in(world, "alice@acme.example", PASSWORD)
    cookie = answer.headers["set-cookie"]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert cookie.startswith(f"{SESSION_COOKIE}=")
    assert {"httponly", "samesite=lax", "path=/", f"max-age={14 * 24 * 3600}"} <= flags
    assert "secure" not in flags


def test_the_cookie_is_secure_when_people_reach_the_server_by_https(world: Any) -> None:
    set_password(world, "alice")
    world.runtime.settings = replace(world.runtime.settings, public_url="https://goldvein.example")
    _, answer = sign_in(world, "alice@acme.example", PASSWORD)
    assert "; secure" in answer.headers["set-cookie"].lower()


def test_a_form_of_another_site_signs_nobody_in_or_out(world: Any) -> None:
    set_password(world, "alice")
    data = {"email": "alice@acme.example", "password": PASSWORD, "link": make_link(world, "alice", "login")}
    welcome = f"/welcome/{make_link(world, 'alice', 'reset')}"
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        browser = world.anonymous(**headers)
        browser.cookies.set(SESSION_COOKIE, world.someone("bob").cookie)
        for path in ("/sign-in", "/sign-in/organisation", "/sign-out", welcome):
            answer = browser.post(path, data=data)
            assert answer.status_code == 403, (headers, path)
            assert "set-cookie" not in answer.headers
        assert is_signed_in(browser)
    assert world.anonymous(Origin=ORIGIN).post(welcome, data=data).status_code == 303


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_path_leads_to_another_server(target: str) -> None:
    assert local_path(target) == "/skills"


def test_a_local_path_is_kept() -> None:
    assert local_path("/skills/x/training?status=pending&a=%2F%2Fb") == "/skills/x/training?status=pending&a=%2F%2Fb"


def test_no_way_of_signing_in_leads_to_another_server(world: Any) -> None:
    set_password(world, "alice")
    for target in ELSEWHERE:
        _, by_password = sign_in(world, "alice@acme.example", PASSWORD, next=target)
        assert by_password.headers["location"] == "/skills", target
        token = make_link(world, "bob", "login")
        by_link = world.anonymous().get(f"/login/{token}", params={"next": target})
        assert by_link.headers["location"] == "/skills", target
        asked = Page(world.anonymous().get("/sign-in", params={"next": target}))
        assert asked.form("/sign-in").data["next"] == "/skills", target


def test_who_is_not_signed_in_comes_back_to_a_path_of_this_server_only(world: Any) -> None:
    assert world.anonymous().get("http://testserver//evil.example/skills").status_code == 404
    answer = world.anonymous().get("/preferences?x=//evil.example")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fpreferences%3Fx%3D%2F%2Fevil.example"


def test_the_first_page_leads_to_the_skills_or_to_sign_in(world: Any) -> None:
    assert world.browser("alice").get("/").headers["location"] == "/skills"
    assert world.anonymous().get("/").headers["location"] == "/sign-in"


def test_a_change_without_a_session_is_refused_with_a_page(world: Any) -> None:
    answer = world.anonymous(Origin=ORIGIN).post("/preferences/display", data={"display": "name"})
    assert answer.status_code == 401
    assert Page(answer).headings == ["Sign in first"]


def test_a_login_link_signs_in_once(world: Any) -> None:
    token = make_link(world, "alice", "login")
    browser = world.anonymous()
    answer = browser.get(f"/login/{token}?next=/preferences")
    assert (answer.status_code, answer.headers["location"]) == (303, "/preferences")
    assert is_signed_in(browser)
    second = world.anonymous()
    again = Page(second.get(f"/login/{token}"))
    assert again.status == 404
    assert "has been used or is too old" in again.text
    assert not is_signed_in(second)


def test_looking_ahead_does_not_use_a_login_link_up(world: Any) -> None:
    token = make_link(world, "alice", "login")
    for name, value in (
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    ):
        ahead = world.anonymous(**{name: value}).get(f"/login/{token}")
        assert (ahead.status_code, ahead.text) == (204, ""), (name, value)
        assert "set-cookie" not in ahead.headers
    assert world.anonymous().head(f"/login/{token}").status_code in {204, 405}
    assert world.anonymous().get(f"/login/{token}").status_code == 303


def test_an_old_login_link_is_refused(world: Any) -> None:
    token = make_link(world, "alice", "login")
    world.time += timedelta(hours=1)
    assert world.anonymous().get(f"/login/{token}").status_code == 404


def test_a_link_works_only_for_what_it_was_made_for(world: Any) -> None:
    invitation, login = make_link(world, "alice", "invitation"), make_link(world, "alice", "login")
    assert world.anonymous().get(f"/login/{invitation}").status_code == 404
    assert world.anonymous().get(f"/welcome/{login}").status_code == 404
    refused = world.anonymous(Origin=ORIGIN).post(f"/welcome/{login}", data={"password": PASSWORD})
    assert refused.status_code == 404
    assert world.anonymous().get(f"/welcome/{invitation}").status_code == 200
    assert world.anonymous().get(f"/login/{login}").status_code == 303


def test_an_invited_person_chooses_a_password_and_is_in(world: Any) -> None:
    link = world.client("dana").post("/api/invitations", json={"email": "frank@acme.example", "name": "Frank"})
    path = link.json()["link"].removeprefix(world.runtime.settings.base_url)
    browser = world.anonymous(Origin=ORIGIN)
    page = look(browser, path)
    assert "Acme" in page.text
    short = Page(press(browser, page, path, password="short"))
    assert short.status == 422
    assert "10 to 200 characters" in short.text
    answer = press(browser, short, path, password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/skills")
    assert is_signed_in(browser)
    assert sign_in(world, "frank@acme.example", PASSWORD)[1].status_code == 303
    assert look(world.anonymous(), path).status == 404


def test_a_wrong_password_does_not_use_the_invitation_up(world: Any) -> None:
    set_password(world, "charlie")
    with world.database.write_across_tenants() as session:
        membership = identity.invite(
            session,
            tenant_id=world.someone("alice").tenant_id,
            email="charlie@globex.example",
            name="C",
            role="member",
            now=world.time,
        )
        token = identity.make_link(session, world.runtime.server_key, membership, "invitation", now=world.time)
    browser = world.anonymous(Origin=ORIGIN)
    wrong = Page(press(browser, look(browser, f"/welcome/{token}"), f"/welcome/{token}", password="not it, not it"))
    assert wrong.status == 422
    assert not is_signed_in(browser)
    assert press(browser, wrong, f"/welcome/{token}", password=PASSWORD).status_code == 303
    assert "Acme" in look(browser, "/skills").text


def test_a_person_of_two_organisations_chooses_one(world: Any) -> None:
    test_a_wrong_password_does_not_use_the_invitation_up(world)
    browser, answer = sign_in(world, "charlie@globex.example", PASSWORD, next="/preferences")
    page = Page(answer)
    assert page.status == 200
    assert "set-cookie" not in answer.headers
    options = [given["value"] for tag, given in page.tags if tag == "option"]
    assert len(options) == 2
    chosen = press(browser, page, "/sign-in/organisation", link=options[1])
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/preferences")
    assert "Charlie · Acme" in look(browser, "/preferences").text
    assert "Charlie · Globex" not in look(browser, "/preferences").text
    assert press(browser, page, "/sign-in/organisation", link=options[1]).status_code == 404


def test_a_reset_link_sets_a_new_password_and_signs_out_everywhere_else(world: Any) -> None:
    set_password(world, "alice")
    token = make_link(world, "alice", "reset")
    browser = world.anonymous(Origin=ORIGIN)
    page = look(browser, f"/welcome/{token}")
    assert page.headings == ["New password"]
    assert press(browser, page, f"/welcome/{token}", password="another " + PASSWORD).status_code == 303
    assert is_signed_in(browser)
    assert not is_signed_in(world.browser("alice"))
    assert sign_in(world, "alice@acme.example", PASSWORD)[1].status_code == 401


def test_a_deactivated_person_cannot_sign_in(world: Any) -> None:
    set_password(world, "bob")
    token = make_link(world, "bob", "login")
    page = look(world.browser("dana"), "/admin")
    action = f"/admin/members/{world.someone('bob').person_id}"
    assert press(world.browser("dana"), page, action, "Deactivate").status_code == 303
    assert sign_in(world, "bob@acme.example", PASSWORD)[1].status_code == 401
    assert world.anonymous().get(f"/login/{token}").status_code == 404
    assert world.browser("bob").get("/skills").status_code == 303


def test_signing_out_ends_the_session_and_takes_the_cookie_back(world: Any) -> None:
    browser = world.browser("alice")
    answer = press(browser, look(browser, "/skills"), "/sign-out")
    assert answer.headers["location"].startswith("/sign-in")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert not is_signed_in(world.browser("alice"))
    assert world.anonymous(Origin=ORIGIN).post("/sign-out").status_code == 303


def test_an_api_key_opens_no_page(world: Any) -> None:
    answer = world.client("alice").get("/skills")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fskills")
    assert world.client("alice").post("/preferences/consent/withdraw").status_code == 401
