"""Every command in one tree, and the one place where an error becomes a line and an exit code."""

import contextlib
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from goldvein.cli import (
    asserting,
    datasets,
    examples,
    hook,
    import_examples,
    importing,
    operating,
    own,
    reporting,
    results,
    sanitizing,
    skills,
    verifying,
    webhooks,
)
from goldvein.cli.groups import command, group
from goldvein.errors import GoldveinError
from goldvein.terminal import complain, report
from goldvein_client import ClientError

OK, REFUSED, WRONG_USAGE = 0, 1, 2

app = group("Golden datasets from real use of AI skills, with consent.", "goldvein demo")

DemoPortOption = Annotated[
    int, typer.Option(min=0, max=65535, metavar="PORT", help="Port to listen on; 0: any free one.")
]
DemoJsonOption = Annotated[
    bool, typer.Option("--json", help="Print one line of JSON with the people and their keys, and go on serving.")
]


def run_demo(port: DemoPortOption = 8787, *, as_json: DemoJsonOption = False) -> None:
    """Try everything on this machine: a server with two made-up organisations and a played session.

    Run it again and it finds what it made. It refuses a store in which real organisations are.
    """
    from goldvein import demo  # noqa: PLC0415 (other commands do not wait for the server's libraries)

    demo.run(port=port, as_json=as_json)


command(app, "demo", "goldvein demo --port 8787", panel="To begin")(run_demo)
skills.add_to(app)
own.add_to(app)
webhooks.add_to(app)
hook.add_to(app)
sanitizing.add_to(app)
importing.add_to(app)
import_examples.add_to(importing.imports)
examples.add_to(app)
datasets.add_to(app)
verifying.add_to(app)
reporting.add_to(app)
asserting.add_to_groups()
results.add_to(app)
operating.add_to(app)
command(own.keys, "rotate-server", "goldvein key rotate-server")(operating.rotate_server_key)
app.add_typer(own.keys, name="key", rich_help_panel="For everybody")


def main(arguments: list[str] | None = None) -> None:
    """Run one command. Exit codes: 0 ok, 1 refused or failed, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a real stream has it
    code = _run(sys.argv[1:] if arguments is None else arguments)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        answer: Any = app(arguments, prog_name="goldvein", standalone_mode=False)
    except (GoldveinError, ClientError) as error:
        report(error)
    except TyperException as error:
        if error_text := _usage_message(error):
            complain("wrong_usage", error_text)
        return WRONG_USAGE
    except (typer.Abort, KeyboardInterrupt):
        complain("stopped", "nothing more was done.")
    except BrokenPipeError:
        # Whoever read our output has gone; what is left in the buffer must not fail a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        complain(
            "failed", f"{error.strerror or type(error).__name__}{f': {error.filename}' if error.filename else ''}."
        )
    except Exception as error:  # noqa: BLE001 (the edge: a bug is one line with its place, never a page of code)
        place = traceback.extract_tb(error.__traceback__)[-1]
        complain("internal_error", f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}.")
    else:
        return answer if isinstance(answer, int) and answer in {OK, WRONG_USAGE} else OK if answer is None else REFUSED
    return REFUSED


def _usage_message(error: TyperException) -> str:
    message = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "goldvein"
    if not message.strip():
        return ""  # a group without a command has shown its help already
    ending = "" if message.endswith((".", "?")) else "."
    return f"{message}{ending} See `{path} --help`."
