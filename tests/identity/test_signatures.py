import base64
import json
from datetime import timedelta
from typing import Any

from conftest import World
from helpers import client_with, new_key, ok, refusal, rotate_server_key, rows

from goldvein.capture.tables import UsageEvent
from goldvein.identity.keys import signature

RAW = '{ "skill_id":"release-notes",  "tool_name":"Bash","ts":"2026-03-01T12:00:00Z","latency_ms":9007199254740992, "note":"é 1.0" }'.encode()


def send(world: World, key: dict[str, Any], body: bytes = RAW, **changed: str) -> Any:
    """Send a signed call; `changed` replaces headers after signing."""
    message_id, timestamp = changed.pop("message_id", "msg_1"), str(int(world.time.timestamp()))
    secret = base64.b64decode(key["signing_secret"].removeprefix("whsec_"))
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return client_with(world, key["api_key"]).post("/api/track", content=body, headers=headers)


def signing_key(world: World, name: str = "bob") -> dict[str, Any]:
    return new_key(world, name, "track", requires_signature=True)


def test_the_signing_secret_is_another_one_than_the_key(world: World) -> None:
    key = signing_key(world)
    raw = base64.b64decode(key["signing_secret"].removeprefix("whsec_"))
    assert len(raw) == 32
    assert raw != key["api_key"].encode()[:32]
    assert all(key["signing_secret"] not in str(cell) and raw != cell for cell in world.every_cell())
    assert new_key(world, "bob")["signing_secret"] is None


def test_a_signature_over_the_raw_bytes_is_accepted_as_they_are(world: World) -> None:
    assert ok(send(world, signing_key(world)))["outcome"] == "stored"


def test_a_key_that_asks_for_signatures_refuses_calls_without(world: World) -> None:
    response = client_with(world, signing_key(world)["api_key"]).post("/api/track", content=RAW)
    refusal(response, 403, "bad_signature")
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="bad_signature") == 1
    assert rows(world, UsageEvent) == []


def test_the_hook_door_asks_for_the_signature_too(world: World) -> None:
    client = client_with(world, signing_key(world)["api_key"])
    assert client.post("/api/hooks/claude-code", content=b"{}").json() == {}
    assert world.metric("goldvein_events_total", door="hook", outcome="rejected", reason="bad_signature") == 1


def test_a_changed_body_or_header_is_refused(world: World) -> None:
    key = signing_key(world)
    secret = base64.b64decode(key["signing_secret"].removeprefix("whsec_"))
    honest = signature(secret, "msg_1", str(int(world.time.timestamp())), RAW)
    respaced = json.dumps(json.loads(RAW)).encode()
    for changed in (
        {"webhook_signature": signature(secret, "msg_1", str(int(world.time.timestamp())), respaced)},
        {"webhook_signature": honest + "00"},
        {"webhook_signature": honest[:-2]},
        {"webhook_signature": signature(key["api_key"].encode(), "msg_1", str(int(world.time.timestamp())), RAW)},
        {"webhook_id": "msg_2"},
        {"webhook_timestamp": str(int(world.time.timestamp()) + 1)},
        {"webhook_timestamp": "now"},
    ):
        refusal(send(world, key, **changed), 403, "bad_signature")
    assert rows(world, UsageEvent) == []


def test_a_call_that_is_five_minutes_off_is_refused(world: World) -> None:
    key, sent_at = signing_key(world), world.time
    for seconds, status in ((301, 403), (-301, 403), (300, 200), (-300, 200)):
        secret = base64.b64decode(key["signing_secret"].removeprefix("whsec_"))
        timestamp, message_id = str(int((sent_at + timedelta(seconds=seconds)).timestamp())), f"msg_{seconds}"
        signed = signature(secret, message_id, timestamp, RAW)
        headers = {"webhook_id": message_id, "webhook_timestamp": timestamp, "webhook_signature": signed}
        assert send(world, key, **headers).status_code == status, seconds


def test_a_replayed_call_is_a_duplicate(world: World) -> None:
    key = signing_key(world)
    first, again = ok(send(world, key)), ok(send(world, key))
    assert (first["outcome"], again["outcome"]) == ("stored", "duplicate")
    assert first["event_id"] == again["event_id"]
    assert len(rows(world, UsageEvent)) == 1


def test_the_same_message_id_for_another_body_is_a_conflict(world: World) -> None:
    key = signing_key(world)
    ok(send(world, key))
    refusal(send(world, key, RAW.replace(b"Bash", b"Read")), 409, "event_conflict")
    assert ok(send(world, key, RAW.replace(b"Bash", b"Read"), message_id="msg_2"))["outcome"] == "stored"


def test_message_ids_of_two_people_do_not_meet(world: World) -> None:
    outcomes = [ok(send(world, signing_key(world, name)))["outcome"] for name in ("bob", "erin")]
    assert outcomes == ["stored", "stored"]


def test_signing_secrets_outlive_a_rotation_of_the_server_key(world: World) -> None:
    old = signing_key(world)
    rotate_server_key(world)
    assert ok(send(world, old))["outcome"] == "stored"
    assert ok(send(world, old))["outcome"] == "duplicate"
    assert ok(send(world, signing_key(world, "erin")))["outcome"] == "stored"
