from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from helpers import (
    PASSWORD,
    UNKNOWN_ID,
    check_refused,
    client_with,
    link_for,
    new_key,
    ok,
    refusal,
    rows,
    set_password,
    wrong_field,
)

from goldvein.identity.tables import Membership

FRANK = {"email": "frank@acme.example", "name": "Frank", "role": "member"}


def member_path(world: World, name: str) -> str:
    return f"/api/members/{world.someone(name).person_id}"


def invite(world: World, **changes: str) -> str:
    """Invite somebody as dana; returns the path of the link."""
    link: str = ok(world.client("dana").post("/api/invitations", json=FRANK | changes), 201)["link"]
    return link.removeprefix(world.runtime.settings.base_url)


def accept(world: World, path: str, password: str = PASSWORD) -> int:
    browser = world.anonymous(Origin="http://testserver")
    status: int = browser.post(path, data={"password": password}).status_code
    return status


def state_of(world: World, email: str) -> str:
    items = ok(world.client("dana").get("/api/members"))["items"]
    state: str = next(item["state"] for item in items if item["email"] == email)
    return state


def test_only_admins_see_the_members_of_their_own_tenant(world: World) -> None:
    check_refused(world, "GET", "/api/members", anonymous=401, bob=403, alice=403)
    of_acme = ok(world.client("dana").get("/api/members"))["items"]
    assert {item["name"] for item in of_acme} == {"Alice", "Bob", "Dana", "Erin"}
    assert [item["name"] for item in ok(world.client("charlie").get("/api/members"))["items"]] == ["Charlie"]


def test_only_admins_change_members_of_their_own_tenant(world: World) -> None:
    path, change = member_path(world, "erin"), {"role": "admin"}
    check_refused(world, "PATCH", path, change, anonymous=401, bob=403, erin=403, charlie=404)
    assert {row.role for row in rows(world, Membership) if row.person_id == world.someone("erin").person_id} == {
        "member"
    }
    assert ok(world.client("dana").patch(path, json=change))["role"] == "admin"
    assert ok(world.client("erin").get("/api/me"))["role"] == "admin"


def test_an_admin_without_the_scope_admin_is_no_admin(world: World) -> None:
    narrow = client_with(world, new_key(world, "dana", "track", "read", "review", "export", "me")["api_key"])
    for method, path in (("GET", "/api/members"), ("GET", "/api/keys"), ("GET", "/api/settings")):
        assert refusal(narrow.request(method, path), 403, "missing_scope")["scope"] == "admin"


def test_a_wrong_change_of_a_member_names_the_field(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"role": "owner"}, "role"),
        ({"active": "no"}, "active"),
        ({"active": 0}, "active"),
        ({"name": "X"}, "body"),
    ]
    for change, field in cases:
        with subtests.test(change=change, field=field):
            assert wrong_field(world.client("dana").patch(member_path(world, "erin"), json=change)) == field


def test_an_unknown_member_is_not_found(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [UNKNOWN_ID, "nobody"]
    for person_id in cases:
        with subtests.test(person_id=person_id):
            refusal(world.client("dana").patch(f"/api/members/{person_id}", json={"active": False}), 404, "not_found")


def test_a_stale_change_of_a_member_shows_the_current_state(world: World) -> None:
    dana, path = world.client("dana"), member_path(world, "erin")
    ok(dana.patch(path, json={"role": "admin"}, headers={"If-Match": '"1"'}))
    stale = dana.patch(path, json={"role": "member"}, headers={"If-Match": '"1"'})
    assert refusal(stale, 409, "stale_revision") == {"current": {"role": "admin", "revision": 2}}
    assert wrong_field(dana.patch(path, json={"role": "member"}, headers={"If-Match": "yesterday"})) == "If-Match"


def test_deactivation_ends_keys_sessions_and_links_at_once(world: World) -> None:
    bob, browser, login = world.client("bob"), world.browser("bob"), link_for(world, "bob", "login")
    set_password(world, "bob")
    assert (bob.get("/api/me").status_code, browser.get("/api/me").status_code) == (200, 200)
    assert ok(world.client("dana").patch(member_path(world, "bob"), json={"active": False}))["state"] == "deactivated"
    assert (bob.get("/api/me").status_code, browser.get("/api/me").status_code) == (401, 401)
    assert world.track("bob").status_code == 401
    assert world.anonymous().get(f"/login/{login}").status_code == 404
    form = {"email": world.someone("bob").email, "password": PASSWORD}
    assert world.anonymous(Origin="http://testserver").post("/sign-in", data=form).status_code == 401


def test_reactivation_does_not_bring_old_keys_and_sessions_back(world: World) -> None:
    dana, path = world.client("dana"), member_path(world, "bob")
    ok(dana.patch(path, json={"active": False}))
    assert ok(dana.patch(path, json={"active": True}))["state"] == "active"
    assert world.client("bob").get("/api/me").status_code == 401
    assert world.browser("bob").get("/api/me").status_code == 401
    assert world.anonymous().get(f"/login/{link_for(world, 'bob', 'login')}").status_code == 303


def test_deactivating_twice_changes_nothing(world: World) -> None:
    dana, path = world.client("dana"), member_path(world, "bob")
    ok(dana.patch(path, json={"active": False}))
    world.time += timedelta(days=1)
    ok(dana.patch(path, json={"active": False}))
    row = next(row for row in rows(world, Membership) if row.person_id == world.someone("bob").person_id)
    assert row.deactivated_at == world.time - timedelta(days=1)


@pytest.mark.parametrize("change", [{"role": "member"}, {"active": False}, {"role": "member", "active": False}])
def test_the_last_active_admin_stays(world: World, change: dict[str, object]) -> None:
    invite(world, role="admin")  # has not accepted, so is no admin who could act
    refusal(world.client("dana").patch(member_path(world, "dana"), json=change), 403, "not_allowed")
    assert ok(world.client("dana").get("/api/me"))["role"] == "admin"
    ok(world.client("dana").patch(member_path(world, "erin"), json={"role": "admin"}))
    ok(world.client("dana").patch(member_path(world, "dana"), json=change))


def test_only_admins_invite(world: World) -> None:
    check_refused(world, "POST", "/api/invitations", FRANK, anonymous=401, bob=403, alice=403)
    assert len(rows(world, Membership)) == 4


def test_a_new_person_accepts_with_a_password_of_their_own(world: World) -> None:
    path = invite(world)
    assert state_of(world, "frank@acme.example") == "invited"
    assert accept(world, path, "short") == 422
    assert state_of(world, "frank@acme.example") == "invited"
    browser = world.anonymous(Origin="http://testserver")
    assert browser.post(path, data={"password": PASSWORD}).status_code == 303
    assert ok(browser.get("/api/me"))["email"] == "frank@acme.example"
    assert state_of(world, "frank@acme.example") == "active"
    form = {"email": " Frank@ACME.example", "password": PASSWORD}
    assert world.anonymous(Origin="http://testserver").post("/sign-in", data=form).status_code == 303


def test_an_invitation_works_once(world: World) -> None:
    path = invite(world)
    assert world.anonymous().get(path).status_code == 200
    assert accept(world, path) == 303
    assert accept(world, path, "another long password") == 404
    form = {"email": "frank@acme.example", "password": "another long password"}
    assert world.anonymous(Origin="http://testserver").post("/sign-in", data=form).status_code == 401


def test_an_invitation_lasts_seven_days(world: World) -> None:
    path = invite(world)
    world.time += timedelta(days=7)
    assert accept(world, path) == 404
    assert state_of(world, "frank@acme.example") == "invited"


def test_whoever_has_an_account_joins_with_its_password_only(world: World) -> None:
    set_password(world, "charlie")
    path = invite(world, email=world.someone("charlie").email, name="Someone Else", role="admin")
    assert accept(world, path, "the invited admin guesses") == 422
    assert state_of(world, world.someone("charlie").email) == "invited"
    assert accept(world, path) == 303
    assert state_of(world, world.someone("charlie").email) == "active"
    assert ok(world.client("charlie").get("/api/me"))["name"] == "Charlie"


def test_an_invitation_does_not_tell_whether_there_is_an_account(world: World) -> None:
    dana = world.client("dana")
    unknown = ok(dana.post("/api/invitations", json=FRANK), 201)
    known = ok(dana.post("/api/invitations", json=FRANK | {"email": world.someone("charlie").email}), 201)
    assert unknown.keys() == known.keys()
    shown = [item for item in ok(dana.get("/api/members"))["items"] if item["state"] == "invited"]
    assert [item["name"] for item in shown] == [None, None]


def test_inviting_again_makes_a_new_link_and_ends_the_old_one(world: World) -> None:
    old = invite(world)
    world.time += timedelta(days=8)
    new = invite(world)
    assert old != new
    assert accept(world, old) == 404
    assert accept(world, new) == 303


def test_inviting_a_member_is_a_conflict(world: World) -> None:
    response = world.client("dana").post("/api/invitations", json=FRANK | {"email": world.someone("bob").email})
    assert refusal(response, 409, "already_exists") == {"what": "member", "key": "email"}


def test_a_wrong_invitation_names_the_field(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"email": "no address"}, "email"),
        ({"email": "a@b\x00c"}, "email"),
        ({"email": "a" * 65 + "@b"}, "email"),
        ({"name": " "}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"role": "owner"}, "role"),
        ({"password": "x"}, "body"),
    ]
    for change, field in cases:
        with subtests.test(change=change, field=field):
            assert wrong_field(world.client("dana").post("/api/invitations", json=FRANK | change)) == field
            assert len(rows(world, Membership)) == 4
