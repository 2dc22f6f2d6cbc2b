"""What the documents name exists, and what exists is named."""

import re
from dataclasses import fields
from pathlib import Path

from conftest import World
from goldvein import errors
from goldvein.capture.outcomes import FAILED, NONE, REJECTED
from goldvein.consent.decision import DENIED
from goldvein.examples.review import DECISIONS, MOVES
from goldvein.settings import Settings

import pytest

ROOT = Path(__file__).parent.parent
DOCS = {path.name: path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}


@pytest.fixture
def store() -> str:
    return "sqlite"


def test_each_setting_is_in_the_operations_page_and_no_other() -> None:
    named = set(re.findall(r"^\| `GOLDVEIN_([A-Z_]+)`", DOCS["operations.md"], re.MULTILINE))
    assert named == {field.name.upper() for field in fields(Settings)}


def test_each_route_is_in_the_api_page_and_no_other(world: World) -> None:
    document = world.client("alice").get("/openapi.json").json()
    routes = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    named = set(re.findall(r"^\| `((?:GET|POST|PATCH|DELETE) [^`]+)`", DOCS["http-api.md"], re.MULTILINE))
    assert named == routes


def test_each_error_code_is_in_the_api_page() -> None:
    kinds, codes = [errors.GoldveinError], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        codes |= {kind.code} if kind is not errors.GoldveinError else set()
    table = DOCS["http-api.md"].split("## Reporting uses")[0]
    assert {code for code in codes if f"`{code}`" not in table} == set()


@pytest.mark.parametrize("reasons", [REJECTED, DENIED, NONE, FAILED])
def test_each_reason_is_in_the_concepts_page(reasons: tuple[str, ...]) -> None:
    assert [reason for reason in reasons if f"`{reason}`" not in DOCS["concepts.md"]] == []


def test_the_table_of_statuses_is_the_one_the_code_uses() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", DOCS["concepts.md"], re.MULTILINE)
    shown = {
        status: {d: cell.strip(" `") for d, cell in zip(DECISIONS, cells.split("|"), strict=True) if cell.strip()}
        for status, cells in rows
    }
    assert shown == MOVES


def test_links_between_documents_lead_somewhere() -> None:
    folders = {path.name: path.parent for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}
    for name, text in DOCS.items():
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)[^)]*\)", text):
            assert (folders[name] / link).exists(), (name, link)


def test_files_named_in_the_documents_exist() -> None:
    for name, text in DOCS.items():
        for path in re.findall(r"`((?:src|tests|docs|deploy)/[A-Za-z0-9_./-]+)`", text):
            assert (ROOT / path).exists(), (name, path)
