import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import World
from helpers import (
    UNKNOWN_ID,
    check_refused,
    client_with,
    is_key,
    new_key,
    ok,
    refusal,
    rotate_server_key,
    rows,
    wrong_field,
)

from goldvein.identity.tables import ApiKey

KEY = {"name": "laptop", "scopes": ["track"]}


def status_of_key(world: World, api_key: str, path: str = "/api/me") -> int:
    status: int = client_with(world, api_key).get(path).status_code
    return status


def track_with(world: World, api_key: str) -> int:
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    status: int = client_with(world, api_key).post("/api/track", json=body).status_code
    return status


def test_a_key_is_shown_once_and_stored_only_as_a_keyed_hash(world: World) -> None:
    made = new_key(world, "bob", "track", "read")
    token = made["api_key"]
    assert is_key(token)
    assert ok(client_with(world, token).get("/api/me"))["person_id"] == world.someone("bob").person_id
    listed = ok(world.browser("bob").get("/api/me/keys"))["items"]
    assert made["id"] in {key["id"] for key in listed}
    assert not any({"api_key", "signing_secret", "secret_hash"} & key.keys() for key in listed)
    plain_hashes = [hashlib.new(name, token.encode()).digest() for name in ("sha256", "sha512", "md5")]
    for cell in world.every_cell():
        assert cell not in plain_hashes
        assert token not in str(cell)
        assert token[20:52] not in str(cell)


def test_only_who_holds_the_scope_me_sees_and_makes_keys(world: World) -> None:
    check_refused(world, "GET", "/api/me/keys", anonymous=401)
    check_refused(world, "POST", "/api/me/keys", KEY, anonymous=401)
    narrow = client_with(world, new_key(world, "bob", "track", "read", "review", "export")["api_key"])
    for response in (narrow.get("/api/me/keys"), narrow.post("/api/me/keys", json=KEY)):
        assert refusal(response, 403, "missing_scope") == {"rule": "scope", "scope": "me"}


def test_a_key_never_carries_more_than_its_person_may(world: World) -> None:
    for scopes in (["admin"], ["track", "admin"]):
        refusal(world.browser("bob").post("/api/me/keys", json=KEY | {"scopes": scopes}), 403, "not_allowed")
    assert new_key(world, "dana", "admin")["scopes"] == ["admin"]


def test_a_key_never_makes_one_that_carries_more_than_itself(world: World) -> None:
    narrow = client_with(world, new_key(world, "dana", "track", "me")["api_key"])
    assert ok(narrow.post("/api/me/keys", json=KEY), 201)["scopes"] == ["track"]
    for scope in ("read", "review", "export", "admin"):
        refusal(narrow.post("/api/me/keys", json=KEY | {"scopes": [scope]}), 403, "not_allowed")


def test_a_wrong_key_request_names_the_field(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": "track"}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"kind": "robot"}, "kind"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"person_id": UNKNOWN_ID}, "body"),
    ]
    for change, field in cases:
        with subtests.test(change=change, field=field):
            before = len(rows(world, ApiKey))
            assert wrong_field(world.browser("dana").post("/api/me/keys", json=KEY | change)) == field
            assert len(rows(world, ApiKey)) == before


def test_a_key_works_until_the_moment_it_expires(world: World) -> None:
    expires_at = world.time + timedelta(hours=1)
    token = new_key(world, "bob", "track", "read", expires_at=expires_at.isoformat())["api_key"]
    world.time = expires_at - timedelta(milliseconds=1)
    assert (status_of_key(world, token), track_with(world, token)) == (200, 200)
    world.time = expires_at
    assert (status_of_key(world, token), track_with(world, token)) == (401, 401)


def test_a_revoked_key_stops_at_once_and_for_good(world: World) -> None:
    made = new_key(world, "bob", "track", "read")
    assert (status_of_key(world, made["api_key"]), track_with(world, made["api_key"])) == (200, 200)
    first = ok(world.browser("bob").delete(f"/api/me/keys/{made['id']}"))
    assert (status_of_key(world, made["api_key"]), track_with(world, made["api_key"])) == (401, 401)
    world.time += timedelta(hours=1)
    assert ok(world.browser("bob").delete(f"/api/me/keys/{made['id']}")) == first


def test_nobody_else_can_revoke_or_rotate_my_key(world: World) -> None:
    made = new_key(world, "bob", "track", "read")
    path = f"/api/me/keys/{made['id']}"
    check_refused(world, "DELETE", path, anonymous=401, charlie=404, erin=404, alice=404)
    check_refused(world, "POST", f"{path}/rotate", anonymous=401, charlie=404, erin=404, dana=404)
    assert status_of_key(world, made["api_key"]) == 200


def test_a_key_that_does_not_exist_is_not_found(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [UNKNOWN_ID, "no-id", "%00", "0" * 300]
    for key_id in cases:
        with subtests.test(key_id=key_id):
            for method, path in (
                ("DELETE", f"/api/me/keys/{key_id}"),
                ("POST", f"/api/me/keys/{key_id}/rotate"),
                ("DELETE", f"/api/keys/{key_id}"),
            ):
                refusal(world.client("dana").request(method, path), 404, "not_found")


def test_admins_see_and_revoke_the_keys_of_members_and_nothing_more(world: World) -> None:
    made = new_key(world, "bob", "track", "read")
    check_refused(world, "GET", "/api/keys", anonymous=401, bob=403)
    check_refused(world, "DELETE", f"/api/keys/{made['id']}", anonymous=401, bob=403, charlie=404)
    check_refused(world, "POST", "/api/keys", KEY, dana=405)
    listed = ok(world.client("dana").get("/api/keys"))["items"]
    assert {made["id"], world.someone("alice").key_id} <= {key["id"] for key in listed}
    assert world.someone("charlie").key_id not in {key["id"] for key in listed}
    assert made["api_key"] not in str(listed)
    ok(world.client("dana").delete(f"/api/keys/{made['id']}"))
    assert status_of_key(world, made["api_key"]) == 401


def test_a_rotated_key_overlaps_with_its_successor_for_24_hours(world: World) -> None:
    old = new_key(world, "bob", "track", "read")
    new = ok(world.browser("bob").post(f"/api/me/keys/{old['id']}/rotate"), 201)
    assert (new["name"], new["scopes"]) == (old["name"], old["scopes"])
    assert new["api_key"] != old["api_key"]
    world.time += timedelta(hours=23, minutes=59)
    assert (status_of_key(world, old["api_key"]), status_of_key(world, new["api_key"])) == (200, 200)
    world.time += timedelta(minutes=1)
    assert (status_of_key(world, old["api_key"]), status_of_key(world, new["api_key"])) == (401, 200)
    assert track_with(world, old["api_key"]) == 401


def test_rotating_never_makes_an_old_key_live_longer(world: World) -> None:
    soon = world.time + timedelta(minutes=5)
    old = new_key(world, "bob", "track", "read", expires_at=soon.isoformat())
    ok(world.browser("bob").post(f"/api/me/keys/{old['id']}/rotate"), 201)
    world.time = soon
    assert status_of_key(world, old["api_key"]) == 401
    refusal(world.browser("bob").post(f"/api/me/keys/{old['id']}/rotate"), 404, "not_found")


def test_a_key_is_rotated_once(world: World) -> None:
    old = new_key(world, "bob", "track", "read")
    ok(world.browser("bob").post(f"/api/me/keys/{old['id']}/rotate"), 201)
    world.time += timedelta(hours=12)
    refusal(world.browser("bob").post(f"/api/me/keys/{old['id']}/rotate"), 409, "already_exists")
    world.time += timedelta(hours=12)
    assert status_of_key(world, old["api_key"]) == 401


def test_a_key_that_ends_is_renewed_for_its_lifetime_by_rotation(world: World) -> None:
    end = world.time + timedelta(days=30)
    old = ok(world.browser("bob").post("/api/me/keys", json=KEY | {"expires_at": end.isoformat()}), 201)
    world.time += timedelta(days=20)
    new = ok(world.browser("bob").post(f"/api/me/keys/{old['id']}/rotate"), 201)
    assert datetime.fromisoformat(new["expires_at"]) == world.time + timedelta(days=30)


def test_a_key_made_with_a_key_ends_with_it_at_the_latest(world: World) -> None:
    end = world.time + timedelta(minutes=1)
    maker = KEY | {"scopes": ["me", "track"], "expires_at": end.isoformat()}
    short = ok(world.browser("bob").post("/api/me/keys", json=maker), 201)
    for asked in (None, (end + timedelta(days=9)).isoformat()):
        made = ok(client_with(world, short["api_key"]).post("/api/me/keys", json=KEY | {"expires_at": asked}), 201)
        assert datetime.fromisoformat(made["expires_at"]) == end


def test_a_service_key_is_made_by_admins_and_only_reports_uses(world: World) -> None:
    service = KEY | {"kind": "service"}
    refusal(world.browser("bob").post("/api/me/keys", json=service), 403, "missing_scope")
    for scopes in (["read"], ["track", "read"], ["me"], ["admin"]):
        response = world.browser("dana").post("/api/me/keys", json=service | {"scopes": scopes})
        assert wrong_field(response) == "scopes"
    made = ok(world.browser("dana").post("/api/me/keys", json=service), 201)
    assert made["person_id"] is None
    assert track_with(world, made["api_key"]) == 200
    for path in ("/api/me", "/api/skills", "/api/settings", "/api/me/consent"):
        assert status_of_key(world, made["api_key"], path) == 401


def test_a_key_without_track_reports_nothing(world: World) -> None:
    token = new_key(world, "bob", "read")["api_key"]
    assert track_with(world, token) == 403


def test_a_key_of_a_former_admin_is_no_admin_key_any_more(world: World) -> None:
    erin = world.someone("erin").person_id
    ok(world.client("dana").patch(f"/api/members/{erin}", json={"role": "admin"}))
    token = new_key(world, "erin", "admin", "read")["api_key"]
    assert status_of_key(world, token, "/api/settings") == 200
    ok(world.client("dana").patch(f"/api/members/{erin}", json={"role": "member"}))
    assert status_of_key(world, token, "/api/settings") == 403
    assert status_of_key(world, token, "/api/skills") == 200


def test_old_keys_and_sessions_work_after_the_server_key_was_rotated(world: World) -> None:
    old = world.someone("bob").api_key
    rotate_server_key(world)
    assert (status_of_key(world, old), track_with(world, old)) == (200, 200)
    assert world.browser("bob").get("/api/me").status_code == 200
    new = new_key(world, "bob", "track", "read")["api_key"]
    assert status_of_key(world, new) == 200
    world.runtime.server_key = type(world.runtime.server_key)(secrets=world.runtime.server_key.secrets[:1])
    assert (status_of_key(world, old), status_of_key(world, new)) == (401, 200)
    assert world.browser("bob").get("/api/me").status_code == 401
