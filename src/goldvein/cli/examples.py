"""Commands for training examples: reading, writing, reviewing and exporting them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command, group
from goldvein.errors import InvalidField
from goldvein.terminal import (
    complain,
    console,
    count_of,
    say,
    say_block,
    say_cropped,
    say_facts,
    say_json,
    say_line,
    say_table,
    short_digest,
    visible,
)
from goldvein_client import Client, ClientError

PANEL = "For authors"

SkillArgument = Annotated[str, typer.Argument(help="The skill's slug or id.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The example's id; see `examples list`.")]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="The examples' ids; see `examples list`.")]
QualityOption = Annotated[int | None, typer.Option(metavar="1..10", help="How good it is.")]
NotesOption = Annotated[str | None, typer.Option(metavar="TEXT", help="What the next reviewer should know.")]
InputOption = Annotated[str | None, typer.Option("--input", metavar="TEXT|@FILE", help="What goes in.")]
OutputOption = Annotated[str | None, typer.Option("--output", metavar="TEXT|@FILE", help="What came out.")]
ExpectedOption = Annotated[
    str | None, typer.Option("--expected", metavar="TEXT|@FILE", help="What should have come out, if not that.")
]

examples = group(
    "Training examples of a skill. A text of the form @FILE is read from that file.",
    "goldvein examples list release-notes",
)


def add_to(app: typer.Typer) -> None:
    """Add the commands for examples."""
    app.add_typer(examples, name="examples", rich_help_panel=PANEL)
    command(
        app,
        "export",
        "goldvein export release-notes --format chat-jsonl --out out/release-notes",
        panel=PANEL,
    )(with_client(export_skill))


@command(examples, "list", "goldvein examples list release-notes --status pending")
@with_client
def list_examples(
    client: Client,
    skill: SkillArgument,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="pending, approved, rejected, quarantined, withdrawn or expired"),
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="SOURCE", help="usage_capture, web or api")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many at most.")] = 50,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the examples of a skill, newest first, each with the beginning of its texts."""
    found = client.list_examples(skill, status=status, source=source, limit=limit)
    if as_json:
        say_json(found)
        return
    for example in found:
        _say_briefly(example)
    counts = client.count_examples(skill)["status"]
    total = sum(counts.values())
    listed = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    say(f"{len(found)} of {count_of(total, 'example')} shown" + (f" ({listed})." if listed else "."))


def _say_briefly(example: dict[str, Any]) -> None:
    say_line(example["id"], style="bold")
    when = example["created_at"][:16].replace("T", " ")
    score = f", quality {example['quality_score']}/10" if example["quality_score"] else ""
    say_cropped(example["status"], f"{_kind(example)} from {example['user'] or 'somebody'}, {when} UTC{score}")
    if example["example_input"] is None:
        gone = example["status"] in {"withdrawn", "expired"}
        say_cropped("text", "none is left" if gone else "only the skill author sees captured text")
    for label, name in (("input", "example_input"), ("output", "example_output"), ("expected", "expected_output")):
        if example[name]:
            say_cropped(label, example[name])
    if example["findings"]:
        say_cropped("redacted", _findings(example["findings"]))
    say()


def _kind(example: dict[str, Any]) -> str:
    return "captured" if example["source"] == "usage_capture" else "golden"


def _findings(findings: dict[str, int]) -> str:
    return ", ".join(f"{kind} ({number})" for kind, number in sorted(findings.items()))


@command(examples, "show", "goldvein examples show ID")
@with_client
def show_example(client: Client, example_id: IdArgument, *, as_json: JsonOption = False) -> None:
    """Show one example in full, and what its author can decide next."""
    _show(client.get_example(example_id), as_json=as_json)


def _show(example: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(example)
        return
    say_facts(
        {
            "Id": example["id"],
            "Kind": f"{_kind(example)} ({example['source']})",
            "Status": example["status"],
            "Can become": ", ".join(example["decisions"]) or "-",
            "From": example["user"],
            "When (UTC)": example["created_at"][:16].replace("T", " "),
            "Tool": example["tool_name"],
            "Quality": example["quality_score"],
            "Output is": example["output_verdict"],
            "Notes": example["review_notes"],
            "Redacted": _findings(example["findings"] or {}) or "-",
            "Sanitizer": example["sanitizer_version"],
            "Skill text": short_digest(example["skill_digest"]),
            "Revision": example["revision"],
        }
    )
    for heading, name in (("Input", "example_input"), ("Output", "example_output"), ("Expected", "expected_output")):
        if example[name]:
            console().rule(heading, align="left", style="dim")
            say_block(example[name])


@command(examples, "count", "goldvein examples count release-notes")
@with_client
def count_examples(client: Client, skill: SkillArgument, *, as_json: JsonOption = False) -> None:
    """Count the examples of a skill by status and by source."""
    counts = client.count_examples(skill)
    if as_json:
        say_json(counts)
        return
    for heading, numbers in counts.items():
        say_table((heading.capitalize(), "Examples"), list(numbers.items()))
        say()


@command(
    examples,
    "add",
    'goldvein examples add release-notes --input "v1.4.0" --output @notes.md --quality 9',
)
@with_client
def add_example(
    client: Client,
    *,
    skill: SkillArgument,
    text_in: Annotated[str, typer.Option("--input", metavar="TEXT|@FILE", help="What goes in.")],
    text_out: Annotated[str, typer.Option("--output", metavar="TEXT|@FILE", help="What should come out.")],
    expected: ExpectedOption = None,
    quality: QualityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a golden example to a skill of yours. It is sanitized, and approved at once."""
    made = client.add_example(
        skill,
        example_input=_text("input", text_in),
        example_output=_text("output", text_out),
        expected_output=None if expected is None else _text("expected", expected),
        quality_score=quality,
    )
    _show(made, as_json=as_json)


@command(examples, "edit", 'goldvein examples edit ID --expected "Fixed: crash on empty import."')
@with_client
def edit_example(
    client: Client,
    *,
    example_id: IdArgument,
    text_in: InputOption = None,
    text_out: OutputOption = None,
    expected: ExpectedOption = None,
    notes: NotesOption = None,
    quality: QualityOption = None,
    no_quality: Annotated[bool, typer.Option("--no-quality", help="Remove the score.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Change the texts or the score of an example. An empty text removes the expected output or the notes."""
    given = {
        "example_input": None if text_in is None else _text("input", text_in),
        "example_output": None if text_out is None else _text("output", text_out),
        "expected_output": None if expected is None else _text("expected", expected),
        "review_notes": notes,
        "quality_score": quality,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if no_quality:
        changes["quality_score"] = None
    if not changes:
        raise typer.BadParameter("say what to change; see --help")
    _show(client.edit_example(example_id, changes), as_json=as_json)


def _text(name: str, given: str) -> str:
    """The text of an option, or of the file it names with @."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidField(field=name, reason=f"the file cannot be read as text ({type(error).__name__})") from error


@command(examples, "approve", "goldvein examples approve ID --quality 9")
@with_client
def approve_examples(
    client: Client,
    *,
    example_ids: IdsArgument,
    quality: QualityOption = None,
    verdict: Annotated[
        str | None,
        typer.Option(
            metavar="VERDICT", help="Is the captured output a good answer: good, bad, unsure (default: good)."
        ),
    ] = None,
    expected: ExpectedOption = None,
    notes: NotesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve examples: they may be exported."""
    options = {
        "quality_score": quality,
        "output_verdict": verdict,
        "expected_output": None if expected is None else _text("expected", expected),
        "notes": notes,
    }
    _decide(client, "approve", example_ids, as_json=as_json, **options)


@command(examples, "reject", "goldvein examples reject ID --notes 'not about release notes'")
@with_client
def reject_examples(
    client: Client, example_ids: IdsArgument, notes: NotesOption = None, *, as_json: JsonOption = False
) -> None:
    """Reject examples: they are not exported."""
    _decide(client, "reject", example_ids, as_json=as_json, notes=notes)


@command(examples, "quarantine", "goldvein examples quarantine ID --notes 'names a customer'")
@with_client
def quarantine_examples(
    client: Client, example_ids: IdsArgument, notes: NotesOption = None, *, as_json: JsonOption = False
) -> None:
    """Set examples aside for a second look."""
    _decide(client, "quarantine", example_ids, as_json=as_json, notes=notes)


@command(examples, "reopen", "goldvein examples reopen ID")
@with_client
def reopen_examples(
    client: Client, example_ids: IdsArgument, notes: NotesOption = None, *, as_json: JsonOption = False
) -> None:
    """Take a decision back: the examples are pending again."""
    _decide(client, "reopen", example_ids, as_json=as_json, notes=notes)


def _decide(client: Client, decision: str, example_ids: list[str], *, as_json: bool, **options: Any) -> None:
    """Decide on each example; one that is refused does not keep the others from it, and makes the exit code 1."""
    refused = False
    for example_id in example_ids:
        try:
            decided = client.review_example(example_id, decision, **options)
        except ClientError as error:
            if len(example_ids) == 1:
                raise
            complain(error.code, f"{visible(example_id)}: {error.message}")
            refused = True
        else:
            if as_json:
                say_json(decided)
            else:
                say_line(f"{decided['id']} is {decided['status']}.")
    if refused:
        raise typer.Exit(1)


def export_skill(
    client: Client,
    skill: SkillArgument,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new or empty folder.")],
    format_name: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="The format of the rows.")
    ] = "chat-jsonl",
    *,
    system: Annotated[bool, typer.Option("--system", help="Put the skill's text before each row.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files of an earlier export.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the approved examples of a skill of yours into a folder, with a manifest that explains each row."""
    manifest = client.export(skill, out, format_name=format_name, system=system, overwrite=overwrite)
    if as_json:
        say_json(manifest)
        return
    counts = manifest["counts"]
    say(
        f"{count_of(counts['rows'], 'row')} exported ({counts['golden']} golden, {counts['captured']} captured);"
        f" {counts['skipped']} skipped."
    )
    rows = [(out / name, facts["bytes"], facts["sha256"][:16] + "…") for name, facts in manifest["files"].items()]
    say_table(("File", "Bytes", "SHA-256, verified"), rows, fixed=(1, 2))
    say_line(out / "manifest.json")
