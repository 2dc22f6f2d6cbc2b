"""Each law of goldvein has tests here that try to break it; the number in a name is the law's.

Law 8 is tried route by route in test_isolation.py; here the session and the schema below the routes are tried.
"""

import asyncio
import hashlib
import io
import json
import random
import secrets
import sqlite3
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import structlog
from alembic import command
from conftest import START, Templates, World
from sqlalchemy import Engine, MetaData, create_engine, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import IntegrityError, OperationalError

from goldvein.capture import recorder
from goldvein.capture import service as capture
from goldvein.capture.tables import UsageEvent
from goldvein.capture.uses import Prepared
from goldvein.capture.writer import Place, Writer
from goldvein.consent import decision as decisions
from goldvein.consent import service as consent
from goldvein.db import batch
from goldvein.db import engine as engines
from goldvein.db import session as sessions
from goldvein.db.ids import new_id
from goldvein.db.migrate import config_for, upgrade
from goldvein.db.session import Database, TenantViolation
from goldvein.examples import service as examples
from goldvein.feedback.tables import SkillFeedback, TrainingExample
from goldvein.identity import service as identity
from goldvein.sanitizer import SANITIZER_VERSION, SanitizerFailed
from goldvein.skills.tables import Skill
from goldvein.telemetry import configure_logging

SNIPPETS = {"tool_input_snippet": "Write the notes", "tool_output_snippet": "Here they are"}


def owner_engine(url: str) -> Engine:
    """The database as nobody's tenant: row-level security does not bind this connection."""
    parsed = make_url(url)
    return create_engine(parsed.set(username="postgres") if parsed.get_backend_name() == "postgresql" else parsed)


def rows_of(world: World, table: str) -> list[dict[str, Any]]:
    engine = owner_engine(world.owner_url)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]  # noqa: S608
    finally:
        engine.dispose()


def captured_rows(world: World) -> list[dict[str, Any]]:
    return [row for row in rows_of(world, "skill_feedback") if row["source"] == "usage_capture"]


def text_is_stored(world: World, wanted: str) -> bool:
    return any(wanted in repr(cell) or wanted.encode().hex() in repr(cell) for cell in world.every_cell())


def github_token() -> str:
    return "ghp_" + secrets.token_hex(18)


def golden(world: World, **fields: Any) -> Any:
    body = {"example_input": "Write the notes", "example_output": "Here they are", **fields}
    return world.client("alice").post(f"/api/skills/{world.skill_id()}/training-examples", json=body)


def review(world: World, example_id: str, decision: str, **fields: Any) -> Any:
    body = {"decision": decision, **fields}
    return world.client("alice").post(f"/api/training-examples/{example_id}/review", json=body)


def exported(world: World) -> dict[str, bytes]:
    response = world.client("alice").get(f"/api/skills/{world.skill_id()}/export")
    assert response.status_code == 200
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def consents(world: World, name: str) -> bool:
    answer = world.client(name).get("/api/me/preferences").json()["training_data_consent"]
    assert isinstance(answer, bool)
    return answer


def choose(world: World, name: str, *, give: bool) -> Any:
    return world.client(name).patch("/api/me/preferences", json={"training_data_consent": give})


def narrow_client(world: World, name: str, *scopes: str) -> Any:
    """A client whose key carries these scopes and no others."""
    made = world.client(name).post("/api/me/keys", json={"name": "narrow", "scopes": list(scopes)})
    return world.anonymous(Authorization=f"Bearer {made.json()['api_key']}")


def hook_event(**fields: Any) -> dict[str, Any]:
    return {
        "hook_event_name": "PostToolUse",
        "session_id": "s-1",
        "prompt_id": "p-1",
        "tool_name": "Bash",
        "tool_use_id": "toolu_1",
        "tool_input": {"command": "make"},
        "tool_response": {"stdout": "done", "stderr": "", "interrupted": False, "isImage": False},
        **fields,
    }


def send_hook(world: World, name: str, event: dict[str, Any]) -> Any:
    headers = {"X-Goldvein-Skill": "release-notes"}
    return world.client(name).post("/api/hooks/claude-code", json=event, headers=headers)


def raise_(error: Exception) -> Callable[..., Any]:
    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise error

    return fail


def broken_disk() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("disk I/O error"))


# Law 1: no raw text at rest


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, at the most talkative level."""
    stream = io.StringIO()
    configure_logging("debug")
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(stream))
    yield stream
    configure_logging("error")


class Watch:
    """Knows every place where text could come to rest, and looks for a token in all of them."""

    def __init__(self, world: World, templates: Templates, logged: io.StringIO) -> None:
        self.world = world
        self._templates = templates
        self._logged = logged
        self._started = time.time() - 1
        self.token = "zq" + secrets.token_hex(12)

    def finds_nothing(self, *answers: Any) -> None:
        token = self.token
        assert not text_is_stored(self.world, token)
        assert [str(path) for path in self._files() if token.encode() in path.read_bytes()] == []
        counters = self.world.anonymous().get("/metrics")
        assert "goldvein_events_received_total" in counters.text
        assert token not in counters.text
        assert '"event": "request"' in self._logged.getvalue()
        assert token not in self._logged.getvalue()
        for answer in answers:
            assert token not in answer.text, (answer.request.method, answer.request.url.path)
            assert token not in str(answer.headers)

    def _files(self) -> Iterator[Any]:
        yield from (path for path in self.world.data_dir.rglob("*") if path.is_file())
        if not self.world.is_sqlite:  # the server's own log, and what it wrote ahead since this test began
            data = self._templates.postgres.data_folder
            written = [path for path in (data / "pg_wal").iterdir() if path.is_file()]
            yield from (path for path in written if path.stat().st_mtime >= self._started)
            yield data / "log"


@pytest.fixture
def watch(world: World, templates: Templates, logged: io.StringIO) -> Watch:
    return Watch(world, templates, logged)


def test_law_1_the_watch_sees_what_is_stored(watch: Watch) -> None:
    """The other tests of law 1 are worth something only if a token at rest is found."""
    watch.world.capture(text=f"Write {watch.token}")
    with pytest.raises(AssertionError):
        watch.finds_nothing()
    assert any(watch.token.encode() in path.read_bytes() for path in watch._files())


def test_law_1_a_denied_use_leaves_no_text(watch: Watch) -> None:
    texts = {"tool_input_snippet": f"a {watch.token}", "tool_output_snippet": f"b {watch.token}"}
    answers = [
        watch.world.track("erin", **texts),
        watch.world.track("bob", **texts, user_id="someone-else"),
        watch.world.track("erin", **texts, event_id="again"),
        watch.world.track("erin", **texts, event_id="again"),
    ]
    assert [answer.json()["outcome"] for answer in answers] == ["stored", "stored", "stored", "duplicate"]
    assert {answer.json()["capture"]["outcome"] for answer in answers} == {"denied"}
    watch.finds_nothing(*answers)


def test_law_1_ids_that_only_serve_to_compare_are_not_stored(watch: Watch) -> None:
    answer = watch.world.track("bob", **SNIPPETS, event_id=watch.token, user_id=watch.token)
    assert answer.json()["outcome"] == "stored"
    watch.finds_nothing(answer)


def test_law_1_a_use_with_one_snippet_leaves_no_text(watch: Watch) -> None:
    answer = watch.world.track("bob", tool_input_snippet=watch.token)
    assert answer.json()["capture"] == {"outcome": "none", "reason": "no_snippets"}
    watch.finds_nothing(answer)


def test_law_1_another_body_under_a_known_event_id_leaves_no_text(watch: Watch) -> None:
    watch.world.track("bob", **SNIPPETS, event_id="known")
    answer = watch.world.track("bob", tool_input_snippet=watch.token, tool_output_snippet="b", event_id="known")
    assert answer.status_code == 409
    watch.finds_nothing(answer)


def test_law_1_a_refused_field_is_not_quoted(watch: Watch) -> None:
    fields = ("skill_id", "tool_name", "ts", "event_id", "hook_event", "session_id", "skill_digest", "model_name")
    answers = []
    for field in (*fields, "user_id", "latency_ms", "input_tokens"):
        answers.append(watch.world.track("bob", **{**SNIPPETS, field: f"not {watch.token} valid"}))
        assert answers[-1].status_code == 422
        assert answers[-1].json()["error"]["details"]["field"] == field
    watch.finds_nothing(*answers)


REFUSED_BODIES = [
    b'{"skill_id": "%b"',
    b"%b",
    b'["%b"]',
    b'{"tool_input_snippet": "\xff %b"}',
    b'{"tool_input_snippet": "\\ud800 %b"}',
    b'{"%b": 1}',
    b'{"skill_id": "%b", "tool_name": "Bash", "ts": "2026-03-01T12:00:00Z"}',
    b'{"skill_id": "' + b"x" * 300_000 + b'%b"}',
]


def test_law_1_a_refused_body_is_not_quoted(watch: Watch) -> None:
    client, answers = watch.world.client("bob"), []
    for body in REFUSED_BODIES:
        sent = body.replace(b"%b", watch.token.encode())
        several = [client.post(path, content=sent) for path in ("/api/track", "/api/hooks/claude-code", "/api/skills")]
        assert several[0].status_code in {404, 413, 422}
        answers += several
    watch.finds_nothing(*answers)


def test_law_1_a_hook_of_a_person_without_consent_leaves_no_text(watch: Watch) -> None:
    event = hook_event(
        cwd=watch.token, transcript_path=watch.token, tool_input={"command": watch.token}, tool_response=watch.token
    )
    answer = send_hook(watch.world, "erin", event)
    assert answer.json() == {}
    assert [row["capture_reason"] for row in rows_of(watch.world, "usage_events")] == ["no_consent"]
    watch.finds_nothing(answer)


def test_law_1_the_old_content_of_an_edited_file_leaves_no_text(watch: Watch) -> None:
    event = hook_event(
        cwd=watch.token, tool_name="Edit", tool_response={"filePath": "a", "originalFile": watch.token, "n": 1}
    )
    send_hook(watch.world, "bob", event)
    assert [row["capture_outcome"] for row in rows_of(watch.world, "usage_events")] == ["captured"]
    watch.finds_nothing()


@pytest.mark.parametrize("text_in_error", [False, True])
def test_law_1_a_failing_sanitizer_drops_the_text(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, text_in_error: bool
) -> None:
    error = RuntimeError(f"could not read {watch.token}") if text_in_error else SanitizerFailed()
    monkeypatch.setattr(recorder, "sanitize_many", raise_(error))
    answer = watch.world.track("bob", tool_input_snippet=watch.token, tool_output_snippet="b")
    assert captured_rows(watch.world) == []
    watch.finds_nothing(answer)


def test_law_1_a_failing_statement_is_not_quoted(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages of drivers quote their parameters."""
    statement = OperationalError("INSERT", {"example_input": watch.token}, Exception(watch.token))
    monkeypatch.setattr(examples, "captured_row", raise_(statement))
    answer = watch.world.track("bob", **SNIPPETS)
    monkeypatch.setattr(sessions.TenantSession, "commit", raise_(RuntimeError(watch.token)))
    other = watch.world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"})
    assert other.status_code == 500
    watch.finds_nothing(answer, other)


def test_law_1_secrets_in_captured_snippets_are_gone_before_the_disk(watch: Watch) -> None:
    watch.token = github_token()
    answer = watch.world.track("bob", tool_input_snippet=f"use {watch.token}", tool_output_snippet=watch.token)
    assert answer.json()["capture"]["outcome"] == "captured"
    assert captured_rows(watch.world)[0]["example_output"] == "[REDACTED:github_token]"
    watch.finds_nothing(answer)


def test_law_1_a_secret_in_a_name_is_refused(watch: Watch) -> None:
    watch.token = github_token()
    fields = ("tool_name", "hook_event", "session_id", "model_name")
    answers = [watch.world.track("bob", **{field: watch.token}) for field in fields]
    assert [answer.json()["error"]["details"]["field"] for answer in answers] == list(fields)
    watch.finds_nothing(*answers)


def test_law_1_secrets_at_every_other_door_are_gone_before_the_disk(watch: Watch) -> None:
    world = watch.world
    watch.token = github_token()
    text_with_secret = f"please use {watch.token}"
    alice, skill = world.client("alice"), world.skill_id()
    made = golden(
        world, example_input=text_with_secret, example_output=text_with_secret, expected_output=text_with_secret
    )
    example = f"/api/training-examples/{world.capture()}"
    wish = {"skill_id": skill, "category": "error", "severity": "critical", "comment": text_with_secret}
    suggestion = world.client("bob").post("/api/feedback", json={**wish, "feedback_type": "suggestion"})
    stored = [
        made,
        suggestion,
        world.client("bob").post(
            "/api/feedback", json={"skill_id": skill, "feedback_type": "thumbs_up", "comment": text_with_secret}
        ),
        alice.patch(f"/api/feedback/{suggestion.json()['id']}", json={"reply": text_with_secret}),
        alice.patch(
            example,
            json={
                "example_input": text_with_secret,
                "example_output": text_with_secret,
                "expected_output": text_with_secret,
                "review_notes": text_with_secret,
            },
        ),
        alice.post(
            f"{example}/review",
            json={"decision": "approve", "expected_output": text_with_secret, "notes": text_with_secret},
        ),
    ]
    assert [answer.status_code for answer in stored] == [201, 201, 201, 200, 200, 200]
    refused = [
        alice.patch(f"/api/skills/{skill}", json={"body": text_with_secret}),
        alice.patch(f"/api/skills/{skill}", json={"description": text_with_secret}),
        alice.post("/api/skills", json={"slug": "other", "name": text_with_secret}),
    ]
    assert [answer.status_code for answer in refused] == [422, 422, 422]
    watch.finds_nothing(*stored, *refused)


@pytest.mark.parametrize("name", ["erin", "alice", "dana"])
def test_law_1_no_answer_quotes_what_was_refused(watch: Watch, name: str) -> None:
    """Error texts end up in the logs of whoever called: they name the field and the limit, never the value."""
    world, token = watch.world, watch.token
    client, example = world.client(name), world.capture()
    skill = f"/api/skills/{world.skill_id()}"
    answers = [
        client.post("/api/skills", json={"slug": "other", "name": "Other", token: 1}),
        client.patch("/api/me/preferences", json={"display": "name", token: token}),
        client.post("/api/skills", json={"slug": f"{token} no", "name": ""}),
        client.get(f"/api/skills/{token}"),
        client.get(f"/{token}"),
        client.get(f"{skill}/training-examples", params={"status": token}),
        client.get(f"{skill}/training-examples", params={"cursor": token, "limit": token}),
        client.get(f"{skill}/export", params={"format": token}),
        client.post(f"{skill}/training-examples", json={"example_input": 1, "example_output": token, token: token}),
        client.post(f"{skill}/training-examples", json={"example_input": token, "example_output": token * 900}),
        client.patch(f"/api/training-examples/{example}", json={"quality_score": token}),
        client.patch(f"/api/training-examples/{example}", json={}, headers={"If-Match": token}),
        client.post(f"/api/training-examples/{example}/review", json={"decision": token}),
        client.post(f"/api/training-examples/{example}/review", json={"decision": "approve", "output_verdict": token}),
        client.post("/api/feedback", json={"skill_id": world.skill_id(), "feedback_type": token}),
        client.post("/api/feedback", json={"skill_id": token, "feedback_type": "thumbs_up"}),
        client.post("/api/me/consent", json={"decision": token}),
        client.post("/api/me/consent", json={"decision": "give", "purposes": [token]}),
        client.post("/api/me/consent", json={"decision": "give", "notice_version": token}),
        client.post("/api/me/keys", json={"name": "x", "scopes": [token]}),
        client.patch("/api/me/preferences", json={"display": token}),
        client.post("/api/invitations", json={"email": token, "name": "x"}),
        client.post("/api/invitations", json={"email": "a@b.example", "name": "x", "role": token}),
        world.anonymous(Authorization=f"Bearer {token}").get("/api/me"),
    ]
    assert all(400 <= answer.status_code < 500 for answer in answers)
    watch.finds_nothing(*answers)


# Law 2: no capture without two consents


def test_law_2_both_gates_are_off_until_someone_opens_them(world: World) -> None:
    with world.database.write_across_tenants() as session:
        tenant = identity.create_tenant(session, name="Initech", now=START)
        membership = identity.invite(
            session, tenant_id=tenant.id, email="fay@initech.example", name="Fay", role="admin", now=START
        )
        membership.accepted_at = START
        cookie = identity.start_session(
            session, world.runtime.server_key, membership, now=START, lifetime=timedelta(days=1)
        )
    fay = world.browser("bob")
    fay.cookies.clear()
    fay.cookies.set("goldvein_session", cookie)
    assert fay.get("/api/settings").json()["training_data_capture_enabled"] is False
    assert fay.get("/api/me/preferences").json()["training_data_consent"] is False
    fay.post("/api/skills", json={"slug": "notes", "name": "Notes"})
    key = fay.post("/api/me/keys", json={"name": "k", "scopes": ["track"]}).json()["api_key"]

    def reason() -> Any:
        body = {"skill_id": "notes", "tool_name": "Bash", "ts": START.isoformat(), **SNIPPETS}
        return world.anonymous(Authorization=f"Bearer {key}").post("/api/track", json=body).json()["capture"]["reason"]

    assert reason() == "tenant_switch_off"
    fay.patch("/api/settings", json={"training_data_capture_enabled": True})
    assert reason() == "no_consent"
    fay.patch("/api/settings", json={"training_data_capture_enabled": False})
    fay.patch("/api/me/preferences", json={"training_data_consent": True})
    assert reason() == "tenant_switch_off"
    assert captured_rows(world) == []


@pytest.mark.parametrize(
    ("name", "sent", "days", "reason"),
    [
        ("erin", {}, 0, "no_consent"),
        ("alice", {}, 0, "no_consent"),
        ("bob", {"body": {"user_id": "erin@acme.example"}}, 0, "person_mismatch"),
        ("bob", {"headers": {"Sec-GPC": "1"}}, 0, "opted_out"),
        ("bob", {"headers": {"DNT": "1"}}, 0, "opted_out"),
        ("bob", {"headers": {"DNT": "", "Sec-GPC": "0"}}, 0, None),
        ("bob", {}, 365, "expired"),
        ("bob", {}, 364, None),
    ],
)
def test_law_2_anything_but_a_yes_in_force_is_a_no(
    world: World, name: str, sent: dict[str, dict[str, str]], days: int, reason: str | None
) -> None:
    world.time += timedelta(days=days)
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), **SNIPPETS}
    body |= sent.get("body", {})
    answer = world.client(name).post("/api/track", json=body, headers=sent.get("headers", {})).json()
    assert answer["capture"]["reason"] == reason
    assert len(captured_rows(world)) == (reason is None)


def test_law_2_a_key_without_a_person_captures_nothing(world: World) -> None:
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), **SNIPPETS}
    client = world.anonymous(Authorization=f"Bearer {world.seed.service_key}")
    for named in ({}, {"user_id": world.someone("bob").person_id}, {"user_id": "bob@acme.example"}):
        assert client.post("/api/track", json={**body, **named}).json()["capture"]["reason"] == "no_person"
    assert captured_rows(world) == []


def test_law_2_nothing_is_captured_after_a_withdrawal_until_the_next_yes(world: World) -> None:
    world.capture()
    choose(world, "bob", give=False)
    assert world.track("bob", **SNIPPETS).json()["capture"] == {"outcome": "denied", "reason": "withdrawn"}
    choose(world, "bob", give=True)
    assert world.track("bob", **SNIPPETS).json()["capture"]["outcome"] == "captured"


def test_law_2_the_switch_stops_capture_at_once(world: World) -> None:
    world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False})
    assert world.track("bob", **SNIPPETS).json()["capture"]["reason"] == "tenant_switch_off"
    assert captured_rows(world) == []


def test_law_2_consent_for_one_skill_is_no_consent_for_another(world: World) -> None:
    world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"})
    world.client("bob").post("/api/me/consent", json={"decision": "give", "skills": ["other"]})
    assert world.track("bob", **SNIPPETS).json()["capture"]["reason"] == "skill_not_covered"
    assert world.track("bob", **SNIPPETS, skill_id="other").json()["capture"]["outcome"] == "captured"


def test_law_2_a_consent_that_reads_as_no_captures_nothing(world: World) -> None:
    """Consent to sharing outside alone is not what the tenant's capture asks for, and the preferences say so."""
    body = {"decision": "give", "purposes": ["sharing_outside_tenant"]}
    assert world.client("bob").post("/api/me/consent", json=body).status_code == 200
    assert consents(world, "bob") is False
    assert world.track("bob", **SNIPPETS).json()["capture"]["outcome"] == "denied"


@pytest.mark.parametrize("change", ["withdrawal", "switch"])
def test_law_2_a_no_between_the_first_look_and_the_transaction_wins(
    world: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    store = Writer.store

    async def say_no_then_store(writer: Writer, uses: Sequence[Prepared], place: Place) -> Any:
        assert uses[0].texts is not None
        await asyncio.get_running_loop().run_in_executor(None, say_no)
        return await store(writer, uses, place)

    def say_no() -> None:
        if change == "withdrawal":
            assert choose(world, "bob", give=False).status_code == 200
        else:
            off = {"training_data_capture_enabled": False}
            assert world.client("dana").patch("/api/settings", json=off).status_code == 200

    monkeypatch.setattr(Writer, "store", say_no_then_store)
    reason = {"withdrawal": "withdrawn", "switch": "tenant_switch_off"}[change]
    assert world.track("bob", **SNIPPETS).json()["capture"] == {"outcome": "denied", "reason": reason}
    assert captured_rows(world) == []


def test_law_2_no_example_outlives_a_withdrawal_among_many_captures(world: World) -> None:
    answers: list[Any] = []
    first = threading.Barrier(9)

    def report_uses() -> None:
        client = world.client("bob")
        body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), **SNIPPETS}
        answers.append(client.post("/api/track", json=body).json()["capture"])
        first.wait()
        answers.extend(client.post("/api/track", json=body).json()["capture"] for _ in range(12))

    threads = [threading.Thread(target=report_uses) for _ in range(8)]
    for thread in threads:
        thread.start()
    first.wait()
    started = time.monotonic()
    assert choose(world, "bob", give=False).status_code == 200
    assert time.monotonic() - started < 15  # captures do not starve a withdrawal
    for thread in threads:
        thread.join()
    captured = [answer for answer in answers if answer["outcome"] == "captured"]
    rows = captured_rows(world)
    assert len(answers) == 8 * 13
    assert len(rows) == len(captured) >= 8
    assert {row["status"] for row in rows} == {"withdrawn"}
    assert {row["example_input"] for row in rows} == {None}
    assert world.track("bob", **SNIPPETS).json()["capture"]["reason"] == "withdrawn"


def test_law_2_an_error_while_deciding_is_a_no(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "decide", raise_(RuntimeError("consent cannot be read")))
    answer = world.track("bob", **SNIPPETS)
    assert captured_rows(world) == []
    assert answer.status_code == 200
    assert answer.json()["capture"]["outcome"] in {"denied", "failed"}


# Law 3: withdrawing is as easy as giving, and it reaches the data


def _full_example(world: World, word: str) -> str:
    """An approved captured example that has every text there is, and a former version of each."""
    example_id = world.capture(text=f"in {word}", answer=f"out {word}", event_id=f"event-{word}")
    edit = {"expected_output": f"better {word}", "review_notes": f"notes {word}", "example_input": f"edited {word}"}
    assert world.client("alice").patch(f"/api/training-examples/{example_id}", json=edit).status_code == 200
    done = review(world, example_id, "approve", quality_score=7, expected_output=f"best {word}")
    assert done.status_code == 200
    return example_id


@pytest.mark.parametrize("way", ["preferences with any key", "consent with any key", "preferences", "consent"])
def test_law_3_withdrawing_is_one_call_and_takes_everything(world: World, way: str) -> None:
    word = "marigold"
    example_id = _full_example(world, word)
    assert text_is_stored(world, word)
    assert exported(world)["examples.jsonl"] != b""
    client = narrow_client(world, "bob", "track") if way.endswith("any key") else world.browser("bob")
    if way.startswith("preferences"):
        assert client.patch("/api/me/preferences", json={"training_data_consent": False}).status_code == 200
    else:
        answer = client.post("/api/me/consent", json={"decision": "withdraw"})
        assert (answer.status_code, answer.json()["erased_examples"]) == (200, 1)
    assert consents(world, "bob") is False
    row = next(row for row in captured_rows(world) if str(row["id"]).replace("-", "") == example_id.replace("-", ""))
    left = ("example_input", "example_output", "expected_output", "review_notes", "quality_score", "findings")
    assert {name: row[name] for name in left} == dict.fromkeys(left)
    assert row["status"] == "withdrawn"
    assert rows_of(world, "example_revisions") == []
    assert {event["body_hash"] for event in rows_of(world, "known_events")} == {None}
    assert not text_is_stored(world, word)
    assert exported(world)["examples.jsonl"] == b""
    assert word not in world.client("alice").get(f"/api/training-examples/{example_id}").text
    assert word not in world.client("bob").get("/api/me/data").text


def test_law_3_erased_text_is_overwritten_in_the_file(world: World) -> None:
    _full_example(world, "marigold")
    choose(world, "bob", give=False)
    world.database.close()
    if world.is_sqlite:
        engine = owner_engine(world.owner_url)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
    files = [path for path in world.data_dir.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files) == world.is_sqlite
    assert [path.name for path in files if b"marigold" in path.read_bytes()] == []


def test_law_3_nothing_brings_a_withdrawn_example_back(world: World) -> None:
    example_id = _full_example(world, "marigold")
    choose(world, "bob", give=False)
    choose(world, "bob", give=True)
    same = {"tool_input_snippet": "in marigold", "tool_output_snippet": "out marigold", "event_id": "event-marigold"}
    assert world.track("bob", **same).json()["outcome"] == "duplicate"
    for decision in ("approve", "reject", "quarantine", "reopen"):
        assert review(world, example_id, decision).status_code == 409
    edit = {"example_input": "a", "example_output": "b"}
    assert world.client("alice").patch(f"/api/training-examples/{example_id}", json=edit).status_code == 409
    assert [row["status"] for row in captured_rows(world)] == ["withdrawn"]
    assert not text_is_stored(world, "marigold")
    assert exported(world)["examples.jsonl"] == b""


def test_law_3_a_withdrawal_that_cannot_erase_does_not_happen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both or neither: a no that leaves the text would be a lie, an erasure without the no as well."""
    world.capture(text="marigold")
    with monkeypatch.context() as patch:
        patch.setattr(capture, "forget_bodies", raise_(broken_disk()))
        assert choose(world, "bob", give=False).status_code == 503
    assert consents(world, "bob") is True
    assert [row["status"] for row in captured_rows(world)] == ["pending"]


def test_law_3_an_edit_that_began_before_the_withdrawal_leaves_no_text(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The author has the example open in a transaction while its person withdraws: one of them comes first."""
    example_id = world.capture(text="marigold")
    edit = examples._edit_texts
    withdrawn: list[int] = []

    def withdraw() -> None:
        withdrawn.append(choose(world, "bob", give=False).status_code)

    withdrawing = threading.Thread(target=withdraw)

    def edit_meanwhile(*args: Any) -> None:
        withdrawing.start()
        withdrawing.join(timeout=1)
        edit(*args)

    monkeypatch.setattr(examples, "_edit_texts", edit_meanwhile)
    path = f"/api/training-examples/{example_id}"
    answer = world.client("alice").patch(path, json={"expected_output": "marigold edited"})
    withdrawing.join()
    assert withdrawn == [200]
    assert answer.status_code in {200, 409}
    assert [row["status"] for row in captured_rows(world)] == ["withdrawn"]
    assert not text_is_stored(world, "marigold")


def test_law_3_erasing_is_not_withdrawing(world: World) -> None:
    first, second = world.capture(text="marigold one"), world.capture(text="marigold two")
    one = world.client("bob").delete(f"/api/me/data/{first}").json()
    assert one == {"erased_examples": 1, "training_data_consent": True}
    assert not text_is_stored(world, "marigold one")
    assert text_is_stored(world, "marigold two")
    assert world.client("alice").delete(f"/api/me/data/{second}").status_code == 404
    rest = world.client("bob").delete("/api/me/data").json()
    assert rest == {"erased_examples": 1, "training_data_consent": True}
    assert not text_is_stored(world, "marigold")
    assert consents(world, "bob") is True
    assert world.track("bob", **SNIPPETS).json()["capture"]["outcome"] == "captured"


def test_law_3_one_persons_withdrawal_leaves_the_examples_of_others(world: World) -> None:
    choose(world, "erin", give=True)
    world.capture("erin", text="of erin")
    world.capture("bob", text="of bob")
    golden(world, example_input="of alice")
    choose(world, "bob", give=False)
    assert [text_is_stored(world, f"of {name}") for name in ("erin", "bob", "alice")] == [True, False, True]


def test_law_3_giving_needs_more_than_withdrawing(world: World) -> None:
    choose(world, "bob", give=False)
    tracker = narrow_client(world, "bob", "track", "read", "review", "export")
    for answer in (
        tracker.patch("/api/me/preferences", json={"training_data_consent": True}),
        tracker.post("/api/me/consent", json={"decision": "give"}),
    ):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "missing_scope"
    assert consents(world, "bob") is False


# Law 4: acknowledged means durable


def test_law_4_a_failed_commit_is_a_503_and_stores_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.every_cell()
    requests = [
        lambda: world.track("bob", **SNIPPETS),
        lambda: golden(world),
        lambda: choose(world, "bob", give=False),
        lambda: world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(sessions.TenantSession, "commit", raise_(broken_disk()))
        patch.setattr(batch.Transaction, "commit", raise_(sqlite3.OperationalError("disk I/O error")))
        for request in requests:
            answer = request()
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "store_unavailable"
            assert int(answer.headers["Retry-After"]) >= 1
    assert world.every_cell() == before
    assert world.metric("goldvein_events_total", door="track", outcome="stored", reason="") == 0
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="store_unavailable") == 1
    assert [request().status_code for request in requests] == [200, 201, 200, 200]


class TestLaw4OnSqlite:
    """What another process can do to a file."""

    @pytest.fixture
    def store(self) -> str:
        return "sqlite"

    def test_law_4_a_locked_store_is_a_503_and_stores_nothing_in_part(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(engines._SQLITE_PRAGMAS, "busy_timeout", "50")
        world.database.close()
        before = world.every_cell()
        other = owner_engine(world.owner_url)
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            answers = [world.track("bob", **SNIPPETS), golden(world), choose(world, "bob", give=False)]
            hook = send_hook(world, "bob", hook_event())
            connection.exec_driver_sql("ROLLBACK")
        other.dispose()
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
        assert (hook.status_code, hook.json()) == (200, {})
        assert world.every_cell() == before
        assert world.track("bob", **SNIPPETS).status_code == 200

    def test_law_4_a_writer_that_never_ends_does_not_hold_the_others_for_ever(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sessions, "_WRITE_LOCK_SECONDS", 0.05)
        with world.database.write(world.someone("bob").tenant_id):
            answer = world.track("bob", **SNIPPETS)
        assert answer.status_code == 503
        assert rows_of(world, "usage_events") == []


def test_law_4_an_acknowledged_event_is_seen_by_every_other_connection(world: World) -> None:
    answer = world.track("bob", **SNIPPETS)
    stored = rows_of(world, "usage_events")
    assert [str(row["id"]).replace("-", "") for row in stored] == [answer.json()["event_id"].replace("-", "")]


def test_law_4_commits_wait_for_the_disk(world: World) -> None:
    question = "PRAGMA synchronous" if world.is_sqlite else "SHOW synchronous_commit"
    with world.database.engine.connect() as connection:
        assert connection.exec_driver_sql(question).scalar() in {2, "on"}


def test_law_4_the_same_event_sent_twice_is_stored_once(world: World) -> None:
    first, second = (world.track("bob", **SNIPPETS, event_id="toolu_1").json() for _ in range(2))
    assert (first.pop("outcome"), second.pop("outcome")) == ("stored", "duplicate")
    assert first == second
    assert (len(rows_of(world, "usage_events")), len(captured_rows(world))) == (1, 1)


def test_law_4_the_same_event_sent_by_two_people_is_two_events(world: World) -> None:
    assert [world.track(name, event_id="toolu_1").json()["outcome"] for name in ("bob", "erin")] == ["stored", "stored"]


def test_law_4_the_same_event_sent_sixteen_times_at_once_is_stored_once(world: World) -> None:
    answers: list[Any] = []
    together = threading.Barrier(16)

    def report() -> None:
        client = world.client("bob")
        body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), "event_id": "toolu_1"}
        together.wait()
        answers.append(client.post("/api/track", json={**body, **SNIPPETS}))

    threads = [threading.Thread(target=report) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    outcomes = sorted(answer.json()["outcome"] for answer in answers)
    assert outcomes == ["duplicate"] * 15 + ["stored"]
    assert len({answer.json()["event_id"] for answer in answers}) == 1
    assert (len(rows_of(world, "usage_events")), len(captured_rows(world))) == (1, 1)


def test_law_4_the_first_calls_of_a_turn_at_once_lose_nothing(world: World) -> None:
    """Parallel tool calls tell of the same turn at the same time."""
    together = threading.Barrier(8)

    def report(number: int) -> None:
        client = world.client("bob")
        event = hook_event(tool_name="Skill", tool_input={"skill": "release-notes"}, tool_use_id=f"toolu_{number}")
        together.wait()
        client.post("/api/hooks/claude-code", json=event)

    threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows_of(world, "usage_events")) == 8
    assert world.metric_sum("goldvein_events_total", door="hook", outcome="rejected") == 0


def _mixed_calls(world: World, chance: random.Random) -> Iterator[Callable[[], Any]]:
    """Calls of every outcome, in no order."""
    bob, erin, nobody = world.client("bob"), world.client("erin"), world.anonymous(Authorization="Bearer gv_live_x")
    reader = narrow_client(world, "bob", "read")
    service = world.anonymous(Authorization=f"Bearer {world.seed.service_key}")
    body = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    both = {**body, **SNIPPETS}
    calls: list[Callable[[], Any]] = [
        lambda: bob.post("/api/track", json=both),
        lambda: bob.post("/api/track", json=body),
        lambda: erin.post("/api/track", json=both),
        lambda: service.post("/api/track", json=both),
        lambda: bob.post("/api/track", json={**both, "event_id": f"e{chance.randrange(4)}"}),
        lambda: bob.post("/api/track", json={**both, "event_id": f"e{chance.randrange(4)}", "latency_ms": 7}),
        lambda: bob.post("/api/track", json={**both, "skill_id": "no-such-skill"}),
        lambda: bob.post("/api/track", json={**both, "ts": "yesterday"}),
        lambda: bob.post("/api/track", content=b"x" * 300_000),
        lambda: bob.post("/api/track", content=b"{"),
        lambda: nobody.post("/api/track", json=both),
        lambda: reader.post("/api/track", json=both),
        lambda: send_hook(world, "bob", hook_event(tool_use_id=f"t{chance.randrange(6)}")),
        lambda: send_hook(world, "bob", hook_event(tool_response="x" * 70_000, tool_use_id=secrets.token_hex(4))),
        lambda: bob.post("/api/hooks/claude-code", json=hook_event(prompt_id="unknown")),
        lambda: bob.post("/api/hooks/claude-code", json={"hook_event_name": "Stop"}),
        lambda: bob.post("/api/hooks/claude-code", content=b"[1"),
        lambda: choose(world, "erin", give=chance.random() < 0.5),
    ]
    yield from calls
    yield from (chance.choice(calls) for _ in range(180))


def test_law_4_the_counters_add_up_exactly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, sent, failed = random.Random(58), 0, 0  # noqa: S311 (a repeatable mixture, not a secret)
    sanitize = recorder.sanitize_many
    for call in _mixed_calls(world, chance):
        broken = chance.random() < 0.1
        monkeypatch.setattr(recorder, "sanitize_many", raise_(SanitizerFailed()) if broken else sanitize)
        request = call().request
        sent += request.url.path in {"/api/track", "/api/hooks/claude-code"}
        failed += broken
    received = {door: world.metric("goldvein_events_received_total", door=door) for door in ("track", "hook")}
    assert sum(received.values()) == sent
    for door, number in received.items():
        parts = {
            outcome: world.metric_sum("goldvein_events_total", door=door, outcome=outcome)
            for outcome in ("stored", "duplicate", "rejected")
        }
        assert sum(parts.values()) == number
        assert min(parts.values()) > 0
    events = rows_of(world, "usage_events")
    assert world.metric_sum("goldvein_events_total", outcome="stored") == len(events)
    for outcome in ("captured", "denied", "none", "failed"):
        number = sum(row["capture_outcome"] == outcome for row in events)
        assert world.metric_sum("goldvein_captures_total", outcome=outcome) == number > 0
    assert len(captured_rows(world)) == world.metric_sum("goldvein_captures_total", outcome="captured")
    reasons = {(row["capture_outcome"], row["capture_reason"] or "") for row in events}
    for outcome, reason in reasons:
        number = sum((row["capture_outcome"], row["capture_reason"] or "") == (outcome, reason) for row in events)
        assert world.metric("goldvein_captures_total", outcome=outcome, reason=reason) == number
    assert failed > 0


# Law 5: capture never gets in the way of the skill


def test_law_5_a_failing_sanitizer_does_not_fail_the_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "sanitize_many", raise_(SanitizerFailed()))
    answer = world.track("bob", **SNIPPETS, model_name="some-model", input_tokens=3)
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "stored"
    assert answer.json()["capture"] == {"outcome": "failed", "reason": "sanitizer_failed"}
    assert (len(rows_of(world, "usage_events")), len(rows_of(world, "token_measurements"))) == (1, 1)
    assert world.metric("goldvein_captures_total", outcome="failed", reason="sanitizer_failed") == 1


def test_law_5_a_failing_capture_does_not_fail_the_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "captured_row", raise_(RuntimeError("a bug")))
    answer = world.track("bob", **SNIPPETS, model_name="some-model", input_tokens=3)
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "stored"
    assert answer.json()["capture"]["outcome"] == "failed"
    assert (len(rows_of(world, "usage_events")), len(rows_of(world, "token_measurements"))) == (1, 1)
    assert captured_rows(world) == []


def test_law_5_a_refused_capture_does_not_fail_the_event(world: World) -> None:
    answer = world.track("erin", **SNIPPETS, model_name="some-model", input_tokens=3)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "stored")
    assert (len(rows_of(world, "usage_events")), len(rows_of(world, "token_measurements"))) == (1, 1)


@pytest.mark.parametrize("error", [broken_disk(), RuntimeError("a bug")])
def test_law_5_a_hook_is_answered_with_nothing_to_say_whatever_happens(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(Writer, "store", raise_(error))
    answer = send_hook(world, "bob", hook_event())
    assert (answer.status_code, answer.json()) == (200, {})
    assert world.metric_sum("goldvein_events_total", door="hook", outcome="rejected") == 1


# Law 6: a captured example is only a candidate


def test_law_6_a_captured_example_is_pending_until_its_author_says_otherwise(world: World) -> None:
    example_id = world.capture()
    row = world.client("alice").get(f"/api/training-examples/{example_id}").json()
    assert (row["status"], row["reviewed_by"], row["output_verdict"]) == ("pending", None, None)
    assert exported(world)["examples.jsonl"] == b""
    for name, status in (("bob", 403), ("dana", 403), ("erin", 403), ("charlie", 404)):
        path = f"/api/training-examples/{example_id}"
        client = world.client(name)
        assert client.post(f"{path}/review", json={"decision": "approve"}).status_code == status
        assert client.patch(path, json={"expected_output": "x"}).status_code == status
        assert client.delete(path).status_code == status
    assert world.client("alice").patch(f"/api/training-examples/{example_id}", json={"status": "approved"}).is_error
    assert [row["status"] for row in captured_rows(world)] == ["pending"]
    assert review(world, example_id, "approve").status_code == 200
    assert exported(world)["examples.jsonl"] != b""


def test_law_6_only_the_author_adds_golden_examples(world: World) -> None:
    body = {"example_input": "a", "example_output": "b"}
    path = f"/api/skills/{world.skill_id()}/training-examples"
    for name in ("bob", "dana", "erin"):
        answer = world.client(name).post(path, json=body)
        assert answer.status_code == 403
        assert answer.json()["error"]["message"] == "Only the skill author can add training examples."
    assert world.client("charlie").post(path, json=body).status_code == 404
    assert world.anonymous().post(path, json=body).status_code == 401
    assert [row for row in rows_of(world, "skill_feedback") if row["feedback_type"] == "training_example"] == []
    assert world.client("alice").post(path, json=body).json()["status"] == "approved"


def test_law_6_an_example_whose_consent_is_gone_cannot_be_approved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if an erasure had missed it."""
    example_id = world.capture()
    monkeypatch.setattr(examples, "erase_captured", lambda *_args, **_kwargs: [])
    choose(world, "bob", give=False)
    assert [row["status"] for row in captured_rows(world)] == ["pending"]
    assert review(world, example_id, "approve").status_code == 403


# Law 7: training examples are not sentiment


def test_law_7_examples_of_every_status_leave_the_aggregates_alone(world: World) -> None:
    skill = world.skill_id()
    wish = {"comment": "Please add dates", "category": "missing_feature", "severity": "important"}
    for name, fields in (
        ("bob", {"feedback_type": "thumbs_up"}),
        ("erin", {"feedback_type": "thumbs_up"}),
        ("dana", {"feedback_type": "thumbs_down"}),
        ("bob", {"feedback_type": "suggestion", **wish}),
        ("erin", {"feedback_type": "bug_report", **wish}),
    ):
        assert world.client(name).post("/api/feedback", json={"skill_id": skill, **fields}).status_code == 201
    before = world.client("bob").get(f"/api/skills/{skill}/feedback").json()
    assert before["aggregates"] == {
        "thumbs_up": 2, "thumbs_down": 1, "suggestions": 1, "bug_reports": 1,
        "total": 5, "total_votes": 3, "percent_positive": 67,
    }  # fmt: skip
    choose(world, "erin", give=True)
    world.capture("erin")
    choose(world, "erin", give=False)
    for decision in ("approve", "reject", "quarantine"):
        assert review(world, world.capture(), decision).status_code == 200
    world.capture()
    golden(world, quality_score=1)
    _expire(world, world.capture())
    counts = world.client("bob").get(f"/api/skills/{skill}/training-examples/count").json()
    assert counts["status"] == {
        "withdrawn": 1, "approved": 2, "rejected": 1, "quarantined": 1, "pending": 1, "expired": 1,
    }  # fmt: skip
    assert world.client("bob").get(f"/api/skills/{skill}/feedback").json() == before


def _expire(world: World, example_id: str) -> None:
    with world.database.write(world.someone("bob").tenant_id) as session:
        example = session.scalars(select(TrainingExample).where(TrainingExample.id == example_id)).one()
        example.status = "expired"
        example.example_input = example.example_output = example.findings = None


def test_law_7_examples_are_no_feedback_to_answer(world: World) -> None:
    example_id = world.capture()
    answer = world.client("alice").patch(f"/api/feedback/{example_id}", json={"status": "accepted"})
    assert answer.status_code == 404
    body = {"skill_id": world.skill_id(), "feedback_type": "training_example"}
    assert world.client("alice").post("/api/feedback", json=body).status_code == 422


# Law 8: a tenant sees only itself (route by route: test_isolation.py)


def test_law_8_a_session_finds_no_row_of_another_tenant(world: World) -> None:
    example_id = world.capture()
    acme, globex = world.someone("alice").tenant_id, world.someone("charlie").tenant_id
    wanted = [(Skill, world.skill_id()), (TrainingExample, example_id), (SkillFeedback, example_id)]
    with world.database.read(acme) as session:
        assert all(session.get(kind, (acme, row_id)) is not None for kind, row_id in wanted)
    with world.database.read(globex) as session:
        for kind, row_id in wanted:
            assert session.get(kind, (acme, row_id)) is None
            assert session.scalar(select(kind).where(kind.id == row_id)) is None
            assert session.scalar(select(kind.id).where(kind.tenant_id == acme)) is None
        assert session.scalars(select(UsageEvent)).all() == []


@pytest.mark.parametrize("change", ["new", "moved", "deleted"])
def test_law_8_a_session_writes_no_row_of_another_tenant(world: World, change: str) -> None:
    acme, globex = world.someone("alice").tenant_id, world.someone("charlie").tenant_id
    with world.database.read(acme) as session:
        foreign = session.scalars(select(Skill)).one()
    fields = {"slug": "x", "name": "x", "description": "", "created_at": START, "updated_at": START}

    def write() -> None:
        with world.database.write(globex) as session:
            if change == "new":
                session.add(Skill(tenant_id=acme, author_id=world.someone("alice").person_id, **fields))
            elif change == "moved":
                session.scalars(select(Skill)).one().tenant_id = acme
            else:
                session.add(foreign)
                session.delete(foreign)

    with pytest.raises(TenantViolation):
        write()
    assert sorted(row["slug"] for row in rows_of(world, "skills")) == ["globex-notes", "release-notes"]


@pytest.mark.parametrize(
    "statement",
    [
        text("SELECT * FROM skills"),
        text("DELETE FROM skills"),
        insert(Skill),
        insert(Skill.__table__),
        select(Skill.__table__),
        Skill.__table__.delete(),
    ],
    ids=["text select", "text delete", "orm insert", "core insert", "core select", "core delete"],
)
def test_law_8_a_session_refuses_statements_it_cannot_filter(world: World, statement: Any) -> None:
    with world.database.write(world.someone("charlie").tenant_id) as session, pytest.raises(TenantViolation):
        session.execute(statement)


def test_law_8_a_session_across_tenants_sees_identities_and_nothing_else(world: World) -> None:
    world.capture()
    with world.database.read_across_tenants() as session:
        for kind in (Skill, TrainingExample, UsageEvent):
            with pytest.raises(TenantViolation):
                session.scalars(select(kind)).all()


def test_law_8_a_reference_to_another_tenant_cannot_be_stored(world: World) -> None:
    """Even code that writes around the sessions, as the owner of the tables, meets the composite foreign keys."""
    world.capture()
    globex, charlie = world.someone("charlie").tenant_id, world.someone("charlie")
    engine = owner_engine(world.owner_url)
    if world.is_sqlite:
        listen(engine, "connect", lambda connection, _entry: connection.execute("PRAGMA foreign_keys = ON"))
    metadata = MetaData()
    metadata.reflect(engine)
    event = rows_of(world, "usage_events")[0]
    base = {"tenant_id": globex, "feedback_type": "thumbs_up", "revision": 1, "created_at": START, "updated_at": START}
    vote = {**base, "skill_id": world.skill_id("globex-notes"), "user_id": charlie.person_id}
    foreign = {
        "skill_id": world.skill_id(),
        "user_id": world.someone("alice").person_id,
        "usage_event_id": event["id"],
        "replied_by": world.someone("alice").person_id,
    }
    table = metadata.tables["skill_feedback"]
    clean = {name: _stored_id(world, value) for name, value in vote.items()}
    for name, value in foreign.items():
        row = {**clean, "id": _stored_id(world, new_id()), name: _stored_id(world, value)}
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(insert(table).values(row))
    with engine.begin() as connection:
        connection.execute(insert(table).values({**clean, "id": _stored_id(world, new_id())}))
    engine.dispose()


def _stored_id(world: World, value: Any) -> Any:
    """An id in the form a reflected table takes: SQLite holds 32 digits without hyphens."""
    return value.replace("-", "") if world.is_sqlite and isinstance(value, str) and len(value) == 36 else value


# Law 9: every exported row can be explained


def test_law_9_every_exported_row_names_what_it_stands_on(world: World) -> None:
    digest = world.client("alice").get(f"/api/skills/{world.skill_id()}").json()["skill_digest"]
    captured = world.capture(skill_digest=digest, text="mail me at someone@example.org")
    review(world, captured, "approve")
    made = golden(world, quality_score=9).json()["id"]
    files = exported(world)
    manifest = json.loads(files["manifest.json"])
    lines = files["examples.jsonl"].splitlines(keepends=True)
    assert len(lines) == len(manifest["rows"]) == manifest["counts"]["rows"] == 2
    for name, described in manifest["files"].items():
        assert described == {"sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])}
    rows = {row["example_id"]: row for row in manifest["rows"]}
    assert set(rows) == {captured, made}
    assert [row["sha256"] for row in manifest["rows"]] == [hashlib.sha256(line).hexdigest() for line in lines]
    for row in rows.values():
        assert row["reviewed_by"] == world.someone("alice").person_id
        assert row["sanitizer_version"] == SANITIZER_VERSION
        assert row["skill_digest"] == digest
        assert _exists(world, "skill_versions", row["skill_version_id"])
    assert rows[made]["basis"] == "authored"
    assert rows[captured]["basis"] == "consent"
    assert rows[captured]["findings"] == {"email": 1}
    assert _exists(world, "usage_events", rows[captured]["usage_event_id"])
    switch, given = (_exists(world, "consent_events", record) for record in rows[captured]["consent_record_ids"])
    assert (switch["subject"], switch["action"]) == ("tenant", "switched_on")
    assert (given["subject"], given["action"]) == ("person", "given")
    assert str(given["person_id"]).replace("-", "") == world.someone("bob").person_id.replace("-", "")
    assert _exists_notice(world, given["notice_version"])


def _exists(world: World, table: str, row_id: str) -> dict[str, Any]:
    found = [row for row in rows_of(world, table) if str(row["id"]).replace("-", "") == row_id.replace("-", "")]
    assert len(found) == 1, (table, row_id)
    return found[0]


def _exists_notice(world: World, version: str) -> bool:
    notice = next(row for row in rows_of(world, "notices") if row["version"] == version)
    return version == "sha256:" + hashlib.sha256(notice["text"].encode()).hexdigest()


def test_law_9_a_row_left_out_is_named_with_its_reason(world: World) -> None:
    example_id = world.capture()
    review(world, example_id, "approve", output_verdict="unsure")
    files = exported(world)
    assert json.loads(files["skipped.jsonl"]) == {"example_id": example_id, "reason": "no_target"}
    assert json.loads(files["manifest.json"])["counts"]["skipped"] == 1


# Law 10: nothing turns a no into a yes


def test_law_10_migrating_a_store_of_opted_out_people_opts_nobody_in(empty_store: tuple[str, str]) -> None:
    """The people are put into the oldest schema; every migration up to the newest then runs over them."""
    url, owner_url = empty_store
    engine = engines.make_engine(owner_url)
    with engine.execution_options(goldvein_write=True).begin() as connection:
        command.upgrade(config_for(connection), "0001")
    engine.dispose()
    tenants = _opted_out_people(owner_url)
    upgrade(owner_url, url)
    upgrade(owner_url, url)
    database = Database(url)
    for tenant_id, people in tenants.items():
        with database.read(tenant_id) as session:
            assert consent.capture_is_on(session) is False
            assert [consent.person_state(session, person, START)[0] for person in people] == [False, False]
    database.close()


def _opted_out_people(owner_url: str) -> dict[str, list[str]]:
    """Two tenants, one never switched on and one switched off again; in each, one never asked, one who withdrew."""
    engine = owner_engine(owner_url)
    metadata = MetaData()
    metadata.reflect(engine)
    is_sqlite = engine.dialect.name == "sqlite"
    tenants: dict[str, list[str]] = {}

    def add(connection: Any, table: str, **values: Any) -> None:
        row = {n: v.replace("-", "") if is_sqlite and n.endswith("id") and v else v for n, v in values.items()}
        connection.execute(insert(metadata.tables[table]).values(row))

    with engine.begin() as connection:
        for switched in (False, True):
            tenant, people = new_id(), [new_id(), new_id()]
            tenants[tenant] = people
            add(connection, "tenants", id=tenant, name="T", is_demo=False, revision=1, created_at=START)
            for person in people:
                add(connection, "people", id=person, email=f"{person}@t.example", name="P", created_at=START)
                membership = {"role": "admin", "display": "pseudonym", "accepted_at": START, "revision": 1}
                add(connection, "memberships", tenant_id=tenant, person_id=person, created_at=START, **membership)
            notice = {"language": "en", "text": "n", "created_at": START}
            add(connection, "notices", tenant_id=tenant, version="v", **notice)
            events: list[tuple[str, str | None, str]] = [
                ("person", people[1], "given"),
                ("person", people[1], "withdrawn"),
            ]
            if switched:
                events += [("tenant", None, "switched_on"), ("tenant", None, "switched_off")]
            for seq, (subject, person_id, action) in enumerate(events, 1):
                add(
                    connection,
                    "consent_events",
                    tenant_id=tenant,
                    id=new_id(),
                    seq=seq,
                    subject=subject,
                    person_id=person_id,
                    action=action,
                    actor_id=people[0],
                    channel="web",
                    notice_version="v",
                    purposes=["training"] if action == "given" else [],
                    expires_at=START + timedelta(days=99) if action == "given" else None,
                    occurred_at=START,
                )
    engine.dispose()
    return tenants


def test_law_10_no_change_of_anything_else_turns_a_no_into_a_yes(world: World) -> None:
    choose(world, "bob", give=False)
    world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False})
    before = rows_of(world, "consent_events")
    dana, erin_id = world.browser("dana"), world.someone("erin").person_id
    for name in ("bob", "erin"):
        client = world.browser(name)
        assert client.patch("/api/me/preferences", json={"display": "name"}).status_code == 200
        assert client.delete("/api/me/data").status_code == 200
        key = client.post("/api/me/keys", json={"name": "k", "scopes": ["track", "me"]}).json()
        assert client.post(f"/api/me/keys/{key['id']}/rotate").status_code == 201
        assert client.post("/api/me/consent", json={"decision": "withdraw"}).status_code == 200
    assert dana.patch("/api/settings", json={"name": "Acme Ltd"}).status_code == 200
    for change in ({"active": False}, {"active": True}, {"role": "admin"}, {"role": "member"}):
        assert dana.patch(f"/api/members/{erin_id}", json=change).status_code == 200
    assert rows_of(world, "consent_events") == before
    assert [consents(world, "bob"), dana.get("/api/settings").json()["training_data_capture_enabled"]] == [False, False]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"training_data_consent": None},
        {"training_data_consent": "true"},
        {"training_data_consent": 1},
        {"training_data_consent": True, "display": "name"},
        {"training_data_consent": True, "consent": True},
        [],
    ],
)
def test_law_10_only_a_plain_yes_alone_is_a_yes(world: World, body: Any) -> None:
    before = rows_of(world, "consent_events")
    assert world.browser("erin").patch("/api/me/preferences", json=body).status_code == 422
    dana = world.browser("dana")
    dana.patch("/api/settings", json={"training_data_capture_enabled": False})
    switch = json.loads(json.dumps(body).replace("training_data_consent", "training_data_capture_enabled"))
    assert dana.patch("/api/settings", json=switch).status_code == 422
    assert len(rows_of(world, "consent_events")) == len(before) + 1
    assert consents(world, "erin") is False


def test_law_10_a_stale_yes_does_not_undo_a_newer_no(world: World) -> None:
    """A form that was open since before the withdrawal: whoever sends it decided on another state."""
    bob, dana = world.browser("bob"), world.browser("dana")
    seen_by_bob = bob.get("/api/me/preferences").headers["ETag"]
    seen_by_dana = dana.get("/api/settings").headers["ETag"]
    bob.patch("/api/me/preferences", json={"training_data_consent": False})
    dana.patch("/api/settings", json={"training_data_capture_enabled": False})
    stale = {"If-Match": seen_by_bob}
    answers = [
        bob.patch("/api/me/preferences", json={"training_data_consent": True}, headers=stale),
        bob.post("/api/me/consent", json={"decision": "give"}, headers=stale),
        bob.post("/api/me/consent", json={"decision": "give", "notice_version": "sha256:another"}),
        dana.patch("/api/settings", json={"training_data_capture_enabled": True}, headers={"If-Match": seen_by_dana}),
    ]
    assert [answer.status_code for answer in answers] == [409] * 4
    assert consents(world, "bob") is False
    assert dana.get("/api/settings").json()["training_data_capture_enabled"] is False


def test_law_10_no_form_without_a_tick_is_a_yes(world: World) -> None:
    """Also one that was opened before the withdrawal, with the box still ticked."""
    bob, erin, dana = world.browser("bob"), world.browser("erin"), world.browser("dana")
    notice = bob.get("/api/notice").json()["version"]
    seen = {"consent_revision": str(bob.get("/api/me/preferences").json()["revision"]), "notice_version": notice}
    assert bob.post("/preferences/consent", data=seen).status_code == 303
    assert consents(world, "bob") is False
    ticked = {**seen, "training_data_consent": "on"}
    assert bob.post("/preferences/consent", data=ticked).status_code == 409
    assert bob.post("/preferences/consent/renew", data=ticked).status_code == 409
    now = str(bob.get("/api/me/preferences").json()["revision"])
    assert bob.post("/preferences/consent/renew", data={**ticked, "consent_revision": now}).status_code == 409
    for form in ({}, {"training_data_consent": "on"}, {"consent_revision": "0"}, {**seen, "consent_revision": "0"}):
        assert erin.post("/preferences/consent", data=form).status_code in {303, 422}
    assert erin.post("/preferences/display", data={"display": "name", "training_data_consent": "on"}).status_code == 303
    assert [consents(world, name) for name in ("bob", "erin")] == [False, False]
    switch = str(dana.get("/api/settings").json()["revision"])
    assert dana.post("/admin/capture", data={"capture": "off", "revision": switch}).status_code == 303
    assert dana.post("/admin/capture", data={"capture": "on", "revision": switch}).status_code == 409
    for form in ({}, {"capture": "on"}, {"capture": "", "revision": switch}, {"name": "Acme", "capture": "on"}):
        assert dana.post("/admin/capture", data=form).status_code == 422
        dana.post("/admin/name", data={**form, "name": "Acme", "revision": "1"})
    assert dana.get("/api/settings").json()["training_data_capture_enabled"] is False


def test_law_10_the_box_starts_unticked(world: World) -> None:
    page = world.browser("erin").get("/preferences").text
    box = next(tag for tag in page.split("<input")[1:] if 'name="training_data_consent"' in tag).split(">", 1)[0]
    assert 'type="checkbox"' in box
    assert "checked" not in box
    page = world.browser("bob").get("/preferences").text
    box = next(tag for tag in page.split("<input")[1:] if 'name="training_data_consent"' in tag).split(">", 1)[0]
    assert "checked" in box


def test_law_10_an_admin_cannot_say_yes_for_someone_else(world: World) -> None:
    """Nobody but the person: a key for someone else cannot be made, and the choice takes no person."""
    erin = world.someone("erin").person_id
    dana = world.client("dana")
    body = {"decision": "give", "person_id": erin}
    assert dana.post("/api/me/consent", json=body).status_code == 422
    assert dana.post("/api/me/keys", json={"name": "k", "scopes": ["me"], "person_id": erin}).status_code == 422
    assert dana.post("/api/me/keys", json={"name": "k", "scopes": ["me"], "kind": "service"}).status_code == 422
    assert consents(world, "erin") is False
