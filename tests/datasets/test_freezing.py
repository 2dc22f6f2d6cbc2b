import hashlib
import json

import rfc8785
from conftest import World
from helpers import ok
from made import TERMS, approved, freeze, get, golden, make, row_ids

from goldvein.verify.documents import public_keys
from goldvein.verify.envelope import opened


def test_a_version_holds_golden_and_captured_rows_with_what_explains_each(world: World) -> None:
    make(world)
    golden_id, captured_id = golden(world, 1), approved(world, 2)

    frozen = freeze(world)

    assert (frozen["version"], frozen["rows"], frozen["left_out"]) == ("1", 2, {})
    rows = {row["example_id"]: row for row in get(world, "/versions/1/rows")["items"]}
    assert rows.keys() == {golden_id, captured_id}
    assert rows[golden_id]["provenance"]["basis"] == "authored"
    assert rows[golden_id]["provenance"]["consent_record_ids"] == []
    assert rows[captured_id]["provenance"]["basis"] == "consent"
    assert len(rows[captured_id]["provenance"]["consent_record_ids"]) == 2
    assert rows[captured_id]["provenance"]["reviewed_by"] == world.someone("alice").person_id
    assert rows[captured_id]["answer"] == "it printed 34 lines k2"


def test_without_terms_nothing_freezes(world: World) -> None:
    make(world, terms=None)
    golden(world, 1)

    answer = world.client("alice").post("/api/datasets/notes/versions", json={})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_terms")


def test_a_dry_run_says_what_would_be_in_it_and_why_the_rest_would_not(world: World) -> None:
    make(world, filter={"min_quality": 5})
    golden(world, 1, quality_score=9)
    low = golden(world, 2, quality_score=2)
    bad = approved(world, 3, output_verdict="bad", quality_score=9)
    waiting = world.capture("bob", "some other command", "some other answer")

    seen = freeze(world, status=200, dry_run=True)

    assert (seen["version"], seen["rows"]) == (None, 1)
    assert seen["left_out"] == {"filter_quality": 1, "no_target": 1, "not_approved": 1}
    assert seen["left_out_examples"] == {low: "filter_quality", bad: "no_target"}
    assert waiting not in seen["left_out_examples"]
    assert get(world, "/versions")["items"] == []


def test_the_same_content_gives_the_same_hash_and_no_new_version(world: World) -> None:
    first = make(world)
    golden(world, 1)
    golden(world, 2)
    freeze(world)

    again = freeze(world, status=200)
    assert (again["version"], again["is_new"]) == ("1", False)

    golden(world, 3)
    assert freeze(world)["version"] == "2"
    hashes = {version["version"]: version["content_hash"] for version in get(world, "/versions")["items"]}
    assert hashes["1"] != hashes["2"]
    assert get(world, "")["latest"] == "2"
    assert get(world, "")["id"] == first["id"]


def test_hashes_and_signature_can_be_checked_by_whoever_has_the_files(world: World) -> None:
    make(world)
    golden(world, 1)
    approved(world, 2)
    frozen = freeze(world)

    signed = get(world, "/versions/1/manifest")
    lines = world.client("alice").get("/api/datasets/notes/versions/1/rows.jsonl").content
    manifest = json.loads(signed["manifest"])

    assert rfc8785.dumps(manifest).decode() == signed["manifest"]
    assert manifest["content_hash"] == "sha256:" + hashlib.sha256(rfc8785.dumps(manifest["content"])).hexdigest()
    assert manifest["content"]["rows"]["sha256"] == hashlib.sha256(lines).hexdigest()
    assert [rfc8785.dumps(json.loads(line)) for line in lines.splitlines()] == lines.splitlines()
    assert manifest["content"]["rows"]["count"] == len(lines.splitlines()) == frozen["rows"]
    statement, _ = opened(signed["statement"], "application/vnd.in-toto+json", public_keys(signed["public_keys"]))
    digest = hashlib.sha256(signed["manifest"].encode()).hexdigest()
    assert statement["subject"][0] == {"name": "manifest.json", "digest": {"sha256": digest}}
    assert manifest["content"]["terms"] == {**TERMS, "poll_removals": True}
    texts = {row["example_id"]: row for row in get(world, "/versions/1/rows")["items"]}
    for line in map(json.loads, lines.splitlines()):
        row = texts[line["example_id"]]
        said = {name: row[name] for name in ("example_input", "example_output", "expected_output")}
        assert line["content_hash"] == "sha256:" + hashlib.sha256(rfc8785.dumps(said)).hexdigest()


def test_a_version_does_not_change_when_an_example_is_edited_or_rejected(world: World) -> None:
    make(world)
    edited, rejected = golden(world, 1), approved(world, 2)
    freeze(world)
    before = get(world, "/versions/1/rows")["items"]

    alice = world.client("alice")
    ok(alice.patch(f"/api/training-examples/{edited}", json={"example_output": "Another answer"}))
    ok(alice.post(f"/api/training-examples/{rejected}/review", json={"decision": "reopen"}))
    ok(alice.post(f"/api/training-examples/{rejected}/review", json={"decision": "reject"}))

    assert get(world, "/versions/1/rows")["items"] == before
    assert freeze(world)["version"] == "2"
    changes = {one["kind"]: one for one in get(world, "/diff?before=1&after=2")["items"]}
    assert changes["edited"]["example_id"] == edited
    assert "+Another answer" in changes["edited"]["changes"]["example_output"]
    assert changes["removed"] == {
        "kind": "removed",
        "example_id": rejected,
        "split_before": changes["removed"]["split_before"],
        "split_after": None,
        "reason": "not_approved",
        "changes": None,
    }


def test_rows_keep_their_split_in_later_versions(world: World) -> None:
    make(world, shares={"train": 50, "test": 50})
    for number in range(8):
        golden(world, number)
    freeze(world)
    before = {row["example_id"]: row["split"] for row in get(world, "/versions/1/rows")["items"]}
    for number in range(8, 20):
        golden(world, number)

    freeze(world)

    after = {row["example_id"]: row["split"] for row in get(world, "/versions/2/rows")["items"]}
    assert before.items() <= after.items()
    assert sorted(before.values()) == ["test"] * 4 + ["train"] * 4
    assert sorted(after.values()) == ["test"] * 10 + ["train"] * 10
    assert {one["kind"] for one in get(world, "/diff?before=1&after=2")["items"]} == {"added"}


def test_one_of_two_texts_that_are_the_same_is_left_out(world: World) -> None:
    make(world)
    first = golden(world, 1)
    texts = {"example_input": "Same  QUESTION", "example_output": "same answer"}
    kept = golden(world, 2, **texts)
    left = golden(world, 3, example_input="same question", example_output="Same answer")

    assert freeze(world)["left_out_examples"] == {left: "duplicate"}
    assert set(row_ids(world)) == {first, kept}


def test_leaking_splits_are_refused_unless_that_is_allowed_and_then_the_manifest_says_so(world: World) -> None:
    make(world, shares={"train": 50, "test": 50}, filter={"duplicates": "keep"})
    for number in range(2):
        golden(world, number)
    freeze(world)
    rows = {row["split"]: row for row in get(world, "/versions/1/rows")["items"]}
    same = {name: rows["train"][name] for name in ("example_input", "example_output")}
    ok(world.client("alice").patch(f"/api/training-examples/{rows['test']['example_id']}", json=same))

    answer = world.client("alice").post("/api/datasets/notes/versions", json={})

    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"pairs": 1, "persons": 0, "sessions": 0}
    assert freeze(world, allow_leakage=True)["version"] == "2"
    leakage = get(world, "/versions/2")["content"]["leakage"]
    assert leakage == {"pairs": 1, "persons": 0, "sessions": 0, "allowed": True}


def test_who_is_not_the_owner_does_not_freeze_and_who_is_no_reader_does_not_see(world: World) -> None:
    make(world)
    golden(world, 1)
    freeze(world)

    for name in ("bob", "dana"):
        assert world.client(name).get("/api/datasets/notes").status_code == 403
        assert world.client(name).post("/api/datasets/notes/versions", json={}).status_code == 403
    bob = world.someone("bob").person_id
    ok(world.client("alice").post("/api/datasets/notes/readers", json={"person_id": bob}), 204)
    assert world.client("bob").get("/api/datasets/notes/versions/1/rows").status_code == 200
    assert world.client("bob").post("/api/datasets/notes/versions", json={}).status_code == 403
    assert world.client("charlie").get("/api/datasets/notes").status_code == 404


def test_a_skill_of_someone_else_needs_a_grant_and_losing_it_stops_freezing(world: World) -> None:
    golden(world, 1)
    body = {"slug": "bobs", "name": "B", "purpose": "training", "skills": ["release-notes"], "terms": TERMS}
    bob, alice = world.client("bob"), world.client("alice")
    assert bob.post("/api/datasets", json=body).status_code == 403
    path, bob_id = "/api/skills/release-notes/dataset-grants", world.someone("bob").person_id
    ok(alice.post(path, json={"person_id": bob_id}), 204)
    ok(bob.post("/api/datasets", json=body), 201)
    ok(bob.post("/api/datasets/bobs/versions", json={}), 201)
    ok(alice.delete(f"{path}/{bob_id}"), 204)
    assert bob.post("/api/datasets/bobs/versions", json={}).status_code == 403


def test_purposes_that_were_not_consented_to_leave_rows_out(world: World) -> None:
    make(world, purpose="sharing_outside_tenant")
    golden_id, captured = golden(world, 1), approved(world, 2)

    assert freeze(world)["left_out_examples"] == {captured: "purpose_missing"}
    assert row_ids(world) == [golden_id]
