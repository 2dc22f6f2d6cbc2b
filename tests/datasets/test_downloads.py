import io
import json
import zipfile
from typing import Any

import pytest
from conftest import World
from helpers import ok
from made import TERMS, approved, freeze, get, golden, make, row_ids

from goldvein.consent import service as consent
from goldvein.datasets import choices
from goldvein.datasets.exports import FORMATS


def download(world: World, name: str = "alice", version: str = "1", status: int = 200, **params: Any) -> Any:
    answer = world.client(name).get(f"/api/datasets/notes/versions/{version}/export", params=params)
    assert answer.status_code == status, answer.text
    if status != 200:
        return answer.json()["error"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "huggingface"])
def test_a_version_goes_out_in_every_format(world: World, name: str) -> None:
    make(world)
    golden(world, 1)
    approved(world, 2)
    freeze(world)

    files = download(world, format=name)

    exported = json.loads(files["manifest.json"])
    assert exported["version"]["content_hash"] == get(world, "/versions/1")["content_hash"]
    assert exported["counts"]["rows"] + sum(exported["counts"]["skipped"].values()) == 2
    assert json.loads(files["manifest.dsse.json"])["payloadType"] == "application/vnd.goldvein.export+json"
    assert download(world, format=name) == files


def test_a_reader_has_to_accept_the_terms_and_is_in_the_log_and_the_ledger(world: World) -> None:
    make(world)
    golden(world, 1)
    freeze(world)
    bob = world.someone("bob").person_id
    assert download(world, "bob", status=403)["code"] == "not_allowed"
    ok(world.client("alice").post("/api/datasets/notes/readers", json={"person_id": bob}), 204)

    refused = download(world, "bob", status=403)
    assert refused["code"] == "terms_not_accepted"
    assert refused["details"]["terms"] == {**TERMS, "poll_removals": True}
    download(world, "bob", accept_terms=refused["details"]["terms_hash"])

    (entry,) = get(world, "/downloads")["items"]
    assert (entry["person_id"], entry["version"], entry["form"]) == (bob, "1", "chat-jsonl")
    assert entry["terms_hash"] == refused["details"]["terms_hash"] == choices.hash_of(refused["details"]["terms"])
    listed = ok(world.client("dana").get("/api/ledger/entries?limit=200"))["items"]
    assert [json.loads(one["entry"])["dataset"] for one in listed if '"exported"' in one["entry"]]


def test_after_the_day_on_which_copies_go_there_are_no_new_ones(world: World) -> None:
    make(world, terms={**TERMS, "delete_by": "2026-02-28"})
    golden(world, 1)
    freeze(world)

    assert "is over" in download(world, status=403)["message"]


def test_the_holdout_goes_out_only_when_it_is_named_and_each_look_is_counted(world: World) -> None:
    make(world, shares={"train": 50, "holdout": 50})
    for number in range(4):
        golden(world, number)
    freeze(world)

    counts = json.loads(download(world)["manifest.json"])["counts"]
    assert (counts["rows"], counts["held_back"]) == (2, {"holdout": 2})
    assert get(world, "/versions/1")["holdout_looks"] == 0
    assert len(row_ids(world, "1")) == 2

    assert json.loads(download(world, split="holdout")["manifest.json"])["counts"]["rows"] == 2
    assert len(row_ids(world, "1", split="holdout")) == 2
    assert get(world, "/versions/1")["holdout_looks"] == 2


def test_a_consent_that_was_invalidated_since_makes_a_revision_that_goes_out(world: World) -> None:
    make(world)
    kept, gone = golden(world, 1), approved(world, 2)
    freeze(world)
    with world.database.read(world.someone("bob").tenant_id) as session:
        event = consent.consent_event(session, world.someone("bob").person_id)
    assert event is not None
    ok(world.client("dana").post(f"/api/notices/{event.notice_version}/invalidate"))

    files = download(world)

    assert json.loads(files["manifest.json"])["version"]["name"] == "1.1"
    assert not any(b"it printed" in content for content in files.values())
    assert row_ids(world, "1") == [kept]
    assert [(one["example_id"], one["cause"]) for one in get(world, "/removals")["items"]] == [(gone, "invalidated")]
    assert download(world, version="1.0", status=410)["details"] == {"version": "1", "superseded_by": "1.1"}


def test_what_is_no_format_split_or_choice_is_refused(world: World) -> None:
    make(world)
    golden(world, 1)
    freeze(world)

    assert download(world, status=422, format="x")["details"]["field"] == "format"
    assert download(world, status=422, split="all")["details"]["field"] == "splits"
    assert download(world, status=422, placeholders="drop")["details"]["field"] == "placeholders"
    assert get(world, "/downloads")["items"] == []


def test_nothing_is_left_of_an_export_in_the_data_folder(world: World) -> None:
    make(world)
    golden(world, 1)
    freeze(world)
    download(world)
    download(world, status=422, format="x")

    assert list((world.data_dir / "exports").iterdir()) == []
