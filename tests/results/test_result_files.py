"""From the files of promptfoo 0.123 and Inspect 0.3.285, as they wrote them, to scores by row."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.results import files, inspect_log, promptfoo
from goldvein.results.files import read_results
from goldvein.results.trials import REASONS, BadResults, RowResult, Trial, collect

DATA = Path(__file__).parent.parent / "data" / "results"
FIRST, SECOND = (f"0190a5d1-0000-7000-8000-00000000000{number}" for number in (1, 2))


def row(name: str, score: float, *, passed: bool, trials: int = 1, output_bytes: int = 27) -> RowResult:
    return RowResult(row=name, score=score, passed=passed, trials=trials, output_bytes=output_bytes)


@pytest.mark.parametrize("name", ["promptfoo.json", "promptfoo.jsonl"])
def test_results_of_promptfoo(name: str) -> None:
    found = read_results(DATA / name)
    assert (found.tool, found.unused) == ("promptfoo", {})
    assert found.rows == {"stub": [row(FIRST, 1, passed=True, output_bytes=28), row(SECOND, 0.5, passed=False)]}


def test_a_log_of_inspect_is_the_mean_of_its_scorers_and_of_its_epochs() -> None:
    found = read_results(DATA / "inspect.json")
    assert (found.tool, found.unused) == ("inspect", {})
    assert found.rows == {
        "stub/stub": [row(FIRST, 0.5, passed=False, trials=2), row(SECOND, 0, passed=False, trials=2)]
    }
    chosen = read_results(DATA / "inspect.json", scorer="includes").rows["stub/stub"]
    assert chosen == [row(FIRST, 1, passed=True, trials=2), row(SECOND, 0, passed=False, trials=2)]
    assert read_results(DATA / "inspect.json", scorer="none").unused == {"no_score": 4}


def write_eval(path: Path, *, how: int, document: dict[str, Any]) -> Path:
    from backports.zstd import zipfile as newer  # noqa: PLC0415 (an extra)

    with newer.ZipFile(path, "w", how) as archive:
        archive.writestr("_journal/start.json", json.dumps({"eval": document["eval"]}))
        for sample in document["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps({"eval": document["eval"], "status": "success"}))
    return path


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, 93], ids=["deflated", "zstandard"])
def test_an_archive_of_inspect_says_the_same_as_its_json(tmp_path: Path, how: int) -> None:
    document = json.loads((DATA / "inspect.json").read_text(encoding="utf-8"))
    path = write_eval(tmp_path / "log.eval", how=how, document=document)
    assert read_results(path) == read_results(DATA / "inspect.json")


def test_without_the_extra_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads((DATA / "inspect.json").read_text(encoding="utf-8"))
    path = write_eval(tmp_path / "log.eval", how=93, document=document)
    monkeypatch.setitem(__import__("sys").modules, "backports.zstd", None)
    with pytest.raises(BadResults, match=r"goldvein\[inspect\]"):
        read_results(path)


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, 93])
def test_hostile_archives_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: int) -> None:
    document = json.loads((DATA / "inspect.json").read_text(encoding="utf-8"))
    path = write_eval(tmp_path / "log.eval", how=how, document=document)
    content = bytearray(path.read_bytes())
    place = content.index(b"samples/") + 100
    content[place : place + 60] = bytes(60)
    (tmp_path / "damaged.eval").write_bytes(content)
    with pytest.raises(BadResults):
        read_results(tmp_path / "damaged.eval")
    monkeypatch.setattr(inspect_log, "MAX_SAMPLE_BYTES", 1000)
    document["samples"][0]["input"] = "x" * 2000
    with pytest.raises(BadResults, match="more than"):
        list(inspect_log.read_archive(write_eval(tmp_path / "bomb.eval", how=how, document=document), None))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "b")
    with pytest.raises(BadResults):
        read_results(tmp_path / "other.zip")


def test_what_counts_for_nothing_has_a_reason() -> None:
    good = json.loads((DATA / "promptfoo.jsonl").read_text(encoding="utf-8").splitlines()[0])

    def reason(**changes: Any) -> str:
        return next(iter(promptfoo.read_results([good | changes]))).reason

    assert reason() == ""
    assert reason(testCase={}, metadata={}) == "no_row"
    for metadata in ({"goldvein_row": "a"}, {"example_id": "a"}):
        assert next(iter(promptfoo.read_results([good | {"testCase": {"metadata": metadata}}]))).row == "a"
    assert reason(failureReason=2) == "not_completed"
    for score in (None, "1", float("nan"), 1e300, True):
        assert reason(score=score) == "no_score"
    assert reason(success=None) == "no_score"
    sample = json.loads((DATA / "inspect.json").read_text(encoding="utf-8"))["samples"][0]
    header = {"eval": {"model": "m"}}

    def of_sample(**changes: Any) -> Trial:
        return next(inspect_log.read_samples({**header, "samples": [sample | changes]}, None))

    assert of_sample(error={"message": "x"}).reason == "not_completed"
    assert of_sample(id=5).reason == "no_row"
    for value in ({}, {"a": {"value": "maybe"}}, {"a": {"value": "C"}, "b": {"value": [1]}}, {"a": {"value": None}}):
        assert of_sample(scores=value).reason == "no_score"
    for value, score, passed in (
        ({"passed": 1.0, "answer_overlap": 0.25}, 0.625, True),
        ({"passed": 0.0, "answer_overlap": 1.0}, 0.5, False),
        ({"a": 1.0, "b": 0.5}, 0.75, False),
    ):
        found = of_sample(scores={"checks": {"value": value}})
        assert (found.score, found.passed) == (score, passed)
    for value, score in (("C", 1), ("P", 0.5), ("N", 0), (True, 1), (0.7, 0.7), ("yes", 1)):
        found = of_sample(scores={"a": {"value": value}})
        assert (found.score, found.passed) == (score, score > 0.5)


def test_results_of_several_prompts_are_refused_and_of_several_models_told_apart() -> None:
    one = json.loads((DATA / "promptfoo.jsonl").read_text(encoding="utf-8").splitlines()[0])
    with pytest.raises(BadResults, match="several prompts"):
        list(promptfoo.read_results([one, one | {"promptIdx": 1}]))
    found = collect("promptfoo", promptfoo.read_results([one, one | {"provider": {"id": "other"}}, one]))
    assert {model: [held.trials for held in rows] for model, rows in found.rows.items()} == {"stub": [2], "other": [1]}


def test_a_row_passes_when_more_than_half_of_its_trials_do() -> None:
    trials = [Trial(model="m", row="a", score=score, passed=score == 1, output_bytes=4) for score in (1, 0)]
    assert collect("x", trials).rows["m"] == [row("a", 0.5, passed=False, trials=2, output_bytes=4)]
    assert collect("x", [*trials, trials[0]]).rows["m"][0].passed


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "other.json"
    for content in (b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"results": []}', b'{"eval": {}, "samples": []}'):
        path.write_bytes(content)
        with pytest.raises(BadResults, match="neither"):
            read_results(path)
    first = (DATA / "promptfoo.jsonl").read_bytes().splitlines()[0]
    path.write_bytes(first + b"\n5\n")
    with pytest.raises(BadResults, match="no object"):
        read_results(path)
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 1000)
    with pytest.raises(BadResults, match="larger than 1000"):
        read_results(DATA / "inspect.json")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["C", "a", "stub"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "goldvein_row", "output", "completion", "value", "id", "label", "a", "results"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    result=st.dictionaries(
        st.sampled_from(
            ["testCase", "provider", "success", "score", "response", "metadata", "promptIdx", "failureReason", "vars"]
        ),
        VALUES,
    ),
    sample=st.dictionaries(st.sampled_from(["id", "epoch", "scores", "output", "error"]), VALUES),
)
def test_whatever_a_file_holds_it_counts_or_has_a_reason(result: Any, sample: Any) -> None:
    trials = [*promptfoo.read_results([result])]
    trials += inspect_log.read_samples({"eval": {"model": "m"}, "samples": [sample]}, None)
    assert {trial.reason for trial in trials} <= {"", *REASONS}
    collect("x", trials)
