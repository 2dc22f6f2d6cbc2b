"""`goldvein results`: what evaluations say of the versions of a skill."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command, group
from goldvein.cli.transfers import progress
from goldvein.errors import InvalidField
from goldvein.results.files import read_results
from goldvein.results.trials import REASONS, BadResults, Results, RowResult
from goldvein.terminal import complain, count_of, say, say_facts, say_json, say_line, say_table, short_digest
from goldvein_client import Client

PANEL = "For authors"
ROWS_AT_ONCE: Final = 2_000
SHOWN_ROWS: Final = 20

SkillOption = Annotated[str, typer.Option(metavar="SKILL", help="The slug or id of a skill of yours.")]

results = group(
    "Does a new version help? Results of evaluations, by skill version.",
    "goldvein results show --skill release-notes --compare 1 2",
)


def add_to(app: typer.Typer) -> None:
    """Add the commands for results."""
    app.add_typer(results, name="results", rich_help_panel=PANEL)


@command(
    results,
    "import",
    "goldvein results import out.json --skill release-notes --skill-version 2 --dataset notes --version 3",
    "goldvein results import logs/run.eval --skill release-notes --skill-version 2 --dataset notes --version 3",
)
@with_client
def import_results(
    client: Client,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Of promptfoo (JSON, JSON lines) or Inspect (.eval, JSON).")
    ],
    *,
    skill: SkillOption,
    skill_version: Annotated[
        str, typer.Option(metavar="DIGEST|N", help="The version of the skill that answered, by digest or number.")
    ],
    dataset: Annotated[str, typer.Option(metavar="NAME", help="The dataset whose rows were answered.")],
    version: Annotated[str, typer.Option(metavar="V", help="Its version, such as 3 or 3.1.")],
    model: Annotated[
        str | None, typer.Option(metavar="M", help="One of several models in the file, or a name for the only one.")
    ] = None,
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME", help="One of several scorers of Inspect (default: all of them).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Store scores of an evaluation, row by row. Texts of answers are not sent.

    The same file twice adds nothing. Exit code 1 when a result was not stored; the others are.
    """
    try:
        found = read_results(file, scorer=scorer)
    except BadResults as bad:
        raise InvalidField(field="FILE", reason=str(bad)) from None
    facts = {
        "skill_version": skill_version,
        "dataset": dataset,
        "dataset_version": version,
        "tool": found.tool,
        "file_digest": f"sha256:{_digest(file)}",
    }
    done = [_send(client, skill, facts, name, rows) for name, rows in _models(found, model).items()]
    unused = dict(found.unused)
    unknown = sum(one["unknown"] for one in done)
    if unknown:
        unused["unknown_row"] = unknown
    _show_import(done, unused, as_json=as_json)
    if unused:
        raise typer.Exit(1)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _models(found: Results, model: str | None) -> dict[str, list[RowResult]]:
    """The rows to send by model: all of the file, or those of the one that was named."""
    if model is None or model in found.rows:
        return {name: rows for name, rows in found.rows.items() if model in {None, name}}
    if len(found.rows) > 1:
        raise InvalidField(field="--model", reason="none of those in the file; see its results")
    return dict.fromkeys((model,), *found.rows.values()) if found.rows else {}


def _send(client: Client, skill: str, facts: dict[str, str], model: str, rows: list[RowResult]) -> dict[str, Any]:
    done: dict[str, Any] = {"model": model, "rows": len(rows), "stored": 0, "duplicate": 0, "unknown": 0}
    with progress(len(rows)) as advance:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            body = {
                **facts,
                "model": model or "unnamed",
                "rows_in_file": len(rows),
                "rows": [_as_body(row) for row in some],
            }
            answer = client.import_results(skill, body)
            for name in ("stored", "duplicate"):
                done[name] += answer[name]
            done["unknown"] += len(answer["unknown_rows"])
            advance(len(some))
    return done


def _as_body(row: RowResult) -> dict[str, Any]:
    return {
        "row": row.row[:100],
        "score": row.score,
        "passed": row.passed,
        "trials": row.trials,
        "output_bytes": row.output_bytes,
    }


def _show_import(done: list[dict[str, Any]], unused: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        say_json({"models": done, "not_stored": unused})
        return
    for one in done:
        say(f"{one['model']}: {count_of(one['stored'], 'row')} stored, {one['duplicate']} known already.")
    if not done:
        say("No result was stored.")
    for reason, number in unused.items():
        complain(reason, f"{count_of(number, 'result')}: {REASONS[reason]}")


@command(
    results,
    "show",
    "goldvein results show --skill release-notes",
    "goldvein results show --skill release-notes --compare 1 2",
)
@with_client
def show_results(
    client: Client,
    *,
    skill: SkillOption,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="BEFORE AFTER", help="Two versions of the skill, by digest or number.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the evaluations of a skill, or compare two of its versions on the rows that both have answered."""
    if compare is None:
        found = client.list_results(skill)
        say_json(found) if as_json else _show_runs(found)
        return
    compared = client.compare_results(skill, before=compare[0], after=compare[1])
    if as_json:
        say_json(compared)
        return
    if not compared:
        say("No model and dataset has results of both versions.")
    for one in compared:
        _show_comparison(one)


def _show_runs(runs: list[dict[str, Any]]) -> None:
    rows = [
        (
            run["skill_version"] or short_digest(run["skill_digest"]),
            f"{run['dataset']} {run['dataset_version']}",
            run["model"],
            f"{run['passed']}/{run['rows']}",
            "-" if run["mean_score"] is None else f"{run['mean_score']:.3f}",
            run["created_at"][:16].replace("T", " "),
        )
        for run in runs
    ]
    say_table(("Version", "Dataset", "Model", "Passed", "Mean score", "Imported (UTC)"), rows)
    say(f"{count_of(len(rows), 'evaluation')}.")


def _show_comparison(one: dict[str, Any]) -> None:
    found = one["comparison"]
    versions = {one["dataset_version_before"], one["dataset_version_after"]}
    say_line(f"{one['model']} on {one['dataset']} {' and '.join(sorted(versions))}", style="bold")
    say_facts(
        {
            "Common rows": found["common_rows"],
            "Other rows": f"{found['only_before']} only before, {found['only_after']} only after",
            "Passed": f"{found['passed_before']} before, {found['passed_after']} after",
            "Pass rate": _interval(found["pass_rate"], percent=True),
            "Mean score": f"{found['mean_before']:.3f} before, {found['mean_after']:.3f} after",
            "Difference": _interval(found["score"], percent=False),
            "Scores": f"{found['score_up']} up, {found['score_down']} down",
            "Fixed": _rows(found["fixed"]),
            "Broken": _rows(found["broken"]),
        }
    )
    say()


def _interval(interval: dict[str, float] | None, *, percent: bool) -> str:
    if interval is None:
        return "no interval: too few rows, or the same difference in all of them"
    scale, unit = (100, " points") if percent else (1, "")
    value, low, high = (interval[name] * scale for name in ("value", "low", "high"))
    digits = 1 if percent else 3
    return f"{value:+.{digits}f}{unit}, with 95 % confidence {low:+.{digits}f} to {high:+.{digits}f}"


def _rows(rows: list[str]) -> str:
    more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
    return f"{len(rows)}: {', '.join(rows[:SHOWN_ROWS])}{more}" if rows else "0"
