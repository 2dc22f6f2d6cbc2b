from datetime import timedelta
from typing import Any

import pytest
from conftest import ORIGIN, World
from fastapi.testclient import TestClient
from helpers import PASSWORD, UNKNOWN_ID, check_refused, client_with, link_for, new_key, ok, refusal, set_password

from goldvein.identity.access import SESSION_COOKIE

NEW_PASSWORD = "quite another password"


def browser_without_session(world: World) -> TestClient:
    return world.anonymous(Origin=ORIGIN)


def sign_in(world: World, name: str, password: str = PASSWORD, **form: str) -> TestClient:
    browser = browser_without_session(world)
    browser.post("/sign-in", data={"email": world.someone(name).email, "password": password, **form})
    return browser


def is_signed_in(browser: TestClient) -> bool:
    return browser.get("/api/me").status_code == 200


def test_a_password_signs_in_and_a_wrong_one_does_not(world: World) -> None:
    set_password(world, "bob")
    assert is_signed_in(sign_in(world, "bob"))
    assert is_signed_in(sign_in(world, "bob", email=" BOB@acme.example "))
    assert not is_signed_in(sign_in(world, "bob", password=PASSWORD + "!"))
    assert not is_signed_in(sign_in(world, "bob", password=""))
    assert not is_signed_in(sign_in(world, "erin"))  # has no password at all


def test_an_unknown_person_gets_the_same_answer_as_a_wrong_password(world: World) -> None:
    set_password(world, "bob")
    form = {"email": "bob@acme.example", "password": "wrong password"}
    known = browser_without_session(world).post("/sign-in", data=form)
    unknown = browser_without_session(world).post("/sign-in", data=form | {"email": "bbb@acme.example"})
    assert (known.status_code, unknown.status_code) == (401, 401)
    assert known.text.replace("bob@", "bbb@") == unknown.text


def test_passwords_and_session_tokens_are_not_stored(world: World) -> None:
    set_password(world, "bob")
    token = sign_in(world, "bob").cookies[SESSION_COOKIE]
    cells = [str(cell) for cell in world.every_cell()]
    assert not any(PASSWORD in cell or token in cell for cell in cells)
    assert any(cell.startswith("$argon2id$") for cell in cells)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    set_password(world, "bob")
    form = {"email": "bob@acme.example", "password": PASSWORD}
    header = browser_without_session(world).post("/sign-in", data=form).headers["set-cookie"].lower()
    assert "httponly" in header
    assert "samesite=lax" in header
    assert "path=/" in header


def test_a_session_ends_by_itself(world: World) -> None:
    set_password(world, "bob")
    browser = sign_in(world, "bob")
    token = browser.cookies[SESSION_COOKIE]
    world.time += timedelta(days=world.runtime.settings.session_days) - timedelta(seconds=1)
    assert is_signed_in(browser)
    world.time += timedelta(seconds=1)
    late = browser_without_session(world)
    late.cookies.set(SESSION_COOKIE, token)
    assert not is_signed_in(late)


def test_i_see_and_end_my_own_sessions_only(world: World) -> None:
    set_password(world, "bob")
    second = sign_in(world, "bob")
    check_refused(world, "GET", "/api/me/sessions", anonymous=401)
    sessions = ok(world.browser("bob").get("/api/me/sessions"))["items"]
    assert len(sessions) == 2
    path = f"/api/me/sessions/{sessions[0]['id']}"
    check_refused(world, "DELETE", path, anonymous=401, charlie=404, alice=404, dana=404)
    narrow = client_with(world, new_key(world, "bob", "track", "read")["api_key"])
    assert refusal(narrow.get("/api/me/sessions"), 403, "missing_scope")["scope"] == "me"
    assert refusal(narrow.delete(path), 403, "missing_scope")["scope"] == "me"
    assert is_signed_in(second)
    ok(world.client("bob").delete(path), 204)
    refusal(world.client("bob").delete(path), 404, "not_found")
    assert [is_signed_in(second), is_signed_in(world.browser("bob"))].count(True) == 1


def test_an_unknown_session_is_not_found(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [UNKNOWN_ID, "none"]
    for session_id in cases:
        with subtests.test(session_id=session_id):
            refusal(world.client("bob").delete(f"/api/me/sessions/{session_id}"), 404, "not_found")


def test_signing_out_ends_the_session_on_the_server(world: World) -> None:
    browser = world.browser("bob")
    assert browser.post("/sign-out").status_code == 303
    assert not is_signed_in(world.browser("bob"))  # the same cookie again


def test_a_login_link_works_once(world: World) -> None:
    token = link_for(world, "bob", "login")
    first, second = world.anonymous(), world.anonymous()
    assert first.get(f"/login/{token}").status_code == 303
    assert second.get(f"/login/{token}").status_code == 404
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)
    assert ok(first.get("/api/me"))["person_id"] == world.someone("bob").person_id


def test_a_login_link_lasts_an_hour(world: World) -> None:
    token = link_for(world, "bob", "login")
    world.time += timedelta(hours=1)
    assert world.anonymous().get(f"/login/{token}").status_code == 404


def test_a_new_link_ends_the_one_before(world: World) -> None:
    old, new = link_for(world, "bob", "login"), link_for(world, "bob", "login")
    assert world.anonymous().get(f"/login/{old}").status_code == 404
    assert world.anonymous().get(f"/login/{new}").status_code == 303


def test_a_browser_that_looks_ahead_does_not_use_the_link_up(world: World) -> None:
    token = link_for(world, "bob", "login")
    assert world.anonymous().get(f"/login/{token}", headers={"Sec-Purpose": "prefetch"}).status_code == 204
    assert world.anonymous().get(f"/login/{token}").status_code == 303


def test_a_link_serves_its_own_purpose_only(world: World) -> None:
    login, reset = link_for(world, "bob", "login"), link_for(world, "erin", "reset")
    assert world.anonymous().get(f"/login/{reset}").status_code == 404
    assert browser_without_session(world).post(f"/welcome/{login}", data={"password": PASSWORD}).status_code == 404
    assert world.anonymous().get(f"/welcome/{login}").status_code == 404
    assert world.anonymous().get(f"/login/{login}").status_code == 303
    assert browser_without_session(world).post(f"/welcome/{reset}", data={"password": PASSWORD}).status_code == 303


def test_a_made_up_link_is_not_found(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = ["/login/nothing", "/login/%00", "/welcome/nothing", "/login/" + "x" * 2000]
    for path in cases:
        with subtests.test(path=path):
            assert world.anonymous().get(path).status_code == 404


def test_a_reset_ends_every_session_and_the_old_password(world: World) -> None:
    set_password(world, "bob")
    other = sign_in(world, "bob")
    token = link_for(world, "bob", "reset")
    here = browser_without_session(world)
    assert here.post(f"/welcome/{token}", data={"password": "short"}).status_code == 422
    assert is_signed_in(other)
    assert here.post(f"/welcome/{token}", data={"password": NEW_PASSWORD}).status_code == 303
    assert is_signed_in(here)
    assert not is_signed_in(other)
    assert not is_signed_in(world.browser("bob"))
    assert not is_signed_in(sign_in(world, "bob", password=PASSWORD))
    assert is_signed_in(sign_in(world, "bob", password=NEW_PASSWORD))


def test_a_reset_works_once(world: World) -> None:
    token = link_for(world, "bob", "reset")
    assert browser_without_session(world).post(f"/welcome/{token}", data={"password": PASSWORD}).status_code == 303
    again = browser_without_session(world).post(f"/welcome/{token}", data={"password": NEW_PASSWORD})
    assert again.status_code == 404
    assert not is_signed_in(sign_in(world, "bob", password=NEW_PASSWORD))


def test_a_page_of_another_origin_changes_nothing(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "https://testserver"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
        {"Referer": "http://testserver/preferences"},
    ]
    for headers in cases:
        with subtests.test(headers=headers):
            browser = world.anonymous(**headers)
            browser.cookies.set(SESSION_COOKIE, world.someone("bob").cookie)
            for method, path, body in (
                ("PATCH", "/api/me/preferences", {"training_data_consent": False}),
                ("POST", "/api/me/consent", {"decision": "withdraw"}),
                ("POST", "/api/me/keys", {"name": "stolen", "scopes": ["track"]}),
                ("DELETE", "/api/me/data", None),
            ):
                refusal(browser.request(method, path, json=body), 403, "cross_origin")
            assert ok(browser.get("/api/me/preferences"))["training_data_consent"] is True


def test_the_own_pages_may_change_things(world: World) -> None:
    for headers in ({"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}):
        browser = world.anonymous(**headers)
        browser.cookies.set(SESSION_COOKIE, world.someone("bob").cookie)
        assert ok(browser.patch("/api/me/preferences", json={"display": "name"}))["display"] == "name"


def test_the_forms_of_signing_in_are_for_our_own_pages(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = ["/sign-in", "/sign-out", "/welcome/x", "/sign-in/organisation"]
    for path in cases:
        with subtests.test(path=path):
            browser = world.anonymous(Origin="https://evil.example")
            browser.cookies.set(SESSION_COOKIE, world.someone("bob").cookie)
            assert browser.post(path, data={"email": "bob@acme.example", "password": PASSWORD}).status_code == 403
            assert is_signed_in(world.browser("bob"))


def test_a_request_with_a_key_is_judged_by_the_key_alone(world: World) -> None:
    browser = world.browser("bob")
    assert (
        ok(browser.get("/api/me", headers={"Authorization": f"Bearer {world.someone('erin').api_key}"}))["person_id"]
        == world.someone("erin").person_id
    )
    for wrong in ("Bearer gv_live_nothing", "bearer ", "Bearer"):
        refusal(browser.get("/api/me", headers={"Authorization": wrong}), 401, "not_authenticated")


def test_a_made_up_cookie_is_nobody(world: World) -> None:
    for value in ("x", "x" * 4000, world.someone("bob").cookie[:-1]):
        browser = browser_without_session(world)
        browser.cookies.set(SESSION_COOKIE, value)
        assert not is_signed_in(browser)


def test_who_belongs_to_two_organisations_chooses_one(world: World) -> None:
    set_password(world, "charlie")
    invited = world.client("dana").post(
        "/api/invitations", json={"email": world.someone("charlie").email, "name": "C", "role": "member"}
    )
    path = ok(invited, 201)["link"].removeprefix(world.runtime.settings.base_url)
    in_acme = browser_without_session(world)
    assert in_acme.post(path, data={"password": PASSWORD}).status_code == 303
    assert ok(in_acme.get("/api/me"))["tenant"] == "Acme"
    page = browser_without_session(world).post(
        "/sign-in", data={"email": world.someone("charlie").email, "password": PASSWORD}
    )
    assert page.status_code == 200
    assert "Acme" in page.text
    assert "Globex" in page.text
    assert SESSION_COOKIE not in page.cookies
