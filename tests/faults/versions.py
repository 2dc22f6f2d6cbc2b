"""A version is frozen or revised while the process ends, or while a person in it withdraws."""

import contextlib
import http.client
import threading
import time

from faults.arena import Run
from faults.catalogue import fault
from faults.consents import need_erased, withdraw
from faults.invariants import Findings, check
from faults.kills import need_killed, restarted
from faults.load import new_events, send
from faults.server import Server

FREEZE_PLACES = ("freeze.planned", "freeze.written", "freeze.publishing")
REVISION_PLACES = ("revision.publishing",)
DATASET = {
    "slug": "notes",
    "name": "Notes",
    "purpose": "training",
    "skills": ["release-notes"],
    "filter": {"duplicates": "keep"},
    "terms": {"licence": "internal", "allowed_purposes": ["training"], "recipients": "we"},
}


def make(run: Run, server: Server) -> None:
    """A dataset with approved examples of bob and one of alice's own."""
    send(server, new_events(run, 4, senders=("bob",)))
    alice = run.key("alice")
    server.call("POST", "/api/datasets", alice, DATASET)
    golden = {"example_input": "A question of hers", "example_output": "An answer of hers"}
    server.call("POST", "/api/skills/release-notes/training-examples", alice, golden)
    listed = server.call("GET", "/api/skills/release-notes/training-examples?status=pending", alice)[2]
    for item in listed["items"]:
        server.call("POST", f"/api/training-examples/{item['id']}/review", alice, {"decision": "approve"})


def freeze(run: Run, server: Server) -> None:
    """Ask for a version; the answer may never come."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        server.call("POST", "/api/datasets/notes/versions", run.key("alice"), {"allow_leakage": True})


def need_only_golden(run: Run, server: Server) -> None:
    """The newest version has one row, alice's own, whoever has to make it first."""
    freeze(run, server)
    path = "/api/datasets/notes/versions/latest/rows"
    status, _, answer = server.call("GET", path, run.key("alice"))
    bases = [row["provenance"]["basis"] for row in answer["items"]] if status == 200 else answer
    if bases != ["authored"]:
        run.notes.append(f"the version after the withdrawal: {status} {bases}")


@fault("killed while a version is frozen", in_every_suite=True)
def killed_in_a_freeze(run: Run) -> Findings:
    """What was written of it is not seen, a withdrawal reaches it all the same, and the next freeze works."""
    server = run.serve(failpoint=FREEZE_PLACES[run.turn % len(FREEZE_PLACES)])
    make(run, server)
    freeze(run, server)
    need_killed(run, server)
    server = restarted(run)
    status, _, versions = server.call("GET", "/api/datasets/notes/versions", run.key("alice"))
    if (status, versions.get("items")) != (200, []):
        run.notes.append(f"versions after the restart: {status} {versions}")
    withdraw(run, server)
    need_only_golden(run, server)
    return need_erased(run, check(run, server))


@fault("killed while a version is revised", in_every_suite=True)
def killed_in_a_revision(run: Run) -> Findings:
    """The removal holds without the revision, which whoever asks next gets."""
    server = run.serve(failpoint=REVISION_PLACES[0])
    make(run, server)
    freeze(run, server)
    withdraw(run, server)
    freeze(run, server)
    need_killed(run, server)
    server = restarted(run)
    need_only_golden(run, server)
    return need_erased(run, check(run, server))


@fault("withdrawal while a version is frozen", in_every_suite=True)
def withdrawal_in_a_freeze(run: Run) -> Findings:
    """The freeze waits at one of its steps; what it has read and written of the person is not in the version."""
    server = run.serve(failpoint=f"{FREEZE_PLACES[run.turn % len(FREEZE_PLACES)]}:1:hold")
    make(run, server)
    freezing = threading.Thread(target=freeze, args=(run, server))
    freezing.start()
    time.sleep(run.random.uniform(0.05, 0.5))
    withdraw(run, server)
    freezing.join()
    need_only_golden(run, server)
    return need_erased(run, check(run, server))
