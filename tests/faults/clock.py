"""A clock that the harness can move: seconds to add, read from a file at each look."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from goldvein.identity.access import Runtime
from goldvein.settings import Settings


def follow(path: str) -> None:
    """Make the program that is about to start in this process read its time through the file.

    The runtime's own seam takes the time of events, consent and keys; ids are made from `time.time_ns`.
    """
    original, real = Runtime.open, time.time_ns

    def offset() -> float:
        return float(Path(path).read_text(encoding="utf-8") or 0)

    def opened(settings: Settings) -> Runtime:
        runtime = original(settings)
        runtime.now = lambda: datetime.now(UTC) + timedelta(seconds=offset())
        return runtime

    Runtime.open = staticmethod(opened)  # type: ignore[method-assign]
    time.time_ns = lambda: real() + int(offset() * 1e9)
