"""`goldvein examples rescan` and what `goldvein doctor` says of it, on a store of each kind."""

import json
import re
from typing import Any

import pytest
from conftest import SERVER_KEY, World
from helpers import ok
from sqlalchemy import update

from goldvein.cli import main
from goldvein.examples import rescan as rescanning
from goldvein.policy.tables import SanitizerRule

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
    monkeypatch.setattr(rescanning, "READ_AT_ONCE", 2)
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
    assert [line.split() for line in shown.splitlines() if line.startswith(("Read", "Findings"))] == [
        ["Read", "1"],
        ["Findings", "staff_number", "1"],
    ]
    assert "1; 1 examples are pending again" in shown
    assert "EMP" not in shown + bar
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    assert run("examples rescan", capsys)[1] == ""


def test_a_rule_that_cannot_be_used_stops_the_rescan_and_the_doctor_says_so(
    operator: World, capsys: pytest.CaptureFixture[str]
) -> None:
    golden(operator, "alice", "release-notes", "EMP-100001")
    ok(operator.client("dana").post("/api/settings/sanitizer-rules", json=RULE), 201)
    with operator.database.write(operator.someone("dana").tenant_id) as session:
        session.execute(update(SanitizerRule).values(pattern="(EMP"))
    found = sanitizer_check(capsys, 1)
    assert not found["ok"]
    assert "EMP" not in json.dumps(found)
    assert "EMP" not in "".join(run("examples rescan", capsys, 1))
