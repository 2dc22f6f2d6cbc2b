"""The demo as a newcomer runs it: a program of its own, played over HTTP, run again on the same folder."""

import errno
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from programs import Demo, environment, run, running, running_demo
from prometheus_client.parser import text_string_to_metric_families

from goldvein.demo import session
from goldvein_client import Client

STORED, DUPLICATE = 14, 14


def counters(url: str) -> dict[tuple[str, str, str], int]:
    """(name, outcome, reason) -> number, without the zeros."""
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    found: dict[tuple[str, str, str], int] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in {"goldvein_events_total", "goldvein_captures_total"} and sample.value:
                place = sample.name.split("_")[1], sample.labels["outcome"], sample.labels["reason"]
                found[place] = found.get(place, 0) + int(sample.value)
    return found


def received(url: str) -> int:
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    return int(sum(map(float, re.findall(r"^goldvein_events_received_total\{.*\} (\S+)$", text, re.MULTILINE))))


@dataclass
class Played:
    """What a first run left behind, and what was seen while it ran."""

    env: dict[str, str]
    facts: dict[str, Any]
    counters: dict[tuple[str, str, str], int]
    received: int
    examples: list[dict[str, Any]]
    code: int
    rest: tuple[bytes, bytes]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    env = environment(folder, GOLDVEIN_DATA_DIR=str(folder / "data"))
    with running_demo(env) as demo:
        seen = counters(demo.url), received(demo.url), examples_of(demo)
        code, *rest = demo.program.stop(signal.SIGINT)
    return Played(env, demo.facts, *seen, code, (rest[0], rest[1]))


@pytest.fixture(scope="module")
def demo(played: Played) -> Iterator[Demo]:
    """The demo, running again on what the first run made."""
    with running_demo(played.env) as again:
        yield again


def examples_of(demo: Demo) -> list[dict[str, Any]]:
    with Client(demo.url, demo.key("alice")) as alice:
        return alice.list_examples("release-notes")


def test_its_line_names_the_people_and_the_skills_as_promised(played: Played) -> None:
    facts = played.facts
    assert list(facts) == ["base_url", "people", "skills"]
    assert list(facts["people"]) == ["alice", "bob", "dana", "charlie"]
    for person in facts["people"].values():
        assert list(person) == ["id", "tenant", "api_key", "login_url"]
        assert person["login_url"].startswith(facts["base_url"] + "/login/")
    tenants = {name: person["tenant"] for name, person in facts["people"].items()}
    assert tenants["alice"] == tenants["bob"] == tenants["dana"] != tenants["charlie"]
    assert facts["skills"][0]["slug"] == "release-notes"
    owners = [(skill["author"], skill["tenant"]) for skill in facts["skills"]]
    alice, charlie = facts["people"]["alice"], facts["people"]["charlie"]
    assert owners == [(alice["id"], alice["tenant"])] * 2 + [(charlie["id"], charlie["tenant"])]


def test_a_first_run_captures_from_bob_alone_and_says_why_not_from_others(played: Played) -> None:
    assert played.counters == {
        ("events", "stored", ""): STORED,
        ("events", "rejected", "no_skill"): 1,
        ("events", "rejected", "not_a_use"): 2,
        ("captures", "captured", ""): 8,
        ("captures", "denied", "no_consent"): 1,
        ("captures", "denied", "no_person"): 1,
        ("captures", "denied", "person_mismatch"): 1,
        ("captures", "denied", "tenant_switch_off"): 1,
        ("captures", "none", "no_snippets"): 2,
    }
    assert played.received == STORED + 3


def test_what_it_captured_is_redacted_and_stands_on_a_version_of_the_skill(played: Played) -> None:
    assert len(played.examples) == 8
    assert {example["status"] for example in played.examples} == {"pending"}
    found = {kind for example in played.examples for kind in example["findings"] or {}}
    assert {"github_token", "email", "url_password", "jwt"} <= found
    assert sum(example["skill_version_id"] is not None for example in played.examples) == 2


def test_no_secret_of_the_session_is_in_any_file_of_the_demo(played: Played) -> None:
    secrets = [session.github_token(), session.aws_key_id(), session._signed_token(), "jane.porter", "vK8-Orchid"]
    keys = [person["api_key"] for person in played.facts["people"].values()]
    files = [path for path in Path(played.env["GOLDVEIN_DATA_DIR"]).rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"goldvein.db", "server.key"}
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in (*secrets, *keys) if secret.encode() in content], path
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


def test_the_session_is_in_the_files_of_the_demo_where_it_is_not_secret(played: Played) -> None:
    store = Path(played.env["GOLDVEIN_DATA_DIR"]) / "goldvein.db"
    assert b"importing an empty file no longer crashes" in store.read_bytes()


def test_an_interrupt_ends_it_with_exit_code_0_and_without_a_word(played: Played) -> None:
    assert (played.code, *played.rest) == (0, b"", b"")


def test_a_second_run_has_the_same_people_keys_and_skills_and_stores_nothing_twice(played: Played, demo: Demo) -> None:
    for name, person in played.facts["people"].items():
        again = demo.facts["people"][name]
        assert {k: v for k, v in again.items() if k != "login_url"} == {
            k: v for k, v in person.items() if k != "login_url"
        }
    assert demo.facts["skills"] == played.facts["skills"]
    assert counters(demo.url) == {
        ("events", "duplicate", ""): DUPLICATE,
        ("events", "rejected", "no_skill"): 1,
        ("events", "rejected", "not_a_use"): 2,
    }
    assert examples_of(demo) == played.examples


def test_its_keys_carry_what_their_people_may_do(demo: Demo) -> None:
    scopes = {}
    for name in ("alice", "bob", "dana", "charlie"):
        with Client(demo.url, demo.key(name)) as client:
            scopes[name] = set(client.get_me()["scopes"])
    everything = {"track", "read", "review", "export", "me", "admin"}
    assert scopes["dana"] == scopes["charlie"] == everything
    assert scopes["alice"] == scopes["bob"] == everything - {"admin"}


def test_its_login_link_opens_the_review_page_once(demo: Demo) -> None:
    link = demo.facts["people"]["alice"]["login_url"] + "?next=/skills/release-notes/training"
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        page = browser.get(link)
        assert (page.status_code, page.url.path) == (200, "/skills/release-notes/training")
        assert "[REDACTED:github_token]" in page.text
    assert httpx.get(link, trust_env=False).status_code == 404


def test_charlie_sees_nothing_of_acme(demo: Demo) -> None:
    with Client(demo.url, demo.key("charlie")) as charlie:
        assert [skill["slug"] for skill in charlie.list_skills()] == ["changelog-check"]


def test_a_no_of_a_former_run_stays_a_no(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    with running_demo(env) as demo:
        with Client(demo.url, demo.key("bob")) as bob, Client(demo.url, demo.key("dana")) as dana:
            assert bob.withdraw_consent()["erased_examples"] == 8
            dana.change_setting("training_data_capture_enabled", value=False)
        assert demo.program.stop()[0] == 0
    with running_demo(env) as demo:
        with Client(demo.url, demo.key("bob")) as bob, Client(demo.url, demo.key("dana")) as dana:
            assert bob.get_consent()["training_data_consent"] is False
            assert dana.get_settings()["training_data_capture_enabled"] is False
        assert ("captures", "captured", "") not in counters(demo.url)


def test_the_summary_tells_the_story_and_its_commands_run_as_printed(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    first, done = summary_and_next_steps(env, tmp_path)
    check_story(first)
    assert "  14 stored" in first
    assert "       8 captured" in first
    assert "1 row exported (0 golden, 1 captured); 0 skipped." in done
    assert done.splitlines()[-1].startswith('{"messages":[{"role":"user"')
    second, done = summary_and_next_steps(env, tmp_path)
    check_story(second)
    assert "  14 duplicate" in second
    assert "captured" not in second
    assert "2 rows exported" in done


def summary_and_next_steps(env: dict[str, str], folder: Path) -> tuple[str, str]:
    """What one run prints, and what its commands print when they are run as they stand there."""
    with running("demo", "--port", "0", env=env, cwd=folder) as program:
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Stop with Ctrl-C"):
            lines.append(program.line())
        commands = lines[lines.index("Or in another terminal, in this folder") + 1 : -2]
        shell = {name: value for name, value in env.items() if name != "GOLDVEIN_DATA_DIR"}
        script = "\n".join(["set -e", *commands])
        done = subprocess.run(  # noqa: S603 (the commands our own program prints)
            ["/bin/sh", "-c", script], env=shell, cwd=folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        code, rest, errors = program.stop()
    assert (code, rest.decode().strip(), errors) == (0, "Stopped. Everything is kept: run it again to go on.", b"")
    return "\n".join(lines), done.stdout


def check_story(text: str) -> None:
    sent, stored = text.split("\n  sent ")[1].split("\n  stored ")
    assert session.github_token() in sent
    assert session.github_token() not in stored
    assert "Read with [REDACTED:github_token] from" in stored
    assert "reported by [REDACTED:email]." in stored
    assert re.search(r"^http://127\.0\.0\.1:\d+/login/\S+\?next=/skills/release-notes/training$", text, re.MULTILINE)
    to_copy = ("http://", "GOLDVEIN_API_KEY=", "/")
    assert [line for line in text.splitlines() if len(line) > 80 and not line.startswith(to_copy)] == []


def test_a_taken_port_is_a_clear_error(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("demo", "--port", str(port), env=env)
    assert (done.returncode, done.stdout) == (1, b"")
    expected = f"goldvein: not_configured: cannot listen on 127.0.0.1 port {port}: {os.strerror(errno.EADDRINUSE)}.\n"
    assert done.stderr.decode() == expected
    assert not (tmp_path / "data").exists()


def test_it_refuses_a_store_with_real_organisations_and_leaves_it_alone(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    assert run("migrate", env=env).returncode == 0
    made = run("tenant", "create", "Initech", "--admin-email", "a@initech.example", "--admin-name", "A", env=env)
    assert made.returncode == 0
    done = run("demo", "--port", "0", env=env)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"goldvein: not_allowed: This store holds real organisations")
    assert len(run("tenant", "list", "--json", env=env).stdout.split(b'"id"')) == 2


def test_without_a_data_folder_it_takes_one_of_its_own(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with running_demo(env) as demo:
        assert demo.program.stop(signal.SIGTERM) == (0, b"", b"")
    assert (tmp_path / "share" / "goldvein-demo" / "goldvein.db").is_file()
    assert not (tmp_path / "share" / "goldvein").exists()


def test_a_revoked_key_is_explained(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    with running_demo(env) as demo:
        with Client(demo.url, demo.key("bob")) as bob:
            bob.revoke_key(bob.list_keys()[0]["id"])
        assert demo.program.stop()[0] == 0
    done = run("demo", "--port", "0", env=env)
    assert done.returncode == 1
    assert b"a key of the demo was revoked; remove " in done.stderr
