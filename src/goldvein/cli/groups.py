"""How every command of the command line is declared: with what it does, and an example that works as printed."""

from collections.abc import Callable
from typing import Any

import typer

Command = Callable[..., Any]

_HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


def group(about: str, *examples: str) -> typer.Typer:
    """A group of commands; called without one it shows what there is."""
    return typer.Typer(
        help=about,
        epilog=_epilog(examples),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings=_HELP_OPTIONS,
    )


def command(app: typer.Typer, name: str, *examples: str, panel: str | None = None) -> Callable[[Command], Command]:
    """Declare a command; its docstring is its help, the examples stand below it."""

    def declare(function: Command) -> Command:
        app.command(name, epilog=_epilog(examples), rich_help_panel=panel, context_settings=_HELP_OPTIONS)(function)
        return function

    return declare


def _epilog(examples: tuple[str, ...]) -> str:
    return "\n".join(["Example:" if len(examples) == 1 else "Examples:", *(f"  {example}" for example in examples)])
