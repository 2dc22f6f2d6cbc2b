"""The process ends as in a power cut: at each step, at any moment, in a withdrawal, in a migration."""

import os
import signal
import time

from faults.arena import Run
from faults.catalogue import fault
from faults.consents import files_with_texts_of_bob, need_erased
from faults.invariants import Findings, check, recover
from faults.load import Load, in_batches, new_events, send
from faults.server import Server

# Each place with the counts at which the load certainly reaches it.
STEPS = [
    *((place, count) for place in ("track.decoded", "track.queueing", "track.answering") for count in (1, 6)),
    *(("track.sanitized", count) for count in (1, 4)),
    *(
        (f"writer.{place}", count)
        for place in ("taken", "begun", "committing", "committed", "answering")
        for count in (1, 2, 3)
    ),
    *(("writer.statement", count) for count in range(1, 18)),
]
WITHDRAWAL_STEPS = [
    "withdrawal.appended",
    "withdrawal.erased",
    "session.committing:2",  # the first is the server's own, at its start
    "session.committed:2",
    "withdrawal.clearing",
    "journal.writing",
    "journal.written",
]
JOB_STEPS = ["job.claimed", "job.step", "job.finishing"]
MIGRATION_STEPS = ["migration.step:1", "migration.step:2", "migration.committing:1"]


@fault("killed at a step", in_every_suite=True, share=16)
def killed_at_a_step(run: Run) -> Findings:
    place, count = STEPS[run.turn % len(STEPS)]
    server = run.serve(failpoint=f"{place}:{count}")
    send(server, in_batches(run, new_events(run, 24)))
    need_killed(run, server)
    return restart_and_check(run)


@fault("killed at any moment", share=10)
def killed_at_any_moment(run: Run) -> Findings:
    server = run.serve()
    load = Load(server, in_batches(run, new_events(run, 60)), connections=8)
    time.sleep(run.random.uniform(0.0, 0.15))
    server.kill()
    load.wait()
    return restart_and_check(run)


@fault("killed in a withdrawal", in_every_suite=True, share=5)
def killed_in_a_withdrawal(run: Run) -> Findings:
    place = WITHDRAWAL_STEPS[run.turn % len(WITHDRAWAL_STEPS)]
    server = run.serve(failpoint=place)
    send(server, new_events(run, 6, senders=("bob",)))
    load = Load(server, new_events(run, 12))
    try:
        server.call("PATCH", "/api/me/preferences", run.key("bob"), {"training_data_consent": False})
        run.notes.append("the withdrawal was answered")
    except OSError:
        pass
    load.wait()
    need_killed(run, server)
    return check_withdrawal(run, restarted(run))


@fault("killed in a job", in_every_suite=True)
def killed_in_a_job(run: Run) -> Findings:
    """The first job of a start ends the process; the next start takes it up when its lease has run out."""
    server = run.serve(failpoint=JOB_STEPS[run.turn % len(JOB_STEPS)], worker_in_serve="1")
    load = Load(server, new_events(run, 24))
    load.wait()
    need_killed(run, server)
    return restart_and_check(run)


def check_withdrawal(run: Run, server: Server) -> Findings:
    """A withdrawal that was cut short is true or it is not; then it is made again, and it is true."""
    consented = preferences(run, server)["training_data_consent"]
    bob = run.people["bob"].person_id.replace("-", "")
    texts = [example for example in run.store.contents().examples if example.person_id == bob and example.texts]
    if not consented:
        run.withdrawn.add(bob)
        run.notes.extend(f"withdrawn text in {name} after the restart" for name in files_with_texts_of_bob(run))
    elif not texts:
        run.notes.append("the texts are gone and the consent is not")
    send(server, new_events(run, 3, senders=("bob",)))
    status, _, answer = server.call("PATCH", "/api/me/preferences", run.key("bob"), {"training_data_consent": False})
    if status != 200 or answer["training_data_consent"]:
        run.notes.append(f"the second withdrawal: {status} {answer}")
    run.withdrawn.add(bob)
    return need_erased(run, check(run, server))


def preferences(run: Run, server: Server) -> dict[str, bool]:
    """What bob reads of his own choice."""
    answer: dict[str, bool] = server.call("GET", "/api/me/preferences", run.key("bob"))[2]
    return answer


@fault("killed in a migration", in_every_suite=True)
def killed_in_a_migration(run: Run) -> Findings:
    """On an empty store of its own: a half-made schema must be none, and the next migration makes it whole."""
    place = MIGRATION_STEPS[run.turn % len(MIGRATION_STEPS)]
    urls = run.arena.templates.empty(run.kind, run.folder)
    try:
        names = {"database_url": urls[0], "migration_database_url": "" if run.is_sqlite else urls[1]}
        halfway = run.start("migrate", failpoint=place, **names)
        halfway.ended_within(30)
        if halfway.code != -signal.SIGKILL:
            run.notes.append(f"the migration ended with {halfway.code}")
        if not run.is_sqlite:  # SQLite's server makes an empty store itself
            refused = run.start("serve", "--port", "0", **names)
            refused.ended_within(30)
            if refused.code != 1:
                run.notes.append(f"a server on a half-made schema ended with {refused.code}")
            refused.kill()
        again = run.start("migrate", **names)
        again.ended_within(30)
        if again.code != 0:
            run.notes.append(f"the second migration ended with {again.code}")
        server = run.serve(**names)
        status = server.call("GET", "/readyz")[0]
        if status != 200:
            run.notes.append(f"readyz answers {status}")
        server.kill()
    finally:
        run.arena.templates.drop(urls[1])
    return restart_and_check(run)


@fault("error at a step", in_every_suite=True)
def error_at_a_step(run: Run) -> Findings:
    """A bug at one step, once: the server goes on, and what it answers is true."""
    places = [f"writer.{place}" for place in ("taken", "begun", "statement", "committing")]
    place, count = places[run.turn % 4], 1 + run.turn // 4 % 2 * 4
    count = count if place == "writer.statement" else min(count, 3)
    server = run.serve(failpoint=f"{place}:{count}:raise")
    send(server, in_batches(run, new_events(run, 24)))
    recover(run, server)
    return check(run, server)


@fault("one of several processes killed", stores=("postgresql",), share=1)
def one_of_several_killed(run: Run) -> Findings:
    """Of `serve --workers 2` one worker is killed and replaced, or the first process, with which all must end."""
    server = run.serve(workers=2)
    send(server, new_events(run, 4))
    load = Load(server, in_batches(run, new_events(run, 60)), connections=8)
    time.sleep(run.random.uniform(0.0, 0.1))
    workers = server.workers()
    if run.turn % 2:
        server.kill()
        load.wait()
        return restart_and_check(run)
    os.kill(run.random.choice(workers), signal.SIGKILL)
    load.wait()  # clients that found no worker have waited for the next
    recover(run, server)
    return check(run, server, sole_writer=False, whole_counters=False)


def need_killed(run: Run, server: Server) -> None:
    """The fault must have happened, or the run says nothing."""
    server.ended_within(10)
    if server.code != -signal.SIGKILL:
        run.notes.append(f"the fault did not happen: {server.code}")
        server.kill()


def restarted(run: Run) -> Server:
    """Start a server as a supervisor would; recovering includes its start."""
    began = time.monotonic()
    server = run.serve()
    recover(run, server, began=began)
    return server


def restart_and_check(run: Run) -> Findings:
    """Start a server again, and look."""
    return check(run, restarted(run))
