"""Promised in a transaction, taken by one worker at a time, tried again, and given up at last."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from sqlalchemy import create_engine, text

from goldvein.db.ids import new_id
from goldvein.errors import NotFound, StoreUnavailable
from goldvein.jobs import service
from goldvein.jobs.kinds import DELAYS, JobFailed, JobHopeless, Kind, Task, exponential
from goldvein.jobs.tables import Job
from goldvein.jobs.worker import CLEAN, LEASE, Worker

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Recording:
    """A handler that remembers what it was asked, and does what the test wants."""

    def __init__(self, *steps: Any) -> None:
        self.tasks: list[Task] = []
        self.steps = steps

    def __call__(self, task: Task) -> Iterator[None]:
        self.tasks.append(task)
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            step()
            yield


def worker(world: World, kinds: dict[str, Kind], **options: Any) -> Worker:
    attempts = world.runtime.metrics.job_attempts
    return Worker(world.database, kinds, now=lambda: world.time, attempts=attempts, **options)


def put(world: World, kind: str = "test.work", **options: Any) -> str:
    with world.database.write(world.someone("bob").tenant_id) as session:
        return service.enqueue(session, kind, {"example": ID}, now=world.time, **options)


def jobs(world: World, kind: str = "test.work") -> list[Job]:
    with world.database.read_across_tenants() as session:
        return [job for job in session.query(Job).order_by(Job.id) if job.kind == kind]


def only(world: World, kind: str = "test.work") -> Job:
    (job,) = jobs(world, kind)
    return job


def test_a_job_is_carried_out_once_with_its_ids_and_its_tenant(world: World) -> None:
    handler = Recording()
    job_id = put(world)
    does = worker(world, {"test.work": Kind(handler=handler)})
    does.run_due()
    does.run_due()
    (task,) = handler.tasks
    assert (task.id, task.tenant_id, task.payload) == (job_id, world.someone("bob").tenant_id, {"example": ID})
    assert (only(world).state, only(world).last_error) == ("done", None)
    assert world.metric("goldvein_job_attempts_total", kind="test.work", outcome="done") == 1


def test_a_job_of_a_transaction_that_fails_does_not_exist(world: World) -> None:
    with contextlib.suppress(JobFailed), world.database.write(world.someone("bob").tenant_id) as session:
        service.enqueue(session, "test.work", now=world.time)
        raise JobFailed("anything")
    assert jobs(world) == []


@pytest.mark.parametrize("payload", [{"text": "what bob said"}, {"example": ID.upper()}])
def test_a_payload_of_anything_but_ids_is_refused(world: World, payload: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="ids only"), world.database.write(world.someone("bob").tenant_id) as session:
        service.enqueue(session, "test.work", payload, now=world.time)


def test_a_tenant_does_not_see_the_jobs_of_another_on_postgresql(world: World) -> None:
    """On SQLite nothing but the worker's own service reads them: routes have no function that lists jobs."""
    put(world)
    with world.database.read(world.someone("charlie").tenant_id) as session:
        found = session.query(Job).count()
    assert found == (1 if world.is_sqlite else 0)


def test_a_job_waits_for_its_time(world: World) -> None:
    handler = Recording()
    put(world, run_after=world.time + timedelta(minutes=5))
    does = worker(world, {"test.work": Kind(handler=handler)})
    does.run_due()
    assert handler.tasks == []
    world.time += timedelta(minutes=5)
    does.run_due()
    assert len(handler.tasks) == 1


def test_a_job_that_fails_is_tried_again_later_and_later_and_is_dead_at_last(world: World) -> None:
    handler = Recording(JobFailed("no_answer"))
    put(world)
    does = worker(world, {"test.work": Kind(handler=handler, delays=(10, 100))})
    waits = []
    for _ in range(3):
        does.run_due()
        waits.append((only(world).run_after - world.time).total_seconds())
        world.time = max(only(world).run_after, world.time)
    assert 8 <= waits[0] <= 12
    assert 80 <= waits[1] <= 120
    assert (only(world).state, only(world).attempts, only(world).last_error) == ("dead", 3, "no_answer")
    assert [task.is_last_attempt for task in handler.tasks] == [False, False, True]
    world.time += timedelta(days=1)
    does.run_due()
    assert len(handler.tasks) == 3


def test_what_is_hopeless_is_dead_at_once(world: World) -> None:
    put(world)
    worker(world, {"test.work": Kind(handler=Recording(JobHopeless("gone")))}).run_due()
    assert (only(world).state, only(world).attempts) == ("dead", 1)


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("what bob said"), "internal_error"), (StoreUnavailable(), "store_unavailable")],
)
def test_no_word_of_an_error_is_kept_but_its_code(
    world: World, error: Exception, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(world)
    worker(world, {"test.work": Kind(handler=Recording(error))}).run_due()
    assert only(world).last_error == code
    assert "what bob said" not in capsys.readouterr().err
    assert not any("what bob said" in str(cell) for cell in world.every_cell())


def test_a_dead_job_begins_anew_when_somebody_says_so(world: World) -> None:
    job_id = put(world)
    worker(world, {"test.work": Kind(handler=Recording(JobHopeless("gone")))}).run_due()
    with world.database.write_across_tenants() as session:
        assert [job.id for job in service.troubled(session)] == [job_id]
        service.retry(session, job_id, world.time)
    worker(world, {"test.work": Kind(handler=Recording())}).run_due()
    assert only(world).state == "done"
    with pytest.raises(NotFound), world.database.write_across_tenants() as session:
        service.retry(session, job_id, world.time)


def test_the_job_of_a_worker_that_was_killed_is_taken_again_and_not_before_its_lease_ends(world: World) -> None:
    put(world)
    kinds = {"test.work": Kind(handler=Recording())}
    with world.database.write_across_tenants() as session:  # a worker that never comes back
        assert service.claim(session, kinds, now=world.time, lease=LEASE) is not None
    does = worker(world, kinds)
    does.run_due()
    assert only(world).state == "running"
    world.time += LEASE
    does.run_due()
    assert (only(world).state, only(world).attempts) == ("done", 2)


def test_a_job_that_ends_its_worker_each_time_is_given_up(world: World) -> None:
    put(world)
    kinds = {"test.work": Kind(handler=Recording(), delays=(1,))}
    for _ in range(2):
        with world.database.write_across_tenants() as session:
            assert service.claim(session, kinds, now=world.time, lease=LEASE) is not None
        world.time += LEASE
    with world.database.write_across_tenants() as session:
        assert service.claim(session, kinds, now=world.time, lease=LEASE) is None
    assert (only(world).state, only(world).last_error) == ("dead", service.LEASE_EXPIRED)


def test_a_worker_that_lost_its_job_does_not_finish_what_another_has_taken(world: World) -> None:
    kinds: dict[str, Kind] = {}
    second = Recording()

    def take_it_away() -> None:
        world.time += LEASE
        worker(world, {"test.work": Kind(handler=second)}).run_due()
        put(world)  # so that something is left to be done

    first = Recording(take_it_away)
    kinds["test.work"] = Kind(handler=first)
    put(world)
    worker(world, kinds)._run_one(worker(world, kinds)._lanes[0])
    assert (len(first.tasks), len(second.tasks)) == (1, 1)
    assert [job.state for job in jobs(world)] == ["done", "queued"]
    assert world.metric("goldvein_job_attempts_total", kind="test.work", outcome="lost") == 1


def test_a_long_job_keeps_its_lease_from_step_to_step(world: World) -> None:
    put(world)

    def pause() -> None:
        world.time += timedelta(seconds=0.05)  # the store's clock, beside the real pause between the steps
        threading.Event().wait(0.05)

    until = []
    handler = Recording(*[pause] * 6, lambda: until.append(only(world).leased_until))
    began = world.time
    worker(world, {"test.work": Kind(handler=handler)}, lease=timedelta(seconds=0.12)).run_due()
    assert only(world).state == "done"
    assert until[0] > began + timedelta(seconds=0.2)


def test_two_workers_never_carry_out_one_job_together(world: World) -> None:
    done: list[str] = []
    together: list[str] = []
    at_work: set[str] = set()

    def handler(task: Task) -> Iterator[None]:
        if task.id in at_work:
            together.append(task.id)
        at_work.add(task.id)
        yield
        at_work.discard(task.id)
        done.append(task.id)

    ids = {put(world) for _ in range(30)}
    kinds = {"test.work": Kind(handler=handler)}
    threads = [threading.Thread(target=worker(world, kinds).run_due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == []
    assert sorted(done) == sorted(ids)
    assert {job.state for job in jobs(world)} == {"done"}


def test_what_is_periodic_has_one_row_and_comes_back(world: World) -> None:
    handler = Recording()
    kinds = {"test.every": Kind(handler=handler, every=timedelta(hours=1))}
    workers = [worker(world, kinds), worker(world, kinds)]
    for does in workers:
        does.run_due()
    assert len(handler.tasks) == 1
    assert only(world, "test.every").run_after == world.time + timedelta(hours=1)
    world.time += timedelta(hours=1)
    for does in workers:
        does.run_due()
    assert len(handler.tasks) == 2


def test_what_is_periodic_and_fails_is_tried_for_ever(world: World) -> None:
    kinds = {"test.every": Kind(handler=Recording(JobHopeless("broken")), delays=(10,), every=timedelta(hours=1))}
    does = worker(world, kinds)
    for _ in range(5):
        does.run_due()
        world.time += timedelta(minutes=1)
    job = only(world, "test.every")
    assert (job.state, job.attempts, job.last_error) == ("queued", 5, "broken")
    kinds["test.every"] = Kind(handler=Recording(), every=timedelta(hours=1))
    worker(world, kinds).run_due()
    assert (only(world, "test.every").attempts, only(world, "test.every").last_error) == (0, None)


def test_a_clock_that_was_years_ahead_delays_nothing(world: World) -> None:
    right = world.time
    handler = Recording()
    kinds = {"test.work": Kind(handler=handler), "test.every": Kind(handler=handler, every=timedelta(hours=1))}
    world.time = right + timedelta(days=3_650)
    worker(world, kinds).run_due()
    put(world)
    with world.database.write_across_tenants() as session:  # and one is leased until then
        service.claim(session, {"test.work": kinds["test.work"]}, now=world.time, lease=LEASE)
    world.time = right
    worker(world, kinds).run_due()
    assert sorted(task.kind for task in handler.tasks) == ["test.every", "test.every", "test.work"]


def test_a_clock_that_is_some_seconds_behind_takes_nobodys_lease(world: World) -> None:
    put(world)
    kinds = {"test.work": Kind(handler=Recording())}
    with world.database.write_across_tenants() as session:
        assert service.claim(session, kinds, now=world.time + timedelta(seconds=90), lease=LEASE) is not None
    worker(world, kinds).run_due()
    assert only(world).state == "running"


def test_a_worker_that_stops_gives_its_job_back_after_the_step_it_is_in(world: World) -> None:
    put(world)
    steps: list[int] = []
    kinds: dict[str, Kind] = {}
    does = worker(world, {"test.work": Kind(handler=Recording(lambda: steps.append(1), lambda: steps.append(2)))})
    does.stop()
    does._run_one(does._lanes[0])
    assert steps == [1]
    assert (only(world).state, only(world).attempts) == ("queued", 0)
    kinds["test.work"] = Kind(handler=Recording())
    worker(world, kinds).run_due()
    assert only(world).state == "done"


def test_threads_carry_jobs_out_and_one_that_waits_holds_no_other_up(world: World) -> None:
    held, done = threading.Event(), threading.Event()
    kinds = {
        "test.slow": Kind(handler=Recording(lambda: held.wait(10)), waits=True),
        "test.work": Kind(handler=Recording(done.set)),
    }
    put(world, "test.slow")
    does = worker(world, kinds, poll_seconds=0.01)
    does.start()
    try:
        put(world)
        assert done.wait(10)
    finally:
        held.set()
        does.stop()
    assert {job.state for job in jobs(world)} <= {"done", "running"}


def test_a_worker_outlives_a_store_that_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    done, was_away = threading.Event(), threading.Event()
    reading = world.database.read_across_tenants

    def away() -> Any:
        if not was_away.is_set():
            was_away.set()
            raise StoreUnavailable
        return reading()

    monkeypatch.setattr(world.database, "read_across_tenants", away)
    put(world)
    does = worker(world, {"test.work": Kind(handler=Recording(done.set))}, poll_seconds=0.01)
    does.start()
    assert done.wait(10)
    does.stop()
    assert was_away.is_set()


def test_what_is_over_is_removed_when_it_is_old(world: World) -> None:
    kinds = {"test.work": Kind(handler=Recording()), "test.bad": Kind(handler=Recording(JobHopeless("gone")))}
    put(world)
    put(world, "test.bad")
    does = worker(world, kinds)
    does.run_due()
    world.time += timedelta(days=8)
    does.run_due()
    assert (jobs(world), len(jobs(world, "test.bad"))) == ([], 1)
    world.time += timedelta(days=83)
    does.run_due()
    assert jobs(world, "test.bad") == []
    assert only(world, CLEAN).state == "queued"


def test_an_interval_that_a_release_changes_counts_from_its_start(world: World) -> None:
    worker(world, {"test.every": Kind(handler=Recording(), every=timedelta(days=5))}).run_due()
    worker(world, {"test.every": Kind(handler=Recording(), every=timedelta(hours=1))}).run_due()
    job = only(world, "test.every")
    assert (job.every_seconds, job.run_after) == (3_600, world.time + timedelta(hours=1))


def test_metrics_show_the_jobs_of_the_store(world: World) -> None:
    put(world)
    text = world.anonymous().get("/metrics").text
    assert 'goldvein_jobs{kind="test.work",state="queued"} 1.0' in text
    assert 'goldvein_jobs{kind="test.work",state="dead"} 0.0' in text


def test_delays_grow_up_to_their_most() -> None:
    assert exponential(first_seconds=1, factor=10, times=4, most_seconds=500) == (1, 10, 100, 500)
    assert 7 * 3_600 < sum(DELAYS) < 8 * 3_600
    kind = Kind(handler=Recording(), delays=(100,))
    assert [kind.delay(9, chance).total_seconds() for chance in (0, 1)] == [80, 120]


def test_a_state_that_cannot_be_is_refused_by_the_store(world: World) -> None:
    put(world)
    engine = create_engine(world.owner_url.replace("goldvein_owner", "postgres"))
    with engine.connect() as connection, pytest.raises(Exception, match=r"ck_jobs_lease|CHECK constraint"):
        connection.execute(text("UPDATE jobs SET state = 'running' WHERE lease IS NULL"))
    engine.dispose()


def test_ids_of_jobs_are_ours(world: World) -> None:
    with pytest.raises(NotFound), world.database.write_across_tenants() as session:
        service.retry(session, "'; drop table jobs", world.time)
    with pytest.raises(NotFound), world.database.write_across_tenants() as session:
        service.retry(session, new_id(), world.time)
