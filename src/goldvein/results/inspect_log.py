"""Logs of Inspect: `.json`, and `.eval`, a zip with one JSON file for each sample.

An export makes the row the sample's `id`. Of several scorers the score is the mean, and passed is what all of them
pass, as in promptfoo; one can be chosen by name. Values are read as Inspect reads them: C, P, I and N are 1, 0.5, 0 and
0. Inspect knows no passing: more than one half passes. A value of several numbers counts with their mean, and passes if
the one that is called `passed` does, else if all do.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from goldvein.results.trials import BadResults, Trial, number, size_of

TOOL: Final = "inspect"
MAX_SAMPLE_BYTES: Final = 64 * 1024 * 1024
_ZSTANDARD: Final = 93
_HALF: Final = 0.5  # partly right is not right
_VALUES: Final[Mapping[str, float]] = {"C": 1, "P": 0.5, "I": 0, "N": 0, "yes": 1, "true": 1, "no": 0, "false": 0}


def samples_in(document: Any) -> list[Any] | None:
    """The samples of a whole log; None when it is no log of Inspect's."""
    match document:
        case {"eval": {"model": str()}, "samples": list(samples)}:
            return samples
    return None


def model_in(document: Any) -> str:
    """The model of a log or of its header."""
    match document:
        case {"eval": {"model": str(model)}}:
            return model
    raise BadResults("names no model: it is no log of Inspect")


def read_archive(path: Path, scorer: str | None) -> Iterator[Trial]:
    """The trials of an `.eval` file, sample by sample. Raises BadResults for a file that is none or is damaged."""
    try:
        with _opened(path) as archive:
            names = archive.namelist()
            header = "header.json" if "header.json" in names else "_journal/start.json"
            model = model_in(_member(archive, header))
            for name in names:
                if name.startswith("samples/") and name.endswith(".json"):
                    yield _trial(_member(archive, name), model, scorer)
    except BadResults:
        raise
    except Exception:  # noqa: BLE001 (each way of packing has errors of its own for what is damaged)
        raise BadResults("is no log of Inspect, or a damaged one") from None


def _opened(path: Path) -> Any:
    """A zip file, with the compression of newer logs if some member of it needs that."""
    archive = zipfile.ZipFile(path)
    if hasattr(zipfile, "ZIP_ZSTANDARD") or all(info.compress_type != _ZSTANDARD for info in archive.infolist()):
        return archive
    archive.close()
    try:
        from backports.zstd import zipfile as newer  # noqa: PLC0415 (an extra; Python 3.14 has it)
    except ImportError:
        raise BadResults('needs `pip install "goldvein[inspect]"`, or `inspect log convert --to json` before') from None
    return newer.ZipFile(path)


def _member(archive: Any, name: str) -> Any:
    """One file of the archive, read no further than it may be long, whatever its header says."""
    with archive.open(name) as file:
        return _json(file)


def _json(file: IO[bytes]) -> Any:
    data = file.read(MAX_SAMPLE_BYTES + 1)
    if len(data) > MAX_SAMPLE_BYTES:
        raise BadResults(f"has a sample of more than {MAX_SAMPLE_BYTES} bytes")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise BadResults("has a sample that is not JSON") from None


def read_samples(document: Any, scorer: str | None) -> Iterator[Trial]:
    """The trials of a log in JSON."""
    model = model_in(document)
    for sample in samples_in(document) or ():
        yield _trial(sample, model, scorer)


def _trial(sample: Any, model: str, scorer: str | None) -> Trial:
    if not isinstance(sample, dict):
        raise BadResults("has a sample that is no object")
    row = sample.get("id")
    if not isinstance(row, str):
        return Trial(model=model, reason="no_row")
    if sample.get("error"):
        return Trial(model=model, reason="not_completed")
    judged = [_judged(score) for score in _scores(sample, scorer)]
    known = [verdict for verdict in judged if verdict is not None]
    if not known or len(known) < len(judged):
        return Trial(model=model, reason="no_score")
    output = sample.get("output")
    return Trial(
        model=model,
        row=row,
        score=sum(value for value, _ in known) / len(known),
        passed=all(passed for _, passed in known),
        output_bytes=size_of(output.get("completion") if isinstance(output, dict) else None),
    )


def _scores(sample: dict[str, Any], scorer: str | None) -> list[Any]:
    scores = sample.get("scores")
    if not isinstance(scores, dict):
        return []
    return list(scores.values()) if scorer is None else [scores[scorer]] if scorer in scores else []


def _judged(score: Any) -> tuple[float, bool] | None:
    """The value of one scorer, and whether it passes; None when it cannot be read."""
    value = score.get("value") if isinstance(score, dict) else None
    parts = value if isinstance(value, dict) else {"": value}
    numbers = {name: _number(part) for name, part in parts.items()}
    known = {name: part for name, part in numbers.items() if part is not None}
    if not known or len(known) < len(numbers):
        return None
    deciding = [known["passed"]] if "passed" in known else list(known.values())
    return sum(known.values()) / len(known), all(part > _HALF for part in deciding)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return _VALUES.get(value, _VALUES.get(value.lower()))
    return number(value)
