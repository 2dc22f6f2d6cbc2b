"""From the records of others to the texts of an example: pure, with the recorded samples."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.examples.importing import FORMATS, NAMES, fields, files, find_format, named_format
from goldvein.examples.importing.records import MAX_RECORD_BYTES, MAX_TEXT_BYTES, REASONS, Texts, Unfit, checked

SAMPLES = Path(__file__).parent.parent / "data" / "chatlogs"


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8"))
    return found


def read(record: dict[str, Any], request: dict[str, Any] | None = None) -> tuple[str, str, str]:
    found = find_format(record)
    assert found is not None
    texts = checked(found.read(record, request))
    return found.name, texts.example_input, texts.example_output


def reason(record: dict[str, Any], request: dict[str, Any] | None = None) -> str:
    with pytest.raises(Unfit) as unfit:
        read(record, request)
    assert unfit.value.reason in REASONS
    return unfit.value.reason


def test_each_recorded_sample_becomes_an_example_without_the_words_of_the_skill() -> None:
    asked = {"custom_id": "row-1", "body": {"messages": [{"role": "user", "content": "Is Rome in Italy?"}]}}
    conversation = (
        "user: What is T-17?\n\n"
        'assistant: Let me look.\n[calls lookup_ticket] {"ticket_id": "T-17"}\n\n'
        'user: [result] {"title":"Crash on empty import."}'
    ).replace("import.", "import")
    rome = ("Is Rome in Italy?", "Yes.")
    ticket = ("What is T-17?", "A crash on empty import.")
    assert read(sample("openai_chat_completions_log")) == ("openai-chat", *ticket)
    assert read(sample("openai_responses_log")) == ("openai-responses", *ticket)
    assert read(sample("openai_batch_output"), asked) == ("openai-batch", *rome)
    assert read(sample("openai_evals")) == ("openai-evals", *rome)
    assert read(sample("anthropic_messages_log")) == ("anthropic-messages", conversation, "A crash on empty import.")
    assert read(sample("langfuse_dataset_items")) == ("langfuse-items", *rome)
    assert read(sample("langfuse_observations_v2")) == ("langfuse-observations", "Hi", "Hello")
    assert read(sample("langsmith_examples")) == ("langsmith", *rome)
    assert read(sample("phoenix_examples")) == ("phoenix", *rome)


def test_every_format_has_a_sample_or_a_test_of_its_own() -> None:
    batch = {"custom_id": "a", "result": {"type": "succeeded", "message": {"content": [{"type": "text", "text": "B"}]}}}
    asked = {"custom_id": "a", "params": {"messages": [{"role": "user", "content": "A"}]}}
    assert read(batch, asked) == ("anthropic-batch", "A", "B")
    tuned = {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "A"}]}
    tuned["messages"].append({"role": "assistant", "content": "B"})
    assert read(tuned) == ("openai-fine-tuning", "A", "B")
    assert read({"question": "A", "answer": "B"}) == ("fields", "A", "B")
    seen = {read(sample(path.stem), {"body": tuned})[0] for path in SAMPLES.glob("*.jsonl")}
    assert seen | {"anthropic-batch", "openai-fine-tuning", "fields"} == set(NAMES)


def test_calls_that_gave_no_answer_are_no_examples() -> None:
    chat, responses, batch = (
        sample(f"openai_{name}") for name in ("chat_completions_log", "responses_log", "batch_output")
    )
    claude, observed = sample("anthropic_messages_log"), sample("langfuse_observations_v2")
    choice = chat["response"]["choices"][0]
    assert reason(batch) == "no_request"
    assert reason(batch | {"response": {"status_code": 500, "body": {}}}, {"body": {}}) == "not_completed"
    assert reason(chat | {"response": {"choices": [choice | {"finish_reason": "length"}]}}) == "not_completed"
    refused = choice | {"message": {"content": None, "refusal": "No."}}
    assert reason(chat | {"response": {"choices": [refused]}}) == "not_completed"
    assert reason(chat | {"response": {"choices": []}}) == "no_output"
    called = choice | {"message": {"content": None, "tool_calls": [{"function": {"name": "look"}}]}}
    assert reason(chat | {"response": {"choices": [called]}}) == "no_output"
    assert reason(responses | {"response": responses["response"] | {"status": "incomplete"}}) == "not_completed"
    assert reason(claude | {"response": claude["response"] | {"stop_reason": "max_tokens"}}) == "not_completed"
    assert reason(observed | {"level": "ERROR"}) == "not_completed"
    assert reason(observed | {"output": None}) == "no_output"
    assert reason(observed | {"input": ""}) == "no_input"


def test_what_is_no_text_is_refused_rather_than_left_out() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked = {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]}
    answer = {"choices": [{"message": {"content": "A cat."}}]}
    assert reason({"request": asked, "response": answer}) == "not_text"


def test_values_of_datasets_are_one_text_a_conversation_or_their_json() -> None:
    def output(value: Any) -> str:
        return read({"input": {"q": "A"}, "output": value, "metadata": {}})[2]

    assert output({"answer": "B"}) == "B"
    assert output({"answer": "B", "why": "C"}) == '{"answer": "B", "why": "C"}'
    assert output({"score": 5}) == '{"score": 5}'
    assert output({"role": "assistant", "content": "B"}) == "B"
    assert output({"messages": [{"role": "assistant", "content": "B"}]}) == "B"
    assert output({"messages": [{"type": "ai", "data": {"content": "B"}}]}) == "B"
    assert output({"text": '{"kept": "as it is"}'}) == '{"kept": "as it is"}'


def test_fields_are_mapped_by_path() -> None:
    mapping = fields.parse_mapping("input=in.q, output=choices.1.text, expected=gold.answer, quality=stars")
    record = {"in": {"q": "A"}, "choices": [{}, {"text": "B"}], "gold.answer": "C", "stars": "9"}
    assert fields.format_for(mapping).read(record, None) == Texts(
        example_input="A", example_output="B", expected_output="C", quality_score=9
    )
    assert reason_of(mapping, record | {"stars": "many"}) == "invalid"
    assert reason_of(mapping, record | {"stars": True}) == "invalid"
    assert reason_of(mapping, record | {"choices": []}) == "no_output"
    for wrong in ("", "input=a", "input=a,output", "input=a,output=b,notes=c", "input=a,input=b,output=c"):
        with pytest.raises(fields.BadMapping):
            fields.parse_mapping(wrong)


def reason_of(mapping: dict[str, str], record: dict[str, Any]) -> str:
    with pytest.raises(Unfit) as unfit:
        checked(fields.format_for(mapping).read(record, None))
    return unfit.value.reason


def test_texts_have_their_limit_in_bytes() -> None:
    assert checked(Texts(example_input="x" * MAX_TEXT_BYTES, example_output="y"))
    with pytest.raises(Unfit, match="too_long"):
        checked(Texts(example_input="é" * (MAX_TEXT_BYTES // 2) + "x", example_output="y"))
    with pytest.raises(Unfit, match="not_utf8"):
        checked(Texts(example_input="a\ud800", example_output="y"))


def lines_of(text: bytes) -> list[tuple[int, Any]]:
    return [(line.number, line.reason or line.record) for line in files.read_json_lines(io.BytesIO(text))]


def test_hostile_lines_are_refused_one_by_one() -> None:
    bomb = b"[" * 100_000
    deep = b'{"a":' * 70 + b"1" + b"}" * 70
    long = b'{"a":"' + b"x" * MAX_RECORD_BYTES + b'"}'
    text = b"\n".join(
        [b'\xef\xbb\xbf{"a":1}', b"", b'{"a":1,"a":2}', b'{"a":NaN}', bomb, deep, b"\xff", long, b"[1]", b'{"b":2}']
    )
    assert lines_of(text) == [
        (1, {"a": 1}), (3, "not_json"), (4, "not_json"), (5, "not_json"), (6, "not_json"), (7, "not_utf8"),
        (8, "too_long"), (9, "not_json"), (10, {"b": 2}),
    ]  # fmt: skip
    assert lines_of(b'{"a":' + b"9" * 5000 + b"}") == [(1, "not_json")]
    assert lines_of('{"a":1}'.encode("utf-16-le")) == [(1, "not_json")]


def test_what_a_file_is_shows_at_its_beginning() -> None:
    assert files.container_of("rows.csv", b"a,b\n") == "csv"
    assert files.container_of("rows", b'{"a"') == "jsonl"
    assert files.container_of("rows.jsonl", b"PAR1") == "parquet"
    for beginning in (b"\xff\xfea\x00", b"\x1f\x8b", b"PK\x03\x04", b"\xef\xbb\xbf [{"):
        with pytest.raises(files.BadFile):
            files.container_of("rows.jsonl", beginning)


def rows_of(text: bytes) -> list[tuple[int, Any]]:
    return [(line.number, line.reason or line.record) for line in files.read_csv(io.BytesIO(text))]


def test_csv_rows_have_names_and_a_line() -> None:
    text = b'\xef\xbb\xbfa;b\r\n1;"2\r\n3"\r\n\r\n4;5;6\r\n\xff;7\r\n8;\x00\r\n'
    assert rows_of(text) == [
        (2, {"a": "1", "b": "2\r\n3"}), (5, "wrong_columns"), (6, "not_utf8"), (7, {"a": "8", "b": "\x00"}),
    ]  # fmt: skip
    assert rows_of(b"a\tb\n1,5\t2\n") == [(2, {"a": "1,5", "b": "2"})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b"a,a\n1,2\n", "a name of its own"),
        (b"a,\n1,2\n", "a name of its own"),
        (b'a,b\n1,2\n"never closed,' + b"x" * 100 + b"\n", "from line 3 on"),
        (b'a,b\n1,"' + b"x\n" * (MAX_RECORD_BYTES // 2 + 10) + b'"\n', "is no CSV"),
        (b"a,b\n1," + b"x" * (MAX_RECORD_BYTES + 10) + b"\n", "in line 2"),
    ],
)
def test_a_csv_that_cannot_be_read_on_says_where(text: bytes, message: str) -> None:
    with pytest.raises(files.BadFile, match=message):
        rows_of(text)


def test_parquet_rows_may_be_nested(tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 (an extra)
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = tmp_path / "rows.parquet"
    messages = [{"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}]
    rows = [{"messages": messages, "raw": b"\xff"}] * 150 + [{"messages": None, "raw": None}]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=50)
    found = list(files.read_parquet(path))
    assert files.count_parquet_rows(path) == len(found) == 151
    assert found[149].record == {"messages": messages}
    assert read(found[0].record or {}) == ("openai-fine-tuning", "A", "B")
    damaged = path.read_bytes()
    path.write_bytes(damaged[:100] + b"\x00" * 60 + damaged[160:])
    with pytest.raises(files.BadFile):
        list(files.read_parquet(path))
    path.write_bytes(b"PAR1 and nothing")
    with pytest.raises(files.BadFile, match="no Parquet"):
        files.count_parquet_rows(path)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "role",
                    "content",
                    "type",
                    "text",
                    "request",
                    "response",
                    "input",
                    "output",
                    "choices",
                    "message",
                    "body",
                    "result",
                    "params",
                    "custom_id",
                    "status",
                    "ideal",
                    "inputs",
                    "outputs",
                    "expectedOutput",
                    "metadata",
                    "tool_calls",
                    "function",
                    "name",
                    "data",
                ]
            ),
            inner,
            max_size=4,
        )
        | st.sampled_from(["user", "assistant", "message", "function_call", "succeeded", "text", "ai"])
    ),
    max_leaves=20,
)
RECORDS = st.dictionaries(
    st.sampled_from(
        [
            "messages",
            "request",
            "response",
            "input",
            "output",
            "inputs",
            "outputs",
            "custom_id",
            "result",
            "error",
            "ideal",
            "expectedOutput",
            "type",
            "trace_id",
            "metadata",
        ]
    ),
    JSON_VALUES,
)


@settings(max_examples=300, deadline=None)
@given(record=RECORDS, request=st.none() | RECORDS)
def test_whatever_a_record_holds_it_is_an_example_or_has_a_reason(record: Any, request: Any) -> None:
    reasons = set()
    for known in FORMATS:
        known.recognises(record)
        try:
            checked(known.read(record, request))
        except Unfit as unfit:
            reasons.add(unfit.reason)
    assert reasons <= REASONS.keys()


def test_a_record_may_have_more_of_the_usual_names_than_the_first() -> None:
    usual = named_format("fields")
    assert usual.read({"q": 1, "question": "A", "answer": "B"}, None).expected_output is None
    richer = {"question": "A", "answer": "B", "expected": "C", "quality_score": 5}
    assert usual.read(richer, None) == Texts(
        example_input="A", example_output="B", expected_output="C", quality_score=5
    )
    assert usual.read({"prompt": "A", "reference": "C"}, None) == Texts(example_input="A", example_output="C")
