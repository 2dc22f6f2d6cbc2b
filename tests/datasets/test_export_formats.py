import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import FACTS, HOSTILE, SKILL_TEXT, export, facts_for, hostile_rows, mixed_rows, row
from markdown_it import MarkdownIt

from goldvein.datasets.exports import FORMATS, card, csv_table, find_format, parquet, promptfoo
from goldvein.datasets.exports.assertions import portable
from goldvein.datasets.exports.facts import ExportOptions, SkillFacts, Terms
from goldvein.datasets.exports.misfits import MISFITS
from goldvein.datasets.rows import Assertion, Row
from goldvein.errors import InvalidField, NotConfigured


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_chat_lines_are_conversations_and_the_system_message_is_asked_for(tmp_path: Path) -> None:
    plain = export(tmp_path / "a", "chat-jsonl", [row(1)]).folder
    assert lines(plain / "train.jsonl") == [
        {
            "messages": [
                {"role": "user", "content": "What changed in release 1?"},
                {"role": "assistant", "content": "Better answer 1."},
            ]
        }
    ]
    asked = export(tmp_path / "b", "chat-jsonl", [row(1)], system_message=True).folder
    assert lines(asked / "train.jsonl")[0]["messages"][0] == {"role": "system", "content": SKILL_TEXT}


def test_a_skill_without_a_text_has_no_system_message(tmp_path: Path) -> None:
    facts = facts_for("training", skills=(SkillFacts(slug="release-notes", name="Release notes"),))
    folder = export(tmp_path, "chat-jsonl", [row(1)], facts, system_message=True).folder
    assert [turn["role"] for turn in lines(folder / "train.jsonl")[0]["messages"]] == ["user", "assistant"]


def test_a_pair_is_an_edited_answer_and_the_captured_output_it_replaced(tmp_path: Path) -> None:
    folder = export(tmp_path, "preference-jsonl", [row(1)]).folder
    assert lines(folder / "train.jsonl") == [
        {
            "prompt": [{"role": "user", "content": "What changed in release 1?"}],
            "chosen": [{"role": "assistant", "content": "Better answer 1."}],
            "rejected": [{"role": "assistant", "content": "Captured answer 1."}],
        }
    ]


UNCHECKABLE = (Assertion(kind="sentiment", value="happy"),)
LOOK_BEHIND = (Assertion(kind="regex", value="(?P<name>a)"),)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("chat-jsonl", {"answer": None, "expected_output": None}, "no_target"),
        ("chat-jsonl", {"answer": " \n"}, "empty_text"),
        ("chat-jsonl", {"example_input": ""}, "empty_text"),
        ("preference-jsonl", {"source": "web"}, "no_rejected_answer"),
        ("preference-jsonl", {"expected_output": None, "answer": "Captured answer 1."}, "no_rejected_answer"),
        (
            "preference-jsonl",
            {"expected_output": "Captured answer 1.", "answer": "Captured answer 1."},
            "no_rejected_answer",
        ),
        ("preference-jsonl", {"example_output": " "}, "no_rejected_answer"),
        ("preference-jsonl", {"answer": None, "expected_output": None}, "no_target"),
        ("dspy", {"answer": None, "expected_output": None}, "no_target"),
        ("promptfoo", {"answer": None, "expected_output": None}, "nothing_to_check"),
        ("promptfoo", {"assertions": UNCHECKABLE}, "assertion_not_supported"),
        ("inspect-ai", {"assertions": LOOK_BEHIND}, "pattern_not_portable"),
        ("inspect-ai", {"answer": ""}, "empty_text"),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_reason(
    tmp_path: Path, name: str, changes: dict[str, Any], reason: str
) -> None:
    written = export(tmp_path, name, [row(1, **changes), row(2)])
    assert lines(written.folder / "skipped.jsonl") == [{"example_id": "ex-000001", "split": "train", "reason": reason}]
    assert written.manifest["counts"]["skipped"] == {reason: 1}
    assert written.manifest["counts"]["rows"] == 1
    assert f"`{reason}`: {MISFITS[reason]}" in (written.folder / "README.md").read_text(encoding="utf-8")


def test_an_assertion_alone_is_enough_to_evaluate_with(tmp_path: Path) -> None:
    only = row(1, answer=None, expected_output=None, assertions=(Assertion(kind="contains", value="release"),))
    for name in ("promptfoo", "inspect-ai"):
        assert export(tmp_path, name, [only]).manifest["counts"]["rows"] == 1


def test_parquet_holds_every_row_as_it_is_and_the_pairs_beside(tmp_path: Path) -> None:
    pyarrow = parquet.need_pyarrow()
    rows = [*mixed_rows(), *hostile_rows()]
    folder = export(tmp_path, "huggingface", rows).folder
    found = [
        one for split in ("train", "validation", "test") for one in read(pyarrow, folder / f"data/{split}.parquet")
    ]
    wanted = [one for split in ("train", "validation", "test") for one in rows if one.split == split]
    for name in (
        "example_id",
        "example_input",
        "example_output",
        "expected_output",
        "answer",
        "skill_version",
        "tool_name",
    ):
        assert [one[name] for one in found] == [getattr(one, name) for one in wanted]
    assert [one["assertions"] for one in found] == [
        [{"kind": check.kind, "value": check.value} for check in one.assertions] for one in wanted
    ]
    assert [pair["example_id"] for pair in read(pyarrow, folder / "preference/train.parquet")] == [
        "ex-000001",
        "ex-000007",
    ]
    assert not (folder / "data/holdout.parquet").exists()


def test_a_large_parquet_file_has_many_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 100)
    folder = export(tmp_path, "huggingface", (row(number, source="web") for number in range(1, 1001))).folder
    pyarrow = parquet.need_pyarrow()
    with pyarrow.parquet.ParquetFile(folder / "data/train.parquet") as file:
        assert (file.num_row_groups, file.metadata.num_rows) == (10, 1000)


def test_without_the_extra_parquet_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(NotConfigured, match=r"goldvein\[parquet\]"):
        export(tmp_path, "huggingface", [row(1)])
    assert list(tmp_path.iterdir()) == []


def read(pyarrow: Any, path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return found


def test_promptfoo_gets_no_brace_and_no_prefix_of_a_text(tmp_path: Path) -> None:
    folder = export(tmp_path, "promptfoo", hostile_rows(), system_message=True).folder
    for test, text in zip(lines(folder / "test.jsonl"), HOSTILE, strict=True):
        for told in (test["vars"]["input"], test["assert"][0]["config"]["text"]):
            assert json.loads(told) == text
            assert not set("{}") & set(told)
            assert told.startswith('"')
        assert json.loads(test["vars"]["system"]) == SKILL_TEXT
        assert {check["value"] for check in test["assert"]} == {"file://values.mjs:text", "file://values.mjs:overlap"}


def test_promptfoo_judges_by_the_assertions_and_else_by_the_answer(tmp_path: Path) -> None:
    checks = (
        Assertion(kind="regex", value="(?i)^done$"),
        Assertion(kind="json_schema", value="{}"),
        Assertion(kind="rubric", value="polite"),
    )
    folder = export(tmp_path, "promptfoo", [row(1), row(2, assertions=checks)]).folder
    bare, checked = (test["assert"] for test in lines(folder / "train.jsonl"))
    assert [(check["type"], check["config"]["pass_at"]) for check in bare] == [("javascript", 0.5)]
    assert [check["type"] for check in checked] == ["javascript", "is-json", "llm-rubric", "javascript"]
    assert checked[0]["config"] == {"text": '"^done$"', "flags": "i"}
    assert checked[-1]["config"]["pass_at"] == 0
    config = json.loads((folder / "promptfooconfig.json").read_bytes())
    assert config["tests"] == ["file://train.jsonl"]


def test_files_beside_the_rows_hold_nothing_of_them(tmp_path: Path) -> None:
    for name, beside in (("inspect-ai", "task.py"), ("dspy", "load.py"), ("promptfoo", "values.mjs")):
        some = export(tmp_path / "some", name, mixed_rows()).folder / beside
        other = export(tmp_path / "other", name, hostile_rows()).folder / beside
        assert some.read_bytes() == other.read_bytes()


def test_inspect_samples_hold_texts_as_data(tmp_path: Path) -> None:
    folder = export(tmp_path, "inspect-ai", hostile_rows()).folder
    assert [(sample["input"], sample["target"]) for sample in lines(folder / "test.jsonl")] == [(t, t) for t in HOSTILE]
    compile((folder / "task.py").read_text(encoding="utf-8"), "task.py", "exec")


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "\u2212 1",
]
FORMULAS += ["\u200b=1", "\ufeff=1", "\xa0=1", "\nx", "\tx", "\rx", "\ufe66 1", "'=1", "|x", "%x"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert csv_table.safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=b", "1-2", "(x)", "[x]", "\xe9", "\u4f60=", "\\=1", '"=1"'])
def test_other_cells_stay(text: str) -> None:
    assert csv_table.safe_cell(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_taking_one_apostrophe_away_gives_every_cell_back(text: str) -> None:
    cell = csv_table.safe_cell(text)
    assert csv_table.plain_text(cell) == text
    assert cell[:1] not in tuple("=+-@\t\r\n")


def test_tables_are_read_back_by_a_csv_reader(tmp_path: Path) -> None:
    folder = export(
        tmp_path, "csv", [*hostile_rows(), row(1, split="test", expected_output=None, quality_score=None)]
    ).folder
    content = (folder / "test.csv").read_bytes().decode("utf-8-sig")
    cells = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [csv_table.plain_text(one["example_input"]) for one in cells[:-1]] == list(HOSTILE)
    assert (cells[-1]["expected_output"], cells[-1]["quality_score"]) == ("", "")
    assert json.loads(cells[0]["assertions"]) == [{"kind": "contains", "value": HOSTILE[0]}]


@pytest.mark.parametrize("pattern", [r"^a+b?$", r"(?i)error\s+\d{3}", r"(?:a|b)\.", r"[A-Z_]{2,}\x41", "", r"\[x\]\\"])
def test_simple_patterns_go_out(pattern: str) -> None:
    assert portable(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        r"\pL",
        r"\Ax\z",
        r"\Qx\E",
        "(?P<n>a)",
        "(?i:a)",
        "a(?i)b",
        "[[:alpha:]]",
        "a{,2}",
        "(?U)a",
        r"\a",
        "a++",
        "[a&&b]",
        "(",
        r"\C",
        "[]a]",
    ],
)
def test_a_pattern_that_may_mean_something_else_elsewhere_stays(pattern: str) -> None:
    assert portable(pattern) is None


def test_the_card_quotes_what_people_wrote(tmp_path: Path) -> None:
    terms = Terms(
        licence="ours: *all*\nrights", allowed_purposes=("evaluation",), recipients=HOSTILE[7], delete_by="2027-01-01"
    )
    hostile = 'x"\n---\nlicense: mit # <img src=x onerror=alert(1)> \x85\u2028 [a](javascript:b) ![c](http://d) {{e}}'
    facts = facts_for("training", name=hostile, terms=terms)
    text = (export(tmp_path, "huggingface", mixed_rows(), facts).folder / "README.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    assert f"pretty_name: {card.yaml_text(f'{hostile} 3')}\n" in head
    assert '\nlicense: other\nlicense_name: "ours: *all*\\nrights"\n' in head
    assert "\x85" not in head
    assert "\u2028" not in head
    shown = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(body)
    assert not [tag for tag in ("<img", "<a", "<script", "<hr", "<em") if tag in shown]
    assert shown.count("<h1") == 1
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt; [click](javascript:alert(1)) ![](http://127.0.0.1/x) | a | b |" in shown
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_yaml_scalar_is_json_on_one_line(text: str) -> None:
    told = card.yaml_text(text)
    assert json.loads(told) == text
    assert len(told.splitlines()) == 1


def test_the_card_names_only_splits_that_have_a_file(tmp_path: Path) -> None:
    text = (export(tmp_path, "chat-jsonl", [row(1), row(2, split="holdout")]).folder / "README.md").read_text(
        encoding="utf-8"
    )
    assert "path: train.jsonl" in text
    assert "test.jsonl" not in text
    assert "1 rows of the split holdout were not asked for" in text


def test_an_unknown_format_split_or_choice_is_named() -> None:
    with pytest.raises(InvalidField, match="chat-jsonl, preference-jsonl, huggingface"):
        find_format("xml")
    with pytest.raises(InvalidField, match="train, validation, test, holdout"):
        ExportOptions(splits=("dev",))
    with pytest.raises(InvalidField, match="splits"):
        ExportOptions(splits=())
    with pytest.raises(InvalidField, match="keep, surrogate"):
        ExportOptions(placeholders="guess")  # type: ignore[arg-type]


def test_each_format_renders_its_rows_one_after_the_other() -> None:
    """Streamed: after rows enough for a piece, bytes have come out before the next row is asked for."""
    for format_ in FORMATS.values():
        asked = 0

        def rows() -> Iterator[Row]:
            nonlocal asked
            for number in range(1, 3000):
                asked = number
                yield row(number, example_input="x" * 10_000)

        pieces = format_.render(FACTS, ExportOptions(), rows())
        next(pieces)
        assert asked < 1500, format_.name


def test_quoted_texts_survive_promptfoo() -> None:
    for text in HOSTILE:
        assert json.loads(promptfoo.quoted(text)) == text
