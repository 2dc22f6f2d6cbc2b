"""`goldvein skill assert` and `goldvein examples assert`: what an answer must satisfy."""

from pathlib import Path
from typing import Annotated, Any

import typer

from goldvein.cli import examples, skills
from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command
from goldvein.errors import InvalidField
from goldvein.terminal import say, say_block, say_json, say_line
from goldvein_client import Client

ContainsOption = Annotated[
    list[str] | None, typer.Option(metavar="TEXT|@FILE", help="The answer contains this text; may be given again.")
]
RegexOption = Annotated[
    list[str] | None, typer.Option(metavar="PATTERN|@FILE", help="The answer matches this pattern of RE2 somewhere.")
]
SchemaOption = Annotated[
    list[str] | None, typer.Option("--json-schema", metavar="JSON|@FILE", help="The answer is JSON of this schema.")
]
RubricOption = Annotated[list[str] | None, typer.Option(metavar="TEXT|@FILE", help="What a judge has to look for.")]
ClearOption = Annotated[bool, typer.Option("--clear", help="Remove those that are there.")]


def add_to_groups() -> None:
    """Add the command to the groups of skills and of examples."""
    command(
        skills.skills,
        "assert",
        "goldvein skill assert release-notes --contains Changelog",
        "goldvein skill assert release-notes",
    )(with_client(assert_on_skill))
    command(examples.examples, "assert", "goldvein examples assert ID --regex 'v[0-9]+' --json-schema @schema.json")(
        with_client(assert_on_example)
    )


def assert_on_skill(
    client: Client,
    *,
    skill: Annotated[str, typer.Argument(help="The skill's slug or id.")],
    contains: ContainsOption = None,
    regex: RegexOption = None,
    json_schema: SchemaOption = None,
    rubric: RubricOption = None,
    clear: ClearOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what every answer of a skill of yours must satisfy, or add to it."""
    new = _written(contains=contains, regex=regex, json_schema=json_schema, rubric=rubric)
    _change_and_show(client, new, clear=clear, as_json=as_json, skill=skill)


def assert_on_example(
    client: Client,
    *,
    example_id: Annotated[str, typer.Argument(metavar="ID", help="The example's id; see `examples list`.")],
    contains: ContainsOption = None,
    regex: RegexOption = None,
    json_schema: SchemaOption = None,
    rubric: RubricOption = None,
    clear: ClearOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the answer to one example must satisfy beside what its skill asks, or add to it."""
    new = _written(contains=contains, regex=regex, json_schema=json_schema, rubric=rubric)
    _change_and_show(client, new, clear=clear, as_json=as_json, example_id=example_id)


def _written(**given: list[str] | None) -> list[dict[str, str]]:
    return [{"kind": kind, "value": _text(kind, value)} for kind, values in given.items() for value in values or ()]


def _text(kind: str, given: str) -> str:
    """The value, or what stands in the file it names with @."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_bytes().decode().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidField(field=kind, reason=f"the file cannot be read as text ({type(error).__name__})") from error


def _change_and_show(client: Client, new: list[dict[str, str]], *, clear: bool, as_json: bool, **owner: str) -> None:
    found = client.get_assertions(**owner)
    if new or clear:
        kept = [] if clear else found["assertions"]
        found = client.put_assertions([*kept, *new], revision=found["revision"], **owner)
    if as_json:
        say_json(found)
        return
    _show(found["assertions"])


def _show(assertions: list[dict[str, Any]]) -> None:
    if not assertions:
        say("No assertions.")
    for assertion in assertions:
        say_line(assertion["kind"], style="bold")
        say_block(assertion["value"])
