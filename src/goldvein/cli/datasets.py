"""Commands for datasets: making and freezing them, reading and exporting their versions."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command, group
from goldvein.errors import InvalidField
from goldvein.terminal import console, count_of, say, say_block, say_facts, say_json, say_line, say_table, short_digest
from goldvein_client import Client

PANEL = "For authors"
MAX_CHOICES_BYTES = 64 * 1024

DatasetArgument = Annotated[str, typer.Argument(help="The dataset's slug or id.")]
VersionArgument = Annotated[str, typer.Argument(help="A number such as 3 or 3.1, a tag, or latest.")]
ChoicesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A JSON file with any of filter, shares, threshold_percent, seed and terms."),
]

datasets = group("Datasets: frozen versions of approved examples.", "goldvein dataset list")


def add_to(app: typer.Typer) -> None:
    """Add the commands for datasets."""
    app.add_typer(datasets, name="dataset", rich_help_panel=PANEL)


def _path(dataset: str, *more: str) -> str:
    return "/".join(["/api/datasets", dataset, *more])


@command(datasets, "list", "goldvein dataset list")
@with_client
def list_datasets(client: Client, *, as_json: JsonOption = False) -> None:
    """List the datasets that you own or read."""
    found = client.list_datasets()
    if as_json:
        say_json(found)
        return
    for dataset in found:
        newest = f"  version {dataset['latest']}" if dataset["latest"] else "  nothing frozen"
        say_line(f"{dataset['slug']}{newest}{'  (yours)' if dataset['is_owner'] else ''}", style="bold")
    say(count_of(len(found), "dataset") + ".")


@command(
    datasets, "create", "goldvein dataset create notes --skill release-notes --purpose training --choices notes.json"
)
@with_client
def create_dataset(
    client: Client,
    *,
    slug: Annotated[str, typer.Argument(help="Its short name, unique in your organisation.")],
    skill: Annotated[list[str], typer.Option(metavar="SKILL", help="A skill whose examples it takes; repeat it.")],
    purpose: Annotated[str, typer.Option(metavar="PURPOSE", help="evaluation, training or sharing_outside_tenant.")],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Its name (default: the slug).")] = None,
    choices: ChoicesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a dataset; you own it. Without terms nothing can be frozen."""
    body = {"slug": slug, "name": name or slug, "purpose": purpose, "skills": skill, **_read_choices(choices)}
    made = client.request("POST", "/api/datasets", json_body=body)
    if as_json:
        say_json(made)
        return
    say(f"{made['slug']} is made.")
    if made["terms"] is None:
        say("It has no terms yet: goldvein dataset change " + made["slug"] + " --choices FILE")


@command(datasets, "change", "goldvein dataset change notes --choices notes.json")
@with_client
def change_dataset(
    client: Client,
    dataset: DatasetArgument,
    choices: ChoicesOption = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Another name.")] = None,
    skill: Annotated[list[str] | None, typer.Option(metavar="SKILL", help="All of its skills; repeat it.")] = None,
) -> None:
    """Change what the next version is made of; frozen versions stay."""
    body = {"name": name, "skills": skill, **_read_choices(choices)}
    client.request("PATCH", _path(dataset), json_body={key: value for key, value in body.items() if value is not None})
    say(f"{dataset} is changed.")


def _read_choices(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = path.read_bytes()
        found = json.loads(content) if len(content) <= MAX_CHOICES_BYTES else None
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidField(field="--choices", reason=f"a file with a JSON object, up to {MAX_CHOICES_BYTES} bytes")
    return found


@command(datasets, "show", "goldvein dataset show notes", "goldvein dataset show notes --version 3")
@with_client
def show_dataset(
    client: Client,
    dataset: DatasetArgument,
    version: Annotated[str | None, typer.Option(metavar="VERSION", help="A version, with its statistics.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a dataset with its versions, or one version."""
    if version is not None:
        found = client.request("GET", _path(dataset, "versions", version))
        if as_json:
            say_json(found)
        else:
            _say_version(found)
        return
    found = client.request("GET", _path(dataset))
    history = client.request("GET", _path(dataset, "versions"))["items"]
    if as_json:
        say_json({**found, "versions": history})
        return
    say_facts(
        {
            "Slug": found["slug"],
            "Name": found["name"],
            "Purpose": found["purpose"],
            "Skills": ", ".join(found["skills"]),
            "Terms": found["terms_hash"] or "none: nothing can be frozen",
            "Tags": ", ".join(f"{tag}={number}" for tag, number in found["tags"].items()) or None,
        }
    )
    rows = [
        (one["version"], one["state"], one["rows"], one["frozen_at"][:16].replace("T", " "), one["content_hash"][7:19])
        for one in history
    ]
    if rows:
        say_table(("Version", "State", "Rows", "Frozen (UTC)", "Content"), rows)


def _say_version(found: dict[str, Any]) -> None:
    content = found["content"]
    say_facts(
        {
            "Version": found["version"],
            "Rows": found["rows"],
            "Splits": ", ".join(f"{split} {count}" for split, count in content["rows"]["by_split"].items()),
            "Leakage": ", ".join(f"{name} {content['leakage'][name]}" for name in ("pairs", "persons", "sessions")),
            "Content": short_digest(found["content_hash"]),
            "Frozen (UTC)": found["frozen_at"][:16].replace("T", " "),
            "Looks at holdout": found["holdout_looks"],
        }
    )
    say_json(found["statistics"])


@command(datasets, "freeze", "goldvein dataset freeze notes --dry-run", "goldvein dataset freeze notes")
@with_client
def freeze(
    client: Client,
    dataset: DatasetArgument,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be in it.")] = False,
    allow_leakage: Annotated[bool, typer.Option("--allow-leakage", help="Freeze although splits leak.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Freeze the next version; the same content again is the version that is there."""
    with console(stderr=True).status("Reading, clustering, writing ..."):
        done = client.freeze_dataset(dataset, dry_run=dry_run, allow_leakage=allow_leakage)
    if as_json:
        say_json(done)
        return
    if done["version"] is None:
        say(f"A version would have {count_of(done['rows'], 'row')}.")
    elif done["is_new"]:
        say(f"Version {done['version']} is frozen with {count_of(done['rows'], 'row')}.")
    else:
        say(f"Nothing has changed since version {done['version']}.")
    for reason, count in done["left_out"].items():
        say(f"{count} left out: {reason}", indent=2)
    leakage = done["leakage"]
    if leakage["pairs"] or leakage["persons"] or leakage["sessions"]:
        say(f"In two splits: {leakage['pairs']} pairs, {leakage['persons']} persons, {leakage['sessions']} sessions.")


@command(datasets, "diff", "goldvein dataset diff notes --before 2 --after 3")
@with_client
def diff(
    client: Client,
    dataset: DatasetArgument,
    before: Annotated[str | None, typer.Option(metavar="VERSION", help="Default: the number before.")] = None,
    after: Annotated[str, typer.Option(metavar="VERSION", help="Default: the newest.", show_default=False)] = "latest",
    *,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions: rows added, removed with the reason, edited, moved to another split."""
    params = {"after": after, **({"before": before} if before else {})}
    found = client.request("GET", _path(dataset, "diff"), params=params)["items"]
    if as_json:
        say_json(found)
        return
    for one in found:
        splits = " -> ".join(split for split in (one["split_before"], one["split_after"]) if split)
        say_line(f"{one['kind']}  {one['example_id']}  {splits}  {one['reason'] or ''}".rstrip())
        for name, lines in (one["changes"] or {}).items():
            say(name, indent=2)
            say_block("\n".join(lines))
    say(count_of(len(found), "difference") + ".")


@command(datasets, "export", "goldvein dataset export notes 3 --format chat-jsonl --out notes.zip")
@with_client
def export(
    client: Client,
    *,
    dataset: DatasetArgument,
    version: VersionArgument,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The zip file to write; it must not exist.")],
    format_name: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="See docs/exports.md; default: chat-jsonl.", show_default=False
        ),
    ] = "chat-jsonl",
    split: Annotated[list[str] | None, typer.Option(metavar="SPLIT", help="Default: all but the holdout.")] = None,
    placeholders: Annotated[
        str, typer.Option(metavar="HOW", help="keep (default) or surrogate.", show_default=False)
    ] = "keep",
    accept_terms: Annotated[
        str, typer.Option(metavar="HASH", help="Readers: the hash of the terms.", show_default=False)
    ] = "",
    system: Annotated[bool, typer.Option("--system", help="Put the skill's text before each row.")] = False,
) -> None:
    """Download a version in a format. The download is logged."""
    if out.exists():
        raise InvalidField(field="--out", reason="a file that does not exist yet")
    size = client.export_dataset(
        dataset,
        version,
        out,
        format_name=format_name,
        splits=split,
        placeholders=placeholders,
        system=system,
        accept_terms=accept_terms or None,
    )
    say(f"{size:,} bytes in {out}.")


@command(datasets, "tag", "goldvein dataset tag notes prod 3", "goldvein dataset tag notes prod --drop")
@with_client
def tag(
    client: Client,
    dataset: DatasetArgument,
    name: Annotated[str, typer.Argument(help="The tag.")],
    version: Annotated[str | None, typer.Argument(help="The version that it names.")] = None,
    *,
    drop: Annotated[bool, typer.Option("--drop", help="Take the tag away.")] = False,
) -> None:
    """Let a tag name a version."""
    if drop == (version is not None):
        raise InvalidField(field="version", reason="a version, or --drop")
    if drop:
        client.request("DELETE", _path(dataset, "tags", name))
        say(f"{name} is no tag of {dataset} any more.")
        return
    client.request("POST", _path(dataset, "tags"), json_body={"tag": name, "version": version})
    say(f"{name} is version {version} of {dataset}.")


@command(datasets, "readers", "goldvein dataset readers notes", "goldvein dataset readers notes --add PERSON-ID")
@with_client
def readers(
    client: Client,
    dataset: DatasetArgument,
    add: Annotated[str | None, typer.Option(metavar="PERSON-ID", help="Let a member read and export it.")] = None,
    remove: Annotated[str | None, typer.Option(metavar="PERSON-ID", help="Take their place back.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show who may read and export a dataset, or change it."""
    if add is not None:
        client.request("POST", _path(dataset, "readers"), json_body={"person_id": add})
    if remove is not None:
        client.request("DELETE", _path(dataset, "readers", remove))
    found = client.request("GET", _path(dataset, "readers"))["items"]
    if as_json:
        say_json(found)
        return
    for reader in found:
        say_line(f"{reader['person_id']}  since {reader['added_at'][:10]}")
    say(count_of(len(found), "reader") + ".")


@command(datasets, "removals", "goldvein dataset removals notes --since 0 --json")
@with_client
def removals(
    client: Client,
    dataset: DatasetArgument,
    since: Annotated[
        int, typer.Option(min=0, metavar="SEQ", help="The last one you have seen.", show_default=False)
    ] = 0,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what was removed from versions, for whoever has a copy."""
    found = client.request("GET", _path(dataset, "removals"), params={"since": str(since)})
    if as_json:
        say_json(found)
        return
    for one in found["items"]:
        say_line(f"{one['seq']}  version {one['version']}  {one['example_id']}  {one['cause']}")
    say(count_of(len(found["items"]), "removal") + ".")
