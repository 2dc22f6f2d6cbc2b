"""A result file of any tool as what it says of each row."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from goldvein.results import inspect_log, promptfoo
from goldvein.results.trials import BadResults, Results, collect

MAX_JSON_BYTES: Final = 256 * 1024 * 1024
_ZIP: Final = b"PK\x03\x04"


def read_results(path: Path, *, scorer: str | None = None) -> Results:
    """What the file says; `scorer` chooses one of several of an Inspect log. Raises BadResults.

    An archive and lines of JSON are read piece by piece; one JSON document is held whole, and may be no larger than
    MAX_JSON_BYTES.
    """
    with path.open("rb") as file:
        beginning = file.readline(inspect_log.MAX_SAMPLE_BYTES)
    if beginning.startswith(_ZIP):
        return collect(inspect_log.TOOL, inspect_log.read_archive(path, scorer))
    if promptfoo.is_result(_json(beginning)):
        return collect(promptfoo.TOOL, promptfoo.read_results(_lines(path)))
    if path.stat().st_size > MAX_JSON_BYTES:
        raise BadResults(
            f"is larger than {MAX_JSON_BYTES} bytes; write lines (promptfoo: -o out.jsonl) or .eval instead"
        )
    document = _json(path.read_bytes())
    results = promptfoo.results_in(document)
    if results is not None:
        return collect(promptfoo.TOOL, promptfoo.read_results(results))
    if inspect_log.samples_in(document) is not None:
        return collect(inspect_log.TOOL, inspect_log.read_samples(document, scorer))
    raise BadResults("holds neither results of promptfoo nor a log of Inspect with its samples")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield _json(line)
