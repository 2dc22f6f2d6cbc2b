"""Servers as operators start them, each a process on a free port of 127.0.0.1."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.capture.stores import Store
from benchmarks.page import ROOT

REAL: Sequence[str] = (str(Path(sys.executable).with_name("goldvein")), "serve")
NULL_SINK: Sequence[str] = (sys.executable, "-m", "benchmarks.capture.null_sink")
ONE_COMMIT: Sequence[str] = (sys.executable, "-m", "benchmarks.capture.one_commit")

START_SECONDS = 60
STOP_SECONDS = 60
_POLL_SECONDS = 0.002


class DidNotStart(Exception):
    """The server ended, or did not answer in time; the message is what it said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A running server. `start_seconds` is from the start of its process to its first answer."""

    pid: int
    port: int
    start_seconds: float

    def resident_bytes(self) -> int | None:
        """The memory it holds, with its own children; None where the system does not tell."""
        return _resident_bytes(self.pid)

    def cpu_seconds(self) -> float | None:
        """What it has computed so far, without PostgreSQL's own processes; None where the system does not tell."""
        return _cpu_seconds(self.pid)


def _cpu_seconds(pid: int) -> float | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    user, system, of_children_user, of_children_system = stat.rpartition(")")[2].split()[11:15]
    ticks = sum(map(int, (user, system, of_children_user, of_children_system)))
    return ticks / os.sysconf("SC_CLK_TCK") + sum(_cpu_seconds(child) or 0.0 for child in _children(pid))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _resident_bytes(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    kibibytes = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    return 1024 * kibibytes + sum(_resident_bytes(child) or 0 for child in _children(pid))


def cores() -> tuple[int | None, int | None]:
    """A core for the server and another for the generator; None and None where they cannot be had."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


@contextmanager
def serving(store: Store, *, core: int | None, program: Sequence[str] = REAL) -> Iterator[Server]:
    """Run a server on a store; it has ended when the block has. PostgreSQL itself is not tied to a core."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    complaints = store.data_dir / "stderr.txt"
    with complaints.open("ab") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(
            program,
            env=store.environment(port),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            _wait_for_answer(process, port, complaints)
            yield Server(pid=process.pid, port=port, start_seconds=time.perf_counter() - began)
        finally:
            _stop(process)


def _wait_for_answer(process: "subprocess.Popen[bytes]", port: int, complaints: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if ask(port, "GET", "/healthz")[0] == http.client.OK:
                return
        except OSError:
            time.sleep(_POLL_SECONDS)
    raise DidNotStart(complaints.read_text(encoding="utf-8", errors="replace")[-2000:] or "no word from the server")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ask(port: int, method: str, path: str, *, key: str = "", body: str = "") -> tuple[int, bytes]:
    """One request of the benchmark itself, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if key else {}
    try:
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
