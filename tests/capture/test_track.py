from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from conftest import SKILL_BODY, World
from helpers import UNKNOWN_ID, client_with, github_token, new_key, ok, refusal, rows, wrong_field

from goldvein.app import create_app
from goldvein.capture import recorder
from goldvein.capture.prices import PRICES_AS_OF, estimate_cost
from goldvein.capture.tables import TokenMeasurement, UsageEvent
from goldvein.consent.tables import ConsentEvent
from goldvein.errors import NotConfigured
from goldvein.feedback.tables import TrainingExample
from goldvein.identity.access import Limiter
from goldvein.sanitizer import SANITIZER_VERSION, SanitizerFailed, TextTooLong, engine, names
from goldvein.sanitizer.matching import Match
from goldvein.skills.service import digest_of

SNIPPETS = {"tool_input_snippet": "Write the notes", "tool_output_snippet": "Here they are"}
CAPTURED = {"outcome": "captured", "reason": None}
OTHER_DIGEST = "sha256:" + "ab" * 32


def denied(reason: str) -> dict[str, str]:
    return {"outcome": "denied", "reason": reason}


def track(world: World, name: str = "bob", **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ok(world.track(name, **fields))
    return answer


def only_event(world: World) -> UsageEvent:
    events = rows(world, UsageEvent)
    assert len(events) == 1
    return events[0]


def check_law_4(world: World) -> None:
    """Everything received has exactly one outcome, and everything stored exactly one of capture."""

    def events(outcome: str) -> float:
        return world.metric_sum("goldvein_events_total", outcome=outcome)

    received = world.metric_sum("goldvein_events_received_total")
    assert received == events("stored") + events("duplicate") + events("rejected")
    assert events("stored") == world.metric_sum("goldvein_captures_total")


def test_a_use_is_stored_with_what_was_said_of_it(world: World) -> None:
    said = {
        "tool_name": "mcp__tickets__lookup",
        "ts": "2026-03-01T13:30:00.5+02:00",
        "hook_event": "PostToolUse",
        "session_id": "session-1",
        "latency_ms": 2**53,
    }
    answer = track(world, **said)
    event = only_event(world)
    assert answer == {
        "event_id": event.id,
        "outcome": "stored",
        "capture": {"outcome": "none", "reason": "no_snippets"},
    }
    assert event.occurred_at == datetime(2026, 3, 1, 11, 30, 0, 500_000, tzinfo=UTC)
    assert event.received_at == world.time
    assert (event.person_id, event.key_id) == (world.someone("bob").person_id, world.someone("bob").key_id)
    assert (event.skill_id, event.door, event.tool_name) == (world.skill_id(), "track", "mcp__tickets__lookup")
    assert (event.hook_event, event.session_id, event.latency_ms) == ("PostToolUse", "session-1", 2**53)
    check_law_4(world)


def test_a_use_of_a_consenting_person_becomes_a_pending_example(world: World) -> None:
    answer = track(world, **SNIPPETS, skill_digest=digest_of(SKILL_BODY))
    assert answer["capture"] == CAPTURED
    example = rows(world, TrainingExample)[0]
    consents = {event.subject: event.id for event in rows(world, ConsentEvent)}
    assert (example.status, example.source, example.usage_event_id) == ("pending", "usage_capture", answer["event_id"])
    assert (example.example_input, example.example_output) == ("Write the notes", "Here they are")
    assert (example.expected_output, example.quality_score, example.output_verdict) == (None, None, None)
    assert example.user_id == world.someone("bob").person_id
    assert (example.tenant_consent_id, example.person_consent_id) == (consents["tenant"], consents["person"])
    assert (example.sanitizer_version, example.tool_name) == (SANITIZER_VERSION, "Bash")
    assert example.skill_version_id == only_event(world).skill_version_id is not None
    check_law_4(world)


@pytest.mark.parametrize("skill", ["release-notes", "id"])
def test_the_skill_is_named_by_slug_or_id(world: World, skill: str) -> None:
    track(world, skill_id=world.skill_id() if skill == "id" else skill)
    assert only_event(world).skill_id == world.skill_id()


def test_an_unknown_skill_is_not_found_and_nothing_is_stored(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = ["no-such-skill", UNKNOWN_ID, "globex-notes"]
    for skill in cases:
        with subtests.test(skill=skill):
            for fields in ({}, SNIPPETS):
                assert refusal(world.track("bob", skill_id=skill, **fields), 404, "not_found") == {"what": "skill"}
            assert rows(world, UsageEvent) == []
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="unknown_skill") == 6
    check_law_4(world)


def test_the_same_event_again_is_a_duplicate_with_its_first_outcome(world: World) -> None:
    first = track(world, event_id="e1", **SNIPPETS)
    again = track(world, event_id="e1", **SNIPPETS)
    assert again == first | {"outcome": "duplicate"}
    assert len(rows(world, UsageEvent)) == len(rows(world, TrainingExample)) == 1
    check_law_4(world)


def test_a_duplicate_is_one_through_every_key_of_the_person(world: World) -> None:
    first = track(world, event_id="e1")
    body = {"skill_id": world.skill_id(), "tool_name": "Bash", "ts": world.time.isoformat(), "event_id": "e1"}
    other_key = client_with(world, new_key(world, "bob", "track")["api_key"])
    assert ok(other_key.post("/api/track", json=body)) == first | {"outcome": "duplicate"}


def test_event_ids_of_two_people_do_not_meet(world: World) -> None:
    assert [track(world, name, event_id="e1")["outcome"] for name in ("bob", "erin")] == ["stored", "stored"]


def test_without_an_event_id_every_request_is_a_new_event(world: World) -> None:
    assert track(world)["event_id"] != track(world)["event_id"]
    assert len(rows(world, UsageEvent)) == 2


def test_the_same_event_id_with_another_body_is_a_conflict_and_the_first_stands(
    world: World, subtests: pytest.Subtests
) -> None:
    cases: list[Any] = [
        {"tool_name": "Read"},
        {"tool_input_snippet": "Other"},
        {"ts": "2026-03-01T12:00:01Z"},
        {"input_tokens": 1},
        {"latency_ms": 1},
        {"user_id": "someone"},
        {"skill_digest": OTHER_DIGEST},
    ]
    for change in cases:
        with subtests.test(change=change):
            track(world, event_id="e1", **SNIPPETS)
            refusal(world.track("bob", **({"event_id": "e1"} | SNIPPETS | change)), 409, "event_conflict")
            assert only_event(world).tool_name == "Bash"
            assert len(rows(world, TrainingExample)) == 1
            check_law_4(world)


def test_a_retry_after_a_change_of_mind_does_not_capture(world: World) -> None:
    first = track(world, "erin", event_id="e1", **SNIPPETS)
    ok(world.client("erin").post("/api/me/consent", json={"decision": "give"}))
    assert first["capture"] == track(world, "erin", event_id="e1", **SNIPPETS)["capture"] == denied("no_consent")
    assert rows(world, TrainingExample) == []


def test_a_known_digest_is_linked_to_its_version(world: World) -> None:
    ok(world.client("alice").patch("/api/skills/release-notes", json={"body": "Second.\n"}))
    for digest in (digest_of(SKILL_BODY), digest_of(SKILL_BODY).removeprefix("sha256:").upper()):
        track(world, skill_digest=digest)
    events = rows(world, UsageEvent)
    assert {event.skill_digest for event in events} == {digest_of(SKILL_BODY)}
    assert len({event.skill_version_id for event in events}) == 1
    assert events[0].skill_version_id is not None


@pytest.mark.parametrize("digest", [None, OTHER_DIGEST])
def test_a_version_is_never_guessed(world: World, digest: str | None) -> None:
    track(world, skill_digest=digest, **SNIPPETS)
    for row in (only_event(world), rows(world, TrainingExample)[0]):
        assert (row.skill_version_id, row.skill_digest) == (None, digest)


def test_tokens_are_measured_with_their_exact_cost(world: World) -> None:
    track(world, model_name="claude-sonnet-4-5", input_tokens=1, output_tokens=1)
    track(world, model_name="gpt-5-nano", input_tokens=1, output_tokens=None)
    track(world, model_name="claude-opus-4-1", input_tokens=None, output_tokens=2**53)
    costs = {row.model_name: row.estimated_cost_usd for row in rows(world, TokenMeasurement)}
    assert costs == {
        "claude-sonnet-4-5": Decimal("0.000018"),
        "gpt-5-nano": Decimal("0.00000005"),
        "claude-opus-4-1": Decimal(2**53) * 75 / 1_000_000,
    }
    assert {row.prices_as_of for row in rows(world, TokenMeasurement)} == {PRICES_AS_OF}


def test_a_model_without_a_price_has_no_estimate(world: World) -> None:
    track(world, model_name="some/model-of-ours", input_tokens=5, output_tokens=7)
    row = rows(world, TokenMeasurement)[0]
    assert (row.input_tokens, row.output_tokens) == (5, 7)
    assert (row.estimated_cost_usd, row.prices_as_of) == (None, None)


def test_a_measurement_needs_a_model_and_a_count(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        {"model_name": "gpt-5"},
        {"input_tokens": 5, "output_tokens": 7},
        {"model_name": "", "input_tokens": 5},
    ]
    for fields in cases:
        with subtests.test(fields=fields):
            track(world, **fields)
            assert rows(world, TokenMeasurement) == []


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("claude-opus-4-1[1m]", "claude-opus-4-1"),
        ("GPT-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
    ],
)
def test_a_model_is_known_under_the_names_of_its_providers(name: str, known_as: str) -> None:
    assert estimate_cost(name, 10, 10) == estimate_cost(known_as, 10, 10) is not None


@pytest.mark.parametrize("name", ["", "claude", "gpt-5-ultra", "my-gpt-5", "claude-opus-4-5-turbo", "gpt"])
def test_a_price_is_never_guessed(name: str) -> None:
    assert estimate_cost(name, 10, 10) is None


def test_capture_needs_both_snippets(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        {},
        {"tool_input_snippet": "only in"},
        {"tool_output_snippet": "only out"},
        {"tool_input_snippet": "", "tool_output_snippet": "out"},
        {"tool_input_snippet": "in", "tool_output_snippet": ""},
    ]
    for snippets in cases:
        with subtests.test(snippets=snippets):
            assert track(world, **snippets)["capture"] == {"outcome": "none", "reason": "no_snippets"}
            assert rows(world, TrainingExample) == []
            check_law_4(world)


def test_global_privacy_control_is_a_no(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [("1", denied("opted_out")), (" 1 ", denied("opted_out")), ("0", CAPTURED)]
    for value, capture in cases:
        with subtests.test(value=value, capture=capture):
            body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), **SNIPPETS}
            answer = ok(world.client("bob").post("/api/track", json=body, headers={"Sec-GPC": value}))
            assert (answer["outcome"], answer["capture"]) == ("stored", capture)


def test_a_payload_that_names_another_person_is_not_captured(world: World) -> None:
    bob, erin = world.someone("bob"), world.someone("erin")
    for named in (erin.person_id, erin.email, "bob", bob.person_id.upper(), "bob@globex.example", UNKNOWN_ID):
        assert track(world, user_id=named, **SNIPPETS)["capture"] == denied("person_mismatch"), named
    for named in (bob.person_id, bob.email, bob.email.upper()):
        assert track(world, user_id=named, **SNIPPETS)["capture"] == CAPTURED, named
    assert erin.email not in {str(cell) for row in rows(world, UsageEvent) for cell in vars(row).values()}


def test_a_service_key_has_no_person(world: World) -> None:
    ok(world.client("dana").post("/api/me/consent", json={"decision": "give"}))  # who made the key
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), **SNIPPETS}
    service = client_with(world, world.seed.service_key)
    for fields in ({}, {"user_id": world.someone("bob").person_id}):
        answer = ok(service.post("/api/track", json=body | fields))
        assert (answer["outcome"], answer["capture"]) == ("stored", denied("no_person"))
    assert {event.person_id for event in rows(world, UsageEvent)} == {None}


def test_a_service_key_has_event_ids_of_its_own(world: World) -> None:
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), "event_id": "e1"}
    service = client_with(world, world.seed.service_key)
    assert track(world, "dana", event_id="e1")["outcome"] == "stored"
    assert [ok(service.post("/api/track", json=body))["outcome"] for _ in range(2)] == ["stored", "duplicate"]


def test_every_denied_use_is_stored_without_its_text(world: World) -> None:
    canary = "canary-4711-token"
    snippets = {"tool_input_snippet": canary, "tool_output_snippet": canary}
    assert track(world, "erin", **snippets)["capture"] == denied("no_consent")
    assert track(world, "bob", user_id="erin", **snippets)["capture"] == denied("person_mismatch")
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))
    assert track(world, "bob", **snippets)["capture"] == denied("tenant_switch_off")
    assert [event.capture_outcome for event in rows(world, UsageEvent)] == ["denied"] * 3
    assert not any(canary in str(cell) for cell in world.every_cell())
    assert world.metric("goldvein_captures_total", outcome="denied", reason="no_consent") == 1
    check_law_4(world)


def test_secrets_are_replaced_and_counted_before_anything_is_stored(world: World) -> None:
    secret = github_token()
    example_id = world.capture(text=f"push with {secret}", answer=f"pushed with {secret} for ann@corp.example")
    shown = ok(world.client("alice").get(f"/api/training-examples/{example_id}"))
    assert shown["example_input"] == "push with [REDACTED:github_token]"
    assert shown["example_output"] == "pushed with [REDACTED:github_token] for [REDACTED:email]"
    assert shown["findings"] == {"github_token": 2, "email": 1}
    assert not any(secret in str(cell) or "ann@corp" in str(cell) for cell in world.every_cell())
    assert world.metric("goldvein_sanitizer_findings_total", type="github_token") == 2


@pytest.mark.parametrize(
    ("error", "reason"), [(SanitizerFailed(), "sanitizer_failed"), (TextTooLong(), "text_too_long")]
)
def test_a_failing_sanitizer_drops_the_text_and_not_the_event(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(_texts: list[str], _extra_rules: object, *, names: bool) -> None:
        raise error

    monkeypatch.setattr(recorder, "sanitize_many", fail)
    answer = track(world, **SNIPPETS)
    assert (answer["outcome"], answer["capture"]) == ("stored", {"outcome": "failed", "reason": reason})
    assert rows(world, TrainingExample) == []
    assert not any("Write the notes" in str(cell) for cell in world.every_cell())
    assert world.metric("goldvein_captures_total", outcome="failed", reason=reason) == 1
    check_law_4(world)


def test_a_nul_in_a_snippet_becomes_visible_and_is_counted(world: World) -> None:
    world.capture(text="a\x00b", answer="\x00c\x00")
    example = rows(world, TrainingExample)[0]
    assert (example.example_input, example.example_output) == ("a\u2400b", "\u2400c\u2400")
    assert world.metric("goldvein_replaced_nuls_total") == 3


def test_a_name_that_looks_like_a_secret_is_refused(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = ["tool_name", "session_id", "hook_event", "model_name"]
    for field in cases:
        with subtests.test(field=field):
            secret = github_token()
            response = world.track("bob", **{field: secret})
            assert wrong_field(response) == field
            assert secret not in response.text
            assert not any(secret in str(cell) for cell in world.every_cell())
            check_law_4(world)


def test_the_client_learns_when_to_come_back_over_the_limit(world: World) -> None:
    world.runtime.limiter = Limiter(replace(world.runtime.settings, track_limit_per_minute=1))
    ok(world.track("bob"))
    refused = world.track("bob")
    refusal(refused, 429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(rows(world, UsageEvent)) == 1
    check_law_4(world)


def test_who_may_not_report_gets_no_event(world: World) -> None:
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    refusal(world.anonymous().post("/api/track", json=body), 401, "not_authenticated")
    refusal(world.browser("bob").post("/api/track", json=body), 401, "not_authenticated")
    reading = client_with(world, new_key(world, "bob", "read")["api_key"])
    assert refusal(reading.post("/api/track", json=body), 403, "missing_scope")["scope"] == "track"
    refusal(world.track("charlie"), 404, "not_found")
    assert rows(world, UsageEvent) == rows(world, UsageEvent, of="charlie") == []
    check_law_4(world)


def test_only_post_reports(world: World) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert world.client("bob").request(method, "/api/track").status_code in {404, 405}


@pytest.mark.parametrize(("asked", "name"), [(True, "[REDACTED:person_name]"), (False, "Marion Keller")])
def test_names_go_from_what_is_captured_when_the_operator_wants_it(
    world: World, monkeypatch: pytest.MonkeyPatch, asked: bool, name: str
) -> None:
    def with_names(text: str, _known: object) -> list[Match]:
        start = text.find("Marion Keller")
        return (
            [Match(type="person_name", start=start, end=start + 13, rule="n", confidence="low")] if start >= 0 else []
        )

    monkeypatch.setattr(engine, "find_names", with_names)
    monkeypatch.setattr(engine, "names_digest", lambda: "0a1b2c3d")
    world.runtime.settings = replace(world.runtime.settings, sanitizer_names=asked)
    assert track(world, tool_input_snippet="Dear Marion Keller", tool_output_snippet="ok")["capture"] == CAPTURED
    (example,) = rows(world, TrainingExample)
    assert example.example_input == f"Dear {name}"
    assert example.sanitizer_version == SANITIZER_VERSION + ("+names.0a1b2c3d" if asked else "")


def test_a_server_that_shall_remove_names_does_not_start_without_the_models(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_MODELS", ("a_model_that_is_not_installed",))
    names._models.cache_clear()
    world.runtime.settings = replace(world.runtime.settings, sanitizer_names=True)
    with pytest.raises(NotConfigured, match=r"GOLDVEIN_SANITIZER_NAMES.*goldvein\[ner\]"):
        create_app(world.runtime)
