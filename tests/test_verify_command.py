"""`goldvein verify` and `goldvein consent receipt`, as an auditor and a person run them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from helpers import ok

from goldvein.cli import main, verifying
from goldvein_client import Client

Run = Callable[..., tuple[str, str]]


class WorldClient(Client):
    """A client whose requests reach the world's application without a network."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__("http://127.0.0.1", world.someone(name).api_key)
        self._http.close()
        self._http = world.client(name)


@pytest.fixture
def run(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("goldvein.cli.connection.connect", lambda *_: WorldClient(world, "bob"))
    monkeypatch.setattr(verifying, "connect", lambda *_: WorldClient(world, "dana"))

    def run_line(*arguments: object, code: int = 0) -> tuple[str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert ended.value.code == code, printed
        return printed.out, printed.err

    return run_line


def test_a_saved_ledger_is_verified_offline_and_against_an_earlier_one(world: World, run: Run, tmp_path: Path) -> None:
    earlier, later = tmp_path / "earlier.jsonl", tmp_path / "later.jsonl"
    run("verify", "ledger", "--save", earlier)
    world.capture()
    run("verify", "ledger", "--save", later)
    assert later.stat().st_mode & 0o777 == 0o600
    found = json.loads(run("verify", "ledger", later, "--since", earlier, "--json")[0])
    assert found["ok"]
    assert found["entries"] == len(later.read_text(encoding="utf-8").splitlines()) - 1
    assert "rolled back" in run("verify", "ledger", earlier, "--since", later, code=1)[1]


def test_the_servers_ledger_is_verified_without_a_file(run: Run) -> None:
    out, warning = run("verify", "ledger")
    assert "fit the checkpoint" in out
    assert "compare it with /api/ledger/keys" in warning


def test_a_checkpoint_as_the_server_answers_it_can_be_kept(world: World, run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.json"
    kept.write_text(json.dumps(ok(world.client("dana").get("/api/ledger/checkpoint"))), encoding="utf-8")
    world.capture()
    run("verify", "ledger", "--since", kept)


def test_an_altered_entry_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    run("verify", "ledger", "--save", file)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[5] = lines[5].replace("made", "gone", 1)
    file.write_text("".join(lines), encoding="utf-8")
    assert "entry 5: it was altered" in run("verify", "ledger", file, code=1)[1]


def test_a_key_that_is_known_is_the_only_one_that_counts(world: World, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    run("verify", "ledger", "--save", file)
    (known,) = world.anonymous().get("/api/ledger/keys").json()["public_keys"].values()
    assert run("verify", "ledger", file, "--public-key", known)[1] == ""
    assert "signature" in run("verify", "ledger", file, "--public-key", "11" * 32, code=1)[1]
    assert "hexadecimal" in run("verify", "ledger", file, "--public-key", "x", code=1)[1]


def test_a_receipt_is_downloaded_and_verified(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    run("consent", "receipt", "--out", file)
    assert file.stat().st_mode & 0o777 == 0o600
    out, _ = run("verify", "receipt", file)
    assert "This receipt holds: given at 2026-03-01T12:00:00Z." in out
    assert "in the ledger as it was signed" in out.replace("\n", " ")
    found = json.loads(run("verify", "receipt", file, "--json")[0])
    assert (found["ok"], found["event_state"]) == (True, "given")
    assert json.loads(run("consent", "receipt")[0]).keys() == {"receipt", "public_keys"}


def test_a_changed_receipt_does_not_hold(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    run("consent", "receipt", "--out", file)
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    document["receipt"]["payload"] = document["receipt"]["payload"][:-8] + "AAAAfQ=="
    file.write_text(json.dumps(document), encoding="utf-8")
    assert "does_not_fit: the signature of the receipt" in run("verify", "receipt", file, code=1)[1]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "not json", '{"receipt": 1, "checkpoint": 2, "public_keys": {"a": 1}}']
)
def test_a_file_of_something_else_is_refused_in_one_line(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "file"
    file.write_text(text, encoding="utf-8")
    for what in ("ledger", "receipt"):
        assert len(run("verify", what, file, code=1)[1].splitlines()) == 1
