"""Which JSON Schemas an assertion may be: a part of the language that every validator reads the same way.

Nothing in it refers to anything else, and a pattern is matched in linear time: whoever evaluates a dataset runs its
schemas.
"""

from collections.abc import Callable
from typing import Any, Final

from goldvein.sanitizer.extra import BadExtraRule, compile_pattern

MAX_DEPTH: Final = 16
_TYPES: Final = ("null", "boolean", "object", "array", "number", "integer", "string")


class BadSchema(Exception):
    """A schema that is refused; the reason quotes nothing of it."""


def check_schema(schema: Any, depth: int = 0) -> None:
    """Raise BadSchema unless this is a schema of known keywords, each with a value that it may have."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise BadSchema("a schema is an object, true or false")
    if depth > MAX_DEPTH:
        raise BadSchema(f"schemas are nested more than {MAX_DEPTH} deep")
    if not schema.keys() <= KEYWORDS.keys():
        raise BadSchema(f"has a keyword that is not one of {', '.join(sorted(KEYWORDS))}")
    for keyword, value in schema.items():
        if not KEYWORDS[keyword](value, depth):
            raise BadSchema(f"the value of {keyword} is not what it may be")


def _is_text(value: Any, _depth: int) -> bool:
    return isinstance(value, str)


def _is_anything(_value: Any, _depth: int) -> bool:
    return True


def _is_flag(value: Any, _depth: int) -> bool:
    return isinstance(value, bool)


def _is_count(value: Any, _depth: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any, _depth: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_divisor(value: Any, depth: int) -> bool:
    return _is_number(value, depth) and value > 0


def _is_type(value: Any, _depth: int) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return isinstance(value, list) and 0 < len(value) <= len(_TYPES) and all(one in _TYPES for one in value)


def _is_choice(value: Any, _depth: int) -> bool:
    return isinstance(value, list) and len(value) > 0


def _are_names(value: Any, _depth: int) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _is_schema(value: Any, depth: int) -> bool:
    check_schema(value, depth + 1)
    return True


def _are_schemas(value: Any, depth: int) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(_is_schema(one, depth) for one in value)


def _are_properties(value: Any, depth: int) -> bool:
    return isinstance(value, dict) and all(_is_schema(one, depth) for one in value.values())


def _is_pattern(value: Any, _depth: int) -> bool:
    try:
        return isinstance(value, str) and compile_pattern(value) is not None
    except BadExtraRule:
        return False


KEYWORDS: Final[dict[str, Callable[[Any, int], bool]]] = {
    **dict.fromkeys(("$schema", "title", "description"), _is_text),
    **dict.fromkeys(("const", "default", "examples"), _is_anything),
    **dict.fromkeys(
        ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"),
        _is_count,
    ),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("items", "additionalProperties", "not"), _is_schema),
    **dict.fromkeys(("anyOf", "allOf", "oneOf"), _are_schemas),
    "type": _is_type,
    "enum": _is_choice,
    "required": _are_names,
    "properties": _are_properties,
    "uniqueItems": _is_flag,
    "multipleOf": _is_divisor,
    "pattern": _is_pattern,
}
