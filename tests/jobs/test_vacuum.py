"""What was erased is taken out of PostgreSQL's tables by a job, as the role that the server runs as."""

import pytest
from conftest import World
from helpers import ok
from sqlalchemy import create_engine, text

from goldvein import background
from goldvein.db.migrate import TABLES_WITH_TEXTS


@pytest.fixture
def store() -> str:
    return "postgresql"


def as_superuser(world: World, statement: str) -> list[object]:
    engine = create_engine(world.owner_url.replace("goldvein_owner", "postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            found = connection.execute(text(statement))
            return list(found.scalars()) if found.returns_rows else []
    finally:
        engine.dispose()


VACUUMED = "SELECT relname::text FROM pg_stat_all_tables WHERE vacuum_count > 0 AND schemaname = 'public' ORDER BY 1"


def test_erased_rows_leave_the_tables(world: World) -> None:
    world.capture(text="bobs text")
    ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
    assert as_superuser(world, VACUUMED) == []
    background.worker(world.runtime).run_due()
    assert as_superuser(world, VACUUMED) == sorted(TABLES_WITH_TEXTS)
    assert world.metric("goldvein_job_attempts_total", kind="vacuum", outcome="done") == 1


def test_a_role_that_may_not_is_told_and_nothing_is_passed_over_in_silence(world: World) -> None:
    as_superuser(world, "REVOKE MAINTAIN ON skill_feedback FROM goldvein_app")
    background.worker(world.runtime).run_due()
    assert world.metric("goldvein_job_attempts_total", kind="vacuum", outcome="failed") == 1
    assert as_superuser(world, "SELECT last_error FROM jobs WHERE kind = 'vacuum'") == ["may_not_vacuum"]
