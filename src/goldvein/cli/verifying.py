"""`goldvein verify`: checking what a server says about itself. With a file it needs no server and no settings."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from goldvein.cli.connection import JsonOption, KeyFileOption, UrlOption, connect
from goldvein.cli.groups import command, group
from goldvein.terminal import complain, say, say_json, warn
from goldvein.verify.documents import Checkpoint, check_ledger, check_receipt, public_keys, read_checkpoint
from goldvein.verify.envelope import DoesNotFit, PublicKeys
from goldvein.verify.export import Export, check_export, rows_among
from goldvein_client import Client

PublicKeyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HEX",
        help="A public key of the server as you know it, in hexadecimal digits; may be repeated"
        " (default: those that came with the document).",
    ),
]

verify = group(
    "Check a ledger, a receipt or an export, without trusting the server that made it.",
    "goldvein verify receipt receipt.json",
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(verify, name="verify", rich_help_panel="For everybody")


@command(verify, "receipt", "goldvein verify receipt receipt.json")
def verify_receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt, as `consent receipt` wrote it.")],
    public_key: PublicKeyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check that a receipt was signed, and that its choice stands in the ledger that was signed with it."""
    try:
        document = _read_json(file.read_text(encoding="utf-8"))
        receipt = check_receipt(document.get("receipt"), _keys(document, public_key))
    except DoesNotFit as misfit:
        raise _refused(misfit) from None
    event = receipt.record["events"][0]
    facts = {"record_id": receipt.record["record_id"], "seq": receipt.seq, "key_id": receipt.key_id}
    if as_json:
        say_json({"ok": True, **facts, "event_state": event["event_state"], "event_time": event["event_time"]})
        return
    say(f"This receipt holds: {event['event_state']} at {event['event_time']}.")
    if receipt.checkpoint is None:
        say("The choice is older than the ledger: it is signed, no more.")
    else:
        signed = receipt.checkpoint
        say(f"It is entry {receipt.seq} of the {signed.size} in the ledger as it was signed at {signed.at}.")
    _say_key(receipt.key_id, public_key)


@command(
    verify,
    "ledger",
    "goldvein verify ledger --save ledger.jsonl",
    "goldvein verify ledger ledger.jsonl --since earlier.jsonl",
)
def verify_ledger(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A ledger, as --save wrote it (default: that of your server, as admin)."),
    ] = None,
    *,
    since: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A checkpoint or ledger that you kept: the ledger must begin with it."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what was read, for later and for others.")
    ] = None,
    public_key: PublicKeyOption = None,
    url: UrlOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check entry by entry that a ledger is what its checkpoint was signed over; the first misfit is named."""
    try:
        if file is None and save is not None:
            _save(save, url, key_file)
            file = save
        if file is not None:
            with file.open(encoding="utf-8") as lines:
                checkpoint = _checked(lines, since, public_key)
        else:
            with connect(url, key_file) as client:
                checkpoint = _checked(_lines_of(client), since, public_key)
    except DoesNotFit as misfit:
        raise _refused(misfit) from None
    if as_json:
        facts = {"entries": checkpoint.size, "root": checkpoint.root.hex(), "at": checkpoint.at}
        say_json({"ok": True, "tenant_id": checkpoint.tenant_id, **facts, "key_id": checkpoint.key_id})
        return
    say(f"All {checkpoint.size} entries fit the checkpoint of {checkpoint.at}.")
    _say_key(checkpoint.key_id, public_key)


@command(
    verify,
    "export",
    "goldvein verify export release-notes-3",
    "goldvein verify export release-notes-3 --withdrawn ids.txt --prune release-notes-3-pruned",
)
def verify_export(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="An export, unpacked if it came as a zip."),
    ],
    *,
    withdrawn: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ids of examples that have been withdrawn since, one a line.",
        ),
    ] = None,
    prune: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a copy without the withdrawn rows here (needs --withdrawn)."),
    ] = None,
    public_key: PublicKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that every file of an export is untouched; with a list, whether rows in it have been withdrawn since.

    It ends with 1 when a file is missing or altered, the signature does not hold, or withdrawn rows are in it and no
    copy without them was asked for.
    """
    if prune is not None and withdrawn is None:
        raise typer.BadParameter("it needs --withdrawn", param_hint="--prune")
    try:
        export = check_export(folder, public_keys(dict(enumerate(public_key or []))))
    except DoesNotFit as misfit:
        raise _refused(misfit) from None
    gone = _listed(withdrawn) if withdrawn is not None else frozenset()
    found = rows_among(folder, gone) if gone else []
    if prune is not None:
        from goldvein.datasets.exports.pruning import prune as write_without  # noqa: PLC0415 (only copies need formats)

        write_without(folder, prune, gone)
    if as_json:
        facts = {"sha256": export.digest, "key_id": export.key_id, "files": len(export.manifest["files"])}
        added = list(export.added)
        ok = not found or prune is not None
        say_json({"ok": ok, **facts, "added": added, "withdrawn": found, "pruned": str(prune) if prune else None})
    else:
        _say_export(export, found, prune)
    if found and prune is None:
        raise typer.Exit(1)


def _say_export(export: Export, found: list[str], pruned: Path | None) -> None:
    say(f"All {len(export.manifest['files'])} files are as the manifest says; its sha256 is {export.digest}.")
    if export.key_id is not None:
        say(f"The manifest is signed with the key {export.key_id}.")
    elif export.signed:
        warn("The signature was not checked: name the server's key with --public-key.")
    for name in export.added:
        warn(f"Not part of the export: {name}")
    if found:
        warn(f"Withdrawn since: {len(found)} rows ({', '.join(found[:3])}{', ...' if len(found) > 3 else ''}).")  # noqa: PLR2004 (a few)
    if pruned is not None:
        say(f"{pruned} is a copy without them; it is not signed.")


def _listed(file: Path) -> frozenset[str]:
    return frozenset(filter(None, map(str.strip, file.read_text(encoding="utf-8").splitlines())))


def _checked(lines: Iterable[str], since: Path | None, public_key: list[str] | None) -> Checkpoint:
    """The first line is the signed part, the others are the entries."""
    documents = map(_read_json, lines)
    signed = next(documents, {})
    keys = _keys(signed, public_key)
    checkpoint = read_checkpoint(signed.get("checkpoint"), keys)
    earlier = None
    if since is not None:
        kept = _signed_part(since)
        earlier = read_checkpoint(kept.get("checkpoint"), keys)
    check_ledger(documents, checkpoint, earlier=earlier)
    return checkpoint


def _save(file: Path, url: str | None, key_file: Path | None) -> None:
    """Keep all of it, readable by its owner only, before anything of it is judged: what does not fit is evidence."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as kept, connect(url, key_file) as client:
        kept.writelines(_lines_of(client))


def _lines_of(client: Client) -> Iterator[str]:
    """The checkpoint and the entries it was signed over, a line each."""
    signed = client.get_checkpoint()
    yield json.dumps(signed) + "\n"
    # The size is not believed, only used to leave out what has been appended since.
    said = read_checkpoint(signed.get("checkpoint"), public_keys(signed.get("public_keys") or {}))
    for entry in client.list_ledger(said.size):
        yield json.dumps(entry) + "\n"


def _signed_part(file: Path) -> dict[str, Any]:
    """The signed part of a saved ledger; a checkpoint as the server answers it is only that."""
    with file.open(encoding="utf-8") as lines:
        return _read_json(next(lines, ""))


def _read_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DoesNotFit("the file does not hold what goldvein writes")
    return found


def _keys(document: Mapping[str, Any], pinned: list[str] | None) -> PublicKeys:
    """The key that the caller knows, or those that came with the document."""
    return public_keys(dict(enumerate(pinned)) if pinned else document.get("public_keys") or {})


def _say_key(key_id: str, pinned: list[str] | None) -> None:
    if not pinned:
        warn(f"Signed with the key {key_id}, which came with it: compare it with /api/ledger/keys of the server.")


def _refused(misfit: DoesNotFit) -> typer.Exit:
    complain("does_not_fit", f"{misfit}.")
    return typer.Exit(1)
