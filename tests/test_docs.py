"""What the documents name exists, and what exists is named."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from conftest import World

from goldvein import errors
from goldvein.capture.outcomes import FAILED, NONE, REJECTED
from goldvein.cli.commands import app
from goldvein.consent.decision import DENIED
from goldvein.datasets.service import SKIPPED
from goldvein.examples.importing import NAMES
from goldvein.examples.importing.records import REASONS
from goldvein.examples.review import DECISIONS, MOVES
from goldvein.results import trials
from goldvein.settings import Settings

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
    named = set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`", DOCS["http-api.md"], re.MULTILINE))
    assert named == routes


def test_each_error_code_is_in_the_api_page() -> None:
    kinds, codes = [errors.GoldveinError], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        codes |= {kind.code} if kind is not errors.GoldveinError else set()
    table = DOCS["http-api.md"].split("## Reporting uses")[0]
    assert {code for code in codes if f"`{code}`" not in table} == set()


@pytest.mark.parametrize("reasons", [REJECTED, DENIED, NONE, FAILED, SKIPPED])
def test_each_reason_is_in_the_concepts_page(reasons: tuple[str, ...]) -> None:
    assert [reason for reason in reasons if f"`{reason}`" not in DOCS["concepts.md"]] == []


def test_each_format_and_reason_of_an_import_is_in_its_page() -> None:
    rows = re.findall(r"^\| ((?:`[a-z_0-9-]+`(?:, )?)+) \|", DOCS["imports.md"], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_0-9-]+)`", row)}
    assert named >= {*NAMES, *REASONS, *trials.REASONS}


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


def test_each_command_is_in_the_command_line_page_and_no_other() -> None:
    named = set(re.findall(r"^\| `goldvein ([a-z -]+)` \|", DOCS["cli.md"], re.MULTILINE))
    assert named == set(commands())


def test_commands_in_the_documents_exist_with_their_options() -> None:
    known = commands()
    for name, text in DOCS.items():
        for line in re.findall(r"^ *(?:\.venv/bin/)?(goldvein [a-z].*)$", text, re.MULTILINE):
            words = line.split("#")[0].split()[1:]
            path = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
            assert path in known, (name, line)
            options = {word for word in words if word.startswith("--")}
            assert options <= known[path], (name, line)


def commands() -> dict[str, set[str]]:
    """Every command by its path, with its options."""

    def walk(command: object, path: str) -> dict[str, set[str]]:
        children = getattr(command, "commands", None)
        if children is None:
            return {path: {option for parameter in command.params for option in parameter.opts}}  # type: ignore[attr-defined]
        found: dict[str, set[str]] = {}
        for name, child in children.items():
            found |= walk(child, f"{path} {name}".strip())
        return found

    return walk(typer.main.get_command(app), "")
