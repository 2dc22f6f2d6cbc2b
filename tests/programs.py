"""Running goldvein as a program: what the tests of the command line and of the demo share."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOLDVEIN = str(Path(sys.executable).with_name("goldvein"))
START_SECONDS = 60
STOP_SECONDS = 30


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """An environment without anything of this machine's user: home, configuration and data lie in the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GOLDVEIN_", "XDG_"))}
    own = {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "share"),
        "COLUMNS": "80",
    }
    return kept | own | variables


def run(
    *arguments: str, env: dict[str, str], stdin: bytes | str = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run one command to its end."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run(  # noqa: S603 (our own program)
        [GOLDVEIN, *arguments], env=env, input=given, capture_output=True, timeout=60, check=False, cwd=cwd
    )


@dataclass
class Program:
    """A goldvein that runs until it is stopped."""

    process: "subprocess.Popen[bytes]"

    def line(self, *, seconds: float = START_SECONDS) -> str:
        """The next line it prints; fails when it ends or stays silent instead."""
        assert self.process.stdout is not None
        descriptor, text, deadline = self.process.stdout.fileno(), b"", time.monotonic() + seconds
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(descriptor, 1) if ready else b""
            if not piece:
                raise AssertionError(f"no line, but {text!r}")
            text += piece
        return text.decode().rstrip("\n")

    def stop(self, number: int = signal.SIGINT) -> tuple[int, bytes, bytes]:
        """Send a signal to this one process; returns its exit code and what it still printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=STOP_SECONDS)
        return self.process.returncode, out, err


@contextlib.contextmanager
def running(*arguments: str, env: dict[str, str], cwd: Path | None = None) -> Iterator[Program]:
    """Start a program; whatever happens, it is gone afterwards."""
    process = subprocess.Popen(  # noqa: S603 (our own program)
        [GOLDVEIN, *arguments],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    try:
        yield Program(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@dataclass(frozen=True)
class Demo:
    """A running demo, as its one line of JSON describes it."""

    facts: dict[str, Any]
    program: Program

    @property
    def url(self) -> str:
        url: str = self.facts["base_url"]
        return url

    def key(self, name: str) -> str:
        key: str = self.facts["people"][name]["api_key"]
        return key


@contextlib.contextmanager
def running_demo(env: dict[str, str]) -> Iterator[Demo]:
    """The demo on a free port."""
    with running("demo", "--json", "--port", "0", env=env) as program:
        yield Demo(facts=json.loads(program.line()), program=program)
