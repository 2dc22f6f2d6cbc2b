"""What the command line prints, and how: nothing from outside reaches the terminal as a command to it."""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from goldvein.errors import GoldveinError
from goldvein_client import ClientError

# Categories a terminal acts on or hides: controls, formats (bidi among them), half surrogates, line and paragraph ends.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")  # many scripts and emoji are spelled with them; they move nothing


def visible(text: object, *, lines: bool = False) -> str:
    r"""Return text from outside so that a terminal only shows it.

    Control characters (C0, C1, ESC), bidirectional overrides and other invisible signs become `\x1b`, `\u202e`.
    With `lines`, line breaks and tabs stay.
    """
    kept = "\n\t" if lines else ""
    return "".join(
        sign
        if sign in kept or sign in _JOINERS or unicodedata.category(sign) not in _HIDDEN_CATEGORIES
        else _spelled(sign)
        for sign in str(text)
    )


def _spelled(sign: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(sign) or sign.encode(
        "unicode_escape", "backslashreplace"
    ).decode()


def console(*, stderr: bool = False) -> Console:
    """A console on the stream as it is now."""
    return Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=False)


def say(text: object = "", *, style: str = "", indent: int = 0) -> None:
    """Print a sentence for a person; it is wrapped at words, and shown, never obeyed."""
    shown = Text(visible(text), style=style)
    console().print(Padding(shown, (0, 0, 0, indent), expand=False) if indent else shown)


def say_line(text: object, *, style: str = "") -> None:
    """Print a line that is to be copied (a link, a command, an id): whatever its length, it stays one line."""
    console().print(Text(visible(text), style=style), soft_wrap=True)


def say_block(text: object) -> None:
    """Print a text as it is, line by line: it is not wrapped, so that what is copied is what was there."""
    console().print(Text(visible(text, lines=True)), soft_wrap=True)


def say_json(value: object) -> None:
    """Print data for programs: one line of JSON in ASCII, so that no terminal acts on it either."""
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def say_table(headings: Sequence[str], rows: Sequence[Sequence[object]], *, fixed: Sequence[int] = ()) -> None:
    """Print a table without a frame; the columns in `fixed` (ids) are never cut."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, no_wrap=place in fixed, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible("-" if cell is None else cell)) for cell in row))
    console().print(table)


def say_facts(facts: Mapping[str, object]) -> None:
    """Print named values below each other."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name), Text(visible("-" if value is None else value, lines=True)))
    console().print(table)


def say_cropped(label: str, text: object) -> None:
    """Print the beginning of a text on one line, indented below its heading."""
    shown = Text.assemble((f"{visible(label):<12}", "dim"), visible(text))
    console().print(Padding(shown, (0, 0, 0, 2)), no_wrap=True, overflow="ellipsis", crop=True)


def warn(text: object) -> None:
    """Print a warning to standard error."""
    console(stderr=True).print(Text(f"warning: {visible(text)}", style="yellow"), soft_wrap=True)


def report(error: GoldveinError | ClientError) -> None:
    """Print an error as one line on standard error, and below it the places that a person has to look at."""
    complain(error.code, error.message)
    findings = error.details.get("findings")
    if isinstance(findings, list):
        for place in finding_places(findings):
            console(stderr=True).print(Text(f"  {place}"), soft_wrap=True)


def complain(code: str, message: str) -> None:
    """Print one line on standard error: the code, and what it means."""
    line = Text.assemble(("goldvein: ", "bold red"), (visible(code), "bold"), f": {visible(message)}")
    console(stderr=True).print(line, soft_wrap=True)


def finding_places(findings: Sequence[Any]) -> list[str]:
    """Where the sanitizer found what, a line each; never the value."""
    return [
        visible(f"{place.get('field')} line {place.get('line')}: {place.get('type')}")
        for place in findings
        if isinstance(place, dict)
    ]


def count_of(number: int, noun: str) -> str:
    """`1 example`, `2 examples`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short_digest(digest: str | None) -> str | None:
    """The beginning of a digest, enough to tell two apart; `--json` has all of it."""
    return None if digest is None else f"{digest[:23]}…"
