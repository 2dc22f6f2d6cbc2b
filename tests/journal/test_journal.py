"""Every no is in the file before anybody is answered, whatever route or command said it."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from helpers import ok, rows

from goldvein import background, failpoints
from goldvein.db.ids import new_id
from goldvein.errors import NotAllowed
from goldvein.failpoints import FailpointReached
from goldvein.journal import file
from goldvein.journal import service as journal
from goldvein.journal.file import Line
from goldvein.journal.tables import JournalEntry
from goldvein.me import api as me
from goldvein.me import replaying

WITHDRAW = {"decision": "withdraw"}


def lines(world: World) -> list[Line]:
    found = file.read(world.runtime.settings.journal_path)
    return [] if found is None else found.lines


def told(world: World) -> list[tuple[str, Any]]:
    return [(line.kind, line.example_ids or line.skill_ids) for line in lines(world)]


def of_bob(world: World, line: Line) -> bool:
    return (line.person_id, line.tenant_id) == (world.someone("bob").person_id, world.someone("bob").tenant_id)


@pytest.mark.parametrize("way", ["call", "box", "page"])
def test_a_withdrawal_is_in_the_journal_when_it_is_answered(world: World, way: str) -> None:
    world.capture()
    if way == "call":
        ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    elif way == "box":
        ok(world.client("bob").patch("/api/me/preferences", json={"training_data_consent": False}))
    else:
        assert world.browser("bob").post("/preferences/consent/withdraw").status_code == 303
    (line,) = lines(world)
    assert (line.kind, line.occurred_at) == ("withdrawn", world.time)
    assert of_bob(world, line)
    (entry,) = rows(world, JournalEntry)
    assert (entry.id, entry.written_at) == (line.id, world.time)


def test_an_erasure_is_in_the_journal_with_what_it_erased(world: World) -> None:
    first, _ = world.capture(text="one"), world.capture(text="two")
    ok(world.client("bob").delete(f"/api/me/data/{first}"))
    ok(world.client("bob").delete("/api/me/data"))
    assert told(world) == [("erased", [first]), ("erased", None)]


def test_what_an_author_deletes_is_in_the_journal(world: World) -> None:
    example = world.capture()
    ok(world.client("alice").delete(f"/api/training-examples/{example}"), 204)
    skill = world.skill_id()
    ok(world.client("alice").delete(f"/api/skills/{skill}", params={"confirm": "release-notes"}))
    assert told(world) == [("example_deleted", [example]), ("skill_deleted", [skill])]


def test_a_switch_off_is_in_the_journal_and_a_switch_on_is_not(world: World) -> None:
    for on in (False, True):
        ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": on}))
    assert told(world) == [("switched_off", None)]


def test_what_changes_nothing_is_not_told(world: World) -> None:
    ok(world.client("erin").post("/api/me/consent", json=WITHDRAW))
    ok(world.client("bob").delete("/api/me/data"))
    ok(world.client("erin").post("/api/me/consent", json={"decision": "give"}))
    assert rows(world, JournalEntry) == []


def test_a_withdrawal_that_is_rolled_back_is_told_nowhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from goldvein.capture import service as capture  # noqa: PLC0415 (patched for this test alone)

    world.capture()

    def fail(*_args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(capture, "forget_bodies", fail)
    assert world.client("bob").post("/api/me/consent", json=WITHDRAW).status_code == 500
    assert (rows(world, JournalEntry), lines(world)) == ([], [])


def withdraw_and_stop_at(world: World, place: str) -> None:
    failpoints.arm(f"{place}:1:raise", is_local=True)
    try:
        with pytest.raises(FailpointReached):
            me.choose(world.runtime, world.actor("bob"), give=False)
    finally:
        failpoints.arm("", is_local=True)


@pytest.mark.parametrize("place", ["journal.writing", "journal.written"])
@pytest.mark.parametrize("by", ["start", "worker"])
def test_a_process_that_ends_between_the_commit_and_the_journal_leaves_no_gap(
    world: World, place: str, by: str
) -> None:
    withdraw_and_stop_at(world, place)
    assert [line.kind for line in lines(world)] == (["withdrawn"] if place == "journal.written" else [])
    assert [entry.written_at for entry in rows(world, JournalEntry)] == [None]
    if by == "start":
        replaying.replay_own(world.runtime)
    else:
        background.worker(world.runtime).run_due()
    assert [line.kind for line in lines(world)] == ["withdrawn"]
    assert [entry.written_at for entry in rows(world, JournalEntry)] == [world.time]


def test_a_journal_that_cannot_be_written_stops_no_withdrawal_and_is_made_up_for(world: World, tmp_path: Path) -> None:
    world.capture()
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the journal's folder should be")
    world.serve_with(journal_file=str(blocked / "journal"))
    answer = ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    assert (answer["training_data_consent"], answer["erased_examples"]) == (False, 1)
    assert world.metric("goldvein_journal_failures_total") == 1
    with world.database.read_across_tenants() as session:
        assert journal.count_waiting(session) == 1
    background.worker(world.runtime).run_due()
    assert world.metric("goldvein_job_attempts_total", kind="journal.write", outcome="failed") == 1
    blocked.unlink()
    world.time += timedelta(minutes=30)
    background.worker(world.runtime).run_due()
    assert [line.kind for line in lines(world)] == ["withdrawn"]


def test_a_journal_that_was_lost_is_made_again_from_the_store(world: World) -> None:
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    before = lines(world)
    world.runtime.settings.journal_path.unlink()
    replaying.replay_own(world.runtime)
    assert lines(world) == before != []


def test_entries_of_organisations_that_the_store_does_not_have_are_counted(world: World) -> None:
    strange = Line(id=new_id(), tenant_id=new_id(), kind="withdrawn", person_id=new_id(), occurred_at=world.time)
    file.append(world.runtime.settings.journal_path, [strange])
    assert replaying.replay_own(world.runtime) == replaying.Replayed(applied=0, strangers=1)


def test_a_person_who_joined_later_is_no_trouble(world: World) -> None:
    tenant_id = world.someone("bob").tenant_id
    later = Line(id=new_id(), tenant_id=tenant_id, kind="withdrawn", person_id=new_id(), occurred_at=world.time)
    assert replaying.replay(world.runtime, [later]).applied == 1
    assert replaying.replay(world.runtime, [later]).applied == 0


def test_a_held_tenant_neither_captures_nor_exports_and_others_do(world: World) -> None:
    world.capture()
    with world.database.write(world.someone("bob").tenant_id) as session:
        journal.hold(session, world.time)
    capture = ok(world.track(tool_input_snippet="a", tool_output_snippet="b"))["capture"]
    assert capture == {"outcome": "denied", "reason": "tenant_switch_off"}
    export = f"/api/skills/{world.skill_id()}/export"
    refused = world.client("alice").get(export)
    assert refused.status_code == 403, refused.text
    with world.database.write(world.someone("charlie").tenant_id) as session:
        journal.need_no_hold(session)
    with world.database.write(world.someone("bob").tenant_id) as session:
        with pytest.raises(NotAllowed):
            journal.need_no_hold(session)
        journal.release(session)
    world.capture(text="captured again")


def test_a_held_store_tells_its_journal_nothing_of_it(world: World) -> None:
    with world.database.write(world.someone("bob").tenant_id) as session:
        journal.hold(session, world.time)
    replaying.replay_own(world.runtime)
    assert lines(world) == []


def test_reading_the_journal_at_a_start_is_quick(world: World) -> None:
    """Its lines are looked up five hundred at a time: a journal of years costs a start little."""
    many = [
        Line(id=new_id(), tenant_id=new_id(), kind="withdrawn", person_id=new_id(), occurred_at=world.time)
        for _ in range(5_000)
    ]
    file.append(world.runtime.settings.journal_path, many)
    began = time.thread_time()
    assert replaying.replay_own(world.runtime).strangers == 5_000
    assert time.thread_time() - began < 20
