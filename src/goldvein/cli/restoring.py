"""What the operator's commands about backups do."""

from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from goldvein import settings as all_settings
from goldvein.backup import service
from goldvein.cli.store import open_store
from goldvein.me.replaying import Replayed
from goldvein.server import telling_store_errors
from goldvein.terminal import console, say, say_line, warn


def back_up(target: Path) -> None:
    """Copy the store and the server's key into one file."""
    shown_on = console(stderr=True)
    with (
        open_store() as runtime,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            console=shown_on,
            transient=True,
            disable=not shown_on.is_terminal,
        ) as progress,
    ):
        task = progress.add_task("Copying the store", total=None)
        service.back_up(runtime, target, lambda done, total: progress.update(task, completed=done, total=total))
        journal = runtime.settings.journal_path
    say(f"{target} holds the store and the server's key ({target.stat().st_size:,} bytes, readable by you only).")
    say("A restore also needs the journal of withdrawals:")
    say_line(str(journal))


def restore(source: Path | None, *, journals: Sequence[Path], without_journal: bool, replace_store: bool) -> None:
    """Restore a backup, or decide about one that was restored without its journal."""
    if source is None:
        with open_store() as runtime:
            replayed = service.decide(runtime, journals=journals, without_journal=without_journal)
        _say_replayed(replayed)
        say("Capture and export are as their organisations and people chose.")
        return
    settings = all_settings.load()
    with telling_store_errors():
        restored = service.restore(
            settings, source, journals=journals, without_journal=without_journal, replace_store=replace_store
        )
    say(f"Restored the store as it was at {restored.made_at}.")
    _say_replayed(restored.replayed)
    if restored.is_held:
        warn(
            "the journal of this store was not there, or not whole: what was withdrawn since may be in the store again."
            " Capture and export are off. Hand it over with `goldvein restore --journal FILE`, or say"
            " `goldvein restore --without-journal`."
        )


def _say_replayed(replayed: Replayed) -> None:
    say(f"Done again from the journal: {replayed.applied} withdrawals, erasures and switch-offs.")
    if replayed.strangers:
        say(f"{replayed.strangers} entries are of organisations that the store does not have.")
