"""`goldvein examples rescan`, what `goldvein doctor` says of it, and what `goldvein serve` does by itself after an upgrade."""

import json
import os
import re
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from conftest import SERVER_KEY, World
from helpers import github_token, ok
from programs import environment, running
from sqlalchemy import update

from goldvein import server
from goldvein.cli import main
from goldvein.db.session import Database
from goldvein.errors import StoreUnavailable
from goldvein.examples import rescan as examples_rescan
from goldvein.feedback.tables import TrainingExample
from goldvein.policy.tables import SanitizerRule
from goldvein.server import rescanning

RULE = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}


@pytest.fixture
def operator(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world, whose store the commands of this process work on."""
    world.data_dir.chmod(0o700)
    monkeypatch.setenv("GOLDVEIN_DATA_DIR", str(world.data_dir))
    monkeypatch.setenv("GOLDVEIN_DATABASE_URL", world.runtime.settings.database_url)
    monkeypatch.setenv("GOLDVEIN_SERVER_KEY", SERVER_KEY)
    return world


def run(line: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    printed = capsys.readouterr()
    assert ended.value.code == code, printed
    return printed.out, printed.err


def rescan(options: str, capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(run(f"examples rescan --json {options}", capsys)[0])


def sanitizer_check(capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    checks = json.loads(run("doctor --json", capsys, code)[0])
    found: dict[str, Any] = next(check for check in checks if check["check"] == "sanitizer")
    return found


def golden(world: World, name: str, slug: str, text: str) -> str:
    body = {"example_input": text, "example_output": "b"}
    found: str = ok(world.client(name).post(f"/api/skills/{slug}/training-examples", json=body), 201)["id"]
    return found


def test_all_tenants_are_rescanned_in_steps_and_the_second_time_nothing_is_left(
    operator: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples_rescan, "READ_AT_ONCE", 2)
    for number in range(4):
        golden(operator, "alice", "release-notes", f"EMP-10000{number}" if number % 2 else "nothing")
    golden(operator, "charlie", "globex-notes", "EMP-200000")
    for name in ("dana", "charlie"):
        ok(operator.client(name).post("/api/settings/sanitizer-rules", json=RULE), 201)
    before = sanitizer_check(capsys)
    assert before["ok"]
    assert before["found"].startswith("5 stored examples and comments wait")
    assert "goldvein examples rescan" in before["found"]
    done = rescan("", capsys)
    assert done == {"read": 5, "changed": 3, "reopened": 3, "failed": 0, "findings": {"staff_number": 3}}
    assert [cell for cell in operator.every_cell() if "EMP-1" in str(cell) or "EMP-2" in str(cell)] == []
    assert "wait" not in sanitizer_check(capsys)["found"]
    assert rescan("", capsys) == {"read": 0, "changed": 0, "reopened": 0, "failed": 0, "findings": {}}


def test_one_tenant_can_be_rescanned_alone(operator: World, capsys: pytest.CaptureFixture[str]) -> None:
    golden(operator, "alice", "release-notes", "EMP-100001")
    golden(operator, "charlie", "globex-notes", "EMP-200000")
    for name in ("dana", "charlie"):
        ok(operator.client(name).post("/api/settings/sanitizer-rules", json=RULE), 201)
    assert rescan(f"--tenant {operator.someone('charlie').tenant_id}", capsys)["changed"] == 1
    assert [cell for cell in operator.every_cell() if "EMP-2" in str(cell)] == []
    assert sanitizer_check(capsys)["found"].startswith("1 stored examples")
    _, said = run("examples rescan --tenant nobody", capsys, 1)
    assert said == "goldvein: not_found: No such tenant.\n"


def test_a_person_reads_counts_and_a_bar_that_a_pipe_does_not_get(
    operator: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    golden(operator, "alice", "release-notes", "EMP-100001")
    ok(operator.client("dana").post("/api/settings/sanitizer-rules", json=RULE), 201)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    shown, bar = (re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text) for text in run("examples rescan", capsys))
    assert "Rescanning" in bar
    assert "1/1" in bar
    assert [line.split() for line in shown.splitlines() if not line.startswith(("Changed", "Failed"))] == [
        ["Read", "1"],
        ["Pending", "again", "1"],
        ["Findings", "staff_number", "1"],
    ]
    assert "EMP" not in shown + bar
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    assert run("examples rescan", capsys)[1] == ""


def spoil_rules(world: World, name: str) -> None:
    """Let the rules of this person's organisation be none that can be used, as after a change of RE2's limits."""
    ok(world.client(name).post("/api/settings/sanitizer-rules", json=RULE), 201)
    with world.database.write(world.someone(name).tenant_id) as session:
        session.execute(update(SanitizerRule).values(pattern="(EMP"))


def make_old(world: World, name: str, slug: str) -> str:
    """An example as an older version stored it, with a secret that only this one knows."""
    example = golden(world, name, slug, "a")
    with world.database.write(world.someone(name).tenant_id) as session:
        old = {"example_input": f"use {github_token()}", "sanitizer_version": "0-older"}
        session.execute(update(TrainingExample).where(TrainingExample.id == example).values(**old))
    return example


def is_old(world: World) -> bool:
    return any(github_token() in str(cell) for cell in world.every_cell())


def wait_until_new(world: World) -> None:
    deadline = time.monotonic() + 30
    while is_old(world):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rescan_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "rescan"]


def test_a_rule_that_cannot_be_used_fails_the_rescan_after_the_others_and_the_doctor_says_so(
    operator: World, capsys: pytest.CaptureFixture[str]
) -> None:
    golden(operator, "alice", "release-notes", "EMP-100001")
    make_old(operator, "charlie", "globex-notes")
    spoil_rules(operator, "dana")
    found = sanitizer_check(capsys, 1)
    assert not found["ok"]
    assert "EMP" not in json.dumps(found)
    out, err = run("examples rescan --json", capsys, 1)
    assert json.loads(out)["changed"] == 1
    assert "1 organisations have a sanitizer rule that cannot be used" in err
    assert "EMP" not in out + err
    assert not is_old(operator)


def test_a_server_takes_the_rules_of_its_release_to_what_is_stored(operator: World) -> None:
    make_old(operator, "alice", "release-notes")
    make_old(operator, "charlie", "globex-notes")
    variables = {name: value for name, value in os.environ.items() if name.startswith("GOLDVEIN_")}
    with running("serve", "--port", "0", env=environment(operator.data_dir, **variables)) as server:
        assert "goldvein serves" in server.line()
        wait_until_new(operator)
        code, _, err = server.stop(signal.SIGTERM)
    assert code == 0
    assert github_token().encode() not in err
    listed = ok(operator.client("alice").get("/api/skills/release-notes/training-examples"))["items"]
    assert [(found["status"], found["status_reason"]) for found in listed] == [("pending", "rescan")]


def test_a_server_that_is_told_not_to_leaves_what_is_stored(operator: World) -> None:
    make_old(operator, "alice", "release-notes")
    operator.runtime.settings = replace(operator.runtime.settings, rescan_on_start=False)
    with rescanning(operator.runtime):
        assert rescan_threads() == []
    assert is_old(operator)


def test_an_organisation_with_unusable_rules_does_not_keep_the_others_waiting(operator: World) -> None:
    make_old(operator, "charlie", "globex-notes")
    spoil_rules(operator, "dana")
    with rescanning(operator.runtime):
        wait_until_new(operator)


def test_only_one_process_rescans_at_a_time_and_the_next_one_looks_again(
    operator: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "RESCAN_RETRY_SECONDS", 0.05)
    make_old(operator, "alice", "release-notes")
    if operator.is_sqlite:
        with operator.database.alone("rescan") as is_alone:
            assert is_alone
        return
    other = Database(operator.runtime.settings.database_url)
    with other.alone("rescan") as is_alone, rescanning(operator.runtime):
        assert is_alone
        time.sleep(0.3)
        assert is_old(operator)
        with operator.database.alone("other work") as may_do_other_work:
            assert may_do_other_work
    with rescanning(operator.runtime):
        wait_until_new(operator)
    other.close()


def test_a_store_that_fails_is_tried_again(operator: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "RESCAN_RETRY_SECONDS", 0.05)
    make_old(operator, "alice", "release-notes")
    failures, real = [StoreUnavailable(), StoreUnavailable()], server.rescan

    def rescan_or_fail(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(*arguments, **options)

    monkeypatch.setattr(server, "rescan", rescan_or_fail)
    with rescanning(operator.runtime):
        wait_until_new(operator)
    assert failures == []


def test_the_end_of_a_server_is_not_held_up_by_a_rescan(operator: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends after the step that it is in; the rest is behind still, and the next start goes on."""
    monkeypatch.setattr(examples_rescan, "WRITTEN_AT_ONCE", 1)
    for _ in range(5):
        make_old(operator, "alice", "release-notes")
    first_step, go_on, real = threading.Event(), threading.Event(), examples_rescan._write

    def write(*arguments: Any) -> Any:
        first_step.set()
        assert go_on.wait(10)
        return real(*arguments)

    monkeypatch.setattr(examples_rescan, "_write", write)
    with rescanning(operator.runtime):
        assert first_step.wait(10)
        threading.Timer(0.2, go_on.set).start()
    assert rescan_threads() == []
    with operator.database.read(operator.someone("alice").tenant_id) as session:
        assert examples_rescan.count_behind(session) == 4
