"""Datasets made over HTTP, for the tests of this folder."""

from typing import Any

from conftest import World
from helpers import ok

TERMS = {"licence": "internal", "allowed_purposes": ["evaluation", "training"], "recipients": "the model team"}


def make(world: World, name: str = "alice", **fields: Any) -> dict[str, Any]:
    body = {
        "slug": "notes",
        "name": "Release notes",
        "purpose": "training",
        "skills": ["release-notes"],
        "seed": 7,
        "terms": TERMS,
        **fields,
    }
    made: dict[str, Any] = ok(world.client(name).post("/api/datasets", json=body), 201)
    return made


def golden(world: World, number: int, **fields: Any) -> str:
    texts = {
        "example_input": f"Question {number}: what does release {number} of the tool number {number * 7} change",
        "example_output": f"Release {number} changes the {number * 13} th line and the word w{number}x{number}",
    }
    path = f"/api/skills/{world.skill_id()}/training-examples"
    example_id: str = ok(world.client("alice").post(path, json={**texts, **fields}), 201)["id"]
    return example_id


def approved(world: World, number: int, name: str = "bob", **fields: Any) -> str:
    """An example captured from somebody and approved."""
    example_id = world.capture(
        name, f"run command {number} of {number * 3} now", f"it printed {number * 17} lines k{number}"
    )
    review = {"decision": "approve", **fields}
    ok(world.client("alice").post(f"/api/training-examples/{example_id}/review", json=review))
    return example_id


def freeze(world: World, *, status: int = 201, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(world.client("alice").post("/api/datasets/notes/versions", json=body), status)
    return found


def get(world: World, path: str, name: str = "alice", status: int = 200) -> Any:
    return ok(world.client(name).get(f"/api/datasets/notes{path}"), status)


def row_ids(world: World, version: str = "latest", **params: str) -> list[str]:
    path = f"/api/datasets/notes/versions/{version}/rows"
    rows = ok(world.client("alice").get(path, params={"limit": "200", **params}))
    return [row["example_id"] for row in rows["items"]]
