"""Records whose fields are named one by one: goldvein's own names, usual ones, or those of `--map`."""

from collections.abc import Mapping
from typing import Any, Final

from goldvein.examples.importing.conversations import text_of_value
from goldvein.examples.importing.records import Format, Record, Texts, Unfit

PARTS: Final = ("input", "output", "expected", "quality")
NAME: Final = "fields"

# The first name that a record has.
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "input": ("example_input", "input", "question", "prompt", "instruction", "query"),
    "output": ("example_output", "output", "answer", "response", "completion"),
    "expected": ("expected_output", "expected", "ideal", "reference", "target"),
    "quality": ("quality_score",),
}


class BadMapping(Exception):
    """A mapping that cannot be used; the message says why, and quotes nothing of a record."""


def parse_mapping(written: str) -> dict[str, str]:
    """Read `input=question,output=answers.0.text`: parts of an example, each with the path of a field."""
    mapping: dict[str, str] = {}
    for pair in written.split(","):
        part, sign, path = (piece.strip() for piece in pair.partition("="))
        if not sign or not path or part not in PARTS or part in mapping:
            raise BadMapping(f"write PART=FIELD, separated by commas; each part once, of {', '.join(PARTS)}")
        mapping[part] = path
    if not {"input", "output"} <= mapping.keys():
        raise BadMapping("name the fields of input and output")
    return mapping


def _usual_mapping(record: Record) -> dict[str, str]:
    """The usual names that a record has; an expected output alone is its output."""
    found = {part: name for part, names in _USUAL.items() for name in reversed(names) if name in record}
    if "output" not in found and "expected" in found:
        found["output"] = found.pop("expected")
    return found


def _has_usual_names(record: Record) -> bool:
    return {"input", "output"} <= _usual_mapping(record).keys()


def format_for(mapping: Mapping[str, str]) -> Format:
    """The format that reads these fields."""

    def read(record: Record, _request: Record | None) -> Texts:
        return _read_with(mapping, record)

    return Format(name=NAME, mapping=dict(mapping), recognises=lambda _record: True, read=read)


def _read_usual(record: Record, _request: Record | None) -> Texts:
    """Read by the usual names of this record: another one may have more of them."""
    return _read_with(_usual_mapping(record), record)


def _read_with(mapping: Mapping[str, str], record: Record) -> Texts:
    return Texts(
        example_input=text_of_value(_field(record, mapping.get("input"))),
        example_output=text_of_value(_field(record, mapping.get("output"))),
        expected_output=text_of_value(_field(record, mapping.get("expected"))) or None,
        quality_score=_score(_field(record, mapping.get("quality"))),
    )


def _field(record: Record, path: str | None) -> Any:
    """The value at a path such as `a.b` or `choices.0.text`; a field that has dots in its name is found, too."""
    if path is None or path in record:
        return None if path is None else record[path]
    value: Any = record
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            return None
    return value


def _score(value: Any) -> int | None:
    """A score that is a whole number, also as a table writes it; which ones are taken, the server says."""
    match value:
        case None | "":
            return None
        case bool():
            pass
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if value.strip().isascii() and value.strip().isdigit():
            return int(value.strip()[:9])
    raise Unfit("invalid")


USUAL: Final = Format(
    name=NAME,
    mapping={part: f"the first of {', '.join(names)}" for part, names in _USUAL.items()},
    recognises=_has_usual_names,
    read=_read_usual,
)
