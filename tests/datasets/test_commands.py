import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from made import TERMS, golden

from goldvein.cli import connection, main
from goldvein_client import Client


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command as alice, in this process and without a server."""
    alice = world.someone("alice")

    def connect(*_: object) -> Client:
        client = Client("http://testserver", alice.api_key, channel="cli")
        inside = world.anonymous(Authorization=f"Bearer {alice.api_key}")

        def request(method: str, path: str, *, timeout: object, **options: Any) -> Any:
            del timeout  # the application is in this process
            return inside.request(method, path, **options)

        monkeypatch.setattr(client._http, "request", request)
        return client

    monkeypatch.setattr(connection, "connect", connect)

    def call(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["dataset", *words])
        return ended.value.code, capsys.readouterr().out

    return call


def test_a_dataset_is_made_frozen_tagged_compared_and_exported_from_the_command_line(
    world: World, run: Any, tmp_path: Path
) -> None:
    choices = tmp_path / "notes.json"
    choices.write_text(json.dumps({"terms": TERMS, "seed": 5}))
    golden(world, 1)

    made = run("create", "notes", "--skill", "release-notes", "--purpose", "training", "--choices", str(choices))
    assert made == (0, "notes is made.\n")
    assert run("freeze", "notes", "--dry-run") == (0, "A version would have 1 row.\n")
    assert run("freeze", "notes") == (0, "Version 1 is frozen with 1 row.\n")
    assert run("freeze", "notes") == (0, "Nothing has changed since version 1.\n")
    golden(world, 2)
    assert run("freeze", "notes") == (0, "Version 2 is frozen with 2 rows.\n")
    assert run("tag", "notes", "prod", "1")[0] == 0
    assert "prod=1" in run("show", "notes")[1]
    assert "added" in run("diff", "notes")[1]
    assert run("removals", "notes") == (0, "0 removals.\n")
    code, out = run("readers", "notes", "--add", world.someone("bob").person_id)
    assert (code, out.splitlines()[-1]) == (0, "1 reader.")

    target = tmp_path / "notes.zip"
    assert run("export", "notes", "prod", "--out", str(target))[0] == 0
    with zipfile.ZipFile(target) as archive:
        assert json.loads(archive.read("manifest.json"))["version"]["name"] == "1"
    assert run("export", "notes", "prod", "--out", str(target))[0] == 1
