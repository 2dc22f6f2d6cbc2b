"""A key is remembered for a second; that must not open a door after its end."""

import time
from collections.abc import Callable

import pytest
from conftest import World
from helpers import client_with, new_key, ok, refusal

from goldvein.identity import service as identity


def end_by_revoking(world: World, key_id: str) -> None:
    ok(world.browser("bob").delete(f"/api/me/keys/{key_id}"))


def end_by_deactivating(world: World, key_id: str) -> None:
    path = f"/api/members/{world.someone('bob').person_id}"
    ok(world.client("dana").patch(path, json={"active": False}))


@pytest.mark.parametrize("end", [end_by_revoking, end_by_deactivating])
def test_a_key_that_is_remembered_is_forgotten_in_the_moment_it_ends(
    world: World, end: Callable[[World, str], None]
) -> None:
    made = new_key(world, "bob", "track")
    client = client_with(world, made["api_key"])
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    assert client.post("/api/track", json=body).status_code == 200
    end(world, made["id"])
    refusal(client.post("/api/track", json=body), 401, "not_authenticated")


def test_a_key_that_another_process_ended_is_refused_within_a_second(world: World) -> None:
    made = new_key(world, "bob", "track")
    client = client_with(world, made["api_key"])
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    assert client.post("/api/track", json=body).status_code == 200
    world.database._watchers.clear()  # as if the change came from elsewhere
    with world.database.write(world.someone("bob").tenant_id) as session:
        identity.revoke_key(session, world.actor("bob"), made["id"], world.time)
    time.sleep(1.05)
    refusal(client.post("/api/track", json=body), 401, "not_authenticated")
