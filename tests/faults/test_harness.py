"""The harness itself: it sees what it is there to see, and its places are those of the program."""

from collections.abc import Callable

import pytest

from faults import kills, versions
from faults.arena import Arena, Run
from faults.consents import PLACES as CONSENT_PLACES
from faults.invariants import Findings, check
from faults.load import new_events, send
from faults.server import Ended
from faults.sweep import plan
from goldvein import failpoints, settings
from goldvein.errors import NotConfigured

pytestmark = pytest.mark.faults


@pytest.fixture
def store() -> str:
    return "sqlite"


def _findings_after(arena: Arena, store: str, harm: Callable[[Run], None]) -> Findings:
    with arena.run(store, seed=3, turn=0) as run:
        server = run.serve()
        send(server, new_events(run, 8, senders=("bob", "erin")))
        harm(run)
        return check(run, server)


def _first_stored(run: Run) -> str:
    return run.events[0].told[0].stored_id


def test_it_sees_an_acknowledged_use_that_is_not_in_the_store(arena: Arena, store: str) -> None:
    def harm(run: Run) -> None:
        gone = _first_stored(run)
        run.store.change(
            f"DELETE FROM skill_feedback WHERE usage_event_id = '{gone}'",
            f"DELETE FROM token_measurements WHERE usage_event_id = '{gone}'",
            f"DELETE FROM usage_events WHERE id = '{gone}'",
        )

    assert _findings_after(arena, store, harm).lost


def test_it_sees_a_captured_use_whose_example_is_missing(arena: Arena, store: str) -> None:
    found = _findings_after(arena, store, lambda run: run.store.change("DELETE FROM skill_feedback"))
    assert found.lost
    assert found.sums


def test_it_sees_a_use_that_is_stored_twice(arena: Arena, store: str) -> None:
    found = _findings_after(arena, store, lambda run: run.store.change("DELETE FROM known_events"))
    assert found.doubled


def test_it_sees_half_of_a_use(arena: Arena, store: str) -> None:
    found = _findings_after(arena, store, lambda run: run.store.change("DELETE FROM token_measurements"))
    assert found.sums


def test_it_sees_raw_text_in_any_file_of_a_run(arena: Arena, store: str) -> None:
    def harm(run: Run) -> None:
        (run.folder / "tmp" / "spool").write_text(run.events[0].body["tool_input_snippet"])

    assert _findings_after(arena, store, harm).unsanitized == ["spool"]


def test_it_sees_text_of_somebody_who_never_consented(arena: Arena, store: str) -> None:
    def harm(run: Run) -> None:
        text = f"Question said by erin{run.mark}"
        run.store.change(f"UPDATE skill_feedback SET example_output = '{text}'")

    assert _findings_after(arena, store, harm).against_consent


def test_it_sees_text_that_a_withdrawal_left_behind(arena: Arena, store: str) -> None:
    def harm(run: Run) -> None:
        run.withdrawn.add(run.people["bob"].person_id.replace("-", ""))

    assert _findings_after(arena, store, harm).against_consent


def test_its_marks_outlive_the_sanitizer_where_consent_is_given(arena: Arena, store: str) -> None:
    with arena.run(store, seed=4, turn=0) as run:
        send(run.serve(), new_events(run, 2, senders=("bob",)))
        texts = [text for example in run.store.contents().examples for text in example.texts]
        assert len(texts) == 4
        assert all(f"said by bob{run.mark} about mail [REDACTED:" in text for text in texts)


def test_the_sweep_kills_at_every_place() -> None:
    tried = {place for place, _ in kills.STEPS}
    steps = (*kills.WITHDRAWAL_STEPS, *kills.JOB_STEPS, *kills.MIGRATION_STEPS)
    tried |= {place.partition(":")[0] for place in steps}
    tried |= {*versions.FREEZE_PLACES, *versions.REVISION_PLACES}
    assert tried == set(failpoints.PLACES)
    assert {place.partition(":")[0] for place in CONSENT_PLACES} <= set(failpoints.PLACES)


def test_the_same_seed_plans_the_same_runs_on_both_stores() -> None:
    assert list(plan(50, 7)) == list(plan(50, 7)) != list(plan(50, 8))
    assert {planned.store for planned in plan(50, 7)} == {"sqlite", "postgresql"}


@pytest.mark.parametrize("text", ["writer.nowhere", "writer.begun:0", "writer.begun:x", "writer.begun:1:explode"])
def test_a_fail_point_that_does_not_exist_is_an_error(text: str) -> None:
    with pytest.raises(NotConfigured, match="GOLDVEIN_FAILPOINT"):
        settings.load({"GOLDVEIN_FAILPOINT": text})


@pytest.mark.parametrize("setting", ["GOLDVEIN_PUBLIC_URL", "GOLDVEIN_TRUSTED_PROXIES", "GOLDVEIN_HOST"])
def test_a_server_that_others_can_reach_refuses_fail_points(arena: Arena, store: str, setting: str) -> None:
    value = {"GOLDVEIN_PUBLIC_URL": "https://gold.example"}.get(setting, "127.0.0.2")
    with arena.run(store, seed=5, turn=0) as run, pytest.raises(Ended, match="only on 127"):
        run.serve(failpoint="writer.begun", **{setting.removeprefix("GOLDVEIN_").lower(): value})


def test_a_place_acts_once_at_its_count_and_is_disarmed_by_nothing() -> None:
    failpoints.arm("writer.begun:2:raise", is_local=True)
    try:
        failpoints.reach("writer.begun")
        failpoints.reach("writer.taken")
        with pytest.raises(failpoints.FailpointReached):
            failpoints.reach("writer.begun")
        failpoints.reach("writer.begun")
    finally:
        failpoints.arm("", is_local=False)
    failpoints.reach("writer.begun")
