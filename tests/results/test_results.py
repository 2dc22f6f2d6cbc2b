"""Scores of evaluations over HTTP, and two skill versions compared."""

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from conftest import SKILL_BODY, World
from helpers import UNKNOWN_ID, check_refused, ok, refusal, rows, wrong_field

from goldvein.cli import connection, main
from goldvein.results.tables import ResultRun, ResultScore
from goldvein.skills.service import digest_of
from goldvein_client import Client, ClientError

PATH = "/api/skills/release-notes/results"
DATA = Path(__file__).parent.parent / "data" / "results"


def golden(world: World, count: int = 1) -> list[str]:
    path = "/api/skills/release-notes/training-examples"
    bodies = [{"example_input": f"Question {number}", "example_output": "Answer"} for number in range(count)]
    return [ok(world.client("alice").post(path, json=body), 201)["id"] for body in bodies]


def new_version(world: World) -> str:
    body = SKILL_BODY + "Be brief.\n"
    ok(world.client("alice").patch("/api/skills/release-notes", json={"body": body}))
    return digest_of(body)


def results(world: World, *answers: tuple[str, float], **changes: Any) -> dict[str, Any]:
    listed = [{"row": row, "score": score, "passed": score >= 1, "output_bytes": 5} for row, score in answers]
    facts = {
        "skill_version": digest_of(SKILL_BODY),
        "dataset": "notes",
        "dataset_version": "3",
        "model": "stub",
        "tool": "promptfoo",
        "file_digest": "sha256:" + hashlib.sha256(json.dumps([listed, changes]).encode()).hexdigest(),
        "rows_in_file": max(1, len(listed)),
    }
    return facts | {"rows": listed} | changes


def send(world: World, *answers: tuple[str, float], **changes: Any) -> Any:
    return ok(world.client("alice").post(PATH, json=results(world, *answers, **changes)))


def test_only_the_author_imports_and_sees_results(world: World) -> None:
    (example,) = golden(world)
    everybody = {"anonymous": 401, "charlie": 404, "bob": 403, "dana": 403, "erin": 403}
    check_refused(world, "POST", PATH, results(world, (example, 1)), **everybody)
    check_refused(world, "GET", PATH, **everybody)
    check_refused(world, "GET", f"{PATH}/comparison?before=1&after=1", **everybody)
    assert rows(world, ResultRun) == []


def test_the_same_file_twice_adds_nothing_and_as_another_version_is_refused(world: World) -> None:
    examples = golden(world, 3)
    body = results(world, *((example, 1) for example in examples))
    alice = world.client("alice")
    assert ok(alice.post(PATH, json=body))["stored"] == 3
    assert (again := ok(alice.post(PATH, json=body)))["duplicate"] == 3
    assert again["stored"] == 0
    newer = new_version(world)
    refusal(alice.post(PATH, json=body | {"skill_version": newer}), 409, "already_exists")
    refusal(alice.post(PATH, json=body | {"dataset_version": "4"}), 409, "already_exists")
    assert ok(alice.post(PATH, json=body | {"skill_version": "1"}))["duplicate"] == 3
    assert ok(alice.post(PATH, json=body | {"model": "other"}))["stored"] == 3
    assert len(rows(world, ResultScore)) == 6


def test_a_file_of_many_rows_comes_in_several_requests(world: World) -> None:
    first, second = golden(world, 2)
    body = results(world, (first, 1), rows_in_file=2)
    ok(world.client("alice").post(PATH, json=body))
    ok(world.client("alice").post(PATH, json=body | {"rows": results(world, (second, 0))["rows"]}))
    (run,) = ok(world.client("alice").get(PATH))["items"]
    assert (run["rows"], run["rows_in_file"], run["passed"], run["mean_score"]) == (2, 2, 1, 0.5)
    assert (run["skill_version"], run["dataset"], run["dataset_version"], run["model"]) == (1, "notes", "3", "stub")


def test_rows_that_are_no_examples_of_the_skill_are_named(world: World) -> None:
    ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    other = ok(
        world.client("alice").post(
            "/api/skills/other/training-examples", json={"example_input": "a", "example_output": "b"}
        ),
        201,
    )["id"]
    (example,) = golden(world)
    done = send(world, (example, 1), (other, 1), (UNKNOWN_ID, 1), ("not an id", 1))
    assert (done["stored"], set(done["unknown_rows"])) == (1, {other, UNKNOWN_ID, "not an id"})


def test_what_is_wrong_is_named_and_nothing_is_stored(world: World, subtests: pytest.Subtests) -> None:
    (example,) = golden(world)
    row = results(world, (example, 1))["rows"][0]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"skill_version": "9"}, "skill_version"),
        ({"skill_version": "sha256:" + "0" * 64}, "skill_version"),
        ({"dataset": ""}, "dataset"),
        ({"dataset": "x" * 101}, "dataset"),
        ({"dataset": "of ann@corp.example"}, "dataset"),
        ({"model": "a\nb"}, "model"),
        ({"dataset_version": "three"}, "dataset_version"),
        ({"tool": "deepeval"}, "tool"),
        ({"file_digest": "abc"}, "file_digest"),
        ({"rows_in_file": 0}, "rows_in_file"),
        ({"rows": []}, "rows"),
        ({"rows": [row] * 2001}, "rows"),
        ({"rows": [row | {"score": 1e300}]}, "rows"),
        ({"rows": [row | {"trials": 0}]}, "rows"),
        ({"rows": [row | {"output_bytes": -1}]}, "rows"),
        ({"rows": [row | {"output": "text"}]}, "body"),
    ]
    for change, field in wrong:
        with subtests.test(change=change):
            assert wrong_field(world.client("alice").post(PATH, json=results(world, (example, 1)) | change)) == field
    assert rows(world, ResultRun) == []


def test_two_versions_are_compared_on_their_common_rows(world: World) -> None:
    examples = golden(world, 4)
    newer = new_version(world)
    send(world, *zip(examples, (0, 0, 0, 0), strict=True))
    world.time = world.time.replace(hour=13)
    send(world, *zip(examples[:3], (1, 0, 0), strict=True))  # the newest of a version counts
    send(world, *zip(examples, (0, 1, 1, 1), strict=True), skill_version=newer, dataset_version="3.1")
    send(world, (examples[0], 1), skill_version=newer, model="another")
    (found,) = ok(world.client("alice").get(f"{PATH}/comparison?before=1&after={newer}"))["items"]
    comparison = found["comparison"]
    assert (found["dataset_version_before"], found["dataset_version_after"], found["model"]) == ("3", "3.1", "stub")
    assert (comparison["common_rows"], comparison["only_after"]) == (3, 1)
    assert (comparison["fixed"], comparison["broken"]) == (sorted(examples[1:3]), [examples[0]])
    assert comparison["pass_rate"]["low"] < comparison["pass_rate"]["value"] < comparison["pass_rate"]["high"]
    assert wrong_field(world.client("alice").get(f"{PATH}/comparison?before=1&after=9")) == "after"


def test_scores_go_with_the_text_they_were_given_for_and_do_not_come_back(world: World) -> None:
    captured, kept = world.capture(), golden(world)[0]
    body = results(world, (captured, 1), (kept, 1))
    alice = world.client("alice")
    ok(alice.post(PATH, json=body))
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    assert [row.example_id for row in rows(world, ResultScore)] == [kept]
    again = ok(alice.post(PATH, json=body))
    assert (again["stored"], again["unknown_rows"]) == (0, [captured])
    ok(alice.delete(f"/api/training-examples/{kept}"), 204)
    assert rows(world, ResultScore) == []
    ok(alice.delete("/api/skills/release-notes", params={"confirm": "release-notes"}))
    assert rows(world, ResultRun) == []


def test_scores_go_with_a_text_that_leaked(world: World) -> None:
    leaked, kept = golden(world, 2)
    send(world, (leaked, 1), (kept, 1))
    world.client("alice").post(f"/api/training-examples/{leaked}/report-leak").raise_for_status()
    assert [row.example_id for row in rows(world, ResultScore)] == [kept]


class Direct(Client):
    """alice's client; its requests go to the application itself."""

    def __init__(self, world: World) -> None:
        super().__init__("http://127.0.0.1:1", world.someone("alice").api_key)
        self._direct = world.client("alice")

    def request(self, method: str, path: str, *, json_body: object = None, **options: Any) -> dict[str, Any]:
        answer = self._direct.request(method, path, json=json_body, params=options.get("params"))
        content: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            error = content["error"]
            raise ClientError(error["code"], error["message"], error["details"], answer.status_code)
        return content


def run(capture: pytest.CaptureFixture[str], line: str) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(line))
    printed = capture.readouterr()
    return ended.value.code, printed.out, printed.err


def test_files_are_imported_and_compared_by_commands(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "connect", lambda *_given: Direct(world))
    examples = golden(world, 2)
    new_version(world)
    paths = []
    for name in ("promptfoo.json", "inspect.json"):
        text = (DATA / name).read_text(encoding="utf-8")
        for number, example in enumerate(examples, start=1):
            text = text.replace(f"0190a5d1-0000-7000-8000-00000000000{number}", example)
        paths.append(world.data_dir / name)
        paths[-1].write_text(text, encoding="utf-8")
    of = "--skill release-notes --dataset notes --version 3 --model stub"
    code, out, _ = run(capsys, f"results import {paths[0]} {of} --skill-version 1")
    assert (code, "stub: 2 rows stored, 0 known already." in out) == (0, True)
    assert "0 rows stored, 2 known already" in run(capsys, f"results import {paths[0]} {of} --skill-version 1")[1]
    answer = json.loads(run(capsys, f"results import {paths[1]} {of} --skill-version 2 --scorer includes --json")[1])
    assert answer["models"][0] | {"rows": 2, "stored": 2, "unknown": 0} == answer["models"][0]
    assert "2 evaluations." in run(capsys, "results show --skill release-notes")[1]
    out = run(capsys, "results show --skill release-notes --compare 1 2")[1]
    assert "stub on notes 3" in out
    assert "1 before, 1 after" in out
    code, _, err = run(capsys, f"results import {DATA / 'promptfoo.json'} {of} --skill-version 1")
    assert (code, "unknown_row: 2 results" in err) == (1, True)
    code, _, err = run(capsys, f"results import {DATA / 'promptfoo.json'} {of} --skill-version 7")
    assert (code, "skill_version" in err) == (1, True)
    assert not any("Your refund was issued" in str(cell) for cell in world.every_cell())


def test_the_page_of_a_skill_shows_its_author_whether_a_version_helped(world: World) -> None:
    examples = golden(world, 3)
    newer = new_version(world)
    assert "Evaluations" not in ok_page(world, "alice")
    send(world, *zip(examples, (0, 1, 1), strict=True))
    assert "beside the version before" not in ok_page(world, "alice")
    world.time = world.time.replace(hour=13)
    send(world, *zip(examples, (1, 1, 0), strict=True), skill_version=newer)
    page = ok_page(world, "alice")
    assert "3 common rows, 2 passed before and 2 after; the pass rate changed by +0.0 points" in page
    assert f'Fixed: 1: <a href="/training-examples/{examples[0]}">' in page
    assert f'Broken: 1: <a href="/training-examples/{examples[2]}">' in page
    for name in ("bob", "dana"):
        assert "Evaluations" not in ok_page(world, name)


def ok_page(world: World, name: str) -> str:
    answer = world.browser(name).get("/skills/release-notes")
    assert answer.status_code == 200
    return str(answer.text)
