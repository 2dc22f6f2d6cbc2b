"""What an attacker tried with success once, each kept as a test."""

import asyncio
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from conftest import ORIGIN, World
from helpers import client_with, new_key, ok, refusal, rows

from goldvein.capture import recorder, writer
from goldvein.capture.formats import read_batch
from goldvein.capture.hot_path import Doors
from goldvein.capture.tables import UsageEvent
from goldvein.db.session import Database, TenantSession
from goldvein.errors import InvalidField
from goldvein.examples.rescan import rescan
from goldvein.identity import service as identity
from goldvein.identity.access import Limiter
from goldvein.skills import service as skills

SNIPPETS = {"tool_input_snippet": "marigold in", "tool_output_snippet": "marigold out"}


def invite(world: World, who: str, email: str, name: str = "X") -> str:
    link = ok(world.client(who).post("/api/invitations", json={"email": email, "name": name}), 201)["link"]
    return str(link.rsplit("/", 1)[1])


def accept(world: World, token: str, password: str) -> int:
    status: int = world.anonymous(Origin=ORIGIN).post(f"/welcome/{token}", data={"password": password}).status_code
    return status


def test_an_invitation_is_no_way_into_an_account_without_a_password(world: World) -> None:
    """bob signs in by links and has no password; charlie invites bob's address and opens the link himself."""
    token = invite(world, "charlie", world.someone("bob").email)
    assert accept(world, token, "charlie chose this") == 422
    with world.database.read_across_tenants() as session:
        assert identity.person_of(session, world.someone("bob").person_id).password_hash is None


def test_an_invitation_does_not_tell_whether_an_address_is_known(world: World) -> None:
    for email in (world.someone("bob").email, "nobody@elsewhere.example"):
        wrong = world.client("charlie").post("/api/invitations", json={"email": email, "name": ""})
        refusal(wrong, 422, "invalid_field")
        token = invite(world, "charlie", email)
        answer = world.anonymous(Origin=ORIGIN).post(f"/welcome/{token}", data={"password": "short"})
        assert answer.status_code == 422
        assert "or the password of your account here" in answer.text
    ids = [row["person_id"] for row in ok(world.client("charlie").get("/api/members"))["items"]]
    assert {person_id[14] for person_id in ids} == {"4"}  # random ids: no time in them


def test_a_signed_key_is_held_to_its_signature_on_every_route(world: World) -> None:
    wanted = {"name": "signed", "scopes": ["track"], "requires_signature": True}
    wide = world.browser("bob").post("/api/me/keys", json=wanted | {"scopes": ["track", "me"]})
    assert refusal(wide, 422, "invalid_field")["field"] == "requires_signature"
    key = ok(world.browser("bob").post("/api/me/keys", json=wanted), 201)["api_key"]
    vote = {"skill_id": "release-notes", "feedback_type": "thumbs_up"}
    refusal(client_with(world, key).post("/api/feedback", json=vote), 403, "bad_signature")


def test_one_box_does_not_widen_a_narrower_consent(world: World) -> None:
    bob = world.client("bob")
    narrow = {"decision": "give", "purposes": ["evaluation"], "skills": ["release-notes"]}
    before = ok(bob.post("/api/me/consent", json=narrow))["records"]
    ok(bob.patch("/api/me/preferences", json={"training_data_consent": True}))
    assert ok(bob.get("/api/me/consent"))["records"] == before


def test_preferences_open_when_a_consent_names_a_deleted_skill(world: World) -> None:
    ok(world.client("alice").post("/api/skills", json={"slug": "short-lived", "name": "Short"}), 201)
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give", "skills": ["short-lived"]}))
    ok(world.client("alice").delete("/api/skills/short-lived?confirm=short-lived"))
    page = world.browser("bob").get("/preferences")
    assert page.status_code == 200
    assert "a deleted skill" in page.text


@pytest.mark.parametrize("place", ["key", "tenant", "slug"])
def test_names_hold_no_secrets(world: World, place: str) -> None:
    secret = "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0" * 3
    calls: dict[str, Any] = {
        "key": lambda: world.browser("bob").post("/api/me/keys", json={"name": secret, "scopes": ["track"]}),
        "tenant": lambda: world.client("dana").patch("/api/settings", json={"name": f"Acme {secret}"}),
        "slug": lambda: world.client("alice").post("/api/skills", json={"slug": secret.lower(), "name": "S"}),
    }
    assert calls[place]().status_code == 422
    assert not any(secret.lower() in str(cell).lower() for cell in world.every_cell())


def test_two_admins_who_deactivate_each_other_leave_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    members = identity.members

    def slow_members(session: TenantSession) -> Any:
        time.sleep(0.3)  # both have written before either looks who is left
        return members(session)

    monkeypatch.setattr(identity, "members", slow_members)
    dana, erin = world.someone("dana"), world.someone("erin")
    ok(world.client("dana").patch(f"/api/members/{erin.person_id}", json={"role": "admin"}))
    together, outcomes = threading.Barrier(2), []

    def deactivate(name: str, other: str) -> None:
        browser = world.browser(name)
        together.wait()
        outcomes.append(browser.patch(f"/api/members/{other}", json={"active": False}).status_code)

    threads = [
        threading.Thread(target=deactivate, args=("dana", erin.person_id)),
        threading.Thread(target=deactivate, args=("erin", dana.person_id)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(outcomes) == 200
    with world.database.read(dana.tenant_id) as session:
        active = [row for row, _ in identity.members(session) if row.role == "admin" and identity.is_active(row)]
    assert len(active) == 1


def test_a_link_from_the_choice_of_organisations_does_not_sign_in_by_get(world: World) -> None:
    with world.database.write_across_tenants() as session:
        membership = identity.find_memberships(session, world.someone("bob").email)[0]
        token = identity.make_link(session, world.runtime.server_key, membership, "choice", now=world.time)
    assert world.anonymous().get(f"/login/{token}").status_code == 404


def test_passwords_are_counted_before_they_are_checked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess sent while another one is still being checked is refused already."""
    world.runtime.limiter = Limiter(replace(world.runtime.settings, failed_authentication_limit_per_minute=1))
    form, meanwhile = {"email": "x@y.example", "password": "wrong password"}, []

    def guess_again(*_arguments: Any) -> list[Any]:
        if not meanwhile:
            meanwhile.append(None)  # a second guess that comes this far must not start a third
            meanwhile[0] = world.anonymous(Origin=ORIGIN).post("/sign-in", data=form).status_code
        return []

    monkeypatch.setattr(identity, "check_password", guess_again)
    assert world.anonymous(Origin=ORIGIN).post("/sign-in", data=form).status_code == 401
    assert meanwhile == [429]


def test_a_redirect_never_names_another_host(world: World) -> None:
    answer = world.browser("bob").get("/skills/", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.headers.get("location", "")


def test_stalled_senders_do_not_use_up_the_places_of_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place is taken when the body is there, not when it is announced."""
    world.serve_with(queue_events=1)
    first_asked, answers = threading.Event(), []

    def stall() -> Any:
        first_asked.set()
        yield b'{"skill_id":'
        for _ in range(100):
            if answers:
                break
            threading.Event().wait(0.05)
        yield b"1}"

    def send_slowly() -> None:
        world.client("erin").post("/api/track", content=stall())

    slow = threading.Thread(target=send_slowly)
    slow.start()
    first_asked.wait()
    answers.append(world.track().status_code)
    slow.join()
    assert answers == [200]


def test_a_deactivated_person_can_be_withdrawn_by_the_operator(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from goldvein.cli import store  # noqa: PLC0415

    world.capture(text="marigold")
    bob = world.someone("bob")
    ok(world.client("dana").patch(f"/api/members/{bob.person_id}", json={"active": False}))
    monkeypatch.setenv("GOLDVEIN_DATA_DIR", str(world.data_dir))
    monkeypatch.setenv("GOLDVEIN_DATABASE_URL", world.runtime.settings.database_url)
    monkeypatch.setenv("GOLDVEIN_SERVER_KEY", world.runtime.settings.server_key)
    store.withdraw_for(email=bob.email, tenant=bob.tenant_id)
    assert not any("marigold" in str(cell) for cell in world.every_cell())


def test_a_skill_we_do_not_know_takes_over_the_turn(world: World) -> None:
    """What follows an unregistered skill, or the end of the turn, is not shown to the author of the one before."""
    turn = {"session_id": "s", "prompt_id": "p"}

    def send(event: str, **fields: Any) -> None:
        body = {**turn, "hook_event_name": event, **fields}
        assert world.client("bob").post("/api/hooks/claude-code", json=body).status_code == 200

    def use(number: int) -> None:
        response = {"stdout": "done", "stderr": ""}
        call = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": response}
        send("PostToolUse", tool_use_id=f"t{number}", **call)

    known = {"tool_name": "Skill", "tool_input": {"skill": "release-notes"}}
    send("PreToolUse", **known)
    use(1)
    send("PreToolUse", tool_name="Skill", tool_input={"skill": "private-diary"})
    use(2)
    send("PreToolUse", **known)
    use(3)
    send("Stop")
    use(4)
    assert world.metric_sum("goldvein_events_total", door="hook", outcome="stored") == 2
    assert world.metric_sum("goldvein_events_total", door="hook", reason="no_skill") == 2


def test_a_denied_use_leaves_nothing_that_depends_on_its_text(world: World) -> None:
    """The same event with other snippets is a duplicate: not even a keyed hash of the text was kept."""
    ok(world.track("erin", event_id="e", **SNIPPETS))
    other = {"tool_input_snippet": "other", "tool_output_snippet": "words"}
    assert ok(world.track("erin", event_id="e", **other))["outcome"] == "duplicate"
    refusal(world.track("erin", event_id="e", latency_ms=5, **SNIPPETS), 409, "event_conflict")


class TestSqlite:
    """What lies in the data folder."""

    @pytest.fixture
    def store(self) -> str:
        return "sqlite"

    @pytest.mark.parametrize("how", ["withdraw", "erase", "delete"])
    def test_erased_text_leaves_the_log_too(self, world: World, how: str) -> None:
        example_id = world.capture(text="marigold")
        files = list(world.data_dir.glob("goldvein.db*"))
        assert any(b"marigold" in path.read_bytes() for path in files)
        if how == "withdraw":
            ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
        elif how == "erase":
            ok(world.client("bob").delete("/api/me/data"))
        else:
            assert world.client("alice").delete(f"/api/training-examples/{example_id}").status_code == 204
        assert not any(b"marigold" in path.read_bytes() for path in files if path.exists())

    def test_a_reader_that_holds_the_log_does_not_turn_a_withdrawal_into_an_error(self, world: World) -> None:
        world.capture(text="marigold")
        with world.database.read(world.someone("alice").tenant_id) as session:
            skills.find_skill(session, "release-notes")  # a snapshot from before the withdrawal
            assert (
                ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))["erased_examples"] == 1
            )

    def test_only_the_owner_reads_the_store_whatever_the_folder(self, world: World) -> None:
        folder = world.data_dir / "open"
        folder.mkdir(mode=0o755)
        database = Database(f"sqlite:///{folder / 'store.db'}")
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
        database.close()
        assert set(modes.values()) == {0o600}, modes


class TestPostgresql:
    """What a database's own defaults could change."""

    @pytest.fixture
    def store(self) -> str:
        return "postgresql"

    def test_the_isolation_level_is_named_and_not_the_database_s_default(self, world: World) -> None:
        from sqlalchemy import create_engine  # noqa: PLC0415

        name = world.database.engine.url.database
        owner = create_engine(world.owner_url, isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
        owner.dispose()
        world.database.engine.dispose()  # the next connection is a new one, with the new default
        with world.database.read(world.someone("alice").tenant_id) as session:
            assert session.connection().exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"


def test_a_withdrawn_consent_is_not_revived_by_a_late_duplicate(world: World) -> None:
    world.capture(text="marigold", event_id="late")
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    world.time += timedelta(minutes=1)
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give"}))
    again: httpx2.Response = world.track(
        ts=(world.time - timedelta(minutes=1)).isoformat(),
        event_id="late",
        tool_input_snippet="marigold",
        tool_output_snippet="Here they are",
    )
    assert ok(again)["outcome"] == "duplicate"
    assert not any("marigold" in str(cell) for cell in world.every_cell())


RULE = {"type": "project_marigold", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}
STAFF = {"tool_input_snippet": "I am EMP-100001", "tool_output_snippet": "Hello"}


def add_rule(world: World) -> None:
    ok(world.client("dana").post("/api/settings/sanitizer-rules", json=RULE), 201)


@pytest.mark.parametrize(
    "body",
    [
        b'{"events":[' + b"0," * 2_000_000 + b"0]}",
        b'{"events":[' + b"0," * 2_000_000,
        b'{"unknown":[' + b"0," * 2_000_000,
        b'{"events":[{"unknown":[' + b"[]," * 1_300_000 + b"0]}]}",
    ],
)
def test_a_small_body_cannot_become_a_large_one_in_memory(world: World, body: bytes) -> None:
    """8 MiB of `0,` were 290 MB of objects and half a second in which nobody else was answered."""
    tracemalloc.start()
    try:
        read = read_batch(body, world.time, world.time)
    except InvalidField as error:
        read = [error]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(read[0], InvalidField)
    assert peak < 3 * len(body)


def threads_of(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The names of the threads in which the recorder does something."""
    seen: list[str] = []
    do: Callable[..., Any] = getattr(recorder, name)

    def noted(*given: Any, **options: Any) -> Any:
        seen.append(threading.current_thread().name)
        return do(*given, **options)

    monkeypatch.setattr(recorder, name, noted)
    return seen


def test_a_thousand_new_names_do_not_hold_up_the_other_calls(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name that was never seen takes the sanitizer up to half a millisecond, and an event has four of them."""
    seen = threads_of(monkeypatch, "need_clean_names")
    event = {"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat()}
    ok(world.client("bob").post("/api/track/batch", json={"events": [event] * 3}))
    assert [name.startswith("capture") for name in seen] == [True] * 3


def test_slow_rules_of_one_organisation_do_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty rules may take half a second for a short text: not on the event loop, where everybody would wait."""
    add_rule(world)
    seen = threads_of(monkeypatch, "sanitize_many")
    assert world.track("bob", **STAFF).json()["capture"]["outcome"] == "captured"
    assert [name.startswith("capture") for name in seen] == [True]


def test_the_words_of_an_organisation_are_no_names_of_metrics(world: World) -> None:
    add_rule(world)
    world.capture(text="EMP-100001 and EMP-100002, a@b.example", answer="Hello")
    assert world.metric("goldvein_sanitizer_findings_total", type="extra_rule") == 2
    assert world.metric("goldvein_sanitizer_findings_total", type="email") == 1
    assert "marigold" not in world.runtime.metrics.shown().decode()


def test_a_rule_holds_for_a_text_that_was_sanitized_before_and_is_stored_after(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = writer.Writer._store

    def after_the_rule(self: Any, uses: Any) -> Any:
        monkeypatch.setattr(writer.Writer, "_store", store)
        add_rule(world)
        return store(self, uses)

    monkeypatch.setattr(writer.Writer, "_store", after_the_rule)
    answer = ok(world.track("bob", **STAFF))
    assert (answer["outcome"], answer["capture"]["outcome"]) == ("stored", "failed")
    assert [cell for cell in world.every_cell() if "EMP-1" in str(cell)] == []
    assert ok(world.track("bob", **STAFF))["capture"]["outcome"] == "captured"
    assert [cell for cell in world.every_cell() if "EMP-1" in str(cell)] == []


@pytest.mark.parametrize("path", ["/api/track", "/api/track/batch", "/api/hooks/claude-code"])
def test_nobody_without_a_key_has_the_server_hold_a_body(world: World, path: str) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        pytest.fail("the body was asked for")

    async def send(message: Any) -> None:
        sent.append(message)

    made = new_key(world, "bob", "track")
    ok(world.browser("bob").delete(f"/api/me/keys/{made['id']}"))
    world_doors = Doors(world.runtime)
    for text in ("nothing", made["api_key"]):
        headers = [(b"authorization", b"Bearer " + text.encode()), (b"content-length", b"8388608")]
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "client": ("127.0.0.1", 1)}
        asyncio.run(world_doors.by_path[path](scope, receive, send))
    assert [message["status"] for message in sent if "status" in message] == [401, 401]


def test_a_no_for_this_skill_alone_is_remembered_no_longer_than_any_other(world: World) -> None:
    consent = {"decision": "give", "purposes": ["training"]}
    other = ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)["id"]
    ok(world.browser("bob").post("/api/me/consent", json={**consent, "skills": [other]}))
    assert world.track("bob", **SNIPPETS).json()["capture"]["reason"] == "skill_not_covered"
    world.database._watchers.clear()  # the next consent is given in another process
    ok(world.browser("bob").post("/api/me/consent", json=consent))
    time.sleep(1.05)
    assert world.track("bob", **SNIPPETS).json()["capture"]["outcome"] == "captured"


def test_a_rescan_that_is_stopped_leaves_nothing_in_sqlites_log(world: World) -> None:
    world.capture(text="I am EMP-100001", answer="b")
    add_rule(world)
    steps = rescan(world.database, world.someone("bob").tenant_id, now=lambda: world.time)
    assert next(steps).changed == 1
    steps.close()
    if world.is_sqlite:
        files = [path for path in world.data_dir.iterdir() if path.name.startswith("goldvein.db")]
        assert [path.name for path in files if b"EMP-1" in path.read_bytes()] == []


def test_the_same_event_id_in_two_organisations_is_two_events(world: World) -> None:
    ok(world.client("charlie").post("/api/skills", json={"slug": "release-notes", "name": "Notes"}), 201)
    barrier = threading.Barrier(2)

    def send(name: str) -> None:
        barrier.wait(10)
        for _ in range(2):
            ok(world.track(name, event_id="shared"))

    threads = [threading.Thread(target=send, args=(name,)) for name in ("bob", "charlie")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(rows(world, UsageEvent, of=name)) for name in ("bob", "charlie")] == [1, 1]
    assert rows(world, UsageEvent, of="charlie")[0].person_id == world.someone("charlie").person_id
