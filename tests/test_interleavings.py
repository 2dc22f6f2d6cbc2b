"""What people do at the same moment, step by step in an order that a seed decides.

Every place of `goldvein.failpoints` is a barrier: whoever comes to it waits until they are picked. `make interleavings`
runs thousands; INTERLEAVINGS says how many, INTERLEAVINGS_SEED where they begin.
"""

import io
import json
import os
import random
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from helpers import ok

from goldvein import failpoints
from goldvein.examples.proof import prove

DAY = timedelta(days=1)  # what one person may have captured in a day begins anew
RUNS = int(os.environ.get("INTERLEAVINGS", "30"))
FIRST_SEED = int(os.environ.get("INTERLEAVINGS_SEED", "1"))
SNIPPETS = {"tool_input_snippet": "Write the notes", "tool_output_snippet": "Here they are"}
STARVED_SECONDS = 15.0
PICK_SECONDS = 0.001
"""How long whoever was picked may run before the next one is: one who waits for a lock cannot come to a barrier."""


class Barriers:
    """Lets one of those who wait go on, in an order that the seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (an order, no secret)
        self._guard = threading.Condition()
        self._waiting: list[threading.Event] = []
        self._is_open = False
        self.passed = 0
        self._picker = threading.Thread(target=self._pick, daemon=True)
        self._picker.start()

    def reach(self, place: str) -> None:
        """Wait at this place."""
        del place
        turn = threading.Event()
        with self._guard:
            if self._is_open:
                return
            self._waiting.append(turn)
            self._guard.notify_all()
        turn.wait(STARVED_SECONDS)

    def _pick(self) -> None:
        while True:
            with self._guard:
                self._guard.wait_for(lambda: self._waiting or self._is_open)
                if self._is_open:
                    return
                turn = self._waiting.pop(self._random.randrange(len(self._waiting)))
                self.passed += 1
                before = len(self._waiting)
                turn.set()
                self._guard.wait_for(lambda: len(self._waiting) > before or self._is_open, PICK_SECONDS)  # noqa: B023

    def open(self) -> None:
        """Let everybody go on, and nobody wait any more."""
        with self._guard:
            self._is_open = True
            for turn in self._waiting:
                turn.set()
            self._guard.notify_all()
        self._picker.join()


@dataclass
class Done:
    """What somebody did, and between which moments."""

    answer: Any
    began: float
    ended: float


@dataclass
class Run:
    """One interleaving."""

    world: World
    seed: int
    held: list[str]
    done: dict[str, list[Done]] = field(default_factory=dict)

    def together(self, acts: list[tuple[str, Callable[[], Any]]], monkeypatch: pytest.MonkeyPatch) -> int:
        """Do all of it at once; returns how many barriers were passed."""
        barriers = Barriers(self.seed)
        failures: list[BaseException] = []

        def act(name: str, do: Callable[[], Any]) -> None:
            began = time.monotonic()
            try:
                answer = do()
            except BaseException as error:  # noqa: BLE001 (told by the test's own thread)
                failures.append(error)
            else:
                self.done.setdefault(name, []).append(Done(answer=answer, began=began, ended=time.monotonic()))

        threads = [threading.Thread(target=act, args=one) for one in acts]
        with monkeypatch.context() as stepwise:
            stepwise.setattr(failpoints, "reach", barriers.reach)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            barriers.open()
        assert failures == [], (self.seed, failures)
        assert not any(thread.is_alive() for thread in threads), self.seed
        return barriers.passed


def _acts(run: Run, chosen: random.Random) -> list[tuple[str, Callable[[], Any]]]:
    world = run.world
    bob, alice, dana = (world.client(name) for name in ("bob", "alice", "dana"))
    skills = ["release-notes"]

    def capture() -> Any:
        return world.track(**SNIPPETS)

    def approve() -> Any:
        return alice.post(f"/api/training-examples/{run.held[0]}/review", json={"decision": "approve"})

    def export() -> Any:
        return alice.get("/api/skills/release-notes/export")

    def switch_off() -> Any:
        return dana.patch("/api/settings", json={"training_data_capture_enabled": False})

    ends: list[tuple[str, Callable[[], Any]]] = [
        ("withdraw", lambda: bob.post("/api/me/consent", json={"decision": "withdraw"})),
        ("withdraw", lambda: bob.post("/api/me/consent", json={"decision": "withdraw", "skills": skills})),
        ("withdraw", lambda: dana.post(f"/api/members/{world.someone('bob').person_id}/revoke-consent")),
        ("erase", lambda: bob.delete("/api/me/data")),
        ("switch_off", switch_off),
    ]

    def freeze() -> Any:
        return alice.post("/api/datasets/together/versions", json={"allow_leakage": True})

    def download() -> Any:
        return alice.get("/api/datasets/together/versions/latest/export")

    acts = [chosen.choice(ends), ("capture", capture), ("capture", capture), ("approve", approve), ("export", export)]
    acts += [("freeze", freeze), ("download", download)]
    if chosen.random() < 0.3:
        acts.append(chosen.choice(ends))
    chosen.shuffle(acts)
    return acts


def _check(run: Run) -> None:
    """What holds after every interleaving."""
    captured = {row["id"]: row for row in ok(run.world.client("bob").get("/api/me/data"))["captured_examples"]}
    answers = [done.answer for done in run.done["capture"]]
    assert [answer.status_code for answer in answers] == [200] * len(answers), run.seed
    for one in run.done["approve"]:
        assert one.answer.status_code in {200, 403, 404, 409}, (run.seed, one.answer.text)
    for name in ("withdraw", "erase", "switch_off"):
        for one in run.done.get(name, []):
            assert one.answer.status_code in {200, 204}, (run.seed, name, one.answer.text)
            assert one.ended - one.began < STARVED_SECONDS, (run.seed, name)
    if "withdraw" in run.done:
        left = [row["id"] for row in captured.values() if row["example_input"] is not None]
        assert left == [], (run.seed, "captured or kept after a withdrawal")
    for end in run.done.get("erase", []):
        assert all(captured[held]["example_input"] is None for held in run.held), (run.seed, end)
    for end in run.done.get("switch_off", []):
        later = [one.answer.json()["capture"] for one in run.done["capture"] if one.began > end.ended]
        assert all(one["outcome"] != "captured" for one in later), (run.seed, "captured after switching off")
    for end in run.done.get("withdraw", []) + run.done.get("erase", []):
        for one in run.done["export"]:
            if one.began > end.ended:
                assert not set(_rows(one.answer)) & set(run.held), (run.seed, "exported after a withdrawal")

    _check_versions(run)


def _check_versions(run: Run) -> None:
    ends = run.done.get("withdraw", []) + run.done.get("erase", [])
    for one in run.done["freeze"]:
        assert one.answer.status_code in {200, 201, 409}, (run.seed, one.answer.text)
    for one in run.done["download"]:
        assert one.answer.status_code in {200, 404, 410, 503}, (run.seed, one.answer.text)
        if any(one.began > end.ended for end in ends):
            assert not set(_downloaded(one.answer)) & set(run.held), (run.seed, "downloaded after a withdrawal")
    if ends:
        assert not set(_frozen(run.world)) & set(run.held), (run.seed, "in a version after a withdrawal")


def _frozen(world: World) -> list[str]:
    answer = world.client("alice").get("/api/datasets/together/versions/latest/rows?limit=200")
    return [row["example_id"] for row in answer.json()["items"]] if answer.status_code == 200 else []


def _downloaded(answer: Any) -> list[str]:
    if answer.status_code != 200:
        return []
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return [json.loads(line)["example_id"] for line in archive.read("provenance.jsonl").splitlines()]


def _rows(answer: Any) -> list[str]:
    if answer.status_code != 200:
        return []
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return [row["example_id"] for row in json.loads(archive.read("manifest.json"))["rows"]]


def _begin(world: World) -> list[str]:
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": True}))
    ok(world.client("bob").post("/api/me/consent", json={"decision": "give"}))
    held = [world.capture(text=f"held {number}") for number in range(2)]
    alice = world.client("alice")
    ok(alice.post(f"/api/training-examples/{held[1]}/review", json={"decision": "approve"}))
    if alice.get("/api/datasets/together").status_code == 404:
        terms = {"licence": "l", "recipients": "r", "allowed_purposes": ["training"]}
        body = {"slug": "together", "name": "T", "purpose": "training", "skills": ["release-notes"], "terms": terms}
        ok(alice.post("/api/datasets", json=body), 201)
        golden = {"example_input": "one of her own", "example_output": "that stays"}
        ok(alice.post("/api/skills/release-notes/training-examples", json=golden), 201)
    return held


def test_no_order_of_steps_lets_anything_outlive_a_no(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = 0
    for seed in range(FIRST_SEED, FIRST_SEED + RUNS):
        run = Run(world=world, seed=seed, held=_begin(world))
        passed += run.together(_acts(run, random.Random(seed)), monkeypatch)  # noqa: S311
        _check(run)
        ok(world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}))
        world.time += DAY
    with world.database.read(world.someone("bob").tenant_id) as session:
        assert prove(session).unproved == []
    sys.stdout.write(f"{RUNS} interleavings, {passed} barriers passed\n")
