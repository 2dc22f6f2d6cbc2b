"""Commands about where one is told: webhooks."""

from typing import Annotated

import typer

from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command, group
from goldvein.terminal import say, say_facts, say_json, say_line
from goldvein_client import Client

PANEL = "For everybody"

webhooks = group("Where you are told of what concerns you.", "goldvein webhooks list")


def add_to(app: typer.Typer) -> None:
    """Add the commands about webhooks."""
    app.add_typer(webhooks, name="webhooks", rich_help_panel=PANEL)


@command(webhooks, "add", "goldvein webhooks add https://hooks.example/goldvein")
@with_client
def add_webhook(
    client: Client,
    receiver: Annotated[
        str, typer.Argument(metavar="URL", help="An https URL on the public internet, without secrets in it.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Be told at this URL. The secret with which messages are signed is printed this once."""
    made = client.add_webhook(receiver)
    if as_json:
        say_json(made)
        return
    say(f"Messages go to {made['url']} ({made['id']}). They are signed (Standard Webhooks) with this secret:")
    say_line(made["signing_secret"], style="bold")


@command(webhooks, "list", "goldvein webhooks list")
@with_client
def list_webhooks(client: Client, *, as_json: JsonOption = False) -> None:
    """List where you are told, with what could not be delivered."""
    found = client.list_webhooks()
    if as_json:
        say_json(found)
        return
    for webhook in found:
        say_line(f"{webhook['id']}  {webhook['url']}")
        for failure in webhook["failures"]:
            why = failure["last_error"] or "not tried yet"
            say_facts({f"  {failure['state']}": f"{failure['event_type']}, {failure['attempts']} attempts: {why}"})
    if not found:
        say("You have no webhooks.")


@command(webhooks, "remove", "goldvein webhooks remove ID")
@with_client
def remove_webhook(
    client: Client, webhook: Annotated[str, typer.Argument(metavar="ID", help="Its id; see `webhooks list`.")]
) -> None:
    """Be told there no more. What is on its way is dropped."""
    client.remove_webhook(webhook)
    say("Removed.")
