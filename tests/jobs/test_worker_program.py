"""Workers as programs: one that is killed in the middle of a job, and one that is told to stop."""

import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import SERVER_KEY, World
from programs import environment, run, running

from goldvein import background
from goldvein.jobs.tables import Job


def settings(world: World, folder: Path, **variables: str) -> dict[str, str]:
    return environment(
        folder,
        GOLDVEIN_DATA_DIR=str(folder),
        GOLDVEIN_DATABASE_URL=world.runtime.settings.database_url,
        GOLDVEIN_SERVER_KEY=SERVER_KEY,
        GOLDVEIN_LOG_LEVEL="error",
        **variables,
    )


def states(world: World) -> dict[str, tuple[str, int]]:
    with world.database.read_across_tenants() as session:
        return {job.kind: (job.state, job.attempts) for job in session.query(Job)}


@pytest.mark.parametrize("place", ["job.claimed", "job.step", "job.finishing"])
def test_the_job_of_a_worker_that_was_killed_is_carried_out_by_the_next(
    world: World, tmp_path: Path, place: str
) -> None:
    world.time = datetime.now(UTC)
    env = settings(world, tmp_path, GOLDVEIN_FAILPOINT=place)
    killed = run("worker", env=env)
    assert killed.returncode == -signal.SIGKILL
    world.runtime.database.close()
    held = {kind for kind, (state, _) in states(world).items() if state == "running"}
    assert held
    background.worker(world.runtime).run_due()
    assert {kind for kind, (state, _) in states(world).items() if state == "running"} == held  # leased
    world.time += timedelta(minutes=2)
    background.worker(world.runtime).run_due()
    assert {state for state, _ in states(world).values()} == {"queued"}
    assert not [kind for kind, (_, attempts) in states(world).items() if attempts]


def test_a_worker_ends_when_it_is_told_and_a_server_without_one_runs_nothing(world: World, tmp_path: Path) -> None:
    env = settings(world, tmp_path)
    with running("serve", "--port", "0", env={**env, "GOLDVEIN_WORKER_IN_SERVE": "0"}) as server:
        assert re.search("goldvein serves", server.line())
        assert states(world) == {}
        code, _, _ = server.stop(signal.SIGTERM)
        assert code == 0
    with running("worker", env=env) as program:
        assert "carries jobs out" in program.line()
        code, _, err = program.stop(signal.SIGTERM)
    assert (code, err) == (0, b"")
