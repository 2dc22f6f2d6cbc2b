from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from conftest import ORIGIN, World
from helpers import client_with, ok, refusal

from goldvein.db.session import Database
from goldvein.identity.access import Limiter, network_of
from goldvein.identity.keys import new_token

USE = {"skill_id": "release-notes", "tool_name": "Bash", "ts": "2026-03-01T12:00:00Z"}


def limit(world: World, **settings: int) -> None:
    world.runtime.limiter = Limiter(replace(world.runtime.settings, **settings))


@contextmanager
def exploding_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every transaction fails; the list says that one was asked for."""
    asked: list[str] = []

    def explode(_database: Database, tenant_id: str) -> Any:
        asked.append(tenant_id)
        raise AssertionError("the database was asked")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", explode)
        patch.setattr(Database, "write", explode)
        yield asked


def check_retry_after(response: Any) -> None:
    details = refusal(response, 429, "too_many_requests")
    assert response.headers["retry-after"] == str(details["retry_after_seconds"])
    assert 1 <= details["retry_after_seconds"] <= 60


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/me"), ("POST", "/api/track")])
def test_wrong_keys_are_counted_and_then_refused_before_the_database_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    limit(world, failed_authentication_limit_per_minute=3)
    unknown = client_with(world, new_token("live").text)
    for _ in range(3):
        refusal(unknown.request(method, path, json=USE), 401, "not_authenticated")
    with exploding_database(monkeypatch) as asked:
        check_retry_after(unknown.request(method, path, json=USE))
    assert asked == []
    assert world.client("bob").request(method, path, json=USE).status_code == 200  # others at the address go on


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/me"), ("POST", "/api/track")])
def test_an_address_that_tries_ever_new_keys_is_refused_too(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    limit(world, failed_authentication_limit_per_minute=1)
    for _ in range(20):
        unknown = client_with(world, new_token("live").text)
        refusal(unknown.request(method, path, json=USE), 401, "not_authenticated")
    with exploding_database(monkeypatch) as asked:
        check_retry_after(client_with(world, new_token("live").text).request(method, path, json=USE))
    assert asked == []


def test_one_ipv6_customer_is_one_place() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::ffff") != network_of("2001:db8:1:3::4")
    assert network_of("203.0.113.7") == "203.0.113.7"
    assert network_of("unknown") == "unknown"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/me"), ("POST", "/api/track"), ("POST", "/api/hooks/claude-code")]
)
def test_what_has_not_the_form_of_a_key_never_reaches_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    limit(world, failed_authentication_limit_per_minute=2)
    mistyped = world.someone("bob").api_key[:-1] + "!"
    with exploding_database(monkeypatch) as asked:
        for _ in range(2):
            refusal(client_with(world, mistyped).request(method, path, json=USE), 401, "not_authenticated")
        limited = client_with(world, mistyped).request(method, path, json=USE)
        if path == "/api/hooks/claude-code":  # answers are read as hook output
            assert (limited.status_code, limited.json()) == (200, {})
        else:
            check_retry_after(limited)
    assert asked == []


def test_wrong_passwords_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, failed_authentication_limit_per_minute=2)
    form = {"email": "bob@acme.example", "password": "guess after guess"}
    browser = world.anonymous(Origin=ORIGIN)
    assert [browser.post("/sign-in", data=form).status_code for _ in range(2)] == [401, 401]
    with exploding_database(monkeypatch) as asked:
        refused = browser.post("/sign-in", data=form)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert asked == []


def test_right_keys_count_no_failure(world: World) -> None:
    limit(world, failed_authentication_limit_per_minute=1)
    for _ in range(3):
        ok(world.client("bob").get("/api/me"))
        ok(world.track("bob"))


def test_a_key_reports_as_many_uses_as_the_limit_allows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, track_limit_per_minute=2)
    assert [world.track("bob").status_code for _ in range(2)] == [200, 200]
    with exploding_database(monkeypatch) as asked:
        check_retry_after(world.track("bob"))
    assert asked == []
    assert world.track("erin").status_code == 200  # each key has its own
    assert world.metric("goldvein_events_total", door="track", outcome="rejected", reason="too_many_requests") == 1


def test_the_limit_comes_from_the_settings(world: World) -> None:
    assert world.runtime.settings.track_limit_per_minute == 3_000
    assert world.runtime.settings.failed_authentication_limit_per_minute == 60
