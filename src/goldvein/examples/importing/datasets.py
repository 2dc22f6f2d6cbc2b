"""Items of datasets and traces as Langfuse, LangSmith and Phoenix export them."""

from collections.abc import Callable
from typing import Final

from goldvein.examples.importing.conversations import text_of_value
from goldvein.examples.importing.records import Format, Record, Texts, Unfit

_OBSERVATION_TYPES: Final = ("GENERATION", "SPAN", "EVENT", "AGENT", "TOOL", "CHAIN")


def _pair(input_name: str, output_name: str) -> Callable[[Record, Record | None], Texts]:
    def read(record: Record, _request: Record | None) -> Texts:
        if input_name not in record or output_name not in record:
            raise Unfit("unknown_shape")
        return Texts(example_input=text_of_value(record[input_name]), example_output=text_of_value(record[output_name]))

    return read


def _is_langfuse_item(record: Record) -> bool:
    return "input" in record and "expectedOutput" in record


def _is_langfuse_observation(record: Record) -> bool:
    is_traced = "trace_id" in record or "traceId" in record
    return is_traced and record.get("type") in _OBSERVATION_TYPES and "input" in record and "output" in record


def _read_observation(record: Record, request: Record | None) -> Texts:
    if record.get("level") == "ERROR":
        raise Unfit("not_completed")
    return _pair("input", "output")(record, request)


def _is_langsmith(record: Record) -> bool:
    return isinstance(record.get("inputs"), dict) and "outputs" in record


def _is_phoenix(record: Record) -> bool:
    return isinstance(record.get("input"), dict) and isinstance(record.get("output"), dict) and "metadata" in record


FORMATS: Final = (
    Format(
        name="langfuse-items",
        mapping={"input": "input", "output": "expectedOutput"},
        recognises=_is_langfuse_item,
        read=_pair("input", "expectedOutput"),
    ),
    Format(
        name="langfuse-observations",
        mapping={"input": "input", "output": "output"},
        recognises=_is_langfuse_observation,
        read=_read_observation,
    ),
    Format(
        name="langsmith",
        mapping={"input": "inputs", "output": "outputs"},
        recognises=_is_langsmith,
        read=_pair("inputs", "outputs"),
    ),
    Format(
        name="phoenix",
        mapping={"input": "input", "output": "output"},
        recognises=_is_phoenix,
        read=_pair("input", "output"),
    ),
)
