import hashlib
import io
import json
import zipfile
from typing import Any

from conftest import SKILL_BODY, World
from helpers import check_refused, client_with, github_token, new_key, ok, refusal, rows, wrong_field

from goldvein.consent import service as consent
from goldvein.consent.tables import ConsentEvent
from goldvein.sanitizer import SANITIZER_VERSION
from goldvein.skills.service import digest_of

PATH = "/api/skills/release-notes/export"
EXAMPLES = "/api/skills/release-notes/training-examples"


class Exported:
    """The members of a downloaded archive."""

    def __init__(self, response: Any) -> None:
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/zip"
        assert response.headers["content-disposition"] == 'attachment; filename="release-notes-chat-jsonl.zip"'
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            assert archive.testzip() is None
            self.files = {name: archive.read(name) for name in archive.namelist()}
        self.manifest = json.loads(self.files["manifest.json"])

    def lines(self, name: str = "examples.jsonl") -> list[Any]:
        return [json.loads(line) for line in self.files[name].splitlines()]

    def answers(self) -> list[str]:
        return [line["messages"][-1]["content"] for line in self.lines()]


def export(world: World, **params: Any) -> Exported:
    return Exported(world.client("alice").get(PATH, params=params))


def golden(world: World, **changes: Any) -> str:
    body = {"example_input": "golden question", "example_output": "golden answer", **changes}
    example_id: str = ok(world.client("alice").post(EXAMPLES, json=body), 201)["id"]
    return example_id


def approved(world: World, text: str = "question", answer: str = "answer", **review: Any) -> str:
    example_id = world.capture(text=text, answer=answer)
    path = f"/api/training-examples/{example_id}/review"
    ok(world.client("alice").post(path, json={"decision": "approve", **review}))
    return example_id


def test_only_the_author_exports(world: World) -> None:
    approved(world)
    check_refused(world, "GET", PATH, anonymous=401, charlie=404, bob=403, erin=403, dana=403)
    narrow = client_with(world, new_key(world, "alice", "track", "read", "review", "me")["api_key"])
    assert refusal(narrow.get(PATH), 403, "missing_scope")["scope"] == "export"
    assert len(export(world).lines()) == 1


def test_an_unknown_format_or_skill_is_refused(world: World) -> None:
    assert wrong_field(world.client("alice").get(PATH, params={"format": "csv"})) == "format"
    refusal(world.client("alice").get("/api/skills/globex-notes/export"), 404, "not_found")


def test_a_row_is_one_conversation_on_one_line(world: World) -> None:
    approved(world, text='first line\nsecond "line" \u2028 é', answer="answer\nwith lines")
    exported = export(world)
    assert set(exported.files) == {"examples.jsonl", "skipped.jsonl", "manifest.json"}
    assert exported.lines() == [
        {
            "messages": [
                {"role": "user", "content": 'first line\nsecond "line" \u2028 é'},
                {"role": "assistant", "content": "answer\nwith lines"},
            ]
        }
    ]
    assert exported.files["examples.jsonl"].count(b"\n") == 1
    assert "é".encode() in exported.files["examples.jsonl"]


def test_only_approved_examples_go_out(world: World) -> None:
    approved(world, answer="approved answer")
    golden(world)
    for steps in ((), ("reject",), ("quarantine",), ("approve", "reopen"), ("approve", "quarantine")):
        example_id = world.capture(answer="not this one")
        for decision in steps:
            path = f"/api/training-examples/{example_id}/review"
            ok(world.client("alice").post(path, json={"decision": decision}))
    exported = export(world)
    assert sorted(exported.answers()) == ["approved answer", "golden answer"]
    assert exported.lines("skipped.jsonl") == []


def test_the_answer_is_the_expected_output_or_an_output_found_good(world: World) -> None:
    approved(world, text="a", answer="captured, good")
    approved(world, text="b", answer="captured, bad", output_verdict="bad", expected_output="corrected")
    approved(world, text="c", answer="captured, good too", expected_output="even better")
    bad = approved(world, text="d", answer="captured, only bad", output_verdict="bad")
    unsure = approved(world, text="e", answer="captured, unsure", output_verdict="unsure")
    golden(world, expected_output="golden expectation")
    exported = export(world)
    assert sorted(exported.answers()) == ["captured, good", "corrected", "even better", "golden expectation"]
    skipped = {row["example_id"]: row["reason"] for row in exported.lines("skipped.jsonl")}
    assert skipped == {bad: "no_target", unsure: "no_target"}
    assert exported.manifest["counts"] == {"rows": 4, "captured": 3, "golden": 1, "skipped": 2}


def test_the_manifest_explains_every_row(world: World) -> None:
    captured = approved(world, text=f"with {github_token()}", quality_score=8)
    written = golden(world)
    exported = export(world)
    manifest = exported.manifest
    consents = {event.subject: event.id for event in rows(world, ConsentEvent)}
    alice = world.someone("alice").person_id
    assert (manifest["format"], manifest["exported_by"]) == ("chat-jsonl", alice)
    assert manifest["exported_at"] == world.time.isoformat()
    assert manifest["skill"] == {"id": world.skill_id(), "slug": "release-notes", "name": "Release-Notes"}
    assert manifest["sanitizer_versions"] == [SANITIZER_VERSION]
    explained = {row["example_id"]: row for row in manifest["rows"]}
    by_consent, by_hand = explained[captured], explained[written]
    assert (by_consent["basis"], by_hand["basis"]) == ("consent", "authored")
    assert by_consent["consent_record_ids"] == [consents["tenant"], consents["person"]]
    assert by_hand["consent_record_ids"] == []
    assert (by_consent["findings"], by_consent["quality_score"]) == ({"github_token": 1}, 8)
    assert by_consent["usage_event_id"] is not None
    assert {row["reviewed_by"] for row in explained.values()} == {alice}
    assert by_hand["skill_digest"] == digest_of(SKILL_BODY)
    shown = json.dumps(manifest)
    assert world.someone("bob").person_id not in shown
    assert "bob" not in shown.lower()


def test_the_digests_are_those_of_the_files_and_lines(world: World) -> None:
    approved(world)
    golden(world)
    exported = export(world)
    for name in ("examples.jsonl", "skipped.jsonl"):
        content = exported.files[name]
        expected = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        assert exported.manifest["files"][name] == expected
    lines = exported.files["examples.jsonl"].splitlines(keepends=True)
    assert [row["sha256"] for row in exported.manifest["rows"]] == [hashlib.sha256(line).hexdigest() for line in lines]


def test_the_same_content_gives_the_same_bytes(world: World) -> None:
    approved(world)
    golden(world)
    first, second = (world.client("alice").get(PATH).content for _ in range(2))
    assert first == second


def test_the_text_of_the_skill_goes_before_each_row_when_asked(world: World) -> None:
    approved(world)
    assert [message["role"] for message in export(world).lines()[0]["messages"]] == ["user", "assistant"]
    with_system = export(world, system=True)
    assert with_system.lines()[0]["messages"][0] == {"role": "system", "content": SKILL_BODY}
    assert with_system.manifest["system_message"] == digest_of(SKILL_BODY)
    assert export(world).manifest["system_message"] is None


def test_a_skill_without_text_has_no_system_message(world: World) -> None:
    ok(world.client("alice").post("/api/skills", json={"slug": "bare", "name": "Bare"}), 201)
    response = world.client("alice").get("/api/skills/bare/export", params={"system": True})
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.read("examples.jsonl") == b""
        assert json.loads(archive.read("manifest.json"))["counts"]["rows"] == 0


def test_after_a_withdrawal_nothing_of_the_person_goes_out(world: World) -> None:
    approved(world, text="of bob")
    golden(world)
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    exported = export(world)
    assert exported.answers() == ["golden answer"]
    assert all(b"of bob" not in content for content in exported.files.values())


def test_a_row_whose_record_no_longer_holds_is_skipped_with_the_reason(world: World) -> None:
    example_id = approved(world, text="of bob")
    with world.database.write(world.someone("bob").tenant_id) as session:  # as if the erasure had missed the row
        consent.append_withdrawal(session, world.actor("bob"), now=world.time)
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give"}))
    exported = export(world)
    assert exported.lines() == []
    assert exported.lines("skipped.jsonl") == [{"example_id": example_id, "reason": "consent_withdrawn"}]


def test_nobody_is_trained_on_who_said_yes_to_evaluation_only(world: World) -> None:
    ok(world.client("erin").post("/api/me/consent", json={"decision": "give", "purposes": ["evaluation"]}))
    example_id = world.capture("erin", text="only for evaluation")
    path = f"/api/training-examples/{example_id}/review"
    ok(world.client("alice").post(path, json={"decision": "approve"}))
    exported = export(world)
    assert exported.lines() == []
    assert [row["example_id"] for row in exported.lines("skipped.jsonl")] == [example_id]


def test_switching_off_and_expiry_do_not_stop_what_is_stored(world: World) -> None:
    approved(world)
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))
    world.time = world.time.replace(year=2028)
    assert len(export(world).lines()) == 1


def test_texts_of_another_skill_stay_there(world: World) -> None:
    ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    approved(world)
    response = world.client("alice").get("/api/skills/other/export")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.read("examples.jsonl") == b""
