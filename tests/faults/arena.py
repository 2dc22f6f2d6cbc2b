"""Where faults happen: seeded stores to copy, a PostgreSQL cluster to hurt, and programs started in milliseconds."""

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conftest import SERVER_KEY, Someone, Templates
from programs import environment

from faults.load import Event
from faults.server import Server
from faults.stores import Store, open_store

TESTS = Path(__file__).parent.parent
_numbers = itertools.count()


class Forker:
    """The process that forks goldvein's programs."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.forker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
        )

    def start(self, *arguments: str, env: dict[str, str], out: Path, err: Path, clock: str = "") -> int:
        """Start a program; returns its process id."""
        return self._order(arguments=arguments, env=env, out=str(out), err=str(err), clock=clock)

    def exit_code(self, pid: int) -> int:
        """Wait for the end of a program; a negative code is the signal that ended it."""
        return self._order(wait=pid)

    def _order(self, **order: Any) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it, and with it what it started."""
        self._process.communicate()


class Run:
    """One run of one fault: a fresh store, the servers on it, and the events that were sent to them."""

    def __init__(self, arena: "Arena", kind: str, seed: int, turn: int, folder: Path) -> None:
        self.arena = arena
        self.kind = kind
        self.seed = seed
        self.turn = turn
        self.random = random.Random(seed)
        self.folder = folder
        self.began = time.time()
        self.mark = _letters(time.time_ns() ^ next(_numbers))
        world, self.url, self.owner_url = arena.templates.copy(kind, folder)
        self.people: dict[str, Someone] = world.people
        self.service_key = world.service_key
        self.store: Store = open_store(arena.templates, self.url, self.owner_url, folder)
        self.events: list[Event] = []
        self.numbers = itertools.count()
        self.servers: list[Server] = []
        self.recovery_seconds: list[float] = []
        self.peak_mebibytes = 0.0
        self.withdrawn: set[str] = set()
        self.notes: list[str] = []

    @property
    def is_sqlite(self) -> bool:
        return self.kind == "sqlite"

    def environment(self, **settings: object) -> dict[str, str]:
        """Where a program of this run finds everything; what it may write is in the run's own folder."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        chosen = {f"GOLDVEIN_{name.upper()}": str(value) for name, value in settings.items() if value != ""}
        return environment(
            self.folder,
            TMPDIR=str(temporary),
            **{
                "GOLDVEIN_DATA_DIR": str(self.folder),
                "GOLDVEIN_DATABASE_URL": self.url,
                "GOLDVEIN_SERVER_KEY": SERVER_KEY,
                "GOLDVEIN_TRACK_LIMIT_PER_MINUTE": "1000000",
                "GOLDVEIN_MAX_PENDING_PER_SKILL": "0",
                "GOLDVEIN_WORKER_IN_SERVE": "0",  # its transactions would be counted among those that a story kills
                "GOLDVEIN_MAX_CAPTURED_PER_PERSON_DAY": "0",
                **chosen,
            },
        )

    def serve(self, *, clock: Path | None = None, **settings: object) -> Server:
        """Start a server and wait until it listens."""
        server = self.start("serve", "--port", "0", clock=clock, **settings)
        server.wait_until_it_serves()
        return server

    def start(self, *arguments: str, clock: Path | None = None, **settings: object) -> Server:
        """Start any program of goldvein on the run's store."""
        name = f"{arguments[0]}{len(self.servers)}"
        server = Server(
            self.arena.forker,
            arguments,
            env=self.environment(**settings),
            out=self.folder / f"{name}.out",
            err=self.folder / f"{name}.err",
            clock="" if clock is None else str(clock),
            rows_before=self.store.count_events,
        )
        self.servers.append(server)
        return server

    def key(self, name: str) -> str:
        """The API key of a person; of nobody for `service`."""
        return self.service_key if name == "service" else self.people[name].api_key

    def close(self) -> None:
        """End what runs and remove what was stored."""
        for server in self.servers:
            server.kill()
        self.arena.templates.drop(self.owner_url)


class Arena:
    """Everything that many runs share; one for a process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="goldvein-faults-"))
        self.folder.chmod(0o755)
        (self.folder / "templates").mkdir()
        self.templates = Templates(self.folder / "templates", durable=True, now=datetime.now(UTC))
        self.forker = Forker()

    @contextmanager
    def run(self, kind: str, seed: int, turn: int) -> Iterator[Run]:
        """A run on a fresh store of this kind; its folder is removed afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        try:
            run = Run(self, kind, seed, turn, folder)
            try:
                yield run
            finally:
                run.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Stop everything and remove the folder."""
        self.forker.close()
        self.templates.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _letters(number: int) -> str:
    """A number as a word without digits: what looks like a secret would be taken out of the texts."""
    return "".join("bdfghklmnprstvwz"[int(digit, 16)] + "aeiou"[int(digit, 16) % 5] for digit in f"{number:x}"[-8:])
