import hashlib
from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from helpers import check_refused, client_with, new_key, ok, refusal, rows, wrong_field
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from goldvein.consent.service import builtin_notice
from goldvein.consent.tables import ConsentEvent, Notice

GIVE, WITHDRAW = {"decision": "give"}, {"decision": "withdraw"}
CONSENT, PREFERENCES = "/api/me/consent", "/api/me/preferences"


def events(world: World, name: str | None = None) -> list[ConsentEvent]:
    """The consent events of Acme in order; of one person, or all."""
    found = sorted(rows(world, ConsentEvent), key=lambda event: event.seq)
    return found if name is None else [event for event in found if event.person_id == world.someone(name).person_id]


def uses_captured(world: World, name: str = "erin", **fields: Any) -> str:
    answer = ok(world.track(name, tool_input_snippet="question", tool_output_snippet="answer", **fields))
    capture: dict[str, str | None] = answer["capture"]
    return capture["reason"] or capture["outcome"]  # type: ignore[return-value]  # one of them is there


def test_nobody_has_consented_before_choosing(world: World) -> None:
    assert ok(world.client("erin").get(PREFERENCES))["training_data_consent"] is False
    shown = ok(world.client("erin").get(CONSENT))
    assert (shown["training_data_consent"], shown["revision"], shown["records"]) == (False, 0, [])
    assert uses_captured(world) == "no_consent"
    check_refused(world, "GET", CONSENT, anonymous=401)
    check_refused(world, "GET", PREFERENCES, anonymous=401)
    check_refused(world, "POST", CONSENT, GIVE, anonymous=401)
    check_refused(world, "PATCH", PREFERENCES, {"training_data_consent": True}, anonymous=401)


def test_a_yes_is_recorded_with_who_when_how_and_to_which_text(world: World) -> None:
    given = ok(world.browser("erin").post(CONSENT, json=GIVE))
    event = events(world, "erin")[-1]
    version, notice = builtin_notice()
    assert (event.action, event.actor_id, event.channel) == ("given", world.someone("erin").person_id, "web")
    assert (event.occurred_at, event.notice_version) == (world.time, version)
    assert version == "sha256:" + hashlib.sha256(notice.encode()).hexdigest()
    assert [row.text for row in rows(world, Notice) if row.version == version] == [notice]
    assert ok(world.client("erin").get("/api/notice")) == {
        "version": version,
        "language": "en",
        "text": notice,
        "purposes": ["evaluation", "training", "sharing_outside_tenant"],
        "edition": 1,
    }
    assert given["records"][0]["id"] == event.id
    assert given["records"][0]["notice_version"] == version
    assert given["training_data_consent"] is True
    assert uses_captured(world) == "captured"
    ok(world.client("erin").post(CONSENT, json=WITHDRAW))
    assert events(world, "erin")[-1].channel == "api"


def test_events_are_numbered_without_a_gap(world: World) -> None:
    for name, choice in (("erin", GIVE), ("bob", WITHDRAW), ("erin", WITHDRAW), ("erin", GIVE)):
        ok(world.client(name).post(CONSENT, json=choice))
    assert [event.seq for event in events(world)] == [1, 2, 3, 4, 5, 6]


def test_the_ledger_of_one_tenant_does_not_move_another(world: World) -> None:
    ok(world.client("charlie").post(CONSENT, json=GIVE))
    assert [event.seq for event in rows(world, ConsentEvent, of="charlie")] == [1]
    assert len(events(world)) == 2


def owner_connection(world: World) -> Any:
    url = make_url(world.owner_url)
    return create_engine(url.set(username="postgres") if url.get_backend_name() == "postgresql" else url)


def test_nothing_that_was_chosen_can_be_changed_or_removed(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        "UPDATE consent_events SET action = 'given', notice_version = 'x' WHERE action = 'withdrawn'",
        "UPDATE consent_events SET seq = seq",
        "DELETE FROM consent_events WHERE seq = 2",
        "DELETE FROM consent_events",
    ]
    for statement in cases:
        with subtests.test(statement=statement):
            ok(world.client("bob").post(CONSENT, json=WITHDRAW))
            before = [(event.seq, event.action) for event in events(world)]
            engine = owner_connection(world)  # even the owner of the tables, and a superuser, run into the trigger
            try:
                with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
                    connection.execute(text(statement))
            finally:
                engine.dispose()
            assert [(event.seq, event.action) for event in events(world)] == before


def test_replacing_or_truncating_is_no_way_around(world: World) -> None:
    engine = world.database.engine if world.is_sqlite else owner_connection(world)
    replacing = (
        "INSERT OR REPLACE INTO consent_events SELECT * FROM consent_events"
        if world.is_sqlite
        else "TRUNCATE consent_events CASCADE"
    )
    try:
        with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(replacing))
    finally:
        engine.dispose()
    assert len(events(world)) == 2


def test_giving_needs_a_session_or_a_key_with_scope_me(world: World) -> None:
    narrow = client_with(world, new_key(world, "erin", "track", "read", "review", "export")["api_key"])
    for response in (
        narrow.post(CONSENT, json=GIVE),
        narrow.patch(PREFERENCES, json={"training_data_consent": True}),
    ):
        assert refusal(response, 403, "missing_scope")["scope"] == "me"
    assert events(world, "erin") == []
    ok(world.browser("erin").post(CONSENT, json=GIVE))
    ok(client_with(world, new_key(world, "erin", "me")["api_key"]).post(CONSENT, json=GIVE))
    assert [event.action for event in events(world, "erin")] == ["given", "renewed"]


@pytest.mark.parametrize(
    ("method", "path", "body"), [("POST", CONSENT, WITHDRAW), ("PATCH", PREFERENCES, {"training_data_consent": False})]
)
@pytest.mark.parametrize("scope", ["track", "read"])
def test_any_key_of_the_person_withdraws(
    world: World, method: str, path: str, body: dict[str, Any], scope: str
) -> None:
    key = client_with(world, new_key(world, "bob", scope)["api_key"])
    assert ok(key.request(method, path, json=body))["training_data_consent"] is False
    assert uses_captured(world, "bob") == "withdrawn"


def test_withdrawing_what_was_never_given_records_nothing(world: World) -> None:
    for _ in range(2):
        assert ok(world.client("erin").post(CONSENT, json=WITHDRAW))["erased_examples"] == 0
    ok(world.client("bob").post(CONSENT, json=WITHDRAW))
    ok(world.client("bob").post(CONSENT, json=WITHDRAW))
    assert events(world, "erin") == []
    assert [event.action for event in events(world, "bob")] == ["given", "withdrawn"]
    assert world.metric("goldvein_consent_changes_total", action="withdrawn") == 1


def test_one_box_means_evaluation_and_training_and_never_sharing(world: World) -> None:
    assert ok(world.browser("erin").patch(PREFERENCES, json={"training_data_consent": True}))["training_data_consent"]
    ok(world.browser("erin").post(CONSENT, json=GIVE))
    assert [event.purposes for event in events(world, "erin")] == [["evaluation", "training"]] * 2
    named = GIVE | {"purposes": ["sharing_outside_tenant", "evaluation"]}
    ok(world.browser("erin").post(CONSENT, json=named))
    assert events(world, "erin")[-1].purposes == ["evaluation", "sharing_outside_tenant"]


def test_a_consent_may_be_for_some_skills_only(world: World) -> None:
    other = ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)
    ok(world.browser("erin").post(CONSENT, json=GIVE | {"skills": ["other"]}))
    assert events(world, "erin")[-1].skill_ids == [other["id"]]
    assert uses_captured(world) == "skill_not_covered"
    assert uses_captured(world, skill_id="other") == "captured"
    ok(world.browser("erin").post(CONSENT, json=GIVE | {"skills": [world.skill_id(), "other", "other"]}))
    assert uses_captured(world) == "captured"


def test_a_choice_that_is_none_changes_nothing(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"decision": "yes"}, 422, "decision"),
        ({}, 422, "decision"),
        (GIVE | {"purposes": []}, 422, "purposes"),
        (GIVE | {"purposes": ["marketing"]}, 422, "purposes"),
        (GIVE | {"purposes": "training"}, 422, "purposes"),
        (GIVE | {"skills": []}, 422, "skills"),
        (GIVE | {"skills": ["release-notes"] * 101}, 422, "skills"),
        (GIVE | {"skills": ["globex-notes"]}, 404, None),
        (GIVE | {"notice_version": "sha256:" + "0" * 64}, 409, None),
        (WITHDRAW | {"skills": []}, 422, "skills"),
        (WITHDRAW | {"skills": ["globex-notes"]}, 404, None),
        (WITHDRAW | {"purposes": []}, 422, "purposes"),
        (WITHDRAW | {"purposes": ["marketing"]}, 422, "purposes"),
        (WITHDRAW | {"purposes": ["training"], "skills": ["release-notes"]}, 422, "purposes"),
        ({"decision": "refuse"}, 422, "decision"),
        ({"decision": "refuse", "skills": ["release-notes"]}, 422, "skills"),
        ({"decision": "refuse", "purposes": ["training"]}, 422, "purposes"),
    ]
    for body, status, field in cases:
        with subtests.test(body=body, status=status, field=field):
            before = len(events(world))
            response = world.browser("bob").post(CONSENT, json=body)
            assert response.status_code == status, response.text
            if field is not None:
                assert wrong_field(response) == field
            assert len(events(world)) == before


def test_a_yes_to_another_text_is_no_yes(world: World) -> None:
    old = world.browser("erin").post(CONSENT, json=GIVE | {"notice_version": "sha256:" + "0" * 64})
    assert refusal(old, 409, "stale_revision")["current"] == {
        "notice_version": builtin_notice()[0],
        "language": "en",
        "text": builtin_notice()[1],
        "edition": 1,
    }
    ok(world.browser("erin").post(CONSENT, json=GIVE | {"notice_version": builtin_notice()[0]}))


@pytest.mark.parametrize("path", [CONSENT, PREFERENCES])
def test_a_stale_form_does_not_restore_a_withdrawn_consent(world: World, path: str) -> None:
    browser = world.browser("bob")
    stale = browser.get(path).headers["etag"]
    ok(world.client("bob").post(CONSENT, json=WITHDRAW))
    body = GIVE if path == CONSENT else {"training_data_consent": True}
    response = browser.request("POST" if path == CONSENT else "PATCH", path, json=body, headers={"If-Match": stale})
    changed = {"training_data_consent": False, "revision": 3}
    if path == CONSENT:
        changed |= {"action": "withdrawn", "channel": "api", "purposes": [], "occurred_at": world.time.isoformat()}
    assert refusal(response, 409, "stale_revision")["current"] == changed
    assert uses_captured(world, "bob") == "withdrawn"
    fresh = browser.get(path).headers["etag"]
    ok(browser.request("POST" if path == CONSENT else "PATCH", path, json=body, headers={"If-Match": fresh}))


def test_a_consent_ends_by_itself_and_can_be_renewed(world: World) -> None:
    ok(world.browser("erin").post(CONSENT, json=GIVE))
    world.time += timedelta(days=365) - timedelta(seconds=1)
    assert uses_captured(world) == "captured"
    world.time += timedelta(seconds=1)
    assert uses_captured(world) == "expired"
    assert ok(world.client("erin").get(PREFERENCES))["training_data_consent"] is False
    ok(world.browser("erin").post(CONSENT, json=GIVE))
    assert uses_captured(world) == "captured"


def test_preferences_are_changed_one_field_at_a_time(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        {},
        {"training_data_consent": None},
        {"training_data_consent": True, "display": "name"},
        {"display": "nick"},
        {"training_data_consent": "true"},
        {"training_data_consent": 1},
        {"capture": True},
    ]
    for body in cases:
        with subtests.test(body=body):
            assert world.browser("erin").patch(PREFERENCES, json=body).status_code == 422
            assert ok(world.client("erin").get(PREFERENCES)) == {
                "training_data_consent": False,
                "display": "pseudonym",
                "revision": 0,
            }


def test_changing_another_preference_never_touches_the_consent(world: World) -> None:
    for name, consented in (("erin", False), ("bob", True)):
        changed = ok(world.browser(name).patch(PREFERENCES, json={"display": "name"}))
        assert (changed["training_data_consent"], changed["display"]) == (consented, "name")
    assert len(events(world)) == 2


def test_only_an_admin_switches_capture(world: World) -> None:
    off = {"training_data_capture_enabled": False}
    check_refused(world, "GET", "/api/settings", anonymous=401, bob=403, alice=403)
    check_refused(world, "PATCH", "/api/settings", off, anonymous=401, bob=403, alice=403)
    ok(world.client("charlie").patch("/api/settings", json=off))
    assert ok(world.client("dana").get("/api/settings"))["training_data_capture_enabled"] is True
    assert ok(world.client("dana").patch("/api/settings", json=off))["training_data_capture_enabled"] is False
    assert uses_captured(world, "bob") == "tenant_switch_off"


def test_a_new_tenant_captures_nothing(world: World) -> None:
    assert ok(world.client("charlie").get("/api/settings"))["training_data_capture_enabled"] is False
    ok(world.browser("charlie").post(CONSENT, json=GIVE))
    assert uses_captured(world, "charlie", skill_id="globex-notes") == "tenant_switch_off"


def test_switching_to_what_already_is_makes_no_event(world: World) -> None:
    dana = world.client("dana")
    for on in (True, True, False, False, True):
        ok(dana.patch("/api/settings", json={"training_data_capture_enabled": on}))
    switches = [event for event in events(world) if event.subject == "tenant"]
    assert [event.action for event in switches] == ["switched_on", "switched_off", "switched_on"]
    assert {event.actor_id for event in switches} == {world.someone("dana").person_id}
    assert world.metric("goldvein_consent_changes_total", action="switched_off") == 1


def test_switching_on_gives_nobodys_consent(world: World) -> None:
    dana = world.client("dana")
    ok(world.client("bob").post(CONSENT, json=WITHDRAW))
    for on in (False, True):
        ok(dana.patch("/api/settings", json={"training_data_capture_enabled": on}))
    assert (uses_captured(world, "bob"), uses_captured(world, "erin")) == ("withdrawn", "no_consent")


def test_switching_off_leaves_what_is_stored_and_who_consented(world: World) -> None:
    example_id = world.capture()
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))
    ok(world.client("alice").post(f"/api/training-examples/{example_id}/review", json={"decision": "approve"}))
    assert ok(world.client("bob").get(PREFERENCES))["training_data_consent"] is True


def test_a_stale_form_of_the_settings_is_a_conflict(world: World) -> None:
    dana = world.client("dana")
    stale = dana.get("/api/settings").headers["etag"]
    ok(dana.patch("/api/settings", json={"training_data_capture_enabled": False}, headers={"If-Match": stale}))
    response = dana.patch("/api/settings", json={"training_data_capture_enabled": True}, headers={"If-Match": stale})
    current = refusal(response, 409, "stale_revision")["current"]
    assert current["training_data_capture_enabled"] is False
    assert uses_captured(world, "bob") == "tenant_switch_off"


def test_saving_the_name_never_moves_the_switch(world: World) -> None:
    assert ok(world.client("charlie").patch("/api/settings", json={"name": "Globex Ltd"}))["name"] == "Globex Ltd"
    assert ok(world.client("charlie").get("/api/settings"))["training_data_capture_enabled"] is False
    assert ok(world.client("dana").patch("/api/settings", json={"name": "Acme Ltd"}))["training_data_capture_enabled"]
    assert len(events(world)) == 2


def test_settings_are_changed_one_field_at_a_time(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        {},
        {"name": ""},
        {"name": "a\x00"},
        {"name": "n" * 201},
        {"training_data_capture_enabled": "false"},
        {"training_data_capture_enabled": 0},
        {"training_data_capture_enabled": None},
        {"training_data_consent": True},
        {"name": "A", "training_data_capture_enabled": False},
    ]
    for body in cases:
        with subtests.test(body=body):
            before = ok(world.client("dana").get("/api/settings"))
            assert world.client("dana").patch("/api/settings", json=body).status_code == 422
            assert ok(world.client("dana").get("/api/settings")) == before
