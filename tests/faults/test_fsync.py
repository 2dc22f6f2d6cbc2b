"""Acknowledged means synced: what strace sees of the processes that store. `make faults-fsync` runs it.

A tier of its own, because strace is not everywhere; asked for, it fails where strace is missing.
"""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.arena import Arena, Run
from faults.databases import postgres
from faults.load import Event, new_events, send
from faults.server import Server

pytestmark = pytest.mark.fsync

# A whole line, or the end of a call that another thread's line had cut in two: there the time is that of the end.
_SYNC = re.compile(
    r"^\d+ +(?P<at>[\d.]+) (?P<cut><\.\.\. )?f(?:data)?sync(?:\(\d+<(?P<file>[^>]*)>\)| resumed>\)) += 0 <(?P<took>[\d.]+)>",
    re.MULTILINE,
)


def test_every_acknowledgement_comes_after_a_sync_of_its_own(arena: Arena, store: str) -> None:
    with arena.run(store, seed=1, turn=0) as run:
        server = run.serve()
        send(server, new_events(run, 3))
        with traced(run, server) as output:
            told = [_time_of(server, [event]) for event in new_events(run, 20)]
            told += [_time_of(server, new_events(run, 10, senders=("bob",))) for _ in range(3)]
        assert all(event.acknowledged for event in run.events)
        synced = _ends_of_syncs(output)
        unsynced = [answer for answer in told if not any(answer[0] <= end <= answer[1] for end in synced)]
        assert unsynced == [], f"{len(unsynced)} of {len(told)} answers without a sync; syncs: {len(synced)}"


def _time_of(server: Server, events: list[Event]) -> tuple[float, float]:
    """When a request was sent and when its answer had come; several events are one batch."""
    began = time.time()
    send(server, events if len(events) == 1 else [events], connections=1)
    return began, time.time()


@contextmanager
def traced(run: Run, server: Server) -> Iterator[Path]:
    """Have strace write down when a file of the store was synced: by the server, or by the database's processes."""
    strace = shutil.which("strace")
    assert strace is not None, "this test needs strace (Debian: apt-get install strace)"
    folder = run.folder / "traced"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    for above in (run.folder, run.arena.folder):
        above.chmod(0o755)
    output, errors = folder / "calls", folder / "errors"
    pids = [server.pid] if run.is_sqlite else postgres(run).processes()
    user = None if run.is_sqlite else postgres(run).server.system_user
    attach = [part for pid in pids for part in ("-p", str(pid))]
    command = [strace, "-f", "-y", "-ttt", "-T", "-e", "trace=fsync,fdatasync", "-o", str(output), *attach]
    with errors.open("wb") as written:
        process = subprocess.Popen(command, stderr=written, user=user)
        try:
            _wait_until(lambda: errors.read_text().count("attached") >= len(pids), errors)
            yield output
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def _wait_until(holds: Callable[[], bool], errors: Path) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, errors.read_text()
        time.sleep(0.01)


def _ends_of_syncs(output: Path) -> list[float]:
    return [
        float(found["at"]) + (0 if found["cut"] else float(found["took"]))
        for found in _SYNC.finditer(output.read_text())
        if found["cut"] or "goldvein.db" in found["file"] or "pg_wal" in found["file"]
    ]
