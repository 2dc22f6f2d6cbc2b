"""The group-commit writer: what it promises when rows are bad, the queue is full, or the store goes away."""

import asyncio
import sqlite3
import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from conftest import World
from helpers import ok, refusal, rows

from goldvein.capture import recorder, storing, writer
from goldvein.capture.formats import CapturedUse
from goldvein.capture.outcomes import Recorded
from goldvein.capture.recorder import Recorder
from goldvein.capture.storing import Outcome
from goldvein.capture.tables import KnownEvent, TokenMeasurement, UsageEvent
from goldvein.capture.uses import Report
from goldvein.db import batch
from goldvein.db.batch import BatchConnection, OutcomeUnknown, Transaction
from goldvein.errors import StoreUnavailable
from goldvein.examples import service as examples
from goldvein.feedback.tables import TrainingExample
from goldvein.identity.actor import Reporter
from goldvein.skills.service import BY_SLUG

SNIPPETS = {"tool_input_snippet": "Write the notes", "tool_output_snippet": "Here they are"}


def report(world: World, name: str = "bob", *, tool_name: str = "Bash", **fields: Any) -> Report:
    someone = world.someone(name)
    use = CapturedUse(skill="release-notes", tool_name=tool_name, occurred_at=world.time, **fields)
    reporter = Reporter(tenant_id=someone.tenant_id, person_id=someone.person_id, key_id=someone.key_id)
    return Report(reporter=reporter, use=use, door="track", received_at=world.time)


def record(world: World, *reports: Report, size: int = 100) -> list[Outcome]:
    """Record these in one batch."""
    own = Recorder(world.runtime)
    try:
        return asyncio.run(own.record(list(reports), door="track", size=size))
    finally:
        own.close()


def outcomes(found: list[Outcome]) -> list[str]:
    return [one.outcome if isinstance(one, Recorded) else type(one).__name__ for one in found]


def events_with(world: World, outcome: str) -> float:
    return world.metric_sum("goldvein_events_total", outcome=outcome)


def test_one_commit_takes_a_whole_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    commit = Transaction.commit

    def counted(transaction: Transaction) -> None:
        commits.append(1)
        commit(transaction)

    monkeypatch.setattr(Transaction, "commit", counted)
    found = record(world, *(report(world, event_id=f"e{n}") for n in range(300)))
    assert outcomes(found) == ["stored"] * 300
    assert len(commits) == 1
    assert len(rows(world, UsageEvent)) == len(rows(world, KnownEvent)) == 300


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_row_that_the_store_refuses_takes_no_other_along(
    world: World, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    add = storing._Tenant._add

    def spoiled(tenant: Any, use: Any, skill_id: str, capture: Any) -> None:
        add(tenant, use, skill_id, capture)
        if use.report.use.tool_name == "Poison":
            bad = list(tenant.rows.events[-1])
            bad[12] = "no such outcome"  # the table's own constraint refuses it
            tenant.rows.events[-1] = tuple(bad)

    monkeypatch.setattr(storing._Tenant, "_add", spoiled)
    names = ["Bash"] * 7
    names[place] = "Poison"
    found = record(world, *(report(world, tool_name=name, event_id=f"e{n}") for n, name in enumerate(names)))
    assert outcomes(found) == ["RefusedByStore" if name == "Poison" else "stored" for name in names]
    assert len(rows(world, UsageEvent)) == len(rows(world, KnownEvent)) == 6
    assert events_with(world, "stored") == 6
    assert world.metric_sum("goldvein_events_total", outcome="rejected", reason="internal_error") == 1


def test_an_example_that_the_store_refuses_costs_the_capture_and_not_the_event(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured_row = examples.captured_row

    def spoiled(**fields: Any) -> tuple[Any, ...]:
        row = captured_row(**fields)
        return (*row[:5], "no such status", *row[6:]) if fields["tool_name"] == "Poison" else row

    monkeypatch.setattr(examples, "captured_row", spoiled)
    found = record(world, *(report(world, tool_name=name, **SNIPPETS) for name in ("Bash", "Poison", "Bash")))
    assert outcomes(found) == ["stored"] * 3
    assert [one.capture.outcome for one in found if isinstance(one, Recorded)] == ["captured", "failed", "captured"]
    assert len(rows(world, TrainingExample)) == 2


def test_a_full_queue_is_a_503_before_anything_is_sanitized(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.serve_with(queue_events=1)
    sanitized: list[Any] = []
    entered, go_on = threading.Event(), threading.Event()
    store_uses = writer.store_uses

    def slow(*given: Any) -> Any:
        entered.set()
        assert go_on.wait(10)
        return store_uses(*given)

    monkeypatch.setattr(writer, "store_uses", slow)
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(world.track("bob", **SNIPPETS)))
    thread.start()
    assert entered.wait(10)
    with monkeypatch.context() as patch:
        patch.setattr(recorder, "sanitize_many", sanitized.append)
        refused = world.track("bob", **SNIPPETS)
    go_on.set()
    thread.join()
    refusal(refused, 503, "store_unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert sanitized == []
    assert first[0].json()["capture"]["outcome"] == "captured"
    assert world.track("bob").status_code == 200  # the place is free again
    assert (events_with(world, "stored"), events_with(world, "rejected")) == (2, 1)


def test_the_queue_is_bounded_in_bytes_too(world: World) -> None:
    own = Recorder(world.runtime)
    room = world.runtime.settings.queue_bytes
    place = own._writer.reserve(1, room)
    with pytest.raises(StoreUnavailable):
        own._writer.reserve(1, 1)
    own._writer.release(place)
    own._writer.release(own._writer.reserve(1, 2 * room))  # alone, anything fits
    own.close()


def test_closing_stores_what_has_queued_and_takes_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store_uses = writer.store_uses

    def slow(*given: Any) -> Any:
        time.sleep(0.05)
        return store_uses(*given)

    monkeypatch.setattr(writer, "store_uses", slow)
    world.serve_with(batch_events=1)
    own = Recorder(world.runtime)

    async def report_and_close() -> list[list[Outcome]]:
        calls = [asyncio.create_task(own.record([report(world)], door="track", size=1)) for _ in range(8)]
        await asyncio.sleep(0.02)
        await asyncio.get_running_loop().run_in_executor(None, own.close)
        return await asyncio.gather(*calls)

    found = asyncio.run(report_and_close())
    assert [outcomes(one) for one in found] == [["stored"]] * 8
    assert len(rows(world, UsageEvent)) == 8
    (late,) = asyncio.run(own.record([report(world)], door="track", size=1))
    assert isinstance(late, StoreUnavailable)


def test_the_same_event_thirty_two_times_in_one_batch_is_stored_once(world: World) -> None:
    found = record(world, *(report(world, event_id="e", **SNIPPETS) for _ in range(32)))
    assert outcomes(found) == ["stored"] + ["duplicate"] * 31
    assert len({one.usage_event_id for one in found if isinstance(one, Recorded)}) == 1
    assert len(rows(world, UsageEvent)) == len(rows(world, TrainingExample)) == len(rows(world, KnownEvent)) == 1


def test_another_body_under_one_event_id_is_a_conflict_within_a_batch_too(world: World) -> None:
    found = record(world, *(report(world, event_id="e", latency_ms=number) for number in (1, 2, 1)))
    assert outcomes(found) == ["stored", "EventConflict", "duplicate"]


def test_two_writers_with_the_same_events_store_each_once(world: World) -> None:
    """As two processes on one store do; on SQLite the two share a file."""
    several = [Recorder(world.runtime) for _ in range(4)]
    together = threading.Barrier(4)
    found: list[list[Outcome]] = []

    def send(own: Recorder, step: int) -> None:
        together.wait()
        order = [report(world, event_id=f"e{(n * step) % 41}") for n in range(41)]
        found.append(asyncio.run(own.record(order, door="track", size=1)))

    threads = [threading.Thread(target=send, args=(own, n + 1)) for n, own in enumerate(several)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in several:
        own.close()
    flat = [outcome for one in found for outcome in outcomes(one)]
    assert sorted(set(flat)) == ["duplicate", "stored"]
    assert flat.count("stored") == len(rows(world, UsageEvent)) == 41


def lost_connection(transaction: Transaction) -> None:
    """What a lost connection does to a commit, as the caller sees it."""
    raise OutcomeUnknown


@pytest.mark.parametrize("arrived", [True, False])
def test_a_commit_of_unknown_outcome_is_found_out_and_stored_once(
    world: World, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    commit = Transaction.commit
    lost: list[int] = []

    def lose_the_first(transaction: Transaction) -> None:
        if not lost:
            lost.append(1)
            if arrived:
                commit(transaction)
            raise OutcomeUnknown
        commit(transaction)

    monkeypatch.setattr(Transaction, "commit", lose_the_first)
    found = record(world, report(world, event_id="e", **SNIPPETS), report(world, model_name="gpt-5", input_tokens=1))
    assert outcomes(found) == ["stored", "stored"]
    assert [one.capture.outcome for one in found if isinstance(one, Recorded)] == ["captured", "none"]
    assert {one.usage_event_id for one in found if isinstance(one, Recorded)} == {
        event.id for event in rows(world, UsageEvent)
    }
    assert (len(rows(world, UsageEvent)), len(rows(world, TokenMeasurement))) == (2, 1)
    assert len(rows(world, TrainingExample)) == 1
    assert (events_with(world, "stored"), events_with(world, "rejected")) == (2, 0)


def test_a_commit_that_stays_unknown_is_not_acknowledged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_ASK_AGAIN_SECONDS", (0.0, 0.01))
    monkeypatch.setattr(Transaction, "commit", lost_connection)
    assert outcomes(record(world, report(world))) == ["StoreUnavailable"]


def test_quotas_are_exact_within_and_between_batches(world: World) -> None:
    world.serve_with(max_pending_per_skill=5, max_captured_per_person_day=3)
    for name in ("erin", "dana"):
        ok(world.client(name).post("/api/me/consent", json={"decision": "give"}))
    found = record(world, *(report(world, **SNIPPETS) for _ in range(4)))
    kept = [(one.capture.outcome, one.capture.reason) for one in found if isinstance(one, Recorded)]
    assert kept == [("captured", None)] * 3 + [("none", "quota")]
    found = record(world, *(report(world, name, **SNIPPETS) for name in ("bob", "erin", "erin", "dana")))
    kept = [(one.capture.outcome, one.capture.reason) for one in found if isinstance(one, Recorded)]
    assert kept == [("none", "quota"), ("captured", None), ("captured", None), ("none", "quota")]
    assert len(rows(world, UsageEvent)) == 8
    assert len(rows(world, TrainingExample)) == 5
    world.time += timedelta(days=1, seconds=1)
    pending = next(row for row in rows(world, TrainingExample) if row.status == "pending")
    path = f"/api/training-examples/{pending.id}/review"
    ok(world.client("alice").post(path, json={"decision": "approve"}))
    assert world.track("bob", **SNIPPETS).json()["capture"] == {"outcome": "captured", "reason": None}


def test_a_full_quota_is_remembered_so_that_nothing_is_sanitized_in_vain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.serve_with(max_captured_per_person_day=1)
    world.capture()
    quota = {"outcome": "none", "reason": "quota"}
    assert world.track("bob", **SNIPPETS).json()["capture"] == quota  # found out in the transaction
    monkeypatch.setattr(recorder, "sanitize_many", None)
    assert world.track("bob", **SNIPPETS).json()["capture"] == quota


def test_zero_is_no_quota(world: World) -> None:
    world.serve_with(max_pending_per_skill=0, max_captured_per_person_day=0)
    found = record(world, *(report(world, **SNIPPETS) for _ in range(60)))
    assert {one.capture.outcome for one in found if isinstance(one, Recorded)} == {"captured"}


def test_nothing_is_sanitized_for_whom_consent_already_denies(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "sanitize_many", None)
    assert world.track("erin", **SNIPPETS).json()["capture"]["reason"] == "no_consent"
    assert world.track("bob", user_id="erin", **SNIPPETS).json()["capture"]["reason"] == "person_mismatch"
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))
    assert world.track("bob", **SNIPPETS).json()["capture"]["reason"] == "tenant_switch_off"


def test_a_withdrawal_in_another_process_binds_the_next_batch(world: World) -> None:
    """What this process remembers of a consent never makes a yes: the transaction reads it again."""
    world.capture()
    world.database._watchers.clear()
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    assert world.track("bob", **SNIPPETS).json()["capture"] == {"outcome": "denied", "reason": "withdrawn"}


def test_rows_of_two_tenants_go_into_one_batch_and_stay_apart(world: World) -> None:
    of_globex = report(world, "charlie")
    found = record(world, report(world), of_globex, report(world))
    assert outcomes(found) == ["stored", "NotFound", "stored"]  # release-notes is Acme's
    assert (len(rows(world, UsageEvent)), len(rows(world, UsageEvent, of="charlie"))) == (2, 0)


class TestSqlite:
    """The file and its log."""

    @pytest.fixture
    def store(self) -> str:
        return "sqlite"

    def test_the_log_begins_anew_after_a_checkpoint_under_load(self, world: World) -> None:
        record(world, *(report(world, event_id=f"a{n}") for n in range(200)))
        log = world.data_dir / "goldvein.db-wal"
        world.database.checkpoint()
        size = log.stat().st_size
        for n in range(5):
            record(world, *(report(world, event_id=f"b{n}-{m}") for m in range(20)))
            world.database.checkpoint()
        assert log.stat().st_size <= size

    def test_a_disk_error_is_a_503_and_the_next_batch_is_stored(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_given: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "insert", full)
            refusal(world.track("bob"), 503, "store_unavailable")
        assert world.track("bob").status_code == 200
        assert len(rows(world, UsageEvent)) == 1


class TestPostgresql:
    """A server that other processes use too."""

    @pytest.fixture
    def store(self) -> str:
        return "postgresql"

    def test_a_connection_that_was_ended_is_opened_again(self, world: World) -> None:
        assert world.track("bob").status_code == 200
        owner = world.owner_url.replace("goldvein_owner", "postgres").replace("+psycopg", "")
        with psycopg.connect(owner, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'goldvein_app' AND datname = current_database()"
            )
        assert world.track("bob", event_id="e").status_code == 200
        assert len(rows(world, UsageEvent)) == 2

    def test_the_policies_bind_the_writer(self, world: World) -> None:
        connection = BatchConnection(world.database)
        with connection.transaction() as transaction:
            transaction.enter(world.someone("charlie").tenant_id)
            assert transaction.read((BY_SLUG, {"slugs": ["release-notes"]})) == [[]]
            transaction._tenant_id = world.someone("alice").tenant_id  # what a bug could do; the policy says no
            assert transaction.read((BY_SLUG, {"slugs": ["release-notes"]})) == [[]]
        connection.close()

    def test_foreign_keys_are_planned_again_as_a_new_store_grows(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batch, "_PLAN_AGAIN_AT_ROWS", (3,))
        planned: list[int] = []
        plan_again = BatchConnection._plan_again

        def counted(connection: BatchConnection, driver: Any, inserted: int) -> None:
            plan_again(connection, driver, inserted)
            planned.append(connection._inserted_rows)

        monkeypatch.setattr(BatchConnection, "_plan_again", counted)
        assert outcomes(record(world, *(report(world) for _ in range(4)))) == ["stored"] * 4
        assert planned == [4]
