"""Commands about oneself: signing in, consent, one's own data and keys."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markdown import Markdown

from goldvein.cli.connection import (
    JsonOption,
    Login,
    UrlOption,
    forget_login,
    login_file,
    save_login,
    saved_login,
    with_client,
)
from goldvein.cli.groups import command, group
from goldvein.settings import DEFAULT_PORT
from goldvein.terminal import (
    console,
    count_of,
    say,
    say_facts,
    say_json,
    say_line,
    say_table,
    visible,
    warn,
)
from goldvein_client import Client, ClientError
from goldvein_client.client import is_loopback

PANEL = "For everybody"

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
KeyIdArgument = Annotated[str, typer.Argument(metavar="ID", help="The key's id; see `key list`.")]

consent = group("Your consent: may your uses of skills become training examples?", "goldvein consent show")
notice = group("The notice consent is asked with.", "goldvein consent notice show")
data = group("What was captured from you.", "goldvein data show")
keys = group("Your API keys.", "goldvein key list")


def add_to(app: typer.Typer) -> None:
    """Add the commands about oneself."""
    command(app, "login", "goldvein login --url http://127.0.0.1:8787", panel=PANEL)(log_in)
    command(app, "logout", "goldvein logout", panel=PANEL)(log_out)
    command(app, "whoami", "goldvein whoami", panel=PANEL)(with_client(show_me))
    consent.add_typer(notice, name="notice")
    app.add_typer(consent, name="consent", rich_help_panel=PANEL)
    app.add_typer(data, name="data", rich_help_panel=PANEL)


def log_in(url: UrlOption = None) -> None:
    """Save a server and your API key for later commands.

    Asks for the key without showing it, or reads it from standard input when that is not a terminal. Make a key on the
    page "Preferences" of the server.
    """
    former = saved_login()
    address = url or (former.url if former else f"http://127.0.0.1:{DEFAULT_PORT}")
    warn_about_plain_http(address, "the key")
    key = typer.prompt("API key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    with Client(address, key.strip()) as client:
        me = client.get_me()
        path = save_login(Login(url=client.base_url, api_key=key.strip()))
    say(f"Signed in to {address} as {me['name']} of {me['tenant']}.")
    say(f"Saved in {path}, readable by you only.")


def warn_about_plain_http(url: str, what: str) -> None:
    """Say that what is sent to another machine without TLS can be read on the way."""
    if url.startswith("http://") and not is_loopback(url):
        warn(f"{url} is not encrypted: {what} can be read by everybody on the way. Use https://.")


def log_out() -> None:
    """Forget the saved server and key. The key itself goes on working until it is revoked."""
    say(f"Removed {login_file()}." if forget_login() else "There was no saved login.")


def show_me(client: Client, *, as_json: JsonOption = False) -> None:
    """Show who you are on the server, and what this key may do."""
    me = client.get_me()
    if as_json:
        say_json(me)
        return
    say_facts(
        {
            "Name": me["name"],
            "Address": me["email"],
            "Tenant": f"{me['tenant']} ({me['tenant_id']})",
            "Role": me["role"],
            "This key may": ", ".join(me["scopes"]),
            "Server": client.base_url,
        }
    )


# Consent


@command(consent, "show", "goldvein consent show")
@with_client
def show_consent(client: Client, *, as_json: JsonOption = False) -> None:
    """Show whether you consent, and every choice you made."""
    _show_consent(client.get_consent(), as_json=as_json)


@command(consent, "give", "goldvein consent give", "goldvein consent give --skill release-notes --yes")
@with_client
def give_consent(
    client: Client,
    purpose: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PURPOSE",
            help="evaluation, training or sharing_outside_tenant; may be repeated (default: the first two).",
        ),
    ] = None,
    skill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SKILL", help="For this skill, beside what you allowed before; may be repeated (default: all)."
        ),
    ] = None,
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give consent to the notice in force, after showing it. Needs a key with the scope `me`."""
    shown = client.get_notice(language=_language())
    _show_text(shown["text"], stderr=as_json)
    if not yes and not typer.confirm(f"Do you consent, as {_whose(client)}?", err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)
    _show_consent(client.give_consent(notice_version=shown["version"], purposes=purpose, skills=skill), as_json=as_json)


@command(consent, "refuse", "goldvein consent refuse")
@with_client
def refuse_consent(client: Client, *, as_json: JsonOption = False) -> None:
    """Say no to the notice in force. You are not asked again unless your organisation asks for more."""
    _show_consent(client.refuse_consent(), as_json=as_json)


@command(consent, "withdraw", "goldvein consent withdraw", "goldvein consent withdraw --skill release-notes")
@with_client
def withdraw_consent(
    client: Client,
    skill: Annotated[
        list[str] | None,
        typer.Option(metavar="SKILL", help="Only for this skill, and erase what was captured at it; may be repeated."),
    ] = None,
    purpose: Annotated[
        list[str] | None,
        typer.Option(metavar="PURPOSE", help="Only for this purpose; erases nothing. May be repeated."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Withdraw your consent, at once and with any key of yours. What was captured from you is erased with it."""
    answer = client.withdraw_consent(skills=skill, purposes=purpose)
    if not as_json:
        say(f"{count_of(answer['erased_examples'], 'captured example')} erased.")
    _show_consent(answer, as_json=as_json)


@command(consent, "receipt", "goldvein consent receipt --out receipt.json")
@with_client
def download_receipt(
    client: Client,
    record: Annotated[
        str | None, typer.Argument(metavar="ID", help="The choice; see `consent show --json` (default: the latest).")
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it (default: standard output).")
    ] = None,
) -> None:
    """Download the signed receipt of a choice of yours; `goldvein verify receipt` checks it without the server.

    Whoever has the file can find all your choices in the organisation's ledger: keep it like a letter.
    """
    if record is None:
        records = client.get_consent()["records"]
        if not records:
            raise ClientError("not_found", "You have made no choice yet.")
        record = records[0]["id"]
    receipt = client.get_receipt(record)
    if out is None:
        say_json(receipt)
        return
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(receipt, indent=1) + "\n")


def _whose(client: Client) -> str:
    """Whose choice this is, so that nobody answers for the person of another shell."""
    me = client.get_me()
    return visible(f"{me['name']} <{me['email']}> of {me['tenant']}")


def _show_consent(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(answer)
        return
    given = answer["training_data_consent"]
    say("You consent to capture." if given else "You do not consent; nothing is captured.", style="bold")
    rows = [
        (
            record["occurred_at"][:16].replace("T", " "),
            record["action"],
            ", ".join(record["purposes"]),
            (record["expires_at"] or "-")[:10],
            _covered(record) if record["purposes"] else "-",
        )
        for record in answer["records"]
    ]
    if rows:
        say_table(("When (UTC)", "Choice", "For", "Until", "Skills"), rows, fixed=(0, 1, 3))


def _covered(record: dict[str, Any]) -> str:
    if record["skill_ids"] is not None:
        return str(len(record["skill_ids"]))
    excepted = record["excepted_skill_ids"]
    return f"all but {len(excepted)}" if excepted else "all"


# The notice


@command(notice, "show", "goldvein consent notice show", "goldvein consent notice show --version sha256:...")
@with_client
def show_notice(
    client: Client,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="One that is or was in force (default: the one in force).")
    ] = None,
    language: Annotated[str | None, typer.Option(metavar="LANGUAGE", help="Such as en or fr.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show the text that consent is asked with."""
    found = client.read_notice(version) if version else client.get_notice(language=language or _language())
    if as_json:
        say_json(found)
        return
    _show_text(found["text"])
    say(f"Version {found['version']}, {found['language']}.", style="dim")


@command(notice, "list", "goldvein consent notice list")
@with_client
def list_notices(client: Client, *, as_json: JsonOption = False) -> None:
    """List what was put in force and when (admins)."""
    found = client.list_notices()
    if as_json:
        say_json(found)
        return
    rows = [
        (
            row["published_at"][:16].replace("T", " "),
            row["language"],
            str(row["edition"]),
            ", ".join(row["purposes"]),
            row["version"],
        )
        for row in found
    ]
    if rows:
        say_table(("When (UTC)", "Language", "Edition", "For", "Version"), rows, fixed=(0, 1, 2))
    else:
        say("The built-in notice is in force.")


@command(
    notice,
    "set",
    "goldvein consent notice set notice.md --language en --purpose evaluation --purpose training --wider",
    "goldvein consent notice set notice.md --language en --purpose evaluation --not-wider",
)
@with_client
def set_notice(
    client: Client,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text, in Markdown; - is standard input.")],
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="Such as en or fr.")],
    purpose: Annotated[
        list[str],
        typer.Option(metavar="PURPOSE", help="What it asks for: evaluation, training, sharing_outside_tenant."),
    ],
    *,
    wider: Annotated[
        bool,
        typer.Option(
            "--wider/--not-wider", help="Whether it asks for more than before, so that everybody has to choose again."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Put a notice in force (admins). It gives nobody's consent."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    row = client.publish_notice(language, text, purposes=purpose, wider=wider)
    if as_json:
        say_json(row)
        return
    say(f"In force in {row['language']}: edition {row['edition']}.")
    say_line(row["version"])


@command(notice, "invalidate", "goldvein consent notice invalidate sha256:...")
@with_client
def invalidate_notice(
    client: Client,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Of a notice that is or was in force.")],
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say that consents to this text do not count (admins): these people choose again, or nothing is captured."""
    if not yes and not typer.confirm("Invalidate every consent to this text? There is no way back.", err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)
    answer = client.invalidate_notice(version)
    if as_json:
        say_json(answer)
        return
    say(f"People who have to choose again: {answer['people']}.")


def _language() -> str | None:
    """The language of this shell, such as `fr` for LANG=fr_FR.UTF-8."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    language = name.partition(".")[0].partition("@")[0].replace("_", "-")
    return language if language.partition("-")[0].isalpha() and language not in {"C", "POSIX"} else None


def _show_text(text: str, *, stderr: bool = False) -> None:
    out = console(stderr=stderr)
    out.print(Markdown(visible(text, lines=True), hyperlinks=False))
    out.print()


# One's own data


@command(data, "show", "goldvein data show")
@with_client
def show_data(client: Client, *, as_json: JsonOption = False) -> None:
    """Show everything that was captured from you, as it is stored."""
    found = client.get_data()
    if as_json:
        say_json(found)
        return
    for example in found["captured_examples"]:
        say_line(example["id"], style="bold")
        say_facts(
            {
                "Status": example["status"],
                "When (UTC)": example["created_at"][:16].replace("T", " "),
                "Input": example["example_input"],
                "Output": example["example_output"],
                "Expected": example["expected_output"],
            }
        )
        say()
    erased = sum(example["example_input"] is None for example in found["captured_examples"])
    held = count_of(len(found["captured_examples"]) - erased, "example")
    say(f"{held} captured from you{f', and {erased} erased, of whose text nothing is left' if erased else ''}.")


@command(data, "erase", "goldvein data erase", "goldvein data erase --example ID --yes")
@with_client
def erase_data(
    client: Client,
    example: Annotated[str | None, typer.Option(metavar="ID", help="Only this example.")] = None,
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Erase what was captured from you. This does not withdraw your consent: see `goldvein consent withdraw`."""
    what = "everything that was captured from you" if example is None else "this example"
    if not yes and not typer.confirm(f"Erase {what}? There is no way back.", err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)
    answer = client.erase_data(example)
    if as_json:
        say_json(answer)
        return
    say(f"{count_of(answer['erased_examples'], 'example')} erased.")
    if answer["training_data_consent"]:
        say("Your consent still stands: later uses may be captured. `goldvein consent withdraw` ends that.")


@command(data, "report-leak", "goldvein data report-leak ID")
@with_client
def report_leak(
    client: Client,
    example: Annotated[str, typer.Argument(metavar="ID", help="The example; yours, or of a skill you author.")],
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Erase an example that still holds a secret or somebody's data, with its copies, and tell the admins."""
    if not yes and not typer.confirm("Erase this example and its copies? There is no way back.", err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)
    answer = client.report_leak(example)
    if as_json:
        say_json(answer)
        return
    say(f"{count_of(answer['erased_examples'], 'example')} erased. Your admins see that a leak was reported, not what.")


@command(data, "delete-account", "goldvein data delete-account --confirm bob@acme.example")
@with_client
def delete_account(
    client: Client,
    confirm: Annotated[str, typer.Option(metavar="EMAIL", help="The address of your account.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Delete your account in this organisation: everything captured from you, your feedback, your keys, your name."""
    answer = client.delete_account(confirm)
    if as_json:
        say_json(answer)
        return
    say(
        f"Your account is deleted; {count_of(answer['erased_examples'], 'example')} erased."
        " `goldvein logout` forgets the key."
    )


# Keys


@command(keys, "list", "goldvein key list")
@with_client
def list_keys(client: Client, *, as_json: JsonOption = False) -> None:
    """List your keys, without their secrets."""
    found = client.list_keys()
    if as_json:
        say_json(found)
        return
    for key in found:
        state = "revoked" if key["revoked_at"] else f"until {key['expires_at'][:10]}" if key["expires_at"] else "live"
        say_line(f"{key['id']}  {state}", style="" if state != "revoked" else "dim")
        say_facts({"  name": key["name"], "  scopes": ", ".join(key["scopes"]), "  made": key["created_at"][:10]})


@command(
    keys,
    "create",
    "goldvein key create laptop --scope track --scope me",
    "goldvein key create ci --service --scope track",
)
@with_client
def create_key(
    client: Client,
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help="track, read, review, export, me, admin; may be repeated.")
    ],
    *,
    service: Annotated[bool, typer.Option("--service", help="A key of no person (admins only; scope track).")] = False,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="End of the key, as 2027-01-31T00:00:00Z.")
    ] = None,
    signed: Annotated[bool, typer.Option("--signed", help="Requests with it must be signed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key for yourself. Its secret is printed this once; keep it where only you can read it."""
    made = client.create_key(
        name,
        scope,
        kind="service" if service else "personal",
        expires_at=expires,
        requires_signature=signed,
    )
    _show_new_key(made, as_json=as_json)


@command(keys, "rotate", "goldvein key rotate ID")
@with_client
def rotate_key(client: Client, key_id: KeyIdArgument, *, as_json: JsonOption = False) -> None:
    """Replace a key of yours by a new one; the old one works for 24 hours more."""
    _show_new_key(client.rotate_key(key_id), as_json=as_json)


@command(keys, "revoke", "goldvein key revoke ID")
@with_client
def revoke_key(client: Client, key_id: KeyIdArgument) -> None:
    """End a key of yours at once."""
    say(f"{client.revoke_key(key_id)['name']} is revoked.")


def _show_new_key(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(made)
        return
    say(f"Made {made['name']} ({made['id']}). Its secret is shown this once:")
    say_line(made["api_key"], style="bold")
    if made["signing_secret"]:
        say("The secret to sign requests with:")
        say_line(made["signing_secret"], style="bold")
