"""What must hold after any fault. Everything here looks from outside: HTTP answers, rows, files."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from faults.arena import Run
from faults.load import Event, new_events, send
from faults.server import Server
from faults.stores import Contents, holding

RECOVERY_SECONDS = 30.0
MEMORY_MEBIBYTES = 400.0  # an idle server has 120, its queue may hold 64


@dataclass
class Findings:
    """What is wrong after a run; empty lists are what is wanted."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
    unsanitized: list[str] = field(default_factory=list)
    against_consent: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def all(self) -> dict[str, list[str]]:
        """The kinds of which there is something."""
        return {name: found for name, found in vars(self).items() if found}


def recover(run: Run, server: Server, *, began: float | None = None) -> None:
    """From the end of the fault on: how long until a use is taken again, with nobody's help."""
    began = time.monotonic() if began is None else began
    (event,) = new_events(run, 1, senders=("nothing",))
    while True:
        send(server, [event], connections=1, seconds=RECOVERY_SECONDS)
        if event.acknowledged:
            break
        if time.monotonic() - began > RECOVERY_SECONDS:
            run.notes.append(f"did not recover: {event.told[-1]}")
            break
        time.sleep(0.02)
    run.recovery_seconds.append(time.monotonic() - began)


def check(run: Run, server: Server, *, sole_writer: bool = True, whole_counters: bool = True) -> Findings:
    """Look at a run whose fault is over.

    1. What was acknowledged is stored, before anything is sent again. 2. Everything is sent again: what was
    acknowledged is a duplicate of itself, the rest resolves; each event has one row. 3. Sums: rows, examples,
    measurements and counters agree; the counters only where no process that shares them was killed. 4. Nothing raw on
    any disk. 5. No text without consent. 6. Memory.
    """
    found = Findings(other=list(run.notes))
    _need_acknowledged(run, run.store.contents(), found)
    _send_again(run, server, found)
    contents = run.store.contents()
    _need_acknowledged(run, contents, found)
    _need_one_row_each(run, contents, found)
    _need_sums(contents, found)
    if whole_counters:
        _need_counters(server, contents, found, sole_writer=sole_writer)
    _need_clean_disk(run, found)
    _need_consent(run, contents, found)
    run.peak_mebibytes = max(run.peak_mebibytes, server.peak_mebibytes())
    if run.peak_mebibytes > MEMORY_MEBIBYTES:
        found.other.append(f"{run.peak_mebibytes:.0f} MiB of memory")
    return found


def _need_acknowledged(run: Run, contents: Contents, found: Findings) -> None:
    with_example = {example.event_id for example in contents.examples}
    for event in run.events:
        for told in event.acknowledged:
            if told.stored_id not in contents.captures:
                found.lost.append(f"{event.body['event_id']}: {told}")
            elif told.capture == "captured" and told.stored_id not in with_example:
                found.lost.append(f"example of {event.body['event_id']}: {told}")
            elif told.capture != contents.captures[told.stored_id]:
                found.sums.append(f"told {told}, stored as {contents.captures[told.stored_id]}")


def _send_again(run: Run, server: Server, found: Findings) -> None:
    before = {id(event): list(event.acknowledged) for event in run.events}
    _send_until_taken(server, run.events)
    for event in run.events:
        if not event.acknowledged:
            found.other.append(f"never taken: {event.body['event_id']} {event.told[-1]}")
        elif before[id(event)] and event.told[-1].outcome != "duplicate":
            found.doubled.append(f"acknowledged, and again {event.told[-1]}")
        if len({(told.stored_id, told.capture, told.reason) for told in event.acknowledged}) > 1:
            found.doubled.append(f"{event.body['event_id']} was told {event.acknowledged}")
        firsts = [told for told in event.told if told.outcome == "stored"]
        if len(firsts) > 1:
            found.doubled.append(f"{event.body['event_id']} was stored {len(firsts)} times")


def _send_until_taken(server: Server, events: list[Event]) -> None:
    """A client that got 503 sends again; a server that is well takes it within a few tries."""
    waiting = events
    for _ in range(5):
        send(server, list(waiting))
        waiting = [event for event in waiting if event.told[-1].status in {None, 503}]
        if not waiting:
            return
        time.sleep(0.2)


def _need_one_row_each(run: Run, contents: Contents, found: Findings) -> None:
    ids = {told.stored_id for event in run.events for told in event.acknowledged}
    if len(contents.captures) != len(run.events) or ids != contents.captures.keys():
        found.doubled.append(f"{len(run.events)} events, {len(contents.captures)} rows")
    twice = [example for example, count in Counter(e.event_id for e in contents.examples).items() if count > 1]
    found.doubled.extend(f"two examples of {example}" for example in twice)


def _need_sums(contents: Contents, found: Findings) -> None:
    """Law 4 in the store."""
    captured = {event_id for event_id, outcome in contents.captures.items() if outcome == "captured"}
    if captured != {example.event_id for example in contents.examples}:
        found.sums.append("uses stored as captured are not those with an example")
    if contents.measured != contents.captures.keys():
        found.sums.append("a use without its measurement, or the other way round")


def _need_counters(server: Server, contents: Contents, found: Findings, *, sole_writer: bool) -> None:
    """Law 4 in the counters of the server that is there now."""
    metrics = server.metrics()
    received = metrics.get(("goldvein_events_received_total", ""), 0)
    outcomes = {o: v for (name, o), v in metrics.items() if name == "goldvein_events_total"}
    captures = sum(value for (name, _), value in metrics.items() if name == "goldvein_captures_total")
    if received != sum(outcomes.values()) or outcomes.get("stored", 0) != captures:
        found.sums.append(f"received {received}, outcomes {outcomes}, captures {captures}")
    new = len(contents.captures) - server.rows_before
    if sole_writer and outcomes.get("stored", 0) != new:
        found.sums.append(f"{outcomes.get('stored', 0)} counted as stored, {new} rows are new")


def _need_clean_disk(run: Run, found: Findings) -> None:
    files = {*run.store.files(), *(path for path in run.folder.rglob("*") if path.is_file())}
    found.unsanitized.extend(holding(files, run.mark + ".", "ghp_" + run.mark))
    never = [f"said by {name}{run.mark}" for name in ("erin", "service")]
    found.against_consent.extend(f"text of nobody's consent in {name}" for name in holding(files, *never))


def _need_consent(run: Run, contents: Contents, found: Findings) -> None:
    for example in contents.examples:
        if example.person_id in run.withdrawn and (example.texts or example.status != "withdrawn"):
            found.against_consent.append(f"text of {example.event_id} after the withdrawal")
        if any(run.mark + "." in text for text in example.texts):
            found.unsanitized.append(f"example of {example.event_id}")
    allowed = {_hex(run, "bob")}
    found.against_consent.extend(
        f"captured from {example.person_id}" for example in contents.examples if example.person_id not in allowed
    )


def _hex(run: Run, name: str) -> str:
    return run.people[name].person_id.replace("-", "")


def log_of(run: Run) -> str:
    """What the servers of a run logged, for a failing test's output."""
    return "\n".join(path.read_text()[-3000:] for path in sorted(Path(run.folder).glob("*.err")))
