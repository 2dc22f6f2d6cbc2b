"""Results of promptfoo: the JSON that `promptfoo eval -o out.json` writes, or its lines from `-o out.jsonl`.

An export gives each test its row as `metadata.goldvein_row` or `metadata.example_id`; promptfoo repeats the test in
each result.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from goldvein.results.trials import BadResults, Trial, number, size_of

TOOL: Final = "promptfoo"
_ROW_NAMES: Final = ("goldvein_row", "example_id")
_ERROR: Final = 2  # failureReason: 0 none, 1 an assertion, 2 the call


def is_result(value: Any) -> bool:
    """Whether this is one result, such as stands on a line."""
    return isinstance(value, dict) and {"testCase", "provider", "success"} <= value.keys()


def results_in(document: Any) -> list[Any] | None:
    """The results of a whole file; None when it is no file of promptfoo's."""
    match document:
        case {"results": {"results": list(results)}}:
            return results
    return None


def read_results(results: Iterable[Any]) -> Iterator[Trial]:
    """Each result as a trial. Raises BadResults for several prompts: nothing says which of them is the skill's."""
    prompts = set()
    for result in results:
        if not isinstance(result, dict):
            raise BadResults("has a result that is no object")
        prompt = result.get("promptIdx")
        prompts.add(prompt if isinstance(prompt, int) else 0)
        if len(prompts) > 1:
            raise BadResults("has results of several prompts; evaluate one skill version at a time")
        yield _trial(result)


def _trial(result: dict[str, Any]) -> Trial:
    model, row = _model(result), _row(result)
    if row is None:
        return Trial(model=model, reason="no_row")
    if result.get("failureReason") == _ERROR:
        return Trial(model=model, reason="not_completed")
    score, passed = number(result.get("score")), result.get("success")
    if score is None or not isinstance(passed, bool):
        return Trial(model=model, reason="no_score")
    response = result.get("response")
    output = response.get("output") if isinstance(response, dict) else None
    return Trial(model=model, row=row, score=score, passed=passed, output_bytes=size_of(output))


def _row(result: dict[str, Any]) -> str | None:
    test = result.get("testCase")
    places = (test.get("metadata") if isinstance(test, dict) else None, result.get("metadata"), result.get("vars"))
    named = (place.get(name) for place in places if isinstance(place, dict) for name in _ROW_NAMES)
    return next((row for row in named if isinstance(row, str)), None)


def _model(result: dict[str, Any]) -> str:
    match result.get("provider"):
        case {"label": str(label)} if label:
            return label
        case {"id": str(name)}:
            return name
        case str(name):
            return name
    return ""
