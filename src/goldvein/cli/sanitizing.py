"""`goldvein sanitize`: the sanitizer as a filter. No server, no settings, nothing stored."""

import sys
from typing import Annotated

import typer

from goldvein.cli.groups import command
from goldvein.sanitizer import SanitizerFailed, TextTooLong, sanitize
from goldvein.terminal import complain, say_json

AsJson = Annotated[bool, typer.Option("--json", help="Print the text with the findings: type, start and end.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "sanitize",
        "goldvein sanitize < session.log",
        "git log -1 | goldvein sanitize --json",
        panel="For everybody",
    )(sanitize_stdin)


def sanitize_stdin(*, as_json: AsJson = False) -> None:
    """Read text from standard input and write it without secrets and personal data.

    Nothing is written when the text cannot be sanitized.
    """
    try:
        sanitized = sanitize(sys.stdin.buffer.read().decode())
    except UnicodeDecodeError as error:
        _refuse("not_text", "standard input is not text in UTF-8.", error)
    except TextTooLong as error:
        _refuse("text_too_long", str(error), error)
    except SanitizerFailed as error:
        _refuse("sanitizer_failed", str(error), error)
    else:
        if as_json:
            findings = [{"type": found.type, "start": found.start, "end": found.end} for found in sanitized.findings]
            say_json({"text": sanitized.text, "findings": findings, "version": sanitized.version})
            return
        sys.stdout.buffer.write(sanitized.text.encode())
        sys.stdout.buffer.flush()


def _refuse(code: str, message: str, error: Exception) -> None:
    complain(code, message)
    raise typer.Exit(1) from error
