"""Commands for skills and the feedback on them."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer

from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command, group
from goldvein.cli.skill_files import SkillFile, read_skill_files
from goldvein.errors import InvalidField
from goldvein.terminal import (
    console,
    count_of,
    finding_places,
    say,
    say_block,
    say_facts,
    say_json,
    say_line,
    short_digest,
    visible,
)
from goldvein_client import Client, ClientError

PANEL = "For everybody"

SkillArgument = Annotated[str, typer.Argument(help="The skill's slug or id.")]

skills = group("Skills of your organisation.", "goldvein skill list --mine")


def add_to(app: typer.Typer) -> None:
    """Add the commands for skills."""
    app.add_typer(skills, name="skill", rich_help_panel=PANEL)
    command(
        app,
        "feedback",
        "goldvein feedback release-notes up --comment 'spot on'",
        "goldvein feedback release-notes suggest --comment 'Group by area.' --category missing_feature",
        panel=PANEL,
    )(with_client(give_feedback))


@command(skills, "list", "goldvein skill list --mine")
@with_client
def list_skills(
    client: Client,
    *,
    mine: Annotated[bool, typer.Option("--mine", help="Only those you count as author of.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the skills of your organisation."""
    found = client.list_skills(mine=mine)
    if as_json:
        say_json(found)
        return
    for skill in found:
        mark = "  (yours)" if skill["is_author"] else ""
        version = f"  v{skill['version']}" if skill["version"] else "  no text"
        say_line(f"{skill['slug']}{version}{mark}", style="bold")
        if skill["description"]:
            say(skill["description"], indent=2)
    say(count_of(len(found), "skill") + ".")


@command(skills, "show", "goldvein skill show release-notes")
@with_client
def show_skill(
    client: Client,
    skill: SkillArgument,
    *,
    body: Annotated[bool, typer.Option("--body", help="Show the text of the newest version too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one skill."""
    found = client.get_skill(skill)
    versions = client.list_versions(skill) if body else []
    if as_json:
        say_json({**found, **({"versions": versions} if body else {})})
        return
    _say_skill(found)
    if versions:
        console().rule("Text", align="left", style="dim")
        say_block(versions[0]["body"])


def _say_skill(skill: dict[str, Any]) -> None:
    say_facts(
        {
            "Slug": skill["slug"],
            "Name": skill["name"],
            "Description": skill["description"] or None,
            "Id": skill["id"],
            "Author": "you" if skill["is_author"] else skill["author_id"],
            "Version": skill["version"],
            "Digest": short_digest(skill["skill_digest"]),
            "Changed (UTC)": skill["updated_at"][:16].replace("T", " "),
        }
    )


@command(skills, "create", "goldvein skill create release-notes --name 'Release notes' --body-file SKILL.md")
@with_client
def create_skill(
    client: Client,
    slug: Annotated[str, typer.Argument(help="Its short name, unique in your organisation.")],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Its name (default: the slug).")] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    body_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Its text: a SKILL.md.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Register a skill; you become its author. A text that holds secrets or personal data is refused."""
    try:
        body = None if body_file is None else body_file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidField(field="body", reason=f"the file cannot be read as text ({type(error).__name__})") from error
    made = client.create_skill(slug, name or slug, description=description, body=body)
    if as_json:
        say_json(made)
    else:
        _say_skill(made)


@command(skills, "sync", "goldvein skill sync ./skills")
@with_client
def sync_skills(
    client: Client,
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Every SKILL.md below it is registered.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Register every SKILL.md of a folder, or bring the registered ones up to date.

    The slug is the `name` in the front matter, or else the name of the SKILL.md's folder. Nothing is made up: what the
    file does not say is not changed on the server.
    """
    results = [_sync_one(client, file) for file in read_skill_files(folder)]
    if as_json:
        say_json(results)
    else:
        _say_results(results)
        if not results:
            say(f"There is no SKILL.md below {visible(folder)}.")
    if any(result["outcome"] == "refused" for result in results):
        raise typer.Exit(1)


def _sync_one(client: Client, file: SkillFile) -> dict[str, Any]:
    """What became of one file: created, updated, unchanged or refused."""
    result: dict[str, Any] = {"path": str(file.path), "slug": file.slug}
    if file.flaw is not None:
        return {**result, "outcome": "refused", "reason": file.flaw, "places": []}
    try:
        return {**result, "outcome": _register(client, file)}
    except ClientError as error:
        if error.status is None or error.code in {"not_authenticated", "missing_scope"}:
            raise  # the next file would fail in the same way
        places = finding_places(error.details.get("findings") or [])
        return {**result, "outcome": "refused", "reason": str(error), "places": places}


def _register(client: Client, file: SkillFile) -> str:
    try:
        known = client.get_skill(file.slug)
    except ClientError as error:
        if error.code != "not_found":
            raise
        client.create_skill(file.slug, file.slug, description=file.description or "", body=file.body)
        return "created"
    changes: dict[str, str] = {}
    if known["skill_digest"] != "sha256:" + hashlib.sha256(file.body.encode()).hexdigest():
        changes["body"] = file.body
    if file.description is not None and file.description != known["description"]:
        changes["description"] = file.description
    if not changes:
        return "unchanged"
    client.change_skill(file.slug, revision=known["revision"], **changes)
    return "updated"


def _say_results(results: list[dict[str, Any]]) -> None:
    for result in results:
        say_line(f"{result['outcome']:<10} {result['slug']}  ({result['path']})")
        if result["outcome"] == "refused":
            say(result["reason"], indent=11)
            for place in result["places"]:
                say_line(f"           {place}")
    counts = {name: sum(result["outcome"] == name for result in results) for name in _OUTCOMES}
    say(", ".join(f"{number} {name}" for name, number in counts.items()) + ".")


_OUTCOMES = ("created", "updated", "unchanged", "refused")
_KINDS = {"up": "thumbs_up", "down": "thumbs_down", "suggest": "suggestion", "bug": "bug_report"}
_DEFAULTS = {"suggest": ("other", "nice_to_have"), "bug": ("error", "important")}


def give_feedback(
    client: Client,
    *,
    skill: SkillArgument,
    kind: Annotated[str, typer.Argument(metavar="up|down|suggest|bug", help="What you want to say.")],
    comment: Annotated[
        str | None, typer.Option(metavar="TEXT", help="In your words; needed for suggest and bug.")
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="output_quality, missing_feature, error, performance or other (default: other; for bug: error).",
        ),
    ] = None,
    severity: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="nice_to_have, important or critical (default: nice_to_have; for bug: important)."
        ),
    ] = None,
    event: Annotated[str | None, typer.Option(metavar="ID", help="The usage event it is about.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what you think of a skill."""
    if kind not in _KINDS:
        raise typer.BadParameter(f"{visible(kind)} is none of up, down, suggest, bug")
    usual_category, usual_severity = _DEFAULTS.get(kind, (None, None))
    given = client.give_feedback(
        skill,
        _KINDS[kind],
        comment=comment,
        category=category or usual_category,
        severity=severity or usual_severity,
        usage_event_id=event,
    )
    if as_json:
        say_json(given)
    else:
        say("Thank you: the author sees it.")
