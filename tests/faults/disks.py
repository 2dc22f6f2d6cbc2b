"""The disk is full, or may not be written."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from faults import stores
from faults.arena import Run
from faults.catalogue import fault
from faults.databases import postgres, sqlite
from faults.invariants import Findings, check, recover
from faults.load import Load, in_batches, new_events, send
from faults.server import Ended
from faults.stores import SqliteFile

_BITTEN = re.compile("File too large|was terminated by signal")


@fault("files that may not grow", in_every_suite=True, share=2)
def files_may_not_grow(run: Run) -> Findings:
    """The system refuses every write beyond a size, as it does when the disk is full; then there is room again.

    PostgreSQL cannot go on when its log cannot: it ends itself and recovers, and so must goldvein.
    """
    server = run.serve()
    send(server, in_batches(run, new_events(run, 10)))
    if run.is_sqlite:
        processes = [server.pid]
        size = sqlite(run).log.stat().st_size + run.random.randrange(0, 40_000)
    else:
        processes = postgres(run).backends()
        size = run.random.choice((8_192, 65_536))
    _limit_files(run, processes, str(size))
    send(server, in_batches(run, new_events(run, 40)))
    _limit_files(run, processes, "unlimited")
    if not run.is_sqlite and not _BITTEN.search(postgres(run).new_log_lines()):
        run.notes.append("the fault did not happen")
    if run.is_sqlite and all(told.status == 200 for event in run.events for told in event.told):
        run.notes.append("the fault did not happen")
    if run.is_sqlite and "commit_unknown" in server.err.read_text():
        run.notes.append("what certainly is not stored was looked for, with callers waiting")
    _need_refusals(run)
    recover(run, server)
    return check(run, server)


def _limit_files(run: Run, processes: list[int], size: str) -> None:
    """Limit how large a file these processes may make; as the user they belong to, or one may not."""
    user = None if run.is_sqlite else postgres(run).server.system_user
    for pid in processes:  # one that has ended meanwhile needs no limit
        command = ["prlimit", "--pid", str(pid), f"--fsize={size}:unlimited"]
        subprocess.run(command, check=False, capture_output=True, user=user)


def _need_refusals(run: Run) -> None:
    statuses = {told.status for event in run.events for told in event.told}
    if not statuses <= {200, 503}:
        run.notes.append(f"answers on a full disk: {statuses}")


@fault("disk full", stores=("sqlite",), needs_root=True, share=2)
def disk_full(run: Run) -> Findings:
    """A small disk of its own is filled to the last byte under load, then emptied."""
    with _small_disk(run) as filler:
        server = run.serve()
        send(server, new_events(run, 5))
        load = Load(server, in_batches(run, new_events(run, 40)))
        time.sleep(run.random.uniform(0.0, 0.05))
        filler.take_all()
        load.wait()
        send(server, new_events(run, 10))
        _need_refusals(run)
        filler.give_back()
        recover(run, server)
        found = check(run, server)
        server.kill()
        return found


class _Filler:
    """A file that takes what room there is."""

    def __init__(self, path: "os.PathLike[str]") -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def take_all(self) -> None:
        """Until the system says that there is no room, in pieces that leave nothing over."""
        for size in (65_536, 4_096, 512):
            with contextlib.suppress(OSError):
                while True:
                    os.write(self._descriptor, b"x" * size)

    def give_back(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


@contextmanager
def _small_disk(run: Run) -> Iterator[_Filler]:
    """Move the store to a disk of its own, a little larger than it."""
    folder = run.folder / "disk"
    store = sqlite(run)
    stores.mounted(folder, kibibytes=store.path.stat().st_size // 1024 + 6_000)
    try:
        shutil.move(store.path, folder / store.path.name)
        run.url = run.owner_url = f"sqlite:///{folder / store.path.name}"
        run.store = SqliteFile(folder / store.path.name)
        yield _Filler(folder / "filler")
    finally:
        for server in run.servers:
            server.kill()
        stores.unmounted(folder)


@fault("disk that may only be read", stores=("sqlite",), needs_root=True)
def read_only_disk(run: Run) -> Findings:
    """The server is started on a disk that was mounted for reading: it says so or answers 503; then it is mounted anew."""
    with _small_disk(run) as filler:
        filler.give_back()
        server = run.serve()
        send(server, new_events(run, 5))
        server.stop() if run.turn % 2 else server.kill()
        folder = sqlite(run).path.parent
        stores.remounted(folder, "ro")
        try:
            refused = run.serve()
            send(refused, new_events(run, 5))
            _need_refusals(run)
            refused.kill()
        except Ended as end:
            if "Traceback" in str(end):
                run.notes.append(f"on a disk for reading: {end}")
        stores.remounted(folder, "rw")
        server = run.serve()
        recover(run, server)
        found = check(run, server)
        server.kill()
        return found
