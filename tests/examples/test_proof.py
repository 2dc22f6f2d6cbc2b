"""`goldvein consent replay`: what does not stand on two consents is named, however it came into the store."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from conftest import SERVER_KEY, START, World
from helpers import ok
from sqlalchemy import create_engine, text

from goldvein.cli import main
from goldvein.consent import ledger
from goldvein.db.ids import new_id
from goldvein.db.migrate import config_for, newest_revision, upgrade
from goldvein.examples.proof import Proof, prove


def proof(world: World) -> Proof:
    with world.database.read(world.someone("bob").tenant_id) as session:
        return prove(session)


def reasons(world: World) -> dict[str, str]:
    return {one.subject: one.reason for one in proof(world).unproved}


def forge(world: World, *statements: str) -> None:
    """Change the store as its superuser, past everything that refuses it."""
    engine = create_engine(world.owner_url.replace("goldvein_owner", "postgres"))
    with engine.begin() as connection:
        for statement in (*_ends(world), *statements, *_begins(world)):
            connection.execute(text(statement))
    engine.dispose()


def _ends(world: World) -> list[str]:
    if world.is_sqlite:
        return [f"DROP TRIGGER ledger_entries_refuse_{change}" for change in ("update", "delete")]
    return ["ALTER TABLE ledger_entries DISABLE TRIGGER ALL", "SET session_replication_role = replica"]


def _begins(world: World) -> list[str]:
    return [] if world.is_sqlite else ["ALTER TABLE ledger_entries ENABLE TRIGGER ALL"]


def record_capture(world: World, **changes: Any) -> str:
    """Append a capture to the ledger, as a bug or a dishonest server would."""
    bob, example = world.someone("bob"), new_id()
    with world.database.read(bob.tenant_id) as session:
        captured = [json.loads(row.entry) for row in ledger.every_entry(session)]
    honest = next(entry for entry in captured if entry["kind"] == "captured")
    said = {"examples": {world.skill_id(): [example]}}
    said |= {name: honest[name] for name in ("tenant_record", "person_record")} | changes
    at = said.pop("at", world.time)
    with world.database.write(bob.tenant_id) as session:
        session.record("captured", at=at, people={"person": bob.person_id}, **said)
    return example


def test_an_honest_store_holds_through_everything_that_can_happen(world: World) -> None:
    bob, dana, alice = (world.client(name) for name in ("bob", "dana", "alice"))
    first = world.capture(text="first")
    ok(alice.post(f"/api/training-examples/{first}/review", json={"decision": "approve"}))
    world.time += timedelta(days=400)
    assert world.track(tool_input_snippet="a", tool_output_snippet="b").json()["capture"]["reason"] == "expired"
    ok(bob.post("/api/me/consent", json={"decision": "give", "skills": ["release-notes"]}))
    second, third = world.capture(text="second"), world.capture(text="third")
    ok(dana.patch("/api/settings", json={"training_data_capture_enabled": False}))
    ok(dana.patch("/api/settings", json={"training_data_capture_enabled": True}))
    world.capture(text="fourth")
    ok(alice.delete(f"/api/training-examples/{second}"), 204)
    ok(bob.delete(f"/api/me/data/{third}"))
    wider = {"language": "en", "text": "We ask for more.", "purposes": ["training"], "wider": True}
    ok(dana.post("/api/notices", json=wider), 201)
    ok(bob.post("/api/me/consent", json={"decision": "give"}))
    world.capture(text="fifth")
    ok(bob.post("/api/me/consent", json={"decision": "withdraw"}))
    assert proof(world) == Proof(from_ledger=5, older_than_ledger=0, unproved=[])
    ok(alice.delete("/api/skills/release-notes?confirm=release-notes"))
    assert proof(world) == Proof(from_ledger=5, older_than_ledger=0, unproved=[])


def after_withdrawal(world: World) -> None:
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))


def after_a_withdrawal_for_this_skill(world: World) -> None:
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw", "skills": ["release-notes"]}))


def after_a_wider_notice(world: World) -> None:
    wider = {"language": "en", "text": "We ask for more.", "purposes": ["training"], "wider": True}
    ok(world.client("dana").post("/api/notices", json=wider), 201)


def after_a_revocation(world: World) -> None:
    ok(world.client("dana").post(f"/api/members/{world.someone('bob').person_id}/revoke-consent"), 204)


def after_switching_off(world: World) -> None:
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))


def after_expiry(world: World) -> None:
    world.time += timedelta(days=366)


def after_another_consent(world: World) -> None:
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give"}))


def after_a_consent_for_no_skill_of_these(world: World) -> None:
    other = {"slug": "other", "name": "Other"}
    ok(world.client("alice").post("/api/skills", json=other), 201)
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give", "skills": ["other"]}))


@pytest.mark.parametrize(
    ("no_longer", "reason"),
    [
        (after_withdrawal, "withdrawn"),
        (after_a_withdrawal_for_this_skill, "skill_not_covered"),
        (after_a_wider_notice, "notice_outdated"),
        (after_a_revocation, "revoked"),
        (after_switching_off, "tenant_switch_off"),
        (after_expiry, "expired"),
        (after_another_consent, "other_record"),
        (after_a_consent_for_no_skill_of_these, "skill_not_covered"),
    ],
)
def test_a_capture_without_both_consents_is_named(
    world: World, no_longer: Callable[[World], None], reason: str
) -> None:
    world.capture()
    assert proof(world).unproved == []
    no_longer(world)
    forged = record_capture(world)
    found = [one.reason for one in proof(world).unproved if one.subject == forged]
    assert reason in found


def test_an_example_that_the_ledger_does_not_know_is_named(world: World) -> None:
    """Put into the store past the server: a copy of an honest row under a new id."""
    honest, forged = world.capture(), new_id()
    columns = "tenant_id, feedback_type, skill_id, user_id, status, source, revision, created_at, updated_at, "
    columns += "example_input, example_output, tenant_consent_id, person_consent_id"
    # Every captured example has a use of its own; a use that was not captured serves.
    assert world.track(tool_input_snippet="only one").json()["capture"]["outcome"] == "none"
    unused = "SELECT id FROM usage_events WHERE capture_outcome = 'none'"
    ours, theirs = (value.replace("-", "") if world.is_sqlite else value for value in (forged, honest))
    forge(
        world,
        f"INSERT INTO skill_feedback (id, usage_event_id, {columns})"  # noqa: S608
        f" SELECT '{ours}', ({unused}), {columns} FROM skill_feedback WHERE id = '{theirs}'",
    )
    assert reasons(world) == {forged: "not_in_ledger"}


def test_text_that_came_back_after_its_erasure_is_named(world: World) -> None:
    example = world.capture()
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    forge(world, "UPDATE skill_feedback SET status = 'pending', example_input = 'back', example_output = 'again'")
    assert reasons(world) == {example: "text_after_erasure"}


def test_an_example_that_vanished_or_stands_on_another_record_is_named(world: World) -> None:
    vanished, moved = world.capture(text="one"), world.capture(text="two")
    bare = [value.replace("-", "") if world.is_sqlite else value for value in (vanished, moved)]
    forge(
        world,
        f"DELETE FROM skill_feedback WHERE id = '{bare[0]}'",  # noqa: S608
        f"UPDATE skill_feedback SET person_consent_id = tenant_consent_id WHERE id = '{bare[1]}'",  # noqa: S608
    )
    assert reasons(world) == {vanished: "not_in_store", moved: "other_record_in_store"}


def test_an_altered_entry_decides_nothing(world: World) -> None:
    world.capture()
    forge(world, "UPDATE ledger_entries SET entry = replace(entry, 'given', 'taken') WHERE seq = 13")
    (unproved,) = proof(world).unproved
    assert (unproved.subject, unproved.reason) == ("entry 13", "does_not_fit_its_hashes")


def test_a_consent_event_that_the_ledger_does_not_know_is_no_consent(world: World) -> None:
    world.capture()
    identifier = new_id().replace("-", "") if world.is_sqlite else new_id()
    columns = (
        "tenant_id, subject, person_id, action, actor_id, channel, notice_version, purposes, expires_at, occurred_at"
    )
    forge(
        world,
        f"INSERT INTO consent_events (id, seq, {columns})"  # noqa: S608
        f" SELECT '{identifier}', 900, {columns} FROM consent_events WHERE subject = 'person'",
    )
    assert reasons(world) == {"consent events": "not_in_ledger"}


def begin_again(world: World) -> None:
    """Take the ledger away and begin it again, as the upgrade of a store without one does."""
    owner_url = world.owner_url.replace("goldvein_owner", "postgres")
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        for table in ("ledger_entries", "commitment_keys"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
        command.upgrade(config_for(connection), "0004")
        connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": newest_revision()})
        for table in () if world.is_sqlite else ("ledger_entries", "commitment_keys"):
            connection.execute(text(f"ALTER TABLE {table} OWNER TO goldvein_owner"))
    engine.dispose()
    upgrade(world.owner_url, world.runtime.settings.database_url)


@pytest.fixture
def upgraded(world: World) -> World:
    """A store with two captures, one of them erased, from before the ledger."""
    first, _ = world.capture(text="first"), world.capture(text="second")
    ok(world.client("bob").delete(f"/api/me/data/{first}"))
    begin_again(world)
    return world


def test_the_ledger_of_an_older_store_begins_with_what_there_was(upgraded: World) -> None:
    with upgraded.database.read(upgraded.someone("bob").tenant_id) as session:
        (row,) = ledger.every_entry(session)
    begins = json.loads(row.entry)
    assert (begins["kind"], begins["reason"]) == ("ledger_begins", "upgrade")
    assert (begins["consent_events"], begins["captured_examples"]) == (2, 2)


def test_older_examples_are_decided_from_the_events_and_new_ones_may_stand_on_older_consents(upgraded: World) -> None:
    upgraded.capture(text="third")
    assert proof(upgraded) == Proof(from_ledger=1, older_than_ledger=2, unproved=[])
    ok(upgraded.client("alice").delete("/api/skills/release-notes?confirm=release-notes"))
    assert proof(upgraded) == Proof(from_ledger=1, older_than_ledger=0, unproved=[])


def test_an_older_example_that_the_events_do_not_carry_is_named(world: World) -> None:
    example = world.capture()
    after = (START + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    world.time += timedelta(days=1)
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))
    forge(world, f"UPDATE skill_feedback SET created_at = '{after}.500000'")  # noqa: S608
    begin_again(world)
    assert reasons(world) == {example: "tenant_switch_off"}


def test_nothing_can_be_added_to_what_is_older_than_the_ledger(upgraded: World) -> None:
    forge(upgraded, "UPDATE ledger_entries SET entry = entry")  # the triggers are gone, and nothing has changed
    assert reasons(upgraded) == {}
    forge_older = "DELETE FROM skill_feedback WHERE status = 'pending'"
    engine = create_engine(upgraded.owner_url.replace("goldvein_owner", "postgres"))
    with engine.begin() as connection:
        connection.execute(text(forge_older))
    engine.dispose()
    assert reasons(upgraded) == {"examples older than the ledger": "not_what_it_began_with"}


def test_the_command_says_what_holds_and_ends_with_1_when_something_does_not(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.data_dir.chmod(0o700)
    monkeypatch.setenv("GOLDVEIN_DATA_DIR", str(world.data_dir))
    monkeypatch.setenv("GOLDVEIN_DATABASE_URL", world.runtime.settings.database_url)
    monkeypatch.setenv("GOLDVEIN_SERVER_KEY", SERVER_KEY)
    world.capture()

    def run(line: str, code: int) -> str:
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        assert ended.value.code == code
        return capsys.readouterr().out

    assert "1 captures decided again from the ledger; 0 do not hold." in run("consent replay", 0)
    after_switching_off(world)
    forged = record_capture(world)
    assert f"{forged}: tenant_switch_off" in run("consent replay", 1)
    (found,) = json.loads(run(f"consent replay --json --tenant {world.someone('bob').tenant_id}", 1))
    assert {"subject": forged, "reason": "tenant_switch_off"} in found["unproved"]
    assert run(f"consent replay --tenant {new_id()}", 1) == ""


def test_reading_the_proof_changes_nothing(world: World) -> None:
    world.capture()
    before = world.every_cell()
    proof(world)
    assert world.every_cell() == before
