"""The reference of the API as a page, made from the same OpenAPI document that programs read."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from goldvein.web.rendering import render

router = APIRouter()

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_REFERENCE_PREFIX: Final = "#/components/schemas/"
_DEPTH: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A parameter, or a field of a body."""

    name: str
    place: str
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One possible answer: its status, what it means, and the fields of its body."""

    status: str
    description: str
    fields: list[Field]


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One thing a client can ask for."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    body: list[Field]
    answers: list[Answer]


@router.get("/docs")
def show_reference(request: Request) -> Response:
    """Show the reference; it holds nothing of anybody, so no one needs to sign in to read it."""
    document = request.app.openapi()
    return render(request, "api_reference.html", groups=operations(document), version=document["info"]["version"])


def operations(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """The operations of an OpenAPI document by their first tag, in the document's order."""
    schemas = document.get("components", {}).get("schemas", {})
    groups: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(_operation(path, method, item[method], schemas))
    return groups


def _operation(path: str, method: str, described: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    answers = [
        Answer(status=status, description=answer.get("description", ""), fields=_fields(_content(answer), schemas))
        for status, answer in described.get("responses", {}).items()
    ]
    return Operation(
        anchor=f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""),
        method=method.upper(),
        path=path,
        summary=described.get("summary", ""),
        description=described.get("description", ""),
        parameters=[_parameter(parameter, schemas) for parameter in described.get("parameters", [])],
        body=_fields(_content(described.get("requestBody", {})), schemas),
        answers=answers,
    )


def _parameter(parameter: dict[str, Any], schemas: dict[str, Any]) -> Field:
    return Field(
        name=parameter["name"],
        place=parameter["in"],
        type=_type(parameter.get("schema", {}), schemas),
        is_required=parameter.get("required", False),
        description=parameter.get("description", ""),
    )


def _content(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of the JSON content; empty when there is none."""
    schema: dict[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _fields(schema: dict[str, Any], schemas: dict[str, Any], prefix: str = "", depth: int = _DEPTH) -> list[Field]:
    """The fields of an object; those of objects inside it follow with their path, to a limited depth."""
    schema = _resolved(schema, schemas)
    if schema.get("type") == "array":
        return _fields(schema.get("items", {}), schemas, f"{prefix}[].", depth - 1) if depth else []
    found: list[Field] = []
    for name, part in schema.get("properties", {}).items():
        found.append(
            Field(
                name=prefix + name,
                place="body",
                type=_type(part, schemas),
                is_required=name in schema.get("required", []),
                description=part.get("description", ""),
            )
        )
        if depth:
            inner = _resolved(part, schemas)
            is_list = inner.get("type") == "array"
            inside = inner.get("items", {}) if is_list else inner
            found += _fields(inside, schemas, f"{prefix}{name}{'[]' if is_list else ''}.", depth - 1)
    return found


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    resolved: dict[str, Any] = schemas.get(reference.removeprefix(_REFERENCE_PREFIX), {}) if reference else schema
    return resolved


def _type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """The type of a field in a few words."""
    if "$ref" in schema:
        return _type(_resolved(schema, schemas), schemas)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(part, schemas) for part in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join("null" if value is None else str(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"list of {_type(schema.get('items', {}), schemas)}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)
