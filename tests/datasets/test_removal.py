import socket
import threading

import pytest
from conftest import World
from helpers import ok, rows
from made import approved, freeze, get, golden, make, row_ids
from sqlalchemy import select

from goldvein import background, failpoints
from goldvein.consent.tables import LedgerEntry
from goldvein.datasets import freezing, revising
from goldvein.datasets.tables import DatasetContent, DatasetRow, DatasetVersion
from goldvein.jobs.tables import Job
from goldvein.verify.documents import public_keys
from goldvein.verify.envelope import opened
from goldvein.webhooks import sending
from goldvein.webhooks import service as webhooks
from goldvein.webhooks.tables import WebhookDelivery


def withdraw(world: World, name: str = "bob", **fields: object) -> None:
    ok(world.client(name).post("/api/me/consent", json={"decision": "withdraw", **fields}))


def test_a_withdrawal_makes_a_revision_with_the_same_rows_and_splits_minus_the_removed(world: World) -> None:
    make(world, shares={"train": 50, "test": 50})
    kept = [golden(world, number) for number in range(6)]
    gone = [approved(world, number) for number in range(10, 13)]
    freeze(world)
    before = {row["example_id"]: row["split"] for row in get(world, "/versions/1/rows")["items"]}

    withdraw(world)

    after = {row["example_id"]: row["split"] for row in get(world, "/versions/1/rows")["items"]}
    assert after == {example_id: before[example_id] for example_id in kept}
    assert set(before) == {*kept, *gone}
    assert [version["version"] for version in get(world, "/versions")["items"]] == ["1.1", "1"]
    assert get(world, "/versions/1")["version"] == "1.1"
    assert get(world, "/versions/latest")["rows"] == 6


def test_the_superseded_version_answers_410_and_names_what_stands_in_its_place(world: World) -> None:
    make(world)
    golden(world, 1)
    approved(world, 2)
    freeze(world)
    ok(world.client("alice").post("/api/datasets/notes/tags", json={"tag": "prod", "version": "1"}), 204)
    withdraw(world)

    for path in ("", "/rows", "/manifest", "/rows.jsonl"):
        answer = world.client("alice").get(f"/api/datasets/notes/versions/1.0{path}")
        assert answer.status_code == 410
        assert answer.json()["error"]["details"] == {"version": "1", "superseded_by": "1.1"}
    assert get(world, "/versions/prod")["version"] == "1.1"
    assert get(world, "/versions/1.1")["version"] == "1.1"


def test_nothing_that_was_withdrawn_is_left_in_any_table(world: World) -> None:
    make(world)
    golden(world, 1)
    approved(world, 2)
    approved(world, 3, expected_output="a marigold answer")
    freeze(world)
    assert any("marigold" in str(cell) for cell in world.every_cell())

    withdraw(world)

    cells = [str(cell) for cell in world.every_cell()]
    assert not any("marigold" in cell or "run command" in cell or "it printed" in cell for cell in cells)


def test_the_removal_list_is_signed_and_names_the_removed_examples(world: World) -> None:
    make(world)
    golden(world, 1)
    gone = [approved(world, 2), approved(world, 3)]
    freeze(world)
    withdraw(world)

    found = get(world, "/removals")

    assert [(one["version"], one["example_id"], one["cause"]) for one in found["items"]] == [
        ("1", example_id, "withdrawn") for example_id in gone
    ]
    keys = public_keys(get(world, "/versions/1/manifest")["public_keys"])
    listed, _ = opened(found["lists"]["1"], "application/vnd.goldvein.removals+json", keys)
    assert (listed["version"], listed["superseded_by"], listed["removed"]) == ("1", "1.1", gone)
    last = found["items"][-1]["seq"]
    assert get(world, f"/removals?since={last}") == {"items": [], "lists": {}}


def test_a_second_removal_makes_a_second_revision(world: World) -> None:
    make(world)
    first, second, third = golden(world, 1), golden(world, 2), golden(world, 3)
    freeze(world)
    alice = world.client("alice")

    assert alice.delete(f"/api/training-examples/{first}").status_code == 204
    assert row_ids(world, "1") == [second, third]
    assert alice.delete(f"/api/training-examples/{second}").status_code == 204

    assert row_ids(world, "1") == [third]
    assert [version["version"] for version in get(world, "/versions")["items"]] == ["1.2", "1.1", "1"]
    assert [(one["version"], one["cause"]) for one in get(world, "/removals")["items"]] == [
        ("1", "deleted"),
        ("1.1", "deleted"),
    ]


def test_two_removals_before_anybody_looks_make_one_revision(world: World) -> None:
    make(world)
    first, second, third = golden(world, 1), golden(world, 2), golden(world, 3)
    freeze(world)
    for example_id in (first, second):
        assert world.client("alice").delete(f"/api/training-examples/{example_id}").status_code == 204

    assert row_ids(world, "1") == [third]
    assert [version["version"] for version in get(world, "/versions")["items"]] == ["1.1", "1"]


def test_the_hash_of_a_revision_is_that_of_its_rows(world: World) -> None:
    make(world, seed=7)
    kept = golden(world, 1)
    gone = golden(world, 2)
    freeze(world)
    assert world.client("alice").delete(f"/api/training-examples/{gone}").status_code == 204
    revised = get(world, "/versions/1")

    assert freeze(world, status=200) == {**freeze(world, status=200), "version": "1.1", "is_new": False}
    assert revised["rows"] == revised["content"]["rows"]["count"] == 1
    assert row_ids(world) == [kept]


def test_deleting_a_skill_takes_its_rows_out_of_datasets(world: World) -> None:
    make(world)
    golden(world, 1)
    approved(world, 2)
    freeze(world)

    answer = world.client("alice").delete(f"/api/skills/{world.skill_id()}", params={"confirm": "release-notes"})

    assert answer.status_code == 200
    assert row_ids(world, "1") == []
    assert rows(world, DatasetContent) == []


def test_withdrawing_a_purpose_takes_rows_out_of_versions_frozen_for_it_and_only_of_those(world: World) -> None:
    make(world)
    only_to_test = {"licence": "l", "recipients": "r", "allowed_purposes": ["evaluation"]}
    make(world, slug="tests", purpose="evaluation", terms=only_to_test)
    kept, captured = golden(world, 1), approved(world, 2)
    freeze(world)
    ok(world.client("alice").post("/api/datasets/tests/versions", json={}), 201)

    withdraw(world, purposes=["training"])

    assert row_ids(world, "1") == [kept]
    tests = ok(world.client("alice").get("/api/datasets/tests/versions/1/rows"))["items"]
    assert {row["example_id"] for row in tests} == {kept, captured}


def test_erasing_one_example_takes_that_row_only(world: World) -> None:
    make(world)
    gone, kept = approved(world, 2), approved(world, 3)
    freeze(world)

    ok(world.client("bob").delete(f"/api/me/data/{gone}"))

    assert row_ids(world, "1") == [kept]


def test_a_reported_leak_leaves_versions_too(world: World) -> None:
    make(world)
    gone, kept = golden(world, 1), golden(world, 2)
    freeze(world)

    ok(world.client("alice").post(f"/api/training-examples/{gone}/report-leak"), 201)

    assert row_ids(world, "1") == [kept]
    assert [one["cause"] for one in get(world, "/removals")["items"]] == ["leak"]


def test_deleting_an_account_takes_its_rows_out_of_versions(world: World) -> None:
    make(world)
    kept, gone = golden(world, 1), approved(world, 2)
    freeze(world)

    email = world.someone("bob").email
    answer = world.browser("bob").delete("/api/me", params={"confirm": email})

    assert answer.status_code in {200, 204}, answer.text
    assert row_ids(world, "1") == [kept]
    assert [one["example_id"] for one in get(world, "/removals")["items"]] == [gone]


def test_texts_that_another_row_still_has_stay(world: World) -> None:
    make(world, filter={"duplicates": "keep"})
    texts = {"example_input": "the very same", "example_output": "texts of two"}
    first, second = golden(world, 1, **texts), golden(world, 2, **texts)
    freeze(world)
    assert len(rows(world, DatasetContent)) == 1

    assert world.client("alice").delete(f"/api/training-examples/{first}").status_code == 204

    assert row_ids(world, "1") == [second]
    assert len(rows(world, DatasetContent)) == 1


class Held:
    """Work that is held at a named place until it is let go, while the test does something else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
        self.there, self.go = threading.Event(), threading.Event()
        reach = failpoints.reach
        self.times = 0

        def held(name: str) -> None:
            if name == place:
                self.times += 1
                if self.times == 1:
                    self.there.set()
                    assert self.go.wait(20)
            reach(name)

        monkeypatch.setattr(failpoints, "reach", held)


def freeze_beside(world: World, held: Held) -> tuple[threading.Thread, list[object]]:
    found: list[object] = []

    def run() -> None:
        actor = world.actor("alice")
        runtime = world.runtime
        try:
            found.append(
                freezing.freeze(runtime.database, runtime.server_key, runtime.settings, actor, "notes", now=world.time)
            )
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert held.there.wait(20)
    return thread, found


@pytest.mark.parametrize("place", ["freeze.planned", "freeze.written", "freeze.publishing"])
@pytest.mark.parametrize("how", ["withdraw", "withdraw_purpose", "delete"])
def test_what_is_removed_while_a_version_is_frozen_is_not_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str, how: str
) -> None:
    make(world)
    kept, captured = golden(world, 1), approved(world, 2)
    held = Held(monkeypatch, place)
    thread, found = freeze_beside(world, held)

    if how == "delete":
        assert world.client("alice").delete(f"/api/training-examples/{captured}").status_code == 204
    else:
        withdraw(world, **({"purposes": ["training"]} if how == "withdraw_purpose" else {}))
    held.go.set()
    thread.join(20)

    assert isinstance(found[0], freezing.Frozen), found
    assert row_ids(world, "1") == [kept]
    assert get(world, "/versions/1")["content"]["rows"]["count"] == 1
    assert [row.example_id for row in rows(world, DatasetRow)] == [kept]
    if how != "withdraw_purpose":
        assert not any("it printed" in str(cell) for cell in world.every_cell())


def test_a_removal_while_a_revision_is_made_is_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make(world)
    first, second, third = golden(world, 1), golden(world, 2), golden(world, 3)
    freeze(world)
    alice = world.client("alice")
    assert alice.delete(f"/api/training-examples/{first}").status_code == 204
    held = Held(monkeypatch, "revision.publishing")
    runtime, tenant_id = world.runtime, world.someone("alice").tenant_id
    thread = threading.Thread(
        target=lambda: revising.revise_all(runtime.database, runtime.server_key, tenant_id, world.time)
    )
    thread.start()
    assert held.there.wait(20)

    assert alice.delete(f"/api/training-examples/{second}").status_code == 204
    held.go.set()
    thread.join(20)

    assert row_ids(world, "1") == [third]
    assert get(world, "/versions/1")["rows"] == 1
    listed = [entry.entry for entry in rows(world, LedgerEntry)]
    assert sum('"kind":"superseded"' in entry for entry in listed) == 2


def test_a_freeze_that_was_given_up_leaves_nothing_and_the_next_one_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(world)
    golden(world, 1)

    def fail(name: str) -> None:
        if name == "freeze.publishing":
            raise KeyboardInterrupt

    monkeypatch.setattr(failpoints, "reach", fail)
    actor, runtime = world.actor("alice"), world.runtime
    with pytest.raises(KeyboardInterrupt):
        freezing.freeze(runtime.database, runtime.server_key, runtime.settings, actor, "notes", now=world.time)
    monkeypatch.undo()

    assert rows(world, DatasetRow) == rows(world, DatasetContent) == rows(world, DatasetVersion) == []
    assert freeze(world)["version"] == "1"


def test_whoever_has_a_copy_is_told_and_the_worker_makes_the_revision(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    monkeypatch.setattr(sending.socket, "getaddrinfo", lambda *_arguments, **_options: public)
    monkeypatch.setattr(webhooks, "deliver", lambda *_arguments: iter(()))  # sending has tests of its own
    make(world)
    kept, gone = golden(world, 1), approved(world, 2)
    freeze(world)
    for name in ("alice", "erin"):
        ok(world.client(name).post("/api/me/webhooks", json={"url": "https://hooks.example/removed"}), 201)
    assert world.client("alice").get("/api/datasets/notes/versions/1/export?format=chat-jsonl").status_code == 200
    withdraw(world)
    (told,) = rows(world, WebhookDelivery)  # erin has no copy
    assert (told.event_type, told.data["version"], told.data["cause"]) == ("dataset.removal", "1", "withdrawn")
    assert (told.data["examples"], told.data["count"]) == ([gone], 1)
    assert [job.kind for job in jobs_of(world)].count("datasets.revise") == 1
    with world.database.read(world.someone("alice").tenant_id) as session:
        before = {version.label for version in session.scalars(select(DatasetVersion))}
    background.worker(world.runtime).run_due()
    with world.database.read(world.someone("alice").tenant_id) as session:
        after = {version.label for version in session.scalars(select(DatasetVersion))}
    assert after - before == {"1.1"}
    assert row_ids(world, "1") == [kept]


def jobs_of(world: World) -> list[Job]:
    with world.database.read_across_tenants() as session:
        return list(session.scalars(select(Job)))


def test_my_data_says_in_which_versions_an_example_is(world: World) -> None:
    make(world)
    golden(world, 1)
    captured, pending = approved(world, 2), world.capture(text="not reviewed")
    freeze(world)
    data = ok(world.client("bob").get("/api/me/data"))["captured_examples"]
    assert {row["id"]: row["dataset_versions"] for row in data} == {captured: ["notes 1"], pending: []}
    assert "notes 1" in world.browser("bob").get("/preferences").text
    ok(world.client("bob").delete(f"/api/me/data/{captured}"))
    data = ok(world.client("bob").get("/api/me/data"))["captured_examples"]
    assert {row["id"]: row["dataset_versions"] for row in data} == {captured: [], pending: []}
