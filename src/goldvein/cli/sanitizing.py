"""`goldvein sanitize`: the sanitizer as a filter. No server, no settings, nothing stored."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from goldvein.cli.groups import command
from goldvein.sanitizer import NamesUnavailable, Sanitized, SanitizerFailed, TextTooLong, sanitize
from goldvein.sanitizer.explain import Explanation, explain
from goldvein.terminal import complain, console, count_of, say_json, visible

AsJson = Annotated[bool, typer.Option("--json", help="Print the text with the findings: type, start and end.")]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Print what was found where, by which rule and why, in place of the text."),
]
Names = Annotated[
    bool,
    typer.Option("--names", help="Look for people's names and street addresses too; needs goldvein\\[ner]."),
]
_CONFIDENCE_STYLES = {"high": "green", "medium": "yellow", "low": "red"}
_INDENT = (0, 0, 0, 3)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "sanitize",
        "goldvein sanitize < session.log",
        "git log -1 | goldvein sanitize --json",
        "goldvein sanitize --explain < .env",
        panel="For everybody",
    )(sanitize_stdin)


def sanitize_stdin(*, as_json: AsJson = False, explained: Explain = False, names: Names = False) -> None:
    """Read text from standard input and write it without secrets and personal data.

    Nothing is written when the text cannot be sanitized. Values that were found are never shown.
    """
    try:
        text = sys.stdin.buffer.read().decode()
        sanitized = sanitize(text, names=names)
    except UnicodeDecodeError as error:
        _refuse("not_text", "standard input is not text in UTF-8.", error)
    except TextTooLong as error:
        _refuse("text_too_long", str(error), error)
    except SanitizerFailed as error:
        _refuse("sanitizer_failed", str(error), error)
    except NamesUnavailable as error:
        _refuse("names_unavailable", str(error), error)
    else:
        _write(text, sanitized, as_json=as_json, explained=explained)


def _write(text: str, sanitized: Sanitized, *, as_json: bool, explained: bool) -> None:
    if as_json:
        findings = [{"type": found.type, "start": found.start, "end": found.end} for found in sanitized.findings]
        if explained:
            findings = [_as_data(explanation) for explanation in explain(text, sanitized)]
        say_json({"text": sanitized.text, "findings": findings, "version": sanitized.version})
    elif explained:
        _show(list(explain(text, sanitized)), sanitized.version)
    else:
        sys.stdout.buffer.write(sanitized.text.encode())
        sys.stdout.buffer.flush()


def _refuse(code: str, message: str, error: Exception) -> None:
    complain(code, message)
    raise typer.Exit(1) from error


def _as_data(explanation: Explanation) -> dict[str, Any]:
    found = explanation.finding
    return {
        "type": found.type,
        "start": found.start,
        "end": found.end,
        "line": explanation.line,
        "column": explanation.column,
        "rule": found.rule,
        "description": explanation.description,
        "confidence": found.confidence,
        "name": explanation.name,
        "placeholder": explanation.placeholder,
    }


def _show(explanations: Sequence[Explanation], version: str) -> None:
    """Print the findings one below the other, each with the line it stands in; then how many there are."""
    screen = console()
    for explanation in explanations:
        screen.print(_heading(explanation))
        screen.print(Padding(_reason(explanation), _INDENT))
        screen.print(Padding(_masked_line(explanation, screen.width - _INDENT[3]), _INDENT))
        screen.print()
    counted = count_of(len(explanations), "finding") if explanations else "Nothing found"
    screen.print(Text(f"{counted}. Sanitizer version {version}.", style="dim"))


def _heading(explanation: Explanation) -> Text:
    found = explanation.finding
    size = count_of(explanation.chars, "character")
    if explanation.lines > 1:
        size += f" over {explanation.lines} lines"
    return Text.assemble(
        (f"{explanation.line}:{explanation.column}", "bold"),
        "  ",
        (found.type, "bold cyan"),
        f"  {size}, ",
        (f"{found.confidence} confidence", _CONFIDENCE_STYLES[found.confidence]),
    )


def _reason(explanation: Explanation) -> Text:
    reason = Text(f"{explanation.description} ")
    if explanation.name is not None:
        reason = Text.assemble(f"{explanation.description}: ", (visible(explanation.name), "bold"), " ")
    return reason.append(f"(rule {explanation.finding.rule})", style="dim")


def _masked_line(explanation: Explanation, width: int) -> Text:
    """The sanitized line around the placeholder, as much of it as the terminal is wide."""
    before, after = visible(explanation.before.lstrip()), visible(explanation.after.rstrip())
    room = max(width - len(explanation.placeholder), 2)
    left = max(room // 2, room - cell_len(after))
    begin = Text(before[::-1])
    begin.truncate(left, overflow="ellipsis")  # of the text read backwards: what is far from the placeholder goes
    end = Text(after)
    end.truncate(room - begin.cell_len, overflow="ellipsis")
    return Text.assemble(
        begin.plain[::-1], (explanation.placeholder, "reverse"), end.plain, no_wrap=True, overflow="fold"
    )
