"""The defects of the reference system, each by its number, in our code.

Those of its sanitizer (32 to 39, 41) are in tests/sanitizer; those that belong to a later issue are in docs/roadmap.md.
"""

import ast
import base64
import json
import re
import stat
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from conftest import SKILL_BODY, World
from helpers import (
    UNKNOWN_ID,
    client_with,
    github_token,
    new_key,
    ok,
    refusal,
    rows,
    wrong_field,
)
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from goldvein.capture.tables import TokenMeasurement, UsageEvent
from goldvein.consent.service import builtin_notice
from goldvein.consent.tables import ConsentEvent, Notice
from goldvein.db import migrate
from goldvein.db.session import Database
from goldvein.errors import NotConfigured, StoreUnavailable
from goldvein.feedback.tables import TrainingExample
from goldvein.identity.access import Limiter
from goldvein.identity.keys import new_token, signature
from goldvein.identity.tables import ApiKey
from goldvein.skills.service import digest_of
from goldvein_client import hook_settings

ROOT = Path(__file__).parents[1]
SNIPPETS = {"tool_input_snippet": "Write the notes", "tool_output_snippet": "Here they are"}
EXAMPLES = "/api/skills/release-notes/training-examples"
GIVE, WITHDRAW = {"decision": "give"}, {"decision": "withdraw"}


def switch(world: World, *, on: bool, name: str = "dana") -> Any:
    return ok(world.client(name).patch("/api/settings", json={"training_data_capture_enabled": on}))


def is_on(world: World, name: str = "dana") -> bool:
    on: bool = ok(world.client(name).get("/api/settings"))["training_data_capture_enabled"]
    return on


def captured(world: World, name: str = "bob", **fields: Any) -> bool:
    answer = ok(world.track(name, **SNIPPETS, **fields))["capture"]
    return bool(answer["outcome"] == "captured")


def approve(world: World, example_id: str) -> None:
    ok(world.client("alice").post(f"/api/training-examples/{example_id}/review", json={"decision": "approve"}))


def exported(world: World) -> bytes:
    response = world.client("alice").get("/api/skills/release-notes/export")
    assert response.status_code == 200
    content: bytes = response.content
    return content


# Consent


def test_defect_01_migrating_switches_nobody_on(world: World) -> None:
    """A later migration set every tenant's switch to on, over explicit opt-outs."""
    switch(world, on=False)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    migrate.upgrade(world.owner_url, world.runtime.settings.database_url)
    assert (is_on(world), is_on(world, "charlie")) == (False, False)
    assert not captured(world)
    for file in (ROOT / "src" / "goldvein" / "db" / "migrations" / "versions").glob("*.py"):
        # SQLite makes a table anew to change it: the rows that were there are copied, and nothing else is written.
        copied = r"(?i)insert into consent_events[^;]*?select[^;]*?from consent_events_before"
        statements = re.sub(copied, "", re.sub(r'"\s*f?"', "", file.read_text()))
        assert not re.search(r"(?i)(insert\s+into|update|bulk_insert\().*consent_events", statements), file.name


def test_defect_02_a_usage_event_holds_no_text(world: World) -> None:
    """Raw snippets were stored in the usage event's metadata, unsanitized and whatever the consent."""
    for name in ("bob", "erin"):
        ok(world.track(name, **SNIPPETS))
    for event in rows(world, UsageEvent):
        assert not any("notes" in str(value) for key, value in vars(event).items() if key != "skill_id")
    assert [str(cell) for cell in world.every_cell()].count("Write the notes") == 1  # bob's example


def test_defect_03_each_tenant_has_its_own_switch(world: World) -> None:
    """One settings row for the whole installation: saving for tenant B took tenant A's row."""
    switch(world, on=False, name="charlie")
    assert is_on(world)
    switch(world, on=True, name="charlie")
    switch(world, on=False)
    assert (is_on(world), is_on(world, "charlie")) == (False, True)


def test_defect_04_a_tenant_that_never_chose_is_off(world: World) -> None:
    """A tenant without a row fell back to any row."""
    assert rows(world, ConsentEvent, of="charlie") == []
    assert is_on(world)
    assert not is_on(world, "charlie")


def test_defect_05_looking_at_things_switches_nothing_on(world: World) -> None:
    """An unrelated "test connection" created a row with capture on."""
    for path in ("/readyz", "/healthz", "/metrics", "/api/settings", "/api/me", "/api/me/preferences", "/api/members"):
        assert world.client("charlie").get(path).status_code == 200
    ok(world.client("charlie").patch("/api/settings", json={"name": "Globex Ltd"}))
    ok(world.track("charlie", skill_id="globex-notes", **SNIPPETS))
    assert rows(world, ConsentEvent, of="charlie") == []


def test_defect_06_switching_off_needs_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switching off could fail because another service had to start first."""

    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("goldvein.capture.recorder.sanitize_many", broken)
    monkeypatch.setattr("goldvein.capture.names.sanitize_text", broken)
    monkeypatch.setattr("goldvein.capture.writer.Writer.store", broken)
    assert switch(world, on=False)["training_data_capture_enabled"] is False
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))


def test_defect_07_a_stale_form_restores_no_consent(world: World) -> None:
    """Stale forms and whole-document writes restored a withdrawn consent."""
    browser = world.browser("bob")
    before = browser.get("/api/me/preferences")
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    whole = {name: value for name, value in before.json().items() if name != "revision"}
    assert wrong_field(browser.patch("/api/me/preferences", json=whole)) == "body"
    stale = {"If-Match": before.headers["etag"]}
    refusal(
        browser.patch("/api/me/preferences", json={"training_data_consent": True}, headers=stale), 409, "stale_revision"
    )
    ok(browser.patch("/api/me/preferences", json={"display": "name"}))
    assert not captured(world)


def test_defect_08_who_said_yes_to_which_text_when_and_how(world: World) -> None:
    """No record of who consented to which text, when, how."""
    ok(world.browser("erin").post("/api/me/consent", json=GIVE))
    event = max(rows(world, ConsentEvent), key=lambda row: row.seq)
    notice = next(row for row in rows(world, Notice) if row.version == event.notice_version)
    assert (event.person_id, event.actor_id) == (world.someone("erin").person_id,) * 2
    assert (event.occurred_at, event.channel, event.purposes) == (world.time, "web", ["evaluation", "training"])
    assert notice.text == builtin_notice()[1]


def test_defect_09_a_withdrawal_ends_the_use_of_what_is_stored(world: World) -> None:
    """Withdrawal left all stored data usable."""
    example_id = world.capture(text="bobs question")
    approve(world, example_id)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    shown = ok(world.client("alice").get(f"/api/training-examples/{example_id}"))
    assert (shown["status"], shown["example_input"], shown["decisions"]) == ("withdrawn", None, [])
    assert not any("bobs question" in str(cell) for cell in world.every_cell())


def test_defect_10_no_answer_about_consent_outlives_a_change(world: World) -> None:
    """Consent read and insert were not one transaction; 60 s of stale cache."""
    assert captured(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    assert not captured(world)
    ok(world.client("bob").post("/api/me/consent", json=GIVE))
    assert captured(world)
    switch(world, on=False)
    assert not captured(world)


def test_defect_11_what_was_said_to_be_saved_is_saved(world: World) -> None:
    """Saving preferences without a row changed nothing and said "saved"."""
    for change in ({"display": "name"}, {"training_data_consent": True}):
        answer = ok(world.browser("erin").patch("/api/me/preferences", json=change))
        assert answer.items() >= change.items()
        assert ok(world.client("erin").get("/api/me/preferences")) == answer
    assert captured(world, "erin")


# Capture


def test_defect_12_the_installed_hook_leads_to_captured_examples(world: World, tmp_path: Path) -> None:
    """No hook ever sent the snippets, so nothing was ever captured."""
    path = tmp_path / "settings.json"
    hook_settings.install(path, base_url="http://testserver", skill="release-notes")
    hooks = json.loads(path.read_text())["hooks"]
    entry = hooks["PostToolUse"][0]["hooks"][0]
    assert hooks["PostToolUse"][0]["matcher"] == "*"
    key = world.someone("bob").api_key
    headers = {name: value.replace("${GOLDVEIN_API_KEY}", key) for name, value in entry["headers"].items()}
    body = (ROOT / "tests" / "data" / "claude_code" / "http_hook.PostToolUse.Read.json").read_bytes()
    assert world.anonymous(**headers).post(entry["url"].removeprefix("http://testserver"), content=body).json() == {}
    assert [example.example_output for example in rows(world, TrainingExample)] == [
        "# Changelog\n\n## Unreleased\n- fix crash\n- update docs\n"
    ]


def test_defect_13_what_was_answered_is_there_after_a_restart(world: World) -> None:
    """Fire-and-forget promises were lost on restart."""
    answer = ok(world.track(**SNIPPETS))
    other = Database(world.runtime.settings.database_url)  # another process sees only what has been committed
    try:
        with other.read(world.someone("bob").tenant_id) as session:
            example = session.query(TrainingExample).one()
            assert example.usage_event_id == answer["event_id"]
    finally:
        other.close()


def test_defect_14_a_store_that_fails_is_no_success(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """200 was answered when the database had failed."""

    def broken(*_args: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(Database, "exclusive", broken)
        response = world.track(**SNIPPETS)
    refusal(response, 503, "store_unavailable")
    assert int(response.headers["retry-after"]) >= 1
    assert rows(world, UsageEvent) == []
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="store_unavailable") == 1


def test_defect_15_a_retry_makes_one_event_and_one_example(world: World) -> None:
    """No idempotency: a retry made two events and two examples."""
    outcomes = [ok(world.track(event_id="toolu_1", **SNIPPETS))["outcome"] for _ in range(3)]
    assert outcomes == ["stored", "duplicate", "duplicate"]
    assert len(rows(world, UsageEvent)) == len(rows(world, TrainingExample)) == 1


def test_defect_16_an_example_knows_its_event_and_skill_version(world: World) -> None:
    """The event id and the skill version were never linked."""
    answer = ok(world.track(skill_digest=digest_of(SKILL_BODY), **SNIPPETS))
    example = rows(world, TrainingExample)[0]
    version = ok(world.client("alice").get("/api/skills/release-notes/versions"))["items"][0]
    assert (example.usage_event_id, example.skill_digest) == (answer["event_id"], version["skill_digest"])
    assert example.skill_version_id == rows(world, UsageEvent)[0].skill_version_id is not None


def test_defect_17_only_a_skill_of_the_tenant_is_accepted(world: World) -> None:
    """Any skill id was accepted."""
    for skill in (UNKNOWN_ID, "anything", world.skill_id("globex-notes"), "globex-notes"):
        refusal(world.track(skill_id=skill, **SNIPPETS), 404, "not_found")
    assert rows(world, UsageEvent) == []


def test_defect_18_a_date_that_is_none_is_refused(world: World, subtests: pytest.Subtests) -> None:
    """Dates such as "1" or "Feb 30 2026" were accepted."""
    cases: list[Any] = [
        "1",
        "",
        "Feb 30 2026",
        "2026-02-30T12:00:00Z",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T25:00:00Z",
        "2026-03-01 12:00:00Z",
        "1999-01-01T00:00:00Z",
        "2026-03-03T12:00:00Z",
        1772366400,
    ]
    for ts in cases:
        with subtests.test(ts=ts):
            assert wrong_field(world.track(ts=ts)) == "ts"
            assert rows(world, UsageEvent) == []


def test_defect_19_nul_and_half_characters_do_not_fail_in_silence(world: World) -> None:
    """NUL and lone surrogates made the store fail in silence."""
    assert captured(world, event_id="e1")
    ok(world.track(tool_input_snippet="a\x00b", tool_output_snippet="c"))
    assert {example.example_input for example in rows(world, TrainingExample)} == {"Write the notes", "a\u2400b"}
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    raw = json.dumps(body | {"tool_input_snippet": "\ud800", "tool_output_snippet": "x"})
    assert wrong_field(world.client("bob").post("/api/track", content=raw)) == "tool_input_snippet"
    assert wrong_field(world.track(tool_name="a\x00b")) == "tool_name"
    assert len(rows(world, UsageEvent)) == 2


def test_defect_20_every_field_has_a_limit(world: World, subtests: pytest.Subtests) -> None:
    """Unbounded fields; token counts that overflow."""
    cases: list[Any] = [
        ("input_tokens", 2**53 + 1),
        ("output_tokens", 2**64),
        ("latency_ms", -1),
        ("input_tokens", 1.5),
        ("tool_name", "a" * 201),
        ("event_id", "a" * 201),
        ("session_id", "a" * 201),
        ("model_name", "a" * 101),
        ("skill_id", "a" * 201),
        ("tool_input_snippet", "é" * 32_769),
        ("hook_event", "a" * 201),
    ]
    for field, value in cases:
        with subtests.test(field=field, value=value):
            assert wrong_field(world.track(**{field: value})) == field
    ok(world.track(model_name="gpt-5", input_tokens=2**53, output_tokens=2**53))
    assert len(rows(world, UsageEvent)) == 1


# Tenants


def test_defect_21_a_key_reaches_only_skills_of_its_tenant(world: World) -> None:
    """A key of tenant A could put examples into tenant B's skill."""
    golden = {"example_input": "planted", "example_output": "planted"}
    for skill in ("release-notes", world.skill_id()):
        refusal(world.client("charlie").post(f"/api/skills/{skill}/training-examples", json=golden), 404, "not_found")
        refusal(world.track("charlie", skill_id=skill, **SNIPPETS), 404, "not_found")
    assert rows(world, TrainingExample) == rows(world, UsageEvent) == []


def test_defect_22_the_same_slug_in_two_tenants_is_two_skills(world: World) -> None:
    """A skill was looked up by slug across tenants, so another tenant's admin read captured data."""
    world.capture(text="acmes text")
    ok(world.client("charlie").post("/api/skills", json={"slug": "release-notes", "name": "Same"}), 201)
    assert ok(world.client("charlie").get(EXAMPLES))["items"] == []
    assert ok(world.client("charlie").get(f"{EXAMPLES}/count")) == {"status": {}, "source": {}}
    assert len(ok(world.client("alice").get(EXAMPLES))["items"]) == 1


@pytest.mark.parametrize("store", ["postgresql"])
def test_defect_23_row_level_security_binds_the_role_of_the_server(world: World, store: str) -> None:
    """Row-level security was enabled but the application connected as owner; enforced, it returned no rows."""
    engine = create_engine(world.runtime.settings.database_url)
    try:
        with engine.connect() as connection:
            assert migrate.unsafe_role(connection) is None
            with pytest.raises((ProgrammingError, OperationalError)):
                connection.execute(text("SELECT count(*) FROM skills"))
            connection.rollback()
            for name in ("alice", "charlie"):
                setting = {"tenant": world.someone(name).tenant_id}
                connection.execute(text("SELECT set_config('goldvein.tenant_id', :tenant, true)"), setting)
                assert connection.scalar(text("SELECT count(*) FROM skills")) == 1
                connection.rollback()
    finally:
        engine.dispose()
    owner = create_engine(world.owner_url)
    try:
        with pytest.raises(NotConfigured, match="owns the tables"):
            migrate.refuse_unsafe_store(owner, allow_owner=False)
    finally:
        owner.dispose()


def test_defect_24_admins_reach_no_keys_of_other_tenants(world: World) -> None:
    """Admins could list, revoke and mint keys of other tenants."""
    charlie, bobs_key = world.client("charlie"), world.someone("bob").key_id
    assert {key["id"] for key in ok(charlie.get("/api/keys"))["items"]} == {world.someone("charlie").key_id}
    for path in (f"/api/keys/{bobs_key}", f"/api/me/keys/{bobs_key}"):
        refusal(charlie.delete(path), 404, "not_found")
    refusal(charlie.post(f"/api/me/keys/{bobs_key}/rotate"), 404, "not_found")
    before = len(rows(world, ApiKey))
    for extra in ({"tenant_id": world.someone("bob").tenant_id}, {"person_id": world.someone("bob").person_id}):
        body = {"name": "minted", "scopes": ["track"], **extra}
        assert charlie.post("/api/me/keys", json=body).status_code == 422
    assert len(rows(world, ApiKey)) == before
    ok(world.client("bob").get("/api/me"))


def test_defect_25_actions_by_id_check_the_tenant(world: World) -> None:
    """Actions by id did not check the tenant."""
    example_id = world.capture()
    written = {"skill_id": "release-notes", "feedback_type": "bug_report", "comment": "It fails on Tuesdays"}
    written |= {"category": "error", "severity": "critical"}
    feedback_id = ok(world.client("bob").post("/api/feedback", json=written), 201)["id"]
    charlie = world.client("charlie")
    for method, path, body in (
        ("GET", f"/api/training-examples/{example_id}", None),
        ("PATCH", f"/api/training-examples/{example_id}", {"example_input": "taken"}),
        ("DELETE", f"/api/training-examples/{example_id}", None),
        ("POST", f"/api/training-examples/{example_id}/review", {"decision": "approve"}),
        ("PATCH", f"/api/feedback/{feedback_id}", {"status": "dismissed"}),
        ("DELETE", f"/api/me/data/{example_id}", None),
        ("PATCH", f"/api/members/{world.someone('bob').person_id}", {"active": False}),
    ):
        refusal(charlie.request(method, path, json=body), 404, "not_found")
    assert [row.status for row in rows(world, TrainingExample)] == ["pending"]


# Review and datasets


def test_defect_26_a_pending_example_can_be_approved(world: World) -> None:
    """Captured rows were born pending and nothing could ever approve them."""
    example_id = world.capture()
    assert ok(world.client("alice").get(f"/api/training-examples/{example_id}"))["decisions"][0] == "approve"
    approve(world, example_id)
    assert rows(world, TrainingExample)[0].status == "approved"


def test_defect_27_what_is_approved_is_what_is_read(world: World) -> None:
    """Writers said `approved`, the reader asked for `accepted` and for `expected_output`: it always got nothing."""
    approve(world, world.capture())
    assert [item["status"] for item in ok(world.client("alice").get(EXAMPLES, params={"status": "approved"}))["items"]]
    assert wrong_field(world.client("alice").get(EXAMPLES, params={"status": "accepted"})) == "status"
    assert ok(world.client("alice").get(f"{EXAMPLES}/count"))["status"] == {"approved": 1}
    assert b"examples.jsonl" in exported(world)
    assert len(exported(world)) > 500


def test_defect_28_there_is_an_export_with_provenance(world: World) -> None:
    """No export, versions, splits, duplicates, provenance (the middle three come with the datasets issue)."""
    approve(world, world.capture())
    assert b"manifest.json" in exported(world)


def test_defect_29_the_feedback_total_counts_no_training_examples(world: World) -> None:
    """The feedback total counted training examples."""
    path = "/api/skills/release-notes/feedback"
    before = ok(world.client("bob").get(path))["aggregates"]
    approve(world, world.capture())
    golden = {"example_input": "question", "example_output": "answer", "quality_score": 1}
    ok(world.client("alice").post(EXAMPLES, json=golden), 201)
    assert ok(world.client("bob").get(path))["aggregates"] == before
    assert before["total"] == 0


def test_defect_30_a_rejected_row_reads_rejected(world: World) -> None:
    """Rejected rows were shown as pending."""
    example_id = world.capture()
    ok(world.client("alice").post(f"/api/training-examples/{example_id}/review", json={"decision": "reject"}))
    assert [item["status"] for item in ok(world.client("alice").get(EXAMPLES))["items"]] == ["rejected"]
    assert ok(world.client("bob").get(f"{EXAMPLES}/count"))["status"] == {"rejected": 1}
    page = world.browser("alice").get("/skills/release-notes/training")
    badges = re.findall(r">\s*(pending|rejected)\s*<", page.text, re.IGNORECASE)
    assert page.status_code == 200
    assert "rejected" in [badge.lower() for badge in badges]


def test_defect_31_deleting_a_skill_says_what_goes_and_keeps_no_text(world: World) -> None:
    """Deleting or merging skills deleted examples and kept raw snippets (there is no merging yet)."""
    world.capture(text="a question to erase", answer="an answer to erase")
    gone = ok(world.client("alice").delete("/api/skills/release-notes?confirm=release-notes"))
    assert (gone["training_examples"], gone["usage_events"]) == (1, 1)
    assert not any("to erase" in str(cell) for cell in world.every_cell())


# Sanitizer


def test_defect_40_comments_and_replies_are_sanitized(world: World) -> None:
    """Feedback comments were not sanitized."""
    secret = github_token()
    body = {"skill_id": "release-notes", "feedback_type": "bug_report", "category": "error", "severity": "critical"}
    given = ok(world.client("bob").post("/api/feedback", json=body | {"comment": f"It printed {secret}"}), 201)
    assert given["comment"] == "It printed [REDACTED:github_token]"
    path = f"/api/feedback/{given['id']}"
    reply = ok(world.client("alice").patch(path, json={"reply": f"Revoked {secret}"}))
    assert reply["author_reply"] == "Revoked [REDACTED:github_token]"
    vote = {"skill_id": "release-notes", "feedback_type": "thumbs_down", "comment": secret}
    ok(world.client("bob").post("/api/feedback", json=vote), 201)
    assert not any(secret in str(cell) for cell in world.every_cell())


# Keys and signatures


def send_signed(world: World, key: dict[str, Any], body: bytes, **headers: str) -> Any:
    timestamp = str(int(world.time.timestamp()))
    secret = base64.b64decode(key["signing_secret"].removeprefix("whsec_"))
    signed = {"webhook-id": "msg_1", "webhook-timestamp": timestamp}
    signed["webhook-signature"] = signature(secret, "msg_1", timestamp, body)
    return client_with(world, key["api_key"]).post("/api/track", content=body, headers=signed | headers)


@pytest.fixture
def signing_key(world: World) -> dict[str, Any]:
    return new_key(world, "bob", "track", requires_signature=True)


RAW = b'{"skill_id":"release-notes","tool_name":"Bash","ts":"2026-03-01T12:00:00Z"}'


@pytest.mark.parametrize(
    "body",
    [json.dumps(json.loads(RAW), indent=2).encode(), RAW[:-1] + b',"x":1.0}', RAW[:-1] + ',"x":"é"}'.encode(),
     RAW[:-1] + b',"x":"\\u00e9"}', RAW[:-1] + b',"x":123456789012345678901234567890}'],
)  # fmt: skip
def test_defect_42_the_signature_is_over_the_raw_bytes(world: World, signing_key: dict[str, Any], body: bytes) -> None:
    """HMAC over re-serialised JSON: honest clients failed and duplicate keys passed."""
    assert ok(send_signed(world, signing_key, body))["outcome"] == "stored"
    doubled = RAW[:-1] + b',"tool_name":"Read"}'
    honest = signature(
        base64.b64decode(signing_key["signing_secret"].removeprefix("whsec_")),
        "msg_1",
        str(int(world.time.timestamp())),
        RAW[:-1] + b',"tool_name":"Bash"}',
    )
    refusal(send_signed(world, signing_key, doubled, **{"webhook-signature": honest}), 403, "bad_signature")


def test_defect_43_the_signing_secret_is_separate_timed_and_not_replayable(
    world: World, signing_key: dict[str, Any]
) -> None:
    """The signing key was the bearer token itself, optional, no time, replayable."""
    bearer_signed = signature(signing_key["api_key"].encode(), "msg_1", str(int(world.time.timestamp())), RAW)
    refusal(send_signed(world, signing_key, RAW, **{"webhook-signature": bearer_signed}), 403, "bad_signature")
    refusal(client_with(world, signing_key["api_key"]).post("/api/track", content=RAW), 403, "bad_signature")
    late = {"webhook-timestamp": str(int(world.time.timestamp()) - 301)}
    refusal(send_signed(world, signing_key, RAW, **late), 403, "bad_signature")
    assert [ok(send_signed(world, signing_key, RAW))["outcome"] for _ in range(2)] == ["stored", "duplicate"]


@pytest.mark.parametrize("rubbish", ["x", "=", "00", " x", ",v1"])
def test_defect_44_nothing_may_follow_a_signature(world: World, signing_key: dict[str, Any], rubbish: str) -> None:
    """Trailing rubbish after a valid hex signature passed."""
    secret = base64.b64decode(signing_key["signing_secret"].removeprefix("whsec_"))
    honest = signature(secret, "msg_1", str(int(world.time.timestamp())), RAW)
    refused = send_signed(world, signing_key, RAW, **{"webhook-signature": honest + rubbish})
    if rubbish.startswith(" "):  # a second signature: the first one holds, whole and exactly
        assert ok(refused)["outcome"] == "stored"
    else:
        refusal(refused, 403, "bad_signature")


def test_defect_45_an_expired_key_opens_nothing(world: World) -> None:
    """Expired keys worked for ever."""
    end = world.time + timedelta(days=1)
    key = client_with(world, new_key(world, "bob", "track", "read", expires_at=end.isoformat())["api_key"])
    ok(key.get("/api/me"))
    world.time = end
    refusal(key.get("/api/me"), 401, "not_authenticated")
    refusal(key.post("/api/track", content=RAW), 401, "not_authenticated")
    assert key.post("/api/hooks/claude-code", content=RAW).status_code == 401


def test_defect_46_the_limiter_counts_failures_first_and_says_when_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limiter lived in one process, ran after the database work and ignored failed attempts; no Retry-After.

    One limit over several processes comes with the issue on speed.
    """
    tight = replace(world.runtime.settings, failed_authentication_limit_per_minute=2, track_limit_per_minute=2)
    world.runtime.limiter = Limiter(tight)
    unknown = client_with(world, new_token("live").text)
    for _ in range(2):
        refusal(unknown.get("/api/me"), 401, "not_authenticated")

    def explode(*_args: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(Database, "read", explode)
    monkeypatch.setattr(Database, "write", explode)
    for response in (unknown.get("/api/me"), unknown.post("/api/track", content=RAW)):
        refusal(response, 429, "too_many_requests")
        assert int(response.headers["retry-after"]) >= 1


def test_defect_47_the_hook_shows_its_key_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook put the key on a command line and used predictable files in the shared temp folder."""
    shared = tmp_path / "shared-temp"
    shared.mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("TMPDIR", str(shared))
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    key = new_token("live").text
    monkeypatch.setenv(hook_settings.KEY_VARIABLE, key)
    path = tmp_path / "home" / ".claude" / "settings.json"
    hook_settings.install(path, base_url="http://127.0.0.1:8787", skill="release-notes")
    written = path.read_text()
    assert key not in written
    assert f"${{{hook_settings.KEY_VARIABLE}}}" in written
    entries = [
        entry for groups in json.loads(written)["hooks"].values() for group in groups for entry in group["hooks"]
    ]
    assert {entry["type"] for entry in entries} == {"http"}
    assert not any("command" in entry for entry in entries)
    assert list(shared.iterdir()) == []
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o022 == 0


def test_defect_48_no_route_tells_whether_a_key_is_good_without_a_limit(world: World) -> None:
    """A key-check route without authentication or limit."""
    paths = ok(world.anonymous().get("/openapi.json"))["paths"]
    # Public keys, with which signatures are verified, open nothing.
    about_keys = [path for path in paths if "key" in path and path != "/api/ledger/keys"]
    assert about_keys
    for path in about_keys:
        for method in paths[path]:
            answer = world.anonymous().request(method, path.replace("{key_id}", world.someone("bob").key_id))
            assert answer.status_code == 401, (method, path)
    world.runtime.limiter = Limiter(replace(world.runtime.settings, failed_authentication_limit_per_minute=3))
    unknown = client_with(world, new_token("live").text)
    statuses = [unknown.get("/api/me").status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


# Other


def test_defect_49_a_cost_is_exact_however_small(world: World) -> None:
    """Costs a thousand times too low, rounded per call to nothing."""
    for _ in range(3):
        ok(world.track(model_name="gpt-4o-mini", input_tokens=1, output_tokens=1))
    ok(world.track(model_name="claude-sonnet-4-5", input_tokens=1_000_000, output_tokens=1_000_000))
    costs = sorted(row.estimated_cost_usd or Decimal() for row in rows(world, TokenMeasurement))
    assert costs == [Decimal("0.00000075")] * 3 + [Decimal(18)]
    assert sum(costs) == Decimal("18.00000225")


@pytest.mark.parametrize(
    "file",
    ["consent/test_decision.py", "capture/test_track.py", "identity/test_signatures.py", "identity/test_limiter.py"],
)
def test_defect_50_gate_capture_signature_and_limiter_are_tested(file: str) -> None:
    """No test of the consent gate, capture, signature or limiter."""
    tree = ast.parse((Path(__file__).parent / file).read_text(encoding="utf-8"))
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    assert len(tests) >= 5
    for test in tests:
        checks = {
            node.func.id for node in ast.walk(test) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        asserts = any(isinstance(node, ast.Assert) for node in ast.walk(test)) or "pytest.raises" in ast.unparse(test)
        assert asserts or checks & {"ok", "refusal", "check_refused", "check_retry_after"}, test.name


def test_defect_51_the_documented_routes_are_the_routes(world: World) -> None:
    """The documentation contradicted the code."""
    document = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    described = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/api/[^`?\s]*)`", document))
    paths = ok(world.anonymous().get("/openapi.json"))["paths"]
    served = {
        (method.upper(), path) for path, methods in paths.items() for method in methods if path.startswith("/api/")
    }
    assert described == served


def test_defect_52_migrations_are_one_line_without_a_second_number() -> None:
    """Two migrations with one number."""
    folder = Path(migrate.__file__).parent / "migrations"
    scripts = ScriptDirectory(str(folder))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    files = sorted((folder / "versions").glob("[0-9]*.py"))
    numbers = [int(file.name.split("_")[0]) for file in files]
    assert numbers == list(range(1, len(files) + 1))
    assert all(len(script.nextrev) <= 1 for script in scripts.walk_revisions())
    assert len(list(scripts.walk_revisions())) == len(files)
