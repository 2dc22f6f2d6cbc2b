"""`goldvein import examples`, in-process against one real application."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from conftest import World
from helpers import github_token, rows

from goldvein.cli import connection, import_examples, main
from goldvein.feedback.tables import TrainingExample
from goldvein_client import Client, ClientError

SAMPLES = Path(__file__).parent / "data" / "chatlogs"


class Direct(Client):
    """A client whose requests go to the application itself; as the real one it raises ClientError."""

    def __init__(self, world: World, name: str = "alice") -> None:
        super().__init__("http://127.0.0.1:1", world.someone(name).api_key)
        self._direct = world.client(name)

    def request(self, method: str, path: str, *, json_body: object = None, **_options: Any) -> dict[str, Any]:
        answer = self._direct.request(method, path, json=json_body)
        content: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            error = content["error"]
            raise ClientError(error["code"], error["message"], error["details"], answer.status_code)
        return content


class Importer:
    """Runs the command as alice."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, line: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["import", "examples", *shlex.split(line), "--skill", "release-notes"])
        printed = self._capture.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err


@pytest.fixture
def importer(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Importer:
    monkeypatch.setattr(connection, "connect", lambda *_given: Direct(world))
    return Importer(capsys)


def file_of(world: World, *records: Any, name: str = "rows.jsonl") -> Path:
    path = world.data_dir / name
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in records), encoding="utf-8")
    return path


def pair(number: int) -> dict[str, Any]:
    return {"question": f"Question {number}", "answer": f"Answer {number}"}


def test_a_dry_run_shows_the_mapping_and_sends_nothing(world: World, importer: Importer) -> None:
    code, out, _ = importer(f"{SAMPLES / 'openai_chat_completions_log.jsonl'} --dry-run")
    assert code == 0
    assert "read as openai-chat" in out
    assert "request.messages" in out
    assert "What is T-17?" in out
    assert "1 example would be sent, 0 rejected. Nothing was sent." in out
    assert rows(world, TrainingExample) == []


def test_what_is_shown_first_is_sanitized(world: World, importer: Importer) -> None:
    path = file_of(world, {"question": f"use {github_token()}", "answer": "done"})
    code, out, err = importer(str(path))
    assert code == 0
    assert "[REDACTED:github_token]" in out
    assert github_token() not in out + err


def test_the_same_file_twice_adds_nothing(world: World, importer: Importer) -> None:
    path = file_of(world, *map(pair, range(250)))
    assert "250 examples added, 0 known already, 0 rejected." in importer(str(path))[1]
    assert "0 examples added, 250 known already, 0 rejected." in importer(str(path))[1]
    assert len(rows(world, TrainingExample)) == 250


def test_rejected_lines_have_number_and_reason_and_no_text(world: World, importer: Importer) -> None:
    secret = "marigold"
    path = file_of(
        world,
        pair(1),
        "{broken " + secret,
        {"question": secret},
        {"question": secret, "answer": "x" * 70_000},
        {"question": "a", "answer": "b", "quality_score": 11},
        {"other": secret},
        pair(2),
    )
    report = world.data_dir / "rejected.jsonl"
    code, out, err = importer(f"{path} --json --rejected {report}")
    answer = json.loads(out)
    assert code == 1
    assert (answer["stored"], answer["rejected"], answer["format"]) == (2, 5, "fields")
    reasons = {one["line"]: one["reason"] for one in answer["rejected_lines"]}
    assert reasons == {2: "not_json", 3: "no_output", 4: "too_long", 5: "invalid", 6: "no_input"}
    assert [json.loads(line)["line"] for line in report.read_text().splitlines()] == [5, 2, 3, 4, 6]
    assert secret not in out + err + report.read_text()
    code, out, err = importer(str(path))
    assert code == 1
    assert "not_json: line 2: not one JSON object" in err
    assert secret not in err


def test_fields_are_named_by_map_or_found(world: World, importer: Importer) -> None:
    path = file_of(world, "ask,say,stars", 'A,"B, C",9', name="rows.csv")
    code, _, err = importer(str(path))
    assert code == 1
    assert "--map input=FIELD,output=FIELD" in err
    assert importer(f"{path} --map input=ask,output=say,quality=stars")[0] == 0
    (example,) = rows(world, TrainingExample)
    assert (example.example_input, example.example_output, example.quality_score) == ("A", "B, C", 9)


def test_the_score_of_a_record_is_checked_by_the_server(world: World, importer: Importer) -> None:
    path = file_of(world, pair(1) | {"quality_score": 11}, pair(2) | {"quality_score": 10})
    answer = json.loads(importer(f"{path} --json")[1])
    assert (answer["stored"], answer["reasons"]) == (1, {"invalid": 1})
    assert "quality_score" in answer["rejected_lines"][0]["message"]


def test_wrong_options_are_wrong_usage(world: World, importer: Importer) -> None:
    path = file_of(world, pair(1))
    for options in ("--format word", "--map input=a", "--map nonsense", "--format openai-chat --map input=a,output=b"):
        assert importer(f"{path} {options}")[0] == 2
    assert importer(f"{path} --from-line 0")[0] == 2
    assert rows(world, TrainingExample) == []


def test_a_batch_is_read_beside_its_requests(world: World, importer: Importer) -> None:
    asked = file_of(
        world,
        "",
        {"custom_id": "other"},
        {"custom_id": "row-1", "body": {"messages": [{"role": "user", "content": "Rome?"}]}},
    )
    output = SAMPLES / "openai_batch_output.jsonl"
    assert json.loads(importer(f"{output} --json")[1])["reasons"] == {"no_request": 1}
    assert importer(f"{output} --requests {asked}")[0] == 0
    assert [example.example_input for example in rows(world, TrainingExample)] == ["Rome?"]


def test_parquet_comes_in_and_without_its_extra_says_so(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa  # noqa: PLC0415 (an extra)
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = world.data_dir / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([pair(number) for number in range(3)]), path)
    assert "3 examples added" in importer(str(path))[1]
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    code, _, err = importer(str(path))
    assert code == 1
    assert 'pip install "goldvein[parquet]"' in err


def test_files_that_cannot_be_read_are_one_line(world: World, importer: Importer) -> None:
    for content, message in ((b"\xff\xfea\x00", "UTF-16"), (b"[{}]", "jq -c"), (b"PAR1nothing", "no Parquet file")):
        path = world.data_dir / "odd.jsonl"
        path.write_bytes(content)
        code, _, err = importer(str(path))
        assert code == 1
        assert message in err
        assert len(err.strip().splitlines()) == 1
    assert importer(str(world.data_dir / "none.jsonl"))[0] == 1
    assert importer(str(file_of(world, "")))[0] == 0


def test_a_table_that_breaks_says_where_to_go_on(world: World, importer: Importer) -> None:
    good = [f"Q{number},A{number}" for number in range(150)]
    path = file_of(world, "question,answer", *good, '"never closed,x', name="rows.csv")
    code, _, err = importer(str(path))
    assert code == 1
    assert "go on with --from-line 102" in err
    assert "is no CSV from line 152 on" in err
    assert len(rows(world, TrainingExample)) == 100


def test_when_it_cannot_go_on_it_says_where_it_stopped(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_all = Direct.import_examples

    def away_at_the_second(client: Direct, skill: str, items: Any) -> Any:
        if items[0]["example_input"] != "Question 0":
            raise ClientError("not_allowed", "No longer.")
        return send_all(client, skill, items)

    monkeypatch.setattr(Direct, "import_examples", away_at_the_second)
    path = file_of(world, *map(pair, range(120)))
    code, _, err = importer(str(path))
    assert code == 1
    assert "go on with --from-line 101" in err
    monkeypatch.undo()
    monkeypatch.setattr(connection, "connect", lambda *_given: Direct(world))
    assert "20 examples added" in importer(f"{path} --from-line 101")[1]


def test_somebody_else_is_refused_before_anything_is_stored(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "connect", lambda *_given: Direct(world, "bob"))
    code, _, err = importer(str(file_of(world, pair(1))))
    assert code == 1
    assert "Only the skill author" in err
    assert rows(world, TrainingExample) == []


def test_large_texts_travel_in_several_requests(world: World, importer: Importer) -> None:
    texts = [{"question": f"{number} " + "word " * 12_000, "answer": "\x01" * 60_000} for number in range(6)]
    assert "6 examples added" in importer(str(file_of(world, *texts)))[1]
    tricky = {"question": "\x01" * 65_000, "answer": "\x02" * 65_000, "expected": "\x03" * 65_000}
    answer = json.loads(importer(f"{file_of(world, tricky)} --json")[1])
    assert answer["reasons"] == {"too_long": 1}
    assert import_examples.MAX_REQUEST_BYTES < 1024 * 1024
