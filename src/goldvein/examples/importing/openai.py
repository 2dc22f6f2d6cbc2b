"""What OpenAI's clients log and its services write: chat completions, responses, batches, evals, fine-tuning rows.

Of several choices the first counts.
"""

from typing import Any, Final

from goldvein.examples.importing.conversations import answer_of, question_of, text_of, turns_of
from goldvein.examples.importing.records import Format, Record, Texts, Unfit

_CUT_OFF: Final = frozenset({"length", "content_filter"})


def _is_chat_log(record: Record) -> bool:
    match record:
        case {"request": {"messages": list()}, "response": {"choices": _}}:
            return True
    return False


def _read_chat_log(record: Record, _request: Record | None) -> Texts:
    return Texts(
        example_input=question_of(_at(record, "request", "messages")),
        example_output=_chosen(_at(record, "response", "choices")),
    )


def _chosen(choices: Any) -> str:
    match choices:
        case [{"finish_reason": str(reason)}, *_] if reason in _CUT_OFF:
            raise Unfit("not_completed")
        case [{"message": {"refusal": str()}}, *_]:
            raise Unfit("not_completed")
        case [{"message": {"content": content}}, *_]:
            return text_of(content)
    raise Unfit("no_output")


def _is_responses_log(record: Record) -> bool:
    match record:
        case {"request": {"input": _}, "response": {"output": list()}}:
            return True
    return False


def _read_responses_log(record: Record, _request: Record | None) -> Texts:
    return Texts(
        example_input=question_of(_at(record, "request", "input")),
        example_output=_responded(_at(record, "response")),
    )


def _responded(response: Any) -> str:
    match response:
        case {"status": str(status)} if status != "completed":
            raise Unfit("not_completed")
        case {"output": list(items)}:
            messages = [item for item in items if isinstance(item, dict) and item.get("type") == "message"]
            return "\n".join(text_of(message.get("content")) for message in messages)
    raise Unfit("no_output")


def _is_batch(record: Record) -> bool:
    match record:
        case {"custom_id": str(), "response": _, "error": _}:
            return True
    return False


def _read_batch(record: Record, request: Record | None) -> Texts:
    """Read a line of a batch's output; what was asked stands in its input file alone."""
    if request is None:
        raise Unfit("no_request")
    match record.get("response"):
        case {"status_code": 200, "body": dict(body)}:
            asked = _at(request, "body")
            if not isinstance(asked, dict):
                raise Unfit("no_request")
            output = _responded(body) if "output" in body else _chosen(body.get("choices"))
            return Texts(example_input=question_of(asked.get("messages", asked.get("input"))), example_output=output)
    raise Unfit("not_completed")


def _is_eval(record: Record) -> bool:
    return "ideal" in record and isinstance(record.get("messages", record.get("input")), list | str)


def _read_eval(record: Record, _request: Record | None) -> Texts:
    ideal = record.get("ideal")
    first = ideal[0] if isinstance(ideal, list) and ideal else ideal
    return Texts(
        example_input=question_of(record.get("messages", record.get("input"))),
        example_output=first if isinstance(first, str) else "",
    )


def _is_fine_tuning(record: Record) -> bool:
    match record:
        case {"messages": [*_, {"role": "assistant"}]}:
            return True
    return False


def _read_fine_tuning(record: Record, _request: Record | None) -> Texts:
    messages = record.get("messages")
    if not isinstance(messages, list) or not messages or turns_of(messages)[-1][0] != "assistant":
        raise Unfit("unknown_shape")
    return Texts(
        example_input=question_of(messages[:-1]),
        example_output=answer_of(messages[-1].get("content")),
    )


def _at(record: Record, *path: str) -> Any:
    value: Any = record
    for name in path:
        if not isinstance(value, dict) or name not in value:
            raise Unfit("unknown_shape")
        value = value[name]
    return value


FORMATS: Final = (
    Format(
        name="openai-chat",
        mapping={"input": "request.messages, without the skill's own", "output": "response.choices[0].message"},
        recognises=_is_chat_log,
        read=_read_chat_log,
    ),
    Format(
        name="openai-responses",
        mapping={"input": "request.input", "output": "the messages in response.output"},
        recognises=_is_responses_log,
        read=_read_responses_log,
    ),
    Format(
        name="openai-batch",
        mapping={"input": "body.messages of the request with the same custom_id", "output": "response.body"},
        recognises=_is_batch,
        read=_read_batch,
        needs_requests=True,
    ),
    Format(
        name="openai-evals",
        mapping={"input": "messages or input", "output": "ideal, the first if there are several"},
        recognises=_is_eval,
        read=_read_eval,
    ),
    Format(
        name="openai-fine-tuning",
        mapping={"input": "messages before the last", "output": "the last message"},
        recognises=_is_fine_tuning,
        read=_read_fine_tuning,
    ),
)
