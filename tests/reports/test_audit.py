"""The auditor's report: its numbers are those of the session that was played, and it names nobody."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from helpers import ok

from goldvein.cli import main
from goldvein.reports.audit import masked

DAYS = {"from": "2026-01-01", "to": "2026-12-31"}


def files(world: World, **params: str) -> dict[str, str]:
    answer = world.client("dana").get("/api/reports/audit", params={**DAYS, **params})
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def table(found: dict[str, str], name: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(found[f"{name}.csv"])))[1:]


def play(world: World) -> None:
    """Three captures, one approved and exported, one reported as a leak; then a withdrawal and a use without consent."""
    alice, bob = world.client("alice"), world.client("bob")
    first, second, _ = (world.capture(text=f"words of bob {number}") for number in range(3))
    ok(alice.post(f"/api/training-examples/{first}/review", json={"decision": "approve"}))
    assert alice.get("/api/skills/release-notes/export").status_code == 200
    ok(alice.post(f"/api/training-examples/{second}/report-leak"), 201)
    ok(bob.post("/api/me/consent", json={"decision": "withdraw"}))
    ok(world.track(tool_input_snippet="a", tool_output_snippet="b"))
    ok(world.track())


def test_the_numbers_are_those_of_the_session(world: World) -> None:
    play(world)
    found = files(world)
    summary = dict(table(found, "summary"))
    assert summary == {
        "examples captured": "3",
        "examples erased": "3",
        "withdrawals and revocations": "1",
        "exports": "1",
        "reported leaks": "1",
        "captures that consent does not carry": "0",
    }
    outcomes = {(row[0], row[1]): int(row[2]) for row in table(found, "outcomes")}
    stored = outcomes.pop(("stored", "the sum of these"))
    assert outcomes == {("captured", ""): 3, ("denied", "withdrawn"): 1, ("none", "no_snippets"): 1}
    assert stored == sum(outcomes.values())
    assert dict(table(found, "erasures")) == {"leak": "1", "withdrawn": "2"}
    assert [row[2:] for row in table(found, "withdrawals")] == [["withdrawn", "2", "0"]]
    assert dict(table(found, "replay"))["captures decided again from the ledger"] == "3"
    assert [row[2:5] for row in table(found, "exports")] == [[world.skill_id(), "", "chat-jsonl"]]
    assert [row[2] for row in table(found, "switch")] == ["switched_on"]
    assert [row[0] for row in table(found, "exceptions")] == ["reported leak"]


def test_the_document_holds_every_table_and_names_nobody(world: World) -> None:
    play(world)
    found = files(world)
    html = found["report.html"]
    for name in found:
        assert not name.endswith(".csv") or f'id="{name.removesuffix(".csv")}"' in html
    everything = "\n".join(found.values())
    for someone in world.seed.people.values():
        for needle in (someone.email, someone.person_id, f">{someone.name}<"):
            assert needle not in everything, needle
    assert "words of bob" not in everything
    assert "<script" not in html


def test_its_checkpoint_holds_against_the_ledger_of_later(world: World, tmp_path: Path, capsys: Any) -> None:
    kept = tmp_path / "checkpoint.json"
    kept.write_text(files(world)["checkpoint.json"], encoding="utf-8")
    play(world)
    lines = [{"checkpoint": ok(world.client("dana").get("/api/ledger/checkpoint"))["checkpoint"]}]
    lines[0]["public_keys"] = ok(world.anonymous().get("/api/ledger/keys"))["public_keys"]
    lines += ok(world.client("dana").get("/api/ledger/entries", params={"limit": 200}))["items"]
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["verify", "ledger", str(ledger), "--since", str(kept)])
    assert (ended.value.code, "fit the checkpoint" in capsys.readouterr().out) == (0, True)


def test_a_name_that_is_hostile_stays_text(world: World) -> None:
    ok(world.client("dana").patch("/api/settings", json={"name": "<script>alert(1)</script>"}))
    assert "<script" not in files(world)["report.html"]


def test_only_the_days_asked_for_are_in_it(world: World) -> None:
    play(world)
    earlier = files(world, to="2026-01-31")
    assert dict(table(earlier, "summary"))["examples captured"] == "0"
    assert table(earlier, "outcomes") == [["stored", "the sum of these", "0"]]
    world.time += timedelta(days=400)
    assert dict(table(files(world), "summary"))["examples captured"] == "3"


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, "<5"), (4, "<5"), (5, 5), (70, 70)])
def test_few_people_are_only_said_to_be_few(count: int, told: Any) -> None:
    assert masked(count) == told


def test_one_table_alone_is_csv(world: World) -> None:
    play(world)
    answer = world.client("dana").get("/api/reports/audit", params={**DAYS, "section": "outcomes"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines()[0] == "outcome,reason,uses"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from": "2026-02-01", "to": "2026-01-01"}, "to"),
        ({"from": "2026-01-01", "to": "9999-12-31"}, "to"),
        ({**DAYS, "section": "gossip"}, "section"),
        ({"from": "soon", "to": "2026-01-01"}, "from"),
        ({"from": "2026-01-01"}, "to"),
    ],
)
def test_a_wrong_day_or_table_is_named(world: World, params: dict[str, str], field: str) -> None:
    answer = world.client("dana").get("/api/reports/audit", params=params)
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (422, field)


def test_it_is_the_admins_alone(world: World) -> None:
    for name in ("alice", "bob"):
        assert world.client(name).get("/api/reports/audit", params=DAYS).status_code == 403
        assert world.browser(name).get("/admin/audit-report", params=DAYS).status_code == 403
    assert world.browser("dana").get("/admin/audit-report", params=DAYS).headers["content-type"] == "application/zip"
    refused = world.browser("dana").get("/admin/audit-report", params={"from": "x", "to": ""})
    assert refused.status_code == 422
    assert "a day such as 2027-01-31" in refused.text
