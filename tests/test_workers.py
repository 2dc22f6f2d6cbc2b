"""Several server processes on one store."""

import json
import re
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from conftest import SERVER_KEY, World
from helpers import rows
from programs import environment, run, running

from goldvein.capture.tables import UsageEvent


def post(url: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(  # noqa: S310 (our own server)
        url, json.dumps(body).encode(), {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class TestSqlite:
    """One file has one writer."""

    def test_several_workers_are_refused_with_the_reason(self, tmp_path: Path) -> None:
        env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
        refused = run("serve", "--workers", "2", "--port", "0", env=env)
        assert refused.returncode == 1
        assert b"several workers need PostgreSQL" in refused.stderr
        assert not (tmp_path / "data").exists()


class TestPostgresql:
    """Every process has its own writer; what they store is one."""

    @pytest.fixture
    def store(self) -> str:
        return "postgresql"

    def test_processes_store_each_event_once_count_together_and_drain_at_the_end(
        self, world: World, tmp_path: Path
    ) -> None:
        env = environment(
            tmp_path,
            GOLDVEIN_DATA_DIR=str(tmp_path),
            GOLDVEIN_DATABASE_URL=world.runtime.settings.database_url,
            GOLDVEIN_SERVER_KEY=SERVER_KEY,
            GOLDVEIN_LOG_LEVEL="error",
        )
        with running("serve", "--workers", "2", "--port", "0", env=env) as program:
            url = re.search(r"http://\S+", program.line())[0]  # type: ignore[index]
            body = {"skill_id": "release-notes", "tool_name": "Bash"}
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            key, answers = world.someone("bob").api_key, []

            def send(number: int) -> None:
                answers.append(post(f"{url}/api/track", key, {**body, "ts": now, "event_id": f"e{number % 20}"}))

            threads = [threading.Thread(target=send, args=(number,)) for number in range(60)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert {status for status, _ in answers} == {200}
            assert sorted(answer["outcome"] for _, answer in answers) == ["duplicate"] * 40 + ["stored"] * 20
            with urllib.request.urlopen(f"{url}/metrics", timeout=30) as shown:  # noqa: S310 (our own server)
                text = shown.read().decode()
            found = re.findall(r'goldvein_events_total\{.*outcome="(\w+)".*\} ([0-9.]+)', text)
            assert {name: float(number) for name, number in found} == {"stored": 20, "duplicate": 40}
            code, _, _ = program.stop(signal.SIGTERM)
            assert code == 0
        assert len(rows(world, UsageEvent)) == 20
