import hashlib
from datetime import timedelta
from typing import Any

import pytest
from conftest import World
from helpers import check_refused, client_with, github_token, new_key, ok, refusal, rows, wrong_field
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from goldvein.consent import service as consent
from goldvein.consent.notices import BUILTIN_EDITION, accepted_languages, builtin_notice
from goldvein.consent.tables import ConsentEvent, ConsentRequest, NoticePublication
from goldvein.feedback.tables import TrainingExample

CONSENT, NOTICE, NOTICES = "/api/me/consent", "/api/notice", "/api/notices"
GIVE, WITHDRAW, REFUSE = {"decision": "give"}, {"decision": "withdraw"}, {"decision": "refuse"}
TEXT = {"language": "en", "text": "# Acme asks\n\nFor less.", "purposes": ["evaluation", "training"], "wider": False}
WIDER = TEXT | {"text": "# Acme asks\n\nFor more.", "wider": True}


def publish(world: World, **fields: Any) -> dict[str, Any]:
    published: dict[str, Any] = ok(world.client("dana").post(NOTICES, json=TEXT | fields), 201)
    return published


def outcome(world: World, name: str = "bob", **fields: Any) -> str:
    sent = {"tool_input_snippet": "question", "tool_output_snippet": "answer", **fields}
    capture = ok(world.track(name, **sent))["capture"]
    reason: str = capture["reason"] or capture["outcome"]
    return reason


def actions(world: World, name: str = "bob") -> list[str]:
    person_id = world.someone(name).person_id
    return [
        event.action for event in sorted(rows(world, ConsentEvent), key=lambda e: e.seq) if event.person_id == person_id
    ]


def second_skill(world: World) -> str:
    skill_id: str = ok(world.client("alice").post("/api/skills", json={"slug": "other", "name": "Other"}), 201)["id"]
    return skill_id


# Notices


def test_a_tenants_own_notice_takes_the_place_of_the_built_in_one(world: World) -> None:
    published = publish(world)
    shown = ok(world.client("erin").get(NOTICE))
    text_stored = TEXT["text"] + "\n"  # type: ignore[operator]  # a str
    assert shown["version"] == published["version"] == "sha256:" + hashlib.sha256(text_stored.encode()).hexdigest()
    assert (shown["text"], shown["purposes"], shown["edition"]) == (text_stored, TEXT["purposes"], 1)
    assert ok(world.client("charlie").get(NOTICE))["version"] == builtin_notice()[0]
    ok(world.client("erin").post(CONSENT, json=GIVE))
    event = next(e for e in rows(world, ConsentEvent) if e.person_id == world.someone("erin").person_id)
    assert (event.notice_version, event.notice_edition) == (published["version"], 1)


def test_the_built_in_text_does_not_change_without_its_edition() -> None:
    """Whoever changes the text decides whether it asks for more (then its edition goes up) and notes it here."""
    digest = hashlib.sha256(builtin_notice()[1].encode()).hexdigest()
    assert (BUILTIN_EDITION, digest[:16]) == (1, "881f15f4c06fd229")


def test_each_language_has_its_own_text_and_the_best_one_is_shown(world: World) -> None:
    publish(world, language="fr", text="Un avis.")
    publish(world, language="pt-BR", text="Um aviso.")
    client = world.client("erin")
    for asked, language in (("fr", "fr"), ("fr-CA", "fr"), ("pt-BR", "pt-BR"), ("de", "en"), ("xx-weird!", "en")):
        assert ok(client.get(NOTICE, params={"language": asked}))["language"] == language, asked
    accepted = ok(client.get(NOTICE, headers={"Accept-Language": "de, fr;q=0.8, en;q=0.5"}))
    assert accepted["language"] == "fr"
    assert accepted_languages("en;q=0.1, fr, de;q=0, *;q=0.5, x;q=y") == ["fr", "en"]


def test_a_language_that_asks_for_less_than_another_is_not_in_force(world: World) -> None:
    publish(world, language="fr", text="Un avis.")
    publish(world, language="en", text="More.", wider=True)
    assert ok(world.client("erin").get(NOTICE, params={"language": "fr"}))["language"] == "en"
    publish(world, language="fr", text="Plus.")
    assert ok(world.client("erin").get(NOTICE, params={"language": "fr"}))["text"] == "Plus.\n"


def test_only_an_admin_puts_a_notice_in_force(world: World) -> None:
    check_refused(world, "POST", NOTICES, TEXT, anonymous=401, bob=403, alice=403)
    check_refused(world, "GET", NOTICES, anonymous=401, bob=403, alice=403)
    no_admin_scope = client_with(world, new_key(world, "dana", "me", "read")["api_key"])
    assert refusal(no_admin_scope.post(NOTICES, json=TEXT), 403, "missing_scope")["scope"] == "admin"
    assert rows(world, NoticePublication) == []


def test_a_notice_that_is_none_is_refused(world: World, subtests: pytest.Subtests) -> None:
    cases: list[Any] = [
        ({"language": "English"}, "language"),
        ({"language": ""}, "language"),
        ({"text": " \n "}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": f"Our key is {github_token()}"}, "text"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["marketing"]}, "purposes"),
        ({"purposes": ["sharing_outside_tenant"]}, "purposes"),
        ({"wider": "no"}, "wider"),
        ({"wider": None}, "wider"),
    ]
    for change, field in cases:
        with subtests.test(change=change):
            assert wrong_field(world.client("dana").post(NOTICES, json=TEXT | change)) == field
    assert rows(world, NoticePublication) == []
    publish(world, text="Ask privacy@acme.example or +49 30 901820.")


def test_two_admins_do_not_overwrite_each_others_notice(world: World) -> None:
    dana = world.client("dana")
    seen = dana.get(NOTICES).headers["etag"]
    first = ok(dana.post(NOTICES, json=TEXT, headers={"If-Match": seen}), 201)
    late = dana.post(NOTICES, json=WIDER, headers={"If-Match": seen})
    current = refusal(late, 409, "stale_revision")["current"]
    assert current == {"revision": 1, "notice_version": first["version"]}
    assert [row.number for row in rows(world, NoticePublication)] == [1]


def test_a_text_can_be_put_back_and_each_time_is_kept(world: World) -> None:
    first = publish(world)
    publish(world, **WIDER)
    again = publish(world)
    assert again["version"] == first["version"]
    listed = ok(world.client("dana").get(NOTICES))["items"]
    assert [(row["number"], row["edition"]) for row in listed] == [(3, 2), (2, 2), (1, 1)]


def test_a_version_can_be_read_for_ever_and_only_in_its_tenant(world: World) -> None:
    old = publish(world)
    publish(world, **WIDER)
    path = f"{NOTICES}/{old['version']}"
    assert ok(world.client("bob").get(path))["text"] == "# Acme asks\n\nFor less.\n"
    refusal(world.client("charlie").get(path), 404, "not_found")
    assert ok(world.client("charlie").get(f"{NOTICES}/{builtin_notice()[0]}"))["text"] == builtin_notice()[1]


def test_another_tenants_notice_does_not_exist(world: World) -> None:
    theirs = ok(world.client("charlie").post(NOTICES, json=TEXT | {"text": "Globex asks."}), 201)["version"]
    unknown = world.client("erin").post(CONSENT, json=GIVE | {"notice_version": "sha256:" + "0" * 64})
    answer = world.client("erin").post(CONSENT, json=GIVE | {"notice_version": theirs})
    assert refusal(answer, 409, "stale_revision") == refusal(unknown, 409, "stale_revision")
    refusal(world.client("dana").post(f"{NOTICES}/{theirs}/invalidate"), 404, "not_found")
    assert ok(world.client("erin").get(NOTICE))["version"] == builtin_notice()[0]


# Wider notices


def test_a_wider_notice_makes_earlier_consents_insufficient_until_renewed(world: World) -> None:
    kept = world.capture()
    publish(world)
    assert outcome(world) == "captured"  # another text for the same: nobody is asked again
    wider = publish(world, **WIDER)
    assert wider["edition"] == 2
    assert outcome(world) == "notice_outdated"
    state = ok(world.client("bob").get(CONSENT))
    assert (state["training_data_consent"], state["notice_edition"]) == (False, 2)
    # what is stored stays, and can be approved
    ok(world.client("alice").post(f"/api/training-examples/{kept}/review", json={"decision": "approve"}))
    ok(world.client("bob").post(CONSENT, json=GIVE | {"notice_version": wider["version"]}))
    assert outcome(world) == "captured"
    assert actions(world) == ["given", "renewed"]


def test_a_new_purpose_makes_a_notice_wider_whatever_the_admin_says(world: World) -> None:
    publish(world, purposes=["evaluation"])
    assert publish(world, text="Train.", purposes=["evaluation", "training"])["edition"] == 2
    assert outcome(world) == "notice_outdated"
    assert publish(world, text="Less.", purposes=["evaluation"])["edition"] == 2
    assert outcome(world) == "notice_outdated"


def test_switching_capture_off_and_on_does_not_make_an_old_consent_enough(world: World) -> None:
    dana = world.client("dana")
    ok(dana.patch("/api/settings", json={"training_data_capture_enabled": False}))
    publish(world, **WIDER)
    ok(dana.patch("/api/settings", json={"training_data_capture_enabled": True}))
    assert outcome(world) == "notice_outdated"


def test_publishing_leaves_a_switch_that_is_off_off(world: World) -> None:
    ok(world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}))
    publish(world, **WIDER)
    assert ok(world.client("dana").get("/api/settings"))["training_data_capture_enabled"] is False
    assert outcome(world) == "tenant_switch_off"


def test_a_part_withdrawn_under_an_old_notice_stays_under_the_old_notice(world: World) -> None:
    second_skill(world)
    publish(world, **WIDER)
    ok(world.client("bob").post(CONSENT, json=WITHDRAW | {"skills": ["other"]}))
    assert outcome(world) == "notice_outdated"


def test_a_notice_replaced_between_reading_and_choosing_is_a_conflict_with_the_new_one(world: World) -> None:
    shown = ok(world.client("erin").get(NOTICE))
    wider = publish(world, **WIDER)
    for choice in (GIVE, REFUSE):
        answer = world.client("erin").post(CONSENT, json=choice | {"notice_version": shown["version"]})
        current = refusal(answer, 409, "stale_revision")["current"]
        assert (current["notice_version"], current["text"]) == (wider["version"], "# Acme asks\n\nFor more.\n")
    assert actions(world, "erin") == []


def test_a_row_of_a_server_without_editions_counts_as_outdated(world: World) -> None:
    """A server of the release before writes no edition: what it records must never be a yes to a wider notice."""
    bob = world.someone("bob")
    with world.database.write(bob.tenant_id) as session:
        event = consent.give_consent(session, bob.actor(), now=world.time, lifetime=timedelta(days=1))
        values = {name: getattr(event, name) for name in ConsentEvent.__mapper__.attrs.keys()}  # noqa: SIM118
        values |= {"id": world.someone("alice").person_id, "seq": event.seq + 1, "notice_edition": None}
        session.add(ConsentEvent(**values))
    assert outcome(world) == "notice_outdated"


# What was shown


def test_a_notice_that_was_shown_is_recorded_once_for_each_version(world: World) -> None:
    for _ in range(2):
        ok(world.client("erin").get(NOTICE))
        assert world.browser("erin").get("/preferences").status_code == 200
    publish(world)
    ok(
        world.anonymous(Authorization=f"Bearer {world.someone('erin').api_key}", **{"X-Goldvein-Channel": "cli"}).get(
            NOTICE
        )
    )
    shown = sorted(rows(world, ConsentRequest), key=lambda row: row.id)
    assert [(row.channel, row.skill_id) for row in shown] == [("api", None), ("cli", None)]
    assert {row.person_id for row in shown} == {world.someone("erin").person_id}
    listed = ok(world.client("erin").get(CONSENT))
    assert [row["notice_version"] for row in listed["requests"]] == [row.notice_version for row in reversed(shown)]
    assert (listed["revision"], listed["records"]) == (0, [])


def test_a_person_is_asked_about_a_skill_once(world: World) -> None:
    browser, question = world.browser("erin"), "May your uses of this skill"
    assert question in browser.get("/skills/release-notes").text
    assert question not in browser.get("/skills/release-notes").text
    asked = [row for row in rows(world, ConsentRequest) if row.skill_id is not None]
    assert [row.skill_id for row in asked] == [world.skill_id()]
    publish(world, **WIDER)
    assert question in browser.get("/skills/release-notes").text
    assert question not in world.browser("charlie").get("/skills/globex-notes").text  # capture is off there


def test_a_no_silences_the_question_until_a_wider_notice(world: World) -> None:
    question = "May your uses of this skill"
    ok(world.client("erin").post(CONSENT, json=REFUSE))
    ok(world.client("bob").post(CONSENT, json=WITHDRAW))
    publish(world)
    for name in ("erin", "bob"):
        assert question not in world.browser(name).get("/skills/release-notes").text
    publish(world, **WIDER)
    for name in ("erin", "bob"):
        assert question in world.browser(name).get("/skills/release-notes").text


# Refusing


def test_a_refusal_is_recorded_and_is_no_consent(world: World) -> None:
    narrow = client_with(world, new_key(world, "erin", "track")["api_key"])
    for _ in range(2):
        assert ok(narrow.post(CONSENT, json=REFUSE))["training_data_consent"] is False
    assert actions(world, "erin") == ["refused"]
    assert outcome(world, "erin") == "no_consent"
    assert wrong_field(world.client("bob").post(CONSENT, json=REFUSE)) == "decision"
    ok(world.client("erin").post(CONSENT, json=GIVE))
    assert (actions(world, "erin"), outcome(world, "erin")) == (["refused", "given"], "captured")


def test_refusing_a_wider_notice_erases_nothing_and_can_be_followed_by_a_withdrawal(world: World) -> None:
    example = world.capture()
    publish(world, **WIDER)
    ok(world.client("bob").post(CONSENT, json=REFUSE))
    assert outcome(world) == "no_consent"
    ok(world.client("alice").post(f"/api/training-examples/{example}/review", json={"decision": "approve"}))
    assert ok(world.client("bob").post(CONSENT, json=WITHDRAW))["erased_examples"] == 1
    assert actions(world) == ["given", "refused", "withdrawn"]


# One skill, one purpose


def two_captures(world: World) -> tuple[str, str]:
    here = world.capture(text="words here", event_id="here")
    second_skill(world)
    ok(
        world.track(
            "bob", skill_id="other", tool_input_snippet="words there", tool_output_snippet="a", event_id="there"
        )
    )
    return here, next(row.id for row in rows(world, TrainingExample) if row.id != here)


@pytest.mark.parametrize("way", ["api", "web", "track key"])
def test_withdrawing_for_one_skill_erases_that_skill_and_leaves_the_rest(world: World, way: str) -> None:
    here, there = two_captures(world)
    body = WITHDRAW | {"skills": ["release-notes"]}
    if way == "web":
        path = f"/preferences/consent/skills/{world.skill_id()}/withdraw"
        answer = world.browser("bob").post(path)
        assert answer.headers["location"] == "/preferences?done=skill_withdrawn&count=1#by-skill"
    else:
        client = world.client("bob") if way == "api" else client_with(world, new_key(world, "bob", "track")["api_key"])
        answer = ok(client.post(CONSENT, json=body))
        assert (answer["erased_examples"], answer["training_data_consent"]) == (1, True)
    statuses = {row.id: (row.status, row.example_input) for row in rows(world, TrainingExample)}
    assert statuses == {here: ("withdrawn", None), there: ("pending", "words there")}
    assert "words here" not in world.every_cell()
    assert outcome(world) == "skill_not_covered"
    assert outcome(world, skill_id="other") == "captured"
    ok(world.client("alice").post(f"/api/training-examples/{there}/review", json={"decision": "approve"}))
    # said twice: nothing more happens; given again: the scope is as it was
    ok(world.client("bob").post(CONSENT, json=body))
    assert actions(world) == ["given", "withdrawn"]
    ok(world.client("bob").post(CONSENT, json=GIVE | {"skills": ["release-notes"]}))
    last = ok(world.client("bob").get(CONSENT))["records"][0]
    assert (last["action"], last["skill_ids"], last["excepted_skill_ids"]) == ("renewed", None, None)
    assert outcome(world) == "captured"


def test_a_withdrawal_for_one_skill_is_all_or_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    two_captures(world)
    before = actions(world)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("goldvein.me.withdrawal.capture.forget_bodies", broken)
    assert world.client("bob").post(CONSENT, json=WITHDRAW | {"skills": ["release-notes"]}).status_code == 500
    assert actions(world) == before
    assert {row.status for row in rows(world, TrainingExample)} == {"pending"}


def test_withdrawing_the_last_named_skill_leaves_no_consent(world: World) -> None:
    ok(world.client("erin").post(CONSENT, json=GIVE | {"skills": ["release-notes"]}))
    answer = ok(world.client("erin").post(CONSENT, json=WITHDRAW | {"skills": ["release-notes"]}))
    assert answer["training_data_consent"] is False
    assert outcome(world, "erin") == "skill_not_covered"


def test_a_purpose_is_taken_back_for_what_is_stored_too(world: World) -> None:
    example = world.capture()
    path = f"/api/training-examples/{example}/review"
    ok(world.client("alice").post(path, json={"decision": "approve", "expected_output": "x"}))
    key = client_with(world, new_key(world, "bob", "track")["api_key"])
    answer = ok(key.post(CONSENT, json=WITHDRAW | {"purposes": ["training"]}))
    assert (answer["erased_examples"], answer["purposes"]) == (0, ["evaluation"])
    assert outcome(world) == "captured"
    assert exported(world) == (0, 1)
    ok(world.client("bob").post(CONSENT, json=GIVE | {"purposes": ["evaluation", "training"]}))
    assert exported(world) == (0, 1)  # what was taken back once does not come back by a later yes


def exported(world: World) -> tuple[int, int]:
    import io  # noqa: PLC0415
    import json  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    content = world.client("alice").get("/api/skills/release-notes/export").content
    counts = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("manifest.json"))["counts"]
    return counts["rows"], counts["skipped"]


def test_without_any_purpose_left_everything_is_withdrawn(world: World) -> None:
    world.capture()
    answer = ok(world.client("bob").post(CONSENT, json=WITHDRAW | {"purposes": ["evaluation", "training"]}))
    assert (answer["erased_examples"], answer["training_data_consent"]) == (1, False)
    assert wrong_field(world.client("bob").post(CONSENT, json=WITHDRAW | {"purposes": ["training"]})) == "purposes"


def test_taking_back_a_purpose_that_was_not_given_changes_nothing(world: World) -> None:
    world.capture()
    answer = ok(world.client("bob").post(CONSENT, json=WITHDRAW | {"purposes": ["sharing_outside_tenant"]}))
    assert (answer["erased_examples"], actions(world)) == (0, ["given"])


def test_a_purpose_that_the_notice_does_not_ask_for_cannot_be_given(world: World) -> None:
    publish(world, purposes=["evaluation"])
    for purposes in (["training"], ["evaluation", "sharing_outside_tenant"]):
        assert wrong_field(world.client("erin").post(CONSENT, json=GIVE | {"purposes": purposes})) == "purposes"
    ok(world.client("erin").post(CONSENT, json=GIVE))
    assert ok(world.client("erin").get(CONSENT))["purposes"] == ["evaluation"]


# Revoked, invalidated, expired


def test_an_admin_revokes_and_learns_nothing(world: World) -> None:
    example = world.capture(text="words of bob")
    dana = world.client("dana")
    answers = [
        dana.post(f"/api/members/{world.someone(name).person_id}/revoke-consent") for name in ("bob", "erin", "bob")
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    assert (actions(world), actions(world, "erin")) == (["given", "revoked"], [])
    assert outcome(world) == "revoked"
    assert "words of bob" not in world.every_cell()
    assert {row.id: row.status for row in rows(world, TrainingExample)} == {example: "withdrawn"}
    record = ok(world.client("bob").get(CONSENT))["records"][0]
    assert (record["action"], record["actor_id"]) == ("revoked", world.someone("dana").person_id)
    ok(world.client("bob").post(CONSENT, json=GIVE))
    assert outcome(world) == "captured"


def test_only_an_admin_revokes_and_not_their_own(world: World) -> None:
    path = f"/api/members/{world.someone('bob').person_id}/revoke-consent"
    check_refused(world, "POST", path, anonymous=401, alice=403, erin=403, charlie=404)
    own = f"/api/members/{world.someone('dana').person_id}/revoke-consent"
    refusal(world.client("dana").post(own), 403, "not_allowed")
    assert actions(world) == ["given"]


def test_no_admin_can_give_not_even_with_the_database_at_hand(world: World) -> None:
    """The store itself refuses a choice by anybody but the person."""
    url = make_url(world.owner_url)
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(url if is_sqlite else url.set(username="postgres"))
    columns = (
        "tenant_id, subject, person_id, channel, notice_version, notice_edition, purposes, expires_at, occurred_at"
    )
    dana, other = world.someone("dana").person_id, world.someone("alice").person_id
    ids = (dana.replace("-", ""), other.replace("-", "")) if is_sqlite else (dana, other)
    statement = (
        f"INSERT INTO consent_events ({columns}, id, seq, action, actor_id)"  # noqa: S608 (our own words)
        f" SELECT {columns}, '{ids[1]}', 99, '{{action}}', {{actor}} FROM consent_events WHERE subject = 'person'"
    )
    try:
        for action, actor in (("given", f"'{ids[0]}'"), ("renewed", f"'{ids[0]}'"), ("withdrawn", f"'{ids[0]}'")):
            with engine.connect() as connection, pytest.raises(DBAPIError, match="made by its person alone"):
                connection.execute(text(statement.format(action=action, actor=actor)))
        with engine.connect() as connection, pytest.raises(DBAPIError, match=r"by somebody else|only_a_yes_lasts"):
            connection.execute(text(statement.format(action="revoked", actor="person_id")))
        with engine.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text(statement.format(action="given", actor="NULL")))
    finally:
        engine.dispose()


def test_consents_to_a_wrong_notice_are_invalidated_and_what_stands_on_them_is_held_back(world: World) -> None:
    example = world.capture()
    version = ok(world.client("bob").get(NOTICE))["version"]
    ok(world.client("erin").post(CONSENT, json=REFUSE))
    check_refused(world, "POST", f"{NOTICES}/{version}/invalidate", anonymous=401, alice=403)
    for people in ("<5", "<5"):
        assert ok(world.client("dana").post(f"{NOTICES}/{version}/invalidate")) == {"people": people}
    assert (actions(world), actions(world, "erin")) == (["given", "invalidated"], ["refused"])
    assert outcome(world) == "invalidated"
    review = world.client("alice").post(f"/api/training-examples/{example}/review", json={"decision": "approve"})
    refusal(review, 403, "not_allowed")
    ok(world.client("bob").post(CONSENT, json=GIVE))
    assert outcome(world) == "captured"
    refusal(
        world.client("alice").post(f"/api/training-examples/{example}/review", json={"decision": "approve"}),
        403,
        "not_allowed",
    )


def record_expired(world: World) -> int:
    with world.database.write(world.someone("bob").tenant_id) as session:
        return consent.record_expired(session, world.time)


def test_an_ended_consent_stays_ended_when_the_clock_jumps_back(world: World) -> None:
    example = world.capture()
    assert record_expired(world) == 0
    world.time += timedelta(days=365)
    assert outcome(world) == "expired"
    assert [record_expired(world), record_expired(world)] == [1, 0]
    world.time -= timedelta(days=300)
    assert outcome(world) == "expired"
    assert ok(world.client("bob").get(CONSENT))["training_data_consent"] is False
    record = ok(world.client("bob").get(CONSENT))["records"][0]
    assert (record["action"], record["actor_id"], record["channel"]) == ("expired", None, "system")
    ok(world.client("alice").post(f"/api/training-examples/{example}/review", json={"decision": "approve"}))
    ok(world.client("bob").post(CONSENT, json=GIVE))
    assert (actions(world), outcome(world)) == (["given", "expired", "renewed"], "captured")


def test_expiry_in_one_tenant_does_not_touch_another(world: World) -> None:
    ok(world.client("charlie").post(CONSENT, json=GIVE))
    world.time += timedelta(days=365)
    assert record_expired(world) == 1
    assert [event.action for event in rows(world, ConsentEvent, of="charlie")] == ["given"]


def test_two_choices_at_once_are_one_choice_and_one_conflict(world: World) -> None:
    """A double click, or a phone and a laptop: the second one learns what the first one did."""
    client = world.browser("erin")
    seen = client.get(CONSENT).headers["etag"]
    answers = [
        client.post(CONSENT, json=GIVE | {"purposes": [p]}, headers={"If-Match": seen})
        for p in ("evaluation", "training")
    ]
    assert [answer.status_code for answer in answers] == [200, 409]
    current = answers[1].json()["error"]["details"]["current"]
    assert (current["action"], current["purposes"], current["channel"]) == ("given", ["evaluation"], "web")
    assert actions(world, "erin") == ["given"]


@pytest.mark.parametrize("table", ["notices", "notice_publications", "consent_requests"])
def test_what_was_shown_and_published_can_not_be_changed_or_removed(world: World, table: str) -> None:
    publish(world)
    ok(world.client("erin").get(NOTICE))
    url = make_url(world.owner_url)
    engine = create_engine(url.set(username="postgres") if url.get_backend_name() == "postgresql" else url)
    try:
        for statement in (f"UPDATE {table} SET tenant_id = tenant_id", f"DELETE FROM {table}"):  # noqa: S608
            with engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
                connection.execute(text(statement))
    finally:
        engine.dispose()
