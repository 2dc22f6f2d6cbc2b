"""Whatever is sent: a 4xx with the field and its limit in the one JSON shape, nothing stored, never a 5xx."""

import json
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldvein.capture import hot_path
from goldvein.db.ids import new_id
from goldvein.identity.access import Limiter

TRACK, HOOK = "/api/track", "/api/hooks/claude-code"
DEEP = b"[" * 100_000 + b"]" * 100_000
DEEP_OBJECTS = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
MANY_DIGITS = b"9" * 5_000
USE = {"skill_id": "release-notes", "tool_name": "Bash", "ts": "2026-03-01T12:00:00Z"}
UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
ODD_IDS = ["%00", "x" * 5_000, "%F0%9F%92%8E", "%ED%A0%80", "%FF", "..%2F..", "a%0Ab", "0", "null", "%25s", "%7Bx%7D"]


@pytest.fixture(autouse=True)
def unlimited(world: World) -> None:
    """Wrong keys are tried by the hundred here; the limit has its own tests."""
    world.runtime.limiter = Limiter(replace(world.runtime.settings, failed_authentication_limit_per_minute=100_000))


def refused(response: Any, status: int | None = None, field: str | None = None) -> dict[str, Any]:
    """Check that this is a refusal in the one shape, and give its details."""
    assert 400 <= response.status_code < 500, (response.request.url.path[:200], response.text[:500])
    content = response.json()
    assert set(content) == {"error"}
    assert set(content["error"]) == {"code", "message", "details"}
    assert content["error"]["message"].endswith(".")
    if status is not None:
        assert response.status_code == status, response.text[:500]
    details: dict[str, Any] = content["error"]["details"]
    if response.status_code == 422 and content["error"]["code"] == "invalid_field":
        assert details["field"]
        assert not details["field"].isdigit()  # a place in the text is no field
        assert details["reason"]
        assert response.text.count(details["reason"]) >= 2  # in the message too
    if field is not None:
        assert details.get("field") == field, response.text[:500]
    return details


def flaw(response: Any, status: int, field: str | None) -> str | None:
    """What is wrong with a refusal; None when it is as it should be. Lets one test show every flaw at once."""
    try:
        refused(response, status, field)
    except AssertionError as error:
        return f"{response.status_code} {response.text[:200]} {error.args[0] if response.is_success else ''}"
    return None


@pytest.fixture
def nothing_stored(world: World) -> Iterator[None]:
    before = world.every_cell()
    yield
    assert world.every_cell() == before


def with_field(name: str, raw: bytes) -> bytes:
    """A body of /api/track in which one field has this raw JSON."""
    fields = {key: json.dumps(value).encode() for key, value in USE.items()}
    fields[name] = raw
    return b"{" + b",".join(b'"' + key.encode() + b'":' + value for key, value in fields.items()) + b"}"


# POST /api/track

WRONG_FIELDS: list[tuple[str, bytes]] = [
    *((name, raw) for name in ("skill_id", "tool_name", "ts") for raw in (b"null", b'""', b"1", b"[]", b"{}", b"true")),
    *((name, b'"a\\u0000b"') for name in ("skill_id", "tool_name", "event_id", "hook_event", "session_id")),
    *((name, b'"two words"') for name in ("skill_id", "tool_name", "event_id", "hook_event", "session_id")),
    *((name, b'"line\\n"') for name in ("skill_id", "tool_name", "event_id", "session_id", "model_name")),
    *((name, b'"' + b"x" * 201 + b'"') for name in ("skill_id", "tool_name", "event_id", "hook_event", "session_id")),
    ("model_name", b'"' + b"x" * 101 + b'"'),
    ("user_id", b'"' + b"x" * 201 + b'"'),
    ("skill_digest", b'"sha256:12"'),
    *((name, b'"' + b"x" * 65_537 + b'"') for name in ("tool_input_snippet", "tool_output_snippet")),
    ("tool_input_snippet", b'"' + "é".encode() * 32_769 + b'"'),
    *((name, b"1") for name in ("tool_input_snippet", "tool_output_snippet", "event_id", "session_id", "model_name")),
    *((name, b'"\\ud800"') for name in ("tool_input_snippet", "tool_output_snippet", "tool_name", "session_id")),
    *((name, b'"\xff"') for name in ("tool_input_snippet", "tool_output_snippet", "tool_name", "session_id")),
    *(
        (name, raw)
        for name in ("input_tokens", "output_tokens", "latency_ms")
        for raw in (b"-1", b"1.5", b'"1"', b"true", b"9007199254740993", b"1e300", b"[1]")
    ),
    *(
        ("ts", json.dumps(ts).encode())
        for ts in (
            "1",
            "yesterday",
            "Feb 30 2026",
            "2026-02-30T12:00:00Z",
            "2026-03-01",
            "2026-03-01T12:00:00",
            "2026-03-01T24:01:00Z",
            "2026-03-01T12:00:61Z",
            "2026-03-01T12:00:00+99:00",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-23:59",
            "2025-01-25T11:59:59Z",  # 400 days and a second ago
            "2026-03-02T12:00:01Z",  # a day and a second ahead
            "٢٠٢٦-03-01T12:00:00Z",
        )
    ),
]


@pytest.mark.usefixtures("nothing_stored")
def test_a_wrong_field_is_named_with_its_limit_and_nothing_is_stored(world: World) -> None:
    client = world.client("bob")
    flaws = {
        (name, raw[:60]): found
        for name, raw in WRONG_FIELDS
        if (found := flaw(client.post(TRACK, content=with_field(name, raw)), 422, name))
    }
    assert flaws == {}
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="invalid") == len(
        WRONG_FIELDS
    )


WRONG_BODIES = {
    "empty": b"",
    "not json": b"skill_id=release-notes",
    "cut": b'{"skill_id": "release-notes"',
    "two": b"{}{}",
    "a list": b"[]",
    "a text": b'"a"',
    "null": b"null",
    "NaN": with_field("latency_ms", b"NaN"),
    "Infinity": with_field("input_tokens", b"-Infinity"),
    "deep": DEEP,
    "deep objects": DEEP_OBJECTS[:250_000],
    "deep inside": with_field("ignored", DEEP),
    "many digits": with_field("latency_ms", MANY_DIGITS),
    "many digits ignored": with_field("latency_ms", b"1" + MANY_DIGITS + b".5"),
    "utf-16": json.dumps(USE).encode("utf-16"),
    "invalid utf-8 in what is ignored": with_field("ignored", b'"\xff"'),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a NUL": b'{"skill_id": "a\x00b"}',
}


@pytest.mark.usefixtures("nothing_stored")
def test_a_wrong_body_is_refused_whole(world: World) -> None:
    client = world.client("bob")
    for name, body in WRONG_BODIES.items():
        answer = client.post(TRACK, content=body)
        assert refused(answer, 422)["field"] in {"body", "latency_ms", "input_tokens", "skill_id"}, name


def test_nul_in_a_snippet_becomes_visible_and_is_counted(world: World) -> None:
    texts = {"tool_input_snippet": "a\x00b\x00", "tool_output_snippet": "\x00"}
    assert world.track("bob", **texts).json()["capture"]["outcome"] == "captured"
    shown = world.client("bob").get("/api/me/data").json()["captured_examples"][0]
    assert (shown["example_input"], shown["example_output"]) == ("a␀b␀", "␀")
    assert world.metric("goldvein_replaced_nuls_total") == 3


def test_values_at_their_limits_are_stored_on_both_databases(world: World) -> None:
    answer = world.track(
        "bob",
        tool_name="x" * 200,
        hook_event="y" * 200,
        session_id="s" * 200,
        event_id="e" * 200,
        model_name="m" * 100,
        user_id="u" * 200,
        skill_digest="sha256:" + "0" * 64,
        input_tokens=2**53,
        output_tokens=2**53,
        latency_ms=2**53,
        tool_input_snippet="x" * 65_536,
        tool_output_snippet="é" * 32_768,
        ts=(world.time + timedelta(hours=24)).isoformat(),
    )
    assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")
    oldest = (world.time - timedelta(days=400)).isoformat()
    assert world.track("bob", ts=oldest).json()["outcome"] == "stored"


def test_a_hook_at_the_limits_of_its_fields_is_stored_on_both_databases(world: World) -> None:
    event = {
        "hook_event_name": "PostToolUse",
        "session_id": "s" * 200,
        "prompt_id": "p" * 200,
        "tool_name": "Skill",
        "tool_use_id": "t" * 200,
        "tool_input": {"skill": "release-notes"},
        "duration_ms": 2**53,
    }
    assert world.client("bob").post(HOOK, json=event).json() == {}
    assert world.metric("goldvein_events_total", door="hook", outcome="stored", reason="") == 1


@pytest.mark.usefixtures("nothing_stored")
def test_a_body_over_the_limit_is_refused_while_it_is_read(world: World) -> None:
    client, sent = world.client("bob"), []

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            sent.append(64 * 1024)
            yield b"x" * 64 * 1024

    announced = client.post(TRACK, content=b"x" * (hot_path.MAX_BODY_BYTES + 1))
    chunked = client.post(TRACK, content=chunks())
    lied = client.post(TRACK, content=b"x" * 300_000, headers={"Content-Length": "10"})
    nonsense = client.post(TRACK, content=b"x" * 300_000, headers={"Content-Length": "9" * 5_000})
    for answer in (announced, chunked, lied, nonsense):
        assert refused(answer, 413) == {"what": "body", "limit_bytes": hot_path.MAX_BODY_BYTES}
    other = world.client("alice").post("/api/skills", content=b"x" * (1024 * 1024 + 1))
    assert refused(other, 413)["limit_bytes"] == 1024 * 1024


def test_a_body_at_the_limit_is_read(world: World) -> None:
    body = json.dumps(USE).encode()
    padded = body[:-1] + b" " * (hot_path.MAX_BODY_BYTES - len(body)) + b"}"
    assert world.client("bob").post(TRACK, content=padded).status_code == 200


@pytest.mark.usefixtures("nothing_stored")
def test_an_unknown_skill_and_that_of_another_tenant_are_the_same(world: World) -> None:
    client = world.client("bob")
    answers = [
        client.post(TRACK, json={**USE, "skill_id": skill})
        for skill in ("no-such-skill", new_id(), "globex-notes", world.skill_id("globex-notes"))
    ]
    assert [refused(answer, 404) for answer in answers] == [{"what": "skill"}] * 4


def _keys(world: World) -> dict[str, tuple[str, int, str]]:
    alice, bob = world.client("alice"), world.client("bob")
    later = (world.time + timedelta(hours=1)).isoformat()
    made = {
        "expired": bob.post("/api/me/keys", json={"name": "k", "scopes": ["track", "me"], "expires_at": later}),
        "revoked": bob.post("/api/me/keys", json={"name": "k", "scopes": ["track", "me"]}),
        "narrow": alice.post("/api/me/keys", json={"name": "k", "scopes": ["read"]}),
    }
    keys = {name: answer.json()["api_key"] for name, answer in made.items()}
    bob.delete(f"/api/me/keys/{made['revoked'].json()['id']}")
    world.time += timedelta(hours=1)
    alices = world.someone("alice").api_key
    swapped = "1" if alices[30] == "0" else "0"
    return {
        "none": ("", 401, "not_authenticated"),
        "not a key": ("Bearer nonsense", 401, "not_authenticated"),
        "another scheme": (f"Basic {alices}", 401, "not_authenticated"),
        "not ascii": ("Bearer é", 401, "not_authenticated"),
        "very long": ("Bearer " + "x" * 20_000, 401, "not_authenticated"),
        "one letter off": (f"Bearer {alices[:30]}{swapped}{alices[31:]}", 401, "not_authenticated"),
        "expired": (f"Bearer {keys['expired']}", 401, "not_authenticated"),
        "revoked": (f"Bearer {keys['revoked']}", 401, "not_authenticated"),
        "narrow": (f"Bearer {keys['narrow']}", 403, "missing_scope"),
    }


def test_keys_that_do_not_hold_open_nothing(world: World) -> None:
    keys = _keys(world)
    before = world.every_cell()
    for name, (header, status, code) in keys.items():
        client = world.anonymous(**({"Authorization": header} if header.isascii() else {}))
        headers = {} if header.isascii() else {"Authorization": header.encode()}
        answer = client.post(TRACK, json={**USE, "ts": world.time.isoformat()}, headers=headers)
        refused(answer, status)
        assert answer.json()["error"]["code"] == code, name
        if status == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert client.get("/api/me", headers=headers).status_code == 401
            hook = client.post(HOOK, json={"hook_event_name": "Stop"}, headers=headers)
            assert hook.status_code == 401
    assert world.every_cell() == before


@pytest.mark.usefixtures("nothing_stored")
def test_a_hook_is_answered_with_an_empty_object_whatever_is_sent(world: World) -> None:
    client = world.client("bob")
    bodies = [*WRONG_BODIES.values(), b"x" * 300_000, b'{"hook_event_name": "PostToolUse"}', b'{"hook_event_name": 1}']
    bodies += [json.dumps({"hook_event_name": "PostToolUse", "tool_name": "a b"}).encode()]
    for skill in ({}, {"X-Goldvein-Skill": "no-such-skill"}, {"X-Goldvein-Skill": "not valid"}):
        for body in bodies:
            answer = client.post(HOOK, content=body, headers=skill)
            assert (answer.status_code, answer.content) == (200, b"{}")
    assert world.metric_sum("goldvein_events_total", door="hook", outcome="rejected") == 3 * len(bodies)
    assert world.metric("goldvein_events_total", door="hook", outcome="rejected", reason="internal_error") == 0


# Every JSON route

UNREADABLE = {
    *("not json", "cut", "two", "deep", "deep objects", "deep inside", "many digits", "a NUL"),
    *("invalid utf-8 in what is ignored", "deep in a field", "many digits in a field", "bad text"),
    *("a list", "a text", "null", "empty", "an unknown field", "half a pair as name", "a NUL as name"),
}
NOTICE = {"language": "en", "text": "We ask.", "purposes": ["training"], "wider": False}
RULE = {"type": "staff_number", "pattern": "EMP-[0-9][0-9]", "example": "EMP-12"}
TERMS = {"licence": "l", "recipients": "r", "allowed_purposes": ["training"]}
DATASET = {"slug": "new", "name": "New", "purpose": "training", "skills": ["release-notes"]}
GOLDEN = {"example_input": "a", "example_output": "b"}
ASSERTION = {"kind": "contains", "value": "a"}
RESULTS = {
    "skill_version": "1",
    "dataset": "notes",
    "dataset_version": "1",
    "model": "m",
    "tool": "inspect",
    "file_digest": "sha256:" + "0" * 64,
    "rows_in_file": 1,
    "rows": [{"row": new_id(), "score": 1.0, "passed": True}],
}
JSON_ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "PATCH /api/members/{person_id}": ("dana", {"role": "member"}),
    "POST /api/invitations": ("dana", {"email": "new@acme.example", "name": "New"}),
    "POST /api/skills": ("alice", {"slug": "new", "name": "New"}),
    "PATCH /api/skills/{skill_id}": ("alice", {"name": "Other"}),
    "POST /api/skills/{skill_id}/co-authors": ("alice", {"person_id": "{person_id}"}),
    "POST /api/skills/{skill_id}/transfer": ("alice", {"person_id": "{person_id}"}),
    "POST /api/skills/{skill_id}/successor": ("dana", {"person_id": "{person_id}"}),
    "PATCH /api/settings": ("dana", {"name": "Other"}),
    "POST /api/settings/sanitizer-rules": ("dana", RULE),
    "POST /api/notices": ("dana", NOTICE),
    "POST /api/feedback": ("bob", {"skill_id": "release-notes", "feedback_type": "thumbs_up"}),
    "PATCH /api/feedback/{feedback_id}": ("alice", {"reply": "Thanks"}),
    "POST /api/skills/{skill_id}/training-examples": ("alice", {"example_input": "a", "example_output": "b"}),
    "POST /api/skills/{skill_id}/training-examples/import": ("alice", {"items": [GOLDEN]}),
    "PUT /api/skills/{skill_id}/assertions": ("alice", {"assertions": [ASSERTION]}),
    "PUT /api/training-examples/{example_id}/assertions": ("alice", {"assertions": [ASSERTION]}),
    "POST /api/skills/{skill_id}/results": ("alice", RESULTS),
    "PATCH /api/training-examples/{example_id}": ("alice", {"expected_output": "c"}),
    "POST /api/training-examples/{example_id}/review": ("alice", {"decision": "quarantine"}),
    "PATCH /api/me/preferences": ("bob", {"display": "name"}),
    "POST /api/me/consent": ("bob", {"decision": "give"}),
    "POST /api/me/keys": ("bob", {"name": "k", "scopes": ["track"]}),
    "POST /api/datasets": ("alice", DATASET),
    "PATCH /api/datasets/{dataset_id}": ("alice", {"name": "Other"}),
    "POST /api/datasets/{dataset_id}/versions": ("alice", {"dry_run": True}),
    "POST /api/datasets/{dataset_id}/readers": ("alice", {"person_id": "{person_id}"}),
    "POST /api/skills/{skill_id}/dataset-grants": ("alice", {"person_id": "{person_id}"}),
    "POST /api/datasets/{dataset_id}/tags": ("alice", {"tag": "prod", "version": "1"}),
    "POST /api/me/webhooks": ("bob", {"url": "https://127.0.0.1/hook"}),
}


@pytest.fixture
def places(world: World) -> dict[str, str]:
    """Something of each kind that a path can name."""
    wish = {"skill_id": world.skill_id(), "feedback_type": "bug_report", "comment": "It does not stop"}
    wish |= {"category": "error", "severity": "critical"}
    return {
        "skill_id": world.skill_id(),
        "example_id": world.capture(),
        "feedback_id": world.client("bob").post("/api/feedback", json=wish).json()["id"],
        "person_id": world.someone("erin").person_id,
        "key_id": world.someone("bob").key_id,
        "rule_id": new_id(),
        "session_id": new_id(),
        "dataset_id": _frozen_dataset(world),
        "version": "1",
        "tag": "prod",
        "webhook_id": new_id(),
        "delivery_id": new_id(),
    }


def _frozen_dataset(world: World) -> str:
    alice = world.client("alice")
    body = {**DATASET, "slug": "notes", "terms": TERMS}
    dataset_id: str = alice.post("/api/datasets", json=body).json()["id"]
    golden = {"example_input": "a", "example_output": "b"}
    alice.post("/api/skills/release-notes/training-examples", json=golden)
    assert alice.post("/api/datasets/notes/versions", json={}).status_code == 201
    return dataset_id


def described_routes(world: World) -> dict[str, Any]:
    document = world.anonymous().get("/openapi.json").json()
    return {
        f"{method.upper()} {path}": {**operation, "document": document}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_with_a_body_is_tried_here(world: World) -> None:
    with_body = {name for name, operation in described_routes(world).items() if "requestBody" in operation}
    assert with_body == {*JSON_ROUTES, f"POST {TRACK}", f"POST {TRACK}/batch", f"POST {HOOK}"}


def _filled(body: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    return {name: value.format(**places) if isinstance(value, str) else value for name, value in body.items()}


def test_every_json_route_refuses_what_is_no_request(world: World, places: dict[str, str]) -> None:
    before, flaws = world.every_cell(), {}
    for route, (name, body) in JSON_ROUTES.items():
        method, path = route.split(" ")
        client, valid = world.client(name), _filled(body, places)
        first = next(iter(valid))
        url = path.format(**places)
        broken = {
            **{kind: content for kind, content in WRONG_BODIES.items() if kind != "a byte order mark"},
            "deep in a field": json.dumps({**valid, first: 0}).encode().replace(b" 0", DEEP),
            "many digits in a field": json.dumps({**valid, first: 0}).encode().replace(b" 0", MANY_DIGITS),
            "NaN in a field": json.dumps({**valid, first: 0}).encode().replace(b" 0", b"NaN"),
            "half a pair": json.dumps({**valid, first: "\ud800"}).encode(),
            "half a pair as name": json.dumps({**valid, "\ud800": 1}).encode(),
            "a NUL as name": json.dumps({**valid, "\x00": 1}).encode(),
            "a template as name": json.dumps({**valid, "{field}": 1}).encode(),
            "bad text": json.dumps({**valid, first: "@"}).encode().replace(b"@", b"\xff"),
            "another type": json.dumps({**valid, first: 7.5}).encode(),
            "an unknown field": json.dumps({**valid, "surprise": 1}).encode(),
            "a list for a text": json.dumps({**valid, first: ["a"]}).encode(),
        }
        for kind, content in broken.items():
            answer = client.request(method, url, content=content, headers={"Content-Type": "application/json"})
            if found := flaw(answer, 422, "body" if kind in UNREADABLE else None):
                flaws[route, kind] = found
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"):
            answer = client.request(
                method, url, content=json.dumps(valid).encode(), headers={"Content-Type": content_type}
            )
            if found := flaw(answer, 422, None):
                flaws[route, content_type] = found
    assert flaws == {}
    assert world.every_cell() == before


WRONG_VALUES: list[tuple[str, dict[str, Any], str]] = [
    ("POST /api/skills", {"slug": "No Spaces", "name": "x"}, "slug"),
    ("POST /api/skills", {"slug": "x" * 101, "name": "x"}, "slug"),
    ("POST /api/skills", {"slug": "x", "name": " "}, "name"),
    ("POST /api/skills", {"slug": "x", "name": "a\x00b"}, "name"),
    ("POST /api/skills", {"slug": "x", "name": "x" * 201}, "name"),
    ("POST /api/skills", {"slug": "x", "name": "x", "description": "a\x00b"}, "description"),
    ("POST /api/skills", {"slug": "x", "name": "x", "description": "x" * 2_001}, "description"),
    ("POST /api/skills", {"slug": "x", "name": "x", "body": "a\x00b"}, "body"),
    ("POST /api/skills", {"slug": "x", "name": "x", "body": "x" * 100_001}, "body"),
    (
        "POST /api/skills/{skill_id}/training-examples",
        {"example_input": " ", "example_output": "b"},
        "example_input",
    ),
    (
        "POST /api/skills/{skill_id}/training-examples",
        {"example_input": "a", "example_output": "x" * 5_001},
        "example_output",
    ),
    *(
        (
            "POST /api/skills/{skill_id}/training-examples",
            {"example_input": "a", "example_output": "b", "quality_score": score},
            "quality_score",
        )
        for score in (0, 11, -1, 2**63, 5.5, "5", True)
    ),
    ("PATCH /api/training-examples/{example_id}", {"example_input": None}, "example_input"),
    ("PATCH /api/training-examples/{example_id}", {"example_input": "x" * 65_537}, "example_input"),
    ("PATCH /api/training-examples/{example_id}", {"review_notes": "x" * 2_001}, "review_notes"),
    ("PATCH /api/training-examples/{example_id}", {"quality_score": 99}, "quality_score"),
    ("POST /api/training-examples/{example_id}/review", {"decision": "promote"}, "decision"),
    (
        "POST /api/training-examples/{example_id}/review",
        {"decision": "approve", "output_verdict": "fine"},
        "output_verdict",
    ),
    ("POST /api/feedback", {"skill_id": "release-notes", "feedback_type": "star"}, "feedback_type"),
    (
        "POST /api/feedback",
        {"skill_id": "release-notes", "feedback_type": "thumbs_up", "comment": "x" * 2_001},
        "comment",
    ),
    (
        "POST /api/feedback",
        {"skill_id": "release-notes", "feedback_type": "thumbs_up", "usage_event_id": "a\x00b"},
        "usage_event_id",
    ),
    (
        "POST /api/feedback",
        {"skill_id": "release-notes", "feedback_type": "thumbs_up", "usage_event_id": UNKNOWN_ID},
        "usage_event_id",
    ),
    ("POST /api/invitations", {"email": "no address", "name": "x"}, "email"),
    ("POST /api/invitations", {"email": "a@" + "b" * 300, "name": "x"}, "email"),
    ("POST /api/invitations", {"email": "a\x00@b.example", "name": "x"}, "email"),
    ("POST /api/invitations", {"email": "a@b.example", "name": "x", "role": "owner"}, "role"),
    ("PATCH /api/members/{person_id}", {"role": "owner"}, "role"),
    ("POST /api/me/keys", {"name": "x", "scopes": []}, "scopes"),
    ("POST /api/me/keys", {"name": "x", "scopes": ["everything"]}, "scopes"),
    ("POST /api/me/keys", {"name": "x" * 101, "scopes": ["track"]}, "name"),
    ("POST /api/me/keys", {"name": "\x00", "scopes": ["track"]}, "name"),
    ("POST /api/me/keys", {"name": "x", "scopes": ["track"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ("POST /api/me/keys", {"name": "x", "scopes": ["track"], "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
    (
        "POST /api/me/keys",
        {"name": "x", "scopes": ["track"], "expires_at": "9999-12-31T23:59:59-23:00"},
        "expires_at",
    ),
    ("POST /api/me/consent", {"decision": "maybe"}, "decision"),
    ("POST /api/me/consent", {"decision": "give", "purposes": []}, "purposes"),
    ("POST /api/me/consent", {"decision": "give", "purposes": ["everything"]}, "purposes"),
    ("POST /api/me/consent", {"decision": "give", "skills": []}, "skills"),
    ("POST /api/me/consent", {"decision": "withdraw", "purposes": ["everything"]}, "purposes"),
    ("POST /api/notices", {**NOTICE, "language": "EN"}, "language"),
    ("POST /api/notices", {**NOTICE, "text": " "}, "text"),
    ("POST /api/notices", {**NOTICE, "text": "x" * 20_001}, "text"),
    ("POST /api/notices", {**NOTICE, "purposes": ["sharing_outside_tenant"]}, "purposes"),
    ("POST /api/notices", {**NOTICE, "wider": "perhaps"}, "wider"),
    ("PATCH /api/me/preferences", {"display": "face"}, "display"),
    ("PATCH /api/settings", {"name": "a\x00b"}, "name"),
    ("PATCH /api/settings", {}, "body"),
    ("PATCH /api/datasets/{dataset_id}", {"threshold_percent": 49}, "threshold_percent"),
    ("PATCH /api/datasets/{dataset_id}", {"seed": 2**31}, "seed"),
    ("PATCH /api/datasets/{dataset_id}", {"skills": []}, "skills"),
    ("PATCH /api/datasets/{dataset_id}", {"shares": {"train": 99}}, "shares"),
    ("PATCH /api/datasets/{dataset_id}", {"shares": {"train": 101, "test": -1}}, "shares"),
    ("PATCH /api/datasets/{dataset_id}", {"shares": {"all": 100}}, "shares"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"statuses": ["pending"]}}, "filter"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"min_quality": "5"}}, "filter"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"min_quality": 11}}, "filter.min_quality"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"max_per_person": 0}}, "filter.max_per_person"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"max_chars": 2**31}}, "filter.max_chars"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"sources": ["everything"]}}, "filter.sources"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"tools": ["a\x00b"]}}, "filter.tools"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"duplicates": "some"}}, "filter.duplicates"),
    ("PATCH /api/datasets/{dataset_id}", {"filter": {"created_from": "2026-01-01T00:00:00"}}, "filter.created_from"),
    ("PATCH /api/datasets/{dataset_id}", {"terms": {"licence": "l", "recipients": "r"}}, "terms"),
    ("PATCH /api/datasets/{dataset_id}", {"terms": {**TERMS, "licence": "\n"}}, "terms.licence"),
    ("PATCH /api/datasets/{dataset_id}", {"terms": {**TERMS, "recipients": "x" * 501}}, "terms.recipients"),
    ("PATCH /api/datasets/{dataset_id}", {"terms": {**TERMS, "allowed_purposes": []}}, "terms.allowed_purposes"),
    ("PATCH /api/datasets/{dataset_id}", {"terms": {**TERMS, "delete_by": "31.12.2026"}}, "terms"),
    ("POST /api/datasets/{dataset_id}/tags", {"tag": "latest", "version": "1"}, "tag"),
    ("POST /api/datasets/{dataset_id}/tags", {"tag": "1", "version": "1"}, "tag"),
    ("POST /api/datasets", {**DATASET, "slug": "New"}, "slug"),
    ("POST /api/datasets", {**DATASET, "name": ""}, "name"),
    ("POST /api/datasets", {**DATASET, "purpose": "fun"}, "purpose"),
    ("POST /api/settings/sanitizer-rules", {**RULE, "type": "Staff"}, "type"),
    ("POST /api/settings/sanitizer-rules", {**RULE, "pattern": "a\x00b"}, "pattern"),
    ("POST /api/settings/sanitizer-rules", {**RULE, "pattern": "x" * 501}, "pattern"),
    ("POST /api/settings/sanitizer-rules", {**RULE, "example": "x" * 501}, "example"),
    ("POST /api/settings/sanitizer-rules", {**RULE, "example": "EMP-1"}, "example"),
]


def test_a_value_outside_its_limits_names_the_field(world: World, places: dict[str, str]) -> None:
    before = world.every_cell()
    flaws = {}
    for route, value, field in WRONG_VALUES:
        method, path = route.split(" ")
        answer = world.client(JSON_ROUTES[route][0]).request(method, path.format(**places), json=value)
        if found := flaw(answer, 422, field):
            flaws[route, repr(value)[:100]] = found
    assert flaws == {}
    assert world.every_cell() == before


def _odd_paths(world: World, places: dict[str, str]) -> Iterator[tuple[str, str]]:
    for route in described_routes(world):
        method, path = route.split(" ")
        for name in [name for _, name, _, _ in string.Formatter().parse(path) if name]:
            for odd in ODD_IDS:
                yield method, path.format(**{**places, name: odd})


def test_odd_ids_in_paths_are_nothing_that_exists(world: World, places: dict[str, str]) -> None:
    before, tried, flaws = world.every_cell(), 0, []
    bodies = {route: _filled(body, places) for route, (_, body) in JSON_ROUTES.items()}
    described = described_routes(world)
    for method, url in _odd_paths(world, places):
        route = next(r for r in described if r.startswith(f"{method} ") and _matches(r.split(" ")[1], url))
        # Nobody is co-author of that id, and it stays so: removing twice is no error.
        gone = 200 if route.startswith("DELETE") and "/co-authors/" in route else 404
        for name in ("alice", "dana"):
            answer = world.client(name).request(method, url, json=bodies.get(route))
            tried += 1
            if answer.status_code not in {404, 403, gone}:
                flaws.append((method, url[-60:], name, answer.status_code, answer.text[:100]))
            elif answer.is_error:
                refused(answer)
    assert flaws == []
    assert tried > 400
    assert world.every_cell() == before


def _matches(pattern: str, url: str) -> bool:
    ours, theirs = pattern.split("/"), url.split("/")
    return len(ours) == len(theirs) and all(a == b or a.startswith("{") for a, b in zip(ours, theirs, strict=True))


BAD_CURSORS = [
    "x",
    "%",
    "=",
    "é",
    "AA==",
    "x" * 301,
    "MQ",
    "MjAyNi0wMy0wMQoxMjM0",
    # 0001-01-01T00:00:00+14:00 and 9999-12-31T23:59:59-14:00, each with the id of nothing
    "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMAowMTg5MGE1ZC1hYzk2LTc3NGItYmNjZS1iMzAyMDk5YTgwNTc",
    "OTk5OS0xMi0zMVQyMzo1OTo1OS0xNDowMAowMTg5MGE1ZC1hYzk2LTc3NGItYmNjZS1iMzAyMDk5YTgwNTc",
]
LISTS = ["/api/skills/{skill_id}/training-examples", "/api/skills/{skill_id}/feedback"]


@pytest.mark.parametrize("path", LISTS)
def test_a_bad_cursor_is_refused(world: World, path: str) -> None:
    client, url = world.client("alice"), path.format(skill_id=world.skill_id())
    tried = [("cursor", cursor) for cursor in BAD_CURSORS]
    tried += [("limit", limit) for limit in ("0", "-1", "201", "x", "1.5", "9" * 5_000, "")]
    flaws = {
        (name, value[:60]): found
        for name, value in tried
        if (found := flaw(client.get(url, params={name: value}), 422, name))
    }
    assert flaws == {}


def test_a_bad_cursor_of_the_skills_is_refused(world: World) -> None:
    for cursor in ("%", "é", "x" * 301, "AA==", "YQpi"):
        refused(world.client("alice").get("/api/skills", params={"cursor": cursor}), 422, "cursor")


def test_a_bad_filter_is_refused(world: World) -> None:
    url = f"/api/skills/{world.skill_id()}/training-examples"
    for name in ("status", "source"):
        for value in ("everything", "", "a\x00b", "x" * 5_000):
            refused(world.client("alice").get(url, params={name: value}), 422, name)
    refused(world.client("alice").get(f"/api/skills/{world.skill_id()}/export", params={"format": "x"}), 422, "format")


def test_a_bad_revision_is_refused_and_a_stale_one_tells_what_is_so_now(world: World, places: dict[str, str]) -> None:
    before = world.every_cell()
    described = described_routes(world)
    changes = [route for route in JSON_ROUTES if "If-Match" in json.dumps(described[route].get("parameters", []))]
    assert len(changes) >= 8
    for route in changes:
        method, path = route.split(" ")
        name, body = JSON_ROUTES[route]
        client, valid = world.client(name), _filled(body, places)
        for revision in (
            b"x",
            b"*",
            b'"-1"',
            b'"1.5"',
            b'"' + b"9" * 19 + b'"',
            b"",
            "²".encode("latin-1"),
            b'"1", "2"',
        ):
            answer = client.request(method, path.format(**places), json=valid, headers={"If-Match": revision})
            refused(answer, 422, "If-Match")
        if route == "PATCH /api/settings":
            valid = {"training_data_capture_enabled": False}
        if route == "PATCH /api/me/preferences":
            valid = {"training_data_consent": False}
        stale = client.request(method, path.format(**places), json=valid, headers={"If-Match": '"999999"'})
        assert refused(stale, 409)["current"], route
    assert world.every_cell() == before


# Fuzz: any JSON at every route

TEXTS = st.one_of(
    st.sampled_from(["", "release-notes", "a\x00b", "{field}", "é" * 300, "give", "approve", "training", "2026-13-01"]),
    st.text(max_size=20),
)
NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
ANYTHING = st.recursive(
    st.one_of(st.none(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)


def likely(schema: dict[str, Any], document: dict[str, Any], places: dict[str, str]) -> st.SearchStrategy[Any]:
    """Mostly what a schema asks for, sometimes anything."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        fitting = st.one_of([likely(one, document, places) for one in schema["anyOf"]])
    elif "enum" in schema:
        fitting = st.sampled_from(schema["enum"])
    elif schema.get("type") == "object":
        properties = {name: likely(part, document, places) for name, part in schema.get("properties", {}).items()}
        required = set(schema.get("required", []))
        fitting = st.fixed_dictionaries(
            {name: part for name, part in properties.items() if name in required},
            optional={name: part for name, part in properties.items() if name not in required},
        )
    elif schema.get("type") == "array":
        fitting = st.lists(likely(schema["items"], document, places), max_size=3)
    elif schema.get("type") == "string":
        fitting = st.one_of(TEXTS, st.sampled_from(sorted(places.values())))
    elif schema.get("type") in {"integer", "number"}:
        fitting = st.one_of(st.integers(0, 12), NUMBERS)
    else:
        fitting = st.one_of(st.none(), NUMBERS)
    return st.one_of(fitting, fitting, fitting, ANYTHING)


FUZZ = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_no_json_whatsoever_makes_a_server_error(world: World, places: dict[str, str]) -> None:
    described = described_routes(world)
    people = {name: world.client(name) for name in ("alice", "bob", "dana")}
    seen: set[int] = set()
    strategies: list[st.SearchStrategy[tuple[str, Any]]] = []
    for route in (*JSON_ROUTES, f"POST {TRACK}", f"POST {HOOK}"):
        schema = described[route]["requestBody"]["content"]["application/json"]["schema"]
        strategies.append(st.tuples(st.just(route), likely(schema, described[route]["document"], places)))
    # What is right, too: so that the wrong meets a store with something in it.
    strategies += [st.just((route, _filled(body, places))) for route, (_, body) in JSON_ROUTES.items()]

    @FUZZ
    @given(st.lists(st.one_of(strategies), min_size=4, max_size=10))
    def send(requests: list[tuple[str, Any]]) -> None:
        for route, body in requests:
            method, path = route.split(" ")
            client = people[JSON_ROUTES.get(route, ("bob", {}))[0]]
            content = json.dumps(body).encode()  # half surrogate pairs as escapes
            answer = client.request(
                method, path.format(**places), content=content, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code < 500, (route, content[:500], answer.text)
            seen.add(answer.status_code)

    send()
    assert {200, 201, 422} <= seen
