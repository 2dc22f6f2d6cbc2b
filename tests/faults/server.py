"""A running goldvein, as its operator and its clients see it."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

START_SECONDS = 30.0
ANSWER_SECONDS = 30.0
_SERVES = re.compile(rb"goldvein serves http://127\.0\.0\.1:(\d+)")
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ([-+.0-9e]+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')

Answer = tuple[int, Mapping[str, str], Any]


class Starter(Protocol):
    """What starts programs and waits for their end."""

    def start(self, *arguments: str, env: dict[str, str], out: Path, err: Path, clock: str = "") -> int: ...

    def exit_code(self, pid: int) -> int: ...


class Ended(Exception):
    """The program ended instead of doing what was asked of it."""


class Server:
    """One program, from its start to its end."""

    def __init__(
        self,
        starter: Starter,
        arguments: tuple[str, ...],
        *,
        env: dict[str, str],
        out: Path,
        err: Path,
        clock: str,
        rows_before: Callable[[], int],
    ) -> None:
        self._starter = starter
        self.out, self.err = out, err
        self.port = 0
        with contextlib.suppress(Exception):
            self.rows_before = rows_before()
        self.pid = starter.start(*arguments, env=env, out=out, err=err, clock=clock)
        self._descriptor = os.pidfd_open(self.pid)
        self.code: int | None = None

    def ended_within(self, seconds: float) -> bool:
        """Whether the program ends in this time; afterwards `code` says how."""
        if self.code is None and select.select([self._descriptor], [], [], seconds)[0]:
            self.code = self._starter.exit_code(self.pid)
            os.close(self._descriptor)
        return self.code is not None

    @property
    def is_alive(self) -> bool:
        return not self.ended_within(0)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.signal(signal.SIGKILL)
        self.ended_within(ANSWER_SECONDS)

    def stop(self) -> int | None:
        """Ask it to end; returns its exit code."""
        self.signal(signal.SIGTERM)
        self.ended_within(ANSWER_SECONDS)
        return self.code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this one process."""
        if self.is_alive:
            signal.pidfd_send_signal(self._descriptor, number)

    def wait_until_it_serves(self) -> None:
        """Wait for its first line; raises Ended when it gives up instead."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = _SERVES.search(self.out.read_bytes()) if self.out.exists() else None
            if found:
                self.port = int(found[1])
                return
            if self.ended_within(0.003):
                break
        raise Ended(f"{self.code} {self.err.read_text()[-2000:]}")

    def call(
        self,
        method: str,
        path: str,
        key: str = "",
        body: object = None,
        *,
        seconds: float = ANSWER_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
            connection.request(method, path, body=sent, headers=_headers(key) | dict(headers or {}))
            return read_answer(connection)
        finally:
            connection.close()

    def metrics(self) -> dict[tuple[str, str], float]:
        """Each counter by its name and the value of its label `outcome`, summed over the other labels."""
        text = self.call("GET", "/metrics")[2]
        found: dict[tuple[str, str], float] = {}
        for name, labels, value in _SAMPLE.findall(text):
            key = (name, dict(_LABEL.findall(labels)).get("outcome", ""))
            found[key] = found.get(key, 0.0) + float(value)
        return found

    def workers(self) -> list[int]:
        """The processes it has started to serve with it."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def peak_mebibytes(self) -> float:
        """The most memory it has had at once."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def read_answer(connection: http.client.HTTPConnection) -> Answer:
    """Status, headers and content of the answer to what was sent on a connection."""
    response = connection.getresponse()
    content = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    is_json = headers.get("content-type", "").startswith("application/json")
    return response.status, headers, json.loads(content) if is_json else content.decode()


def _headers(key: str) -> dict[str, str]:
    found = {"Content-Type": "application/json"}
    return found | {"Authorization": f"Bearer {key}"} if key else found
