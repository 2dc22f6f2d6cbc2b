"""Commands for the hook that reports uses from Claude Code."""

from pathlib import Path
from typing import Annotated

import typer

from goldvein import settings
from goldvein.cli.connection import JsonOption, UrlOption, saved_login
from goldvein.cli.groups import command, group
from goldvein.cli.own import warn_about_plain_http
from goldvein.settings import DEFAULT_PORT
from goldvein.terminal import complain, say, say_facts, say_json, say_line
from goldvein_client import hook_settings

ProjectOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Only in this project (default: all projects of this user).")
]
SkillOption = Annotated[
    str | None,
    typer.Option(metavar="SKILL", help="Report every tool call as a use of this skill (default: the skill at work)."),
]

hook = group("The hook that reports uses of skills from Claude Code.", "goldvein hook status")


def add_to(app: typer.Typer) -> None:
    """Add the commands for the hook."""
    app.add_typer(hook, name="hook", rich_help_panel="For everybody")


@command(
    hook, "install", "goldvein hook install --url https://goldvein.acme.example", "goldvein hook install --project ."
)
def install_hook(url: UrlOption = None, skill: SkillOption = None, project: ProjectOption = None) -> None:
    """Make Claude Code report uses of skills. Other entries of its settings stay as they are."""
    path = hook_settings.settings_path(project, Path.home())
    address = _server(url)
    try:
        installed = hook_settings.install(path, base_url=address, skill=skill)
    except hook_settings.HookSettingsError as error:
        complain("hook_settings", str(error))
        raise typer.Exit(1) from error
    say("Installed in" if installed.changed else "Already installed in", style="bold")
    say_line(f"  {path}")
    say(f"It sends {', '.join(installed.events)} to {address}.")
    say()
    say(
        "With this hook the raw text of tool calls travels to the server, where it is sanitized in memory before"
        " anything is stored. It is kept only if your organisation has switched capture on and you consent."
    )
    say()
    say("The key is not in that file. Put yours, with the scope track, into the environment of Claude Code:")
    say_line(f"  export {hook_settings.KEY_VARIABLE}=...")
    warn_about_plain_http(address, "what you do there")


def _server(url: str | None) -> str:
    """The server to report to. The key is not asked for: it comes from the environment of Claude Code."""
    named = url or settings.load().url
    if named:
        return named
    saved = saved_login()
    return saved.url if saved else f"http://127.0.0.1:{DEFAULT_PORT}"


@command(hook, "status", "goldvein hook status --project .")
def show_hook(project: ProjectOption = None, *, as_json: JsonOption = False) -> None:
    """Show whether the hook is installed; the exit code is 1 when it is not."""
    path = hook_settings.settings_path(project, Path.home())
    try:
        status = hook_settings.status(path)
    except hook_settings.HookSettingsError as error:
        complain("hook_settings", str(error))
        raise typer.Exit(1) from error
    if as_json:
        say_json(
            {
                "path": str(path),
                "installed": status.installed,
                "url": status.url,
                "skill": status.skill,
                "events": list(status.events),
            }
        )
    else:
        missing = [event for event in hook_settings.EVENTS if event not in status.events]
        partly = f"partly; missing {', '.join(missing)}" if status.events else "no"
        say_facts(
            {
                "File": path,
                "Installed": "yes" if status.installed else partly,
                "Server": status.url,
                "Skill": status.skill or ("the one at work" if status.events else None),
            }
        )
    if not status.installed:
        raise typer.Exit(1)


@command(hook, "remove", "goldvein hook remove --project .")
def remove_hook(project: ProjectOption = None) -> None:
    """Take the hook out of Claude Code's settings. Other entries stay as they are."""
    path = hook_settings.settings_path(project, Path.home())
    try:
        removed = hook_settings.remove(path)
    except hook_settings.HookSettingsError as error:
        complain("hook_settings", str(error))
        raise typer.Exit(1) from error
    say("Removed from" if removed else "There was no hook of goldvein in")
    say_line(f"  {path}")
