"""`goldvein import events`, in-process against one real application."""

import io
import json
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from helpers import rows

from goldvein.capture.tables import UsageEvent
from goldvein.cli import connection, main, transfers
from goldvein_client import Client, ClientError


@dataclass
class Importer:
    """Runs the command as bob; requests go to the application without a network."""

    world: World
    capture: pytest.CaptureFixture[str]

    def __call__(self, line: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["import", "events", *shlex.split(line)])
        printed = self.capture.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err


class Direct(Client):
    """A client whose requests go to the application itself; as the real one it raises ClientError."""

    def __init__(self, world: World) -> None:
        super().__init__("http://127.0.0.1:1", world.someone("bob").api_key)
        self._direct = world.client("bob")

    def request(self, method: str, path: str, *, json_body: object = None, **_options: Any) -> dict[str, Any]:
        answer = self._direct.request(method, path, json=json_body)
        content: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            error = content["error"]
            raise ClientError(error["code"], error["message"], error["details"], answer.status_code)
        return content


@pytest.fixture
def importer(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Importer:
    monkeypatch.setattr(connection, "connect", lambda *_given: Direct(world))
    return Importer(world, capsys)


def event(world: World, **fields: Any) -> str:
    return json.dumps({"skill_id": "release-notes", "tool_name": "Bash", "ts": world.time.isoformat(), **fields})


def file_of(world: World, *lines: str) -> Path:
    path = world.data_dir / "uses.ndjson"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_lines_without_ids_are_stored_once_however_often_they_come(world: World, importer: Importer) -> None:
    path = file_of(world, *[event(world)] * 5, "", event(world, event_id="own"))
    code, out, _ = importer(f"{path} --batch 2")
    assert code == 0
    assert "6 uses stored, 0 known already, 0 rejected." in out
    code, out, _ = importer(f"{path} --batch 3 --json")
    assert (code, json.loads(out)["stored"], json.loads(out)["duplicate"]) == (0, 0, 6)
    with path.open("a") as grown:
        grown.write("\n" + event(world))
    assert json.loads(importer(f"{path} --json")[1])["stored"] == 1
    assert len(rows(world, UsageEvent)) == 7


def test_rejected_lines_are_listed_and_the_others_stored(world: World, importer: Importer) -> None:
    lines = [
        event(world),
        "{broken",
        event(world, skill_id="no-such-skill"),
        "[1]",
        event(world, ts="yesterday"),
        event(world, tool_input_snippet="x" * 300_000),
        event(world),
    ]
    code, out, _ = importer(f"{file_of(world, *lines)} --json")
    answer = json.loads(out)
    assert code == 1
    assert (answer["stored"], answer["rejected"]) == (2, 5)
    assert {one["line"]: one["reason"] for one in answer["rejected_lines"]} == {
        2: "invalid", 3: "unknown_skill", 4: "invalid", 5: "invalid", 6: "invalid",
    }  # fmt: skip
    code, _, err = importer(str(file_of(world, *lines)))
    assert code == 1
    assert re.search(r"unknown_skill: line 3: No such skill", err)


def test_standard_input_is_read_and_a_line_to_begin_at_is_kept(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(event(world, latency_ms=number) for number in range(1, 5)).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert json.loads(importer("- --from-line 3 --json")[1])["stored"] == 2
    assert {row.latency_ms for row in rows(world, UsageEvent)} == {3, 4}


def test_it_waits_when_the_server_says_so_and_sends_fewer_at_once(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        world.serve_with(track_limit_per_minute=100)

    monkeypatch.setattr(transfers.time, "sleep", wait)
    world.serve_with(track_limit_per_minute=4)
    path = file_of(world, *(event(world, latency_ms=number) for number in range(8)))
    assert json.loads(importer(f"{path} --json")[1])["stored"] == 8
    assert len(waited) == 1
    assert 1 <= waited[0] <= 60


def test_when_it_cannot_go_on_it_says_where_it_stopped(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_batch = Direct.track_batch

    def away_at_the_second(client: Direct, events: Any) -> Any:
        if events[0]["latency_ms"] >= 2:
            raise ClientError("unreachable", "it cannot be reached.")
        return track_batch(client, events)

    monkeypatch.setattr(transfers.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(Direct, "track_batch", away_at_the_second)
    path = file_of(world, *(event(world, latency_ms=number) for number in range(6)))
    code, _, err = importer(f"{path} --batch 2")
    assert code == 1
    assert "go on with --from-line 3" in err
    assert "unreachable" in err


def test_a_file_that_is_not_there_is_one_line(world: World, importer: Importer) -> None:
    code, _, err = importer(os.fspath(world.data_dir / "none.ndjson"))
    assert code == 1
    assert len(err.strip().splitlines()) == 1
