"""Consent is withdrawn while uses are on their way."""

import time

from faults.arena import Run
from faults.catalogue import fault
from faults.invariants import Findings, check
from faults.load import Load, in_batches, new_events, send
from faults.server import Server
from faults.stores import holding

PLACES = (
    "writer.taken:1",
    "writer.begun:1",
    "writer.statement:3",
    "writer.committing:1",
    "writer.committed:1",
    "writer.answering:1",
)


def withdraw(run: Run, server: Server) -> None:
    """Bob says no; from the answer on nothing of his may be there."""
    status, _, answer = server.call("POST", "/api/me/consent", run.key("bob"), {"decision": "withdraw"})
    if status != 200:
        run.notes.append(f"the withdrawal was answered with {status} {answer}")
        return
    bob = run.people["bob"].person_id.replace("-", "")
    run.withdrawn.add(bob)
    left = [example for example in run.store.contents().examples if example.person_id == bob and example.texts]
    if left:
        run.notes.append(f"{len(left)} texts at the moment the withdrawal was answered")


@fault("withdrawal between reading and storing", in_every_suite=True)
def withdrawal_in_between(run: Run) -> Findings:
    """A sanitized use waits at one of the writer's steps while its person withdraws."""
    server = run.serve(failpoint=f"{PLACES[run.turn % len(PLACES)]}:hold")
    load = Load(server, new_events(run, 8, senders=("bob",)))
    time.sleep(run.random.uniform(0.05, 0.3))
    withdraw(run, server)
    load.wait()
    _need_no_more(run, server)
    return need_erased(run, check(run, server))


@fault("withdrawal under load", in_every_suite=True)
def withdrawal_under_load(run: Run) -> Findings:
    server = run.serve()
    load = Load(server, in_batches(run, new_events(run, 80, senders=("bob", "bob", "erin"))), connections=8)
    time.sleep(run.random.uniform(0.01, 0.1))
    withdraw(run, server)
    load.wait()
    _need_no_more(run, server)
    return need_erased(run, check(run, server))


@fault("withdrawal at another process", in_every_suite=True)
def withdrawal_elsewhere(run: Run) -> Findings:
    """Two servers on one store: the no told to one binds the other at once."""
    server, other = run.serve(), run.serve()
    load = Load(server, in_batches(run, new_events(run, 60, senders=("bob",))), connections=6)
    time.sleep(run.random.uniform(0.01, 0.1))
    withdraw(run, other)
    _need_no_more(run, server)
    load.wait()
    return need_erased(run, check(run, server, sole_writer=False))


def _need_no_more(run: Run, server: Server) -> None:
    """What Bob reports from now on is denied."""
    events = new_events(run, 4, senders=("bob",))
    send(server, events)
    told = {(event.told[0].capture, event.told[0].reason) for event in events}
    if told != {("denied", "withdrawn")}:
        run.notes.append(f"after the withdrawal: {told}")


def need_erased(run: Run, found: Findings) -> Findings:
    """Once the servers have ended in order, no file of SQLite holds a word of what was withdrawn."""
    for server in run.servers:
        server.stop()
    found.against_consent.extend(f"withdrawn text in {name}" for name in files_with_texts_of_bob(run))
    return found


def files_with_texts_of_bob(run: Run) -> list[str]:
    """Which files of SQLite hold words of bob; PostgreSQL's keep them until its own cleaning, behind its rows."""
    return holding(run.store.files(), f"said by bob{run.mark}") if run.is_sqlite else []
