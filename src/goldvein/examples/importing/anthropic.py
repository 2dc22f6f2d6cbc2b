"""What Anthropic's clients log, and the results of its message batches."""

from typing import Any, Final

from goldvein.examples.importing.conversations import answer_of, question_of
from goldvein.examples.importing.records import Format, Record, Texts, Unfit

_CUT_OFF: Final = ("max_tokens", "refusal", "model_context_window_exceeded")


def _is_log(record: Record) -> bool:
    match record:
        case {"request": {"messages": list()}, "response": {"content": list()}}:
            return True
    return False


def _read_log(record: Record, _request: Record | None) -> Texts:
    match record:
        case {"request": {"messages": messages}, "response": dict(response)}:
            return Texts(example_input=question_of(messages), example_output=_answered(response))
    raise Unfit("unknown_shape")


def _answered(message: dict[str, Any]) -> str:
    if message.get("stop_reason") in _CUT_OFF:
        raise Unfit("not_completed")
    return answer_of(message.get("content"))


def _is_batch(record: Record) -> bool:
    match record:
        case {"custom_id": str(), "result": {"type": str()}}:
            return True
    return False


def _read_batch(record: Record, request: Record | None) -> Texts:
    match request, record.get("result"):
        case None, _:
            raise Unfit("no_request")
        case {"params": {"messages": messages}}, {"type": "succeeded", "message": dict(message)}:
            return Texts(example_input=question_of(messages), example_output=_answered(message))
        case {"params": {"messages": _}}, _:
            raise Unfit("not_completed")
    raise Unfit("no_request")


FORMATS: Final = (
    Format(
        name="anthropic-messages",
        mapping={"input": "request.messages", "output": "the texts in response.content"},
        recognises=_is_log,
        read=_read_log,
    ),
    Format(
        name="anthropic-batch",
        mapping={"input": "params.messages of the request with the same custom_id", "output": "result.message"},
        recognises=_is_batch,
        read=_read_batch,
        needs_requests=True,
    ),
)
