"""Named places at which the fault tests end the process, break what it does or hold it up.

`GOLDVEIN_FAILPOINT=NAME[:N[:ACTION]]` acts when the place is reached for the N-th time (1 if left out): `kill` ends the
process as a power cut would (the default), `raise` raises an error, `hold` waits for a moment. Nothing else looks here:
without the variable a place costs one comparison. The settings refuse it for a server that others can reach.
"""

import os
import signal
import time
from dataclasses import dataclass
from typing import Final

from goldvein.errors import NotConfigured

HOLD_SECONDS: Final = 0.7
ACTIONS: Final = ("kill", "raise", "hold")
PLACES: Final = (
    "track.decoded",  # a use has been read from a request
    "track.sanitized",  # its texts are clean, in memory
    "track.queueing",  # the writer is about to get it
    "writer.taken",  # the writer has taken a batch and not begun
    "writer.begun",  # the transaction is open
    "writer.statement",  # before each statement: reads for duplicates and consent, events, known events, examples
    "writer.committing",  # every row is in the transaction
    "writer.committed",  # the rows are on disk and nobody knows
    "writer.answering",  # counted, not answered
    "track.answering",  # the answer is about to be sent
    "session.committing",  # any other change, before its commit
    "session.committed",
    "withdrawal.appended",  # the no is in the transaction
    "withdrawal.erased",  # and so is the erasure
    "withdrawal.clearing",  # both are on disk, the log still holds the texts
    "freeze.planned",  # what a version would hold has been read; nothing is written
    "freeze.written",  # after each piece of a draft
    "freeze.publishing",  # the draft is complete, the transaction that publishes it has not begun
    "revision.publishing",  # what a removal left has been read
    "journal.writing",  # a no is on disk, its line is not in the journal
    "journal.written",  # it is, and the store does not know
    "job.claimed",  # a worker has taken a job and not begun
    "job.step",  # a step of it is on disk
    "job.finishing",  # all of them are, and the job still counts as running
    "migration.step",  # after each migration, in the transaction
    "migration.committing",
)


class FailpointReached(Exception):
    """The place that the fault test named has been reached."""


@dataclass(slots=True)
class _Armed:
    place: str
    left: int
    action: str


_armed: _Armed | None = None


def parse(text: str) -> tuple[str, int, str]:
    """The place, the count and the action; raises NotConfigured for what is none."""
    place, _, rest = text.partition(":")
    count, _, action = rest.partition(":")
    count, action = count or "1", action or "kill"
    if place not in PLACES or not (count.isascii() and count.isdigit() and int(count) > 0) or action not in ACTIONS:
        raise NotConfigured(what="GOLDVEIN_FAILPOINT: NAME[:N[:kill, raise or hold]], see src/goldvein/failpoints.py")
    return place, int(count), action


def arm(text: str, *, is_local: bool) -> None:
    """Arm the place that the text names, once; an empty text disarms. Refused where others reach the process."""
    global _armed  # noqa: PLW0603 (one for the process, as the end of the process is)
    _armed = None
    if text and not is_local:
        raise NotConfigured(what="GOLDVEIN_FAILPOINT: for tests, only on 127.0.0.1 and without a public URL")
    if text:
        place, count, action = parse(text)
        _armed = _Armed(place, count, action)


def reach(place: str) -> None:
    """Say that this place has been reached."""
    if _armed is not None and _armed.place == place:
        _count_down(_armed)


def _count_down(armed: _Armed) -> None:
    armed.left -= 1
    if armed.left != 0:
        return
    if armed.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if armed.action == "raise":
        raise FailpointReached
    time.sleep(HOLD_SECONDS)
